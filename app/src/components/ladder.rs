//! The ladder of proofs of a backup: stores down, rungs across.

use leptos::prelude::*;
use rollback_types::{BackupFile, BackupHealth, Rung, RungResult, RungState, Timestamp};

use super::badge::Tone;
use super::clock::first_now;
use super::icon::{Icon, IconName};
use super::store::StoreName;
use crate::format;

/// After this time a proof is old enough to be pointed out.
pub const OLD_AFTER_MS: u64 = 7 * 24 * 3_600_000;

fn rung_icon(result: Option<&RungResult>) -> IconName {
    match result.map(|r| r.state) {
        Some(RungState::Passed) => IconName::Check,
        Some(RungState::Failed) => IconName::Cross,
        Some(RungState::NotProven) | None => IconName::Dash,
    }
}

/// How a rung looks: its class and its word.
fn rung_look(result: Option<&RungResult>, now: Timestamp) -> (&'static str, &'static str) {
    let old = |r: &RungResult| r.checked_at.is_some_and(|at| now.since_ms(at) > OLD_AFTER_MS);
    match result {
        Some(r) if r.state == RungState::Passed && old(r) => ("warn", "proven, long ago"),
        Some(r) => match r.state {
            RungState::Passed => (Tone::Good.class(), "proven"),
            RungState::Failed => (Tone::Bad.class(), "failed"),
            RungState::NotProven => (Tone::Idle.class(), "not proven"),
        },
        None => (Tone::Idle.class(), "not proven"),
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
    let heads = Rung::ALL.map(|rung| view! { <th scope="col">{rung.title()}</th> });
    let failures: Vec<_> = health
        .files
        .iter()
        .filter(|_| !told)
        .filter_map(|file| {
            let store = file.store;
            file.lowest_failure().map(|r| {
                let text = format!("{}: {}", r.rung.title(), format::visible(&r.detail));
                view! {
                    <li>
                        <Icon name=IconName::Cross />
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
    let rows = health.files.iter().map(|file| row(file, now)).collect_view();
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

fn row(file: &BackupFile, now: Timestamp) -> impl IntoView + use<> {
    let cells = Rung::ALL
        .into_iter()
        .map(|rung| {
            let result = file.rungs.iter().find(|r| r.rung == rung);
            let detail = result.map(|r| format::visible(&r.detail)).unwrap_or_default();
            let proven = result.filter(|r| r.state != RungState::NotProven).and_then(|r| r.checked_at);
            let icon = rung_icon(result);
            let (class, word) = rung_look(result, now);
            view! {
                <td class=format!("cell {class}") title=detail>
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
        let old = rung_look(Some(&rung(RungState::Passed, 0)), now);
        let new = rung_look(Some(&rung(RungState::Passed, 2_000)), now);
        assert_ne!(old, new);
        // An old failure stays a failure.
        assert_eq!(rung_look(Some(&rung(RungState::Failed, 0)), now).0, "bad");
        assert_eq!(rung_look(None, now).1, "not proven");
    }

    #[test]
    fn ages_are_short() {
        let at = Timestamp::from_unix_ms(0);
        let after = |minutes: i64| age(at, Timestamp::from_unix_ms(minutes * 60_000));
        assert_eq!([after(0), after(59), after(180), after(4_320)], ["now", "59 min", "3 h", "3 d"]);
    }
}
