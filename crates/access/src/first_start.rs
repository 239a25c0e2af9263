//! The first administrator, made by a one-time link that only the terminal shows.

use std::sync::{Mutex, PoisonError};

use rollback_types::{Role, SignInWay};
use subtle::ConstantTimeEq as _;

use crate::identity::Proof;
use crate::secret::random;
use crate::{Access, AccessError, FirstStartError, Identity, Password, Secret, SessionMark, UserName};

/// The key of this process' link: in memory only, so that it ends with the process.
#[derive(Default)]
pub(crate) struct FirstKey(Mutex<Option<[u8; 32]>>);

impl FirstKey {
    fn get_or_make(&self) -> Result<[u8; 32], AccessError> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match *kept {
            Some(key) => Ok(key),
            None => Ok(*kept.insert(random()?)),
        }
    }

    fn is(&self, tried: &str) -> bool {
        let kept = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.is_some_and(|key| hex::encode(key).as_bytes().ct_eq(tried.as_bytes()).into())
    }

    fn forget(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

impl std::fmt::Debug for FirstKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl Access {
    /// The key for the link that makes the first administrator; the same until it is used. Absent when there are users.
    ///
    /// # Errors
    /// The file's.
    pub async fn first_key(&self) -> Result<Option<Secret>, AccessError> {
        if self.has_users().await? {
            return Ok(None);
        }
        Ok(Some(Secret::new(hex::encode(self.first_key.get_or_make()?))))
    }

    /// Whether this is the link's key. It is not used up by that.
    pub fn is_first_key(&self, key: &str) -> bool {
        self.first_key.is(key)
    }

    /// Makes the first administrator. Of two at once one is made.
    ///
    /// # Errors
    /// [`FirstStartError::WrongKey`], [`FirstStartError::NotFirst`], or the file's; the key stays good when it was the
    /// file's.
    pub async fn make_first_administrator(
        &self,
        key: &str,
        name: &UserName,
        password: &Password,
    ) -> Result<Identity, FirstStartError> {
        if !self.first_key.is(key) {
            return Err(FirstStartError::WrongKey);
        }
        let hash = self.hasher.hash(password).await?;
        let mut tx = self.writing().await?;
        let others: bool = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM users)")
            .fetch_one(&mut *tx)
            .await
            .map_err(|e| self.sql(e))?;
        if others {
            self.first_key.forget();
            return Err(FirstStartError::NotFirst);
        }
        let id = self.insert_user(&mut tx, name, Role::Administrator, &hash, "first start").await?;
        sqlx::query("UPDATE users SET last_sign_in_at = ? WHERE id = ?")
            .bind(self.now())
            .bind(id)
            .execute(&mut *tx)
            .await
            .map_err(|e| self.sql(e))?;
        tx.commit().await.map_err(|e| self.sql(e))?;
        self.first_key.forget();
        let mark = SessionMark { user_id: id, generation: 1 };
        Ok(Identity {
            name: name.to_string(),
            role: Role::Administrator,
            via: SignInWay::Password,
            proof: Proof::User { mark, session: None },
        })
    }
}
