//! Who may do what: users, passwords, sessions, API tokens, the first start, and the audit.
//!
//! All of it is in one SQLite file, `access.db`, that several processes may have open: the server, and the commands
//! `stepback user` and `stepback token` beside it. Nothing is cached, so what one changes acts at the other's next
//! request. Passwords are kept as Argon2id, ids of sessions and tokens as SHA-256. Times are the [`Clock`]'s.

mod audit;
mod audit_reading;
mod audit_refusals;
mod clock;
mod error;
mod first_start;
mod hashing;
mod identity;
mod name;
mod network;
pub mod oidc;
mod open;
mod own_password;
mod own_sessions;
mod password;
mod provider_users;
mod returning;
mod secret;
mod sessions;
mod settings;
mod sign_in;
mod throttle;
mod tokens;
mod users;

use std::path::Path;
use std::sync::Arc;

use sqlx::{Sqlite, SqlitePool, Transaction};

pub use audit::{AuditEntry, AuditId, AuditMatter};
pub use clock::Clock;
pub use error::{AccessError, FirstStartError, SignInError};
pub use identity::{Identity, SessionMark};
pub use name::{NameRefusal, UserName};
pub use network::network;
pub use password::{Password, PasswordRefusal};
pub use secret::Secret;
pub use sessions::{SessionEnd, SessionStore};
pub use settings::AccessSettings;
pub use tokens::without_secret;
pub use users::UserChange;

use audit_refusals::Refusals;
use first_start::FirstKey;
use hashing::Hasher;
use open::Place;

/// The file `access.db`, open.
#[derive(Debug)]
pub struct Access {
    pool: SqlitePool,
    place: Place,
    settings: AccessSettings,
    hasher: Hasher,
    first_key: FirstKey,
    refusals: Refusals,
}

impl Access {
    /// Opens the file, makes it (folder 0700, file 0600) when it is not there, and brings its schema up to date.
    ///
    /// # Errors
    /// [`AccessError::Full`] when the disk is full; [`AccessError::Unusable`] when the file is locked, corrupt, another
    /// program's, of a newer Stepback, or may not be written.
    pub async fn open(path: impl AsRef<Path>, settings: AccessSettings) -> Result<Arc<Self>, AccessError> {
        let (pool, place) = open::open(path.as_ref(), settings.busy_timeout).await?;
        let (hasher, first_key) = (Hasher::new(), FirstKey::default());
        let refusals = Refusals::default();
        Ok(Arc::new(Self { pool, place, settings, hasher, first_key, refusals }))
    }

    /// Closes all connections, so that the file is whole without its `-wal`.
    pub async fn close(&self) {
        if let Err(error) = self.tell_refusals(None).await {
            tracing::error!(%error, "refused tries that were only counted could not be written to the audit");
        }
        self.pool.close().await;
    }

    /// Deletes sessions that are over, and failed tries that no longer count. Nothing depends on it but the file's size.
    ///
    /// # Errors
    /// The file's.
    pub async fn sweep(&self) -> Result<(), AccessError> {
        self.tell_refusals_of_before().await?;
        sessions::sweep(self).await?;
        throttle::sweep(self).await
    }

    fn now(&self) -> i64 {
        self.settings.clock.now_ms()
    }

    fn sql(&self, error: sqlx::Error) -> AccessError {
        self.place.sql(error)
    }

    /// A transaction that holds the right to write from its first statement: what it reads is so until its end.
    async fn writing(&self) -> Result<Transaction<'_, Sqlite>, AccessError> {
        self.place.still_there()?;
        self.pool.begin_with("BEGIN IMMEDIATE").await.map_err(|e| self.sql(e))
    }
}
