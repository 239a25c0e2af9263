//! Every setting by name: its environment variable, its default, what is allowed.

/// One setting. The table below is the single list: the file's keys, the variables and the documentation follow it.
#[derive(Debug)]
pub struct Key {
    /// As in the file, section first: `qdrant.url`.
    pub name: &'static str,
    /// The environment variable.
    pub variable: &'static str,
    /// The default in words; empty when there is none.
    pub default: &'static str,
    /// What is allowed, as it completes "allowed: …".
    pub allowed: &'static str,
    /// What it is for.
    pub about: &'static str,
    /// Its value is never shown.
    pub secret: bool,
}

const fn key(
    name: &'static str,
    variable: &'static str,
    default: &'static str,
    allowed: &'static str,
    about: &'static str,
) -> Key {
    Key { name, variable, default, allowed, about, secret: false }
}

const fn secret(name: &'static str, variable: &'static str, about: &'static str) -> Key {
    Key { name, variable, default: "", allowed: "a text that is not empty", about, secret: true }
}

const PATH: &str = "a path; in the file relative to the file's own folder";
const MILLISECONDS: &str = "whole milliseconds, 1 to 3600000";
const NAME: &str = "a name that is not empty";
const PERIOD: &str = "a time of at least a minute, such as \"6h\", \"7d\" or \"1h 30m\", or \"off\"";
const SECRET_FILE: &str = "the path of a file that holds the secret and nothing else";

/// Variables that are no settings: the file, the log filter, the page's files, and what the tools around the program use.
pub const OTHER_VARIABLES: [&str; 7] = [
    "STEPBACK_CONFIG",
    "STEPBACK_LOG",
    "STEPBACK_SITE",
    "STEPBACK_BIN",
    "STEPBACK_CHROMIUM",
    "STEPBACK_UID",
    "STEPBACK_GID",
];

/// Every setting.
pub const KEYS: &[Key] = &[
    key("deployment", "STEPBACK_DEPLOYMENT", "hybridflow", NAME, "The deployment's name, as the page shows it."),
    key(
        "server.listen",
        "STEPBACK_LISTEN",
        "127.0.0.1:3000",
        "an address and a port, such as 127.0.0.1:3000, [::1]:3000 or localhost:3000; beyond loopback only with TLS or a trusted proxy",
        "Where the page is served.",
    ),
    key(
        "server.public_url",
        "STEPBACK_PUBLIC_URL",
        "none",
        "http:// or https://, host and port, such as https://stepback.example; no user or password in it",
        "The address that people open, where it is another one: requests with its host are taken.",
    ),
    key(
        "server.tls_cert",
        "STEPBACK_TLS_CERT",
        "none",
        "the path of a PEM file; only together with tls_key",
        "The certificate, with those it rests on behind it. With it only HTTPS is served.",
    ),
    key(
        "server.tls_key",
        "STEPBACK_TLS_KEY",
        "none",
        "the path of a PEM file; only together with tls_cert",
        "The certificate's private key.",
    ),
    key(
        "server.trusted_proxy",
        "STEPBACK_TRUSTED_PROXY",
        "none",
        "a list of IP addresses, such as [\"10.0.0.5\"] (in the variable separated by commas)",
        "Proxies whose X-Forwarded-For, -Proto and -Host are believed; from no one else are they.",
    ),
    key(
        "server.max_connections",
        "STEPBACK_MAX_CONNECTIONS",
        "1024",
        "a whole number, 1 to 100000",
        "Connections at a time; further ones wait. Each is an open file.",
    ),
    key(
        "server.max_connections_per_address",
        "STEPBACK_MAX_CONNECTIONS_PER_ADDRESS",
        "a quarter of max_connections",
        "a whole number, 1 to 100000",
        "Connections of one address at a time; further ones are closed. Loopback and trusted proxies have no such limit.",
    ),
    key(
        "server.max_streams_per_client",
        "STEPBACK_MAX_STREAMS_PER_CLIENT",
        "64",
        "a whole number, 1 to 100000",
        "Event streams that one sign-in or token holds at a time.",
    ),
    key(
        "session.idle",
        "STEPBACK_SESSION_IDLE",
        "30m",
        "a time from a minute to 30 days, such as \"8h\"",
        "A sign-in ends when nobody did anything with it for this long; what an open page asks for by itself does not count.",
    ),
    key(
        "session.absolute",
        "STEPBACK_SESSION_ABSOLUTE",
        "12h",
        "a time from a minute to 90 days, such as \"7d\"",
        "A sign-in ends after this time, whatever is done with it.",
    ),
    key(
        "oidc.issuer",
        "STEPBACK_OIDC_ISSUER",
        "none",
        "the issuer's address: https://…, or http on this machine",
        "The OpenID Connect provider at which people may sign in, beside those with a password. Needs server.public_url.",
    ),
    key("oidc.name", "STEPBACK_OIDC_NAME", "single sign-on", NAME, "What the sign-in page calls the provider."),
    key("oidc.client_id", "STEPBACK_OIDC_CLIENT_ID", "", NAME, "Stepback's name at the provider."),
    secret(
        "oidc.client_secret",
        "STEPBACK_OIDC_CLIENT_SECRET",
        "The client's secret; better in a file or in the variable.",
    ),
    key(
        "oidc.client_secret_file",
        "STEPBACK_OIDC_CLIENT_SECRET_FILE",
        "",
        SECRET_FILE,
        "A file with the client's secret.",
    ),
    key(
        "oidc.scopes",
        "STEPBACK_OIDC_SCOPES",
        "profile, email",
        "a list of scopes, such as [\"profile\", \"groups\"] (in the variable separated by commas)",
        "What is asked for beside openid.",
    ),
    key(
        "oidc.role_claim",
        "STEPBACK_OIDC_ROLE_CLAIM",
        "groups",
        "the name of a claim, or a path with dots such as realm_access.roles",
        "The claim of the ID token that says what somebody may do.",
    ),
    key(
        "oidc.roles",
        "STEPBACK_OIDC_ROLES",
        "",
        "a list such as [\"hybridflow-ops=operator\", \"platform=administrator\"] (in the variable separated by commas); roles: viewer, operator, administrator",
        "Which values of that claim stand for which role. Who has none may not sign in.",
    ),
    key(
        "data.dir",
        "STEPBACK_DATA_DIR",
        "stepback-data",
        PATH,
        "Stepback's own folder: journal.db and the runs' evidence.",
    ),
    key("sqlite.metadata", "STEPBACK_SQLITE_METADATA", "metadata.db", PATH, "HybridFlow's database."),
    key(
        "sqlite.busy_timeout_ms",
        "STEPBACK_SQLITE_BUSY_TIMEOUT_MS",
        "5000",
        MILLISECONDS,
        "How long to wait for a lock that another program holds.",
    ),
    key(
        "sqlite.local_offset",
        "STEPBACK_SQLITE_LOCAL_OFFSET",
        "local",
        "\"local\", \"utc\", or an offset such as \"+01:00\"",
        "The zone of the registry's times that carry none (ISO with a T); those with a space are always UTC.",
    ),
    key(
        "qdrant.url",
        "STEPBACK_QDRANT_URL",
        "",
        "http:// or https://, host and gRPC port, such as http://localhost:6334; no user or password in it",
        "Qdrant's gRPC address; without it the embedded vector store is used.",
    ),
    key(
        "qdrant.rest_url",
        "STEPBACK_QDRANT_REST_URL",
        "the same host, port 6333",
        "http:// or https://, host and REST port, such as http://localhost:6333; no user or password in it",
        "Qdrant's REST address.",
    ),
    secret("qdrant.api_key", "STEPBACK_QDRANT_API_KEY", "Qdrant's key; better in a file or in the variable."),
    key("qdrant.api_key_file", "STEPBACK_QDRANT_API_KEY_FILE", "", SECRET_FILE, "A file with Qdrant's key."),
    key(
        "qdrant.collection",
        "STEPBACK_QDRANT_COLLECTION",
        "textbook_chunks",
        NAME,
        "The base collection; staging names are built from it.",
    ),
    key(
        "qdrant.alias",
        "STEPBACK_QDRANT_ALIAS",
        "textbook_chunks_latest",
        NAME,
        "The alias that readers use, where there is one: what it points to is production.",
    ),
    key(
        "qdrant.connect_timeout_ms",
        "STEPBACK_QDRANT_CONNECT_TIMEOUT_MS",
        "3000",
        MILLISECONDS,
        "Limit for a connection.",
    ),
    key(
        "qdrant.request_timeout_ms",
        "STEPBACK_QDRANT_REQUEST_TIMEOUT_MS",
        "10000",
        MILLISECONDS,
        "Limit for an ordinary answer.",
    ),
    key(
        "qdrant.long_timeout_ms",
        "STEPBACK_QDRANT_LONG_TIMEOUT_MS",
        "180000",
        MILLISECONDS,
        "Limit for a deletion: a busy collection takes 14 s and more.",
    ),
    key(
        "neo4j.uri",
        "STEPBACK_NEO4J_URI",
        "",
        "bolt:// or neo4j:// (also with +s or +ssc), host and port, such as bolt://localhost:7687; no user or password in it",
        "Neo4j's Bolt address; without it the embedded graph is used.",
    ),
    key("neo4j.user", "STEPBACK_NEO4J_USER", "neo4j", NAME, "Neo4j's user."),
    secret("neo4j.password", "STEPBACK_NEO4J_PASSWORD", "Neo4j's password; better in a file or in the variable."),
    key("neo4j.password_file", "STEPBACK_NEO4J_PASSWORD_FILE", "", SECRET_FILE, "A file with Neo4j's password."),
    key("neo4j.database", "STEPBACK_NEO4J_DATABASE", "the user's home database", NAME, "The database."),
    key(
        "neo4j.connect_timeout_ms",
        "STEPBACK_NEO4J_CONNECT_TIMEOUT_MS",
        "3000",
        MILLISECONDS,
        "Limit for connection and login.",
    ),
    key(
        "neo4j.request_timeout_ms",
        "STEPBACK_NEO4J_REQUEST_TIMEOUT_MS",
        "30000",
        MILLISECONDS,
        "Limit for an ordinary answer.",
    ),
    key(
        "neo4j.long_timeout_ms",
        "STEPBACK_NEO4J_LONG_TIMEOUT_MS",
        "600000",
        MILLISECONDS,
        "Limit for deleting or loading one batch.",
    ),
    key("embedded.vectors", "STEPBACK_EMBEDDED_VECTORS", "vectors.db", PATH, "The embedded vector store's file."),
    key("embedded.graph", "STEPBACK_EMBEDDED_GRAPH", "graph.db", PATH, "The embedded graph's file."),
    key(
        "backups.dir",
        "STEPBACK_BACKUPS_DIR",
        "backups",
        PATH,
        "The backups: latest-copy and one folder a kept version.",
    ),
    key(
        "rollback.extra_states",
        "STEPBACK_ROLLBACK_EXTRA_STATES",
        "none",
        "a list of states, such as [\"quarantined\"] (in the variable separated by commas); states of production open nothing",
        "States unknown to Stepback that may be rolled back all the same.",
    ),
    key(
        "rollback.keep_evidence",
        "STEPBACK_ROLLBACK_KEEP_EVIDENCE",
        "true",
        "true or false",
        "Copy the staged rows into the run's folder before they are deleted.",
    ),
    key(
        "rollback.batch_size",
        "STEPBACK_ROLLBACK_BATCH_SIZE",
        "5000",
        "a whole number, 1 to 100000",
        "Graph nodes deleted in one transaction.",
    ),
    key(
        "rollback.min_free_bytes",
        "STEPBACK_ROLLBACK_MIN_FREE_BYTES",
        "500 MB",
        "bytes as a whole number, or a text such as \"500 MB\" (kB, MB, GB, KiB, MiB, GiB)",
        "Free space a rollback asks for at least.",
    ),
    key(
        "approval.required",
        "STEPBACK_APPROVAL_REQUIRED",
        "0",
        "a whole number, 0 to 5",
        "How many other people must approve a plan before it may be started. Validations need nobody.",
    ),
    key(
        "rollback.layout",
        "STEPBACK_ROLLBACK_LAYOUT",
        "auto",
        "\"auto\", \"shared\" or \"per-version\"",
        "The layout to insist on: with another one in the registry every plan is refused. auto takes what it finds.",
    ),
    key(
        "verify.every",
        "STEPBACK_VERIFY_EVERY",
        "6h",
        PERIOD,
        "How often every backup's files are read again, one backup at a time and never while a run is active.",
    ),
    key(
        "verify.trial_restore_every",
        "STEPBACK_VERIFY_TRIAL_RESTORE_EVERY",
        "7d",
        PERIOD,
        "How often every backup is restored on trial into scratch places.",
    ),
    key(
        "retention.way_back",
        "STEPBACK_RETENTION_WAY_BACK",
        "14d",
        "a time of at least a minute, such as \"14d\" or \"36h\"",
        "How long a run's way back is kept after the run ended.",
    ),
    // Its arguments may hold secrets.
    Key {
        name: "search.command",
        variable: "STEPBACK_SEARCH_COMMAND",
        default: "none",
        allowed: "a program and its arguments, such as [\"/usr/local/bin/search-test\", \"--quick\"] (in the variable as JSON)",
        about: "The operator's own search test, run without a shell at the end of a validation; exit status 0 is a success.",
        secret: true,
    },
    key(
        "search.limit",
        "STEPBACK_SEARCH_LIMIT",
        "60s",
        "a time from a second to an hour, such as \"60s\" or \"2m\"",
        "When that program is ended.",
    ),
    key(
        "validation.expected_chapters",
        "STEPBACK_VALIDATION_EXPECTED_CHAPTERS",
        "none",
        "a whole number, 1 to 1000000",
        "Chapters that production should have, where the registry does not say (in the per-version layout it never does).",
    ),
];

/// The setting of that name.
pub fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}
