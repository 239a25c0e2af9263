//! What every handler shares.

use std::sync::Arc;

use access::oidc::Oidc;
use access::{Access, Identity};
use app::notice::Notices;
use app::{AssetPaths, Deployment};
use axum::http::Extensions;
use rollback::{Actor, RollbackService};
use tokio::sync::watch;

use crate::access::client::Reach;
use crate::access::rules::Rules;
use crate::access::streams::Streams;
use crate::assets::Site;
use crate::changes::Changes;
use crate::config::Config;
use crate::routes::rendering::PageRenderer;
use crate::wiring::Wired;

/// Handles to the service and to the page's files. Cheap to clone.
#[derive(Clone, Debug)]
pub struct AppState {
    /// The one service behind page and API.
    pub service: Arc<RollbackService>,
    /// Users, sessions, tokens and the audit.
    pub access: Arc<Access>,
    /// The provider at which people may sign in, if any.
    pub oidc: Option<Arc<Oidc>>,
    /// Who may ask for what; filled by the router.
    pub rules: Arc<Rules>,
    /// How the server can be reached.
    pub reach: Arc<Reach>,
    /// Event streams that are open.
    pub streams: Arc<Streams<Identity>>,
    /// The page's files.
    pub site: Arc<Site>,
    /// Where pages are rendered.
    pub renderer: PageRenderer,
    /// What every page's frame shows.
    pub deployment: Deployment,
    /// What pages say, for all who watch them.
    pub changes: Changes,
    /// What pages say once, after a form.
    pub notices: Notices,
    /// Turns true when the server stops: streams end then.
    pub stopping: watch::Receiver<bool>,
}

impl AppState {
    /// State over what was wired.
    pub fn new(wired: &Wired, config: &Config, site: Arc<Site>, stopping: watch::Receiver<bool>) -> Self {
        Self {
            service: Arc::clone(&wired.service),
            access: Arc::clone(&wired.access),
            oidc: wired.oidc.clone(),
            rules: Arc::default(),
            reach: Arc::new(Reach::of(config)),
            streams: Arc::new(Streams::new(config.serving.max_streams_per_client)),
            site,
            renderer: PageRenderer::new(),
            deployment: wired.deployment.clone(),
            changes: Changes::default(),
            notices: Notices::new(),
            stopping,
        }
    }

    /// Gives a page's rendering, or a server function, what it asks its context for; who asks is in the request's
    /// extensions, if anybody is signed in.
    pub(crate) fn provide(&self, request: &Extensions) {
        leptos::prelude::provide_context(Arc::clone(&self.service));
        leptos::prelude::provide_context(Arc::clone(&self.access));
        leptos::prelude::provide_context(self.deployment.clone());
        leptos::prelude::provide_context(self.notices.clone());
        // Before anything is read for the page: what changes while it is made is told to it afterwards.
        leptos::prelude::provide_context(self.changes.before());
        if let Some(actor) = request.get::<Actor>() {
            leptos::prelude::provide_context(actor.clone());
        }
        if let Some(identity) = request.get::<Identity>() {
            leptos::prelude::provide_context(identity.clone());
        }
    }

    /// The hashed names of the page's files.
    pub(crate) fn asset_paths(&self) -> AssetPaths {
        self.site.paths().clone()
    }
}
