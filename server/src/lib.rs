//! The program `stepback`: settings, wiring, HTTP. Holds no rules: those are in the crate `rollback`.

pub mod access;
pub mod account_commands;
mod approvers;
pub mod assets;
pub mod backup_command;
mod changes;
pub mod cli;
pub mod config;
mod connections;
pub mod demo;
pub mod doctor;
pub mod guard;
pub mod journal_command;
pub mod memory;
mod open_files;
pub mod openapi;
mod own_pages;
pub mod problem;
mod problem_page;
pub mod program;
mod report_markdown;
mod routes;
pub mod schedule;
mod serve;
pub mod state;
mod tls;
mod wiring;

pub use routes::{router, rules};
pub use serve::{ServeError, answer, serve};
pub use state::AppState;
pub use wiring::{Wired, WiringError, wire, wire_beside};
