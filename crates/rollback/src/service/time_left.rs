//! How long the rest of a run may take.

use rollback_types::{RollbackPlan, RunState, RunView, StepDuration, StoreKind, Timestamp};

use super::{Answer, RollbackService};
use crate::time_left::TimeLeft;

impl RollbackService {
    /// What is left of a run that is at work, by what its steps took here before; nothing of one that is not, or whose plan
    /// cannot be read any more.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`](crate::ServiceError::NotFound), or the journal's.
    pub async fn time_left(&self, view: &RunView, medians: &[StepDuration]) -> Answer<Option<TimeLeft>> {
        if view.run.state != RunState::Running {
            return Ok(None);
        }
        // Another version may have written it: then nobody knows which lanes have nothing to do.
        let Ok(plan) = serde_json::from_str::<RollbackPlan>(&self.record(view.run.id).await?.plan_json) else {
            return Ok(None);
        };
        let restored: Vec<StoreKind> =
            StoreKind::ALL.into_iter().filter(|store| plan.stores.get(*store).restore).collect();
        Ok(TimeLeft::of(view, medians, &restored, Timestamp::now()))
    }

    /// Median durations of the steps, and how long the rest of a run that is at work may take, beside the run itself: what cannot
    /// be read is left out.
    pub async fn durations_beside(&self, view: &RunView) -> (Vec<StepDuration>, Option<TimeLeft>) {
        let medians = self.step_durations().await.unwrap_or_else(|e| {
            tracing::warn!(run = %view.run.id, error = %e, "what steps took in earlier runs cannot be read; it is left out");
            Vec::new()
        });
        let left = self.time_left(view, &medians).await.unwrap_or_else(|e| {
            tracing::warn!(run = %view.run.id, error = %e, "what is left of the run cannot be told; it is left out");
            None
        });
        (medians, left)
    }
}
