//! The tests of the page `/setup`: what `stepback doctor` looks at, with what somebody typed in the place of the settings.
//!
//! Nothing is written, and no setting is changed. A secret is used for its test and dropped with the request: the answer is
//! the page itself, so that nothing has to be remembered between two requests, and no address carries anything.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use app::pages::setup::{Finding, Outcome, Setup, Stage, Typed};
use axum::extract::State;
use axum::http::Extensions;
use axum::response::{IntoResponse, Response};
use rollback_stores::secret::Secret;
use rollback_types::{AuditOutcome, Timestamp};
use serde::Deserialize;

use crate::access::door::Told;
use crate::config::{Config, ConfigError, Sources, settings_text};
use crate::doctor::{self, Check, Verdict};
use crate::problem::{ApiForm, ApiProblem};
use crate::routes::pages;
use crate::state::AppState;

/// Longer than the settings' own time-outs of a look. A store that hangs all the same is told as one.
const LONGEST: Duration = Duration::from_secs(45);

/// What the page's forms post. Not to be printed: it holds secrets.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Posted {
    /// `test`, `on` (past a test that failed) or `change`.
    act: String,
    /// The stage that it is about; under this name the audit keeps it.
    subject: String,
    deployment: String,
    metadata: String,
    local_offset: String,
    qdrant_url: String,
    qdrant_key: String,
    qdrant_with_key: String,
    neo4j_uri: String,
    neo4j_user: String,
    neo4j_password: String,
    neo4j_with_password: String,
    neo4j_database: String,
    backups: String,
    sqlite_was: String,
    qdrant_was: String,
    neo4j_was: String,
    backups_was: String,
}

/// What may be shown again, and what may not.
struct Given {
    setup: Setup,
    qdrant_key: Option<Secret>,
    neo4j_password: Option<Secret>,
}

impl From<Posted> for Given {
    fn from(posted: Posted) -> Self {
        let text = |value: &str| value.trim().to_owned();
        let typed = Typed {
            deployment: text(&posted.deployment),
            metadata: text(&posted.metadata),
            local_offset: text(&posted.local_offset),
            qdrant_url: address(&posted.qdrant_url),
            qdrant_with_key: !posted.qdrant_with_key.is_empty() || !posted.qdrant_key.is_empty(),
            neo4j_uri: address(&posted.neo4j_uri),
            neo4j_user: text(&posted.neo4j_user),
            neo4j_with_password: !posted.neo4j_with_password.is_empty() || !posted.neo4j_password.is_empty(),
            neo4j_database: text(&posted.neo4j_database),
            backups: text(&posted.backups),
        };
        let outcomes = [
            (Stage::Sqlite, &posted.sqlite_was),
            (Stage::Qdrant, &posted.qdrant_was),
            (Stage::Neo4j, &posted.neo4j_was),
            (Stage::Backups, &posted.backups_was),
        ];
        let outcomes = outcomes.into_iter().filter_map(|(stage, was)| Some((stage, Outcome::parse(was)?))).collect();
        let secret = |value: String| (!value.is_empty()).then(|| Secret::new(value));
        Self {
            setup: Setup { typed, outcomes, ..Setup::default() },
            qdrant_key: secret(posted.qdrant_key),
            neo4j_password: secret(posted.neo4j_password),
        }
    }
}

/// An address as it may be shown again: what holds an `@` may hold a password, and is typed anew.
fn address(text: &str) -> String {
    let text = text.trim();
    if text.contains('@') { String::new() } else { text.to_owned() }
}

/// Tests a stage, or goes to another one; answers with the page.
pub async fn examine(
    State(state): State<AppState>,
    extensions: Extensions,
    ApiForm(posted): ApiForm<Posted>,
) -> Response {
    let (act, stage) = (posted.act.clone(), Stage::parse(&posted.subject).filter(|stage| *stage != Stage::File));
    let Some(stage) = stage else {
        return ApiProblem::invalid("subject: allowed are sqlite, qdrant, neo4j and backups").into_response();
    };
    let with_password = |address: &str| address.contains('@');
    let hidden = [
        (Stage::Qdrant, "qdrant_url", with_password(&posted.qdrant_url)),
        (Stage::Neo4j, "neo4j_uri", with_password(&posted.neo4j_uri)),
    ];
    let hidden = hidden.into_iter().find(|(of, _, hidden)| *of == stage && *hidden).map(|(_, field, _)| field);
    let mut given = Given::from(posted);
    let told = match act.as_str() {
        "test" | "on" if hidden.is_some() => {
            let said = "It holds a user or a password, which belong into fields of their own. Type the address anew.";
            given.wrong(stage, hidden.into_iter().map(|field| (field, said.to_owned())).collect())
        }
        "test" => given.test(stage).await,
        // A test may be passed over, but nothing goes into the file that settings do not take.
        "on" if given.config(stage).is_err() => {
            let wrong = given.config(stage).err().unwrap_or_default();
            given.wrong(stage, wrong)
        }
        "on" => {
            // What is typed now need not be what was tested.
            given.setup.outcomes.insert(stage, Outcome::NotProven);
            given.go_to(first_open(&given.setup, stage.next()));
            "went on without a test that worked".to_owned()
        }
        "change" => {
            given.go_to(stage);
            "opened again".to_owned()
        }
        _ => return ApiProblem::invalid("act: allowed are test, on and change").into_response(),
    };
    let mut page = pages::show(&state, "/setup", extensions, given.setup).await;
    if page.status().is_success() {
        page.extensions_mut().insert(Told { outcome: AuditOutcome::Done, detail: told });
    }
    page
}

/// The first stage from this one on that was not tested yet.
fn first_open(setup: &Setup, from: Stage) -> Stage {
    let open = Stage::ALL.into_iter().filter(|stage| *stage >= from).find(|stage| !setup.outcomes.contains_key(stage));
    open.unwrap_or(Stage::File)
}

impl Given {
    /// What cannot be as it was typed is told with its field; nothing is tested.
    fn wrong(&mut self, stage: Stage, wrong: BTreeMap<&'static str, String>) -> String {
        self.setup.wrong = wrong;
        self.setup.outcomes.remove(&stage);
        self.setup.open = stage;
        "not tested: what was typed is not allowed".to_owned()
    }

    fn go_to(&mut self, stage: Stage) {
        self.setup.open = stage;
        if stage == Stage::File {
            self.setup.file = Some(file(&self.setup, Timestamp::now()));
        }
    }

    /// Tests a stage and goes on if it works. Returns what the audit is told, in which nothing typed stands.
    async fn test(&mut self, stage: Stage) -> String {
        let config = match self.config(stage) {
            Ok(config) => config,
            Err(wrong) => return self.wrong(stage, wrong),
        };
        let look = async {
            match stage {
                Stage::Sqlite => doctor::examine_records(&config, &crate::wiring::records(&config)).await,
                Stage::Qdrant => vec![doctor::examine_vectors(&config).await],
                Stage::Neo4j => vec![doctor::examine_graph(&config).await],
                Stage::Backups | Stage::File => {
                    // It reads whole files: on a thread that nobody else waits for.
                    let looked = tokio::task::spawn_blocking(move || doctor::examine_backups(&config)).await;
                    looked.unwrap_or_else(|_| vec![hangs(stage)])
                }
            }
        };
        let checks = tokio::time::timeout(LONGEST, look).await.unwrap_or_else(|_| vec![hangs(stage)]);
        match stage {
            Stage::Qdrant => self.setup.typed.qdrant_with_key = self.qdrant_key.is_some(),
            Stage::Neo4j => self.setup.typed.neo4j_with_password = self.neo4j_password.is_some(),
            Stage::Sqlite | Stage::Backups | Stage::File => {}
        }
        let findings: Vec<Finding> = checks.into_iter().map(finding).collect();
        let worst = findings.iter().map(|finding| finding.outcome).max().unwrap_or(Outcome::Failed);
        self.setup.findings = Some((stage, findings));
        self.setup.outcomes.insert(stage, worst);
        if worst == Outcome::Failed {
            self.setup.open = stage;
        } else {
            self.go_to(first_open(&self.setup, Stage::Sqlite));
        }
        format!("tested, {}", worst.as_str())
    }

    /// Settings with what was typed for this stage, and the defaults for everything else; or what is wrong, by field.
    fn config(&self, stage: Stage) -> Result<Config, BTreeMap<&'static str, String>> {
        let typed = &self.setup.typed;
        let fields: &[(&str, &str, &String)] = match stage {
            Stage::Sqlite => &[
                ("sqlite.metadata", "metadata", &typed.metadata),
                ("sqlite.local_offset", "local_offset", &typed.local_offset),
            ],
            Stage::Qdrant => &[("qdrant.url", "qdrant_url", &typed.qdrant_url)],
            Stage::Neo4j => &[
                ("neo4j.uri", "neo4j_uri", &typed.neo4j_uri),
                ("neo4j.user", "neo4j_user", &typed.neo4j_user),
                ("neo4j.database", "neo4j_database", &typed.neo4j_database),
            ],
            // The vectors' kind tells which snapshots can be restored.
            Stage::Backups | Stage::File if !typed.qdrant_url.is_empty() => {
                &[("backups.dir", "backups", &typed.backups), ("qdrant.url", "qdrant_url", &typed.qdrant_url)]
            }
            Stage::Backups | Stage::File => &[("backups.dir", "backups", &typed.backups)],
        };
        let mut wrong = BTreeMap::new();
        for (_, field, value) in fields {
            if value.is_empty() && *field != "neo4j_database" {
                wrong.insert(*field, "It is empty.".to_owned());
            } else if matches!(*field, "metadata" | "backups") && !value.starts_with('/') {
                wrong.insert(*field, "Give the whole path, from the first / on.".to_owned());
            }
        }
        if !wrong.is_empty() {
            return Err(wrong);
        }
        let flags = fields.iter().filter(|(.., value)| !value.is_empty());
        let flags = flags.map(|(key, field, value)| (*key, *field, (*value).clone())).collect();
        let sources = Sources { flags, working_dir: PathBuf::from("/"), without_file: true, ..Sources::default() };
        let mut config = Config::load(&sources).map_err(|error| of_error(fields, &error))?;
        config.qdrant.api_key = self.qdrant_key.clone();
        config.neo4j.password = self.neo4j_password.clone();
        Ok(config)
    }
}

/// An error about a setting, told with the field that gave it.
fn of_error(fields: &[(&'static str, &'static str, &String)], error: &ConfigError) -> BTreeMap<&'static str, String> {
    let (key, said) = match error {
        ConfigError::WrongValue { key, allowed, .. } => (*key, format!("That is not allowed. Allowed: {allowed}.")),
        other => ("", other.to_string()),
    };
    let field = fields.iter().find(|(of, ..)| *of == key).or(fields.first()).map_or("", |(_, field, _)| *field);
    BTreeMap::from([(field, said)])
}

fn hangs(stage: Stage) -> Check {
    let seen = format!("no answer within {} seconds", LONGEST.as_secs());
    Check::failed(stage.title(), seen, "Look whether it hangs, or a firewall on the way swallows what is sent.")
}

fn finding(check: Check) -> Finding {
    let outcome = match check.verdict {
        Verdict::Ok => Outcome::Good,
        Verdict::Warn => Outcome::Warned,
        Verdict::Fail => Outcome::Failed,
    };
    Finding { subject: check.subject, outcome, seen: check.seen, remedy: check.remedy }
}

/// The finished settings. Secrets are in files of their own, which it names.
fn file(setup: &Setup, at: Timestamp) -> String {
    use app::pages::setup::FOLDER;
    let typed = &setup.typed;
    let or = |value: &str, default: &str| if value.is_empty() { default.to_owned() } else { value.to_owned() };
    let mut sections: Vec<(&str, Vec<(&str, String)>)> = vec![
        ("", vec![("deployment", or(&typed.deployment, "hybridflow"))]),
        ("data", vec![("dir", "/var/lib/stepback".to_owned())]),
        ("sqlite", vec![("metadata", typed.metadata.clone()), ("local_offset", or(&typed.local_offset, "local"))]),
    ];
    let mut qdrant = vec![("url", typed.qdrant_url.clone())];
    if typed.qdrant_with_key {
        qdrant.push(("api_key_file", format!("{FOLDER}/qdrant-key")));
    }
    let mut neo4j = vec![("uri", typed.neo4j_uri.clone()), ("user", or(&typed.neo4j_user, "neo4j"))];
    if typed.neo4j_with_password {
        neo4j.push(("password_file", format!("{FOLDER}/neo4j-password")));
    }
    if !typed.neo4j_database.is_empty() {
        neo4j.push(("database", typed.neo4j_database.clone()));
    }
    sections.extend([("qdrant", qdrant), ("neo4j", neo4j), ("backups", vec![("dir", typed.backups.clone())])]);
    let outcomes = setup.outcomes.iter().map(|(stage, outcome)| format!("{} {}", stage.title(), outcome.as_str()));
    let outcomes: Vec<String> = outcomes.collect();
    let head = format!("Made by Stepback's page on {at}.\nIts tests: {}.", outcomes.join(", "));
    settings_text(&head, &sections)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(posted: Posted) -> Given {
        Given::from(posted)
    }

    #[test]
    fn the_finished_file_is_read_as_it_was_typed() {
        let posted = Posted {
            deployment: "hybridflow \"production\" \\ 'x' = 1\u{7f}".into(),
            metadata: "/srv/hybrid flow/metadata.db".into(),
            local_offset: "+01:00".into(),
            qdrant_url: "http://127.0.0.1:6334".into(),
            neo4j_uri: "bolt://127.0.0.1:7687".into(),
            neo4j_user: "neo4j".into(),
            backups: "/srv/backups]\n[evil".into(),
            ..Posted::default()
        };
        let typed = given(posted).setup;
        let text = file(&typed, Timestamp::from_unix_ms(0));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stepback.toml");
        std::fs::write(&path, &text).unwrap();
        let config = Config::load(&Sources { file: Some(path), ..Sources::default() }).expect(&text);
        assert_eq!(config.deployment, typed.typed.deployment, "{text}");
        assert_eq!(config.sqlite.metadata, PathBuf::from(&typed.typed.metadata));
        assert_eq!(config.backups_dir, PathBuf::from(&typed.typed.backups));
        assert_eq!(config.qdrant.url, Some(typed.typed.qdrant_url));
        assert_eq!(config.neo4j.uri, Some(typed.typed.neo4j_uri));
    }

    #[test]
    fn secrets_are_named_as_files_and_never_written() {
        let mut given =
            given(Posted { qdrant_key: "hunter2".into(), neo4j_password: "hunter3".into(), ..Posted::default() });
        given.setup.typed.qdrant_with_key = true;
        given.setup.typed.neo4j_with_password = true;
        let text = file(&given.setup, Timestamp::from_unix_ms(0));
        assert!(text.contains("api_key_file") && text.contains("password_file"), "{text}");
        assert!(!text.contains("hunter"), "{text}");
    }

    #[test]
    fn what_is_not_allowed_is_told_with_its_field() {
        let wrong = |stage, posted| given(posted).config(stage).expect_err("it is refused");
        let nothing = wrong(Stage::Sqlite, Posted::default());
        assert_eq!(nothing.keys().copied().collect::<Vec<_>>(), ["local_offset", "metadata"]);
        let relative = Posted { metadata: "metadata.db".into(), local_offset: "utc".into(), ..Posted::default() };
        assert!(wrong(Stage::Sqlite, relative)["metadata"].contains("whole path"));
        let address = wrong(Stage::Qdrant, Posted { qdrant_url: "localhost".into(), ..Posted::default() });
        assert!(address["qdrant_url"].contains("gRPC port"), "{address:?}");
        let offset = Posted { metadata: "/m".into(), local_offset: "noon".into(), ..Posted::default() };
        assert!(wrong(Stage::Sqlite, offset).contains_key("local_offset"));
    }

    #[test]
    fn an_address_with_a_password_in_it_is_not_shown_again() {
        let setup = given(Posted { qdrant_url: "http://me:hunter2@host:6334".into(), ..Posted::default() }).setup;
        assert_eq!(setup.typed.qdrant_url, "");
    }

    #[test]
    fn one_goes_to_what_was_not_tested_yet() {
        let mut setup = Setup::default();
        assert_eq!(first_open(&setup, Stage::Sqlite), Stage::Sqlite);
        setup.outcomes.extend([(Stage::Sqlite, Outcome::Good), (Stage::Neo4j, Outcome::Failed)]);
        assert_eq!(first_open(&setup, Stage::Sqlite), Stage::Qdrant);
        setup.outcomes.extend([(Stage::Qdrant, Outcome::Good), (Stage::Backups, Outcome::Warned)]);
        assert_eq!(first_open(&setup, Stage::Sqlite), Stage::File);
    }
}
