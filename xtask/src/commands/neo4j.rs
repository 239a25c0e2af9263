//! `cargo xtask neo4j`: a Neo4j for daily work, kept in the foreground.

use crate::{
    failure::{Outcome, say},
    neo4j::{Distribution, Server, VERSION, shell_variable},
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
    let shell = shell_variable()?;
    say(format!("starting Neo4j {VERSION} with an empty database (about 20 s)"));
    let mut server = Server::start(&distribution, workspace.target(), options.port)?;
    say(format!("ready (pid {}); Ctrl-C ends it and removes its data", server.pid()));
    for (name, value) in server.variables().into_iter().chain([shell]) {
        println!("export {name}='{value}'");
    }
    server.wait()
}
