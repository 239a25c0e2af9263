//! From settings to a service: which adapter stands behind each store.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::sync::Arc;

use access::oidc::{Oidc, OidcError};
use access::{Access, AccessError, AccessSettings, Clock};
use app::{Deployment, EngineName};
use rollback::backup::BackupFolders;
use rollback::journal::{Journal as _, JournalError};
use rollback::names::Names;
use rollback::store::{GraphStore, RecordStore, VectorStore};
use rollback::{RollbackService, ServiceError, Settings, Stores};
use rollback_stores::embedded_graph::{EmbeddedGraph, ScratchGraphs};
use rollback_stores::embedded_vectors::EmbeddedVectors;
use rollback_stores::host::LocalHost;
use rollback_stores::journal::SqliteJournal;
use rollback_stores::neo4j::{Neo4jConfig, Neo4jGraph};
use rollback_stores::qdrant::{QdrantConfig, QdrantConfigError, QdrantVectors};
use rollback_stores::secret::Secret;
use rollback_stores::sqlite::{SqliteRecords, SqliteRecordsConfig};
use rollback_types::{Layout, RunKind, StoreKind};

use crate::approvers::Users;
use crate::config::{Config, LayoutChoice, LocalOffset};

/// The service could not be put together.
#[derive(Debug, thiserror::Error)]
pub enum WiringError {
    /// The journal, without which nothing may be done.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// Its folder.
    #[error("the folder {folder} for the journal cannot be made: {source}")]
    Folder {
        /// The folder.
        folder: String,
        /// Why not.
        source: std::io::Error,
    },
    /// A second Stepback on the same folder would take the first one's runs for abandoned.
    #[error(
        "another Stepback uses {folder} already (its file `lock` is held); stop that one, or give this one a folder of its own by data.dir"
    )]
    InUse {
        /// The folder.
        folder: String,
    },
    /// Qdrant's address.
    #[error(transparent)]
    Qdrant(#[from] QdrantConfigError),
    /// Users, sessions and the audit, without which nobody may be let in.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// The provider's settings.
    #[error("{0}; {remedy}", remedy = .0.remedy())]
    Oidc(#[from] OidcError),
    /// What the journal held could not be put right.
    #[error("the runs of the journal could not be put right: {0}")]
    Recovery(#[from] ServiceError),
}

/// A service, and what the frame of every page says about it.
#[derive(Debug)]
pub struct Wired {
    /// The service.
    pub service: Arc<RollbackService>,
    /// Users, sessions, tokens and the audit.
    pub access: Arc<Access>,
    /// The provider at which people may sign in, if any.
    pub oidc: Option<Arc<Oidc>>,
    /// For the pages' frame.
    pub deployment: Deployment,
    /// Held as long as the service is used; the system lets go of it when the process ends, however it ends.
    pub lock: File,
}

/// Puts the adapters together; connects to no server, so that a server that is down is told on the page and not by a
/// program that does not start.
///
/// # Errors
/// The journal's, and addresses that are none.
pub async fn wire(config: &Config) -> Result<Wired, WiringError> {
    for folder in [&config.data_dir, &config.evidence_dir()] {
        make_folder(folder)?;
    }
    let lock = lock(&config.data_dir)?;
    let oidc = config.oidc.as_ref().map(|o| Oidc::new(o.settings.clone(), Clock::system())).transpose()?;
    let access = Access::open(config.access_file(), access_settings(config)).await?;
    let (service, deployment) = assemble(config).await?;
    let service = Arc::new(service.with_approvers(Arc::new(Users(Arc::clone(&access)))));
    if let Some(run) = service.recover().await? {
        tracing::warn!(%run, "a run was left unfinished by an earlier process; it is marked as interrupted");
    }
    Ok(Wired { service, access, oidc: oidc.map(Arc::new), deployment, lock })
}

/// A service beside a server that holds the lock: for looking only. It must start nothing and put nothing right, because
/// the runs it finds active may be the server's.
///
/// # Errors
/// As [`wire`]; never [`WiringError::InUse`].
pub async fn wire_beside(config: &Config) -> Result<Arc<RollbackService>, WiringError> {
    Ok(Arc::new(assemble(config).await?.0))
}

async fn assemble(config: &Config) -> Result<(RollbackService, Deployment), WiringError> {
    let records: Arc<dyn RecordStore> = Arc::new(records(config));
    let vectors = vectors(config)?;
    let graph = graph(config);
    let stores = Stores { records, vectors, graph, host: Arc::new(LocalHost), scratch: Arc::new(ScratchGraphs) };
    let journal = SqliteJournal::open(config.journal()).await?;
    journal.probe().await?;
    let engines =
        StoreKind::ALL.map(|store| EngineName { store, engine: stores.engine(store).name.to_owned() }).to_vec();
    let layout = stores.records.schema().await.ok().map(|s| s.layout);
    let service = RollbackService::new(stores, Arc::new(journal), folders(config), settings(config));
    let provider = config.oidc.as_ref().map(|o| o.name.clone());
    let approvals_required = service.approvals_required(RunKind::Rollback);
    Ok((service, Deployment { name: config.deployment.clone(), engines, layout, approvals_required, provider }))
}

fn access_settings(config: &Config) -> AccessSettings {
    AccessSettings { idle: config.session.idle, absolute: config.session.absolute, ..AccessSettings::default() }
}

/// Where each backup's files are.
pub(crate) fn folders(config: &Config) -> BackupFolders {
    BackupFolders::new(&config.backups_dir, &config.qdrant.collection, config.evidence_dir())
}

fn make_folder(folder: &Path) -> Result<(), WiringError> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|source| WiringError::Folder { folder: folder.display().to_string(), source })
}

fn lock(folder: &Path) -> Result<File, WiringError> {
    let shown = || folder.display().to_string();
    let file = File::options().create(true).truncate(false).write(true).open(folder.join("lock"));
    let file = file.map_err(|source| WiringError::Folder { folder: shown(), source })?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(WiringError::InUse { folder: shown() }),
        Err(TryLockError::Error(source)) => Err(WiringError::Folder { folder: shown(), source }),
    }
}

/// The adapter of `metadata.db`.
pub(crate) fn records(config: &Config) -> SqliteRecords {
    SqliteRecords::new(SqliteRecordsConfig {
        path: config.sqlite.metadata.clone(),
        local_offset_s: match config.sqlite.local_offset {
            LocalOffset::Seconds(seconds) => seconds,
            LocalOffset::Local => local_offset_s(),
        },
        extra_states: config.rollback.extra_states.clone(),
        busy_timeout: config.sqlite.busy_timeout,
    })
}

/// This machine's zone now, in seconds east of UTC.
fn local_offset_s() -> i32 {
    jiff::tz::TimeZone::system().to_offset(jiff::Timestamp::now()).seconds()
}

/// The adapter of the vectors.
pub(crate) fn vectors(config: &Config) -> Result<Arc<dyn VectorStore>, QdrantConfigError> {
    let Some(url) = &config.qdrant.url else {
        return Ok(Arc::new(EmbeddedVectors::new(&config.embedded.vectors)));
    };
    Ok(Arc::new(QdrantVectors::new(QdrantConfig {
        url: url.clone(),
        rest_url: config.qdrant.rest_url.clone(),
        api_key: config.qdrant.api_key.clone(),
        connect_timeout: config.qdrant.connect_timeout,
        request_timeout: config.qdrant.request_timeout,
        long_timeout: config.qdrant.long_timeout,
    })?))
}

/// The adapter of the graph.
pub(crate) fn graph(config: &Config) -> Arc<dyn GraphStore> {
    let Some(uri) = &config.neo4j.uri else {
        return Arc::new(EmbeddedGraph::at(&config.embedded.graph));
    };
    let password = config.neo4j.password.clone().unwrap_or_else(|| Secret::new(""));
    let mut neo4j = Neo4jConfig::new(uri.clone(), config.neo4j.user.clone(), password);
    neo4j.database = config.neo4j.database.clone();
    neo4j.connect_timeout = config.neo4j.connect_timeout;
    neo4j.request_timeout = config.neo4j.request_timeout;
    neo4j.long_timeout = config.neo4j.long_timeout;
    Arc::new(Neo4jGraph::new(neo4j))
}

fn settings(config: &Config) -> Settings {
    Settings {
        deployment: config.deployment.clone(),
        names: Names {
            collection: config.qdrant.collection.clone(),
            alias: config.qdrant.alias.clone(),
            ..Names::default()
        },
        extra_states: config.rollback.extra_states.clone(),
        expected_layout: match config.rollback.layout {
            LayoutChoice::Auto => None,
            LayoutChoice::Shared => Some(Layout::Shared),
            LayoutChoice::PerVersion => Some(Layout::PerVersion),
        },
        keep_evidence: config.rollback.keep_evidence,
        evidence_dir: config.evidence_dir(),
        batch_size: config.rollback.batch_size,
        min_free_bytes: config.rollback.min_free_bytes,
        expected_chapters: config.expected_chapters,
        search_command: config.search.clone(),
        way_back_retention: config.keep_way_back,
        approvals_required: config.approvals_required,
        ..Settings::default()
    }
}
