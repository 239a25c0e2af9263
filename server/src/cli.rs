//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand, ValueEnum};
use rollback_types::Role;

/// Rolls back a failed version of a HybridFlow deployment: SQLite, Qdrant and Neo4j together.
#[derive(Debug, Parser)]
#[command(name = "stepback", version, about, max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the page and the API.
    Serve(ServeArgs),
    /// Write a believable HybridFlow deployment to try things on; the same for the same seed.
    Demo(DemoArgs),
    /// Check settings, files, stores, logins and disk, and say what to do.
    Doctor(DoctorArgs),
    /// Look at backups.
    #[command(subcommand)]
    Backup(BackupCommand),
    /// Look at the journal of runs, beside a running server too; nothing is changed.
    #[command(subcommand)]
    Journal(JournalCommand),
    /// Add, change, disable and list users, beside a running server too.
    User(UserArgs),
    /// Make, list and revoke API tokens, beside a running server too.
    Token(TokenArgs),
}

/// `stepback backup …`
#[derive(Debug, Subcommand)]
pub enum BackupCommand {
    /// Prove backups on the whole ladder. Exit status: 0 intact, 1 not intact, 2 could not look.
    Verify(VerifyArgs),
    /// Say that files of a backup which took others' places, with no checksums.txt beside them, are the right ones; beside a
    /// running server too. Exit status: 0 trusted and intact, 1 trusted and not intact, 2 nothing was changed.
    Trust(TrustArgs),
}

/// `stepback journal …`
#[derive(Debug, Subcommand)]
pub enum JournalCommand {
    /// Prove that no entry was changed, lost or added. Exit status: 0 sound, 1 broken, 2 could not look.
    Check(JournalCheckArgs),
    /// Write all entries to standard output, one line of JSON each, with their hashes.
    Export(JournalExportArgs),
}

/// `stepback journal check`
#[derive(Debug, Args)]
pub struct JournalCheckArgs {
    /// A head that an earlier check printed: the journal must still have it.
    #[arg(long, value_name = "SEQ:HASH")]
    pub head: Option<rollback_stores::journal::Head>,
    /// JSON instead of words.
    #[arg(long)]
    pub json: bool,
    /// The settings' file; without it ./stepback.toml, if there is one.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// `stepback journal export`
#[derive(Debug, Args)]
pub struct JournalExportArgs {
    /// The settings' file; without it ./stepback.toml, if there is one.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// `stepback user …`
#[derive(Debug, Args)]
pub struct UserArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: UserCommand,
    /// The settings' file; without it ./stepback.toml, if there is one.
    #[arg(long, value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,
}

/// What to do with users.
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Add a user. The password is asked for, or is the first line of standard input.
    Add {
        /// Letters, digits and `. _ - @`.
        name: String,
        /// What they may do.
        #[arg(long, value_parser = role_parser())]
        role: Role,
    },
    /// Set another password, and end all sessions of the user. It is asked for, or is the first line of standard input.
    Passwd {
        /// Whose.
        name: String,
    },
    /// Give another role.
    Role {
        /// To whom.
        name: String,
        /// What they may do.
        #[arg(value_parser = role_parser())]
        role: Role,
    },
    /// End all sessions of the user and let them sign in no more.
    Disable {
        /// Whom.
        name: String,
    },
    /// Let the user sign in again.
    Enable {
        /// Whom.
        name: String,
    },
    /// List all users.
    List {
        /// JSON instead of a table.
        #[arg(long)]
        json: bool,
    },
}

/// `stepback token …`
#[derive(Debug, Args)]
pub struct TokenArgs {
    /// What to do.
    #[command(subcommand)]
    pub command: TokenCommand,
    /// The settings' file; without it ./stepback.toml, if there is one.
    #[arg(long, value_name = "FILE", global = true)]
    pub config: Option<PathBuf>,
}

/// What to do with API tokens.
#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Make a token and write it, alone, to standard output: the only time that it is told.
    Create {
        /// Letters, digits and `. _ - @`; what it does is told of `token:NAME`.
        name: String,
        /// What it may do.
        #[arg(long, value_parser = role_parser())]
        role: Role,
        /// When it ends, such as 30d or 12h; without it, when it is revoked.
        #[arg(long, value_name = "TIME", value_parser = crate::account_commands::expiry)]
        expires: Option<Duration>,
    },
    /// List all tokens, without their secrets.
    List {
        /// JSON instead of a table.
        #[arg(long)]
        json: bool,
    },
    /// Take a token back: it opens nothing any more.
    Revoke {
        /// Its id, or its name.
        #[arg(value_name = "ID|NAME")]
        token: String,
    },
}

fn role_parser() -> impl TypedValueParser<Value = Role> {
    let words = Role::ALL.map(Role::as_str);
    PossibleValuesParser::new(words).try_map(|word| Role::parse(&word).ok_or("no such role"))
}

/// `stepback backup verify`
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// `latest-copy` or a kept version's id; all backups when left out.
    #[arg(value_name = "VERSION|latest-copy")]
    pub name: Option<String>,
    /// Restore on trial too, into scratch places that are removed again. Not while a server uses the same data folder.
    #[arg(long)]
    pub trial: bool,
    /// The API's JSON instead of a table.
    #[arg(long)]
    pub json: bool,
    /// The settings' file; without it ./stepback.toml, if there is one.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// `stepback backup trust`
#[derive(Debug, Args)]
pub struct TrustArgs {
    /// `latest-copy` or a kept version's id.
    #[arg(value_name = "VERSION|latest-copy")]
    pub name: String,
    /// The replaced files and their SHA-256, as they were seen; without it they are shown, and asked about on the terminal.
    #[arg(long, value_name = "STORE=HASH,…")]
    pub sha256: Option<String>,
    /// Why they are the right ones, for the journal and the audit; without it it is asked for on the terminal.
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// The API's JSON instead of a table.
    #[arg(long)]
    pub json: bool,
    /// The settings' file; without it ./stepback.toml, if there is one.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// `stepback serve`
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// The settings' file; without it ./stepback.toml, if there is one.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where to serve: an address and a port; 0 takes a free port. Beyond loopback only with users and with TLS or a
    /// trusted proxy.
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<String>,
    /// The certificate, as a PEM file; with it only HTTPS is served.
    #[arg(long, value_name = "FILE")]
    pub tls_cert: Option<String>,
    /// The certificate's private key, as a PEM file.
    #[arg(long, value_name = "FILE")]
    pub tls_key: Option<String>,
}

/// `stepback doctor`
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// The settings' file; without it ./stepback.toml, if there is one.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// `stepback demo`
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// The folder to write; it must be empty or not there.
    pub dir: PathBuf,
    /// How much: a few hundred paragraphs, or real size (36,216 points of 768 dimensions, 107,454 nodes; about 1 GB).
    #[arg(long, value_enum, default_value_t = DemoSize::Small)]
    pub size: DemoSize,
    /// Where staging data lives: as the specification has it, or as the pipeline's code does it.
    #[arg(long, value_enum, default_value_t = DemoLayout::Shared)]
    pub layout: DemoLayout,
    /// Change production as a failed ingestion leaves it, so that it differs from latest-copy.
    #[arg(long)]
    pub contaminated: bool,
    /// The same seed gives the same data.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// The day the story ends: the last version failed on its afternoon (UTC).
    #[arg(long, value_name = "YYYY-MM-DD", default_value = crate::demo::DEFAULT_DAY)]
    pub day: String,
    /// Load the vectors into this Qdrant (gRPC address) and not into a file. The backups' snapshots are made by it too, in a
    /// collection of their own that goes again.
    #[arg(long, value_name = "URL")]
    pub qdrant_url: Option<String>,
    /// Qdrant's REST address, over which snapshots travel; without it the same host, port 6333.
    #[arg(long, value_name = "URL", env = "STEPBACK_QDRANT_REST_URL")]
    pub qdrant_rest_url: Option<String>,
    /// Qdrant's key; better in the variable.
    #[arg(long, value_name = "KEY", env = "STEPBACK_QDRANT_API_KEY", hide_env_values = true)]
    pub qdrant_api_key: Option<String>,
    /// Load the graph into this Neo4j (Bolt address) and not into a file; its database must be empty.
    #[arg(long, value_name = "URI")]
    pub neo4j_uri: Option<String>,
    /// Neo4j's user.
    #[arg(long, value_name = "USER", env = "STEPBACK_NEO4J_USER", default_value = "neo4j")]
    pub neo4j_user: String,
    /// Neo4j's password; better in the variable.
    #[arg(long, value_name = "PASSWORD", env = "STEPBACK_NEO4J_PASSWORD", hide_env_values = true)]
    pub neo4j_password: Option<String>,
    /// Replace a demo that is there already; anything else is never replaced.
    #[arg(long)]
    pub force: bool,
}

/// How much a demo holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DemoSize {
    /// 24 chapters, 600 paragraphs, 1,500 nodes.
    Small,
    /// 220 chapters, 36,216 paragraphs, 107,454 nodes.
    Full,
}

/// Where a demo's staging data lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DemoLayout {
    /// One table, one collection, one label for every version.
    Shared,
    /// A collection and an id suffix for each version.
    PerVersion,
}
