//! Trying out an export in a graph of its own.

use std::path::Path;

use async_trait::async_trait;
use rollback::store::{Fault, OnProgress, ScratchGraph, StoreError};
use rollback_types::Inventory;

use super::errors;

/// Makes embedded graphs that live for one trial.
#[derive(Clone, Copy, Debug, Default)]
pub struct ScratchGraphs;

#[async_trait]
impl ScratchGraph for ScratchGraphs {
    async fn try_export(&self, export: &Path, _folder: &Path, _progress: OnProgress) -> Result<Inventory, StoreError> {
        Err(errors::fault(export, "trying out an export", Fault::Unexpected, "not written yet"))
    }
}
