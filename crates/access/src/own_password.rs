//! A person's own password, changed by that person.

use std::net::IpAddr;

use sqlx::Row as _;

use crate::identity::Proof;
use crate::{Access, Identity, Password, SessionMark, SignInError};

impl Access {
    /// Sets another password for somebody who shows the one of now, which counts like a sign-in. All their sessions end;
    /// the identity that is given back begins a new one.
    ///
    /// # Errors
    /// As [`sign_in`](Self::sign_in); also [`SignInError::Refused`] for who has no password here.
    pub async fn change_own_password(
        &self,
        who: &Identity,
        current: &str,
        new: &Password,
        from: IpAddr,
    ) -> Result<Identity, SignInError> {
        let proven = self.sign_in(&who.name, current, from).await?;
        let Proof::User { mark, .. } = proven.proof else { return Err(SignInError::Refused) };
        let hash = self.hasher.hash(new).await?;
        let mut tx = self.writing().await?;
        // Only what was proven is replaced: who was disabled meanwhile, or got another password, stays as they are.
        let sql = "UPDATE users SET password_hash = ?, password_set_at = ?, generation = generation + 1 \
                   WHERE id = ? AND generation = ? AND disabled_at IS NULL RETURNING generation";
        let rows = sqlx::query(sql)
            .bind(hash)
            .bind(self.now())
            .bind(mark.user_id)
            .bind(mark.generation)
            .fetch_all(&mut *tx)
            .await
            .map_err(|e| self.sql(e))?;
        let Some(row) = rows.first() else { return Err(SignInError::Refused) };
        let generation = row.try_get(0).map_err(|e| self.sql(e))?;
        self.end_sessions(&mut tx, mark.user_id).await?;
        tx.commit().await.map_err(|e| self.sql(e))?;
        let mark = SessionMark { user_id: mark.user_id, generation };
        Ok(Identity { proof: Proof::User { mark, session: None }, ..proven })
    }
}
