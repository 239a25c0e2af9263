//! The stages that are tested: to be filled in, done, or still to come. Plain forms; each carries on what was typed before,
//! but for secrets.

use leptos::prelude::*;
use rollback_types::StoreKind;

use super::{Finding, Outcome, Setup, Stage};
use crate::components::{Badge, FieldKind, Icon, IconName, StoreDot, TextField, Tone};
use crate::format;

/// Class, icon and word of an outcome.
fn look(outcome: Outcome) -> (Tone, IconName, &'static str) {
    match outcome {
        Outcome::Good => (Tone::Good, IconName::Check, "works"),
        Outcome::Warned => (Tone::Warn, IconName::Warning, "works, look at it"),
        Outcome::NotProven => (Tone::Warn, IconName::Question, "not proven to work"),
        Outcome::Failed => (Tone::Bad, IconName::Cross, "does not work"),
    }
}

fn store(stage: Stage) -> Option<StoreKind> {
    match stage {
        Stage::Sqlite => Some(StoreKind::Sqlite),
        Stage::Qdrant => Some(StoreKind::Qdrant),
        Stage::Neo4j => Some(StoreKind::Neo4j),
        Stage::Backups | Stage::File => None,
    }
}

/// A stage's place on the way: its number, its name, what stands beside them, and what it holds.
#[component]
pub(super) fn StageCard(
    stage: Stage,
    /// `open`, `done` or `waiting`.
    state: &'static str,
    #[prop(optional)] aside: Option<AnyView>,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    let id = format!("stage-{}", stage.as_str());
    let named = id.clone();
    let open = state == "open";
    view! {
        <li class=format!("stage {state}") id=open.then_some("open") aria-current=open.then_some("step")>
            <section class="card" aria-labelledby=named>
                <header>
                    <span class="mark" aria-hidden="true">
                        {stage.number()}
                    </span>
                    <h2 id=id>
                        <span class="sr">{format!("Step {}: ", stage.number())}</span>
                        {store(stage).map(|store| view! { <StoreDot store=store /> })}
                        {stage.title()}
                    </h2>
                    {aside}
                </header>
                {children.map(|c| c())}
            </section>
        </li>
    }
}

/// A stage whose turn has not come.
#[component]
pub(super) fn WaitingStage(stage: Stage) -> impl IntoView {
    let aside = view! { <span class="tag">"still to come"</span> };
    view! { <StageCard stage=stage state="waiting" aside=aside.into_any() /> }
}

/// A stage that was tested, with what was typed and how it came out.
#[component]
pub(super) fn FoldedStage(stage: Stage, setup: Setup) -> impl IntoView {
    let badge = setup.outcomes.get(&stage).map(|outcome| {
        let (tone, icon, word) = look(*outcome);
        view! { <Badge tone=tone icon=icon text=word.to_owned() /> }
    });
    let typed = &setup.typed;
    let place = match stage {
        Stage::Sqlite => typed.metadata.clone(),
        Stage::Qdrant => typed.qdrant_url.clone(),
        Stage::Neo4j => format!("{} as {}", typed.neo4j_uri, typed.neo4j_user),
        Stage::Backups => typed.backups.clone(),
        Stage::File => String::new(),
    };
    let findings = setup.findings_of(stage).map(findings_list);
    view! {
        <StageCard stage=stage state="done" aside=badge.into_any()>
            <div class="body">
                <div class="stage-line">
                    <code class="foreign">{format::visible(&place)}</code>
                    <form method="post" action="/setup#open">
                        <Carried setup=setup.clone() open=None />
                        <input type="hidden" name="subject" value=stage.as_str() />
                        <button
                            class="btn small"
                            type="submit"
                            name="act"
                            value="change"
                            aria-label=format!("Change {}", stage.title())
                        >
                            "Change"
                        </button>
                    </form>
                </div>
                {findings}
            </div>
        </StageCard>
    }
}

/// The stage to be filled in.
#[component]
pub(super) fn OpenStage(stage: Stage, setup: Setup) -> impl IntoView {
    let found = setup.findings_of(stage).map(|findings| {
        view! { <div role="status">{findings_list(findings)}</div> }
    });
    let tested = setup.findings_of(stage).is_some();
    let badge = setup.outcomes.get(&stage).filter(|_| tested).map(|outcome| {
        let (tone, icon, word) = look(*outcome);
        view! { <Badge tone=tone icon=icon text=word.to_owned() /> }
    });
    let test = if tested { format!("Test {} again", stage.title()) } else { format!("Test {}", stage.title()) };
    view! {
        <StageCard stage=stage state="open" aside=badge.into_any()>
            <form class="body" method="post" action="/setup#open">
                <Carried setup=setup.clone() open=Some(stage) />
                <input type="hidden" name="subject" value=stage.as_str() />
                {fields(stage, &setup)}
                {found}
                <div class="actions">
                    <button class="btn primary" type="submit" name="act" value="test" data-at-work="Testing…">
                        <Icon name=IconName::Refresh />
                        {test}
                    </button>
                    {tested
                        .then(|| {
                            view! {
                                <button class="btn" type="submit" name="act" value="on">
                                    "Go on all the same"
                                </button>
                            }
                        })}
                </div>
            </form>
        </StageCard>
    }
}

/// What was typed elsewhere, so that it is not lost. No secret is among it.
#[component]
pub(super) fn Carried(
    setup: Setup,
    /// The stage whose fields are in the form themselves.
    open: Option<Stage>,
) -> impl IntoView {
    let typed = setup.typed;
    let flag = |given: bool| if given { "yes".to_owned() } else { String::new() };
    let values = [
        (Stage::Sqlite, "deployment", typed.deployment),
        (Stage::Sqlite, "metadata", typed.metadata),
        (Stage::Sqlite, "local_offset", typed.local_offset),
        (Stage::Qdrant, "qdrant_url", typed.qdrant_url),
        (Stage::Qdrant, "qdrant_with_key", flag(typed.qdrant_with_key)),
        (Stage::Neo4j, "neo4j_uri", typed.neo4j_uri),
        (Stage::Neo4j, "neo4j_user", typed.neo4j_user),
        (Stage::Neo4j, "neo4j_with_password", flag(typed.neo4j_with_password)),
        (Stage::Neo4j, "neo4j_database", typed.neo4j_database),
        (Stage::Backups, "backups", typed.backups),
    ];
    // Whether a secret was given is in no field.
    let in_fields = |stage, name: &str| Some(stage) == open && !name.contains("_with_");
    let values = values
        .into_iter()
        .filter(|(stage, name, _)| !in_fields(*stage, name))
        .map(|(_, name, value)| view! { <input type="hidden" name=name value=value /> })
        .collect_view();
    let outcomes = setup
        .outcomes
        .into_iter()
        .map(|(stage, outcome)| {
            view! { <input type="hidden" name=format!("{}_was", stage.as_str()) value=outcome.as_str() /> }
        })
        .collect_view();
    view! {
        {values}
        {outcomes}
    }
}

fn fields(stage: Stage, setup: &Setup) -> AnyView {
    let typed = setup.typed.clone();
    let wrong = |field: &str| setup.wrong.get(field).cloned();
    match stage {
        Stage::Sqlite => view! {
            <p class="muted">
                "HybridFlow’s own database, as a file on the machine where Stepback runs. Stepback’s user must be able to write \
                 it and its folder."
            </p>
            <div class="fields">
                <TextField
                    id="metadata"
                    name="metadata"
                    label="Path of metadata.db"
                    kind=FieldKind::Technical
                    value=typed.metadata
                    error=wrong("metadata")
                    hint="Such as /srv/hybridflow/metadata.db"
                    required=true
                />
                <TextField
                    id="local_offset"
                    name="local_offset"
                    label="Zone of the pipeline’s local times"
                    kind=FieldKind::Technical
                    value=typed.local_offset
                    error=wrong("local_offset")
                    hint="local (this server’s), utc, or an offset such as +01:00"
                    required=true
                />
                <TextField
                    id="deployment"
                    name="deployment"
                    label="Name of the deployment"
                    value=typed.deployment
                    error=wrong("deployment")
                    hint="As every page shows it"
                />
            </div>
        }
        .into_any(),
        Stage::Qdrant => view! {
            <p class="muted">"The gRPC address, which is not the one of Qdrant’s dashboard."</p>
            <div class="fields">
                <TextField
                    id="qdrant_url"
                    name="qdrant_url"
                    label="Address"
                    kind=FieldKind::Technical
                    value=typed.qdrant_url
                    error=wrong("qdrant_url")
                    hint="Such as http://127.0.0.1:6334"
                    required=true
                />
                <TextField
                    id="qdrant_key"
                    name="qdrant_key"
                    label="API key"
                    kind=FieldKind::Secret
                    error=wrong("qdrant_key")
                    hint="Used for this test only; type it again for another"
                />
            </div>
        }
        .into_any(),
        Stage::Neo4j => view! {
            <div class="fields">
                <TextField
                    id="neo4j_uri"
                    name="neo4j_uri"
                    label="Bolt address"
                    kind=FieldKind::Technical
                    value=typed.neo4j_uri
                    error=wrong("neo4j_uri")
                    hint="Such as bolt://127.0.0.1:7687"
                    required=true
                />
                <TextField
                    id="neo4j_user"
                    name="neo4j_user"
                    label="User of Neo4j"
                    kind=FieldKind::Technical
                    value=typed.neo4j_user
                    error=wrong("neo4j_user")
                    required=true
                />
                <TextField
                    id="neo4j_password"
                    name="neo4j_password"
                    label="Password of Neo4j"
                    kind=FieldKind::Secret
                    error=wrong("neo4j_password")
                    hint="Used for this test only; type it again for another"
                />
                <TextField
                    id="neo4j_database"
                    name="neo4j_database"
                    label="Database"
                    kind=FieldKind::Technical
                    value=typed.neo4j_database
                    error=wrong("neo4j_database")
                    hint="Empty for the user’s home database"
                />
            </div>
        }
        .into_any(),
        Stage::Backups => view! {
            <p class="muted">"The folder that holds latest-copy and a folder for each kept version."</p>
            <div class="fields">
                <TextField
                    id="backups"
                    name="backups"
                    label="Folder of the backups"
                    kind=FieldKind::Technical
                    value=typed.backups
                    error=wrong("backups")
                    hint="Such as /srv/hybridflow/backups"
                    required=true
                />
            </div>
        }
        .into_any(),
        Stage::File => ().into_any(),
    }
}

/// What a test found, line by line, each with what to do about it.
fn findings_list(findings: &[Finding]) -> impl IntoView + use<> {
    let lines = findings
        .iter()
        .map(|finding| {
            let (tone, icon, word) = look(finding.outcome);
            view! {
                <li class=format!("check {}", tone.class())>
                    <Icon name=icon />
                    <b>{format::visible(&finding.subject)}</b>
                    <span class=if finding.outcome == Outcome::Good { "sr" } else { "answer small muted" }>{word}</span>
                    <span class="evidence foreign">{format::visible(&finding.seen)}</span>
                    {finding
                        .remedy
                        .as_deref()
                        .map(|remedy| {
                            view! {
                                <span class="evidence">
                                    <b>"What to do: "</b>
                                    <span class="foreign">{format::visible(remedy)}</span>
                                </span>
                            }
                        })}
                </li>
            }
        })
        .collect_view();
    view! { <ul class="checks findings">{lines}</ul> }
}
