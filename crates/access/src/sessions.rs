//! Sessions: kept by the SHA-256 of their id, over after a time without use, and at last in any case.
//!
//! Showing a session does not use it: whoever answers a request says by [`Access::note_use`] that a person made it. What an
//! open page asks for by itself keeps nobody signed in.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sqlx::Row as _;
use time::OffsetDateTime;
use tower_sessions_core::session::{Id, Record};
use tower_sessions_core::session_store::{Error, Result as StoreResult};

use crate::identity::Proof;
use crate::open::is_taken;
use crate::secret::sha256;
use crate::settings::ms;
use crate::{Access, AccessError, Identity, SessionMark};
use rollback_types::SignInWay;

/// Use is written down at most so often, and ten times within the time after which a session is idle.
const TOUCH: Duration = Duration::from_secs(60);

/// The time-out that ended a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionEnd {
    /// Nobody did anything with it for so long.
    Idle(Duration),
    /// It was as old as a session may become.
    Absolute(Duration),
}

/// Where the web framework keeps its sessions. How long they last is said by [`AccessSettings`](crate::AccessSettings)
/// alone; the expiry of a record is not looked at.
#[derive(Clone)]
pub struct SessionStore(Arc<Access>);

impl fmt::Debug for SessionStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionStore")
    }
}

fn hash_of(id: Id) -> [u8; 32] {
    sha256(&id.0.to_le_bytes())
}

fn failed(error: impl fmt::Display) -> Error {
    Error::Backend(error.to_string())
}

/// The data as kept, and the user it names.
fn written(record: &Record) -> StoreResult<(String, Option<SessionMark>)> {
    let data = serde_json::to_string(&record.data).map_err(|e| Error::Encode(e.to_string()))?;
    let mark = record.data.get(SessionMark::KEY).cloned().map(serde_json::from_value).transpose();
    // `null` is what is written where there is no mark.
    let mark: Option<Option<SessionMark>> = mark.map_err(|e| Error::Encode(e.to_string()))?;
    Ok((data, mark.flatten()))
}

#[async_trait]
impl tower_sessions_core::SessionStore for SessionStore {
    async fn create(&self, record: &mut Record) -> StoreResult<()> {
        let (data, mark) = written(record)?;
        let now = self.0.now();
        loop {
            let inserted = sqlx::query(
                "INSERT INTO sessions (id_hash, data, user_id, generation, made_at, last_seen_at) VALUES (?, ?, ?, ?, ?, ?)",
            )
            .bind(&hash_of(record.id)[..])
            .bind(&data)
            .bind(mark.map(|mark| mark.user_id))
            .bind(mark.map(|mark| mark.generation))
            .bind(now)
            .bind(now)
            .execute(&self.0.pool)
            .await;
            match inserted {
                Ok(_) => return Ok(()),
                Err(e) if is_taken(&e) => record.id = Id::default(),
                Err(e) => return Err(failed(self.0.sql(e))),
            }
        }
    }

    async fn save(&self, record: &Record) -> StoreResult<()> {
        let (data, mark) = written(record)?;
        // Only a row that is there: a request that ends late must not bring back a session that was ended meanwhile.
        sqlx::query("UPDATE sessions SET data = ?, user_id = ?, generation = ?, last_seen_at = ? WHERE id_hash = ?")
            .bind(data)
            .bind(mark.map(|mark| mark.user_id))
            .bind(mark.map(|mark| mark.generation))
            .bind(self.0.now())
            .bind(&hash_of(record.id)[..])
            .execute(&self.0.pool)
            .await
            .map(|_| ())
            .map_err(|e| failed(self.0.sql(e)))
    }

    async fn load(&self, id: &Id) -> StoreResult<Option<Record>> {
        let now = self.0.now();
        let hash = hash_of(*id);
        let sql = "SELECT data, made_at FROM sessions WHERE id_hash = ? AND made_at > ? AND last_seen_at > ?";
        let row = sqlx::query(sql)
            .bind(&hash[..])
            .bind(now.saturating_sub(ms(self.0.settings.absolute)))
            .bind(now.saturating_sub(ms(self.0.settings.idle)))
            .fetch_optional(&self.0.pool)
            .await
            .map_err(|e| failed(self.0.sql(e)))?;
        let Some(row) = row else { return Ok(None) };
        let read = || -> Result<(String, i64), sqlx::Error> { Ok((row.try_get(0)?, row.try_get(1)?)) };
        let (data, made_at) = read().map_err(|e| failed(self.0.sql(e)))?;
        let end = made_at.saturating_add(ms(self.0.settings.absolute));
        Ok(Some(Record {
            id: *id,
            data: serde_json::from_str(&data).map_err(|e| Error::Decode(e.to_string()))?,
            expiry_date: OffsetDateTime::from_unix_timestamp(end / 1000).map_err(|e| Error::Decode(e.to_string()))?,
        }))
    }

    async fn delete(&self, id: &Id) -> StoreResult<()> {
        sqlx::query("DELETE FROM sessions WHERE id_hash = ?")
            .bind(&hash_of(*id)[..])
            .execute(&self.0.pool)
            .await
            .map(|_| ())
            .map_err(|e| failed(self.0.sql(e)))
    }
}

impl Access {
    /// The sessions, for the web framework.
    pub fn session_store(self: &Arc<Self>) -> SessionStore {
        SessionStore(Arc::clone(self))
    }

    /// Whose session this is. Absent when it is over, the user was disabled, or signed out everywhere.
    ///
    /// # Errors
    /// The file's.
    pub async fn identity_of_session(&self, id: Id, mark: SessionMark) -> Result<Option<Identity>, AccessError> {
        self.identity_of_mark(mark, Some(hash_of(id))).await
    }

    /// Looks again at somebody who is still there, such as the reader of an event stream, with today's role. It is no use
    /// of their session. Absent when they may no longer.
    ///
    /// # Errors
    /// The file's.
    pub async fn still_valid(&self, identity: &Identity) -> Result<Option<Identity>, AccessError> {
        let (mark, session) = match &identity.proof {
            Proof::User { mark, session } => (*mark, *session),
            Proof::Token { id } => return self.identity_of_token_id(id).await,
        };
        self.identity_of_mark(mark, session).await
    }

    /// Writes down that a person did something with their session now, unless that was written a moment ago. A token has
    /// none.
    pub async fn note_use(&self, identity: &Identity) {
        let Proof::User { session: Some(hash), .. } = &identity.proof else { return };
        let now = self.now();
        let moment = TOUCH.min(self.settings.idle / 10);
        // Never of one that is over: it must not begin again.
        let sql = "SELECT 1 FROM sessions WHERE id_hash = ? AND last_seen_at <= ? AND last_seen_at > ?";
        let is_due = sqlx::query(sql)
            .bind(&hash[..])
            .bind(now.saturating_sub(ms(moment)))
            .bind(now.saturating_sub(ms(self.settings.idle)))
            .fetch_optional(&self.pool);
        let touched = match is_due.await {
            Ok(None) => return,
            Ok(Some(_)) => {
                let sql = "UPDATE sessions SET last_seen_at = ? WHERE id_hash = ?";
                sqlx::query(sql).bind(now).bind(&hash[..]).execute(&self.pool).await.map(|_| ())
            }
            Err(error) => Err(error),
        };
        // On a full disk people must still be able to look; the session ends the sooner for it.
        if let Err(error) = touched {
            tracing::warn!(error = %self.sql(error), "the last use of a session could not be written");
        }
    }

    /// Which time-out ended a session, as long as that is known. Absent too when it goes on, or was ended by somebody.
    ///
    /// # Errors
    /// The file's.
    pub async fn end_of_session(&self, id: Id) -> Result<Option<SessionEnd>, AccessError> {
        self.time_out_of(hash_of(id)).await
    }

    /// The same of the session by which somebody was known.
    ///
    /// # Errors
    /// The file's.
    pub async fn end_of_sign_in(&self, identity: &Identity) -> Result<Option<SessionEnd>, AccessError> {
        match &identity.proof {
            Proof::User { session: Some(hash), .. } => self.time_out_of(*hash).await,
            Proof::User { session: None, .. } | Proof::Token { .. } => Ok(None),
        }
    }

    async fn time_out_of(&self, hash: [u8; 32]) -> Result<Option<SessionEnd>, AccessError> {
        let sql = "SELECT s.made_at, s.last_seen_at FROM sessions s JOIN users u ON u.id = s.user_id \
                   AND u.generation = s.generation AND u.disabled_at IS NULL WHERE s.id_hash = ?";
        let row = sqlx::query(sql).bind(&hash[..]).fetch_optional(&self.pool).await.map_err(|e| self.sql(e))?;
        let Some(row) = row else { return Ok(None) };
        let read = || -> Result<(i64, i64), sqlx::Error> { Ok((row.try_get(0)?, row.try_get(1)?)) };
        let (made_at, last_seen_at) = read().map_err(|e| self.sql(e))?;
        let (now, settings) = (self.now(), &self.settings);
        Ok(if made_at <= now.saturating_sub(ms(settings.absolute)) {
            Some(SessionEnd::Absolute(settings.absolute))
        } else if last_seen_at <= now.saturating_sub(ms(settings.idle)) {
            Some(SessionEnd::Idle(settings.idle))
        } else {
            None
        })
    }

    async fn identity_of_mark(
        &self,
        mark: SessionMark,
        session: Option<[u8; 32]>,
    ) -> Result<Option<Identity>, AccessError> {
        let now = self.now();
        // Where there is a session, it must be alive and this user's; a fresh sign-in has none yet.
        let sql = "SELECT u.name, u.role, u.kind = 'oidc' FROM users u \
                   WHERE u.id = ?1 AND u.generation = ?2 AND u.disabled_at IS NULL AND (?3 IS NULL OR EXISTS ( \
                   SELECT 1 FROM sessions s WHERE s.id_hash = ?3 AND s.user_id = u.id AND s.generation = u.generation \
                   AND s.made_at > ?4 AND s.last_seen_at > ?5))";
        let row = sqlx::query(sql)
            .bind(mark.user_id)
            .bind(mark.generation)
            .bind(session.map(Vec::from))
            .bind(now.saturating_sub(ms(self.settings.absolute)))
            .bind(now.saturating_sub(ms(self.settings.idle)))
            .fetch_optional(&self.pool)
            .await
            .map_err(|e| self.sql(e))?;
        let Some(row) = row else { return Ok(None) };
        let read = || -> Result<(String, String, bool), sqlx::Error> {
            Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?))
        };
        let (name, role, is_oidc) = read().map_err(|e| self.sql(e))?;
        Ok(Some(Identity {
            name,
            role: self.role(&role)?,
            via: if is_oidc { SignInWay::Oidc } else { SignInWay::Password },
            proof: Proof::User { mark, session },
        }))
    }
}

/// Deletes sessions whose time is over. Those that are idle stay until then, so that their people are told why they have
/// to sign in again.
pub(crate) async fn sweep(access: &Access) -> Result<(), AccessError> {
    sqlx::query("DELETE FROM sessions WHERE made_at <= ?")
        .bind(access.now().saturating_sub(ms(access.settings.absolute)))
        .execute(&access.pool)
        .await
        .map(|_| ())
        .map_err(|e| access.sql(e))
}
