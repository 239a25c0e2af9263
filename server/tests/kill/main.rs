//! The kill matrix: the program as a process of its own gets SIGKILL at every event of a run and at random moments, is
//! started again, and takes the run up. What it leaves is compared with an undisturbed run, by a reader of its own: all
//! tables, vectors and graph, the registry's row, the operation log, the files, and the journal.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test stops where something is wrong")]

mod child;
mod place;
#[allow(dead_code, reason = "the adapters' tests use all of it")]
#[path = "../../../crates/rollback-stores/tests/proxy_weather/proxy.rs"]
mod proxy;
mod rivals;
mod servers;
mod terminated;

use std::sync::Mutex;
use std::time::{Duration, Instant};

use child::run;
use place::{Base, Contents, Place, Story, ended, resume};
use serde_json::Value;

/// Deaths at one time: the machine of the tests is small.
const AT_ONCE: usize = 3;

/// How a whole run ended, to compare with.
struct Reference {
    state: String,
    events: u64,
    took: Duration,
    contents: Contents,
}

#[derive(Clone, Copy, Debug)]
enum Death {
    /// As soon as this event was seen.
    AfterEvent(u64),
    /// So long after the start was asked for.
    At(Duration),
}

fn undisturbed(base: &Base) -> Reference {
    let place = base.copy();
    let server = place.server();
    let begun = Instant::now();
    let id = base.begin(&server);
    let view = ended(&server, id);
    let took = begun.elapsed();
    server.kill();
    let (state, events) = (view["state"].as_str().unwrap().to_owned(), view["last_event"].as_u64().unwrap());
    the_journal_is_sound(&place);
    Reference { state, events, took, contents: Contents::of(&place) }
}

/// Kills one run of a copy and takes it up again; whether it was interrupted at all.
fn die(base: &Base, reference: &Reference, death: Death) -> bool {
    let place = base.copy();
    let interrupted = die_and_live(base, &place, &reference.state, death);
    if let Some(difference) = Contents::of(&place).difference(&reference.contents) {
        panic!("{:?}, {death:?}: it ends otherwise than an undisturbed run: {difference}", base.story);
    }
    interrupted
}

/// The death itself, and the run's way to its end; whether it was interrupted at all.
fn die_and_live(base: &Base, place: &Place, state: &str, death: Death) -> bool {
    let server = place.server();
    match death {
        Death::AfterEvent(number) => {
            let id = base.begin(&server);
            server.client.events(id, |event| event["number"].as_u64().unwrap() >= number);
            server.kill();
        }
        Death::At(after) => {
            let request = base.request(&server);
            let client = server.client.clone();
            let asking = std::thread::spawn(move || client.send("POST", "/api/v1/runs", Some(&request)));
            // The random moment itself: there is no condition to wait for.
            std::thread::sleep(after);
            server.kill();
            asking.join().unwrap();
        }
    }

    let server = place.server();
    let runs = server.client.ask(200, "GET", "/api/v1/runs?limit=200", None);
    let runs = runs["items"].as_array().unwrap();
    assert!(runs.len() <= base.runs + 1, "{death:?}: more runs than were started");
    let id = if runs.len() == base.runs { base.begin(&server) } else { runs[0]["id"].as_i64().unwrap() };
    let view = server.client.ask(200, "GET", &format!("/api/v1/runs/{id}"), None);
    let interrupted = view["state"] == "interrupted";
    if interrupted {
        resume(&server, id);
    }
    let view = ended(&server, id);
    assert_eq!(view["state"], state, "{:?}, {death:?}: {view:#}", base.story);
    the_story_has_no_gap(&server.client.events(id, |_| false), interrupted);
    server.kill();
    the_journal_is_sound(place);
    interrupted
}

fn the_story_has_no_gap(events: &[Value], interrupted: bool) {
    let numbers: Vec<u64> = events.iter().map(|event| event["number"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>());
    let of = |kind: &str| events.iter().filter(|event| event["type"] == kind).count();
    let times = usize::from(interrupted);
    assert_eq!((of("run_interrupted"), of("run_resumed"), of("run_ended")), (times, times, 1));
    // Also of a run that was killed between its opening and its first event.
    assert_eq!((&events[0]["type"], of("run_started")), (&"run_started".into(), 1));
    assert_eq!(events.last().unwrap()["type"], "run_ended");
}

fn the_journal_is_sound(place: &Place) {
    let (code, said) = run(&["journal", "check", "--json", "--config", &place.config()]);
    assert_eq!(code, 0, "{said}");
}

/// Carries the deaths out, a few at a time.
fn all(base: &Base, reference: &Reference, deaths: Vec<Death>) -> usize {
    let (deaths, interrupted) = (Mutex::new(deaths), Mutex::new(0));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let Some(death) = deaths.lock().unwrap().pop() else { return };
                    let was = die(base, reference, death);
                    *interrupted.lock().unwrap() += usize::from(was);
                }
            });
        }
    });
    interrupted.into_inner().unwrap()
}

fn at_every_event(story: Story) {
    let base = Base::of(story, &[]);
    let reference = undisturbed(&base);
    let deaths: Vec<Death> = (1..=reference.events).map(Death::AfterEvent).collect();
    let interrupted = all(&base, &reference, deaths);
    assert!(interrupted > 0, "no run was interrupted: the kills came too late to prove anything");
}

#[test]
fn a_rollback_killed_at_every_event() {
    at_every_event(Story::Rollback);
}

#[test]
fn a_rollback_of_the_per_version_layout_killed_at_every_event() {
    at_every_event(Story::RollbackPerVersion);
}

#[test]
fn a_rollback_with_restores_killed_at_every_event() {
    at_every_event(Story::RollbackWithRestores);
}

#[test]
fn a_restore_of_production_killed_at_every_event() {
    at_every_event(Story::RestoreProduction);
}

#[test]
fn an_undo_killed_at_every_event() {
    at_every_event(Story::UndoRestore);
}

#[test]
fn a_new_backup_killed_at_every_event() {
    at_every_event(Story::MakeBackup);
}

/// Every kind of run that can be killed.
const STORIES: [Story; 6] = [
    Story::RollbackWithRestores,
    Story::Rollback,
    Story::RestoreProduction,
    Story::UndoRestore,
    Story::MakeBackup,
    Story::RollbackPerVersion,
];

/// How many of the kills that a variable asks for, or `usual`, fall to each kind of run.
fn shares(variable: &str, usual: u32) -> impl Iterator<Item = (Story, u32)> {
    let kills: u32 = std::env::var(variable).map_or(usual, |text| text.parse().unwrap());
    let share = move |n: u32| kills / 6 + u32::from(n < kills % 6);
    STORIES.into_iter().zip((0..).map(share)).filter(|(_, share)| *share > 0)
}

/// Random moments, the same ones for the same seed.
struct Moments(u64);

impl Moments {
    /// Of `STEPBACK_KILL_SEED`, or the one of every day. What a test prints is shown when it fails.
    fn new() -> Self {
        let seed = std::env::var("STEPBACK_KILL_SEED").map_or(0x9e37_79b9_7f4a_7c15, |text| text.parse().unwrap());
        eprintln!("moments of the seed {seed}: repeat them with STEPBACK_KILL_SEED={seed}");
        assert_ne!(seed, 0, "of this seed all moments are the same");
        Self(seed)
    }

    /// The next one, within a run that took so long.
    fn within(&mut self, took: Duration) -> Death {
        // xorshift: any sequence will do, if it is the same tomorrow.
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        Death::At(took.mul_f64((self.0 >> 11) as f64 / (1_u64 << 53) as f64))
    }
}

/// `STEPBACK_KILLS` moments, 200 when it is not set, spread over the kinds of run.
#[test]
fn runs_killed_at_random_moments() {
    let mut moments = Moments::new();
    let (mut kills, mut interrupted) = (0, 0);
    for (story, share) in shares("STEPBACK_KILLS", 200) {
        let base = Base::of(story, &[]);
        let reference = undisturbed(&base);
        let deaths = (0..share).map(|_| moments.within(reference.took));
        interrupted += all(&base, &reference, deaths.collect());
        kills += share;
    }
    assert!(kills < 12 || interrupted > 0, "no run was interrupted: the kills proved nothing");
}
