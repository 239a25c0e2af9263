//! What the double can be told to do wrong.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::Semaphore;
use tonic::Code;

/// The calls the double knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Call {
    HealthCheck,
    ListCollections,
    CollectionInfo,
    CollectionExists,
    CreateCollection,
    DeleteCollection,
    ListAliases,
    UpdateAliases,
    Upsert,
    DeletePoints,
    GetPoints,
    Scroll,
    Count,
    CreateSnapshot,
    ListSnapshots,
    DeleteSnapshot,
    Query,
    /// Over REST: a snapshot's bytes on their way out.
    DownloadSnapshot,
    /// Over REST: a snapshot's bytes on their way in. It misbehaves when the first of them have come.
    UploadSnapshot,
}

/// A door that a held call waits at.
#[derive(Clone, Debug)]
pub struct Gate {
    arrived: Arc<Semaphore>,
    opened: Arc<Semaphore>,
}

impl Gate {
    pub(super) fn new() -> Self {
        Self { arrived: Arc::new(Semaphore::new(0)), opened: Arc::new(Semaphore::new(0)) }
    }

    /// Waits until a call stands at the door.
    pub async fn reached(&self) {
        // Never closed, so this only returns with the permit.
        if let Ok(permit) = self.arrived.acquire().await {
            permit.forget();
        }
    }

    /// Lets the held call go on, and any later one.
    pub fn open(&self) {
        self.opened.close();
    }

    pub(super) async fn pass(&self) {
        self.arrived.add_permits(1);
        // Waits until it is closed: no permit is ever given out.
        let _ = self.opened.acquire().await;
    }
}

/// What a call does instead of answering.
#[derive(Clone, Debug)]
pub enum Misbehaviour {
    /// Does nothing and answers with this error.
    Fail(Code, String),
    /// Does what was asked, and then answers with this error: an error never means "not applied".
    FailAfterwards(Code, String),
    /// Never answers, and does nothing.
    Hang,
    /// Answers once the gate is opened.
    Hold(Gate),
    /// Ends the connection with half of what should come. Only downloads can; any other call fails.
    Cut,
    /// Turns a bit on the way. Only downloads can; any other call fails.
    Flip,
}

#[derive(Debug)]
struct Armed {
    call: Option<Call>,
    times: u32,
    misbehaviour: Misbehaviour,
}

/// Faults to come, oldest first.
#[derive(Debug, Default)]
pub(super) struct Faults(VecDeque<Armed>);

impl Faults {
    pub(super) fn arm(&mut self, call: Option<Call>, times: u32, misbehaviour: Misbehaviour) {
        if times > 0 {
            self.0.push_back(Armed { call, times, misbehaviour });
        }
    }

    pub(super) fn disarm(&mut self) {
        self.0.clear();
    }

    /// What this call must do wrong, if anything.
    pub(super) fn take(&mut self, call: Call) -> Option<Misbehaviour> {
        let at = self.0.iter().position(|armed| armed.call.is_none_or(|wanted| wanted == call))?;
        let armed = self.0.get_mut(at)?;
        armed.times -= 1;
        if armed.times > 0 {
            return Some(armed.misbehaviour.clone());
        }
        self.0.remove(at).map(|armed| armed.misbehaviour)
    }
}
