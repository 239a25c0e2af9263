//! The Cypher that counts and deletes. Texts are few and constant per configuration, so that the server plans each once;
//! labels are quoted, values bound. Written for Neo4j 5; nothing of APOC.

use backup_formats::cypher_export::quote_name;
use neo4rs::{Query, query};
use rollback::store::StagingSelector;

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
