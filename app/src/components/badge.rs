//! States: icon, colour and word together, never colour alone.

use leptos::prelude::*;
use rollback_types::{BackupHealth, RunState, RungState, StepState, VersionState};

use super::icon::{Icon, IconName};
use crate::format;

/// What a colour means. Store colours are for stores only; these are for everything else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// Proven, done.
    Good,
    /// Failed, forbidden.
    Bad,
    /// Needs a person's eye.
    Warn,
    /// At work.
    Run,
    /// Neither good nor bad.
    #[default]
    Idle,
}

impl Tone {
    /// The class.
    pub fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Bad => "bad",
            Self::Warn => "warn",
            Self::Run => "run",
            Self::Idle => "idle",
        }
    }
}

/// Icon and word in a tone.
#[component]
pub fn Badge(
    /// The tone.
    #[prop(into)]
    tone: Signal<Tone>,
    /// The icon.
    #[prop(into)]
    icon: Signal<IconName>,
    /// The word.
    #[prop(into)]
    text: Signal<String>,
) -> impl IntoView {
    view! {
        <span class=move || format!("badge {}", tone.get().class())>
            <Icon name=icon />
            <span>{move || text.get()}</span>
        </span>
    }
}

/// How a version's state looks. An unknown state is its own word.
pub fn version_look(state: &VersionState) -> (Tone, IconName) {
    match state {
        VersionState::ValidatingFailed | VersionState::Failed | VersionState::RollbackTriggered => {
            (Tone::Bad, IconName::Cross)
        }
        VersionState::RollingBack => (Tone::Warn, IconName::Back),
        VersionState::Pending => (Tone::Idle, IconName::Circle),
        VersionState::Staging | VersionState::Validating | VersionState::Committing => (Tone::Run, IconName::Clock),
        VersionState::Committed | VersionState::Restored | VersionState::InUse => (Tone::Good, IconName::Check),
        VersionState::RolledBack => (Tone::Idle, IconName::Back),
        VersionState::Archived => (Tone::Idle, IconName::Box),
        VersionState::Cancelled | VersionState::Skipped => (Tone::Idle, IconName::Dash),
        VersionState::Other(_) => (Tone::Warn, IconName::Question),
    }
}

/// The state of a version, in the registry's own word.
#[component]
pub fn VersionBadge(
    /// The state.
    state: VersionState,
) -> impl IntoView {
    let (tone, icon) = version_look(&state);
    let word = match state.as_str() {
        "" => "(no state)".to_owned(),
        word => format::clip(&format::visible(word), 32),
    };
    view! { <Badge tone=tone icon=icon text=word /> }
}

/// How a run's state looks.
pub fn run_look(state: RunState) -> (Tone, IconName, &'static str) {
    match state {
        RunState::Running => (Tone::Run, IconName::Spinner, "running"),
        RunState::NeedsDecision => (Tone::Warn, IconName::Question, "needs a decision"),
        RunState::Interrupted => (Tone::Warn, IconName::Pause, "interrupted"),
        RunState::Completed => (Tone::Good, IconName::Check, "completed"),
        RunState::CompletedWithFindings => (Tone::Warn, IconName::Warning, "completed with findings"),
        RunState::Aborted => (Tone::Bad, IconName::Cross, "aborted"),
    }
}

/// The state of a run.
#[component]
pub fn RunBadge(
    /// The state.
    #[prop(into)]
    state: Signal<RunState>,
) -> impl IntoView {
    let look = move || run_look(state.get());
    view! {
        <Badge
            tone=Signal::derive(move || look().0)
            icon=Signal::derive(move || look().1)
            text=Signal::derive(move || look().2.to_owned())
        />
    }
}

/// How a step's state looks.
pub fn step_look(state: StepState) -> (Tone, IconName, &'static str) {
    match state {
        StepState::Pending => (Tone::Idle, IconName::Circle, "not begun"),
        StepState::Running => (Tone::Run, IconName::Spinner, "running"),
        StepState::Done => (Tone::Good, IconName::Check, "done"),
        StepState::FoundAbsent => (Tone::Good, IconName::Check, "already gone"),
        StepState::Skipped => (Tone::Idle, IconName::Dash, "skipped"),
        StepState::Failed => (Tone::Bad, IconName::Cross, "failed"),
        StepState::Interrupted => (Tone::Warn, IconName::Pause, "interrupted"),
    }
}

/// How a rung looks on the ladder of a file. A file that was `replaced` fails until a person says that it is to be trusted: that
/// is a question, and nothing of it is known to be wrong.
pub fn rung_look(state: Option<RungState>, replaced: bool) -> (Tone, IconName, &'static str) {
    match state {
        Some(RungState::Failed) if replaced => (Tone::Warn, IconName::Question, "replaced"),
        Some(RungState::Passed) => (Tone::Good, IconName::Check, "proven"),
        Some(RungState::Failed) => (Tone::Bad, IconName::Cross, "failed"),
        Some(RungState::NotProven) | None => (Tone::Idle, IconName::Dash, "not proven"),
    }
}

/// How a backup as a whole looks: as the worst of its rungs.
pub fn backup_look(health: &BackupHealth) -> (Tone, IconName, &'static str) {
    let failed = health.files.iter().any(|f| f.lowest_failure().is_some());
    match (health.intact, failed) {
        (true, _) => (Tone::Good, IconName::Check, "intact"),
        _ if health.waits_for_a_word() => rung_look(Some(RungState::Failed), true),
        (false, true) => (Tone::Bad, IconName::Cross, "damaged"),
        (false, false) => (Tone::Warn, IconName::Question, "not fully proven"),
    }
}

/// The state of a step.
#[component]
pub fn StepBadge(
    /// The state.
    #[prop(into)]
    state: Signal<StepState>,
) -> impl IntoView {
    let look = move || step_look(state.get());
    view! {
        <Badge
            tone=Signal::derive(move || look().0)
            icon=Signal::derive(move || look().1)
            text=Signal::derive(move || look().2.to_owned())
        />
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replaced_file_looks_the_same_wherever_it_is_shown() {
        let mark = rung_look(Some(RungState::Failed), true);
        assert_eq!((mark.0, mark.2), (Tone::Warn, "replaced"));
        assert_eq!(rung_look(Some(RungState::Failed), false).0, Tone::Bad);
        assert_eq!(rung_look(Some(RungState::Passed), true).0, Tone::Good, "what it passed it passed");
    }

    #[test]
    fn an_unknown_state_looks_like_no_known_one() {
        let odd = version_look(&VersionState::from("quarantined"));
        assert!(VersionState::KNOWN.iter().all(|s| version_look(s) != odd));
    }
}
