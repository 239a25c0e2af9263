//! Making a backup, step 1: one store's data into the new folder, with its checksum. Production is only read.

use rollback_types::StoreKind;
use rollback_types::quantity::{bytes, counted};

use super::way_back::{save, save_safety};
use crate::context::{Halt, Outcome, StepContext};

pub(super) async fn copy(cx: &mut StepContext, store: StoreKind) -> Result<Outcome, Halt> {
    let source = cx.shared.fresh();
    let safety = cx.shared.spec.subject.clone();
    cx.phase("Copying what is there").await?;
    let taken = if !safety.is_safety_backup() {
        save(cx, store, &source, cx.progress_from_thread()).await?
    } else if store == StoreKind::Neo4j {
        let proof = "a safety backup has no copy of the graph: its label marks live nodes".to_owned();
        return Ok(Outcome::NothingToRestore { proof });
    } else {
        save_safety(cx, store, &source, &safety).await?
    };
    let held = &taken.inventory;
    let said = match store {
        StoreKind::Sqlite => counted(held.rows.unwrap_or(0), "chapters"),
        StoreKind::Qdrant => held.points.map_or("points not counted".to_owned(), |n| counted(n, "points")),
        StoreKind::Neo4j => {
            let (nodes, relationships) = (held.nodes.unwrap_or(0), held.relationships.unwrap_or(0));
            format!("{}, {}", counted(nodes, "nodes"), counted(relationships, "relationships"))
        }
    };
    Ok(Outcome::Done { count: None, said: format!("copied: {said}, {}", bytes(taken.bytes)) })
}
