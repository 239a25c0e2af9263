//! Serving: from a listener to the last answer.

use std::future::Future;
use std::io::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use access::{Access, AccessError};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::access::watch_streams;
use crate::assets::{Site, SiteError};
use crate::config::Config;
use crate::connections::{self, Addresses, Limits};
use crate::memory;
use crate::open_files;
use crate::schedule::Schedule;
use crate::state::AppState;
use crate::tls::{Certificate, TlsError};
use crate::wiring::{Wired, WiringError, wire};

/// How long a run may take to come to rest after the signal to stop: longer than it waits itself for its calls in hand, or it could
/// not write down any more that it was interrupted.
const RUNS_TIME: Duration = Duration::from_secs(8);
/// How long answers under way may take, from the signal on. Who runs containers often kills them ten seconds after it.
const GRACE: Duration = Duration::from_secs(9);
/// Between two removals of ended sessions.
const SWEEP: Duration = Duration::from_secs(3_600);
/// Between two times that free memory is given back.
const GIVE_BACK: Duration = Duration::from_secs(60);

/// The server could not start, or broke.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The page's files.
    #[error(transparent)]
    Site(#[from] SiteError),
    /// The service.
    #[error(transparent)]
    Wiring(#[from] WiringError),
    /// Users, sessions and the audit.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// Certificate and key.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Beyond loopback nobody can make the first administrator by the link that is printed here.
    #[error("{address} can be reached by other machines, and there is no user yet; nothing was started")]
    NoUsers {
        /// Where to listen.
        address: SocketAddr,
    },
    /// The listener.
    #[error("the server cannot listen any more: {0}")]
    Listen(#[from] std::io::Error),
}

impl ServeError {
    /// What to do next.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::NoUsers { .. } => {
                "Make the first administrator on this machine: `stepback user add NAME --role administrator`. Then start again."
            }
            Self::Tls(_) => {
                "Give PEM files that belong together in server.tls_cert and server.tls_key, readable by Stepback's user, the key \
                 without a passphrase."
            }
            Self::Access(error) => error.remedy(),
            Self::Site(_) | Self::Wiring(_) | Self::Listen(_) => {
                "`stepback doctor` checks settings, files and stores, and says what to do."
            }
        }
    }
}

/// Serves until `shutdown`, then ends streams and lets runs come to rest and answers under way finish. Prints the address
/// once it answers.
///
/// # Errors
/// See [`ServeError`].
pub async fn serve(
    config: Config,
    listener: TcpListener,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let wired = wire(&config).await?;
    let address = listener.local_addr()?;
    if !address.ip().is_loopback() && !wired.access.has_users().await? {
        return Err(ServeError::NoUsers { address });
    }
    let site = Arc::new(Site::find()?);
    open_files::allow(config.serving.max_connections);
    let (stop, stopping) = watch::channel(false);
    let service = Arc::clone(&wired.service);
    let schedule = Schedule::of(&config);
    let until = stopping.clone();
    tokio::spawn(async move {
        // The first look at latest-copy reads all of it; the page should not wait for that.
        if let Err(error) = service.latest_copy(false).await {
            tracing::warn!(%error, "latest-copy could not be looked at");
        }
        schedule.keep(&service, until).await;
    });
    tokio::spawn(sweep(Arc::clone(&wired.access), stopping.clone()));
    tokio::spawn(give_back_memory(stopping.clone()));
    let serving = answer(&config, listener, &wired, site, stopping)?;
    tracing::info!(%address, settings = %config.origin(), "serving");
    announce(&address_lines(&config, address, &wired.access).await?);

    let mut serving = tokio::spawn(serving);
    shutdown.await;
    tracing::info!("stopping: streams end, runs come to rest, answers under way finish");
    stop.send_replace(true);
    let rest = async {
        wired.service.stop(RUNS_TIME).await;
        let _ = (&mut serving).await;
    };
    if tokio::time::timeout(GRACE, rest).await.is_err() {
        tracing::warn!("some answers did not finish in time");
    }
    Ok(())
}

/// The router behind the listener, with what watches over its streams. Resolves when every connection has ended.
///
/// # Errors
/// Certificate and key cannot be used.
pub fn answer(
    config: &Config,
    listener: TcpListener,
    wired: &Wired,
    site: Arc<Site>,
    stopping: watch::Receiver<bool>,
) -> Result<impl Future<Output = ()> + Send + use<>, TlsError> {
    let tls = config.serving.tls.clone().map(Certificate::open).transpose()?.map(Arc::new);
    let state = AppState::new(wired, config, site, stopping.clone());
    let watching = watch_streams(Arc::clone(&state.access), Arc::clone(&state.streams), stopping.clone());
    let looking = state.changes.clone().keep(Arc::clone(&wired.service), stopping.clone());
    let proxies = config.serving.trusted_proxies.clone();
    let is_spared = move |address: IpAddr| address.is_loopback() || proxies.contains(&address);
    let limits = Limits {
        most: config.serving.max_connections,
        addresses: Arc::new(Addresses::new(config.serving.max_connections_per_address, is_spared)),
    };
    let router = crate::router(state);
    Ok(async move {
        tokio::spawn(watching);
        tokio::spawn(looking);
        connections::answer(listener, tls, router, limits, stopping).await;
    })
}

/// Removes ended sessions from time to time.
async fn sweep(access: Arc<Access>, mut stopping: watch::Receiver<bool>) {
    let mut times = tokio::time::interval(SWEEP);
    loop {
        tokio::select! {
            _ = times.tick() => {}
            _ = stopping.wait_for(|stopping| *stopping) => return,
        }
        if let Err(error) = access.sweep().await {
            tracing::warn!(%error, "ended sessions could not be removed; they open nothing all the same");
        }
    }
}

/// A trial of a backup, or a day with many readers, leaves much that nobody uses.
async fn give_back_memory(mut stopping: watch::Receiver<bool>) {
    let mut times = tokio::time::interval(GIVE_BACK);
    loop {
        tokio::select! {
            _ = times.tick() => {}
            _ = stopping.wait_for(|stopping| *stopping) => return,
        }
        if let Err(error) = tokio::task::spawn_blocking(memory::give_back).await {
            tracing::warn!(%error, "free memory could not be given back");
        }
    }
}

/// Where it is served, and at the first start how to become the administrator.
async fn address_lines(config: &Config, address: SocketAddr, access: &Access) -> Result<String, AccessError> {
    let scheme = if config.serving.tls.is_some() { "https" } else { "http" };
    let ready = format!("Stepback is ready: {scheme}://{address}/");
    Ok(match access.first_key().await? {
        Some(key) if address.ip().is_loopback() => format!(
            "{ready}\nFirst start: open {scheme}://{address}/welcome?key={} to make the first administrator.",
            key.expose()
        ),
        _ => ready,
    })
}

/// The address, last on standard output, for people and for programs that started us. A closed output is no fault.
fn announce(text: &str) {
    let mut out = std::io::stdout().lock();
    if let Err(error) = writeln!(out, "{text}").and_then(|()| out.flush()) {
        tracing::debug!(%error, "standard output is closed");
    }
}
