-- How long a run waited for people to decide, and how long all tries of a step were at work. Made of the events.
ALTER TABLE runs ADD COLUMN waited_ms INTEGER NOT NULL DEFAULT 0;
-- `started_at` and `ended_at` are those of the step's last try from now on.
ALTER TABLE step_times ADD COLUMN worked_ms INTEGER NOT NULL DEFAULT 0;

-- A run waits from the question on until the answer, or until Stepback stopped.
UPDATE runs SET waited_ms = (
  SELECT COALESCE(SUM(MAX(e.at - p.at, 0)), 0)
  FROM events e JOIN events p ON p.run_id = e.run_id AND p.number = e.number - 1
  WHERE e.run_id = runs.id AND json_valid(e.body) AND json_valid(p.body)
    AND json_extract(p.body, '$.type') IN ('decision_needed', 'decision_made')
    AND (json_extract(e.body, '$.type') = 'decision_made'
      OR (json_extract(e.body, '$.type') = 'run_interrupted' AND json_extract(e.body, '$.stopped')))
) WHERE id IN (SELECT run_id FROM events WHERE instr(body, '"decision_needed"') > 0);

-- A run that was opened and told nothing more stood still from its opening on.
UPDATE runs SET stood_still_ms = stood_still_ms + (
  SELECT MAX(e.at - runs.started_at, 0) FROM events e WHERE e.run_id = runs.id AND e.number = 1
) WHERE id IN (
  SELECT run_id FROM events WHERE number = 1 AND json_valid(body) AND json_extract(body, '$.type') = 'run_interrupted'
);

CREATE TEMP TABLE tries AS
SELECT run_id, number, at, json_extract(body, '$.type') AS type, json_extract(body, '$.step') AS step,
  -- The run's last sign, for what was cut off.
  CASE WHEN json_extract(body, '$.stopped') THEN at
    ELSE (SELECT p.at FROM events p WHERE p.run_id = events.run_id AND p.number = events.number - 1) END AS last_sign
FROM events WHERE json_valid(body)
  AND json_extract(body, '$.type') IN ('step_started', 'step_completed', 'step_failed', 'run_interrupted');

CREATE INDEX temp.tries_of ON tries (run_id, number);

CREATE TEMP TABLE spans AS
SELECT s.run_id, s.step, s.number, s.at AS started_at, (
  SELECT CASE e.type WHEN 'run_interrupted' THEN e.last_sign ELSE e.at END
  FROM tries e
  WHERE e.run_id = s.run_id AND e.number > s.number AND e.type <> 'step_started'
    AND (e.step = s.step OR e.type = 'run_interrupted')
  ORDER BY e.number LIMIT 1
) AS ended_at
FROM tries s WHERE s.type = 'step_started';

CREATE INDEX temp.spans_of ON spans (run_id, step, number);

UPDATE step_times SET worked_ms = (
  SELECT COALESCE(SUM(MAX(s.ended_at - s.started_at, 0)), 0)
  FROM spans s WHERE s.run_id = step_times.run_id AND s.step = step_times.step
);

-- Of a step that failed or was tried again the rows kept the first try, open: it would be counted once more when it ends.
UPDATE step_times SET (started_at, ended_at) = (
  SELECT s.started_at, s.ended_at
  FROM spans s WHERE s.run_id = step_times.run_id AND s.step = step_times.step
  ORDER BY s.number DESC LIMIT 1
)
WHERE EXISTS (SELECT 1 FROM spans s WHERE s.run_id = step_times.run_id AND s.step = step_times.step);

DROP TABLE spans;
DROP TABLE tries;
