//! What happens without being asked: backups are proven again, old ways back go.
//!
//! One backup at a time, the one that waits longest first, and never while a run is active. Nothing here ends the program:
//! what fails is logged and tried again later.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use rollback::{Actor, RollbackService, ServiceError};
use rollback_types::{BackupFile, BackupSource, Role, RunQuery, Rung, RungResult, Timestamp};
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior};

use crate::config::Config;

/// When what happens.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// The files of each backup are read again after this time; absent: never.
    pub every: Option<Duration>,
    /// Each backup is restored on trial after this time; absent: never.
    pub trial_every: Option<Duration>,
    /// Between two looks for a backup whose time has come. It also keeps backups apart.
    pub look: Duration,
    /// Before a look that came to nothing (a store was down) is tried again.
    pub retry: Duration,
    /// Between two looks for ways back whose time is over.
    pub sweep: Duration,
}

/// When a backup was last proven.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Proven {
    source: BackupSource,
    read: Option<SystemTime>,
    tried: Option<SystemTime>,
}

/// What is to be done now.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Task {
    source: BackupSource,
    trial: bool,
}

/// Nobody asked for it: the settings do.
fn own() -> Actor {
    Actor::new("schedule", Role::Operator)
}

impl Schedule {
    /// As configured.
    pub fn of(config: &Config) -> Self {
        Self {
            every: config.verify.every,
            trial_every: config.verify.trial_restore_every,
            look: Duration::from_secs(60),
            retry: Duration::from_secs(15 * 60),
            sweep: Duration::from_secs(3_600),
        }
    }

    /// Removes what a crash left behind, then keeps the schedule until the server stops.
    pub async fn keep(&self, service: &RollbackService, mut stopping: watch::Receiver<bool>) {
        let work = async {
            if let Err(error) = service.remove_leftovers().await {
                tracing::warn!(%error, "scratch places of an earlier process could not be looked for; the next trial removes them");
            }
            tokio::join!(self.renew(service), self.sweep(service));
        };
        tokio::select! {
            () = work => {}
            _ = stopping.wait_for(|stopping| *stopping) => {}
        }
    }

    async fn sweep(&self, service: &RollbackService) {
        let mut ticks = ticks(self.sweep);
        loop {
            ticks.tick().await;
            match service.remove_old_ways_back().await {
                Ok(0) => {}
                Ok(removed) => tracing::info!(removed, "ways back were removed: their time is over"),
                Err(error) => tracing::warn!(%error, "old ways back could not be removed"),
            }
        }
    }

    async fn renew(&self, service: &RollbackService) {
        if self.every.is_none() && self.trial_every.is_none() {
            return;
        }
        let mut ticks = ticks(self.look);
        let mut not_before: HashMap<Task, Instant> = HashMap::new();
        loop {
            ticks.tick().await;
            // Reading beside a run would slow it down.
            if is_busy(service).await {
                continue;
            }
            let proven = match service.last_looks().await {
                Ok(looks) => looks.into_iter().map(|(source, read, tried)| Proven { source, read, tried }).collect(),
                Err(error) => {
                    tracing::warn!(%error, "the backups could not be listed");
                    continue;
                }
            };
            let now = Instant::now();
            not_before.retain(|_, at| *at > now);
            let Some(task) = self.next(proven, SystemTime::now(), |task| not_before.contains_key(task)) else {
                continue;
            };
            if let Some(pause) = self.perform(service, &task).await {
                not_before.insert(task, Instant::now() + pause);
            }
        }
    }

    /// Does it. Returns for how long it is not to be done again, where the time it was done does not tell.
    async fn perform(&self, service: &RollbackService, task: &Task) -> Option<Duration> {
        let name = task.source.name();
        let started = Timestamp::now();
        match service.verify_backup(&name, task.trial, None, &own()).await {
            Ok(health) => {
                tracing::info!(backup = %name, trial = task.trial, intact = health.intact, "{}", health.verdict);
                // The service says of a store that was down what an earlier trial found.
                let tried = |file: &BackupFile| {
                    let is_new =
                        |r: &RungResult| r.rung == Rung::TrialRestore && r.checked_at.is_some_and(|at| at >= started);
                    file.rungs.iter().any(is_new)
                };
                let inconclusive = !health.intact || (task.trial && !health.files.iter().all(tried));
                inconclusive.then_some(self.retry)
            }
            // A run began meanwhile, or the folder went: the next look sees.
            Err(ServiceError::ActiveRun(_) | ServiceError::NotFound(_)) => None,
            Err(error) => {
                tracing::warn!(backup = %name, %error, "a backup could not be verified by schedule");
                Some(self.retry)
            }
        }
    }

    /// The task that waits longest. A trial reads the files too, so it comes before a mere look at the same backup.
    fn next(&self, proven: Vec<Proven>, now: SystemTime, waits: impl Fn(&Task) -> bool) -> Option<Task> {
        let overdue = |last: Option<SystemTime>, period: Option<Duration>| -> Option<Duration> {
            let period = period?;
            match last {
                None => Some(Duration::MAX),
                // A time to come was written by a clock that was wrong.
                Some(last) => now.duration_since(last).map_or(Some(Duration::MAX), |age| age.checked_sub(period)),
            }
        };
        let mut tasks: Vec<(Duration, Task)> = Vec::new();
        for Proven { source, read, tried } in proven {
            for (trial, late) in [(true, overdue(tried, self.trial_every)), (false, overdue(read, self.every))] {
                let task = Task { source: source.clone(), trial };
                if let Some(late) = late.filter(|_| !waits(&task)) {
                    tasks.push((late, task));
                    break;
                }
            }
        }
        // Of equals the first: latest-copy stands before the kept versions.
        tasks.into_iter().rev().max_by_key(|(late, _)| *late).map(|(_, task)| task)
    }
}

fn ticks(period: Duration) -> tokio::time::Interval {
    let mut ticks = tokio::time::interval(period);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// Is a run active? Only the newest can be.
async fn is_busy(service: &RollbackService) -> bool {
    match service.runs(&RunQuery { limit: Some(1), ..RunQuery::default() }).await {
        Ok(page) => page.items.first().is_some_and(|run| run.state.is_active()),
        Err(error) => {
            tracing::warn!(%error, "the runs could not be looked at; backups wait");
            true
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rollback_types::VersionId;

    const HOUR: Duration = Duration::from_secs(3_600);

    fn schedule(every: Option<Duration>, trial_every: Option<Duration>) -> Schedule {
        Schedule { every, trial_every, look: HOUR, retry: HOUR, sweep: HOUR }
    }

    fn kept(name: &str) -> BackupSource {
        BackupSource::Version(VersionId::new(name))
    }

    #[test]
    fn the_one_that_waits_longest_comes_first() {
        let now = SystemTime::now();
        let ago = |hours: u32| Some(now - HOUR * hours);
        let proven = |source, read, tried| Proven { source, read, tried };
        let s = schedule(Some(6 * HOUR), Some(100 * HOUR));
        let next = |proven: Vec<Proven>| s.next(proven, now, |_| false);
        let task = |source, trial| Some(Task { source, trial });

        assert_eq!(next(vec![proven(BackupSource::LatestCopy, ago(5), ago(50))]), None);
        let all = vec![proven(BackupSource::LatestCopy, ago(7), ago(50)), proven(kept("v2"), ago(9), ago(50))];
        assert_eq!(next(all.clone()), task(kept("v2"), false));
        let all = [all, vec![proven(kept("v3"), ago(1), ago(200))]].concat();
        assert_eq!(next(all), task(kept("v3"), true));
        // Never proven comes before all; of several such the first.
        let new = vec![proven(BackupSource::LatestCopy, None, None), proven(kept("v2"), None, None)];
        assert_eq!(next(new.clone()), task(BackupSource::LatestCopy, true));
        let only_reads = schedule(Some(HOUR), None);
        assert_eq!(only_reads.next(new.clone(), now, |_| false), task(BackupSource::LatestCopy, false));
        assert_eq!(schedule(None, None).next(new.clone(), now, |_| false), None);
        // What is to wait lets the next one through; a trial that waits does not stop a look.
        let trial = Task { source: BackupSource::LatestCopy, trial: true };
        assert_eq!(s.next(new.clone(), now, |t| *t == trial), task(BackupSource::LatestCopy, false));
        assert_eq!(s.next(new, now, |t| t.source == trial.source), task(kept("v2"), true));
        let ahead = vec![proven(kept("v2"), Some(now + HOUR), ago(1))];
        assert_eq!(next(ahead), task(kept("v2"), false), "a clock that was set back");
    }
}
