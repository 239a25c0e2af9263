//! The confirmation: bound to the plan that was read, and given with the version's whole name.

use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use rollback_types::{AcknowledgementView, RollbackPlan, RunKind, StoreKind};

use super::ask::{AskForm, ConsentNote};
use super::confirmation::{MAX_REASON, MIN_REASON};
use super::consent::{Consent, Standing};
use super::guard::ConfirmGuard;
use super::page::plan_again;
use super::subject::Subject;
use crate::account::{account, may};
use crate::api::runs::StartRollback;
use crate::choice;
use crate::components::{Card, FieldKind, Icon, IconName, TextArea, TextField, role};
use crate::{format, notice};

/// Reason, typed name, acknowledgements and the button. A form; in the browser its guard says early what is missing.
#[component]
pub fn ConfirmCard(
    /// The plan that is confirmed.
    plan: RollbackPlan,
    /// What another person has said about it.
    consent: Consent,
) -> impl IntoView {
    let subject = Subject::of(&plan);
    let footer = "If anything counted here changes before you start, nothing starts and you see the difference.";
    let standing = consent.standing(account().map(|a| a.name).as_deref());
    let content = if !super::page::obstacles(&plan).is_empty() {
        let why =
            format!("This {} cannot start: see the reasons at the top of the page, then plan again.", subject.noun());
        view! { {blocked(&subject, why)} {kept_reason()} }.into_any()
    } else if !may(subject.least_role()) {
        blocked(&subject, role::reason(subject.least_role())).into_any()
    } else {
        match standing {
            Standing::NotNeeded => view! { <ConfirmForm plan=plan agreed=None /> }.into_any(),
            Standing::Given(approval) => {
                let agreed = Some(approval.reason.clone());
                view! {
                    <ConsentNote standing=Standing::Given(approval) />
                    <ConfirmForm plan=plan agreed=agreed />
                }
                .into_any()
            }
            standing @ (Standing::Waiting(_) | Standing::OwnWord(_)) => {
                view! { <ConsentNote standing=standing /> }.into_any()
            }
            standing @ Standing::ToAsk { .. } => view! {
                <ConsentNote standing=standing />
                <AskForm plan=plan run=None />
            }
            .into_any(),
        }
    };
    view! {
        <Card title="Confirm" footer=view! { <p>{footer}</p> }.into_any()>
            {content}
        </Card>
    }
}

/// The form as it would be, with the reason why it cannot be used.
fn blocked(subject: &Subject, why: String) -> impl IntoView + use<> {
    view! {
        <div class="body">
            <p class="note">
                <Icon name=IconName::Cross />
                <span id="start-hint">
                    {why}
                </span>
            </p>
            <div class="actions">
                <a class="btn" href=subject.back()>
                    {subject.back_label()}
                </a>
                <button class="btn danger" type="button" disabled aria-describedby="start-hint">
                    {subject.button(false)}
                </button>
            </div>
        </div>
    }
}

/// What was typed before the refusal, to be taken along. It is not to be sent from here.
pub(super) fn kept_reason() -> Option<AnyView> {
    let typed = notice::typed("reason").filter(|typed| !typed.trim().is_empty())?;
    Some(
        view! { <div class="body">{reason_field("As you typed it. Nothing was started with it.", Some(typed))}</div> }
            .into_any(),
    )
}

#[component]
fn ConfirmForm(
    plan: RollbackPlan,
    /// The reason that was approved with the plan.
    agreed: Option<String>,
) -> impl IntoView {
    let subject = Subject::of(&plan);
    let id = subject.name.clone();
    let typed_name = plan.kind.needs_typed_name();
    let asked: Vec<String> = plan.acknowledgements.iter().map(|a| a.asked.code.clone()).collect();
    let acknowledgements = plan.acknowledgements.iter().map(acknowledgement).collect_view();
    let button = subject.button(plan.take_over);
    // Only what touches production is dressed as dangerous.
    let class = if typed_name { "btn danger" } else { "btn primary" };
    let restore = restore_word(&plan);
    let hint_of_reason = match (&agreed, plan.kind) {
        (Some(_), _) => "Approved with the plan, so it stays as it is.",
        (None, RunKind::Rollback) => "Kept in the registry, the log and the history.",
        (None, _) => "Kept in the run’s log and the history.",
    };
    let typed_field = typed_name.then(|| {
        view! {
            <TextField
                id="confirm_version_id"
                name="confirm_version_id"
                label=subject.typed_label()
                kind=FieldKind::Technical
                required=true
                placeholder=format::visible(&id)
            />
        }
    });

    view! {
        <ConfirmGuard
            name=typed_name.then(|| id.clone())
            asked=asked
            at_work="Everything is counted once more before it starts. While a backup is being read or tried the start waits a little, and is refused if that takes longer. The run’s page follows."
                .to_owned()
        >
        <form method="post" action=StartRollback::PATH class="body confirm" id="confirm">
            <input type="hidden" name="version_id" value=id.clone() />
            <input type="hidden" name="plan_digest" value=plan.digest.to_string() />
            <input type="hidden" name="kind" value=plan.kind.as_str() />
            <input type="hidden" name="restore" value=restore />
            {acknowledgements}
            {reason_field(hint_of_reason, agreed)}
            {typed_field}
            <div class="actions">
                // Nothing opened over the page, so nothing takes the focus: it begins at the plan that is to be read, and the
                // button stays shut until all of this is filled in.
                <a class="btn" href=subject.back()>
                    "Cancel"
                </a>
                <button class=class type="submit" aria-describedby="start-hint" data-at-work="Planning again and starting…">
                    {button}
                </button>
            </div>
            <p class="hint" id="start-hint" aria-live="polite"></p>
            {plan_again(&plan)}
        </form>
        </ConfirmGuard>
    }
}

/// Which stores the plan restores, as a form's word. For kinds that restore nothing there is nothing to choose.
pub(super) fn restore_word(plan: &RollbackPlan) -> String {
    let chosen = StoreKind::ALL.into_iter().filter(|s| plan.stores.get(*s).restore).collect();
    if plan.source.is_some() { choice::to_word(&Some(chosen)) } else { String::new() }
}

/// Why it is done. What others agreed to with the plan is not changed any more; what was typed before a refusal stands there
/// again.
pub(super) fn reason_field(hint: &'static str, agreed: Option<String>) -> impl IntoView {
    let fixed = agreed.is_some();
    view! {
        <TextArea
            id="reason"
            name="reason"
            label="Reason"
            hint=hint
            rows=3
            required=true
            fixed=fixed
            least=Some(MIN_REASON)
            most=MAX_REASON
            value=agreed.or_else(|| notice::typed("reason")).unwrap_or_default()
        />
    }
}

pub(super) fn acknowledgement(ack: &AcknowledgementView) -> impl IntoView + use<> {
    view! {
        <label class="check-label ack">
            <input type="checkbox" name="acknowledgements[]" value=ack.asked.code.clone() required />
            <span class="foreign">"I have seen: " {format::visible_lines(&ack.asked.message)}</span>
        </label>
    }
}
