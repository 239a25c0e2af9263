//! What a plan says in whole sentences. Pure: the same on the server and in the browser.

use rollback_types::plan::StorePlans;
use rollback_types::{RollbackPlan, RunKind, StagingCounts, Step, StoreKind};

use super::subject::Subject;
use crate::format;

fn named_stores(stores: &[StoreKind]) -> String {
    listed(&stores.iter().map(|s| s.title().to_owned()).collect::<Vec<_>>())
}

/// The stores that the plan restores.
fn restored(plan: &RollbackPlan) -> Vec<StoreKind> {
    StoreKind::ALL.into_iter().filter(|s| plan.stores.get(*s).restore).collect()
}

/// Of these stores, those that cannot be restored from the plan's copy.
fn impossible(plan: &RollbackPlan, chosen: &[StoreKind]) -> Vec<StoreKind> {
    chosen.iter().copied().filter(|s| plan.stores.get(*s).cannot_restore.is_some()).collect()
}

/// What the plan does, in a sentence or two.
pub fn headline(plan: &RollbackPlan) -> String {
    let source = Subject::of(plan).source();
    let restored = restored(plan);
    match plan.kind {
        RunKind::Rollback => removal(plan),
        RunKind::MakeBackup => {
            "Copies production as it is, proves the copy up to a trial restore, then puts it in latest-copy’s place."
                .to_owned()
        }
        RunKind::Validate => "Runs the seven checks and a search. Nothing is changed.".to_owned(),
        RunKind::RestoreProduction | RunKind::UndoRestore if restored.is_empty() => {
            "No store is chosen: nothing would be restored.".to_owned()
        }
        RunKind::RestoreProduction | RunKind::UndoRestore if !impossible(plan, &restored).is_empty() => {
            format!("Cannot replace production by {source}, which is not proven. Nothing is changed.")
        }
        RunKind::RestoreProduction | RunKind::UndoRestore => {
            format!("Replaces production in {} by {source}, then validates it.", named_stores(&restored))
        }
    }
}

/// Below the choice of stores: what it means.
pub fn restore_footer(plan: &RollbackPlan, chosen: &[StoreKind], recommended: &[StoreKind]) -> String {
    let source = Subject::of(plan).source();
    let unknown = StoreKind::ALL.into_iter().any(|s| plan.stores.get(s).differs.is_none());
    if !impossible(plan, chosen).is_empty() {
        return format!(
            "Nothing is restored from {source} while it is not proven. Leave {} out, or choose another copy.",
            named_stores(chosen)
        );
    }
    match (chosen, recommended) {
        ([], []) if unknown => {
            format!("Where production or {source} could not be read nothing can be recommended.")
        }
        ([], []) => format!(
            "Production equals {source}: the evidence recommends restoring nothing, and step 7 is skipped with this proof."
        ),
        (chosen, recommended) if chosen == recommended => {
            format!("Step 7 restores {}, as the evidence recommends.", named_stores(chosen))
        }
        ([], recommended) => {
            format!("Step 7 restores nothing, though the evidence recommends {}.", named_stores(recommended))
        }
        (chosen, []) => {
            format!("Step 7 restores {}, though the evidence recommends nothing.", named_stores(chosen))
        }
        (chosen, recommended) => {
            format!("Step 7 restores {}; the evidence recommends {}.", named_stores(chosen), named_stores(recommended))
        }
    }
}

/// The step that removes what a store has staged.
fn removes(store: StoreKind) -> Step {
    match store {
        StoreKind::Sqlite => Step::DropChapters,
        StoreKind::Qdrant => Step::DeletePoints,
        StoreKind::Neo4j => Step::DeleteNodes,
    }
}

/// The step that would remove what this store has staged, where an interrupted run has left it behind: it was skipped by decision,
/// or something was staged after it.
pub fn left_behind(plan: &RollbackPlan, store: StoreKind) -> Option<Step> {
    let step = removes(store);
    (plan.resumes.is_some() && plan.steps.iter().all(|s| s.step != step)).then_some(step)
}

/// What of the stores' staged data goes, and what stays because its step is not done any more.
fn goes(staged: &[(StoreKind, &StagingCounts)], left_behind: impl Fn(StoreKind) -> Option<Step>) -> String {
    let (mut goes, mut stays) = (Vec::new(), Vec::new());
    for (store, staging) in staged {
        let parts: Vec<String> = [
            (staging.rows, "chapters"),
            (staging.points, "points"),
            (staging.nodes, "nodes"),
            (staging.relationships, "relationships"),
        ]
        .into_iter()
        .filter_map(|(n, unit)| n.filter(|n| *n > 0).map(|n| format::counted(n, unit)))
        .collect();
        match left_behind(*store) {
            None => goes.extend(parts),
            Some(step) if !parts.is_empty() => {
                stays.push(format!(
                    ". Of what is staged stays: {}, as {step} is not among the steps left",
                    listed(&parts)
                ));
            }
            Some(_) => {}
        }
    }
    let removed = match (goes.is_empty(), stays.is_empty()) {
        (false, _) => format!("Removes {}", listed(&goes)),
        (true, true) => "Nothing is staged that could be counted".to_owned(),
        (true, false) => "Removes nothing".to_owned(),
    };
    removed + &stays.concat()
}

/// What goes, in one sentence, and what becomes of production in another.
fn removal(plan: &RollbackPlan) -> String {
    let StorePlans { sqlite, qdrant, neo4j } = &plan.stores;
    let staged = [
        (StoreKind::Sqlite, &sqlite.staging),
        (StoreKind::Qdrant, &qdrant.staging),
        (StoreKind::Neo4j, &neo4j.staging),
    ];
    let goes = goes(&staged, |store| left_behind(plan, store));
    let restored = restored(plan);
    let stays = if restored.is_empty() {
        "Production is left as it is.".to_owned()
    } else if !impossible(plan, &restored).is_empty() {
        let source = Subject::of(plan).source();
        format!(
            "Production differs in {}, and cannot be restored: {source} is not proven. So this plan cannot start.",
            named_stores(&restored)
        )
    } else {
        format!("Production is restored from latest-copy in {}.", named_stores(&restored))
    };
    format!("{goes}. {stays}")
}

/// `a`, `a and b`, `a, b and c`.
pub fn listed(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [start @ .., last] => format!("{} and {last}", start.join(", ")),
    }
}

/// A difference's JSON pointer as words: `/stores/qdrant/staging/points` is `Qdrant, staging, points`.
pub fn field(pointer: &str) -> String {
    let words: Vec<String> = pointer
        .split('/')
        .filter(|part| !part.is_empty() && *part != "stores")
        .map(|part| {
            let store = StoreKind::ALL.into_iter().find(|s| s.as_str() == part);
            let plain = part.replace("~1", "/").replace("~0", "~");
            store.map_or(plain, |s| s.title().to_owned())
        })
        .collect();
    words.join(", ")
}

/// About the relationships that join staging to production; `None` when there are none.
pub fn crossing(staging: &StagingCounts) -> Option<String> {
    let n = staging.crossing_relationships.filter(|n| *n > 0)?;
    let (verb, they) = if n == 1 { ("joins", "It goes") } else { ("join", "They go") };
    Some(format!(
        "{} {verb} staging to production nodes. {they} with the staging nodes; the production nodes stay.",
        format::counted(n, "relationships")
    ))
}

/// Whose data is staged, by the data's own word; `None` where the data does not tell.
pub fn whose(plan: &RollbackPlan) -> Option<String> {
    let told: Vec<String> = [
        (&plan.stores.sqlite.staging, "staged rows", "the rows’ own version column"),
        (&plan.stores.qdrant.staging, "staged points", "the points’ payload"),
    ]
    .into_iter()
    .filter(|(staging, ..)| !staging.versions.is_empty())
    .map(|(staging, what, by)| {
        let ours = staging.versions.get(plan.version_id.as_str()).copied().unwrap_or(0);
        let others: Vec<String> = staging
            .versions
            .iter()
            .filter(|(id, _)| id.as_str() != plan.version_id.as_str())
            .map(|(id, n)| format!("{} {}", format::count(*n), named(id)))
            .collect();
        if others.is_empty() {
            format!("All {} {what} name this version, by {by}.", format::count(ours))
        } else {
            let mut parts = vec![format!("{} name this version", format::count(ours))];
            parts.extend(others);
            format!("Of the {what}, by {by}: {}.", listed(&parts))
        }
    })
    .collect();
    (!told.is_empty()).then(|| told.join(" "))
}

fn named(id: &str) -> String {
    match id {
        "" => "say nothing".to_owned(),
        id => format!("say “{}”", format::clip(&format::visible(id), 60)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(parts: &[&str]) -> String {
        listed(&parts.iter().map(|p| (*p).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn lists_read_like_sentences() {
        assert_eq!(words(&[]), "");
        assert_eq!(words(&["a"]), "a");
        assert_eq!(words(&["a", "b"]), "a and b");
        assert_eq!(words(&["a", "b", "c"]), "a, b and c");
    }

    #[test]
    fn what_no_step_removes_any_more_is_not_told_as_going() {
        let rows = StagingCounts { rows: Some(7), ..StagingCounts::default() };
        let graph = StagingCounts { nodes: Some(1_100), relationships: Some(1_410), ..StagingCounts::default() };
        let none = StagingCounts::default();
        let skipped = |store| (store == StoreKind::Neo4j).then_some(Step::DeleteNodes);
        let (sqlite, neo4j) = ((StoreKind::Sqlite, &rows), (StoreKind::Neo4j, &graph));
        assert_eq!(goes(&[sqlite, neo4j], |_| None), "Removes 7 chapters, 1,100 nodes and 1,410 relationships");
        let stays =
            ". Of what is staged stays: 1,100 nodes and 1,410 relationships, as step 5 is not among the steps left";
        assert_eq!(goes(&[sqlite, neo4j], skipped), format!("Removes 7 chapters{stays}"));
        assert_eq!(goes(&[neo4j], skipped), format!("Removes nothing{stays}"));
        assert_eq!(goes(&[(StoreKind::Neo4j, &none)], skipped), "Nothing is staged that could be counted");
    }

    #[test]
    fn fields_are_named_in_words() {
        assert_eq!(field("/stores/qdrant/staging/points"), "Qdrant, staging, points");
        assert_eq!(field("/backups/neo4j~1a~0b"), "backups, neo4j/a~b");
        assert_eq!(field("/acknowledgements"), "acknowledgements");
    }

    #[test]
    fn crossing_relationships_are_told_only_when_there_are_some() {
        let with = |n| StagingCounts { crossing_relationships: n, ..StagingCounts::default() };
        assert_eq!(crossing(&with(None)), None);
        assert_eq!(crossing(&with(Some(0))), None);
        assert!(crossing(&with(Some(1))).unwrap().starts_with("1 relationship joins staging"));
        assert!(crossing(&with(Some(1_312))).unwrap().starts_with("1,312 relationships join"));
    }
}
