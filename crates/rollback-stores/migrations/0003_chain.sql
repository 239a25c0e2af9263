-- A hash chain over the story: every run's opening (number 0) and every event, in the order they were written.
-- `previous` is the hash of the entry before; see docs/journal.md for what is hashed. Entries are never changed.
CREATE TABLE entries (
  sequence INTEGER PRIMARY KEY CHECK (sequence >= 1),
  run_id INTEGER NOT NULL REFERENCES runs (id),
  number INTEGER NOT NULL CHECK (number >= 0),
  -- The run's state from this entry on; NULL where an entry is older than the chain and its state was not kept.
  state TEXT,
  previous TEXT NOT NULL,
  hash TEXT NOT NULL,
  UNIQUE (run_id, number)
) STRICT;

-- The one row that tells where the chain began, and how many entries were there before it. The chain itself is filled in
-- by the program, when the journal is opened.
CREATE TABLE chain (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  began_at INTEGER NOT NULL,
  older_entries INTEGER NOT NULL
) STRICT;
