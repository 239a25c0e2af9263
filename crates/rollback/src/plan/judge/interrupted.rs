//! What another run that was interrupted means: what it had begun is neither done nor undone until somebody decides.

use rollback_types::run_kind::subject_in_words;
use rollback_types::{Layout, Refusal, RunKind, RunSummary, VersionId};

use super::Judge;

impl Judge<'_> {
    /// Of a rollback: what is staged may be what that run has left, and what it knows of it goes with it. That it may be taken
    /// over, where it is of this very version, is asked elsewhere.
    pub(super) fn interrupted_before_rollback(&mut self, version: &VersionId) {
        let taken_over = |kind, of: &VersionId| kind == RunKind::Rollback && of == version;
        // Each version's staging is its own in one layout; production is everybody's in all.
        let shared = match self.g.layout() {
            Layout::PerVersion => "it may have left production half restored, which this plan would take for what is",
            Layout::Shared | Layout::Mixed => "what this plan counts and removes may be its own",
        };
        for run in self.g.interrupted.iter().filter(|run| !taken_over(run.kind, &run.version_id)) {
            let said = format!(
                "{}: nobody has decided yet what becomes of what it had in hand, and {shared}. It does nothing by itself. {} first, \
                 then plan again.",
                begun(run),
                settle(run),
            );
            self.refuse_for(run, said);
        }
    }

    /// Of a restore: it may be the very remedy, but then that run can hardly go on.
    pub(super) fn interrupted_before_restore(&mut self) {
        for run in &self.g.interrupted {
            self.ask(
                code(run),
                format!(
                    "{}. This plan does not end what it had begun, and after a restore it may be that run #{} cannot be resumed any \
                     more, only abandoned. To resume or abandon it first is better.",
                    begun(run),
                    run.id,
                ),
            );
        }
    }

    /// Of a new latest-copy: what is half done in production must not become what everything is restored from.
    pub(super) fn interrupted_before_copy(&mut self) {
        for run in &self.g.interrupted {
            let said = format!(
                "{}: a copy of them as they are now would hold what is half done. {} first, then plan again.",
                begun(run),
                settle(run),
            );
            self.refuse_for(run, said);
        }
    }

    fn refuse_for(&mut self, run: &RunSummary, said: String) {
        self.refusals.push(Refusal::new(code(run), said).because_of(run.id));
    }
}

fn code(run: &RunSummary) -> String {
    format!("interrupted_run:{}", run.id)
}

fn begun(run: &RunSummary) -> String {
    format!(
        "Run #{}, which was {} {}, was interrupted after it had begun to change the stores",
        run.id,
        run.kind.doing(),
        subject_in_words(run.kind, &run.version_id),
    )
}

fn settle(run: &RunSummary) -> String {
    format!("Resume or abandon run #{}", run.id)
}
