//! Constraints and indexes: read, dropped, and made again.

use backup_formats::cypher_export::{IMPORT_LABEL, UniqueKey, quote_name};
use neo4rs::{Row, query};
use rollback::store::StoreError;

use super::connection::{Connector, Patience, Transaction};
use crate::graph_data::{SchemaRule, schema_line};

/// A constraint, or an index that stands by itself.
#[derive(Debug)]
pub(super) struct Present {
    name: String,
    is_constraint: bool,
    /// The server's own `createStatement`.
    pub(super) statement: String,
    /// By which nodes can be found: a uniqueness constraint on one property.
    unique_key: Option<UniqueKey>,
    /// The temporary constraint of an import that did not finish.
    of_import: bool,
}

impl Present {
    fn drop_statement(&self) -> String {
        let what = if self.is_constraint { "CONSTRAINT" } else { "INDEX" };
        format!("DROP {what} {}", quote_name(&self.name))
    }
}

/// All constraints, then all indexes; neither those that belong to a constraint nor the server's own token lookups.
pub(super) async fn present(txn: &mut Transaction<'_>) -> Result<Vec<Present>, StoreError> {
    let mut present = Vec::new();
    let constraints = "SHOW CONSTRAINTS YIELD name, type, entityType, labelsOrTypes, properties, createStatement \
                       RETURN name, type, entityType, labelsOrTypes, properties, createStatement ORDER BY name";
    for row in txn.rows(query(constraints)).await? {
        present.push(read(txn, &row, true)?);
    }
    let indexes = "SHOW INDEXES YIELD name, type, entityType, labelsOrTypes, properties, createStatement, \
                   owningConstraint WHERE owningConstraint IS NULL AND type <> 'LOOKUP' \
                   RETURN name, type, entityType, labelsOrTypes, properties, createStatement ORDER BY name";
    for row in txn.rows(query(indexes)).await? {
        present.push(read(txn, &row, false)?);
    }
    Ok(present)
}

fn read(txn: &Transaction<'_>, row: &Row, is_constraint: bool) -> Result<Present, StoreError> {
    let kind: String = txn.value(row, "type")?;
    let entity: String = txn.value(row, "entityType")?;
    let labels: Vec<String> = txn.value(row, "labelsOrTypes")?;
    let properties: Vec<String> = txn.value(row, "properties")?;
    // `UNIQUENESS`; later versions say `NODE_PROPERTY_UNIQUENESS`.
    let unique = is_constraint && entity == "NODE" && kind.ends_with("UNIQUENESS");
    let unique_key = match (labels.as_slice(), properties.as_slice()) {
        ([label], [property]) if unique => Some(UniqueKey { label: label.clone(), property: property.clone() }),
        _ => None,
    };
    Ok(Present {
        name: txn.value(row, "name")?,
        is_constraint,
        statement: txn.value(row, "createStatement")?,
        unique_key,
        of_import: labels.iter().any(|label| label == IMPORT_LABEL),
    })
}

/// What an export says of the schema: statements, and the keys by which its relationships find nodes.
pub(super) fn for_export(present: Vec<Present>) -> (Vec<String>, Vec<UniqueKey>) {
    let present = present.into_iter().filter(|rule| !rule.of_import);
    let (statements, keys): (Vec<_>, Vec<_>) = present.map(|rule| (rule.statement, rule.unique_key)).unzip();
    (statements, keys.into_iter().flatten().collect())
}

pub(super) fn lines(present: &[Present]) -> Vec<String> {
    let mut lines: Vec<String> = present.iter().map(|rule| schema_line(&rule.statement)).collect();
    lines.sort_unstable();
    lines
}

/// Asks the server whether it knows all of the statements' words, and changes nothing.
pub(super) async fn check(connector: &Connector, statements: &[String], operation: &str) -> Result<(), StoreError> {
    for statement in statements {
        let mut txn = connector.begin(Patience::Request, operation).await?;
        txn.rows(query(&format!("EXPLAIN {statement}"))).await?;
        txn.commit().await?;
    }
    Ok(())
}

/// Drops what is there. An export that lacks a statement leaves what it does not name: `keep_unnamed`.
pub(super) async fn clear(
    connector: &Connector,
    wanted: &[String],
    keep_unnamed: bool,
    operation: &str,
) -> Result<(), StoreError> {
    let wanted: Vec<SchemaRule> = wanted.iter().filter_map(|statement| SchemaRule::read(statement)).collect();
    let mut txn = connector.begin(Patience::Long, operation).await?;
    for rule in present(&mut txn).await? {
        if keep_unnamed && !rule.of_import && !is_named(&rule, &wanted) {
            continue;
        }
        txn.rows(query(&rule.drop_statement())).await?;
    }
    txn.commit().await
}

/// The export makes one like it, or one of its name.
fn is_named(rule: &Present, wanted: &[SchemaRule]) -> bool {
    let key = SchemaRule::read(&rule.statement).map(|rule| rule.key);
    wanted.iter().any(|wanted| Some(&wanted.key) == key.as_ref() || wanted.name.as_ref() == Some(&rule.name))
}

/// Makes the export's constraints and indexes, all or none.
pub(super) async fn make(connector: &Connector, statements: &[String], operation: &str) -> Result<(), StoreError> {
    let mut txn = connector.begin(Patience::Long, operation).await?;
    for statement in statements {
        txn.rows(query(statement)).await?;
    }
    txn.commit().await
}

/// Waits until every index is filled.
pub(super) async fn settle(connector: &Connector, operation: &str) -> Result<(), StoreError> {
    let seconds = connector.config().long_timeout.as_secs().max(1);
    let mut txn = connector.begin(Patience::Long, operation).await?;
    txn.rows(query(&format!("CALL db.awaitIndexes({seconds})"))).await?;
    txn.commit().await
}
