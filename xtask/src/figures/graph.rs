//! A graph of real size, restored into a real Neo4j: by Stepback, and by the runbook's own command.

use std::{
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use super::Figure;
use crate::{
    failure::{Outcome, say},
    neo4j::{Distribution, Server, VERSION, shell_variable},
    process,
    workspace::Workspace,
};

/// What cypher-shell needed for a graph of this size where it was measured, with nothing else on the machine.
const RUNBOOK: Duration = Duration::from_secs(652);
const MOST_OF_RUNBOOK: f64 = 0.15;
const REMEDY: &str = "see the message above";

/// Restores it, over another one of that size. With `runbook` the real cypher-shell loads the same file, for more than ten
/// minutes; else its time is the one that was measured elsewhere.
pub fn restore(workspace: &Workspace, scratch: &Path, runbook: bool) -> Outcome<Figure> {
    let mut cargo = process::cargo(workspace.root());
    cargo.args(["build", "--release", "--package", "rollback-stores", "--example", "graph_copies"]);
    process::run(&mut cargo, "mend what the compiler says above")?;
    let program = workspace.target().join("release/examples/graph_copies");
    let export = scratch.join("graph.cypher");
    process::run(Command::new(&program).arg("make").arg(&export), REMEDY)?;
    let distribution = Distribution::ensure()?;
    say(format!("starting Neo4j {VERSION}"));
    let server = Server::start(&distribution, workspace.target(), 0)?;
    let mut restore = Command::new(&program);
    restore.arg("restore").arg(&export).envs(server.variables());
    process::run(&mut restore, REMEDY)?;
    // The first one filled the empty database; this one replaces a graph of its size.
    let start = Instant::now();
    process::run(&mut restore, REMEDY)?;
    let ours = start.elapsed();
    let theirs = if runbook { by_cypher_shell(&server, &export)? } else { RUNBOOK };
    let ratio = ours.as_secs_f64() / theirs.as_secs_f64();
    let whose = if runbook { "here" } else { "elsewhere" };
    Ok(Figure {
        what: "graph of 107,404 nodes restored".to_owned(),
        wanted: format!("≤ {MOST_OF_RUNBOOK} × cypher-shell"),
        measured: format!("{:.0} s, {ratio:.2} × {:.0} s {whose}", ours.as_secs_f64(), theirs.as_secs_f64()),
        met: ratio <= MOST_OF_RUNBOOK,
    })
}

/// As the runbook has it, but for what its text forgets: constraints and indexes go first.
fn by_cypher_shell(server: &Server, export: &Path) -> Outcome<Duration> {
    let (_, class_path) = shell_variable()?;
    let [(_, uri), (_, user), (_, password)] = server.variables();
    let shell = || {
        let mut java = Command::new("java");
        java.args(["-cp", &class_path, "org.neo4j.shell.Main", "--non-interactive", "--fail-fast"]);
        java.args(["-a", &uri, "-u", &user, "-p", &password]);
        java
    };
    say("the same by cypher-shell (more than ten minutes)");
    let start = Instant::now();
    for statement in [
        "MATCH (n) CALL { WITH n DETACH DELETE n } IN TRANSACTIONS OF 10000 ROWS;",
        "CALL apoc.schema.assert({}, {}) YIELD label RETURN count(label);",
    ] {
        process::capture(shell().arg(statement), REMEDY)?;
    }
    process::capture(shell().arg("--file").arg(export), REMEDY)?;
    Ok(start.elapsed())
}
