//! Which operation fails, when, and how often.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures::stream::{self, BoxStream};
use rollback_types::{Step, StoreKind};

use crate::store::{Fault, StoreError};

/// Does the effect happen before the fault is reported?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// The fault comes first: nothing was done.
    Before,
    /// The effect happened; the answer was lost.
    After,
}

#[derive(Clone, Debug)]
struct Rule {
    operation: &'static str,
    during: Option<Step>,
    times: u32,
    fault: Fault,
    moment: Moment,
}

/// The faults to come.
#[derive(Debug, Default)]
pub struct FaultPlan {
    rules: Mutex<Vec<Rule>>,
    at_work: Mutex<BTreeSet<Step>>,
    each_takes: Mutex<Duration>,
}

impl FaultPlan {
    /// The operation fails `times` times (`u32::MAX`: always) while the step is at work (`None`: whenever).
    pub fn arm(&self, operation: &'static str, during: Option<Step>, times: u32, fault: Fault, moment: Moment) {
        self.lock().push(Rule { operation, during, times, fault, moment });
    }

    /// Nothing fails any more.
    pub fn clear(&self) {
        self.lock().clear();
    }

    /// From now on every operation takes so long, and tells nothing meanwhile.
    pub fn slow(&self, each_takes: Duration) {
        *self.each_takes.lock().unwrap_or_else(PoisonError::into_inner) = each_takes;
    }

    /// An operation at this moment: its time passes before its effect, then comes the fault, if one is armed.
    pub(super) async fn pass(
        &self,
        store: StoreKind,
        operation: &'static str,
        moment: Moment,
    ) -> Result<(), StoreError> {
        let takes = *self.each_takes.lock().unwrap_or_else(PoisonError::into_inner);
        if moment == Moment::Before && !takes.is_zero() {
            tokio::time::sleep(takes).await;
        }
        self.check(store, operation, moment)
    }

    /// The journal tells which steps are at work.
    pub(super) fn started(&self, step: Step) {
        self.at_work.lock().unwrap_or_else(PoisonError::into_inner).insert(step);
    }

    pub(super) fn ended(&self, step: Step) {
        self.at_work.lock().unwrap_or_else(PoisonError::into_inner).remove(&step);
    }

    /// The fault of an operation at this moment, if one is armed.
    fn check(&self, store: StoreKind, operation: &'static str, moment: Moment) -> Result<(), StoreError> {
        let at_work = self.at_work.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut rules = self.lock();
        let fits = |r: &&mut Rule| {
            r.operation == operation
                && r.moment == moment
                && r.times > 0
                && r.during.is_none_or(|step| at_work.contains(&step))
        };
        let Some(rule) = rules.iter_mut().find(fits) else { return Ok(()) };
        if rule.times != u32::MAX {
            rule.times -= 1;
        }
        Err(StoreError {
            store,
            endpoint: format!("fake://{}", store.as_str()),
            operation: operation.to_owned(),
            fault: rule.fault,
            detail: "armed by the test".to_owned(),
        })
    }

    /// A stream of an operation: one that fails before its effect tells nothing, one that fails after it half of it.
    pub(super) fn stream<T: Send + 'static>(
        &self,
        store: StoreKind,
        operation: &'static str,
        items: Vec<T>,
    ) -> BoxStream<'static, Result<T, StoreError>> {
        if let Err(e) = self.check(store, operation, Moment::Before) {
            return Box::pin(stream::iter([Err(e)]));
        }
        let end = self.check(store, operation, Moment::After).err();
        let told = if end.is_some() { items.len() / 2 } else { items.len() };
        Box::pin(stream::iter(items.into_iter().take(told).map(Ok).chain(end.map(Err))))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Rule>> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
