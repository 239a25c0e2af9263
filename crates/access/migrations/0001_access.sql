-- People, sessions, tokens and the audit. Times are milliseconds since 1970-01-01 UTC.

CREATE TABLE users (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL COLLATE NOCASE UNIQUE,
  kind TEXT NOT NULL CHECK (kind IN ('password', 'oidc')),
  role TEXT NOT NULL CHECK (role IN ('viewer', 'operator', 'administrator')),
  -- A PHC string; users of a provider have none.
  password_hash TEXT,
  -- Sessions carry the number they were made under; raising it ends them all.
  generation INTEGER NOT NULL DEFAULT 1,
  disabled_at INTEGER,
  made_at INTEGER NOT NULL,
  made_by TEXT NOT NULL,
  password_set_at INTEGER,
  last_sign_in_at INTEGER,
  oidc_issuer TEXT,
  oidc_subject TEXT,
  CHECK ((kind = 'oidc') = (oidc_subject IS NOT NULL)),
  UNIQUE (oidc_issuer, oidc_subject)
) STRICT;

-- Only the SHA-256 of a session's id is kept: who reads this file cannot take a session over.
CREATE TABLE sessions (
  id_hash BLOB PRIMARY KEY CHECK (length(id_hash) = 32),
  data TEXT NOT NULL,
  user_id INTEGER REFERENCES users (id),
  generation INTEGER,
  made_at INTEGER NOT NULL,
  last_seen_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_of_user ON sessions (user_id);

CREATE TABLE tokens (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL COLLATE NOCASE,
  secret_hash BLOB NOT NULL CHECK (length(secret_hash) = 32),
  role TEXT NOT NULL CHECK (role IN ('viewer', 'operator', 'administrator')),
  made_at INTEGER NOT NULL,
  made_by TEXT NOT NULL,
  expires_at INTEGER,
  last_used_at INTEGER,
  revoked_at INTEGER
) STRICT, WITHOUT ROWID;
-- A name in the audit means one token at a time.
CREATE UNIQUE INDEX one_token_of_a_name ON tokens (name) WHERE revoked_at IS NULL;

-- Failed tries by account and by address, by the SHA-256 of either.
CREATE TABLE throttle (
  kind TEXT NOT NULL CHECK (kind IN ('account', 'address')),
  key_hash BLOB NOT NULL CHECK (length(key_hash) = 32),
  failures INTEGER NOT NULL,
  last_at INTEGER NOT NULL,
  free_at INTEGER NOT NULL,
  PRIMARY KEY (kind, key_hash)
) STRICT, WITHOUT ROWID;

-- The audit only grows: how something began, what it was about, how it ended.
CREATE TABLE audit (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  at INTEGER NOT NULL,
  actor TEXT COLLATE NOCASE,
  role TEXT,
  via TEXT,
  address TEXT,
  action TEXT NOT NULL
) STRICT;
CREATE INDEX audit_by_actor ON audit (actor, id);
CREATE INDEX audit_by_time ON audit (at);

CREATE TABLE audit_matters (
  audit_id INTEGER PRIMARY KEY REFERENCES audit (id),
  subject TEXT,
  digest TEXT,
  reason TEXT
) STRICT;

CREATE TABLE audit_ends (
  audit_id INTEGER PRIMARY KEY REFERENCES audit (id),
  at INTEGER NOT NULL,
  outcome TEXT NOT NULL CHECK (outcome IN ('done', 'refused', 'failed')),
  status INTEGER,
  detail TEXT
) STRICT;

CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit is only added to'); END;
CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit is only added to'); END;
CREATE TRIGGER matters_are_not_changed BEFORE UPDATE ON audit_matters BEGIN SELECT RAISE(ABORT, 'the audit is only added to'); END;
CREATE TRIGGER matters_are_not_deleted BEFORE DELETE ON audit_matters BEGIN SELECT RAISE(ABORT, 'the audit is only added to'); END;
CREATE TRIGGER ends_are_not_changed BEFORE UPDATE ON audit_ends BEGIN SELECT RAISE(ABORT, 'the audit is only added to'); END;
CREATE TRIGGER ends_are_not_deleted BEFORE DELETE ON audit_ends BEGIN SELECT RAISE(ABORT, 'the audit is only added to'); END;
