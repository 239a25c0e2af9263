//! The end of the way: the settings' file, and how it comes into force.

use leptos::prelude::*;

use super::stages::StageCard;
use super::{Outcome, Setup, Stage};
use crate::components::{Callout, CodeBlock, Tone};

/// Where the file and the secrets are meant to lie.
pub const FOLDER: &str = "/etc/stepback";

/// Text to copy, and what to do with it.
#[component]
pub(super) fn FileStage(setup: Setup) -> impl IntoView {
    let proven = |outcome: &Outcome| matches!(outcome, Outcome::Good | Outcome::Warned);
    let open: Vec<&str> =
        setup.outcomes.iter().filter(|(_, outcome)| !proven(outcome)).map(|(stage, _)| stage.title()).collect();
    let warning = (!open.is_empty()).then(|| {
        let title = format!("Not everything is proven to work: {}.", open.join(", "));
        view! {
            <Callout tone=Tone::Warn title=title>
                <p>
                    "The file says what you typed all the same. Mend that first, and test again with the buttons above, or by "
                    <code>"stepback doctor"</code> "."
                </p>
            </Callout>
        }
    });
    let secrets: Vec<(&str, &str)> = [
        (setup.typed.qdrant_with_key, ("qdrant-key", "Qdrant’s key")),
        (setup.typed.neo4j_with_password, ("neo4j-password", "Neo4j’s password")),
    ]
    .into_iter()
    .filter_map(|(given, secret)| given.then_some(secret))
    .collect();
    let path = format!("{FOLDER}/stepback.toml");
    view! {
        <StageCard stage=Stage::File state="open">
            <div class="body">
                {warning}
                <p>"Copy this to "<code>{path.clone()}</code>" on the server. It holds no secret."</p>
                <CodeBlock title="stepback.toml" text=setup.file.unwrap_or_default() />
                {secret_files(&secrets)}
                <p>"Look whether everything is as it was here, then start Stepback with the file:"</p>
                <CodeBlock
                    title="In a terminal on the server"
                    text=format!("stepback doctor --config {path}\nstepback serve --config {path}")
                />
                <p class="small muted">
                    "With another data folder Stepback begins without users: its first start prints the link that makes the first \
                     administrator."
                </p>
            </div>
        </StageCard>
    }
}

/// How a secret comes into its file without standing in a shell's history.
fn secret_files(secrets: &[(&str, &str)]) -> Option<impl IntoView + use<>> {
    if secrets.is_empty() {
        return None;
    }
    let names = secrets.iter().map(|(_, name)| *name).collect::<Vec<_>>().join(" and ");
    let lines: Vec<String> =
        secrets.iter().map(|(file, _)| format!("sudo install -m 600 -o stepback /dev/stdin {FOLDER}/{file}")).collect();
    Some(view! {
        <p>
            {format!("Put {names} into a file of its own, which only Stepback’s user can read. ")}
            "Each line waits for the secret: type it, then Enter, then Ctrl+D."
        </p>
        <CodeBlock title="In a terminal on the server: secrets" text=lines.join("\n") />
    })
}
