//! One look at the deployment for all who watch it: their pages are told when they would say something else.

use std::sync::Arc;
use std::time::Duration;

use app::freshness::SeenBefore;
use rollback::{RollbackService, seen};
use rollback_types::{Change, Timestamp};
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

/// Between two looks, while anybody watches.
const LOOK: Duration = Duration::from_secs(3);

/// What was seen last. Cheap to clone; all clones are one.
#[derive(Clone, Debug)]
pub struct Changes {
    latest: Arc<watch::Sender<Option<Change>>>,
}

impl Default for Changes {
    fn default() -> Self {
        Self { latest: Arc::new(watch::Sender::new(None)) }
    }
}

impl Changes {
    /// What was seen last, and every change after it.
    pub fn watch(&self) -> watch::Receiver<Option<Change>> {
        self.latest.subscribe()
    }

    /// What was seen before whatever is asked now; nothing where nobody watched.
    pub fn before(&self) -> SeenBefore {
        SeenBefore(self.latest.borrow().as_ref().map(|change| change.everywhere.clone()))
    }

    /// Looks while anybody watches, until the server stops.
    pub async fn keep(self, service: Arc<RollbackService>, mut stopping: watch::Receiver<bool>) {
        let mut times = tokio::time::interval(LOOK);
        times.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = times.tick() => {}
                _ = stopping.wait_for(|stopping| *stopping) => return,
            }
            if self.latest.receiver_count() == 0 {
                // What was so then must not be told as what is so now.
                self.latest.send_replace(None);
                continue;
            }
            match service.overview().await {
                Ok(overview) => self.saw(seen(&overview).zip(service.seen_everywhere(&overview).await)),
                Err(error) => {
                    tracing::warn!(%error, "the overview could not be looked at; its pages are not told of changes")
                }
            }
        }
    }

    fn saw(&self, seen: Option<(String, String)>) {
        let Some((seen, everywhere)) = seen else { return };
        self.latest.send_if_modified(|latest| {
            let new = latest.as_ref().is_none_or(|latest| latest.seen != seen || latest.everywhere != everywhere);
            if new {
                *latest = Some(Change { seen, everywhere, at: Timestamp::now() });
            }
            new
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_watches_is_told_what_is_so_and_then_changes_alone() {
        let word = |overview: &str, everywhere: &str| Some((overview.to_owned(), everywhere.to_owned()));
        let changes = Changes::default();
        assert_eq!(changes.before(), SeenBefore(None));
        changes.saw(word("a", "x"));
        let mut watching = changes.watch();
        assert_eq!(watching.borrow_and_update().as_ref().map(|c| c.seen.clone()), Some("a".into()));
        changes.saw(word("a", "x"));
        assert!(!watching.has_changed().unwrap());
        changes.saw(word("a", "y"));
        assert!(watching.has_changed().unwrap(), "another page may say something else where the overview does not");
        assert_eq!(changes.before(), SeenBefore(Some("y".into())));
        watching.mark_unchanged();
        changes.saw(word("b", "y"));
        assert!(watching.has_changed().unwrap());
    }
}
