//! The rung *sha256*: a file's hash beside the recorded one, or beside the first that was ever seen.

use std::path::Path;

use backup_formats::checksums::Checksums;
use rollback_types::Rung;

use super::super::ladder::Ladder;
use super::super::proof::{FileProof, Identity};
use super::BackupVerifier;
use crate::journal::KnownHash;

impl BackupVerifier {
    /// The recorded checksum decides; without one the first hash ever seen does, as long as the file claims to be
    /// the same.
    pub(super) async fn judge_hash(
        &self,
        path: &Path,
        identity: Identity,
        proven: &FileProof,
        sums: &Result<Option<Checksums>, String>,
        ladder: &mut Ladder,
    ) {
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let at = proven.at;
        let sums = match sums {
            Err(why) => return ladder.fail(Rung::Sha256, why.clone(), at),
            Ok(sums) => sums.as_ref(),
        };
        match sums.map(|sums| sums.get(&name).map(|digest| digest.to_string())) {
            Some(Some(recorded)) if recorded == proven.sha256 => {
                ladder.pass(Rung::Sha256, "matches checksums.txt", at);
            }
            Some(Some(recorded)) => {
                ladder.fail(Rung::Sha256, format!("checksums.txt says {recorded}, the file has {}", proven.sha256), at);
            }
            // A list that names other files was made for this folder, and says that something is wrong with one of them.
            Some(None) => {
                ladder.fail(Rung::Sha256, format!("checksums.txt is there, and does not name {name}"), at);
            }
            None => self.trust_on_first_use(path, identity, proven, ladder).await,
        }
    }

    async fn trust_on_first_use(&self, path: &Path, identity: Identity, proven: &FileProof, ladder: &mut Ladder) {
        let key = path.display().to_string();
        let at = proven.at;
        let known = match self.journal.known_hash(&key).await {
            Ok(known) => known,
            Err(e) => return ladder.fail(Rung::Sha256, format!("no recorded checksum, and {e}"), at),
        };
        let same_file = known.as_ref().is_some_and(|k| {
            (k.bytes, k.modified_ns, k.inode) == (identity.bytes, identity.modified_ns, identity.inode)
        });
        match known {
            Some(k) if same_file && k.sha256 != proven.sha256 => ladder.fail(
                Rung::Sha256,
                format!(
                    "no recorded checksum; at {} it had {}, now it has {}, with the same size and time: it rots",
                    k.hashed_at, k.sha256, proven.sha256
                ),
                at,
            ),
            Some(k) if same_file => ladder.pass(
                Rung::Sha256,
                format!("no recorded checksum; the same as when first seen at {}", k.first_at),
                at,
            ),
            known => {
                let hash = KnownHash {
                    path: key,
                    sha256: proven.sha256.clone(),
                    bytes: identity.bytes,
                    modified_ns: identity.modified_ns,
                    inode: identity.inode,
                    hashed_at: at,
                    first_sha256: proven.sha256.clone(),
                    first_at: at,
                };
                let said = if known.is_some() {
                    "no recorded checksum; the file is another than before, its hash was recorded anew"
                } else {
                    "no recorded checksum; its hash was recorded now, trusted on first use"
                };
                match self.journal.record_hash(&hash).await {
                    Ok(()) => ladder.pass(Rung::Sha256, said, at),
                    Err(e) => ladder.fail(Rung::Sha256, format!("no recorded checksum, and {e}"), at),
                }
            }
        }
    }
}
