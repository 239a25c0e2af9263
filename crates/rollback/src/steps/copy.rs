//! Making a backup, step 1: one store's data into the new folder, with its checksum. Production is only read.

use rollback_types::{BackupSource, StoreKind};

use super::way_back::save;
use crate::context::{Halt, Outcome, StepContext};

pub(super) async fn copy(cx: &mut StepContext, store: StoreKind) -> Result<Outcome, Halt> {
    let source = BackupSource::Fresh(cx.shared.spec.run_key.clone());
    let taken = save(cx, store, &source).await?;
    let held = &taken.inventory;
    let said = match store {
        StoreKind::Sqlite => format!("{} chapters", held.rows.unwrap_or(0)),
        StoreKind::Qdrant => held.points.map_or("points not counted".to_owned(), |n| format!("{n} points")),
        StoreKind::Neo4j => {
            format!("{} nodes, {} relationships", held.nodes.unwrap_or(0), held.relationships.unwrap_or(0))
        }
    };
    Ok(Outcome::Done { count: None, said: format!("copied: {said}, {} bytes", taken.bytes) })
}
