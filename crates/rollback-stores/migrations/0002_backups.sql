-- What is worth knowing after a restart: proofs of files, so that nothing is read again; the last time of a search. JSON.
CREATE TABLE remembered (
  key TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Looks at backups, for the trend. `backup` is its folder, `body` the whole look as JSON.
CREATE TABLE backup_checks (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  backup TEXT NOT NULL,
  at INTEGER NOT NULL,
  body TEXT NOT NULL
) STRICT;
CREATE INDEX backup_checks_of ON backup_checks (backup, id);
