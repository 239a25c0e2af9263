//! The rung *sha256*: a file's hash beside the recorded one, or beside the one that it had when it was seen before.

use std::path::Path;

use backup_formats::checksums::Checksums;
use rollback_types::civil::utc;
use rollback_types::quantity::short_hash;
use rollback_types::{BackupHealth, BackupSource, Rung, Timestamp};
use serde::{Deserialize, Serialize};

use super::super::proof::{FileProof, Identity};
use super::{BackupVerifier, Look};
use crate::journal::{JournalError, KnownHash};

/// A person's word for a file that took another's place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Trusted {
    sha256: String,
    by: String,
    at: Timestamp,
    /// Why it is the right one, in that person's words; earlier versions did not ask.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// What a list that names the file's own hash says.
const MATCHES: &str = "matches checksums.txt";

/// What speaks for a file besides that it is the one that was seen before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Vouched {
    /// `checksums.txt` names its hash.
    ByItsList,
    /// There is no list.
    ByNothing,
}

impl Vouched {
    fn said(self) -> &'static str {
        match self {
            Self::ByItsList => MATCHES,
            Self::ByNothing => "no recorded checksum",
        }
    }
}

impl BackupVerifier {
    /// The recorded checksum, and the hash that the file had before: where they disagree, until a person says otherwise.
    pub(super) async fn judge_hash(
        &self,
        look: &mut Look,
        path: &Path,
        identity: Identity,
        proven: &FileProof,
        sums: &Result<Option<Checksums>, String>,
    ) {
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let at = proven.at;
        let sums = match sums {
            Err(why) => return look.ladder.fail(Rung::Sha256, why.clone(), at),
            Ok(sums) => sums.as_ref(),
        };
        match sums.map(|sums| sums.get(&name).map(|digest| digest.to_string())) {
            Some(Some(recorded)) if recorded == proven.sha256 && look.lasting => {
                self.beside_the_known(look, path, identity, proven, Vouched::ByItsList).await;
            }
            // What a run made and is at work with is pinned by the run.
            Some(Some(recorded)) if recorded == proven.sha256 => {
                look.ladder.pass(Rung::Sha256, MATCHES, at);
            }
            Some(Some(recorded)) => {
                let said = format!(
                    "checksums.txt says that its SHA-256 begins with {}, and the file's begins with {}",
                    short_hash(&recorded),
                    short_hash(&proven.sha256)
                );
                look.ladder.fail(Rung::Sha256, said, at);
            }
            // A list that names other files was made for this folder, and says that something is wrong with one of them.
            Some(None) => {
                look.ladder.fail(Rung::Sha256, format!("checksums.txt is there, and does not name {name}"), at);
            }
            None => self.beside_the_known(look, path, identity, proven, Vouched::ByNothing).await,
        }
    }

    /// Trusted at the first look, and from then on only as long as it is the same. A kept version never changes: a list that was
    /// changed together with its file vouches for nothing there.
    async fn beside_the_known(
        &self,
        look: &mut Look,
        path: &Path,
        identity: Identity,
        proven: &FileProof,
        vouched: Vouched,
    ) {
        let at = proven.at;
        let key = path.display().to_string();
        let start = vouched.said();
        let told = async { Ok::<_, JournalError>((self.journal.known_hash(&key).await?, self.trusted(&key).await?)) };
        let (known, trusted) = match told.await {
            Ok(told) => told,
            Err(e) => {
                let said = format!("{start}, but whether it is the file that was there before cannot be told: {e}");
                return look.ladder.fail(Rung::Sha256, said, at);
            }
        };
        // A listed file that does not open was never good: a better one in its place needs nobody's word.
        let worth_knowing = vouched == Vouched::ByNothing || proven.opened.is_ok();
        if worth_knowing
            && known.as_ref().is_none_or(|k| k.sha256 == proven.sha256)
            && let Err(e) = self.know(path, identity, proven).await
        {
            if vouched == Vouched::ByNothing {
                return look.ladder.fail(Rung::Sha256, format!("{start}, and {e}"), at);
            }
            tracing::warn!(error = %e, "a file's hash could not be kept beside its checksums.txt");
        }
        match (known, trusted.filter(|t| t.sha256 == proven.sha256)) {
            (None, _) if vouched == Vouched::ByItsList => look.ladder.pass(Rung::Sha256, start, at),
            (None, _) => {
                let said = format!("{start}; its hash was recorded now, trusted on first use");
                look.ladder.pass(Rung::Sha256, said, at);
            }
            (Some(k), Some(trusted)) if k.sha256 == proven.sha256 => {
                let said = format!(
                    "{start}; trusted by {} on {}{}",
                    trusted.by,
                    utc(trusted.at),
                    trusted.reason.map(|why| format!(", because: {why}")).unwrap_or_default()
                );
                look.ladder.pass(Rung::Sha256, said, at);
            }
            (Some(k), None) if k.sha256 == proven.sha256 => {
                let since = if k.sha256 == k.first_sha256 { k.first_at } else { k.hashed_at };
                let said = match vouched {
                    Vouched::ByItsList if look.renewable && k.sha256 != k.first_sha256 => {
                        format!("{start}; renewed together with it, and first seen as it is on {}", utc(k.hashed_at))
                    }
                    Vouched::ByItsList => start.to_owned(),
                    Vouched::ByNothing => format!("{start}; the same as when first seen on {}", utc(since)),
                };
                look.ladder.pass(Rung::Sha256, said, at);
            }
            (Some(k), _) if vouched == Vouched::ByNothing && is_same_file(&k, identity) => {
                let said = format!(
                    "{start}. On {} its SHA-256 began with {}, now it begins with {}, though size and time are the same: the \
                     disk or its file system damages it.",
                    utc(k.hashed_at),
                    short_hash(&k.sha256),
                    short_hash(&proven.sha256)
                );
                look.ladder.fail(Rung::Sha256, said, at);
            }
            // latest-copy is there to be renewed, and its list came with it: that is what a list is for (the ladder of backup
            // health). Its other proofs are made anew, for they are of other bytes.
            (Some(k), _) if vouched == Vouched::ByItsList && look.renewable && proven.opened.is_ok() => {
                if let Err(e) = self.know(path, identity, proven).await {
                    tracing::warn!(error = %e, "a renewed file's hash could not be kept beside its checksums.txt");
                }
                look.ladder.pass(Rung::Sha256, renewed(start, &k.sha256, k.hashed_at, proven), at);
            }
            // Nobody's word makes a backup of what does not open. The list is right; the next rung says what is wrong.
            (Some(k), _) if vouched == Vouched::ByItsList && proven.opened.is_err() => {
                let said = format!("{start}; it is not the file that was there on {}", utc(k.hashed_at));
                look.ladder.pass(Rung::Sha256, said, at);
            }
            (Some(k), _) => {
                let mut said = replaced(&k, identity, proven, vouched);
                match &proven.opened {
                    Ok(_) => look.replaced = true,
                    Err(why) => said.push_str(&format!(" What is there now does not open: {why}")),
                }
                look.ladder.fail(Rung::Sha256, said, at);
            }
        }
    }

    /// From now on this is the file that is known.
    pub(super) async fn know(&self, path: &Path, identity: Identity, proven: &FileProof) -> Result<(), JournalError> {
        let key = path.display().to_string();
        let known = self.journal.known_hash(&key).await?;
        if known.as_ref().is_some_and(|k| k.sha256 == proven.sha256 && is_same_file(k, identity)) {
            return Ok(());
        }
        let hash = KnownHash {
            path: key,
            sha256: proven.sha256.clone(),
            bytes: identity.bytes,
            modified_ns: identity.modified_ns,
            inode: identity.inode,
            hashed_at: proven.at,
            first_sha256: proven.sha256.clone(),
            first_at: proven.at,
        };
        self.journal.record_hash(&hash).await
    }

    /// A person says that files which took others' places are to be trusted: those that `seen` found so, and only as it saw them.
    pub(crate) async fn trust(
        &self,
        source: &BackupSource,
        seen: &BackupHealth,
        by: &str,
        reason: &str,
    ) -> Result<(), JournalError> {
        for file in seen.files.iter().filter(|file| seen.replaced.contains(&file.store)) {
            let path = self.folders.file(source, file.store);
            let Some(proof) = self.remembered(&path).await else { continue };
            // Another look came between, and saw yet another file: that one is nobody's.
            if file.sha256.as_ref() != Some(&proof.sha256) {
                continue;
            }
            let word = Trusted {
                sha256: proof.sha256.clone(),
                by: by.to_owned(),
                at: Timestamp::now(),
                reason: Some(reason.to_owned()),
            };
            let json = serde_json::to_string(&word)
                .map_err(|e| JournalError::Unusable { path: path.display().to_string(), detail: e.to_string() })?;
            // The word first: a hash that is known without it would be nobody's.
            self.journal.remember(&trusted_key(&path.display().to_string()), &json).await?;
            self.know(&path, proof.identity, &proof).await?;
        }
        Ok(())
    }

    async fn trusted(&self, path: &str) -> Result<Option<Trusted>, JournalError> {
        let json = self.journal.remembered(&trusted_key(path)).await?;
        // What another version wrote there only takes the name from the sentence.
        Ok(json.and_then(|json| serde_json::from_str(&json).ok()))
    }
}

/// A latest-copy that came with its own list.
fn renewed(start: &str, before: &str, seen: Timestamp, proven: &FileProof) -> String {
    format!(
        "{start}; renewed together with it: on {} its SHA-256 began with {}, and begins with {} now",
        utc(seen),
        short_hash(before),
        short_hash(&proven.sha256)
    )
}

/// What changed, from what to what, and when.
fn replaced(known: &KnownHash, identity: Identity, proven: &FileProof, vouched: Vouched) -> String {
    let (before, now) = (short_hash(&known.sha256), short_hash(&proven.sha256));
    let (seen, written) = (utc(known.hashed_at), utc(Timestamp::from_unix_ms(identity.modified_ns / 1_000_000)));
    match vouched {
        Vouched::ByItsList => format!(
            "replaced since it was seen on {seen}, though checksums.txt agrees with what is there now: its SHA-256 began with \
             {before} then, and begins with {now} now. The file was last written on {written}. Nothing tells who replaced it."
        ),
        Vouched::ByNothing => format!(
            "no recorded checksum, and not the file that was there on {seen}: its SHA-256 began with {before} then, and begins \
             with {now} now. The file was last written on {written}. Nothing tells who replaced it."
        ),
    }
}

fn is_same_file(known: &KnownHash, identity: Identity) -> bool {
    (known.bytes, known.modified_ns, known.inode) == (identity.bytes, identity.modified_ns, identity.inode)
}

fn trusted_key(path: &str) -> String {
    format!("trusted:{path}")
}
