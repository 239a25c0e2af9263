//! Checks 5 to 7: what the graph alone can answer.

use std::time::Instant;

use futures::StreamExt as _;
use rollback_types::quantity::count;
use rollback_types::{CheckResult, OffenderKind, Offenders};

use super::offenders::Collector;
use super::{Look, judged, not_checked};
use crate::store::{GraphCheck, StoreError};

/// Check 5: parents, and paths from the chapters.
pub(super) async fn parents(look: &Look<'_>) -> CheckResult {
    let asked = [(GraphCheck::Orphans, OffenderKind::Orphans), (GraphCheck::Unreachable, OffenderKind::Unreachable)];
    check(look, 5, &asked, "every paragraph has a parent and is reachable from a chapter").await
}

/// Check 6: chains.
pub(super) async fn chains(look: &Look<'_>) -> CheckResult {
    let asked = [
        (GraphCheck::ChainLeaves, OffenderKind::ChainLeaves),
        (GraphCheck::NextWithoutPrev, OffenderKind::NextWithoutPrev),
    ];
    check(look, 6, &asked, "no chain leaves the version, and every NEXT has its PREV").await
}

/// Check 7: cross references.
pub(super) async fn cross_references(look: &Look<'_>) -> CheckResult {
    let asked = [(GraphCheck::CrossReferences, OffenderKind::CrossReferences)];
    check(look, 7, &asked, "cross_references is null or a list everywhere").await
}

async fn check(look: &Look<'_>, number: u8, asked: &[(GraphCheck, OffenderKind)], right: &str) -> CheckResult {
    let started = Instant::now();
    let answers = asked.iter().map(|(check, kind)| offenders(look, *check, *kind));
    let answers: Result<Vec<_>, _> = futures::future::join_all(answers).await.into_iter().collect();
    let result = match answers {
        Err(e) => not_checked(number, &e, started),
        Ok(found) => {
            let found: Vec<Offenders> = found.into_iter().flatten().collect();
            let told: Vec<String> = found.iter().map(|o| format!("{} {}", count(o.count), o.kind.title())).collect();
            let detail = if told.is_empty() { right.to_owned() } else { told.join("; ") };
            judged(number, Some(found.is_empty()), detail, found, started)
        }
    };
    (look.done)();
    result
}

async fn offenders(look: &Look<'_>, check: GraphCheck, kind: OffenderKind) -> Result<Option<Offenders>, StoreError> {
    let mut collector = Collector::new(look.sink, kind);
    let mut ids = look.stores.graph.offenders(check, &look.scope);
    while let Some(id) = ids.next().await {
        collector.add(&id?);
    }
    Ok(collector.finish())
}
