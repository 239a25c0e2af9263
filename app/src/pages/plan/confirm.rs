//! The confirmation: bound to the plan that was read, and given with the version's whole name.

use leptos::either::Either;
use leptos::ev::KeyboardEvent;
use leptos::html;
use leptos::prelude::*;
use rollback_types::{AcknowledgementView, RollbackPlan, RunKind, StoreKind};

use super::ask::{AskForm, ConsentNote};
use super::confirmation::{Confirmation, MAX_REASON, MIN_REASON};
use super::consent::{Consent, Standing};
use super::subject::Subject;
use crate::account::{account, may};
use crate::api::approvals::AskApproval;
use crate::api::runs::StartRollback;
use crate::choice;
use crate::components::{Card, Icon, IconName, role};
use crate::format;

/// Reason, typed name, acknowledgements and the button. Works as a plain form; with JavaScript it says early what is
/// missing.
#[component]
pub fn ConfirmCard(
    /// The plan that is confirmed.
    plan: RollbackPlan,
    /// What another person has said about it.
    consent: Consent,
    /// What starts it.
    start: ServerAction<StartRollback>,
    /// What asks another person.
    ask: ServerAction<AskApproval>,
    /// What has been filled in; outlives a new plan.
    confirmation: RwSignal<Confirmation>,
) -> impl IntoView {
    let subject = Subject::of(&plan);
    let footer = "If anything counted here changes before you start, nothing starts and you see the difference.";
    let standing = consent.standing(account().map(|a| a.name).as_deref());
    let content = if !super::obstacles(&plan).is_empty() {
        let why =
            format!("This {} cannot start: see the reasons at the top of the page, then plan again.", subject.noun());
        Either::Right(blocked(&subject, why))
    } else if !may(subject.least_role()) {
        Either::Right(blocked(&subject, role::reason(subject.least_role())))
    } else {
        Either::Left(match standing {
            Standing::NotNeeded => {
                view! { <ConfirmForm plan=plan agreed=None start=start confirmation=confirmation /> }.into_any()
            }
            Standing::Given(approval) => {
                let agreed = Some(approval.reason.clone());
                view! {
                    <ConsentNote standing=Standing::Given(approval) />
                    <ConfirmForm plan=plan agreed=agreed start=start confirmation=confirmation />
                }
                .into_any()
            }
            standing @ (Standing::Waiting(_) | Standing::OwnWord(_)) => {
                view! { <ConsentNote standing=standing /> }.into_any()
            }
            standing @ Standing::ToAsk { .. } => view! {
                <ConsentNote standing=standing />
                <AskForm plan=plan run=None ask=ask confirmation=confirmation />
            }
            .into_any(),
        })
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

#[component]
fn ConfirmForm(
    plan: RollbackPlan,
    /// The reason that was approved with the plan.
    agreed: Option<String>,
    start: ServerAction<StartRollback>,
    confirmation: RwSignal<Confirmation>,
) -> impl IntoView {
    let subject = Subject::of(&plan);
    let id = subject.name.clone();
    let typed_name = plan.kind.needs_typed_name();
    let asked: Vec<String> = plan.acknowledgements.iter().map(|a| a.asked.code.clone()).collect();
    let form = NodeRef::<html::Form>::new();
    let (reason, typed) = (NodeRef::<html::Textarea>::new(), NodeRef::<html::Input>::new());
    let alive = RwSignal::new(false);
    Effect::new(move |_| alive.set(true));
    keep_text(reason, typed, confirmation);

    let missing = {
        let (id, asked) = (typed_name.then(|| id.clone()), asked.clone());
        Memo::new(move |_| confirmation.with(|c| c.missing(id.as_deref(), &asked)))
    };
    // Without JavaScript nothing is disabled: the server checks everything anyway.
    let disabled = move || start.pending().get() || (alive.get() && missing.with(Option::is_some));
    let on_key = move |ev: KeyboardEvent| {
        if ev.key() == "Enter" && (ev.ctrl_key() || ev.meta_key()) && !disabled() {
            ev.prevent_default();
            if let Some(form) = form.get_untracked() {
                // Refused only when the form's own checks fail; the browser then says which.
                let _asked = form.request_submit();
            }
        }
    };
    let acknowledgements = plan.acknowledgements.iter().map(|a| acknowledgement(a, confirmation)).collect_view();
    let button = subject.button(plan.take_over);
    // Only what touches production is dressed as dangerous.
    let class = if typed_name { "btn danger" } else { "btn primary" };
    let hint = move || {
        if start.pending().get() {
            Some("Counting once more, then starting…".to_owned())
        } else if alive.get() {
            missing.get()
        } else {
            None
        }
    };
    let restore = restore_word(&plan);
    let hint_of_reason = match (&agreed, plan.kind) {
        (Some(_), _) => "Approved with the plan, so it stays as it is.",
        (None, RunKind::Rollback) => "Kept in the registry, the log and the history.",
        (None, _) => "Kept in the run’s log and the history.",
    };
    let typed_field = typed_name.then(|| {
        view! {
            <div class="field">
                <label for="confirm_version_id">{subject.typed_label()}</label>
                <input
                    id="confirm_version_id"
                    class="id"
                    name="confirm_version_id"
                    node_ref=typed
                    type="text"
                    required
                    placeholder=format::visible(&id)
                    autocomplete="off"
                    autocapitalize="off"
                    spellcheck="false"
                    on:input=move |ev| confirmation.update(|c| c.typed_id = event_target_value(&ev))
                />
            </div>
        }
    });

    view! {
        <ActionForm action=start node_ref=form attr:class="body confirm" attr:id="confirm" on:keydown=on_key>
            <input type="hidden" name="version_id" value=id.clone() />
            <input type="hidden" name="plan_digest" value=plan.digest.to_string() />
            <input type="hidden" name="kind" value=plan.kind.as_str() />
            <input type="hidden" name="restore" value=restore />
            {acknowledgements}
            {reason_field(hint_of_reason, agreed, reason, confirmation)}
            {typed_field}
            <div class="actions">
                <a class="btn" href=subject.back()>
                    "Cancel"
                </a>
                <button class=class type="submit" disabled=disabled aria-describedby="start-hint">
                    {button}
                </button>
            </div>
            <p class="hint" id="start-hint" aria-live="polite">
                {hint}
            </p>
        </ActionForm>
    }
}

/// Which stores the plan restores, as a form's word. For kinds that restore nothing there is nothing to choose.
pub(super) fn restore_word(plan: &RollbackPlan) -> String {
    let chosen = StoreKind::ALL.into_iter().filter(|s| plan.stores.get(*s).restore).collect();
    if plan.source.is_some() { choice::to_word(&Some(chosen)) } else { String::new() }
}

/// Why it is done. What others agreed to with the plan is not changed any more.
pub(super) fn reason_field(
    hint: &'static str,
    agreed: Option<String>,
    field: NodeRef<html::Textarea>,
    confirmation: RwSignal<Confirmation>,
) -> impl IntoView {
    if let Some(agreed) = &agreed {
        let agreed = agreed.clone();
        confirmation.update_untracked(|c| c.reason = agreed);
    }
    let fixed = agreed.is_some();
    view! {
        <div class="field">
            <label for="reason">"Reason"</label>
            <textarea
                id="reason"
                name="reason"
                node_ref=field
                rows="3"
                required
                readonly=fixed
                minlength=MIN_REASON.to_string()
                maxlength=MAX_REASON.to_string()
                aria-describedby="reason-hint"
                on:input=move |ev| confirmation.update(|c| c.reason = event_target_value(&ev))
            >
                {agreed.unwrap_or_default()}
            </textarea>
            <span class="hint" id="reason-hint">
                {hint}
            </span>
        </div>
    }
}

pub(super) fn acknowledgement(
    ack: &AcknowledgementView,
    confirmation: RwSignal<Confirmation>,
) -> impl IntoView + use<> {
    let code = ack.asked.code.clone();
    let (ticked, changed) = (code.clone(), code.clone());
    view! {
        <label class="check-label ack">
            <input
                type="checkbox"
                name="acknowledgements[]"
                value=code
                required
                prop:checked=move || confirmation.with(|c| c.acknowledged.contains(&ticked))
                on:change=move |ev| {
                    let on = event_target_checked(&ev);
                    confirmation
                        .update(|c| {
                            if on {
                                c.acknowledged.insert(changed.clone());
                            } else {
                                c.acknowledged.remove(&changed);
                            }
                        });
                }
            />
            <span class="foreign">"I have seen: " {format::visible_lines(&ack.asked.message)}</span>
        </label>
    }
}

/// Text typed before the page came alive is taken over. After a new plan came the fields, which may be the same ones, get
/// what is still held.
pub(super) fn keep_text(
    reason: NodeRef<html::Textarea>,
    typed: NodeRef<html::Input>,
    confirmation: RwSignal<Confirmation>,
) {
    Effect::new(move |_| {
        if let Some(field) = reason.get() {
            let (held, renewed) = confirmation.with_untracked(|c| (c.reason.clone(), c.renewed));
            if held.is_empty() && !renewed {
                confirmation.update(|c| c.reason = field.value());
            } else {
                field.set_value(&held);
            }
        }
    });
    Effect::new(move |_| {
        if let Some(field) = typed.get() {
            let (held, renewed) = confirmation.with_untracked(|c| (c.typed_id.clone(), c.renewed));
            if held.is_empty() && !renewed {
                confirmation.update(|c| c.typed_id = field.value());
            } else {
                field.set_value(&held);
            }
        }
    });
}
