//! Where staging and production live, in each layout (HybridFlow's "Where staging data lives").

use rollback_types::{Layout, RollbackTarget, VersionId};

use crate::store::{Alias, StagingSelector};

/// The names that configuration can change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// The base collection: `textbook_chunks`.
    pub collection: String,
    /// The alias that reads go through in the per-version layout: `textbook_chunks_latest`.
    pub alias: String,
    /// The label of staging nodes in the shared layout: `staging`.
    pub staging_label: String,
}

impl Default for Names {
    fn default() -> Self {
        Self {
            collection: "textbook_chunks".into(),
            alias: "textbook_chunks_latest".into(),
            staging_label: "staging".into(),
        }
    }
}

impl Names {
    /// The staging collection of a version. In the per-version layout the name alone proves nothing: a committed
    /// version keeps its own, and an alias may point to it.
    pub fn staging_collection(&self, layout: Layout, target: &RollbackTarget) -> String {
        match layout {
            Layout::Shared | Layout::Mixed => format!("{}_staging", self.collection),
            Layout::PerVersion => format!("{}_{target}", self.collection),
        }
    }

    /// The collection of a safety backup, `latest_copy…`.
    pub fn safety_collection(&self, backup: &VersionId) -> String {
        format!("{}_{backup}", self.collection)
    }

    /// How the version's staging nodes are told from the others.
    pub fn staging_selector(&self, layout: Layout, target: &RollbackTarget) -> StagingSelector {
        match layout {
            Layout::Shared | Layout::Mixed => StagingSelector::Label(self.staging_label.clone()),
            Layout::PerVersion => StagingSelector::IdSuffix(format!("::{target}")),
        }
    }

    /// The collection that serves production: what the alias points to, else the base collection.
    pub fn production_collection(&self, aliases: &[Alias]) -> String {
        aliases.iter().find(|a| a.alias == self.alias).map_or_else(|| self.collection.clone(), |a| a.collection.clone())
    }
}
