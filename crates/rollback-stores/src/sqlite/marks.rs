//! Steps 2 and 8 and the note of an abort: the only changes to the registry and its log.
//!
//! Each is one `BEGIN IMMEDIATE` transaction with a conditional update, read back after the commit. A repeated step
//! finds the log row of its own run and changes nothing.

use rollback::store::{AbortNoted, AbortRequest, Fault, FinishRequest, MarkRequest, Marked, StoreError};
use sqlx::{Connection, SqliteConnection};

use super::connect::{Connections, close_after};
use super::fault::Asked;
use super::run_rows::{Entry, Run, is_open};
use super::shape::Shape;

const ROLLING_BACK: &str = "rolling_back";
const ROLLED_BACK: &str = "rolled_back";

/// Step 2.
pub(super) async fn rolling_back(
    connections: &Connections,
    local_offset_s: i32,
    request: &MarkRequest,
) -> Result<Marked, StoreError> {
    let asked = Asked::new(connections.path(), format!("marking {} as rolling_back", request.target));
    let run = Run { target: &request.target, key: &request.run_key, local_offset_s, asked: &asked };
    let mut connection = connections.writer(&asked).await?;
    let done = rolling_back_in(&mut connection, &run, request).await;
    close_after(connection, done).await
}

async fn rolling_back_in(
    connection: &mut SqliteConnection,
    run: &Run<'_>,
    request: &MarkRequest,
) -> Result<Marked, StoreError> {
    let asked = run.asked;
    let mut tx = connection.begin_with("BEGIN IMMEDIATE").await.map_err(|e| asked.sql(e))?;
    let shape = Shape::load(&mut tx, asked).await?;
    let (registry, log) = shape.need_writable(asked)?;
    let form = shape.log_form();
    let state = run.state(&mut tx).await?;
    let own = run.log_rows(&mut tx, form).await?;
    if let (ROLLING_BACK, true, Some(row)) =
        (state.as_str(), is_open(&own), own.iter().find(|r| r.status == "in_progress"))
    {
        return Ok(Marked { log_id: row.id, repeated: true });
    }
    if state != request.expected.as_str() {
        return Err(run.changed(&state, &format!("{}, as the plan saw it", request.expected)));
    }
    let message = format!("Rollback initiated due to: {}", request.reason);
    run.update(&mut tx, &shape, registry, request.expected.as_str(), ROLLING_BACK, &message).await?;
    if state == ROLLING_BACK {
        run.close_earlier(&mut tx, form, log).await?;
    }
    let entry = Entry { status: "in_progress", text: &message, error: None, completed: false };
    let log_id = run.insert(&mut tx, form, log, &entry).await?;
    tx.commit().await.map_err(|e| asked.sql(e))?;
    run.read_back(connection, form, ROLLING_BACK, log_id).await?;
    Ok(Marked { log_id, repeated: false })
}

/// Step 8; returns the id of the row `completed`.
pub(super) async fn rolled_back(
    connections: &Connections,
    local_offset_s: i32,
    request: &FinishRequest,
) -> Result<i64, StoreError> {
    let asked = Asked::new(connections.path(), format!("marking {} as rolled_back", request.target));
    let run = Run { target: &request.target, key: &request.run_key, local_offset_s, asked: &asked };
    let mut connection = connections.writer(&asked).await?;
    let done = rolled_back_in(&mut connection, &run, request).await;
    close_after(connection, done).await
}

async fn rolled_back_in(
    connection: &mut SqliteConnection,
    run: &Run<'_>,
    request: &FinishRequest,
) -> Result<i64, StoreError> {
    let asked = run.asked;
    let mut tx = connection.begin_with("BEGIN IMMEDIATE").await.map_err(|e| asked.sql(e))?;
    let shape = Shape::load(&mut tx, asked).await?;
    let (registry, log) = shape.need_writable(asked)?;
    let form = shape.log_form();
    let state = run.state(&mut tx).await?;
    let own = run.log_rows(&mut tx, form).await?;
    if let (ROLLED_BACK, Some(row)) = (state.as_str(), own.iter().find(|r| r.status == "completed")) {
        return Ok(row.id);
    }
    if state != ROLLING_BACK {
        return Err(run.changed(&state, ROLLING_BACK));
    }
    // A run that has finished keeps its first row `in_progress`, with the row `completed` beside it.
    if !is_open(&own) {
        let said = "this run's row in the operation log is closed or gone: another rollback took the version over; nothing was \
                    changed";
        return Err(asked.fault(Fault::Changed, said));
    }
    let message = format!("Rollback completed successfully. Reason: {}", request.reason);
    run.update(&mut tx, &shape, registry, ROLLING_BACK, ROLLED_BACK, &message).await?;
    let entry = Entry { status: "completed", text: &request.details, error: None, completed: true };
    let log_id = run.insert(&mut tx, form, log, &entry).await?;
    for row in own.iter().filter(|r| r.status == "in_progress") {
        run.close(&mut tx, form, log, row, None).await?;
    }
    tx.commit().await.map_err(|e| asked.sql(e))?;
    run.read_back(connection, form, ROLLED_BACK, log_id).await?;
    Ok(log_id)
}

/// After an abort.
pub(super) async fn note_abort(
    connections: &Connections,
    local_offset_s: i32,
    request: &AbortRequest,
) -> Result<AbortNoted, StoreError> {
    let asked = Asked::new(connections.path(), format!("noting the abort of {}", request.target));
    let run = Run { target: &request.target, key: &request.run_key, local_offset_s, asked: &asked };
    let mut connection = connections.writer(&asked).await?;
    let done = note_abort_in(&mut connection, &run, request).await;
    close_after(connection, done).await
}

async fn note_abort_in(
    connection: &mut SqliteConnection,
    run: &Run<'_>,
    request: &AbortRequest,
) -> Result<AbortNoted, StoreError> {
    let asked = run.asked;
    let mut tx = connection.begin_with("BEGIN IMMEDIATE").await.map_err(|e| asked.sql(e))?;
    let shape = Shape::load(&mut tx, asked).await?;
    let (registry, log) = shape.need_writable(asked)?;
    let form = shape.log_form();
    let own = run.log_rows(&mut tx, form).await?;
    let open: Vec<_> = own.iter().filter(|r| r.status == "in_progress").collect();
    if !is_open(&own) {
        // Noted before, or never marked by this run: then the row is somebody else's.
        return Ok(AbortNoted::NothingOpen);
    }
    let noted = match run.state(&mut tx).await {
        Ok(state) if state == ROLLING_BACK => {
            run.update(&mut tx, &shape, registry, ROLLING_BACK, ROLLING_BACK, &request.message).await?;
            AbortNoted::Noted
        }
        // Somebody went on by hand. The row in the log is this run's all the same, and must not stay open for ever.
        Ok(state) => AbortNoted::NotHeld(format!("its state is {}", super::cell::cut(state))),
        Err(error) if error.fault == Fault::Changed => {
            AbortNoted::NotHeld("the registry does not have it exactly once any more".to_owned())
        }
        Err(error) => return Err(error),
    };
    for row in open {
        run.close(&mut tx, form, log, row, Some(&request.message)).await?;
    }
    tx.commit().await.map_err(|e| asked.sql(e))?;
    Ok(noted)
}
