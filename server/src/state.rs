//! What every handler shares.

use std::sync::Arc;

use app::{AssetPaths, Deployment};
use axum::extract::FromRef;
use leptos::config::LeptosOptions;
use rollback::RollbackService;
use tokio::sync::watch;

use crate::assets::Site;

/// Handles to the service and to the page's files. Cheap to clone.
#[derive(Clone, Debug, FromRef)]
pub struct AppState {
    /// The one service behind page and API.
    pub service: Arc<RollbackService>,
    /// The page's files.
    pub site: Arc<Site>,
    /// What every page's frame shows.
    pub deployment: Deployment,
    /// Turns true when the server stops: streams end then.
    pub stopping: watch::Receiver<bool>,
    /// Leptos' own options; only its routes read them.
    pub leptos_options: LeptosOptions,
}

impl AppState {
    /// State over a service and a site.
    pub fn new(
        service: Arc<RollbackService>,
        site: Arc<Site>,
        deployment: Deployment,
        stopping: watch::Receiver<bool>,
    ) -> Self {
        let leptos_options = LeptosOptions::builder().output_name("stepback").build();
        Self { service, site, deployment, stopping, leptos_options }
    }

    /// Gives a page's rendering, or a server function, what it asks its context for.
    pub(crate) fn provide(&self) {
        leptos::prelude::provide_context(self.service.clone());
        leptos::prelude::provide_context(self.deployment.clone());
    }

    /// The hashed names of the page's files.
    pub(crate) fn asset_paths(&self) -> AssetPaths {
        self.site.paths().clone()
    }
}
