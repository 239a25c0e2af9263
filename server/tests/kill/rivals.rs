//! Two processes with data folders of their own over one deployment, and many readers of one run.

use std::sync::Barrier;

use serde_json::{Value, json};

use crate::child::{Server, run};
use crate::place::{Base, Contents, Story, ended, table};

/// A hundred starts, half of them from each process.
const STARTS: usize = 100;

#[test]
fn a_hundred_starts_at_once_from_two_processes_give_one_run() {
    let base = Base::of(Story::Rollback, &[]);
    let undisturbed = crate::undisturbed(&base);
    let place = base.copy();
    // The same stores, another folder of Stepback's own.
    let settings = std::fs::read_to_string(place.path("stepback.toml")).unwrap();
    let second = place.path("second.toml");
    std::fs::write(&second, settings.replace("dir = \"stepback-data\"", "dir = \"stepback-second\"")).unwrap();
    let config = second.to_str().unwrap();
    let (0, token) = run(&["token", "create", "second", "--role", "administrator", "--config", config]) else {
        panic!("no token")
    };
    let servers = [place.server(), Server::start_with(&second, token.trim())];
    let requests = servers.each_ref().map(|server| base.request(server));
    let together = Barrier::new(STARTS);
    let answers: Vec<(usize, u16, Value)> = std::thread::scope(|scope| {
        let asking: Vec<_> = (0..STARTS)
            .map(|n| {
                let (which, together) = (n % 2, &together);
                let (client, request) = (servers[which].client.clone(), &requests[which]);
                scope.spawn(move || {
                    together.wait();
                    let (status, answer) = client.send("POST", "/api/v1/runs", Some(request)).expect("it died");
                    (which, status, answer)
                })
            })
            .collect();
        asking.into_iter().map(|asked| asked.join().unwrap()).collect()
    });

    let mut completed = 0;
    for (which, server) in servers.iter().enumerate() {
        let started: Vec<&Value> =
            answers.iter().filter(|(of, status, _)| (*of, *status) == (which, 201)).map(|(_, _, view)| view).collect();
        let runs = server.client.ask(200, "GET", "/api/v1/runs", None)["items"].as_array().unwrap().clone();
        assert_eq!(started.len(), runs.len(), "what was answered is what there is");
        assert!(runs.len() <= 1, "one process started {} runs", runs.len());
        let Some(id) = started.first().and_then(|view| view["id"].as_i64()) else { continue };
        server.client.events(id, |event| event["type"] == "decision_needed");
        let view = server.client.ask(200, "GET", &format!("/api/v1/runs/{id}"), None);
        if view["state"] == "completed" {
            completed += 1;
            continue;
        }
        // The other one lost in step 1 or 2, before it had changed anything, and says why.
        assert_eq!(view["state"], "needs_decision", "{view:#}");
        let failed = view["steps"].as_array().unwrap().iter().find(|step| step["state"] == "failed").unwrap();
        let word = failed["step"].as_str().unwrap();
        assert!(["identify", "mark"].contains(&word), "{view:#}");
        let told = failed["error"]["message"].as_str().unwrap();
        assert!(told.contains("rolling_back") || told.contains("rolled_back"), "it does not say what it met: {told}");
        let abort = json!({ "step": word, "decision": "abort" });
        server.client.ask(200, "POST", &format!("/api/v1/runs/{id}/decision"), Some(&abort));
        server.client.events(id, |_| false);
    }
    assert_eq!(completed, 1, "{answers:#?}");
    for (_, status, answer) in &answers {
        assert!([201, 409, 422].contains(status), "{status}: {answer}");
    }
    for server in servers {
        server.kill();
    }
    std::fs::remove_file(&second).unwrap();
    if let Some(difference) = Contents::of(&place).difference(&undisturbed.contents) {
        panic!("two rivals left something else than one run: {difference}");
    }
}

/// The one that comes later is told who holds the version.
#[test]
fn a_second_process_is_told_who_holds_the_version() {
    let base = Base::of(Story::Rollback, &[]);
    let place = base.copy();
    let server = place.server();
    let id = base.begin(&server);
    server.client.events(id, |event| event["type"] == "step_completed" && event["step"] == "mark");
    server.kill();
    let settings = std::fs::read_to_string(place.path("stepback.toml")).unwrap();
    let second = place.path("second.toml");
    std::fs::write(&second, settings.replace("dir = \"stepback-data\"", "dir = \"stepback-second\"")).unwrap();
    let config = second.to_str().unwrap();
    let (_, token) = run(&["token", "create", "second", "--role", "administrator", "--config", config]);
    let other = Server::start_with(&second, token.trim());
    let log = table(
        &place,
        "metadata.db",
        "SELECT details FROM operation_log WHERE status = 'in_progress' AND details LIKE '%[Stepback run %'",
    );
    let key = log[0].rsplit_once("[Stepback run ").unwrap().1.trim_end_matches(']').to_owned();
    let plan = base.plan(&other);
    let asked = plan["acknowledgements"].as_array().unwrap().iter().find(|a| a["code"] == "take_over").unwrap();
    assert!(asked.to_string().contains(&key), "{asked} does not name {key}");
}

/// Readers that hang up at random places and come back see one story.
#[test]
fn a_hundred_readers_that_come_and_go_see_the_same_story() {
    let base = Base::of(Story::RollbackWithRestores, &[]);
    let place = base.copy();
    let server = place.server();
    let id = base.begin(&server);
    let stories: Vec<Vec<Value>> = std::thread::scope(|scope| {
        let reading: Vec<_> = (0..100_u64)
            .map(|reader| {
                let client = server.client.clone();
                scope.spawn(move || {
                    let mut story: Vec<Value> = Vec::new();
                    let mut random = reader + 1;
                    while story.last().is_none_or(|event| event["type"] != "run_ended") {
                        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                        let mut left = random >> 61;
                        let known = story.len() as u64;
                        story.extend(client.events_after(id, known, |_| {
                            left = left.saturating_sub(1);
                            left == 0
                        }));
                    }
                    story
                })
            })
            .collect();
        reading.into_iter().map(|reader| reader.join().unwrap()).collect()
    });
    ended(&server, id);
    let whole = server.client.events(id, |_| false);
    assert!(whole.len() > 20);
    for story in &stories {
        assert_eq!(*story, whole);
    }
}
