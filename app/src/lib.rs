//! The pages: rendered by the server, whole without JavaScript, with islands that the browser brings to life.
//!
//! Pages, and all that only they need, are the server's (feature `ssr`). What the browser runs (feature `hydrate`) are the
//! functions marked `#[island]`: `alive` on every page, and what changes while it is looked at.
//!
//! `api` holds the server functions, `pages` one module a page, `components` what pages share, `format` how numbers,
//! times and foreign text become readable.
#![recursion_limit = "256"]

pub mod account;
pub mod address;
pub mod alive;
#[cfg(feature = "ssr")]
pub mod api;
#[cfg(feature = "ssr")]
mod application;
pub mod background;
#[cfg(feature = "ssr")]
pub mod charts;
pub mod choice;
pub mod components;
pub mod event_stream;
#[cfg(feature = "hydrate")]
mod fetch;
pub mod format;
pub mod fragment;
#[cfg(feature = "ssr")]
pub mod frame;
pub mod freshness;
pub mod given;
#[cfg(feature = "hydrate")]
mod keyboard;
pub mod live;
#[cfg(feature = "ssr")]
pub mod notice;
pub mod pages;
#[cfg(feature = "ssr")]
pub mod problem_document;
#[cfg(feature = "ssr")]
pub mod shell;
pub mod typed;

#[cfg(feature = "ssr")]
pub use api::error::Refused;
#[cfg(feature = "ssr")]
pub use application::App;
#[cfg(feature = "ssr")]
pub use frame::{Deployment, EngineName};
#[cfg(feature = "ssr")]
pub use problem_document::problem_document;
#[cfg(feature = "ssr")]
pub use shell::{AssetPaths, shell};

/// The text of the browser's tab. A version's id is part of some, and the server's `<title>` is written as it is given,
/// without any escaping; in the browser it is set as text.
pub(crate) fn tab_title(title: String) -> String {
    let title = format!("{title} · Stepback");
    if cfg!(feature = "ssr") { title.replace('&', "&amp;").replace('<', "&lt;") } else { title }
}
