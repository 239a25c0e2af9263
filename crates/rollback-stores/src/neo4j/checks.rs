//! What the validation asks of the graph.

use std::collections::HashSet;

use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use neo4rs::Query;
use rollback::store::{GraphCheck, GraphScope, StoreError};

use super::connection::{Connector, Patience};
use super::statements;

/// The chunk ids of all paragraphs in scope.
pub(super) fn paragraphs<'c>(
    connector: &'c Connector,
    scope: &GraphScope,
) -> BoxStream<'c, Result<String, StoreError>> {
    connector.texts(statements::paragraphs(scope), "listing paragraphs".to_owned())
}

/// The ids of what fails the check.
pub(super) fn offenders<'c>(
    connector: &'c Connector,
    check: GraphCheck,
    scope: &GraphScope,
) -> BoxStream<'c, Result<String, StoreError>> {
    let (query, operation) = match check {
        GraphCheck::Orphans => (statements::orphans(scope), "looking for paragraphs without a parent"),
        GraphCheck::ChainLeaves => (statements::chain_leaves(scope), "looking at the chains' ends"),
        GraphCheck::NextWithoutPrev => (statements::next_without_prev(scope), "comparing NEXT with PREV"),
        GraphCheck::Unreachable => return unreachable(connector, scope),
        GraphCheck::CrossReferences => return cross_references(connector, scope),
    };
    connector.texts(query, operation.to_owned())
}

/// Compared here: the ids of what is reached, 8 bytes each, against all. The server would search a list for each.
fn unreachable<'c>(connector: &'c Connector, scope: &GraphScope) -> BoxStream<'c, Result<String, StoreError>> {
    let operation = "following the chapters down to their paragraphs";
    let all = statements::paragraphs_with_ids(scope);
    let begin = async move {
        let mut txn = connector.begin(Patience::Long, operation).await?;
        let mut reached = HashSet::new();
        let mut rows = txn.open(statements::reached_paragraphs()).await?;
        while let Some(row) = txn.next(&mut rows).await? {
            reached.insert(txn.value::<i64>(&row, "id")?);
        }
        let rows = txn.open(all).await?;
        Ok(stream::try_unfold((txn, rows, reached), |(mut txn, mut rows, reached)| async move {
            while let Some(row) = txn.next(&mut rows).await? {
                if !reached.contains(&txn.value::<i64>(&row, "id")?) {
                    let text: String = txn.value(&row, "text")?;
                    return Ok(Some((text, (txn, rows, reached))));
                }
            }
            txn.commit().await.map(|()| None)
        }))
    };
    stream::once(begin).try_flatten().boxed()
}

/// The server has no JSON: texts are looked at here.
fn cross_references<'c>(connector: &'c Connector, scope: &GraphScope) -> BoxStream<'c, Result<String, StoreError>> {
    let query: Query = statements::cross_references(scope);
    let begin = async move {
        let mut txn = connector.begin(Patience::Long, "looking at cross references").await?;
        let rows = txn.open(query).await?;
        Ok(stream::try_unfold((txn, rows), |(mut txn, mut rows)| async move {
            while let Some(row) = txn.next(&mut rows).await? {
                let value: String = txn.value(&row, "value")?;
                if serde_json::from_str::<Vec<serde::de::IgnoredAny>>(&value).is_err() {
                    let text: String = txn.value(&row, "text")?;
                    return Ok(Some((text, (txn, rows))));
                }
            }
            txn.commit().await.map(|()| None)
        }))
    };
    stream::once(begin).try_flatten().boxed()
}
