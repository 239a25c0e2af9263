//! What both graph adapters speak: nodes and relationships to load, and which selectors are accepted.

mod batches;
mod export_file;
mod import;
mod schema_text;
mod values;

use std::collections::BTreeMap;

use rollback::store::{Fault, GraphScope, StagingSelector, StoreError};
use rollback_types::StoreKind;

pub(crate) use batches::Batches;
pub use export_file::ExportFileError;
pub(crate) use export_file::{ExportFile, Piece};
pub(crate) use import::{ImportItem, KeyedNodes, NodeKeys, check_export, no_such_end, read_export, two_of_a_key};
pub(crate) use schema_text::{SchemaRule, schema_line};
pub(crate) use values::{cypher_map, to_json, weight};

/// Properties as JSON knows them: text, whole numbers, floats, booleans, and lists of these.
pub type Properties = BTreeMap<String, serde_json::Value>;

/// A node to load or to export.
#[derive(Clone, Debug, PartialEq)]
pub struct GraphNode {
    /// Identifies the node within one load or export; what [`GraphRelationship`] refers to.
    pub id: i64,
    /// Its labels, in any order.
    pub labels: Vec<String>,
    /// Its properties; `null` means absent, as in Neo4j.
    pub properties: Properties,
}

/// A relationship to load or to export.
#[derive(Clone, Debug, PartialEq)]
pub struct GraphRelationship {
    /// The [`GraphNode::id`] it leaves.
    pub start: i64,
    /// The [`GraphNode::id`] it reaches.
    pub end: i64,
    /// Its type, such as `HAS_PARAGRAPH`.
    pub rel_type: String,
    /// Its properties; `null` means absent, as in Neo4j.
    pub properties: Properties,
}

/// Rows sent to an engine at a time: few big requests, as each one has its price and each is planned alike.
pub(crate) const ROWS_PER_REQUEST: usize = 2_000;

/// Bytes of rows with which a request is full, however few they are.
pub(crate) const BYTES_PER_REQUEST: usize = 8 * 1024 * 1024;

/// The pipeline marks live nodes with such a label before it changes them: never counted, never deleted by.
pub(crate) fn is_safety_backup_label(label: &str) -> bool {
    label.starts_with("latest_copy")
}

/// Refuses names that cannot be quoted for every version of Neo4j: Cypher undoes `\u0060` even between backticks, so
/// a backslash could smuggle one in.
pub(crate) fn check_name(name: &str) -> Result<(), String> {
    if name.is_empty() {
        return Err("a label or type must not be empty".to_owned());
    }
    if name.contains('\\') || name.chars().any(char::is_control) {
        return Err(format!(
            "the name {name:?} holds a backslash or a control character, which cannot be quoted safely"
        ));
    }
    Ok(())
}

/// Refuses selectors that would reach production nodes.
fn check_selector(selector: &StagingSelector) -> Result<(), String> {
    match selector {
        StagingSelector::Label(label) => {
            let lower = label.trim().to_ascii_lowercase();
            if is_safety_backup_label(&lower) || lower == "baseline" || lower.starts_with("v1_baseline") {
                return Err(format!("the label {label:?} marks production nodes and can never tell staging"));
            }
            check_name(label)
        }
        StagingSelector::IdSuffix(suffix) if suffix.trim_matches([':', ' ']).is_empty() => {
            Err(format!("the suffix {suffix:?} names no version and would match production nodes"))
        }
        StagingSelector::IdSuffix(suffix) if suffix.contains('\0') => {
            Err("the suffix holds a NUL character".to_owned())
        }
        StagingSelector::IdSuffix(_) => Ok(()),
    }
}

/// Refuses selectors that would reach production nodes, as a store's error.
pub(crate) fn check_selectors(
    selectors: &[StagingSelector],
    endpoint: &str,
    operation: &str,
) -> Result<(), StoreError> {
    selectors.iter().try_for_each(|selector| {
        check_selector(selector).map_err(|detail| StoreError {
            store: StoreKind::Neo4j,
            endpoint: endpoint.to_owned(),
            operation: operation.to_owned(),
            fault: Fault::Refused,
            detail: format!("{detail}; nothing was asked of the store"),
        })
    })
}

/// What stands for the chunk id of a paragraph that has none.
pub(crate) const NO_CHUNK_ID: &str = "(no chunk_id)";

/// What stands for the id of a node that has none.
pub(crate) const NO_ID: &str = "(no id)";

/// Relationships that join a paragraph to its parent.
pub(crate) const PARENT_TYPES: [&str; 4] = ["HAS_PARAGRAPH", "HAS_SUBSUBSECTION", "HAS_SUBSECTION", "HAS_SECTION"];

/// The selectors of a scope: those that are left out, or the one that is looked at.
pub(crate) fn selectors_of(scope: &GraphScope) -> &[StagingSelector] {
    match scope {
        GraphScope::Production(staging) => staging,
        GraphScope::Staging(selector) => std::slice::from_ref(selector),
    }
}

/// What an inventory of production counted: `all nodes`, `nodes other than :staging`.
pub(crate) fn inventory_name(staging: &[StagingSelector]) -> String {
    if staging.is_empty() {
        return "all nodes".to_owned();
    }
    let names: Vec<String> = staging.iter().map(ToString::to_string).collect();
    format!("nodes other than {}", names.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepts(selector: StagingSelector) -> bool {
        check_selectors(&[selector], "here", "counting").is_ok()
    }

    #[test]
    fn selectors_that_reach_production_are_refused() {
        for label in ["", "latest_copy", "latest_copy20251227", "Baseline", "v1_baseline", "a\\u0060b", "a\0b"] {
            assert!(!accepts(StagingSelector::Label(label.to_owned())), "{label:?}");
        }
        for suffix in ["", "::", " :: ", ":", "::v\0"] {
            assert!(!accepts(StagingSelector::IdSuffix(suffix.to_owned())), "{suffix:?}");
        }
    }

    #[test]
    fn odd_but_quotable_selectors_are_accepted() {
        for label in ["staging", "with `backticks`", "größe 日本 \"'"] {
            assert!(accepts(StagingSelector::Label(label.to_owned())), "{label:?}");
        }
        assert!(accepts(StagingSelector::IdSuffix("::staging20251227_140000".to_owned())));
    }
}
