//! Making a backup, step 3: the new folder takes latest-copy's place in one rename; the old one is kept beside it.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use rollback_types::run_kind::backup_of_subject;
use rollback_types::{BackupSource, VersionId};

use crate::backup::BackupFolders;
use crate::context::{Halt, Outcome, StepContext};
use crate::store::Host;

pub(super) async fn swap_copy(cx: &mut StepContext) -> Result<Outcome, Halt> {
    let folders = cx.shared.verifier.folders();
    let subject = backup_of_subject(cx.shared.spec.subject.as_str());
    let (new, place) = (folders.folder(&cx.shared.fresh()), folders.folder(&subject));
    let old = folders.root().join(format!("{}.before-run-{}", subject.name(), cx.shared.spec.run_id));
    cx.acts(1).await?;
    let (from, to, kept) = (new.clone(), place.clone(), old.clone());
    let (host, marker) = (cx.shared.stores.host.clone(), marker(&cx.shared.spec.run_key));
    let swapped = tokio::task::spawn_blocking(move || swap(host.as_ref(), &from, &to, &kept, &marker))
        .await
        .map_err(io::Error::other);
    let swapped = swapped.and_then(|r| r);
    if swapped.is_ok() {
        cx.shared.verifier.carry_proofs(&cx.shared.fresh(), &subject).await;
    }
    match swapped {
        Ok(Some(kept)) => Ok(Outcome::Done {
            count: None,
            said: format!("{} is new; the one before it is kept as {}", place.display(), kept.display()),
        }),
        Ok(None) => {
            Ok(Outcome::Done { count: None, said: format!("{} is new; there was none before", place.display()) })
        }
        Err(e) => Err(Halt::refused(
            "swap",
            None,
            format!("{} could not take the place of {}: {e}", new.display(), place.display()),
            "One of the two is in place, whole; nothing was deleted.",
            "Give Stepback's user the right to rename in the folder of the backups, then try again.",
        )),
    }
}

/// There is a latest-copy at every moment: the two folders change names in one call. The new one carries a marker of its run, for
/// good: it tells which is which, so that a step that is tried again never swaps the old one back in. Returns where the old one is
/// kept; `None` when there was none.
fn swap(host: &dyn Host, new: &Path, place: &Path, old: &Path, marker: &str) -> io::Result<Option<PathBuf>> {
    let note = place.join(marker);
    if !note.exists() {
        if !new.exists() {
            return Err(io::Error::other("the new copy is not there any more"));
        }
        let kept = if place.exists() { Some(free_name(old)) } else { None };
        let text = kept.as_deref().map(|k| k.to_string_lossy().into_owned()).unwrap_or_default();
        let mut file = std::fs::File::create(new.join(marker))?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        if kept.is_some() {
            host.exchange(new, place)?;
        } else {
            std::fs::rename(new, place)?;
        }
    }
    let kept = Some(std::fs::read_to_string(&note)?).filter(|text| !text.is_empty()).map(PathBuf::from);
    if let Some(kept) = &kept
        && new.exists()
    {
        std::fs::rename(new, kept)?;
    }
    Ok(kept)
}

/// The copy that this run made has taken its place. Blocks.
pub(crate) fn is_swapped_in(folders: &BackupFolders, subject: &VersionId, key: &str) -> bool {
    folders.folder(&backup_of_subject(subject.as_str())).join(marker(key)).exists()
}

/// Nothing that was kept earlier is replaced: run numbers begin anew with a new journal.
fn free_name(wanted: &Path) -> PathBuf {
    let mut name = wanted.to_owned();
    let mut n = 2;
    while name.exists() {
        let mut text = wanted.as_os_str().to_owned();
        text.push(format!("-{n}"));
        name = PathBuf::from(text);
        n += 1;
    }
    name
}

/// What runs of this journal that are over have left in the folder of the backups: an unfinished copy goes, one that had been
/// swapped out is kept. Runs of another Stepback on the same folder are not ours to judge. Blocks.
pub(crate) fn clear_unfinished(root: &Path, over: &[String]) -> io::Result<()> {
    let entries = match std::fs::read_dir(root) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other?.collect::<io::Result<Vec<_>>>()?,
    };
    for entry in &entries {
        let name = entry.file_name().to_string_lossy().into_owned();
        let unfinished = name.strip_prefix('.').and_then(|n| n.split_once(".new-"));
        let Some((_, key)) = unfinished.filter(|(of, _)| *of == BackupSource::LATEST_COPY) else { continue };
        if !over.iter().any(|run| run == key) {
            continue;
        }
        let swapped_in = entries.iter().map(|other| other.path()).find(|p| p.join(marker(key)).exists());
        match swapped_in {
            Some(place) if place != entry.path() => {
                let mut kept = place.as_os_str().to_owned();
                kept.push(format!(".before-run-{key}"));
                std::fs::rename(entry.path(), free_name(Path::new(&kept)))?;
            }
            _ => std::fs::remove_dir_all(entry.path())?,
        }
    }
    Ok(())
}

fn marker(key: &str) -> String {
    format!(".stepback-{key}")
}
