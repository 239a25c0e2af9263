//! Users: added, changed, disabled; never deleted, since the audit names them.

use rollback_types::{Role, Timestamp, UserKind, UserView};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, Sqlite, Transaction};

use crate::open::is_taken;
use crate::settings::ms;
use crate::{Access, AccessError, Password, UserName};

impl Access {
    /// Whether there is any user, disabled ones too.
    ///
    /// # Errors
    /// The file's.
    pub async fn has_users(&self) -> Result<bool, AccessError> {
        sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM users)").fetch_one(&self.pool).await.map_err(|e| self.sql(e))
    }

    /// All users, by name.
    ///
    /// # Errors
    /// The file's.
    pub async fn users(&self) -> Result<Vec<UserView>, AccessError> {
        self.views(None).await
    }

    /// One user.
    ///
    /// # Errors
    /// The file's.
    pub async fn user(&self, name: &str) -> Result<Option<UserView>, AccessError> {
        Ok(self.views(Some(name)).await?.pop())
    }

    /// Adds a user who signs in by a password.
    ///
    /// # Errors
    /// [`AccessError::UserExists`], or the file's.
    pub async fn add_user(
        &self,
        name: &UserName,
        role: Role,
        password: &Password,
        by: &str,
    ) -> Result<UserView, AccessError> {
        let hash = self.hasher.hash(password).await?;
        let mut tx = self.writing().await?;
        self.insert_user(&mut tx, name, role, &hash, by).await?;
        tx.commit().await.map_err(|e| self.sql(e))?;
        self.user(name.as_str()).await?.ok_or_else(|| AccessError::NoSuchUser(name.to_string()))
    }

    /// The new user's id.
    pub(crate) async fn insert_user(
        &self,
        tx: &mut Transaction<'_, Sqlite>,
        name: &UserName,
        role: Role,
        hash: &str,
        by: &str,
    ) -> Result<i64, AccessError> {
        let now = self.now();
        let sql = "INSERT INTO users (name, kind, role, password_hash, made_at, made_by, password_set_at) \
                   VALUES (?, 'password', ?, ?, ?, ?, ?)";
        let inserted = sqlx::query(sql)
            .bind(name.as_str())
            .bind(role.as_str())
            .bind(hash)
            .bind(now)
            .bind(by)
            .bind(now)
            .execute(&mut **tx)
            .await;
        match inserted {
            Ok(done) => Ok(done.last_insert_rowid()),
            Err(e) if is_taken(&e) => Err(AccessError::UserExists(name.to_string())),
            Err(e) => Err(self.sql(e)),
        }
    }

    /// Sets another password, and ends all sessions of the user.
    ///
    /// # Errors
    /// [`AccessError::NoSuchUser`], [`AccessError::OfProvider`], or the file's.
    pub async fn set_password(&self, name: &str, password: &Password) -> Result<(), AccessError> {
        let hash = self.hasher.hash(password).await?;
        let mut tx = self.writing().await?;
        let user = self.found(&mut tx, name).await?;
        if user.kind == UserKind::Oidc {
            return Err(AccessError::OfProvider { name: user.name, what: "the password" });
        }
        sqlx::query(
            "UPDATE users SET password_hash = ?, password_set_at = ?, generation = generation + 1 WHERE id = ?",
        )
        .bind(hash)
        .bind(self.now())
        .bind(user.id)
        .execute(&mut *tx)
        .await
        .map_err(|e| self.sql(e))?;
        self.end_sessions(&mut tx, user.id).await?;
        tx.commit().await.map_err(|e| self.sql(e))
    }

    /// Gives another role, from the next request on.
    ///
    /// # Errors
    /// [`AccessError::NoSuchUser`], [`AccessError::LastAdministrator`], [`AccessError::OfProvider`], or the file's.
    pub async fn set_role(&self, name: &str, role: Role) -> Result<(), AccessError> {
        let mut tx = self.writing().await?;
        let user = self.found(&mut tx, name).await?;
        if user.kind == UserKind::Oidc {
            return Err(AccessError::OfProvider { name: user.name, what: "the role" });
        }
        if role != Role::Administrator {
            self.not_the_last(&mut tx, &user).await?;
        }
        sqlx::query("UPDATE users SET role = ? WHERE id = ?")
            .bind(role.as_str())
            .bind(user.id)
            .execute(&mut *tx)
            .await
            .map_err(|e| self.sql(e))?;
        tx.commit().await.map_err(|e| self.sql(e))
    }

    /// Ends all sessions of the user, and lets them sign in no more. A user who is disabled already stays so.
    ///
    /// # Errors
    /// [`AccessError::NoSuchUser`], [`AccessError::LastAdministrator`], or the file's.
    pub async fn disable(&self, name: &str) -> Result<(), AccessError> {
        let mut tx = self.writing().await?;
        let user = self.found(&mut tx, name).await?;
        self.not_the_last(&mut tx, &user).await?;
        let sql = "UPDATE users SET disabled_at = COALESCE(disabled_at, ?), generation = generation + 1 WHERE id = ?";
        sqlx::query(sql).bind(self.now()).bind(user.id).execute(&mut *tx).await.map_err(|e| self.sql(e))?;
        self.end_sessions(&mut tx, user.id).await?;
        tx.commit().await.map_err(|e| self.sql(e))
    }

    /// Lets the user sign in again; sessions of before do not come back.
    ///
    /// # Errors
    /// [`AccessError::NoSuchUser`], or the file's.
    pub async fn enable(&self, name: &str) -> Result<(), AccessError> {
        let mut tx = self.writing().await?;
        let user = self.found(&mut tx, name).await?;
        sqlx::query("UPDATE users SET disabled_at = NULL WHERE id = ?")
            .bind(user.id)
            .execute(&mut *tx)
            .await
            .map_err(|e| self.sql(e))?;
        tx.commit().await.map_err(|e| self.sql(e))
    }

    /// Ends all sessions of the user, wherever they are.
    ///
    /// # Errors
    /// [`AccessError::NoSuchUser`], or the file's.
    pub async fn sign_out_everywhere(&self, name: &str) -> Result<(), AccessError> {
        let mut tx = self.writing().await?;
        let user = self.found(&mut tx, name).await?;
        sqlx::query("UPDATE users SET generation = generation + 1 WHERE id = ?")
            .bind(user.id)
            .execute(&mut *tx)
            .await
            .map_err(|e| self.sql(e))?;
        self.end_sessions(&mut tx, user.id).await?;
        tx.commit().await.map_err(|e| self.sql(e))
    }

    async fn end_sessions(&self, tx: &mut Transaction<'_, Sqlite>, user: i64) -> Result<(), AccessError> {
        let deleted = sqlx::query("DELETE FROM sessions WHERE user_id = ?").bind(user).execute(&mut **tx).await;
        deleted.map(|_| ()).map_err(|e| self.sql(e))
    }

    async fn found(&self, tx: &mut Transaction<'_, Sqlite>, name: &str) -> Result<Found, AccessError> {
        let row = sqlx::query("SELECT id, name, kind, role, disabled_at FROM users WHERE name = ?")
            .bind(name)
            .fetch_optional(&mut **tx)
            .await
            .map_err(|e| self.sql(e))?;
        let row = row.ok_or_else(|| AccessError::NoSuchUser(name.chars().take(UserName::MAX).collect()))?;
        let read = || -> Result<(i64, String, String, String, Option<i64>), sqlx::Error> {
            Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?, row.try_get(4)?))
        };
        let (id, name, kind, role, disabled_at) = read().map_err(|e| self.sql(e))?;
        let (kind, role) = (self.kind(&kind)?, self.role(&role)?);
        Ok(Found { id, name, kind, is_active_administrator: role == Role::Administrator && disabled_at.is_none() })
    }

    /// Somebody must be able to administrate after this user no longer can.
    async fn not_the_last(&self, tx: &mut Transaction<'_, Sqlite>, user: &Found) -> Result<(), AccessError> {
        if !user.is_active_administrator {
            return Ok(());
        }
        let sql =
            "SELECT EXISTS (SELECT 1 FROM users WHERE role = 'administrator' AND disabled_at IS NULL AND id != ?)";
        let others: bool = sqlx::query_scalar(sql).bind(user.id).fetch_one(&mut **tx).await.map_err(|e| self.sql(e))?;
        if others { Ok(()) } else { Err(AccessError::LastAdministrator(user.name.clone())) }
    }

    async fn views(&self, name: Option<&str>) -> Result<Vec<UserView>, AccessError> {
        let sql = "SELECT u.name, u.kind, u.role, u.disabled_at, u.made_at, u.made_by, u.password_set_at, \
                   u.last_sign_in_at, (SELECT COUNT(*) FROM sessions s WHERE s.user_id = u.id AND \
                   s.generation = u.generation AND s.last_seen_at > ? AND s.made_at > ?) \
                   FROM users u WHERE ? IS NULL OR u.name = ? ORDER BY u.name";
        let now = self.now();
        let rows = sqlx::query(sql)
            .bind(now.saturating_sub(ms(self.settings.idle)))
            .bind(now.saturating_sub(ms(self.settings.absolute)))
            .bind(name)
            .bind(name)
            .fetch_all(&self.pool)
            .await
            .map_err(|e| self.sql(e))?;
        rows.iter().map(|row| self.view_of(row)).collect()
    }

    fn view_of(&self, row: &SqliteRow) -> Result<UserView, AccessError> {
        let text = |i: usize| row.try_get::<String, _>(i).map_err(|e| self.sql(e));
        let time = |i: usize| -> Result<Option<Timestamp>, AccessError> {
            Ok(row.try_get::<Option<i64>, _>(i).map_err(|e| self.sql(e))?.map(Timestamp::from_unix_ms))
        };
        Ok(UserView {
            name: text(0)?,
            kind: self.kind(&text(1)?)?,
            role: self.role(&text(2)?)?,
            disabled_at: time(3)?,
            made_at: time(4)?.unwrap_or(Timestamp::from_unix_ms(0)),
            made_by: text(5)?,
            password_set_at: time(6)?,
            last_sign_in_at: time(7)?,
            sessions: row.try_get::<i64, _>(8).map_err(|e| self.sql(e))?.unsigned_abs(),
        })
    }

    pub(crate) fn role(&self, word: &str) -> Result<Role, AccessError> {
        Role::parse(word).ok_or_else(|| self.place.unusable(format!("a role is unknown: {word}")))
    }

    fn kind(&self, word: &str) -> Result<UserKind, AccessError> {
        UserKind::parse(word).ok_or_else(|| self.place.unusable(format!("a kind of user is unknown: {word}")))
    }
}

/// A user's row, inside a transaction.
struct Found {
    id: i64,
    name: String,
    kind: UserKind,
    is_active_administrator: bool,
}
