//! Users: added, changed, disabled; never deleted, since the audit names them.

use rollback_types::{Role, Timestamp, UserKind, UserView};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row as _, Sqlite, Transaction};

use crate::open::is_taken;
use crate::settings::ms;
use crate::{Access, AccessError, Password, UserName};

/// What is changed about a user; what is left out stays.
#[derive(Clone, Debug, Default)]
pub struct UserChange {
    /// Another role.
    pub role: Option<Role>,
    /// May not sign in any more, or may again.
    pub disabled: Option<bool>,
    /// Another password.
    pub password: Option<Password>,
}

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

    /// Changes all that is given, or nothing. Disabling, and another password, end all sessions of the user; another role
    /// acts from the next request on. A user who is disabled already stays so since when they were.
    ///
    /// # Errors
    /// [`AccessError::NoSuchUser`], [`AccessError::LastAdministrator`], [`AccessError::OfProvider`], or the file's.
    pub async fn change_user(&self, name: &str, change: &UserChange) -> Result<UserView, AccessError> {
        let hash = match &change.password {
            Some(password) => Some(self.hasher.hash(password).await?),
            None => None,
        };
        let mut tx = self.writing().await?;
        let user = self.found(&mut tx, name).await?;
        if user.kind == UserKind::Oidc {
            let kept = [(change.role.is_some(), "the role"), (hash.is_some(), "the password")];
            if let Some((_, what)) = kept.into_iter().find(|(is_asked, _)| *is_asked) {
                return Err(AccessError::OfProvider { name: user.name, what });
            }
        }
        let role = change.role.unwrap_or(user.role);
        let is_disabled = change.disabled.unwrap_or(user.is_disabled);
        if user.role == Role::Administrator && !user.is_disabled && (role != Role::Administrator || is_disabled) {
            self.not_the_last(&mut tx, &user).await?;
        }
        let ends_sessions = change.disabled == Some(true) || hash.is_some();
        let sql = "UPDATE users SET role = ?2, disabled_at = CASE WHEN ?3 THEN COALESCE(disabled_at, ?4) END, \
                   password_hash = COALESCE(?5, password_hash), \
                   password_set_at = CASE WHEN ?5 IS NULL THEN password_set_at ELSE ?4 END, \
                   generation = generation + ?6 WHERE id = ?1";
        sqlx::query(sql)
            .bind(user.id)
            .bind(role.as_str())
            .bind(is_disabled)
            .bind(self.now())
            .bind(hash)
            .bind(i64::from(ends_sessions))
            .execute(&mut *tx)
            .await
            .map_err(|e| self.sql(e))?;
        if ends_sessions {
            self.end_sessions(&mut tx, user.id).await?;
        }
        tx.commit().await.map_err(|e| self.sql(e))?;
        self.user(&user.name).await?.ok_or(AccessError::NoSuchUser(user.name))
    }

    /// Sets another password, and ends all sessions of the user.
    ///
    /// # Errors
    /// As [`change_user`](Self::change_user).
    pub async fn set_password(&self, name: &str, password: &Password) -> Result<(), AccessError> {
        let change = UserChange { password: Some(password.clone()), ..UserChange::default() };
        self.change_user(name, &change).await.map(drop)
    }

    /// Gives another role, from the next request on.
    ///
    /// # Errors
    /// As [`change_user`](Self::change_user).
    pub async fn set_role(&self, name: &str, role: Role) -> Result<(), AccessError> {
        self.change_user(name, &UserChange { role: Some(role), ..UserChange::default() }).await.map(drop)
    }

    /// Ends all sessions of the user, and lets them sign in no more.
    ///
    /// # Errors
    /// As [`change_user`](Self::change_user).
    pub async fn disable(&self, name: &str) -> Result<(), AccessError> {
        self.change_user(name, &UserChange { disabled: Some(true), ..UserChange::default() }).await.map(drop)
    }

    /// Lets the user sign in again; sessions of before do not come back.
    ///
    /// # Errors
    /// As [`change_user`](Self::change_user).
    pub async fn enable(&self, name: &str) -> Result<(), AccessError> {
        self.change_user(name, &UserChange { disabled: Some(false), ..UserChange::default() }).await.map(drop)
    }

    /// The role of a user who may sign in; absent for one who may not, and for a name that is nobody's.
    ///
    /// # Errors
    /// The file's.
    pub async fn role_of_user(&self, name: &str) -> Result<Option<Role>, AccessError> {
        let user = self.user(name).await?;
        Ok(user.filter(|user| user.disabled_at.is_none()).map(|user| user.role))
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

    pub(crate) async fn end_sessions(&self, tx: &mut Transaction<'_, Sqlite>, user: i64) -> Result<(), AccessError> {
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
        Ok(Found { id, name, kind, role, is_disabled: disabled_at.is_some() })
    }

    /// Somebody must be able to administrate after this user no longer can.
    async fn not_the_last(&self, tx: &mut Transaction<'_, Sqlite>, user: &Found) -> Result<(), AccessError> {
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
    role: Role,
    is_disabled: bool,
}
