//! Connections to one server, and transactions on them that always end in time.
//!
//! The driver has gaps that are closed here: its handshake has no time-out, its pool waits for ever, and its own
//! retries would hide the first error for up to a minute. So every wait has a limit, work is done in explicit
//! transactions (which the driver never repeats), and after an error the pool is thrown away: its connections close, and
//! the server rolls back what they had open.

use std::future::Future;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use neo4rs::{ConfigBuilder, Graph, Query, Row, RowStream, Txn};
use rollback::store::{Fault, StoreError};
use rollback_types::StoreKind;
use tokio::time::{Instant, timeout, timeout_at};

use super::Neo4jConfig;
use super::errors::classify;

/// Work of this process that needs the server at one time: the three lanes, a page or two.
const CONNECTIONS: usize = 4;
/// Rows the server sends before it waits for the next request.
const FETCH_SIZE: usize = 5_000;

/// How long the work may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Patience {
    /// Counting: `request_timeout`.
    Request,
    /// Deleting and loading: `long_timeout`.
    Long,
}

/// The way to one server. Connects when first asked, and again after a failure.
pub(super) struct Connector {
    config: Neo4jConfig,
    endpoint: String,
    // Two pools, because the driver's time-out for receiving belongs to the pool.
    request_pool: Mutex<Option<Graph>>,
    long_pool: Mutex<Option<Graph>>,
}

impl Connector {
    pub(super) fn new(config: Neo4jConfig) -> Self {
        let endpoint = endpoint_of(&config.uri);
        Self { config, endpoint, request_pool: Mutex::new(None), long_pool: Mutex::new(None) }
    }

    /// Scheme, host and port.
    pub(super) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    pub(super) fn config(&self) -> &Neo4jConfig {
        &self.config
    }

    /// Connects if need be and begins a transaction.
    pub(super) async fn begin(&self, patience: Patience, operation: &str) -> Result<Transaction<'_>, StoreError> {
        let deadline = Instant::now() + self.limit(patience);
        let graph = self.pool(patience).map_err(|e| self.error(operation, &e))?;
        let connect = self.config.connect_timeout;
        match timeout(connect, graph.start_txn()).await {
            Ok(Ok(txn)) => {
                let open = Open { connector: self, patience, ended: false };
                Ok(Transaction { txn, open, deadline, operation: operation.to_owned() })
            }
            Ok(Err(e)) => {
                self.forget(patience);
                Err(self.error(operation, &e))
            }
            Err(_) => {
                self.forget(patience);
                Err(self.timed_out(operation, "connecting and logging in", connect))
            }
        }
    }

    fn limit(&self, patience: Patience) -> Duration {
        match patience {
            Patience::Request => self.config.request_timeout,
            Patience::Long => self.config.long_timeout,
        }
    }

    fn slot(&self, patience: Patience) -> &Mutex<Option<Graph>> {
        match patience {
            Patience::Request => &self.request_pool,
            Patience::Long => &self.long_pool,
        }
    }

    fn pool(&self, patience: Patience) -> Result<Graph, neo4rs::Error> {
        let mut slot = self.slot(patience).lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(graph) = &*slot {
            return Ok(graph.clone());
        }
        if self.endpoint.contains("://:") {
            // The driver would ask the resolver for a host without a name.
            return Err(neo4rs::Error::InvalidConfig);
        }
        let mut builder = ConfigBuilder::default()
            .uri(&self.config.uri)
            .user(&self.config.user)
            .password(self.config.password.expose())
            .fetch_size(FETCH_SIZE)
            .max_connections(CONNECTIONS)
            .connection_timeout(self.limit(patience))
            // The driver's name for the longest wait for a free connection.
            .max_lifetime(self.config.connect_timeout);
        if let Some(database) = &self.config.database {
            builder = builder.db(database.as_str());
        }
        // Makes the pool only; nothing is connected yet.
        let graph = Graph::connect(builder.build()?)?;
        *slot = Some(graph.clone());
        Ok(graph)
    }

    fn forget(&self, patience: Patience) {
        *self.slot(patience).lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn error(&self, operation: &str, error: &neo4rs::Error) -> StoreError {
        let (fault, detail) = classify(error);
        self.fault(operation, fault, detail)
    }

    fn timed_out(&self, operation: &str, doing: &str, limit: Duration) -> StoreError {
        let limit = if limit.subsec_millis() == 0 { format!("{} s", limit.as_secs()) } else { format!("{limit:?}") };
        self.fault(operation, Fault::TimedOut, format!("{doing} took longer than {limit}"))
    }

    pub(super) fn fault(&self, operation: &str, fault: Fault, detail: impl Into<String>) -> StoreError {
        StoreError {
            store: StoreKind::Neo4j,
            endpoint: self.endpoint.clone(),
            operation: operation.to_owned(),
            fault,
            detail: detail.into(),
        }
    }
}

/// An explicit transaction with a deadline. Dropped without [`commit`](Self::commit), the server rolls it back.
pub(super) struct Transaction<'c> {
    txn: Txn,
    open: Open<'c>,
    deadline: Instant,
    operation: String,
}

/// Throws the pool away when its transaction is given up: in the pool the connection would keep the transaction and its
/// locks open until somebody needs just this one.
struct Open<'c> {
    connector: &'c Connector,
    patience: Patience,
    ended: bool,
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        if !self.ended {
            self.connector.forget(self.patience);
        }
    }
}

impl Transaction<'_> {
    /// Runs a statement and reads its whole answer, which must be small.
    pub(super) async fn rows(&mut self, query: Query) -> Result<Vec<Row>, StoreError> {
        let txn = &mut self.txn;
        let work = async {
            let mut stream = txn.execute(query).await?;
            let mut rows = Vec::new();
            while let Some(row) = stream.next(txn.handle()).await? {
                rows.push(row);
            }
            Ok(rows)
        };
        let outcome = in_time(self.deadline, work).await;
        self.open.settle(outcome, &self.operation)
    }

    /// Runs a statement whose answer is one row.
    pub(super) async fn row(&mut self, query: Query) -> Result<Row, StoreError> {
        let mut rows = self.rows(query).await?;
        match (rows.pop(), rows.is_empty()) {
            (Some(row), true) => Ok(row),
            _ => Err(self.unexpected("the answer is not one row")),
        }
    }

    /// Runs a statement whose answer may be long. Other statements can be run while it is read.
    pub(super) async fn open(&mut self, query: Query) -> Result<RowStream, StoreError> {
        let outcome = in_time(self.deadline, self.txn.execute(query)).await;
        self.open.settle(outcome, &self.operation)
    }

    /// The next row of a long answer. The limit is on the wait for rows, not on what is done with them.
    pub(super) async fn next(&mut self, rows: &mut RowStream) -> Result<Option<Row>, StoreError> {
        self.deadline = Instant::now() + self.open.connector.limit(self.open.patience);
        let outcome = in_time(self.deadline, rows.next(self.txn.handle())).await;
        self.open.settle(outcome, &self.operation)
    }

    /// A column of a row.
    pub(super) fn value<T: serde::de::DeserializeOwned>(&self, row: &Row, column: &str) -> Result<T, StoreError> {
        row.get(column).map_err(|e| self.unexpected(format!("column {column}: {e}")))
    }

    /// A count in a column of a row.
    pub(super) fn count(&self, row: &Row, column: &str) -> Result<u64, StoreError> {
        let count: i64 = self.value(row, column)?;
        u64::try_from(count).map_err(|_| self.unexpected(format!("column {column} is {count}")))
    }

    /// Makes the work last. An error here does not mean that it does not.
    pub(super) async fn commit(self) -> Result<(), StoreError> {
        let Self { txn, mut open, deadline, operation } = self;
        let outcome = in_time(deadline, txn.commit()).await;
        open.settle(outcome, &operation)?;
        open.ended = true;
        Ok(())
    }

    pub(super) fn unexpected(&self, detail: impl Into<String>) -> StoreError {
        self.fault(Fault::Unexpected, detail)
    }

    pub(super) fn fault(&self, fault: Fault, detail: impl Into<String>) -> StoreError {
        self.open.connector.fault(&self.operation, fault, detail)
    }
}

impl Connector {
    /// The column `text` of every row.
    pub(super) fn texts(&self, query: Query, operation: String) -> BoxStream<'_, Result<String, StoreError>> {
        let begin = async move {
            let mut txn = self.begin(Patience::Long, &operation).await?;
            let rows = txn.open(query).await?;
            Ok(stream::try_unfold((txn, rows), |(mut txn, mut rows)| async move {
                match txn.next(&mut rows).await? {
                    Some(row) => {
                        let text: String = txn.value(&row, "text")?;
                        Ok(Some((text, (txn, rows))))
                    }
                    None => txn.commit().await.map(|()| None),
                }
            }))
        };
        stream::once(begin).try_flatten().boxed()
    }
}

impl Open<'_> {
    /// `None`: the deadline passed.
    fn settle<T>(&self, outcome: Option<Result<T, neo4rs::Error>>, operation: &str) -> Result<T, StoreError> {
        let error = match outcome {
            Some(Ok(value)) => return Ok(value),
            Some(Err(e)) => self.connector.error(operation, &e),
            None => self.connector.timed_out(operation, "the server's answer", self.connector.limit(self.patience)),
        };
        // Now, and not only when the transaction goes: whoever tries again must not get the same connections.
        self.connector.forget(self.patience);
        Err(error)
    }
}

async fn in_time<T>(
    deadline: Instant,
    work: impl Future<Output = Result<T, neo4rs::Error>>,
) -> Option<Result<T, neo4rs::Error>> {
    timeout_at(deadline, work).await.ok()
}

/// Scheme, host and port of a URI; never its user, password, path or query.
fn endpoint_of(uri: &str) -> String {
    let (scheme, rest) = uri.split_once("://").unwrap_or(("bolt", uri));
    // From the last @ on: a password may hold anything.
    let after_login = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    let host = after_login.split(['/', '?', '#']).next().unwrap_or_default();
    let after_address = host.rsplit_once(']').map_or(host, |(_, port)| port);
    let port = if after_address.contains(':') { "" } else { ":7687" };
    format!("{scheme}://{host}{port}")
}

#[cfg(test)]
mod tests {
    use super::endpoint_of;

    #[test]
    fn the_endpoint_holds_no_secret() {
        for (uri, endpoint) in [
            ("bolt://localhost", "bolt://localhost:7687"),
            ("neo4j+s://graph.example:7688/path?x=1", "neo4j+s://graph.example:7688"),
            ("bolt://neo4j:sword@fish@127.0.0.1:17687", "bolt://127.0.0.1:17687"),
            ("bolt://neo4j:sword/fish@127.0.0.1", "bolt://127.0.0.1:7687"),
            ("bolt://[::1]", "bolt://[::1]:7687"),
            ("bolt://[::1]:99", "bolt://[::1]:99"),
            ("127.0.0.1:7687", "bolt://127.0.0.1:7687"),
        ] {
            assert_eq!(endpoint_of(uri), endpoint, "{uri}");
        }
    }
}
