//! Making a backup, step 3: the new folder takes latest-copy's place in one rename; the old one is kept beside it.

use std::io;
use std::path::Path;

use rollback_types::run_kind::backup_of_subject;

use crate::context::{Halt, Outcome, StepContext};
use crate::store::Host;

pub(super) async fn swap_copy(cx: &mut StepContext) -> Result<Outcome, Halt> {
    let folders = cx.shared.verifier.folders();
    let subject = backup_of_subject(cx.shared.spec.subject.as_str());
    let (new, place) = (folders.folder(&cx.shared.fresh()), folders.folder(&subject));
    let old = folders.root().join(format!("{}.before-run-{}", subject.name(), cx.shared.spec.run_id));
    cx.checkpoint()?;
    let (from, to, kept) = (new.clone(), place.clone(), old.clone());
    let host = cx.shared.stores.host.clone();
    let swapped =
        tokio::task::spawn_blocking(move || swap(host.as_ref(), &from, &to, &kept)).await.map_err(io::Error::other);
    match swapped.and_then(|r| r) {
        Ok(Swapped::Now { kept: true }) => Ok(Outcome::Done {
            count: None,
            said: format!("{} is new; the one before it is kept as {}", place.display(), old.display()),
        }),
        Ok(Swapped::Now { kept: false }) => {
            Ok(Outcome::Done { count: None, said: format!("{} is new; there was none before", place.display()) })
        }
        Ok(Swapped::Before) => {
            Ok(Outcome::FoundAbsent { said: "an earlier try of this step had swapped it in".to_owned() })
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

enum Swapped {
    Now { kept: bool },
    Before,
}

/// There is a latest-copy at every moment: the two folders change names in one call.
fn swap(host: &dyn Host, new: &Path, place: &Path, old: &Path) -> io::Result<Swapped> {
    if !new.exists() {
        let done = place.exists();
        return if done { Ok(Swapped::Before) } else { Err(io::Error::other("neither of them is there")) };
    }
    if !place.exists() {
        std::fs::rename(new, place)?;
        return Ok(Swapped::Now { kept: false });
    }
    host.exchange(new, place)?;
    std::fs::rename(new, old)?;
    Ok(Swapped::Now { kept: true })
}
