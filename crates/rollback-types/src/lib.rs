//! What the browser and the server both speak: ids, states, steps, events and views.
//!
//! Nothing here reads a file, a clock or the network, and everything compiles for `wasm32`. Sizes are bytes, durations
//! milliseconds (fields end in `_ms`), times RFC 3339 in UTC.

pub mod access;
pub mod approval;
pub mod backup;
#[cfg(any(test, target_arch = "wasm32"))]
mod browser;
pub mod civil;
pub mod event;
pub mod ids;
pub mod log;
pub mod note;
pub mod offender;
pub mod outcome;
pub mod overview;
pub mod page;
pub mod plan;
pub mod problem;
pub mod quantity;
pub mod registry;
pub mod report;
pub mod role;
pub mod run;
pub mod run_kind;
pub mod run_view;
pub mod state;
pub mod step;
pub mod store;
pub mod timestamp;
pub mod validation;

pub use access::{
    AuditOutcome, AuditQuery, AuditRow, Me, NewToken, SessionView, SignInWay, TokenState, TokenView, UserKind, UserView,
};
pub use approval::{Approval, ApprovalState, Vote, VoteRequest};
pub use backup::{BackupCheck, BackupFile, BackupHealth, BackupSource, Rung, RungResult, RungState};
pub use event::{Decision, Event, EventKind, Progress, StepError, StreamItem};
pub use ids::{PlanDigest, RollbackTarget, RunId, TargetRefusal, VersionId};
pub use log::{LogLevel, LogLine, LogPart, LogQuery};
pub use note::{AfterItem, Note, NoteRequest, Notes, Tick, Wording, Written};
pub use outcome::StoreOutcome;
pub use overview::{
    Change, Overview, RunCount, RunQuery, StagedInStore, StateCount, StepDuration, Verdict, VerdictLevel, VersionDetail,
};
pub use page::{Cursor, Page};
pub use plan::{
    Acknowledgement, AcknowledgementView, CheckItem, CheckState, Difference, DiskSpace, Inventory, PlanRequest,
    PlannedStep, Refusal, ResumeRequest, RollbackPlan, StagingCounts, StartRequest, StorePlan, StorePlans,
    TimeEstimate, Trigger,
};
pub use problem::{FieldError, Problem, ProblemKind};
pub use registry::{Layout, OperationRow, VersionCourse, VersionQuery, VersionRow, VersionSort};
pub use report::{
    AfterCheck, AfterState, ComparedRun, ComparedStep, CountChange, CountComparison, DecisionTaken, Interruption,
    InterruptionEnd, RunComparison, RunReport, SavedWayBack, StepComparison, StepOutcome, StoreBalance,
};
pub use role::Role;
pub use run::{Passed, RunState, RunSummary};
pub use run_kind::RunKind;
pub use run_view::{Pause, RunView, StepView, Try};
pub use state::{Candidacy, VersionState};
pub use step::{Step, StepState};
pub use store::{StoreKind, StoreReport, StoreStatus};
pub use timestamp::Timestamp;
pub use validation::{
    CheckOutcome, CheckResult, CheckSeverity, CommandResult, OffenderKind, Offenders, SearchResult, ValidationReport,
    ValidationScope, ValidationVerdict,
};
