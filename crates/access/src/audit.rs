//! The audit, written: what begins, what it is about, how it ended. Rows are added and never changed; the database
//! itself refuses to.

use std::net::IpAddr;

use rollback_types::{AuditOutcome, Role, SignInWay};

use crate::open::is_taken;
use crate::{Access, AccessError, Identity};

/// The most characters that are kept of a text; it ends in `…` where there was more.
const NAME: usize = 128;
const SHORT: usize = 512;
const LONG: usize = 4096;

/// Something that begins, or that was refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditEntry {
    /// Who; absent: nobody had signed in.
    pub actor: Option<String>,
    /// Their role.
    pub role: Option<Role>,
    /// How they had signed in.
    pub via: Option<SignInWay>,
    /// Where it came from.
    pub address: Option<IpAddr>,
    /// What: method and route, or a command.
    pub action: String,
    /// What it is about, as far as it is known; see [`Access::audit_matter`].
    pub matter: AuditMatter,
}

/// What something audited is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditMatter {
    /// A version, a run, a user.
    pub subject: Option<String>,
    /// The digest of the plan that is agreed to.
    pub digest: Option<String>,
    /// The reason that was given.
    pub reason: Option<String>,
}

/// A row of the audit that has begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AuditId(pub(crate) i64);

impl AuditEntry {
    /// What somebody does, or nobody.
    pub fn of(action: impl Into<String>, who: Option<&Identity>, address: Option<IpAddr>) -> Self {
        Self {
            actor: who.map(|who| who.name.clone()),
            role: who.map(|who| who.role),
            via: who.map(|who| who.via),
            address,
            action: action.into(),
            matter: AuditMatter::default(),
        }
    }

    /// The same about this.
    #[must_use]
    pub fn about(mut self, subject: impl Into<String>) -> Self {
        self.matter.subject = Some(subject.into());
        self
    }

    /// The same for this reason.
    #[must_use]
    pub fn because(mut self, reason: impl Into<String>) -> Self {
        self.matter.reason = Some(reason.into());
        self
    }
}

impl AuditMatter {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Access {
    /// Writes that something begins. It is on the disk when this returns: only then may it be done.
    ///
    /// # Errors
    /// The file's: then it must not be done.
    pub async fn audit_begin(&self, entry: &AuditEntry) -> Result<AuditId, AccessError> {
        let mut tx = self.writing().await?;
        let inserted =
            sqlx::query("INSERT INTO audit (at, actor, role, via, address, action) VALUES (?, ?, ?, ?, ?, ?)")
                .bind(self.now())
                .bind(bounded(entry.actor.as_deref(), NAME))
                .bind(entry.role.map(Role::as_str))
                .bind(entry.via.map(SignInWay::as_str))
                .bind(entry.address.map(|address| address.to_canonical().to_string()))
                .bind(bounded(Some(&entry.action), SHORT))
                .execute(&mut *tx)
                .await
                .map_err(|e| self.sql(e))?;
        let id = AuditId(inserted.last_insert_rowid());
        if !entry.matter.is_empty() {
            self.insert_matter(&mut tx, id, &entry.matter).await?;
        }
        tx.commit().await.map_err(|e| self.sql(e))?;
        Ok(id)
    }

    /// Writes what it is about, where that was not known when it began: before it acts, and once.
    ///
    /// # Errors
    /// [`AccessError::AuditWritten`] the second time, or the file's: then it must not be done.
    pub async fn audit_matter(&self, id: AuditId, matter: &AuditMatter) -> Result<(), AccessError> {
        let mut tx = self.writing().await?;
        self.insert_matter(&mut tx, id, matter).await?;
        tx.commit().await.map_err(|e| self.sql(e))
    }

    async fn insert_matter(
        &self,
        tx: &mut sqlx::Transaction<'_, sqlx::Sqlite>,
        id: AuditId,
        matter: &AuditMatter,
    ) -> Result<(), AccessError> {
        let inserted = sqlx::query("INSERT INTO audit_matters (audit_id, subject, digest, reason) VALUES (?, ?, ?, ?)")
            .bind(id.0)
            .bind(bounded(matter.subject.as_deref(), SHORT))
            .bind(bounded(matter.digest.as_deref(), NAME))
            .bind(bounded(matter.reason.as_deref(), LONG))
            .execute(&mut **tx)
            .await;
        self.once(id, inserted)
    }

    /// Writes how it ended, once. [`AuditOutcome::Begun`] is no end and is written as failed.
    ///
    /// # Errors
    /// [`AccessError::AuditWritten`] the second time, or the file's.
    pub async fn audit_end(
        &self,
        id: AuditId,
        outcome: AuditOutcome,
        status: Option<u16>,
        detail: Option<&str>,
    ) -> Result<(), AccessError> {
        let outcome = if outcome == AuditOutcome::Begun { AuditOutcome::Failed } else { outcome };
        self.place.still_there()?;
        let inserted =
            sqlx::query("INSERT INTO audit_ends (audit_id, at, outcome, status, detail) VALUES (?, ?, ?, ?, ?)")
                .bind(id.0)
                .bind(self.now())
                .bind(outcome.as_str())
                .bind(status)
                .bind(bounded(detail, LONG))
                .execute(&self.pool)
                .await;
        self.once(id, inserted)
    }

    fn once<T>(&self, id: AuditId, inserted: Result<T, sqlx::Error>) -> Result<(), AccessError> {
        match inserted {
            Ok(_) => Ok(()),
            Err(e) if is_taken(&e) => Err(AccessError::AuditWritten(id.0)),
            Err(e) => Err(self.sql(e)),
        }
    }
}

/// The text as it was given, up to a length.
fn bounded(text: Option<&str>, most: usize) -> Option<String> {
    text.map(|text| match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some(_) => text.chars().take(most - 1).chain(['…']).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_kept_as_given_up_to_a_length() {
        let hostile = "<script>\u{202e}'; DROP TABLE audit; --\n";
        assert_eq!(bounded(Some(hostile), 100).unwrap(), hostile);
        assert_eq!(bounded(Some("äöüß"), 4).unwrap(), "äöüß");
        assert_eq!(bounded(Some("äöüßx"), 4).unwrap(), "äöü…");
        assert_eq!(bounded(None, 4), None);
    }
}
