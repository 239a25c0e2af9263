//! The stores of one deployment, shared by everything that looks or acts.

use std::sync::Arc;
use std::time::Instant;

use rollback_types::{StoreKind, StoreReport, StoreStatus, Timestamp};

use crate::store::{Engine, GraphStore, Host, Probe, RecordStore, ScratchGraph, StoreError, VectorStore};

/// Handles to the three stores and the machine. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Stores {
    /// Registry, log and chapters.
    pub records: Arc<dyn RecordStore>,
    /// Vectors.
    pub vectors: Arc<dyn VectorStore>,
    /// The graph.
    pub graph: Arc<dyn GraphStore>,
    /// The machine.
    pub host: Arc<dyn Host>,
    /// Where graph exports are tried out.
    pub scratch: Arc<dyn ScratchGraph>,
}

impl Stores {
    /// What answers in a store's place.
    pub fn engine(&self, store: StoreKind) -> Engine {
        match store {
            StoreKind::Sqlite => self.records.engine(),
            StoreKind::Qdrant => self.vectors.engine(),
            StoreKind::Neo4j => self.graph.engine(),
        }
    }

    /// All three, asked at the same time.
    pub async fn reports(&self) -> Vec<StoreReport> {
        let (a, b, c) =
            tokio::join!(self.report(StoreKind::Sqlite), self.report(StoreKind::Qdrant), self.report(StoreKind::Neo4j));
        vec![a, b, c]
    }

    async fn report(&self, store: StoreKind) -> StoreReport {
        let started = Instant::now();
        let answer = match store {
            StoreKind::Sqlite => self.records.probe().await,
            StoreKind::Qdrant => self.vectors.probe().await,
            StoreKind::Neo4j => self.graph.probe().await,
        };
        let latency = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        report_of(store, self.engine(store), answer, latency)
    }
}

fn report_of(store: StoreKind, engine: Engine, answer: Result<Probe, StoreError>, latency: u64) -> StoreReport {
    let mut report = StoreReport {
        store,
        engine: engine.name.to_owned(),
        version: None,
        location: engine.location,
        status: StoreStatus::Up,
        detail: String::new(),
        remedy: None,
        latency_ms: None,
        checked_at: Timestamp::now(),
    };
    match answer {
        Ok(probe) => {
            (report.version, report.detail, report.latency_ms) = (probe.version, probe.detail, Some(latency));
            if let Some(warning) = probe.warning {
                report.status = StoreStatus::Degraded;
                report.detail = format!("{warning} ({})", report.detail);
                report.remedy =
                    Some("Check that this is the right deployment, and that its set-up was finished.".to_owned());
            }
        }
        Err(e) => {
            report.status = StoreStatus::Down;
            report.remedy = Some(e.remedy());
            report.detail = e.to_string();
        }
    }
    report
}
