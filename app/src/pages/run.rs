//! One run as it happens: its steps, decisions, what the validation found, the way back, the log.

#[cfg(feature = "ssr")]
pub(crate) mod chart;
#[cfg(feature = "ssr")]
mod checks;
mod decisions;
mod header;
#[cfg(feature = "ssr")]
mod interrupted;
pub(crate) mod log;
#[cfg(feature = "ssr")]
mod log_parts;
mod log_window;
mod meter;
mod pace;
#[cfg(feature = "ssr")]
mod page;
#[cfg(feature = "hydrate")]
mod renewal;
#[cfg(feature = "ssr")]
mod result;
#[cfg(all(test, feature = "ssr"))]
mod specimen;
mod steps;
mod tab;
#[cfg(feature = "ssr")]
mod time_left;
mod trouble;
#[cfg(feature = "ssr")]
mod validation;
#[cfg(feature = "ssr")]
mod way_back;

#[cfg(feature = "ssr")]
pub(in crate::pages) use self::page::NoSuchRun;
#[cfg(feature = "ssr")]
pub use self::page::RunPage;
