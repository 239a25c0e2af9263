//! What only a rollback asks: is it a candidate, whose staging is it, and does an alias point there?

use rollback_types::quantity::counted;
use rollback_types::{Candidacy, CheckState, Layout, Refusal, RollbackTarget, TargetRefusal, VersionRow, VersionState};

use super::{Judge, few};
use crate::plan::Planner;

impl Judge<'_> {
    pub(super) fn candidate(&mut self, row: &VersionRow, target: &Result<RollbackTarget, TargetRefusal>) {
        let status = row.status.to_string();
        let baseline = matches!(target, Err(TargetRefusal::Baseline));
        if let Err(refusal) = target {
            let code = match refusal {
                TargetRefusal::Baseline => "baseline",
                TargetRefusal::SafetyBackup => "safety_backup",
                TargetRefusal::UnsafeName => "unsafe_name",
            };
            self.refusals.push(Refusal::new(code, format!("This version cannot be rolled back: {refusal}.")).lasting());
        }
        let proven = match (&row.candidacy, target) {
            (Candidacy::Candidate | Candidacy::TakeOver, Ok(_)) => CheckState::Proven,
            (Candidacy::Refused(why), Ok(_)) => {
                let said = format!("This version cannot be rolled back: {why}.");
                self.refusals.push(Refusal::new("not_a_candidate", said).lasting());
                CheckState::Failed
            }
            _ => CheckState::Failed,
        };
        self.check("candidate", "The version is a candidate", proven, format!("its state is {status}"));
        let state = if baseline { CheckState::Failed } else { CheckState::Proven };
        let detail = if baseline { "it is the baseline" } else { "its id is not the baseline's" };
        self.check("not_baseline", "The version is not v1_baseline", state, detail);
        if row.status == VersionState::RollingBack {
            let holder = match (&self.g.held_by, self.g.held_by_run) {
                (_, Some(run)) => format!(
                    " It is held by run #{run}, which was interrupted here: to resume that run is better, for it knows what it has \
                     done and keeps its ways back."
                ),
                (Some(key), None) => {
                    format!(
                        " The operation log names who holds it: Stepback run {key}, on another machine or data folder."
                    )
                }
                (None, None) => String::new(),
            };
            self.ask(
                "take_over",
                format!(
                    "An earlier rollback of this version, ours or a person's, did not finish. Nobody else must be at work on \
                     it.{holder}"
                ),
            );
        }
    }

    pub(super) fn whose_staging(&mut self, row: &VersionRow, target: &Result<RollbackTarget, TargetRefusal>) {
        if target.is_err() {
            return;
        }
        if self.g.layout() == Layout::PerVersion {
            if let Ok(staging) = &self.g.qdrant.staging
                && staging.points.is_some_and(|n| n > 0)
                && staging.versions.get(row.version_id.as_str()).copied().unwrap_or(0) == 0
            {
                self.ask(
                    "no_own_points",
                    format!("No point in {} names this version: a name alone is no proof of staging.", staging.name),
                );
            }
            return;
        }
        let others = &self.g.other_candidates;
        let sides = [&self.g.sqlite, &self.g.qdrant, &self.g.neo4j];
        // What could not be looked at may be theirs.
        let staged = sides.iter().any(|side| side.staging.as_ref().map_or(true, |s| s.present || s.units() > 0));
        if !others.is_empty() && staged {
            let names: Vec<String> = others.iter().take(20).map(ToString::to_string).collect();
            self.ask(
                format!("other_candidates:{}", names.join(",")),
                format!(
                    "Staging is shared, and other candidates exist: {}. What is staged may be theirs; it goes all the same.",
                    few(others)
                ),
            );
        }
        let Ok(staging) = &self.g.sqlite.staging else { return };
        let own = row.version_id.as_str();
        let foreign: Vec<String> = staging
            .versions
            .iter()
            .filter(|(v, _)| v.as_str() != own)
            .map(|(v, n)| {
                let names = if *n == 1 { "names" } else { "name" };
                format!("{} {names} {v}", counted(*n, "rows"))
            })
            .collect();
        if !foreign.is_empty() {
            let theirs: Vec<&str> = staging.versions.keys().map(String::as_str).filter(|v| *v != own).collect();
            self.ask(
                format!("foreign_staging:{}", theirs.join(",")),
                format!("Not all staged chapters are of {own}: {}. Dropping the table takes them too.", few(&foreign)),
            );
        }
    }

    pub(super) fn aliases(&mut self, planner: &Planner<'_>, target: &Result<RollbackTarget, TargetRefusal>) {
        let (Ok(aliases), Ok(target)) = (&self.g.aliases, target) else { return };
        let name = planner.settings.names.staging_collection(self.g.layout(), target);
        let pointing: Vec<&str> = aliases.iter().filter(|a| a.collection == name).map(|a| a.alias.as_str()).collect();
        if !pointing.is_empty() {
            self.refuse(
                "staging_is_production",
                format!(
                    "The collection {name} serves production: {} points to it. It must not be deleted.",
                    pointing.join(", ")
                ),
            );
        }
        if let Some(alias) = aliases.iter().find(|a| a.alias == name) {
            self.refuse(
                "staging_is_alias",
                format!("{name} is an alias of {}, not a collection. It must not be deleted.", alias.collection),
            );
        }
        let production = planner.settings.names.production_collection(aliases);
        if production == name && pointing.is_empty() {
            self.refuse("staging_is_production", format!("The collection {name} is the production collection."));
        }
    }
}
