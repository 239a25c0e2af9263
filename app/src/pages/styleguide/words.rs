//! What pages say: callouts, toasts, verdicts, problems, nothing; times, ids and code.

use leptos::prelude::*;
use rollback_types::{Difference, Problem, ProblemKind, RunId, VersionId};

use super::specimens::{LONG_VERSION, SHA256, VERSION, ago, verdicts};
use crate::components::{
    Callout, Card, CodeBlock, CopyableId, EmptyState, ErrorPanel, Fact, Foreign, KeyValue, Loading, ProblemFacts,
    RunLink, Time, TimeStyle, Toast, Tone, VerdictPanel, VersionLink,
};

/// Remarks in every tone.
#[component]
pub(super) fn CalloutsSection() -> impl IntoView {
    view! {
        <Card title="Callouts and toasts">
            <div class="body">
                <Callout tone=Tone::Good title="All three stores are as latest-copy has them.">
                    <p>"Counted and compared just now."</p>
                </Callout>
                <Callout tone=Tone::Bad title="This rollback cannot start.">
                    <ul>
                        <li>"Neo4j does not answer. Start it, then plan again."</li>
                        <li>"Not enough disk space: 120 MB free, 500 MB needed."</li>
                    </ul>
                </Callout>
                <Callout tone=Tone::Warn title="Something changed since you read this plan." />
                <Callout tone=Tone::Run title="A validation is at work." />
                <Callout tone=Tone::Idle title="This page looks, and changes nothing." />
                <h3>"What was just done, said once; it stays until the reader goes on"</h3>
                <Toast tone=Tone::Good text="The user was added, and can sign in now." />
                <Toast tone=Tone::Bad text="The token was not revoked: the file of users cannot be written.">
                    <a class="btn small" href="#card-callouts-and-toasts">
                        "Try again"
                    </a>
                </Toast>
            </div>
        </Card>
    }
}

/// The overview's answer, at every level.
#[component]
pub(super) fn VerdictsSection() -> impl IntoView {
    let all = verdicts()
        .map(|verdict| {
            let label = format!("Specimen: {}", verdict.headline);
            view! {
                <VerdictPanel
                    verdict=verdict
                    label=label
                    action=view! {
                        <a class="btn" href="#card-verdicts">
                            "What to do"
                        </a>
                    }
                        .into_any()
                />
            }
        })
        .into_iter()
        .collect_view();
    view! {
        <Card title="Verdicts">
            <div class="body">{all}</div>
        </Card>
    }
}

/// Errors, and nothing.
#[component]
pub(super) fn ProblemsSection() -> impl IntoView {
    let mut stale = Problem::new(ProblemKind::StalePlan, "2 things changed since the plan was made")
        .safe("Nothing was changed.")
        .remedy("Read the new plan and the difference, then confirm the new digest.");
    stale.differences = vec![
        Difference {
            field: "/stores/qdrant/staging/points".into(),
            before: Some("1,198".into()),
            now: Some("1,204".into()),
        },
        Difference { field: "/latest_copy/sqlite/sha256".into(), before: None, now: Some(SHA256.into()) },
    ];
    let full =
        Problem::new(ProblemKind::JournalUnavailable, "the disk of the journal /var/lib/stepback/journal.db is full")
            .safe("Nothing is done that cannot be journalled first; the stores were not touched.")
            .remedy("Free some space on that disk, then try again.");
    view! {
        <Card title="Problems">
            <div class="body">
                <ErrorPanel problem=stale retry="#card-problems" />
                <h3>"As a page of its own"</h3>
                <ProblemFacts problem=full />
                <h3>"Nothing to show, and what to do about it"</h3>
                <EmptyState title="No run was started here yet.">
                    <p>"Every run would be listed here, with who started it and why."</p>
                    <p>
                        <a class="btn small" href="#card-problems">
                            "To the versions"
                        </a>
                    </p>
                </EmptyState>
                <Loading />
            </div>
        </Card>
    }
}

/// Texts that come from elsewhere.
#[component]
pub(super) fn TextsSection() -> impl IntoView {
    view! {
        <Card title="Times, ids, code">
            <div class="body">
                <KeyValue>
                    <Fact term="Both">
                        <Time at=ago(38) />
                    </Fact>
                    <Fact term="Relative">
                        <Time at=ago(60 * 24 * 13) style=TimeStyle::Relative />
                    </Fact>
                    <Fact term="Absolute">
                        <Time at=ago(5) style=TimeStyle::Absolute />
                    </Fact>
                    <Fact term="Digest">
                        <CopyableId text=SHA256 shown="9f3c71ab54c0…" what="the SHA-256 of the specimen" />
                    </Fact>
                    <Fact term="Version">
                        <VersionLink id=VersionId::new(VERSION) />
                    </Fact>
                    <Fact term="Long one">
                        <VersionLink id=VersionId::new(LONG_VERSION) />
                    </Fact>
                    <Fact term="Run">
                        <RunLink id=RunId(42) />
                    </Fact>
                    <Fact term="Foreign text">
                        <Foreign text="turned \u{202e}exe.txt, العربية, <b>no markup</b>\nand a second line" />
                    </Fact>
                </KeyValue>
                <CodeBlock
                    title="stepback.toml"
                    text="deployment = \"hybridflow · production\"\n\n[sqlite]\nmetadata = \"/srv/hybridflow/a/path/that/is/longer/than/the/place/for/it/metadata.db\""
                />
                <p>
                    "Keys: " <kbd>"?"</kbd> " shows them, " <kbd>"Ctrl+K"</kbd> " goes anywhere."
                </p>
            </div>
        </Card>
    }
}
