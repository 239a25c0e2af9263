//! The Cypher that counts and deletes. Texts are few and constant per configuration, so that the server plans each once;
//! labels are quoted, values bound. Written for Neo4j 5; nothing of APOC.

use backup_formats::cypher_export::quote_name;
use neo4rs::{Query, query};
use rollback::store::{GraphScope, StagingSelector};

use super::values::{Calls, set_clause};
use crate::graph_data::{NO_CHUNK_ID, NO_ID, PARENT_TYPES, selectors_of};

/// A Cypher condition: is the node of this variable a staging node? Never null.
fn is_staging(variable: &str, selectors: &[StagingSelector]) -> String {
    let conditions: Vec<String> = selectors
        .iter()
        .enumerate()
        .map(|(number, selector)| match selector {
            StagingSelector::Label(label) => format!("{variable}:{}", quote_name(label)),
            // Properties may be of any type, and one that is not there gives null. Figure and Table nodes have only
            // `paragraph_id`.
            StagingSelector::IdSuffix(_) => ["id", "chunk_id", "paragraph_id"]
                .map(|property| {
                    format!("coalesce(toStringOrNull({variable}.{property}) ENDS WITH $suffix{number}, false)")
                })
                .join(" OR "),
        })
        .collect();
    if conditions.is_empty() { "false".to_owned() } else { format!("({})", conditions.join(" OR ")) }
}

fn bound(text: &str, selectors: &[StagingSelector]) -> Query {
    selectors.iter().enumerate().fold(query(text), |query, (number, selector)| match selector {
        StagingSelector::Label(_) => query,
        StagingSelector::IdSuffix(suffix) => query.param(&format!("suffix{number}"), suffix.as_str()),
    })
}

/// `name`, `version`, `edition` of the server's kernel.
pub(super) fn components() -> Query {
    query(
        "CALL dbms.components() YIELD name, versions, edition \
         RETURN name, versions[0] AS version, edition ORDER BY name LIMIT 1",
    )
}

/// `total`: all nodes. From the count store.
pub(super) fn all_nodes() -> Query {
    query("MATCH (n) RETURN count(n) AS total")
}

/// `total`: all relationships. From the count store.
pub(super) fn all_relationships() -> Query {
    query("MATCH ()-[r]->() RETURN count(r) AS total")
}

/// `total`: staging nodes.
pub(super) fn staging_nodes(selector: &StagingSelector) -> Query {
    let selector = std::slice::from_ref(selector);
    bound(&format!("MATCH (n) WHERE {} RETURN count(n) AS total", is_staging("n", selector)), selector)
}

/// `total`, `crossing`: relationships that leave a staging node, and those among them that reach a production node.
pub(super) fn outgoing(selector: &StagingSelector) -> Query {
    let selector = std::slice::from_ref(selector);
    let text = format!(
        "MATCH (n) WHERE {} MATCH (n)-[r]->(m) \
         RETURN count(r) AS total, sum(CASE WHEN {} THEN 0 ELSE 1 END) AS crossing",
        is_staging("n", selector),
        is_staging("m", selector)
    );
    bound(&text, selector)
}

/// `total`: relationships from a production node to a staging node, which [`outgoing`] does not see.
pub(super) fn incoming_from_production(selector: &StagingSelector) -> Query {
    let selector = std::slice::from_ref(selector);
    let text = format!(
        "MATCH (n) WHERE {} MATCH (n)<-[r]-(m) WHERE NOT {} RETURN count(r) AS total",
        is_staging("n", selector),
        is_staging("m", selector)
    );
    bound(&text, selector)
}

/// `labels`, `total`: nodes outside staging per set of labels.
pub(super) fn production_nodes(staging: &[StagingSelector]) -> Query {
    let text =
        format!("MATCH (n) WHERE NOT {} RETURN labels(n) AS labels, count(*) AS total", is_staging("n", staging));
    bound(&text, staging)
}

/// `type`, `total`: relationships with both ends outside staging, per type.
pub(super) fn production_relationships(staging: &[StagingSelector]) -> Query {
    let text = format!(
        "MATCH (a)-[r]->(b) WHERE NOT {} AND NOT {} RETURN type(r) AS type, count(*) AS total",
        is_staging("a", staging),
        is_staging("b", staging)
    );
    bound(&text, staging)
}

/// `total`: staging nodes deleted, at most `limit`, with their relationships.
pub(super) fn delete_batch(selector: &StagingSelector, limit: u32) -> Query {
    let selector = std::slice::from_ref(selector);
    let text = format!(
        "MATCH (n) WHERE {} WITH n LIMIT $limit DETACH DELETE n RETURN count(*) AS total",
        is_staging("n", selector)
    );
    bound(&text, selector).param("limit", i64::from(limit))
}

/// `total`: nodes deleted, at most `limit` of all there are, with their relationships.
pub(super) fn delete_any(limit: u32) -> Query {
    query("MATCH (n) WITH n LIMIT $limit DETACH DELETE n RETURN count(*) AS total").param("limit", i64::from(limit))
}

/// `number`, `id`: creates a batch of nodes of one shape.
pub(super) fn import_nodes(labels: &[String], calls: &Calls) -> String {
    let labels: String = labels.iter().map(|label| format!(":{}", quote_name(label))).collect();
    format!(
        "UNWIND $rows AS row CREATE (n{labels}) {} RETURN row.number AS number, id(n) AS id",
        set_clause("n", calls)
    )
}

/// `total`: creates a batch of relationships of one shape, between nodes named by the server's own ids.
pub(super) fn import_relationships(rel_type: &str, calls: &Calls) -> String {
    format!(
        "UNWIND $rows AS row MATCH (a) WHERE id(a) = row.start MATCH (b) WHERE id(b) = row.end \
         CREATE (a)-[r:{}]->(b) {} RETURN count(r) AS total",
        quote_name(rel_type),
        set_clause("r", calls)
    )
}

/// A Cypher condition: is the node of this variable in the scope? Never null.
fn in_scope(variable: &str, scope: &GraphScope) -> String {
    let staged = is_staging(variable, selectors_of(scope));
    match scope {
        GraphScope::Production(_) => format!("NOT {staged}"),
        GraphScope::Staging(_) => staged,
    }
}

fn offender() -> String {
    format!("coalesce(toStringOrNull(n.chunk_id), toStringOrNull(n.id), '{NO_ID}') AS text")
}

/// `text`: the chunk ids of paragraphs.
pub(super) fn paragraphs(scope: &GraphScope) -> Query {
    let text = format!(
        "MATCH (n:Paragraph) WHERE {} RETURN coalesce(toStringOrNull(n.chunk_id), '{NO_CHUNK_ID}') AS text",
        in_scope("n", scope)
    );
    bound(&text, selectors_of(scope))
}

/// `id`, `text`: paragraphs, by the server's id and as an offender.
pub(super) fn paragraphs_with_ids(scope: &GraphScope) -> Query {
    let text = format!("MATCH (n:Paragraph) WHERE {} RETURN id(n) AS id, {}", in_scope("n", scope), offender());
    bound(&text, selectors_of(scope))
}

/// `id`: paragraphs below a chapter.
pub(super) fn reached_paragraphs() -> Query {
    let types = PARENT_TYPES.join("|");
    query(&format!("MATCH (c:Chapter)-[:{types}|CONTAINS*1..]->(n:Paragraph) RETURN DISTINCT id(n) AS id"))
}

/// `text`: paragraphs without a parent.
pub(super) fn orphans(scope: &GraphScope) -> Query {
    let text = format!(
        "MATCH (n:Paragraph) WHERE {} AND NOT EXISTS {{ (n)<-[:{}]-() }} RETURN {}",
        in_scope("n", scope),
        PARENT_TYPES.join("|"),
        offender()
    );
    bound(&text, selectors_of(scope))
}

/// `text`: paragraphs with a chain to a node outside the scope.
pub(super) fn chain_leaves(scope: &GraphScope) -> Query {
    let text = format!(
        "MATCH (n:Paragraph) WHERE {} AND EXISTS {{ MATCH (n)-[:NEXT|PREV]->(m) WHERE NOT {} }} RETURN {}",
        in_scope("n", scope),
        in_scope("m", scope),
        offender()
    );
    bound(&text, selectors_of(scope))
}

/// `text`: paragraphs with a `NEXT` that has no `PREV` back.
pub(super) fn next_without_prev(scope: &GraphScope) -> Query {
    let text = format!(
        "MATCH (n:Paragraph) WHERE {} AND EXISTS {{ MATCH (n)-[:NEXT]->(m) WHERE NOT EXISTS {{ (m)-[:PREV]->(n) }} }} \
         RETURN {}",
        in_scope("n", scope),
        offender()
    );
    bound(&text, selectors_of(scope))
}

/// `value`, `text`: paragraphs' cross references that are no list, as text.
pub(super) fn cross_references(scope: &GraphScope) -> Query {
    let text = format!(
        "MATCH (n:Paragraph) WHERE {} AND toStringOrNull(n.cross_references) IS NOT NULL \
         RETURN toStringOrNull(n.cross_references) AS value, {}",
        in_scope("n", scope),
        offender()
    );
    bound(&text, selectors_of(scope))
}

/// `id`, `element_id`: creates a batch of nodes that share their labels.
pub(super) fn create_nodes(labels: &[String]) -> String {
    let labels: String = labels.iter().map(|label| format!(":{}", quote_name(label))).collect();
    format!(
        "UNWIND $rows AS row CREATE (n{labels}) SET n = row.properties \
         RETURN row.id AS id, elementId(n) AS element_id"
    )
}

/// `total`: creates a batch of relationships of one type.
pub(super) fn create_relationships(rel_type: &str) -> String {
    format!(
        "UNWIND $rows AS row MATCH (a) WHERE elementId(a) = row.start MATCH (b) WHERE elementId(b) = row.end \
         CREATE (a)-[r:{}]->(b) SET r = row.properties RETURN count(r) AS total",
        quote_name(rel_type)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backtick_cannot_end_the_name() {
        let hostile = StagingSelector::Label("a`) DETACH DELETE n //".to_owned());
        assert_eq!(is_staging("n", &[hostile]), "(n:`a``) DETACH DELETE n //`)");
    }

    #[test]
    fn a_suffix_is_bound_and_never_part_of_the_text() {
        let selectors =
            [StagingSelector::Label("staging".to_owned()), StagingSelector::IdSuffix("::v2' OR true //".to_owned())];
        let statement = production_nodes(&selectors);
        assert!(!statement.query().contains("v2"));
        assert!(statement.has_param_key("suffix1"));
    }

    #[test]
    fn without_selectors_everything_is_production() {
        assert!(production_nodes(&[]).query().contains("WHERE NOT false"));
    }
}
