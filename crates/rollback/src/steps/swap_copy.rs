//! Making a backup, step 3: the new folder takes latest-copy's place in one rename; the old one is kept beside it.

use std::io;
use std::path::{Path, PathBuf};

use rollback_types::run_kind::backup_of_subject;
use rollback_types::{BackupSource, Step, VersionId};

use crate::backup::BackupFolders;
use crate::context::{Halt, Outcome, StepContext};
use crate::store::Host;

pub(super) async fn swap_copy(cx: &mut StepContext) -> Result<Outcome, Halt> {
    let folders = cx.shared.verifier.folders();
    let subject = backup_of_subject(cx.shared.spec.subject.as_str());
    let (new, place) = (folders.folder(&cx.shared.fresh()), folders.folder(&subject));
    let old = folders.root().join(format!("{}.before-run-{}", subject.name(), cx.shared.spec.run_id));
    let acted = cx.shared.attempted(Step::SwapCopy).is_some();
    cx.acts(1).await?;
    let (from, to, kept) = (new.clone(), place.clone(), old.clone());
    let (host, marker) = (cx.shared.stores.host.clone(), marker(&cx.shared.spec.run_key));
    let swapped = tokio::task::spawn_blocking(move || {
        if acted && is_swapped(&from, &to, &marker) {
            return Ok(Swapped { kept: kept.exists() });
        }
        swap(host.as_ref(), &from, &to, &kept, &marker)
    })
    .await
    .map_err(io::Error::other);
    let swapped = swapped.and_then(|r| r);
    if swapped.is_ok() {
        cx.shared.verifier.carry_proofs(&cx.shared.fresh(), &subject).await;
    }
    match swapped {
        Ok(Swapped { kept: true }) => Ok(Outcome::Done {
            count: None,
            said: format!("{} is new; the one before it is kept as {}", place.display(), old.display()),
        }),
        Ok(Swapped { kept: false }) => {
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

struct Swapped {
    /// There was one before.
    kept: bool,
}

/// There is a latest-copy at every moment: the two folders change names in one call. A marker in the new folder tells which
/// is which, so that a step that is tried again never swaps the old one back in.
fn swap(host: &dyn Host, new: &Path, place: &Path, old: &Path, marker: &str) -> io::Result<Swapped> {
    if !place.join(marker).exists() {
        if !new.exists() {
            return Err(io::Error::other("the new copy is not there any more"));
        }
        std::fs::write(new.join(marker), b"")?;
        if place.exists() {
            host.exchange(new, place)?;
        } else {
            std::fs::rename(new, place)?;
        }
    }
    let kept = new.exists();
    if kept {
        std::fs::rename(new, free_name(old))?;
    }
    std::fs::remove_file(place.join(marker))?;
    Ok(Swapped { kept })
}

/// An earlier try, which acted, came to its end: the new folder is gone to its place, and the marker with it.
fn is_swapped(new: &Path, place: &Path, marker: &str) -> bool {
    !new.exists() && place.exists() && !place.join(marker).exists()
}

/// What an interrupted run that makes a backup has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UnfinishedCopy {
    /// The new folder has, or may have, changed places already.
    SwappedIn,
    /// The new folder is whole, and waits.
    Waiting,
    /// There is no new folder.
    Gone,
}

/// Looks at the folders of a run that makes a backup. Blocks.
pub(crate) fn unfinished_copy(folders: &BackupFolders, subject: &VersionId, key: &str, acted: bool) -> UnfinishedCopy {
    let new = folders.folder(&BackupSource::Fresh(key.to_owned()));
    let place = folders.folder(&backup_of_subject(subject.as_str()));
    if place.join(marker(key)).exists() || (acted && is_swapped(&new, &place, &marker(key))) {
        return UnfinishedCopy::SwappedIn;
    }
    if new.exists() { UnfinishedCopy::Waiting } else { UnfinishedCopy::Gone }
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

/// What a process that ended left in the folder of the backups: an unfinished copy goes, one that had been swapped out is kept.
/// What belongs to one of `runs`, by their keys, stays: they may go on.
pub(crate) fn clear_unfinished(root: &Path, runs: &[String]) -> io::Result<()> {
    let entries = match std::fs::read_dir(root) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other?.collect::<io::Result<Vec<_>>>()?,
    };
    for entry in &entries {
        let name = entry.file_name().to_string_lossy().into_owned();
        let unfinished = name.strip_prefix('.').and_then(|n| n.split_once(".new-"));
        let Some((_, key)) = unfinished.filter(|(of, _)| *of == BackupSource::LATEST_COPY) else { continue };
        if runs.iter().any(|run| run == key) {
            continue;
        }
        let swapped_in = entries.iter().map(|other| other.path()).find(|p| p.join(marker(key)).exists());
        match swapped_in {
            Some(place) if place != entry.path() => {
                let mut kept = place.as_os_str().to_owned();
                kept.push(format!(".before-run-{key}"));
                std::fs::rename(entry.path(), free_name(Path::new(&kept)))?;
                std::fs::remove_file(place.join(marker(key)))?;
            }
            _ => std::fs::remove_dir_all(entry.path())?,
        }
    }
    Ok(())
}

fn marker(key: &str) -> String {
    format!(".stepback-{key}")
}
