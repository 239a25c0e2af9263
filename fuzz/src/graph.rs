//! The graph that an export makes, and that it survives being written and read again.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use backup_formats::cypher_export::{
    CypherValue, ExportError, ExportNode, ExportReader, ExportRelationship, ExportWriter, IMPORT_ID, IMPORT_LABEL,
    Item, NodeKey, UniqueKey,
};

/// All items of an export, or the error it ends in.
pub fn items(reader: impl Read + Send) -> Result<Vec<Item>, ExportError> {
    ExportReader::new(reader)?.collect()
}

/// What an export makes.
#[derive(Debug, Default)]
pub struct Graph {
    pub schema: Vec<String>,
    /// Their ids are their places.
    pub nodes: Vec<ExportNode>,
    /// Those whose ends were found.
    pub relationships: Vec<ExportRelationship>,
    /// The keys nodes are found by that are not temporary.
    pub keys: BTreeSet<(String, String)>,
}

impl Graph {
    pub fn of(items: &[Item]) -> Self {
        let mut graph = Self::default();
        let mut found = BTreeMap::new();
        for item in items {
            match item {
                item if item.is_import_schema() => {}
                Item::SchemaStatement(text) => graph.schema.push(text.clone()),
                Item::NodeBatch(batch) => {
                    if let [property] = batch.key.properties.as_slice()
                        && !batch.key.is_import_id()
                    {
                        graph.keys.insert((batch.key.label.clone(), property.clone()));
                    }
                    for row in &batch.rows {
                        let id = graph.nodes.len() as i64;
                        found.entry(place(&batch.key, &row.key)).or_insert(id);
                        let labels: BTreeSet<_> = batch.labels.iter().cloned().collect();
                        let mut properties = row.properties.clone();
                        // The marks of an unfinished import are no data, and the writer leaves them out.
                        properties.remove(IMPORT_ID);
                        assert!(!labels.contains(IMPORT_LABEL), "the import label is never given");
                        graph.nodes.push(ExportNode { id, labels: labels.into_iter().collect(), properties });
                    }
                }
                Item::RelationshipBatch(batch) => {
                    for row in &batch.rows {
                        let start = found.get(&place(&batch.start, &row.start));
                        let end = found.get(&place(&batch.end, &row.end));
                        if let (Some(&start), Some(&end)) = (start, end) {
                            let (rel_type, properties) = (batch.rel_type.clone(), row.properties.clone());
                            graph.relationships.push(ExportRelationship { start, end, rel_type, properties });
                        }
                    }
                }
                _ => {}
            }
        }
        graph
    }

    /// Writes it, with the temporary key alone or with its own, and reads it again.
    pub fn survives_writing(&self, own_keys: bool) {
        let keys = if own_keys { self.unique_keys() } else { Vec::new() };
        let mut writer = ExportWriter::new(Vec::new(), &self.schema, keys).expect("the schema is written");
        for node in &self.nodes {
            writer.node(node).expect("a node is written");
        }
        for relationship in &self.relationships {
            writer.relationship(relationship).expect("a relationship is written");
        }
        let (text, _) = writer.finish().expect("the end is written");
        let read = match items(&text[..]) {
            Ok(items) => Self::of(&items),
            Err(error) => panic!("{error}\n{}", String::from_utf8_lossy(&text)),
        };
        // As text, in which a number that is none equals itself, and zero differs from its negative.
        let (wrote, read) = (format!("{:#?}", self.content()), format!("{:#?}", read.content()));
        assert!(wrote == read, "wrote {wrote}\nread {read}\nfrom {}", String::from_utf8_lossy(&text));
    }

    fn content(&self) -> (&[String], &[ExportNode], &[ExportRelationship]) {
        (&self.schema, &self.nodes, &self.relationships)
    }

    /// Its keys that find one node only, as a constraint would promise.
    fn unique_keys(&self) -> Vec<UniqueKey> {
        let keys = self.keys.iter().filter(|(label, property)| {
            let mut seen = BTreeSet::new();
            let mut values = self.nodes.iter().filter(|node| node.labels.contains(label));
            values.all(|node| node.properties.get(property).is_none_or(|value| seen.insert(value.to_string())))
        });
        keys.map(|(label, property)| UniqueKey { label: label.clone(), property: property.clone() }).collect()
    }
}

fn place(key: &NodeKey, values: &[CypherValue]) -> String {
    format!("{key:?} {values:?}")
}
