//! Hashing beside the async threads, and never much of it at once.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::password::{self, HashError, Verdict};
use crate::{AccessError, Password};

/// Each hash takes 19 MiB and a processor: tries beyond these wait their turn.
const AT_ONCE: usize = 2;
/// Sign-ins that wait for a turn or have it; further ones are sent away. Without an end to it, strangers could make
/// everybody wait for hours.
const SIGN_INS: usize = AT_ONCE + 32;

/// Hashes and compares passwords.
#[derive(Debug)]
pub(crate) struct Hasher {
    at_once: Arc<Semaphore>,
    sign_ins: Arc<Semaphore>,
}

impl Hasher {
    pub(crate) fn new() -> Self {
        Self { at_once: Arc::new(Semaphore::new(AT_ONCE)), sign_ins: Arc::new(Semaphore::new(SIGN_INS)) }
    }

    /// A place in the queue of sign-ins, as long as it is held. Absent: the queue is full.
    pub(crate) fn place_in_queue(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.sign_ins).try_acquire_owned().ok()
    }

    pub(crate) async fn hash(&self, password: &Password) -> Result<String, AccessError> {
        let password = password.clone();
        self.run(move || password::hash(&password)).await
    }

    pub(crate) async fn verify(&self, kept: Option<String>, tried: &str) -> Result<Verdict, AccessError> {
        let tried = tried.to_owned();
        self.run(move || password::verify(kept.as_deref(), &tried)).await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, HashError> + Send + 'static,
    ) -> Result<T, AccessError> {
        // The permit goes into the thread: a caller who has gone away does not make room before the work is over.
        let permit = Arc::clone(&self.at_once).acquire_owned().await.map_err(|e| unhashed(e.to_string()))?;
        let done = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            work()
        });
        done.await.map_err(|e| unhashed(e.to_string()))?.map_err(|e| unhashed(e.to_string()))
    }
}

fn unhashed(detail: String) -> AccessError {
    AccessError::Unusable { path: "the hashing of passwords".to_owned(), detail }
}
