//! Serving: from a listener to the last answer.

use std::future::Future;
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::assets::{Site, SiteError};
use crate::config::Config;
use crate::schedule::Schedule;
use crate::state::AppState;
use crate::wiring::{WiringError, wire};

/// How long answers under way may take after the signal to stop.
const GRACE: Duration = Duration::from_secs(8);

/// The server could not start, or broke.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The page's files.
    #[error(transparent)]
    Site(#[from] SiteError),
    /// The service.
    #[error(transparent)]
    Wiring(#[from] WiringError),
    /// The listener.
    #[error("the server cannot listen any more: {0}")]
    Listen(#[from] std::io::Error),
}

/// Serves until `shutdown`, then ends streams and lets answers under way finish. Prints the address once it answers.
///
/// # Errors
/// See [`ServeError`].
pub async fn serve(
    config: Config,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let site = Arc::new(Site::find()?);
    let wired = wire(&config).await?;
    // Kept to the end of this function.
    let _lock = wired.lock;
    let (stop, stopping) = watch::channel(false);
    let service = wired.service.clone();
    let schedule = Schedule::of(&config);
    let until = stopping.clone();
    tokio::spawn(async move {
        // The first look at latest-copy reads all of it; the page should not wait for that.
        if let Err(error) = service.latest_copy(false).await {
            tracing::warn!(%error, "latest-copy could not be looked at");
        }
        schedule.keep(&service, until).await;
    });
    let router = crate::router(AppState::new(wired.service, site, wired.deployment, stopping.clone()));
    let address = listener.local_addr()?;
    tracing::info!(%address, settings = %config.origin(), "serving");
    announce(&format!("Stepback is ready: http://{address}/"));
    let mut late = stopping;
    let server = axum::serve(listener, router).with_graceful_shutdown(async move {
        shutdown.await;
        tracing::info!("stopping: streams end, answers under way finish");
        let _ = stop.send(true);
    });
    tokio::select! {
        ended = async { server.await } => ended?,
        () = async {
            let _ = late.wait_for(|stopping| *stopping).await;
            tokio::time::sleep(GRACE).await;
        } => tracing::warn!("some answers did not finish in time"),
    }
    Ok(())
}

/// The address, last on standard output, for people and for programs that started us. A closed output is no fault.
fn announce(text: &str) {
    let mut out = std::io::stdout().lock();
    if let Err(error) = writeln!(out, "{text}").and_then(|()| out.flush()) {
        tracing::debug!(%error, "standard output is closed");
    }
}
