//! The ladder of proofs of a backup: stores down, rungs across.

use leptos::prelude::*;
use rollback_types::{BackupFile, BackupHealth, Rung, RungResult, RungState, Timestamp};

use super::badge::{Tone, rung_look};
use super::clock::first_now;
use super::icon::{Icon, IconName};
use super::store::StoreName;
use crate::format;

/// After this time a proof is old enough to be pointed out.
pub const OLD_AFTER_MS: u64 = 7 * 24 * 3_600_000;

/// How a rung looks in the grid: one that was proven long ago needs a look.
fn cell_look(result: Option<&RungResult>, replaced: bool, now: Timestamp) -> (Tone, IconName, &'static str) {
    let old = |r: &RungResult| r.checked_at.is_some_and(|at| now.since_ms(at) > OLD_AFTER_MS);
    match (rung_look(result.map(|r| r.state), replaced), result) {
        ((Tone::Good, icon, _), Some(r)) if old(r) => (Tone::Warn, icon, "proven, long ago"),
        (look, _) => look,
    }
}

/// How long ago, in one short word: `3 h`.
fn age(at: Timestamp, now: Timestamp) -> String {
    let minutes = now.since_ms(at) / 60_000;
    match minutes {
        0 => "now".to_owned(),
        1..60 => format!("{minutes} min"),
        60..2_880 => format!("{} h", minutes / 60),
        _ => format!("{} d", minutes / 1_440),
    }
}

/// Stores × rungs, each cell an icon, a word for assistive software and the age of the proof; below it every failure
/// with what was seen.
#[component]
pub fn LadderGrid(
    /// The backup.
    health: BackupHealth,
    /// What failed stands beside it already.
    #[prop(optional)]
    told: bool,
) -> impl IntoView {
    let now = first_now();
    let head = |rung: Rung| {
        view! {
            <th scope="col">
                <span>{rung.title()}</span>
            </th>
        }
    };
    let heads = Rung::ALL.map(head);
    let failures: Vec<_> = health
        .files
        .iter()
        .filter(|_| !told)
        .filter_map(|file| {
            let store = file.store;
            file.lowest_failure().map(|r| {
                let text = format!("{}: {}", r.rung.title(), format::visible(&r.detail));
                let (tone, icon, _) = rung_look(Some(r.state), health.replaced.contains(&store));
                view! {
                    <li class=tone.class()>
                        <Icon name=icon />
                        <span>
                            <b>{store.title()}</b>
                            " · "
                            {text}
                        </span>
                    </li>
                }
            })
        })
        .collect();
    let rows = health.files.iter().map(|file| row(file, health.replaced.contains(&file.store), now)).collect_view();
    view! {
        <table class="ladder">
            <caption class="sr">{format!("Proofs of {}", health.source.name())}</caption>
            <thead>
                <tr>
                    <th scope="col">
                        <span class="sr">"Store"</span>
                    </th>
                    {heads}
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </table>
        {(!failures.is_empty()).then(|| view! { <ul class="failures">{failures}</ul> })}
    }
}

fn row(file: &BackupFile, replaced: bool, now: Timestamp) -> impl IntoView + use<> {
    let cells = Rung::ALL
        .into_iter()
        .map(|rung| {
            let result = file.rungs.iter().find(|r| r.rung == rung);
            let detail = result.map(|r| format::visible(&r.detail)).unwrap_or_default();
            let proven = result.filter(|r| r.state != RungState::NotProven).and_then(|r| r.checked_at);
            let (tone, icon, word) = cell_look(result, replaced, now);
            view! {
                <td class=format!("cell {}", tone.class()) title=detail>
                    <Icon name=icon />
                    <span class="sr">{word}</span>
                    {proven.map(|at| view! { <span class="age">{age(at, now)}</span> })}
                </td>
            }
        })
        .collect_view();
    view! {
        <tr>
            <th scope="row">
                <StoreName store=file.store />
            </th>
            {cells}
        </tr>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rung(state: RungState, checked_ms: i64) -> RungResult {
        let checked_at = Some(Timestamp::from_unix_ms(checked_ms));
        RungResult { rung: Rung::Sha256, state, detail: String::new(), checked_at, took_ms: None }
    }

    #[test]
    fn an_old_proof_does_not_look_like_a_new_one() {
        let now = Timestamp::from_unix_ms(i64::try_from(OLD_AFTER_MS).unwrap() + 1_000);
        let old = cell_look(Some(&rung(RungState::Passed, 0)), false, now);
        let new = cell_look(Some(&rung(RungState::Passed, 2_000)), false, now);
        assert_ne!(old, new);
        // An old failure stays a failure.
        assert_eq!(cell_look(Some(&rung(RungState::Failed, 0)), false, now).0, Tone::Bad);
        // Nothing is known to be wrong of a file that was replaced.
        assert_eq!(cell_look(Some(&rung(RungState::Failed, 0)), true, now).0, Tone::Warn);
        assert_eq!(cell_look(None, false, now).2, "not proven");
    }

    #[test]
    fn ages_are_short() {
        let at = Timestamp::from_unix_ms(0);
        let after = |minutes: i64| age(at, Timestamp::from_unix_ms(minutes * 60_000));
        assert_eq!([after(0), after(59), after(180), after(4_320)], ["now", "59 min", "3 h", "3 d"]);
    }
}
