//! The stages that are tested: to be filled in, done, or still to come. Plain forms; each carries on what was typed before,
//! but for secrets.

use leptos::prelude::*;
use rollback_types::StoreKind;

use super::{Finding, Outcome, Setup, Stage, Typed};
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
        <StageCard stage=stage state="done" aside=badge(&setup, stage).into_any()>
            <div class="body">
                <div class="stage-line">
                    <code class="foreign">{format::visible(&place)}</code>
                    <StageForm stage=stage setup=setup.clone() open=false>
                        <button
                            class="btn small"
                            type="submit"
                            name="act"
                            value="change"
                            aria-label=format!("Change {}", stage.title())
                        >
                            "Change"
                        </button>
                    </StageForm>
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
    let tested = found.is_some();
    let badge = tested.then(|| badge(&setup, stage));
    let test = if tested { format!("Test {} again", stage.title()) } else { format!("Test {}", stage.title()) };
    let lead = lead(stage).map(|lead| view! { <p class="muted">{lead}</p> });
    let inputs = fields(&setup.typed)
        .into_iter()
        .filter(|field| field.stage == stage)
        .map(|field| {
            let error = setup.wrong.get(field.name).cloned();
            view! { <StageInput field=field error=error /> }
        })
        .collect_view();
    view! {
        <StageCard stage=stage state="open" aside=badge.into_any()>
            <StageForm stage=stage setup=setup.clone() open=true>
                {lead}
                <div class="fields">{inputs}</div>
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
            </StageForm>
        </StageCard>
    }
}

/// How the last test of a stage came out.
fn badge(setup: &Setup, stage: Stage) -> impl IntoView + use<> {
    setup.outcomes.get(&stage).map(|outcome| {
        let (tone, icon, word) = look(*outcome);
        view! { <Badge tone=tone icon=icon text=word.to_owned() /> }
    })
}

/// The form of one stage, with what was typed in all others, so that it is not lost. No secret is among it.
#[component]
fn StageForm(
    stage: Stage,
    setup: Setup,
    /// The stage's own fields are in the form themselves.
    open: bool,
    children: Children,
) -> impl IntoView {
    let in_form = |field: &Field| open && field.stage == stage;
    let carried = fields(&setup.typed)
        .into_iter()
        .filter_map(|field| match field.value {
            // Whether a secret was given is in no field.
            Value::Secret { given, carried } => Some((carried, if given { "yes".to_owned() } else { String::new() })),
            Value::Text(_) if in_form(&field) => None,
            Value::Text(text) => Some((field.name, text)),
        })
        .map(|(name, value)| view! { <input type="hidden" name=name value=value /> })
        .collect_view();
    let outcomes = setup
        .outcomes
        .into_iter()
        .map(|(stage, outcome)| {
            view! { <input type="hidden" name=format!("{}_was", stage.as_str()) value=outcome.as_str() /> }
        })
        .collect_view();
    view! {
        <form class=open.then_some("body") method="post" action="/setup#open">
            {carried}
            {outcomes}
            <input type="hidden" name="subject" value=stage.as_str() />
            {children()}
        </form>
    }
}

/// What is typed in one field, or was.
struct Field {
    stage: Stage,
    /// Of the input, and what it is posted by.
    name: &'static str,
    label: &'static str,
    hint: &'static str,
    required: bool,
    value: Value,
}

enum Value {
    Text(String),
    /// Never given back: the forms carry only whether there was one, by this name.
    Secret {
        given: bool,
        carried: &'static str,
    },
}

/// Every field of every stage, in the order of the page.
fn fields(typed: &Typed) -> Vec<Field> {
    const ONCE: &str = "Used for this test only; type it again for another";
    let typed = typed.clone();
    let field = |stage, name, label, hint, required, text| Field {
        stage,
        name,
        label,
        hint,
        required,
        value: Value::Text(text),
    };
    let secret = |stage, name, label, given, carried| Field {
        stage,
        name,
        label,
        hint: ONCE,
        required: false,
        value: Value::Secret { given, carried },
    };
    let offset = "local (this server’s), utc, or an offset such as +01:00";
    let home = "Empty for the user’s home database";
    let (such_file, such_folder) = ("Such as /srv/hybridflow/metadata.db", "Such as /srv/hybridflow/backups");
    vec![
        field(Stage::Sqlite, "metadata", "Path of metadata.db", such_file, true, typed.metadata),
        field(Stage::Sqlite, "local_offset", "Zone of the pipeline’s local times", offset, true, typed.local_offset),
        field(Stage::Sqlite, "deployment", "Name of the deployment", "As every page shows it", false, typed.deployment),
        field(Stage::Qdrant, "qdrant_url", "Address", "Such as http://127.0.0.1:6334", true, typed.qdrant_url),
        secret(Stage::Qdrant, "qdrant_key", "API key", typed.qdrant_with_key, "qdrant_with_key"),
        field(Stage::Neo4j, "neo4j_uri", "Bolt address", "Such as bolt://127.0.0.1:7687", true, typed.neo4j_uri),
        field(Stage::Neo4j, "neo4j_user", "User of Neo4j", "", true, typed.neo4j_user),
        secret(Stage::Neo4j, "neo4j_password", "Password of Neo4j", typed.neo4j_with_password, "neo4j_with_password"),
        field(Stage::Neo4j, "neo4j_database", "Database", home, false, typed.neo4j_database),
        field(Stage::Backups, "backups", "Folder of the backups", such_folder, true, typed.backups),
    ]
}

/// What a stage is about.
fn lead(stage: Stage) -> Option<&'static str> {
    match stage {
        Stage::Sqlite => Some(
            "HybridFlow’s own database, as a file on the machine where Stepback runs. Stepback’s user must be able to write it \
             and its folder.",
        ),
        Stage::Qdrant => Some("The gRPC address, which is not the one of Qdrant’s dashboard."),
        Stage::Backups => Some("The folder that holds latest-copy and a folder for each kept version."),
        Stage::Neo4j | Stage::File => None,
    }
}

/// One field to be filled in.
#[component]
fn StageInput(field: Field, error: Option<String>) -> impl IntoView {
    let (kind, text) = match field.value {
        Value::Secret { .. } => (FieldKind::Secret, String::new()),
        Value::Text(text) if field.name == "deployment" => (FieldKind::Words, text),
        Value::Text(text) => (FieldKind::Technical, text),
    };
    view! {
        <TextField
            id=field.name
            name=field.name
            label=field.label
            kind=kind
            value=text
            error=error
            hint=field.hint
            required=field.required
        />
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

#[cfg(test)]
mod tests {
    use super::*;

    /// What a form posts, by name.
    fn posted(setup: &Setup, stage: Stage, open: bool) -> Vec<String> {
        let form = Owner::new().with(|| {
            view! {
                <StageForm stage=stage setup=setup.clone() open=open>
                    ""
                </StageForm>
            }
            .to_html()
        });
        form.split(" name=\"").skip(1).filter_map(|rest| Some(rest.split('"').next()?.to_owned())).collect()
    }

    #[test]
    fn every_form_carries_what_its_own_fields_do_not_hold_and_no_secret() {
        let typed = Typed { qdrant_with_key: true, metadata: "/srv/metadata.db".into(), ..Typed::default() };
        let setup = Setup { typed, ..Setup::default() };
        let folded = posted(&setup, Stage::Qdrant, false);
        assert_eq!(folded.len(), 11, "{folded:?}");
        let open = posted(&setup, Stage::Qdrant, true);
        let own: Vec<_> = folded.iter().filter(|name| !open.contains(name)).collect();
        assert_eq!(own, ["qdrant_url"]);
        for name in ["qdrant_key", "neo4j_password"] {
            assert!(!folded.iter().any(|n| n == name), "{folded:?}");
        }
    }
}
