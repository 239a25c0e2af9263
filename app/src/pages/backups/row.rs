//! One backup in the list: a line at a glance, what to do where it is not well, and its proofs below a disclosure.
#![allow(missing_docs, reason = "the component macro makes an undocumented props type")]

use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use rollback_types::{BackupFile, BackupHealth, BackupSource, Role, RunKind, Rung, RungState, StoreKind, Timestamp};

use super::proofs::Proofs;
use crate::account::may;
use crate::api::backups::{TrustBackup, VerifyBackup};
use crate::components::badge::backup_look;
use crate::components::{
    Badge, Column, DecisionForm, Icon, IconName, LadderGlyph, Moment, RoleNote, StoreName, TextArea, plan_link,
};
use crate::pages::plan::subject::{Subject, restore_path};
use crate::{format, notice};

/// Why verifying is out of a reader's reach: said once, below the list.
pub(super) const VERIFY_NOTE: &str = "verify-note";

/// The columns of the list. Each backup is a group of two rows.
pub(super) fn columns() -> Vec<Column> {
    let stores = StoreKind::ALL.into_iter().map(|store| Column::text(store.title()));
    let rest =
        [Column::text("State"), Column::number("Size"), Column::number("Written"), Column::number("Proven on trial")];
    std::iter::once(Column::text("Backup")).chain(stores).chain(rest).collect()
}

#[component]
pub(super) fn Backup(health: BackupHealth) -> impl IntoView {
    let (tone, icon, word) = backup_look(&health);
    let name = health.source.name().into_owned();
    let title = format::clip(&format::visible(&name), 120);
    let total: u64 = health.files.iter().filter_map(|f| f.bytes).sum();
    let written = health.files.iter().filter_map(|f| f.modified_at).max();
    let stores = StoreKind::ALL.into_iter().map(|store| in_store(&health, store)).collect_view();
    let tried = Tried::of(&health);
    let moment = |at: Option<Timestamp>| at.map(|at| view! { <Moment at=at /> });
    let label = name.clone();
    let id = format!("backup-{}", format::anchor(&name));
    let trust = (!health.replaced.is_empty()).then(|| {
        view! { <Trust name=name.clone() files=replaced_files(&health) seen=health.replaced_as_seen() /> }
    });
    let intact = health.intact;
    view! {
        // The palette leads to it.
        <tbody class="copy" aria-label=label id=id>
            <tr>
                <th scope="rowgroup">
                    <bdi class="id">{title}</bdi>
                    <span class="under">{kept_as(&health.source)}</span>
                </th>
                {stores}
                <td class="state">
                    <Badge tone=tone icon=icon text=word.to_owned() />
                </td>
                <td class="num">{format::bytes(total)}</td>
                <td class="num muted written" data-label="written">
                    {moment(written)}
                </td>
                <td class="num muted" data-label="proven on trial">
                    {match tried {
                        Tried::Proven(at) => moment(Some(at)).into_any(),
                        other => other.word().into_any(),
                    }}
                </td>
            </tr>
            <tr class="about-copy">
                <td colspan="8">
                    {(!intact).then(|| trouble(&health))}
                    <div class="actions">
                        <Proofs health=health tried=tried />
                        {trust}
                        <Actions name=name intact=intact />
                    </div>
                </td>
            </tr>
        </tbody>
    }
}

fn kept_as(source: &BackupSource) -> &'static str {
    match source {
        BackupSource::LatestCopy => "the safety copy of production",
        BackupSource::Version(id) if id.is_baseline() => "the baseline: for disaster recovery",
        BackupSource::Version(_) => "a kept version",
        BackupSource::WayBack(_) => "what a run saved before it restored",
        BackupSource::Fresh(_) | BackupSource::FreshSafety(_) => "a copy that is being made",
    }
}

/// How far one store's file is proven.
fn in_store(health: &BackupHealth, store: StoreKind) -> impl IntoView + use<> {
    let file = health.files.iter().find(|f| f.store == store);
    let (class, word) = match file.map(|f| (f.lowest_failure(), f.highest_proven())) {
        Some((Some(_), _)) if health.replaced.contains(&store) => ("under", "replaced".to_owned()),
        // At which rung stands below, with what was seen.
        Some((Some(_), _)) => ("under fails", "fails".to_owned()),
        Some((None, Some(rung))) => ("under", rung.title().to_owned()),
        Some((None, None)) => ("under", "not proven".to_owned()),
        None => ("under", "no file".to_owned()),
    };
    let glyph = file.is_some().then(|| view! { <LadderGlyph health=health.clone() store=store /> });
    view! {
        <td class="in-store">
            <span class="store-on-phone">
                <StoreName store=store />
            </span>
            {glyph}
            <span class=class>{word}</span>
        </td>
    }
}

/// What fails, file by file, with what was seen; and what to do.
fn trouble(health: &BackupHealth) -> impl IntoView + use<> {
    // A verdict on what was replaced says it all, and nothing of it is known to be wrong.
    let failures = health.files.iter().filter(|_| !health.waits_for_a_word());
    let failures: Vec<_> = failures.filter_map(|f| Some((f.store, f.lowest_failure()?))).collect();
    let what = if failures.is_empty() {
        view! { <p class="foreign">{format::visible(&health.verdict)}</p> }.into_any()
    } else {
        let lines = failures.into_iter().map(|(store, rung)| {
            let said = format!("{store} fails at “{}”: ", rung.rung.title());
            let seen = format::sentence(&format::visible(&rung.detail));
            view! { <p class="foreign fails"><Icon name=IconName::Cross />" "<b>{said}</b>{seen}</p> }
        });
        lines.collect_view().into_any()
    };
    let remedy =
        health.remedy.as_deref().map(|r| view! { <p class="foreign"><b>"What to do: "</b>{format::visible(r)}</p> });
    view! {
        <div class="verdict-lines">
            {what}
            {remedy}
        </div>
    }
}

/// What is known of trial restores of a backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tried {
    /// All files, as they are; the oldest trial counts.
    Proven(Timestamp),
    /// A trial of a file, as it is, found it wanting.
    Failed,
    /// Of some files, as they are; not of all.
    InPart,
    /// All were tried once; not as they are now.
    AsItWas,
    /// Not in the looks that are remembered, which go no further back.
    NotLately,
    /// None of all looks at it was a trial.
    Never,
}

impl Tried {
    pub(super) fn of(health: &BackupHealth) -> Self {
        let trials: Vec<_> = health
            .files
            .iter()
            .map(|f| f.rungs.iter().find(|r| r.rung == Rung::TrialRestore && r.state != RungState::NotProven))
            .collect();
        let passed: Option<Vec<Timestamp>> =
            trials.iter().map(|t| t.filter(|r| r.state == RungState::Passed)?.checked_at).collect();
        let proven = passed.and_then(|times| times.into_iter().min());
        let (some, earlier) = (trials.iter().flatten().count() > 0, health.history.iter().any(|look| look.trial));
        match proven {
            Some(at) => Self::Proven(at),
            None if trials.iter().flatten().any(|r| r.state == RungState::Failed) => Self::Failed,
            None if some => Self::InPart,
            None if earlier => Self::AsItWas,
            // No look at all is on record only where the record could not be read.
            None if health.history.is_empty() || health.history.len() >= BackupHealth::MOST_LOOKS => Self::NotLately,
            None => Self::Never,
        }
    }

    /// In the list.
    fn word(self) -> &'static str {
        match self {
            Self::Proven(_) => "proven",
            Self::Failed => "failed",
            Self::InPart => "not all files",
            Self::AsItWas => "not as it is now",
            Self::NotLately => "not lately",
            Self::Never => "never",
        }
    }
}

/// Look again, try it out, restore from it.
#[component]
fn Actions(name: String, intact: bool) -> impl IntoView {
    let about = format::short_id(&name);
    let may = may(Role::Operator);
    let restore = restore_path(&name);
    let of_restore = Subject { kind: RunKind::RestoreProduction, name: name.clone() };
    let restore_text = plan_link(of_restore.least_role(), "Restore production from this…", "See the plan of a restore");
    let restore_label = format!("{restore_text}: {about}");
    let button = |trial: bool, label: &'static str, at_work: &'static str| {
        view! {
            <form method="post" action=VerifyBackup::PATH>
                <input type="hidden" name="name" value=name.clone() />
                <input type="hidden" name="trial" value=trial.to_string() />
                <button
                    class="btn small quiet"
                    type="submit"
                    disabled=!may
                    aria-describedby=(!may).then_some(VERIFY_NOTE)
                    aria-label=format!("{label}: {about}")
                    data-at-work=at_work
                >
                    <Icon name=IconName::Refresh />
                    {label}
                </button>
            </form>
        }
    };
    view! {
        {button(false, "Verify", "Verifying…")}
        {button(true, "Verify with trial restore", "Restoring into a scratch place…")}
        {restore
            .filter(|_| intact)
            .map(|href| {
                view! {
                    <a class="btn small quiet" href=href aria-label=restore_label>
                        <Icon name=IconName::Back />
                        {restore_text}
                    </a>
                }
            })}
    }
}

/// The files that a person's word is asked for.
fn replaced_files(health: &BackupHealth) -> Vec<BackupFile> {
    health.files.iter().filter(|f| health.replaced.contains(&f.store)).cloned().collect()
}

/// Files that took others' places: only a person can tell whether they are the right ones.
#[component]
fn Trust(name: String, files: Vec<BackupFile>, seen: String) -> impl IntoView {
    let about = format::short_id(&name);
    let note = format!("trust-note-{}", format::anchor(&name));
    let reason = format!("trust-reason-{}", format::anchor(&name));
    let refused = notice::refused::<TrustBackup>().filter(|_| notice::typed("name").as_deref() == Some(&name));
    let error = refused.as_ref().and_then(super::reason_error).map(str::to_owned);
    let typed = error.as_ref().and_then(|_| notice::typed("reason")).unwrap_or_default();
    let files = files
        .into_iter()
        .map(|f| {
            let hash = f.sha256.unwrap_or_else(|| "not computed yet".to_owned());
            view! {
                <li>
                    <StoreName store=f.store />
                    " SHA-256 now: "
                    <code class="hash">{hash}</code>
                </li>
            }
        })
        .collect_view();
    view! {
        <DecisionForm
            summary="Trust the replaced files…"
            label=format!("Trust the replaced files…: {about}")
            least=Role::Operator
            note=note.clone()
            small=true
            open=error.is_some()
            checked_by_server=true
            action=TrustBackup::PATH
        >
            <input type="hidden" name="name" value=name />
            <input type="hidden" name="seen" value=seen />
            <p class="small">
                "These files are not the ones that were proven before, and nothing says which are right: a list that was changed together with its files does not either. Trust them only if you know who replaced them, and why. They are read again first:"
            </p>
            <ul class="plain-list">{files}</ul>
            <TextArea
                id=reason
                name="reason"
                label="Reason"
                hint="3 to 500 characters, kept with your name."
                required=true
                value=typed
                error=error
            />
            <div class="actions">
                <button class="btn small" type="submit" data-at-work="Reading them again…">
                    {format!("Trust these files of {about}")}
                </button>
            </div>
        </DecisionForm>
        <RoleNote id=note least=Role::Operator />
    }
}

#[cfg(test)]
mod tests {
    use rollback_types::{BackupCheck, RungResult};

    use super::*;

    fn health(trials: [RungState; 3], looks: &[bool]) -> BackupHealth {
        let at = Timestamp::from_unix_ms;
        let file = |(i, state)| BackupFile {
            store: StoreKind::ALL[i],
            path: String::new(),
            bytes: None,
            modified_at: None,
            sha256: None,
            rungs: vec![RungResult {
                rung: Rung::TrialRestore,
                state,
                detail: String::new(),
                checked_at: (state != RungState::NotProven).then(|| at(i as i64 + 1)),
                took_ms: None,
            }],
        };
        let look = |trial: &bool| BackupCheck {
            at: at(0),
            intact: true,
            highest: None,
            failure: None,
            bytes: 0,
            took_ms: 0,
            trial: *trial,
        };
        BackupHealth {
            source: BackupSource::LatestCopy,
            folder: String::new(),
            intact: true,
            verdict: String::new(),
            remedy: None,
            files: trials.into_iter().enumerate().map(file).collect(),
            checked_at: at(0),
            took_ms: 0,
            history: looks.iter().map(look).collect(),
            replaced: vec![],
        }
    }

    #[test]
    fn what_was_never_tried_is_told_apart_from_what_changed_since() {
        use RungState::{Failed, NotProven, Passed};
        let none = [NotProven; 3];
        for (trials, looks, tried) in [
            ([Passed; 3], vec![true], Tried::Proven(Timestamp::from_unix_ms(1))),
            ([Passed, Failed, NotProven], vec![], Tried::Failed),
            ([Passed, NotProven, Passed], vec![false], Tried::InPart),
            (none, vec![false, true], Tried::AsItWas),
            (none, vec![false; 20], Tried::NotLately),
            (none, vec![], Tried::NotLately),
            (none, vec![false; 19], Tried::Never),
        ] {
            assert_eq!(Tried::of(&health(trials, &looks)), tried);
        }
    }
}
