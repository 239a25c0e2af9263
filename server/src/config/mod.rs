//! Settings: flags before `STEPBACK_…` variables before the TOML file before defaults.
//!
//! [`KEYS`] is the list of every setting; `docs/configuration.md` explains them. A key that is in no list and a value that
//! is not allowed are refused: a setting that is silently ignored would be found only when it is needed.

mod error;
mod keys;
mod oidc;
mod serving;
mod sources;
mod values;
mod writing;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use error::{ConfigError, Origin};
pub use keys::{KEYS, Key, OTHER_VARIABLES};
pub use oidc::{CALLBACK, OidcConfig};
use rollback::validation::SearchCommand;
pub use rollback_stores::secret::Secret;
pub use serving::{PublicUrl, ServingConfig, SessionConfig, TlsFiles};
use sources::Values;
pub use sources::{DEFAULT_FILE, Sources};
pub use writing::settings_text;

/// All settings of one deployment. Paths are absolute when the working folder was.
#[derive(Clone, Debug)]
pub struct Config {
    /// The file that was read, if any.
    pub file: Option<PathBuf>,
    /// The deployment's name, as the page shows it.
    pub deployment: String,
    /// Where the page is served; beyond loopback only with TLS or a trusted proxy. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// By which names, and within which limits.
    pub serving: ServingConfig,
    /// How long a sign-in lasts.
    pub session: SessionConfig,
    /// The provider at which people may sign in, if any.
    pub oidc: Option<OidcConfig>,
    /// Stepback's own folder: `journal.db` and the runs' evidence.
    pub data_dir: PathBuf,
    /// HybridFlow's `metadata.db`.
    pub sqlite: SqliteConfig,
    /// Qdrant.
    pub qdrant: QdrantConfig,
    /// Neo4j.
    pub neo4j: Neo4jConfig,
    /// The embedded stores' files, used where no server is configured.
    pub embedded: EmbeddedConfig,
    /// The folder of `latest-copy` and the kept versions.
    pub backups_dir: PathBuf,
    /// How a rollback is done.
    pub rollback: RollbackConfig,
    /// When backups are looked at by themselves.
    pub verify: VerifyConfig,
    /// How long a run's way back is kept.
    pub keep_way_back: Duration,
    /// How many other people must approve a plan before it starts.
    pub approvals_required: u32,
    /// The operator's own search test.
    pub search: Option<SearchCommand>,
    /// Chapters that production should have, where the registry does not say.
    pub expected_chapters: Option<u64>,
}

/// When backups are looked at by themselves; absent: never.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerifyConfig {
    /// The files read again.
    pub every: Option<Duration>,
    /// Restored on trial.
    pub trial_restore_every: Option<Duration>,
}

/// HybridFlow's `metadata.db`.
#[derive(Clone, Debug)]
pub struct SqliteConfig {
    /// The file.
    pub metadata: PathBuf,
    /// How long to wait for a lock.
    pub busy_timeout: Duration,
    /// The zone of times without one.
    pub local_offset: LocalOffset,
}

/// Qdrant's address and names.
#[derive(Clone, Debug)]
pub struct QdrantConfig {
    /// The gRPC address; absent: the embedded vector store.
    pub url: Option<String>,
    /// The REST address; when not set, the host of `url` with port 6333.
    pub rest_url: Option<String>,
    /// The key.
    pub api_key: Option<Secret>,
    /// The base collection.
    pub collection: String,
    /// The alias of production.
    pub alias: String,
    /// Limit for a connection.
    pub connect_timeout: Duration,
    /// Limit for an ordinary answer.
    pub request_timeout: Duration,
    /// Limit for deleting and loading.
    pub long_timeout: Duration,
}

/// Neo4j's address and login.
#[derive(Clone, Debug)]
pub struct Neo4jConfig {
    /// The Bolt address; absent: the embedded graph.
    pub uri: Option<String>,
    /// The user.
    pub user: String,
    /// The password; absent: none is sent.
    pub password: Option<Secret>,
    /// The database; absent: the user's home database.
    pub database: Option<String>,
    /// Limit for connection and login.
    pub connect_timeout: Duration,
    /// Limit for an ordinary answer.
    pub request_timeout: Duration,
    /// Limit for deleting and loading.
    pub long_timeout: Duration,
}

/// The embedded stores' files.
#[derive(Clone, Debug)]
pub struct EmbeddedConfig {
    /// The vectors.
    pub vectors: PathBuf,
    /// The graph.
    pub graph: PathBuf,
}

/// How a rollback is done.
#[derive(Clone, Debug)]
pub struct RollbackConfig {
    /// States unknown to Stepback that may be rolled back.
    pub extra_states: Vec<String>,
    /// Keep a copy of the staged rows.
    pub keep_evidence: bool,
    /// Graph nodes deleted in one transaction.
    pub batch_size: u32,
    /// Free space asked for at least.
    pub min_free_bytes: u64,
    /// The layout of staging data.
    pub layout: LayoutChoice,
}

/// The layout to expect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LayoutChoice {
    /// As the registry shows it.
    Auto,
    /// One staging place for every version.
    Shared,
    /// Staging named after each version.
    PerVersion,
}

/// The zone of the registry's times that carry none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LocalOffset {
    /// This machine's zone, as it is now.
    Local,
    /// Seconds east of UTC.
    Seconds(i32),
}

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(24 * 3_600);
/// Longer times are taken for a slip.
const TEN_YEARS: Duration = Duration::from_secs(3_652 * 24 * 3_600);

impl Config {
    /// Reads the settings.
    ///
    /// # Errors
    /// See [`ConfigError`]; each names the place, the key, the value and what is allowed.
    pub fn load(sources: &Sources) -> Result<Self, ConfigError> {
        let values = Values::gather(sources)?;
        let qdrant_url = values.address("qdrant.url", &["http", "https"])?;
        let rest_url = values.address("qdrant.rest_url", &["http", "https"])?;
        let batch_size = values.whole_number("rollback.batch_size", 5_000, 1..=100_000)?;
        let serving = ServingConfig::of(&values)?;
        let approvals_required = values.whole_number("approval.required", 0, 0..=5)?;
        Ok(Self {
            deployment: values.text("deployment", "hybridflow")?,
            listen: serving::listen(&values)?,
            oidc: OidcConfig::of(&values, serving.public_url.as_ref())?,
            serving,
            session: SessionConfig::of(&values)?,
            data_dir: values.path("data.dir", "stepback-data")?,
            sqlite: SqliteConfig {
                metadata: values.path("sqlite.metadata", "metadata.db")?,
                busy_timeout: values.milliseconds("sqlite.busy_timeout_ms", 5_000)?,
                local_offset: values.local_offset("sqlite.local_offset")?,
            },
            qdrant: QdrantConfig {
                rest_url: rest_url.or_else(|| qdrant_url.as_deref().map(rest_beside)),
                url: qdrant_url,
                api_key: values.secret("qdrant.api_key", "qdrant.api_key_file")?,
                collection: values.text("qdrant.collection", "textbook_chunks")?,
                alias: values.text("qdrant.alias", "textbook_chunks_latest")?,
                connect_timeout: values.milliseconds("qdrant.connect_timeout_ms", 3_000)?,
                request_timeout: values.milliseconds("qdrant.request_timeout_ms", 10_000)?,
                long_timeout: values.milliseconds("qdrant.long_timeout_ms", 180_000)?,
            },
            neo4j: Neo4jConfig {
                uri: values.address("neo4j.uri", &["bolt", "bolt+s", "bolt+ssc", "neo4j", "neo4j+s", "neo4j+ssc"])?,
                user: values.text("neo4j.user", "neo4j")?,
                password: values.secret("neo4j.password", "neo4j.password_file")?,
                database: values.optional_text("neo4j.database")?,
                connect_timeout: values.milliseconds("neo4j.connect_timeout_ms", 3_000)?,
                request_timeout: values.milliseconds("neo4j.request_timeout_ms", 30_000)?,
                long_timeout: values.milliseconds("neo4j.long_timeout_ms", 600_000)?,
            },
            embedded: EmbeddedConfig {
                vectors: values.path("embedded.vectors", "vectors.db")?,
                graph: values.path("embedded.graph", "graph.db")?,
            },
            backups_dir: values.path("backups.dir", "backups")?,
            rollback: RollbackConfig {
                extra_states: values.words("rollback.extra_states")?,
                keep_evidence: values.bool("rollback.keep_evidence", true)?,
                batch_size: u32::try_from(batch_size).unwrap_or(5_000),
                min_free_bytes: values.bytes("rollback.min_free_bytes", 500_000_000)?,
                layout: values.layout("rollback.layout")?,
            },
            verify: VerifyConfig {
                every: values.period("verify.every", 6 * HOUR, MINUTE..=TEN_YEARS)?,
                trial_restore_every: values.period("verify.trial_restore_every", 7 * DAY, MINUTE..=TEN_YEARS)?,
            },
            approvals_required: u32::try_from(approvals_required).unwrap_or(0),
            keep_way_back: values.duration("retention.way_back", 14 * DAY, MINUTE..=TEN_YEARS)?,
            search: {
                let limit = values.duration("search.limit", MINUTE, SECOND..=HOUR)?;
                values.command("search.command")?.map(|argv| SearchCommand { limit, ..SearchCommand::new(argv) })
            },
            expected_chapters: values.optional_number("validation.expected_chapters", 1..=1_000_000)?,
            file: values.path,
        })
    }

    /// The journal's file.
    pub fn journal(&self) -> PathBuf {
        self.data_dir.join("journal.db")
    }

    /// The file of users, sessions, tokens and the audit.
    pub fn access_file(&self) -> PathBuf {
        self.data_dir.join("access.db")
    }

    /// Where the runs' evidence is kept.
    pub fn evidence_dir(&self) -> PathBuf {
        self.data_dir.join("evidence")
    }

    /// The folder of the latest copy.
    pub fn latest_copy(&self) -> PathBuf {
        self.backups_dir.join("latest-copy")
    }

    /// What the settings were read from, in words.
    pub fn origin(&self) -> String {
        self.file.as_deref().map_or_else(
            || "no file: defaults, environment and flags".to_owned(),
            |file: &Path| file.display().to_string(),
        )
    }
}

/// The same host with Qdrant's usual REST port.
fn rest_beside(grpc: &str) -> String {
    let (scheme, rest) = grpc.split_once("://").unwrap_or(("http", grpc));
    let authority = rest.split('/').next().unwrap_or(rest);
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => host,
        _ => authority,
    };
    format!("{scheme}://{host}:6333")
}
