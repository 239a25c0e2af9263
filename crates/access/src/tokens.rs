//! API tokens: `stepback_<id>_<secret>`, of which the SHA-256 of the secret is kept.

use std::time::Duration;

use rollback_types::{Role, SignInWay, Timestamp, TokenState, TokenView};
use sqlx::Row as _;
use sqlx::sqlite::SqliteRow;
use subtle::ConstantTimeEq as _;

use crate::identity::Proof;
use crate::open::is_taken;
use crate::secret::{random, sha256};
use crate::settings::ms;
use crate::{Access, AccessError, Identity, Secret, UserName};

/// What a token begins with, so that one that leaked is found.
const PREFIX: &str = "stepback_";
/// Hexadecimal characters of the id and of the secret.
const ID: usize = 16;
const SECRET: usize = 64;
/// Use is written down at most so often.
const TOUCH_MS: i64 = 60_000;
const LONGEST: Duration = Duration::from_secs(10 * 366 * 24 * 3600);

const COLUMNS: &str = "id, name, role, made_at, made_by, expires_at, last_used_at, revoked_at";

impl Access {
    /// Makes a token. The secret is told here and nowhere else.
    ///
    /// # Errors
    /// [`AccessError::TokenExists`], [`AccessError::BadExpiry`], or the file's.
    pub async fn create_token(
        &self,
        name: &UserName,
        role: Role,
        expires: Option<Duration>,
        by: &str,
    ) -> Result<(TokenView, Secret), AccessError> {
        if expires.is_some_and(|time| time < Duration::from_secs(60) || time > LONGEST) {
            return Err(AccessError::BadExpiry);
        }
        self.place.still_there()?;
        let now = self.now();
        let id = hex::encode(random::<{ ID / 2 }>()?);
        let secret = hex::encode(random::<{ SECRET / 2 }>()?);
        let expires_at = expires.map(|time| now.saturating_add(ms(time)));
        let sql = "INSERT INTO tokens (id, name, secret_hash, role, made_at, made_by, expires_at) \
                   VALUES (?, ?, ?, ?, ?, ?, ?)";
        let inserted = sqlx::query(sql)
            .bind(&id)
            .bind(name.as_str())
            .bind(&sha256(secret.as_bytes())[..])
            .bind(role.as_str())
            .bind(now)
            .bind(by)
            .bind(expires_at)
            .execute(&self.pool)
            .await;
        match inserted {
            Ok(_) => {}
            Err(e) if is_taken(&e) => return Err(AccessError::TokenExists(name.to_string())),
            Err(e) => return Err(self.sql(e)),
        }
        let view = TokenView {
            name: name.to_string(),
            role,
            state: TokenState::Active,
            made_at: Timestamp::from_unix_ms(now),
            made_by: by.to_owned(),
            expires_at: expires_at.map(Timestamp::from_unix_ms),
            last_used_at: None,
            revoked_at: None,
            id: id.clone(),
        };
        Ok((view, Secret::new(format!("{PREFIX}{id}_{secret}"))))
    }

    /// All tokens, the newest first; revoked and expired ones too.
    ///
    /// # Errors
    /// The file's.
    pub async fn tokens(&self) -> Result<Vec<TokenView>, AccessError> {
        let sql = format!("SELECT {COLUMNS} FROM tokens ORDER BY made_at DESC, id");
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(&self.pool).await.map_err(|e| self.sql(e))?;
        rows.iter().map(|row| self.token_view(row)).collect()
    }

    /// Takes a token back, by its id, or by its name where the token was not revoked. Revoking again changes nothing.
    ///
    /// # Errors
    /// [`AccessError::NoSuchToken`], or the file's.
    pub async fn revoke(&self, id_or_name: &str) -> Result<TokenView, AccessError> {
        let mut tx = self.writing().await?;
        // By the id first: a token that is named like another's id must not stand in the way of taking that one back.
        for which in ["id = ?2", "name = ?2 AND revoked_at IS NULL"] {
            let sql =
                format!("UPDATE tokens SET revoked_at = COALESCE(revoked_at, ?1) WHERE {which} RETURNING {COLUMNS}");
            let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
                .bind(self.now())
                .bind(id_or_name)
                .fetch_all(&mut *tx)
                .await
                .map_err(|e| self.sql(e))?;
            if let Some(row) = rows.first() {
                let view = self.token_view(row)?;
                tx.commit().await.map_err(|e| self.sql(e))?;
                return Ok(view);
            }
        }
        let told = without_secret(id_or_name).unwrap_or_else(|| id_or_name.chars().take(UserName::MAX).collect());
        Err(AccessError::NoSuchToken(told))
    }

    /// Whose token this is. Absent when it is no token, unknown, expired or revoked.
    ///
    /// # Errors
    /// The file's.
    pub async fn identity_of_token(&self, text: &str) -> Result<Option<Identity>, AccessError> {
        let Some((id, secret)) = parts(text) else { return Ok(None) };
        let hash: Option<Vec<u8>> = sqlx::query_scalar("SELECT secret_hash FROM tokens WHERE id = ?")
            .bind(id)
            .fetch_optional(&self.pool)
            .await
            .map_err(|e| self.sql(e))?;
        let is_right = hash.is_some_and(|hash| sha256(secret.as_bytes()).ct_eq(&hash).into());
        if !is_right {
            return Ok(None);
        }
        let Some(identity) = self.identity_of_token_id(id).await? else { return Ok(None) };
        let now = self.now();
        let touched = sqlx::query(
            "UPDATE tokens SET last_used_at = ?1 WHERE id = ?2 AND (last_used_at IS NULL OR last_used_at <= ?3)",
        )
        .bind(now)
        .bind(id)
        .bind(now.saturating_sub(TOUCH_MS))
        .execute(&self.pool)
        .await;
        // On a full disk people must still be able to look; what changes something is audited first, and stops there.
        if let Err(error) = touched {
            tracing::warn!(error = %self.sql(error), "the last use of a token could not be written");
        }
        Ok(Some(identity))
    }

    pub(crate) async fn identity_of_token_id(&self, id: &str) -> Result<Option<Identity>, AccessError> {
        let sql = "SELECT name, role FROM tokens WHERE id = ? AND revoked_at IS NULL AND \
                   (expires_at IS NULL OR expires_at > ?)";
        let row =
            sqlx::query(sql).bind(id).bind(self.now()).fetch_optional(&self.pool).await.map_err(|e| self.sql(e))?;
        let Some(row) = row else { return Ok(None) };
        let text = |i: usize| row.try_get::<String, _>(i).map_err(|e| self.sql(e));
        Ok(Some(Identity {
            name: format!("token:{}", text(0)?),
            role: self.role(&text(1)?)?,
            via: SignInWay::Token,
            proof: Proof::Token { id: id.to_owned() },
        }))
    }

    fn token_view(&self, row: &SqliteRow) -> Result<TokenView, AccessError> {
        let text = |i: usize| row.try_get::<String, _>(i).map_err(|e| self.sql(e));
        let time = |i: usize| -> Result<Option<Timestamp>, AccessError> {
            Ok(row.try_get::<Option<i64>, _>(i).map_err(|e| self.sql(e))?.map(Timestamp::from_unix_ms))
        };
        let (expires_at, revoked_at) = (time(5)?, time(7)?);
        let is_expired = expires_at.is_some_and(|end| end.unix_ms() <= self.now());
        Ok(TokenView {
            id: text(0)?,
            name: text(1)?,
            role: self.role(&text(2)?)?,
            state: match (revoked_at, is_expired) {
                (Some(_), _) => TokenState::Revoked,
                (None, true) => TokenState::Expired,
                (None, false) => TokenState::Active,
            },
            made_at: time(3)?.unwrap_or(Timestamp::from_unix_ms(0)),
            made_by: text(4)?,
            expires_at,
            last_used_at: time(6)?,
            revoked_at,
        })
    }
}

/// Id and secret of a text that has the form of a token.
fn parts(text: &str) -> Option<(&str, &str)> {
    let (id, secret) = text.strip_prefix(PREFIX)?.split_once('_')?;
    let is_hex = |part: &str, length: usize| {
        part.len() == length && part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    };
    (is_hex(id, ID) && is_hex(secret, SECRET)).then_some((id, secret))
}

/// What may be told of a text that is a whole token, though only its id or name was asked for. Absent: it is none.
pub fn without_secret(given: &str) -> Option<String> {
    let (id, _) = given.trim().strip_prefix(PREFIX)?.split_once('_')?;
    Some(format!("{PREFIX}{id}_…"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_very_form_is_a_token() {
        let good = format!("stepback_{}_{}", "0a".repeat(8), "9f".repeat(32));
        assert_eq!(parts(&good), Some(("0a0a0a0a0a0a0a0a", &*"9f".repeat(32))));
        for bad in ["", "stepback_", &good[1..], &good.to_uppercase(), &format!("{good}0"), &format!("{good} ")] {
            assert_eq!(parts(bad), None, "{bad}");
        }
    }

    #[test]
    fn only_of_a_token_the_secret_is_cut() {
        assert_eq!(without_secret(" stepback_ab12_0123 ").as_deref(), Some("stepback_ab12_…"));
        for other in ["ab12", "stepback_ab12", "ann", ""] {
            assert_eq!(without_secret(other), None, "{other}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_survived(text in ".*") {
            let _ = parts(&text);
            let _ = parts(&format!("stepback_{text}"));
        }
    }
}
