//! Users, sign-in, sessions, tokens and the audit over a real file, with a clock of the tests'.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test stops where something is wrong")]

mod audit;
mod file;
mod sessions;
mod sign_in;
mod tokens;
mod users;

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use access::{Access, AccessSettings, Clock, Identity, Password, SignInError, UserName};
use rollback_types::{Role, Timestamp};

pub(crate) const PASSWORD: &str = "correct horse battery";

/// A file of its own and a clock that stands until it is set.
pub(crate) struct Scene {
    pub(crate) access: Arc<Access>,
    pub(crate) path: PathBuf,
    now: Arc<AtomicI64>,
    _dir: tempfile::TempDir,
}

impl Scene {
    pub(crate) async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("data").join("access.db");
        let now = Arc::new(AtomicI64::new(1_795_000_000_000));
        let access = open(&path, &now).await;
        Self { access, path, now, _dir: dir }
    }

    /// Sessions that nobody uses for so long are over.
    pub(crate) async fn with_idle(idle: Duration) -> Self {
        let scene = Self::new().await;
        let settings = AccessSettings { idle, ..settings(&scene.now) };
        Self { access: Access::open(&scene.path, settings).await.unwrap(), ..scene }
    }

    /// Another process with the same file and the same time.
    pub(crate) async fn beside(&self) -> Arc<Access> {
        open(&self.path, &self.now).await
    }

    /// The same, but it does not wait for another's lock.
    pub(crate) async fn impatient(&self) -> Arc<Access> {
        let settings = AccessSettings { busy_timeout: Duration::ZERO, ..settings(&self.now) };
        Access::open(&self.path, settings).await.unwrap()
    }

    pub(crate) fn pass(&self, time: Duration) {
        self.now.fetch_add(i64::try_from(time.as_millis()).unwrap(), Ordering::SeqCst);
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_unix_ms(self.now.load(Ordering::SeqCst))
    }

    pub(crate) async fn add(&self, name: &str, role: Role) {
        self.access.add_user(&user(name), role, &password(name, PASSWORD), "test").await.unwrap();
    }

    pub(crate) async fn sign_in(&self, name: &str, password: &str) -> Result<Identity, SignInError> {
        self.access.sign_in(name, password, address("10.0.0.1")).await
    }
}

fn settings(now: &Arc<AtomicI64>) -> AccessSettings {
    let now = Arc::clone(now);
    let clock = Clock::of(move || Timestamp::from_unix_ms(now.load(Ordering::SeqCst)));
    AccessSettings { clock, ..AccessSettings::default() }
}

async fn open(path: &Path, now: &Arc<AtomicI64>) -> Arc<Access> {
    Access::open(path, settings(now)).await.unwrap()
}

pub(crate) fn user(name: &str) -> UserName {
    UserName::new(name).unwrap()
}

pub(crate) fn password(name: &str, text: &str) -> Password {
    Password::choose(&user(name), text).unwrap()
}

pub(crate) fn address(text: &str) -> IpAddr {
    text.parse().unwrap()
}

pub(crate) const fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

pub(crate) const fn hours(n: u64) -> Duration {
    Duration::from_secs(n * 3600)
}
