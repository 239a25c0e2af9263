//! The whole server over HTTP, on deployments that the demo made. One binary, because each one links for long.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking, in its own functions too")]

mod api;
mod app;
mod approvals;
mod audit;
mod backups;
mod browser;
mod client;
mod contents;
mod decisions;
mod deployment;
mod event_stream;
mod events;
mod guard;
mod hostile;
mod https;
mod interruption;
mod logs;
mod notices;
mod oidc;
mod openapi;
mod pages;
mod production;
mod reports;
mod restores;
mod rollback;
mod rollback_servers;
mod rules;
mod run_weather;
mod schedule;
mod serving;
mod sessions;
mod setup;
mod starting;
mod validation;
mod weather;
