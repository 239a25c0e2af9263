//! What an export says, statement by statement: schema, batches of nodes and of relationships, clean-up.

use std::collections::BTreeMap;

use super::values::CypherValue;
use super::{IMPORT_CONSTRAINT, IMPORT_LABEL};

/// One thing an export says, in the file's order.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    /// `:begin`. Also given once for [`HybridFlowScript`](super::ExportForm::HybridFlowScript),
    /// which lost it.
    Begin,
    /// `:commit`
    Commit,
    /// A statement that makes or drops a constraint or an index, without its semicolon. Use
    /// [`is_import_schema`](Item::is_import_schema) to leave the temporary one out.
    SchemaStatement(String),
    /// `CALL db.awaitIndexes(…)`, without its semicolon.
    AwaitIndexes(String),
    /// Nodes of one shape.
    NodeBatch(NodeBatch),
    /// Relationships of one shape.
    RelationshipBatch(RelationshipBatch),
    /// The statement that takes the import marks off again, without its semicolon. It works on
    /// 20,000 nodes or fewer, so there may be several.
    Cleanup(String),
    /// Any other statement or command, as it stands; a `:param` that sets a list is none, because the
    /// batch that uses it holds its rows. Not counted by [`summarize`](super::summarize).
    Other(String),
}

impl Item {
    /// True for the statements that make and drop the temporary import constraint.
    pub fn is_import_schema(&self) -> bool {
        matches!(self, Self::SchemaStatement(text)
            if text.contains(IMPORT_CONSTRAINT) || text.contains(IMPORT_LABEL))
    }
}

/// How the nodes of a batch are found again by the relationships that follow.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeKey {
    /// The label that has the uniqueness constraint, or [`IMPORT_LABEL`].
    pub label: String,
    /// The properties that identify a node, in the pattern's order; [`IMPORT_ID`](super::IMPORT_ID)
    /// alone for the temporary key.
    pub properties: Vec<String>,
}

impl NodeKey {
    /// True for the temporary key, which exists only while importing.
    pub fn is_import_id(&self) -> bool {
        self.label == IMPORT_LABEL
    }
}

/// Nodes of one shape: the same labels and the same kind of key.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeBatch {
    /// All labels the nodes have after the import: the key's label first, then the others as
    /// written. Never [`IMPORT_LABEL`].
    pub labels: Vec<String>,
    /// What identifies each row.
    pub key: NodeKey,
    /// One entry a node.
    pub rows: Vec<NodeRow>,
}

/// One node.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeRow {
    /// The values of the key's properties, in its order; never empty.
    pub key: Vec<CypherValue>,
    /// All properties the node has after the import: those of the key among them, unless it is the
    /// temporary one.
    pub properties: BTreeMap<String, CypherValue>,
}

/// Relationships of one shape: the same type, and ends with the same kinds of key.
#[derive(Debug, Clone, PartialEq)]
pub struct RelationshipBatch {
    /// The type.
    pub rel_type: String,
    /// What identifies the nodes they leave.
    pub start: NodeKey,
    /// What identifies the nodes they reach.
    pub end: NodeKey,
    /// One entry a relationship.
    pub rows: Vec<RelationshipRow>,
}

/// One relationship.
#[derive(Debug, Clone, PartialEq)]
pub struct RelationshipRow {
    /// The values of the start key's properties.
    pub start: Vec<CypherValue>,
    /// The values of the end key's properties.
    pub end: Vec<CypherValue>,
    /// The relationship's properties.
    pub properties: BTreeMap<String, CypherValue>,
}
