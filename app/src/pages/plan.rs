//! What a run would do, read like a pull request, with the confirmation beside it. One page for every kind of run that
//! is planned; `subject` has its words.

#[cfg(feature = "ssr")]
mod ask;
#[cfg(feature = "ssr")]
pub(crate) mod before;
#[cfg(feature = "ssr")]
mod confirm;
mod confirmation;
#[cfg(feature = "ssr")]
mod consent;
pub(crate) mod guard;
#[cfg(feature = "ssr")]
pub(crate) mod page;
#[cfg(feature = "ssr")]
mod restore;
#[cfg(feature = "ssr")]
mod resume;
#[cfg(feature = "ssr")]
pub(crate) mod sentences;
#[cfg(feature = "ssr")]
pub(crate) mod steps;
#[cfg(feature = "ssr")]
pub(crate) mod stores;
#[cfg(feature = "ssr")]
pub(crate) mod subject;
#[cfg(feature = "ssr")]
pub(crate) mod trouble;

#[cfg(feature = "ssr")]
pub use self::page::{MakeBackupPage, MakeSafetyBackupPage, PlanPage, RestorePage, UndoPage};
#[cfg(feature = "ssr")]
pub use self::resume::ResumePage;
