//! The whole server inside the test, on a runtime of its own, so that it can be killed as a process can.

use std::fs::File;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use access::{Access, UserName};
use rollback_types::Role;
use serde_json::{Value, json};
use stepback_server::assets::Site;
use stepback_server::config::Config;
use stepback_server::{WiringError, answer, wire};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;

use crate::client::{Answer, Client};
use crate::event_stream::Stream;

/// A server on a free loopback port.
pub struct App {
    pub client: Client,
    /// What the server itself asks who may do what.
    pub access: Arc<Access>,
    runtime: Option<Runtime>,
    lock: Option<File>,
    stop: watch::Sender<bool>,
}

impl Deref for App {
    type Target = Client;
    fn deref(&self) -> &Client {
        &self.client
    }
}

impl App {
    pub async fn start(config: &Config) -> Self {
        Self::try_start(config).await.unwrap()
    }

    pub async fn try_start(config: &Config) -> Result<Self, WiringError> {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let config = config.clone();
        let serving = async move {
            let wired = wire(&config).await?;
            let (stop, stopping) = watch::channel(false);
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            let access = wired.access.clone();
            let token = token(&access, "tests", Role::Administrator).await;
            let client = Client { address, token: None }.with_token(&token);
            let serving = answer(&config, listener, &wired, Arc::new(Site::without_files()), stopping).unwrap();
            tokio::spawn(serving);
            Ok((client, access, wired.lock, stop))
        };
        let started = runtime.spawn(serving).await.unwrap();
        match started {
            Ok((client, access, lock, stop)) => {
                Ok(Self { client, access, runtime: Some(runtime), lock: Some(lock), stop })
            }
            Err(error) => {
                runtime.shutdown_background();
                Err(error)
            }
        }
    }

    /// Ends everything in the middle of what it does, as a killed process would, and waits until it is gone.
    pub async fn kill(mut self) {
        let runtime = self.runtime.take();
        tokio::task::spawn_blocking(move || {
            if let Some(runtime) = runtime {
                runtime.shutdown_timeout(Duration::from_secs(30));
            }
        })
        .await
        .unwrap();
        self.lock.take();
    }

    /// Tasks of the server that are not done.
    pub fn tasks(&self) -> usize {
        self.runtime.as_ref().map_or(0, |runtime| runtime.metrics().num_alive_tasks())
    }

    /// Tells the streams that the server stops, as a signal would.
    pub fn begin_to_stop(&self) {
        self.stop.send_replace(true);
    }

    pub async fn plan(&self, version: &str) -> Value {
        self.plan_of("rollback", version).await
    }

    /// The plan of a run of any kind.
    pub async fn plan_of(&self, kind: &str, subject: &str) -> Value {
        self.post("/api/v1/plans", &json!({ "kind": kind, "version_id": subject })).await.json(200)
    }

    /// Plans a run of any kind, starts it with all it asks to be acknowledged, and waits for its end.
    pub async fn carry_out(&self, kind: &str, subject: &str) -> Value {
        let plan = self.plan_of(kind, subject).await;
        let run = self.post("/api/v1/runs", &Self::start_request(&plan, "carried out by a test")).await.json(201);
        let id = run["id"].as_u64().unwrap();
        let mut events = self.events(id).await;
        while let Some(message) = events.next().await {
            // Nobody decides here: the run would wait for ever.
            assert_ne!(message.kind(), "decision_needed", "{}", self.run(id).await);
        }
        self.run(id).await
    }

    /// A request to start what a plan describes, with all it asks to be acknowledged.
    pub fn start_request(plan: &Value, reason: &str) -> Value {
        let asked = plan["acknowledgements"].as_array().unwrap();
        let codes: Vec<&Value> = asked.iter().map(|a| &a["code"]).collect();
        json!({
            "kind": plan["kind"], "version_id": plan["version_id"], "confirm_version_id": plan["version_id"], "plan_digest": plan["digest"],
            "reason": reason, "acknowledgements": codes,
        })
    }

    /// Plans and starts, as an operator does who reads and acknowledges everything; returns the run's number.
    pub async fn begin(&self, version: &str, reason: &str) -> u64 {
        let plan = self.plan(version).await;
        let answer = self.post("/api/v1/runs", &Self::start_request(&plan, reason)).await;
        let run = answer.json(201);
        let id = run["id"].as_u64().unwrap();
        assert_eq!(answer.header("location"), format!("/api/v1/runs/{id}"));
        id
    }

    /// A whole rollback to its end; returns the finished run.
    pub async fn roll_back(&self, version: &str, reason: &str) -> Value {
        let id = self.begin(version, reason).await;
        self.events(id).await.read_to_end().await;
        self.run(id).await
    }

    pub async fn run(&self, id: u64) -> Value {
        self.get(&format!("/api/v1/runs/{id}")).await.json(200)
    }

    /// The run's story from its beginning.
    pub async fn events(&self, id: u64) -> Stream {
        Stream::open(self.client, id, "", &[]).await
    }

    /// The same, as soon as this holder may have one more stream.
    pub async fn events_when_free(&self, id: u64) -> Stream {
        loop {
            match Stream::try_open(self.client, id, "", &[]).await {
                Ok(stream) => return stream,
                Err(status) => assert_eq!(status, 429),
            }
        }
    }

    pub async fn decide(&self, id: u64, decision: &Value) -> Answer {
        self.post(&format!("/api/v1/runs/{id}/decision"), decision).await
    }
}

impl Drop for App {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Waiting is not allowed inside another runtime.
            runtime.shutdown_background();
        }
    }
}

/// A new token of that name; one that an earlier start of the same deployment made is revoked.
pub async fn token(access: &Access, name: &str, role: Role) -> String {
    let of_old = access.tokens().await.unwrap();
    for old in of_old.iter().filter(|t| t.name == name && t.revoked_at.is_none()) {
        access.revoke(&old.id).await.unwrap();
    }
    let (_, secret) = access.create_token(&UserName::new(name).unwrap(), role, None, "tests").await.unwrap();
    secret.expose().to_owned()
}

/// The step of a run by its word.
pub fn step<'r>(run: &'r Value, word: &str) -> &'r Value {
    run["steps"].as_array().unwrap().iter().find(|s| s["step"] == word).unwrap()
}
