-- How long nobody was at work on an interrupted run: from its last sign of life to the entry that took it up again or gave
-- it up. Made of the events, like the times of steps.
ALTER TABLE runs ADD COLUMN stood_still_ms INTEGER NOT NULL DEFAULT 0;
-- The last sign of life of a run that is interrupted now.
ALTER TABLE runs ADD COLUMN last_sign_at INTEGER;

UPDATE runs SET stood_still_ms = (
  SELECT COALESCE(SUM(MAX(e.at - p.at, 0)), 0)
  FROM events e JOIN events p ON p.run_id = e.run_id AND p.number = e.number - 1
  WHERE e.run_id = runs.id AND json_valid(e.body)
    AND json_extract(e.body, '$.type') IN ('run_interrupted', 'run_resumed', 'run_abandoned')
) WHERE id IN (SELECT run_id FROM events WHERE instr(body, '"run_interrupted"') > 0);

UPDATE runs SET last_sign_at = (
  SELECT at FROM events WHERE run_id = runs.id AND number = runs.last_event - 1
) WHERE state = 'interrupted';
