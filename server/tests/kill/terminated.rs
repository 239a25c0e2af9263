//! SIGTERM, as whoever runs the machine sends it, at the places where a run may stand for long: while it waits for a person, while a
//! server takes a copy in, and during the validation. It ends by itself, says so in the journal, and what is resumed ends alike.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc;

use rollback_stores::qdrant_double::{Call, QdrantDouble};

use crate::child::Server;
use crate::place::{Base, Contents, Place, Story, ended, resume};
use crate::{the_journal_is_sound, the_story_has_no_gap};

/// Longer than anything here takes: a hang fails the test.
const LIMIT: std::time::Duration = std::time::Duration::from_secs(120);

/// A demo of which no backup is tried at some moment of its own.
fn base(story: Story, servers: &[&str]) -> Base {
    let base = Base::of(story, servers);
    change_settings(&base.place, |text| text.replace("trial_restore_every = \"7d\"", "trial_restore_every = \"off\""));
    base
}

fn change_settings(place: &Place, change: impl FnOnce(String) -> String) {
    let settings = place.path("stepback.toml");
    let text = change(fs::read_to_string(&settings).unwrap());
    fs::write(settings, text).unwrap();
}

/// Carries the run out, undisturbed; how it ended.
fn undisturbed(base: &Base, place: &Place) -> String {
    let server = place.server();
    let view = ended(&server, base.begin(&server));
    server.kill();
    view["state"].as_str().unwrap().to_owned()
}

/// After the signal: the run is interrupted, for the reason that is so, and is taken up to the same end.
fn taken_up(place: &Place, run: i64, state: &str) {
    let server = place.server();
    let view = server.client.ask(200, "GET", &format!("/api/v1/runs/{run}"), None);
    assert_eq!(view["state"], "interrupted", "{view:#}");
    resume(&server, run);
    // What came before tells of the question that it waited for.
    let last = view["last_event"].as_u64().unwrap();
    server.client.events_after(run, last, |event| event["type"] == "decision_needed");
    let view = server.client.ask(200, "GET", &format!("/api/v1/runs/{run}"), None);
    assert_eq!(view["state"], state, "{view:#}");
    let events = server.client.events(run, |_| false);
    the_story_has_no_gap(&events, true);
    let interrupted = events.iter().find(|event| event["type"] == "run_interrupted").unwrap();
    assert_eq!(interrupted["stopped"], true, "told by the process that ended, not found by the next one");
    server.kill();
    the_journal_is_sound(place);
}

fn same(place: &Place, as_in: &Place) {
    assert_eq!(Contents::of(place).difference(&Contents::of(as_in)), None);
}

#[test]
fn terminated_while_it_waits_for_a_decision() {
    let base = base(Story::Rollback, &[]);
    let (place, whole) = (base.copy(), base.copy());
    let state = undisturbed(&base, &whole);

    let server = place.server();
    // Where the copy of the staged rows belongs a file stands: step 3 fails, and the run asks.
    let evidence = place.path("stepback-data/evidence");
    fs::remove_dir_all(&evidence).unwrap();
    fs::write(&evidence, "in the way").unwrap();
    let run = base.begin(&server);
    let mut asked = false;
    server.client.events(run, |event| {
        asked = event["type"] == "decision_needed";
        asked
    });
    assert!(asked, "it did not fail");
    server.terminate();
    fs::remove_file(&evidence).unwrap();

    taken_up(&place, run, &state);
    same(&place, &whole);
}

/// The operator's own search test, which tells that it is at work and then waits to be let go. What it needs is in a folder of its own.
struct Search(PathBuf);

impl Search {
    fn of(place: &Place) -> Self {
        let folder = place.path("stepback-search");
        fs::create_dir_all(&folder).unwrap();
        for pipe in ["begun", "go"] {
            assert!(Command::new("mkfifo").arg(folder.join(pipe)).status().unwrap().success());
        }
        let script = folder.join("search");
        let text =
            "#!/bin/sh\ncd \"$(dirname \"$0\")\" || exit 1\n[ -e released ] && exit 0\n: > begun\nread -r _ < go\n";
        fs::write(&script, text).unwrap();
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
        change_settings(place, |text| format!("{text}\n[search]\ncommand = [{script:?}]\n"));
        Self(folder)
    }

    /// Returns once it is at work: a pipe opens when both its ends are.
    fn reached(&self) {
        let (pipe, (tell, told)) = (self.0.join("begun"), mpsc::channel());
        std::thread::spawn(move || tell.send(File::open(pipe).map(drop)));
        told.recv_timeout(LIMIT).expect("the search test was not run").unwrap();
    }

    fn release(folder: &Path) {
        fs::write(folder.join("released"), "").unwrap();
    }
}

#[test]
fn terminated_during_the_validation() {
    let base = base(Story::Rollback, &[]);
    let (place, whole) = (base.copy(), base.copy());
    Search::release(&Search::of(&whole).0);
    let state = undisturbed(&base, &whole);

    let search = Search::of(&place);
    let server = place.server();
    let run = base.begin(&server);
    search.reached();
    server.terminate();
    Search::release(&search.0);

    taken_up(&place, run, &state);
    same(&place, &whole);
}

/// A demo whose vectors are in a Qdrant of its own.
fn on_qdrant() -> (QdrantDouble, Base) {
    let double = QdrantDouble::start().unwrap();
    let base = base(
        Story::RollbackWithRestores,
        &["--qdrant-url", &double.grpc_url(), "--qdrant-rest-url", &double.rest_url()],
    );
    (double, base)
}

fn collections(of: &QdrantDouble) -> Vec<(String, Option<String>)> {
    of.collection_names().into_iter().map(|name| (name.clone(), of.content(&name))).collect()
}

#[test]
fn terminated_while_a_server_takes_the_copy_in() {
    let (undisturbed_double, whole) = on_qdrant();
    let state = undisturbed(&whole, &whole.place);

    let (double, base) = on_qdrant();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let server: Server = base.place.server();
    // The first upload is the trial's, the second production's.
    let trial = double.hold_next(Call::UploadSnapshot);
    let run = base.begin(&server);
    runtime.block_on(trial.reached());
    let restore = double.hold_next(Call::UploadSnapshot);
    trial.open();
    runtime.block_on(restore.reached());
    server.terminate();
    restore.open();

    taken_up(&base.place, run, &state);
    same(&base.place, &whole.place);
    assert_eq!(collections(&double), collections(&undisturbed_double));
    assert_eq!(double.alias_pairs(), undisturbed_double.alias_pairs());
}
