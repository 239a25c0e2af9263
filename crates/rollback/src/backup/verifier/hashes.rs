//! The rung *sha256*: a file's hash beside the recorded one, or beside the one that it had when it was seen before.

use std::path::Path;

use backup_formats::checksums::Checksums;
use rollback_types::civil::utc;
use rollback_types::quantity::short_hash;
use rollback_types::{BackupSource, Rung, StoreKind, Timestamp};
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

impl BackupVerifier {
    /// The recorded checksum decides; without one the hash that the file had before does, until a person says otherwise.
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
            Some(Some(recorded)) if recorded == proven.sha256 => {
                look.ladder.pass(Rung::Sha256, "matches checksums.txt", at);
                // So that the file is not new, and trusted at sight, once its list is gone.
                if look.lasting
                    && let Err(e) = self.know(path, identity, proven).await
                {
                    tracing::warn!(error = %e, "a file's hash could not be kept beside its checksums.txt");
                }
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
            None => self.beside_the_known(look, path, identity, proven).await,
        }
    }

    /// Trusted at the first look, and from then on only as long as it is the same.
    async fn beside_the_known(&self, look: &mut Look, path: &Path, identity: Identity, proven: &FileProof) {
        let at = proven.at;
        let key = path.display().to_string();
        let told = async {
            let known = self.journal.known_hash(&key).await?;
            if known.as_ref().is_none_or(|k| k.sha256 == proven.sha256) {
                self.know(path, identity, proven).await?;
            }
            Ok::<_, JournalError>((known, self.trusted(&key).await?))
        };
        let (known, trusted) = match told.await {
            Ok(told) => told,
            Err(e) => return look.ladder.fail(Rung::Sha256, format!("no recorded checksum, and {e}"), at),
        };
        match (known, trusted.filter(|t| t.sha256 == proven.sha256)) {
            (None, _) => {
                let said = "no recorded checksum; its hash was recorded now, trusted on first use";
                look.ladder.pass(Rung::Sha256, said, at);
            }
            (Some(k), Some(trusted)) if k.sha256 == proven.sha256 => {
                let said = format!(
                    "no recorded checksum; trusted by {} on {}{}",
                    trusted.by,
                    utc(trusted.at),
                    trusted.reason.map(|why| format!(", because: {why}")).unwrap_or_default()
                );
                look.ladder.pass(Rung::Sha256, said, at);
            }
            (Some(k), None) if k.sha256 == proven.sha256 => {
                let since = if k.sha256 == k.first_sha256 { k.first_at } else { k.hashed_at };
                let said = format!("no recorded checksum; the same as when first seen on {}", utc(since));
                look.ladder.pass(Rung::Sha256, said, at);
            }
            (Some(k), _) if is_same_file(&k, identity) => {
                let said = format!(
                    "no recorded checksum. On {} its SHA-256 began with {}, now it begins with {}, though size and time are \
                     the same: the disk or its file system damages it.",
                    utc(k.hashed_at),
                    short_hash(&k.sha256),
                    short_hash(&proven.sha256)
                );
                look.ladder.fail(Rung::Sha256, said, at);
            }
            (Some(k), _) => {
                look.replaced = true;
                let said = format!(
                    "no recorded checksum, and not the file that was there on {}: its SHA-256 began with {} then, and begins with \
                     {} now. Nothing tells who replaced it.",
                    utc(k.hashed_at),
                    short_hash(&k.sha256),
                    short_hash(&proven.sha256)
                );
                look.ladder.fail(Rung::Sha256, said, at);
            }
        }
    }

    /// From now on this is the file that is known.
    async fn know(&self, path: &Path, identity: Identity, proven: &FileProof) -> Result<(), JournalError> {
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

    /// A person says that files which took others' places are to be trusted: those that the last look found so.
    pub(crate) async fn trust(
        &self,
        source: &BackupSource,
        replaced: &[StoreKind],
        by: &str,
        reason: &str,
    ) -> Result<(), JournalError> {
        for store in replaced {
            let path = self.folders.file(source, *store);
            let Some(proof) = self.remembered(&path).await else { continue };
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

fn is_same_file(known: &KnownHash, identity: Identity) -> bool {
    (known.bytes, known.modified_ns, known.inode) == (identity.bytes, identity.modified_ns, identity.inode)
}

fn trusted_key(path: &str) -> String {
    format!("trusted:{path}")
}
