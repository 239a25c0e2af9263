//! What a plan is about, in words: the same page serves every kind of run that is planned.

use rollback_types::run_kind::{backup_of_subject, run_of_subject, subject_in_words};
use rollback_types::{BackupSource, Role, RollbackPlan, RunId, RunKind, VersionId};

use crate::format;

/// A kind of run and what it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// What kind of run.
    pub kind: RunKind,
    /// The version, `latest-copy` or a kept version, `run-12`.
    pub name: String,
}

impl Subject {
    /// Of a plan.
    pub fn of(plan: &RollbackPlan) -> Self {
        Self { kind: plan.kind, name: plan.version_id.as_str().to_owned() }
    }

    /// The run that an undo is about.
    fn run(&self) -> Option<RunId> {
        run_of_subject(&self.name)
    }

    /// A restore from the baseline: disaster recovery.
    pub fn is_disaster_recovery(&self) -> bool {
        self.kind == RunKind::RestoreProduction && backup_of_subject(&self.name).is_baseline()
    }

    /// The role that may start it.
    pub fn least_role(&self) -> Role {
        if self.is_disaster_recovery() { Role::Administrator } else { Role::Operator }
    }

    /// The backup by name, or "what run #12 had saved".
    pub fn source(&self) -> String {
        match (self.kind, self.run()) {
            (RunKind::UndoRestore, Some(run)) => format!("what run #{run} saved"),
            (RunKind::RestoreProduction, _) => format::short_id(&self.name),
            _ => BackupSource::LATEST_COPY.to_owned(),
        }
    }

    /// The address of the plan; that of a list for a name that no address can hold.
    pub fn path(&self) -> String {
        match self.kind {
            RunKind::Rollback => {
                format::version_path(&self.name).map_or_else(|| "/versions".to_owned(), |path| format!("{path}/plan"))
            }
            RunKind::RestoreProduction => restore_path(&self.name).unwrap_or_else(|| "/backups".to_owned()),
            RunKind::UndoRestore => self.run().map_or_else(|| "/runs".to_owned(), |run| format!("/runs/{run}/undo")),
            RunKind::MakeBackup if self.name == BackupSource::LATEST_COPY => "/backups/new".to_owned(),
            RunKind::MakeBackup => format!("/backups/new/{}", format::encode(&self.name)),
            RunKind::Validate => "/".to_owned(),
        }
    }

    /// Where "Cancel" leads.
    pub fn back(&self) -> String {
        match self.kind {
            RunKind::Rollback => format::version_path(&self.name).unwrap_or_else(|| "/versions".to_owned()),
            RunKind::UndoRestore => self.run().map_or_else(|| "/runs".to_owned(), |run| format!("/runs/{run}")),
            RunKind::RestoreProduction | RunKind::MakeBackup => "/backups".to_owned(),
            RunKind::Validate => "/".to_owned(),
        }
    }

    /// The words of the link there, when the plan cannot start.
    pub fn back_label(&self) -> &'static str {
        match self.kind {
            RunKind::Rollback => "Back to the version",
            RunKind::UndoRestore => "Back to the run",
            RunKind::RestoreProduction | RunKind::MakeBackup => "Back to the backups",
            RunKind::Validate => "Back",
        }
    }

    /// What stands above the heading.
    pub fn over(&self) -> &'static str {
        match self.kind {
            RunKind::Rollback => "Rollback plan",
            RunKind::RestoreProduction if self.is_disaster_recovery() => "Disaster recovery",
            RunKind::RestoreProduction => "Restore plan",
            RunKind::UndoRestore => "Plan of an undo",
            RunKind::MakeBackup => "Backup plan",
            RunKind::Validate => "Plan",
        }
    }

    /// The heading up to the name, which follows it where the name is not part of the words.
    pub fn heading(&self, take_over: bool) -> String {
        match self.kind {
            RunKind::Rollback if take_over => "Take over the rollback of ".to_owned(),
            RunKind::Rollback => "Roll back ".to_owned(),
            RunKind::RestoreProduction if self.is_disaster_recovery() => {
                "Disaster recovery: restore production from ".to_owned()
            }
            RunKind::RestoreProduction => "Restore production from ".to_owned(),
            RunKind::UndoRestore => "Undo the restore of ".to_owned(),
            RunKind::MakeBackup => "Make a new ".to_owned(),
            RunKind::Validate => "Validate ".to_owned(),
        }
    }

    /// The name as people say it.
    pub fn in_words(&self) -> String {
        subject_in_words(self.kind, &VersionId::new(self.name.as_str()))
    }

    /// The title of the tab, without the program's name.
    pub fn tab(&self) -> String {
        let name = format::clip(&format::visible(&self.in_words()), 60);
        match self.kind {
            RunKind::Rollback => format!("Plan of {name}"),
            RunKind::RestoreProduction if self.is_disaster_recovery() => format!("Disaster recovery from {name}"),
            RunKind::RestoreProduction => format!("Restore from {name}"),
            RunKind::UndoRestore => format!("Undo of {name}"),
            RunKind::MakeBackup => format!("New {name}"),
            RunKind::Validate => format!("Validate {name}"),
        }
    }

    /// What the button says: the deed again, by name.
    pub fn button(&self, take_over: bool) -> String {
        let name = format::short_id(&self.in_words());
        match self.kind {
            RunKind::Rollback if take_over => format!("Take over {name}"),
            RunKind::Rollback => format!("Roll back {name}"),
            RunKind::RestoreProduction => format!("Restore production from {name}"),
            RunKind::UndoRestore => format!("Undo the restore of {name}"),
            RunKind::MakeBackup => format!("Make a new {name}"),
            RunKind::Validate => format!("Validate {name}"),
        }
    }

    /// The label of the field in which the name is typed.
    pub fn typed_label(&self) -> String {
        match self.kind {
            RunKind::RestoreProduction => "Type the name of the backup".to_owned(),
            RunKind::UndoRestore => {
                format!("Type the name of the run, {}", format::clip(&format::visible(&self.name), 40))
            }
            _ => "Type the version id".to_owned(),
        }
    }

    /// "This … cannot start."
    pub fn noun(&self) -> &'static str {
        match self.kind {
            RunKind::Rollback => "rollback",
            RunKind::RestoreProduction => "restore",
            RunKind::UndoRestore => "undo",
            RunKind::MakeBackup => "backup",
            RunKind::Validate => "validation",
        }
    }
}

/// The plan of a restore from this backup; `None` where no address can hold its name.
pub fn restore_path(name: &str) -> Option<String> {
    (!matches!(name, "" | "." | "..")).then(|| format!("/restore/{}", format::encode(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(kind: RunKind, name: &str) -> Subject {
        Subject { kind, name: name.to_owned() }
    }

    #[test]
    fn every_kind_has_its_own_address() {
        assert_eq!(subject(RunKind::Rollback, "v2/x").path(), "/versions/v2%2Fx/plan");
        assert_eq!(subject(RunKind::RestoreProduction, "latest-copy").path(), "/restore/latest-copy");
        assert_eq!(subject(RunKind::UndoRestore, "run-12").path(), "/runs/12/undo");
        assert_eq!(subject(RunKind::UndoRestore, "run-12").back(), "/runs/12");
        assert_eq!(subject(RunKind::MakeBackup, "latest-copy").path(), "/backups/new");
        assert_eq!(subject(RunKind::MakeBackup, "latest_copy1").path(), "/backups/new/latest_copy1");
        assert_eq!(restore_path(".."), None);
    }

    #[test]
    fn an_undo_names_its_run_as_every_other_page_does() {
        let undo = subject(RunKind::UndoRestore, "run-12");
        assert_eq!(undo.tab(), "Undo of run #12");
        assert_eq!(undo.button(false), "Undo the restore of run #12");
        assert!(undo.typed_label().ends_with("run-12"), "what is to be typed is told");
        assert_eq!(subject(RunKind::Rollback, "run-12").tab(), "Plan of run-12", "a version may have that name");
    }

    #[test]
    fn only_a_restore_from_the_baseline_is_disaster_recovery() {
        assert!(subject(RunKind::RestoreProduction, "v1_baseline").is_disaster_recovery());
        assert!(subject(RunKind::RestoreProduction, "v1_baseline_20260731_102653").is_disaster_recovery());
        assert!(!subject(RunKind::RestoreProduction, "latest-copy").is_disaster_recovery());
        assert!(!subject(RunKind::Rollback, "v1_baseline").is_disaster_recovery());
        assert_eq!(subject(RunKind::RestoreProduction, "v1_baseline").least_role(), Role::Administrator);
        assert_eq!(subject(RunKind::RestoreProduction, "latest-copy").least_role(), Role::Operator);
    }
}
