//! A person's own sessions: seen, and ended one by one.

use rollback_types::{SessionView, Timestamp};
use sqlx::Row as _;

use crate::identity::Proof;
use crate::settings::ms;
use crate::{Access, AccessError, Identity};

/// Bytes of a session's hash that name it to its own user.
const NAMED_BY: usize = 8;

impl Access {
    /// The sessions of whoever asks, the one used last first. A token has none.
    ///
    /// # Errors
    /// The file's.
    pub async fn sessions_of(&self, who: &Identity) -> Result<Vec<SessionView>, AccessError> {
        let Proof::User { mark, session } = &who.proof else { return Ok(Vec::new()) };
        let now = self.now();
        let sql = "SELECT id_hash, made_at, last_seen_at FROM sessions WHERE user_id = ? AND generation = ? \
                   AND made_at > ? AND last_seen_at > ? ORDER BY last_seen_at DESC, made_at DESC";
        let rows = sqlx::query(sql)
            .bind(mark.user_id)
            .bind(mark.generation)
            .bind(now.saturating_sub(ms(self.settings.absolute)))
            .bind(now.saturating_sub(ms(self.settings.idle)))
            .fetch_all(&self.pool)
            .await
            .map_err(|e| self.sql(e))?;
        let read = |row: &sqlx::sqlite::SqliteRow| -> Result<SessionView, sqlx::Error> {
            let hash: Vec<u8> = row.try_get(0)?;
            Ok(SessionView {
                id: hex::encode(hash.iter().take(NAMED_BY).copied().collect::<Vec<u8>>()),
                since: Timestamp::from_unix_ms(row.try_get(1)?),
                last_used_at: Timestamp::from_unix_ms(row.try_get(2)?),
                is_this_one: session.is_some_and(|own| own[..] == hash[..]),
            })
        };
        rows.iter().map(|row| read(row).map_err(|e| self.sql(e))).collect()
    }

    /// Ends a session of whoever asks, and no other's.
    ///
    /// # Errors
    /// [`AccessError::NoSuchSession`], or the file's.
    pub async fn end_session(&self, who: &Identity, id: &str) -> Result<(), AccessError> {
        let Proof::User { mark, .. } = &who.proof else { return Err(AccessError::NoSuchSession) };
        self.place.still_there()?;
        let sql = "DELETE FROM sessions WHERE user_id = ?1 AND hex(substr(id_hash, 1, ?2)) = upper(?3)";
        let deleted = sqlx::query(sql)
            .bind(mark.user_id)
            .bind(i64::try_from(NAMED_BY).unwrap_or(i64::MAX))
            .bind(id)
            .execute(&self.pool)
            .await
            .map_err(|e| self.sql(e))?;
        if deleted.rows_affected() > 0 { Ok(()) } else { Err(AccessError::NoSuchSession) }
    }
}
