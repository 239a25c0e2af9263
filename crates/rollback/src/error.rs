//! What the service answers when it cannot do what was asked; both doors (page and API) show it as a problem document.

use rollback_types::{
    Difference, FieldError, Problem, ProblemKind, Refusal, Role, RollbackPlan, RunId, Step, StepError, StoreKind,
};

use crate::approvers::ApproversError;
use crate::journal::JournalError;
use crate::store::{Fault, StoreError};

/// The service could not do it.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// The request makes no sense: which field, and what is allowed.
    #[error("{0}")]
    Invalid(String),
    /// One field of the request cannot be taken. It is said in people's words: a page shows it too.
    #[error("{said}")]
    InvalidField {
        /// Where it is, for programs: `/reason`, `?limit`.
        pointer: &'static str,
        /// What is wrong, and what is allowed, in a sentence.
        said: String,
    },
    /// The actor's role does not allow it.
    #[error("the role {role} may not {to}: that needs the role {least}")]
    Forbidden {
        /// What the actor has.
        role: Role,
        /// What it needs.
        least: Role,
        /// What was asked, after "may not".
        to: &'static str,
    },
    /// The plan needs the word of other people.
    #[error("{}", missing_approval(*.required, *.given, *.own))]
    ApprovalRequired {
        /// How many.
        required: u32,
        /// How many did, beside the actor.
        given: u32,
        /// The actor approved it: that word does not count for a start of their own.
        own: bool,
    },
    /// Whose word counts cannot be found out.
    #[error("whose approval counts cannot be found out: {0}")]
    Approvers(#[from] ApproversError),
    /// There is no such version, run or backup.
    #[error("{0}")]
    NotFound(String),
    /// The plan is not startable.
    #[error("{}", list(.refusals))]
    Refused {
        /// Why.
        refusals: Vec<Refusal>,
        /// The plan as it is now.
        plan: Box<RollbackPlan>,
    },
    /// The plan that was confirmed is not the plan of now.
    #[error("{} changed since the plan was made{}", fields(.differences), by_run(*.since))]
    Stale {
        /// Field by field.
        differences: Vec<Difference>,
        /// The plan as it is now.
        plan: Box<RollbackPlan>,
        /// The newest run that began since the plan was read, and changed the stores.
        since: Option<RunId>,
    },
    /// One run at a time.
    #[error("run #{0} is active; one run at a time")]
    ActiveRun(RunId),
    /// The decision was about an earlier failure of the step than the one that is asked about.
    #[error("{}", failed_again(*.step, .error))]
    FailedAgain {
        /// Which.
        step: Step,
        /// Its fault of now.
        error: StepError,
    },
    /// Not now: the run is in another state, the step is not being asked about, …
    #[error("{0}")]
    Conflict(String),
    /// A store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The journal.
    #[error(transparent)]
    Journal(JournalError),
}

impl ServiceError {
    pub(crate) fn field(pointer: &'static str, said: impl Into<String>) -> Self {
        Self::InvalidField { pointer, said: said.into() }
    }
}

impl From<JournalError> for ServiceError {
    fn from(error: JournalError) -> Self {
        match error {
            JournalError::ActiveRun(id) => Self::ActiveRun(id),
            JournalError::NoSuchRun(id) => Self::NotFound(format!("There is no run #{id}.")),
            JournalError::BadCursor => Self::Invalid("cursor is not one this server gave out; leave it out".into()),
            other => Self::Journal(other),
        }
    }
}

fn list(refusals: &[Refusal]) -> String {
    refusals.iter().map(|r| r.message.as_str()).collect::<Vec<_>>().join(" ")
}

fn failed_again(step: Step, error: &StepError) -> String {
    let name = step.to_string();
    let (first, rest) = name.split_at(1);
    let fault = error.message.trim_end_matches('.');
    format!(
        "{}{rest} has failed again since you read it: nothing was decided. Its fault is now: {fault}.",
        first.to_uppercase()
    )
}

fn missing_approval(required: u32, given: u32, own: bool) -> String {
    let people = if required == 1 { "1 other person" } else { &format!("{required} other people") };
    let did = if given == 0 { "nobody else did yet".to_owned() } else { format!("{given} did so far") };
    let own = if own { ". Your own approval does not count when you start it yourself" } else { "" };
    format!("{people} must approve this plan before you may start it, and {did}{own}")
}

/// It may not be why, but whoever confirms must know of it.
fn by_run(since: Option<RunId>) -> String {
    since.map(|run| format!("; run #{run}, which changes the stores, began after it was read")).unwrap_or_default()
}

fn fields(differences: &[Difference]) -> String {
    match differences {
        [] => "Something".to_owned(),
        [one] => one.field.clone(),
        many => format!("{} things", many.len()),
    }
}

impl From<ServiceError> for Problem {
    fn from(error: ServiceError) -> Self {
        let detail = error.to_string();
        let nothing = "Nothing was changed.";
        match error {
            ServiceError::Invalid(_) => Problem::new(ProblemKind::InvalidRequest, detail).safe(nothing),
            ServiceError::InvalidField { pointer, said } => {
                let mut p = Problem::new(ProblemKind::InvalidRequest, detail).safe(nothing);
                p.errors.push(FieldError { pointer: pointer.to_owned(), detail: said });
                p
            }
            ServiceError::Forbidden { least, .. } => Problem::new(ProblemKind::RoleRequired, detail)
                .safe(nothing)
                .remedy(format!("Ask someone with the role {least}, or an administrator for that role.")),
            ServiceError::ApprovalRequired { own: true, .. } => Problem::new(ProblemKind::ApprovalRequired, detail)
                .safe(nothing)
                .remedy(
                    "Leave the start to a person who has not approved this plan, or have one more person approve it under Approvals; \
                     then start it.",
                ),
            ServiceError::ApprovalRequired { .. } => Problem::new(ProblemKind::ApprovalRequired, detail)
                .safe(nothing)
                .remedy(
                    "Ask for approval on the plan's page, or by POST /api/v1/approvals with this very request; another person reads it \
                     and agrees under Approvals; then start it.",
                ),
            ServiceError::Approvers(_) => Problem::new(ProblemKind::AccessUnavailable, detail)
                .safe(nothing)
                .remedy("See Stepback's own log and the disk of its data folder, then try again."),
            ServiceError::NotFound(_) => Problem::new(ProblemKind::NotFound, detail).safe(nothing),
            ServiceError::Refused { refusals, plan } => {
                let mut p = Problem::new(ProblemKind::Refused, detail).safe(nothing);
                p.remedy = Some("See each refusal for what to do, then plan again.".into());
                (p.refusals, p.plan) = (refusals, Some(plan));
                p
            }
            ServiceError::Stale { differences, plan, since } => {
                let mut p = Problem::new(ProblemKind::StalePlan, detail).safe(nothing);
                p.remedy = Some("Read the new plan and the difference, then confirm the new digest.".into());
                (p.differences, p.plan, p.later_run) = (differences, Some(plan), since);
                p
            }
            ServiceError::ActiveRun(id) => {
                let mut p =
                    Problem::new(ProblemKind::ActiveRun, detail).safe("The active run goes on; nothing was started.");
                p.remedy = Some(format!("Watch or decide run #{id}, then plan again."));
                p.active_run = Some(id);
                p
            }
            ServiceError::FailedAgain { error, .. } => Problem::new(ProblemKind::FailedAgain, detail)
                .safe(format!("{nothing} {}", error.safe))
                .remedy(format!("Read the fault of now, and decide about that. {}", error.remedy)),
            ServiceError::Conflict(_) => Problem::new(ProblemKind::Conflict, detail).safe(nothing),
            ServiceError::Store(e) => {
                // The registry refuses only what a request brought along: a cursor that is none.
                if let (Fault::Refused, StoreKind::Sqlite) = (e.fault, e.store) {
                    return Problem::new(ProblemKind::InvalidRequest, e.detail).safe(nothing);
                }
                Problem::new(ProblemKind::StoreUnavailable, detail).safe(nothing).remedy(e.remedy())
            }
            ServiceError::Journal(e) => Problem::new(ProblemKind::JournalUnavailable, detail)
                .safe("Nothing is done that cannot be journalled first; the stores were not touched.")
                .remedy(e.remedy()),
        }
    }
}
