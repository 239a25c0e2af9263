//! Who may do what over HTTP. Every request passes the [`door`]: it is asked where it comes from, whose it is and what rule
//! its address has, and what acts is written to the audit before it acts.

pub mod client;
pub mod door;
pub mod functions;
mod headers;
mod identity;
mod media;
pub mod refusal;
pub mod rules;
mod said;
mod sentinel;
pub mod streams;
mod use_of_session;

pub(crate) use headers::page_policy;
pub(crate) use identity::{CookieStays, Holder, cookies, of as whose, whole_removal};
pub(crate) use sentinel::watch_streams;
