//! Sign-in by name and password: the same work and the same answer, whatever was wrong.

use std::net::IpAddr;

use rollback_types::SignInWay;
use sqlx::Row as _;

use crate::identity::Proof;
use crate::password::Verdict;
use crate::{Access, AccessError, Identity, SessionMark, SignInError};

/// Earlier versions took passwords of so many characters.
const LONGEST_KEPT: usize = 256;

impl Access {
    /// Looks at a name and a password. A try counts as failed before the password is looked at, so that many at once do
    /// not slip past the limits; success takes it back.
    ///
    /// # Errors
    /// [`SignInError::Refused`] for an unknown user, a disabled one and a wrong password alike; [`SignInError::Wait`] after
    /// too many failed tries, for names that are nobody's too; [`SignInError::Busy`], whoever asks; or the file's.
    pub async fn sign_in(&self, name: &str, password: &str, from: IpAddr) -> Result<Identity, SignInError> {
        // Before anything is looked at or counted: who is sent away learns nothing and loses nothing.
        let Some(_place) = self.hasher.place_in_queue() else { return Err(SignInError::Busy) };
        let name = name.trim();
        self.count_try(Some(name), from).await?;
        let kept = self.kept(name).await?;
        // Longer ones were never kept; a comparison would only take time.
        let tried = if password.chars().nth(LONGEST_KEPT).is_some() { "" } else { password };
        let hash = kept.as_ref().and_then(|kept| kept.hash.clone());
        let verdict = self.hasher.verify(hash, tried).await?;
        let (Some(kept), Verdict::Right { better_hash }) = (kept, verdict) else { return Err(SignInError::Refused) };
        let identity = self.note_sign_in(&kept, better_hash).await?.ok_or(SignInError::Refused)?;
        self.forgive(Some(name), from).await?;
        Ok(identity)
    }

    /// What is kept of a user who may sign in by a password.
    async fn kept(&self, name: &str) -> Result<Option<Kept>, AccessError> {
        let sql = "SELECT id, password_hash, generation FROM users \
                   WHERE name = ? AND disabled_at IS NULL AND kind = 'password'";
        let row = sqlx::query(sql).bind(name).fetch_optional(&self.pool).await.map_err(|e| self.sql(e))?;
        let Some(row) = row else { return Ok(None) };
        let read = || -> Result<Kept, sqlx::Error> {
            Ok(Kept { id: row.try_get(0)?, hash: row.try_get(1)?, generation: row.try_get(2)? })
        };
        read().map(Some).map_err(|e| self.sql(e))
    }

    /// Absent when the user was disabled, or got another password, while the password was being compared.
    async fn note_sign_in(&self, kept: &Kept, better_hash: Option<String>) -> Result<Option<Identity>, AccessError> {
        let sql = "UPDATE users SET last_sign_in_at = ?, password_hash = COALESCE(?, password_hash) \
                   WHERE id = ? AND generation = ? AND disabled_at IS NULL RETURNING name, role";
        let mut tx = self.writing().await?;
        let rows = sqlx::query(sql)
            .bind(self.now())
            .bind(better_hash)
            .bind(kept.id)
            .bind(kept.generation)
            .fetch_all(&mut *tx)
            .await
            .map_err(|e| self.sql(e))?;
        tx.commit().await.map_err(|e| self.sql(e))?;
        let Some(row) = rows.first() else { return Ok(None) };
        let role: String = row.try_get(1).map_err(|e| self.sql(e))?;
        let mark = SessionMark { user_id: kept.id, generation: kept.generation };
        Ok(Some(Identity {
            name: row.try_get(0).map_err(|e| self.sql(e))?,
            role: self.role(&role)?,
            via: SignInWay::Password,
            proof: Proof::User { mark, session: None },
        }))
    }
}

/// A user's row, as sign-in needs it.
struct Kept {
    id: i64,
    hash: Option<String>,
    generation: i64,
}
