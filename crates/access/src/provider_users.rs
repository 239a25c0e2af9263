//! Users whose proof is a provider's.

use rollback_types::{Role, SignInWay};
use sqlx::Row as _;

use crate::identity::Proof;
use crate::secret::sha256;
use crate::{Access, AccessError, Identity, SessionMark, UserName};

impl Access {
    /// Makes the user at their first sign-in, and gives the role that the provider says. Absent when they are disabled
    /// here. A name that somebody has already is never taken over: the next one is tried, and at last one of our making.
    pub(crate) async fn sign_in_of_provider(
        &self,
        issuer: &str,
        subject: &str,
        names: &[UserName],
        role: Role,
    ) -> Result<Option<Identity>, AccessError> {
        let now = self.now();
        let mut tx = self.writing().await?;
        let sql = "SELECT id, name, generation, disabled_at IS NOT NULL FROM users \
                   WHERE oidc_issuer = ? AND oidc_subject = ?";
        let row =
            sqlx::query(sql).bind(issuer).bind(subject).fetch_optional(&mut *tx).await.map_err(|e| self.sql(e))?;
        let known = match &row {
            Some(row) => {
                let read = || -> Result<(i64, String, i64, bool), sqlx::Error> {
                    Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?))
                };
                Some(read().map_err(|e| self.sql(e))?)
            }
            None => None,
        };
        let (id, name, generation) = match known {
            Some((_, _, _, true)) => return Ok(None),
            Some((id, name, generation, false)) => {
                sqlx::query("UPDATE users SET role = ?, last_sign_in_at = ? WHERE id = ?")
                    .bind(role.as_str())
                    .bind(now)
                    .bind(id)
                    .execute(&mut *tx)
                    .await
                    .map_err(|e| self.sql(e))?;
                (id, name, generation)
            }
            None => {
                let digest = hex::encode(sha256(format!("{issuer}\n{subject}").as_bytes()));
                let ours = format!("oidc-{}", &digest[..16]);
                let mut chosen = ours.as_str();
                for name in names {
                    let taken: bool = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM users WHERE name = ?)")
                        .bind(name.as_str())
                        .fetch_one(&mut *tx)
                        .await
                        .map_err(|e| self.sql(e))?;
                    if !taken {
                        chosen = name.as_str();
                        break;
                    }
                }
                let sql = "INSERT INTO users (name, kind, role, made_at, made_by, last_sign_in_at, oidc_issuer, oidc_subject) \
                           VALUES (?, 'oidc', ?, ?, ?, ?, ?, ?)";
                let made = sqlx::query(sql)
                    .bind(chosen)
                    .bind(role.as_str())
                    .bind(now)
                    .bind(issuer)
                    .bind(now)
                    .bind(issuer)
                    .bind(subject)
                    .execute(&mut *tx)
                    .await
                    .map_err(|e| self.sql(e))?;
                (made.last_insert_rowid(), chosen.to_owned(), 1)
            }
        };
        tx.commit().await.map_err(|e| self.sql(e))?;
        let mark = SessionMark { user_id: id, generation };
        Ok(Some(Identity { name, role, via: SignInWay::Oidc, proof: Proof::User { mark, session: None } }))
    }
}
