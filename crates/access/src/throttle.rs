//! Limits on failed sign-ins, by account and by address. They are in the file: a restart resets nothing.

use std::net::IpAddr;

use sqlx::{Row as _, Sqlite, Transaction};

use crate::secret::sha256;
use crate::{Access, AccessError, SignInError, network};

/// Failed tries that count are forgotten so long after the last one.
const MEMORY_MS: i64 = 24 * 3600 * 1000;
const FIRST_WAIT_MS: i64 = 1000;
const LONGEST_WAIT_MS: i64 = 15 * 60 * 1000;

/// What tries are counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Account,
    Address,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Address => "address",
        }
    }

    /// Tries that may fail before there is a wait. Many people can come from one address.
    fn free(self) -> i64 {
        match self {
            Self::Account => 5,
            Self::Address => 20,
        }
    }

    /// How long to wait after so many failed tries: 1 s after the last free one, then twice as long each time.
    fn wait_ms(self, failures: i64) -> i64 {
        let over = failures - self.free();
        if over < 0 {
            return 0;
        }
        let doubled = u32::try_from(over).ok().and_then(|n| FIRST_WAIT_MS.checked_shl(n.min(20)));
        doubled.unwrap_or(LONGEST_WAIT_MS).min(LONGEST_WAIT_MS)
    }
}

/// Account and address of a try, as the table has them. A try at a provider has no account here.
fn keys(name: Option<&str>, from: IpAddr) -> Vec<(Kind, [u8; 32])> {
    let account = name.map(|name| (Kind::Account, sha256(name.to_ascii_lowercase().as_bytes())));
    account.into_iter().chain([(Kind::Address, sha256(network(from).to_string().as_bytes()))]).collect()
}

impl Access {
    /// Counts a try at the provider against the address it comes from, unless there is a wait: then the provider must not be
    /// asked. [`forgive_provider_try`](Self::forgive_provider_try) takes it back.
    ///
    /// # Errors
    /// [`SignInError::Wait`], or the file's.
    pub async fn count_provider_try(&self, from: IpAddr) -> Result<(), SignInError> {
        self.count_try(None, from).await
    }

    /// It was a good one.
    ///
    /// # Errors
    /// The file's.
    pub async fn forgive_provider_try(&self, from: IpAddr) -> Result<(), AccessError> {
        self.forgive(None, from).await
    }

    /// The provider was not there to look at it, so that it was neither good nor bad. It alone is taken back: what other
    /// tries have earned stays, count and wait, or an outage would be a way to guess without waits.
    ///
    /// # Errors
    /// The file's.
    pub async fn take_back_provider_try(&self, from: IpAddr) -> Result<(), AccessError> {
        let now = self.now();
        let mut tx = self.writing().await?;
        for (kind, key) in keys(None, from) {
            let (failures, free_at) = self.failures(&mut tx, kind, &key, now).await?;
            let left = (failures - 1).max(0);
            // Never longer than it is, and never shorter than the other tries make it.
            let wait = now.saturating_add(kind.wait_ms(left));
            sqlx::query("UPDATE throttle SET failures = ?, free_at = ? WHERE kind = ? AND key_hash = ?")
                .bind(left)
                .bind(free_at.min(wait))
                .bind(kind.as_str())
                .bind(&key[..])
                .execute(&mut *tx)
                .await
                .map_err(|e| self.sql(e))?;
        }
        tx.commit().await.map_err(|e| self.sql(e))
    }

    /// Counts a try as failed, unless there is a wait: then it is not counted and must not be made.
    pub(crate) async fn count_try(&self, name: Option<&str>, from: IpAddr) -> Result<(), SignInError> {
        let now = self.now();
        let mut tx = self.writing().await?;
        let mut counted = Vec::new();
        let mut longest = 0;
        for (kind, key) in keys(name, from) {
            let (failures, free_at) = self.failures(&mut tx, kind, &key, now).await?;
            // A clock that was set back must not make a wait longer than any wait is.
            longest = longest.max(free_at.saturating_sub(now).min(LONGEST_WAIT_MS));
            counted.push((kind, key, failures + 1));
        }
        if longest > 0 {
            return Err(SignInError::Wait { seconds: longest.unsigned_abs().div_ceil(1000) });
        }
        for (kind, key, failures) in counted {
            let sql = "INSERT INTO throttle (kind, key_hash, failures, last_at, free_at) VALUES (?, ?, ?, ?, ?) \
                       ON CONFLICT (kind, key_hash) DO UPDATE SET failures = excluded.failures, \
                       last_at = excluded.last_at, free_at = excluded.free_at";
            sqlx::query(sql)
                .bind(kind.as_str())
                .bind(&key[..])
                .bind(failures)
                .bind(now)
                .bind(now.saturating_add(kind.wait_ms(failures)))
                .execute(&mut *tx)
                .await
                .map_err(|e| self.sql(e))?;
        }
        tx.commit().await.map_err(|e| self.sql(e))?;
        Ok(())
    }

    async fn failures(
        &self,
        tx: &mut Transaction<'_, Sqlite>,
        kind: Kind,
        key: &[u8; 32],
        now: i64,
    ) -> Result<(i64, i64), AccessError> {
        let row = sqlx::query("SELECT failures, free_at FROM throttle WHERE kind = ? AND key_hash = ? AND last_at > ?")
            .bind(kind.as_str())
            .bind(&key[..])
            .bind(now.saturating_sub(MEMORY_MS))
            .fetch_optional(&mut **tx)
            .await
            .map_err(|e| self.sql(e))?;
        let Some(row) = row else { return Ok((0, 0)) };
        let read = || -> Result<(i64, i64), sqlx::Error> { Ok((row.try_get(0)?, row.try_get(1)?)) };
        read().map_err(|e| self.sql(e))
    }

    /// After a success: the account starts anew; from the address only this try is taken back, since whoever has one
    /// good account there must not wipe out what they tried on others.
    pub(crate) async fn forgive(&self, name: Option<&str>, from: IpAddr) -> Result<(), AccessError> {
        let mut tx = self.writing().await?;
        for (kind, key) in keys(name, from) {
            let sql = match kind {
                Kind::Account => "DELETE FROM throttle WHERE kind = ? AND key_hash = ?",
                Kind::Address => {
                    "UPDATE throttle SET failures = MAX(failures - 1, 0), free_at = 0 WHERE kind = ? AND key_hash = ?"
                }
            };
            sqlx::query(sql).bind(kind.as_str()).bind(&key[..]).execute(&mut *tx).await.map_err(|e| self.sql(e))?;
        }
        tx.commit().await.map_err(|e| self.sql(e))
    }
}

/// Deletes what no longer counts.
pub(crate) async fn sweep(access: &Access) -> Result<(), AccessError> {
    sqlx::query("DELETE FROM throttle WHERE last_at <= ?")
        .bind(access.now().saturating_sub(MEMORY_MS))
        .execute(&access.pool)
        .await
        .map(|_| ())
        .map_err(|e| access.sql(e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_quarter_of_an_hour() {
        let waits = |kind: Kind, tries: &[i64]| tries.iter().map(|n| kind.wait_ms(*n) / 1000).collect::<Vec<_>>();
        assert_eq!(waits(Kind::Account, &[0, 4, 5, 6, 7, 14, 15, 16, 1000]), [0, 0, 1, 2, 4, 512, 900, 900, 900]);
        assert_eq!(waits(Kind::Address, &[5, 19, 20, 21, i64::MAX]), [0, 0, 1, 2, 900]);
    }

    proptest::proptest! {
        #[test]
        fn a_wait_never_shrinks_and_never_passes_the_longest(failures in 0i64..10_000) {
            for kind in [Kind::Account, Kind::Address] {
                let (now, next) = (kind.wait_ms(failures), kind.wait_ms(failures + 1));
                proptest::prop_assert!(now <= next && next <= LONGEST_WAIT_MS);
            }
        }
    }
}
