-- Our own record of runs. Times are milliseconds since 1970-01-01 UTC.

CREATE TABLE runs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL,
  version_id TEXT NOT NULL,
  state TEXT NOT NULL,
  reason TEXT NOT NULL,
  actor TEXT NOT NULL,
  plan_digest TEXT NOT NULL,
  plan_json TEXT NOT NULL,
  run_key TEXT NOT NULL UNIQUE,
  started_at INTEGER NOT NULL,
  ended_at INTEGER,
  summary TEXT,
  last_event INTEGER NOT NULL DEFAULT 0
) STRICT;

-- One active run at a time: every active run has the same key.
CREATE UNIQUE INDEX one_active_run ON runs ((1)) WHERE state IN ('running', 'needs_decision');
CREATE INDEX runs_of_version ON runs (version_id, id);

-- `body` is the whole event as JSON.
CREATE TABLE events (
  run_id INTEGER NOT NULL REFERENCES runs (id),
  number INTEGER NOT NULL CHECK (number >= 1),
  at INTEGER NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (run_id, number)
) STRICT, WITHOUT ROWID;

-- When each step first began and when it was through, for the medians. A skipped step has no row.
CREATE TABLE step_times (
  run_id INTEGER NOT NULL REFERENCES runs (id),
  step TEXT NOT NULL,
  started_at INTEGER NOT NULL,
  ended_at INTEGER,
  PRIMARY KEY (run_id, step)
) STRICT, WITHOUT ROWID;

-- Unsigned 64-bit numbers are kept as the signed ones of the same bits.
CREATE TABLE file_hashes (
  path TEXT PRIMARY KEY,
  sha256 TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  modified_ns INTEGER NOT NULL,
  inode INTEGER NOT NULL,
  hashed_at INTEGER NOT NULL,
  first_sha256 TEXT NOT NULL,
  first_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The one row that proves that the journal can be written.
CREATE TABLE probe (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  at INTEGER NOT NULL
) STRICT;
