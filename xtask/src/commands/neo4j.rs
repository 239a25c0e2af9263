//! `cargo xtask neo4j`: a Neo4j for daily work, kept in the foreground.

use crate::{
    failure::{Outcome, say},
    neo4j::{Distribution, Server, VERSION},
    workspace::Workspace,
};

/// Options of the command.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Bolt port on loopback; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    port: u16,
}

/// Starts the server, prints how to reach it, and waits.
pub fn run(workspace: &Workspace, options: &Options) -> Outcome {
    let distribution = Distribution::ensure()?;
    say(format!("starting Neo4j {VERSION} with an empty database (about 20 s)"));
    let mut server = Server::start(&distribution, workspace.target(), options.port)?;
    say(format!("ready (pid {}); Ctrl-C ends it and removes its data", server.pid()));
    for (name, value) in server.variables() {
        println!("export {name}={value}");
    }
    server.wait()
}
