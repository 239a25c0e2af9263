//! The validation: the seven checks and the search. Never fails as a step: what could not be checked is a finding.

use std::sync::Arc;

use rollback_types::run_kind::PRODUCTION;
use rollback_types::validation::{CheckOutcome, ValidationScope, ValidationVerdict};
use rollback_types::{RunKind, ValidationReport};

use crate::context::{Halt, Outcome, StepContext};
use crate::validation::{DEFAULT_LIMIT, ExpectedChapters, FolderSink, Subject, Validation};

pub(super) async fn validate(cx: &mut StepContext) -> Result<Outcome, Halt> {
    let shared = cx.shared.clone();
    let (spec, settings) = (&shared.spec, &shared.settings);
    let staged = (spec.kind == RunKind::Validate && spec.subject.as_str() != PRODUCTION)
        .then(|| rollback_types::RollbackTarget::new(&spec.subject).ok())
        .flatten();
    let subject = match staged {
        Some(target) => Subject::Staging(target),
        None => Subject::Production { staging: spec.selectors.clone() },
    };
    let mut expected = spec.expected_chapters.clone().or_configured(settings.expected_chapters);
    if let (ExpectedChapters::Unknown, Subject::Production { .. }) = (&expected, &subject) {
        let copy = shared.verifier.examine(&spec.source, false, None).await;
        let rows = copy.contents.sqlite.and_then(|held| held.rows);
        expected = rows.map_or(ExpectedChapters::Unknown, ExpectedChapters::Copy);
    }
    let validation = Validation {
        stores: shared.stores.clone(),
        names: settings.names.clone(),
        layout: spec.layout,
        subject,
        expected,
        last_search_us: shared.last_search_us,
        command: settings.search_command.clone(),
        sink: Arc::new(FolderSink::new(shared.folder().join("validation"))),
        on_progress: cx.progress_from_thread(),
        limit: DEFAULT_LIMIT,
    };
    let report = validation.run().await;
    // Warnings stand in the report; only what is wrong, or what could not be looked at, marks the whole run.
    if matches!(report.verdict, ValidationVerdict::Unsound | ValidationVerdict::Incomplete) {
        for finding in report.findings() {
            cx.find(format!("{finding}.")).await?;
        }
    }
    if !report.is_sound() && spec.kind != RunKind::Validate {
        cx.find("Critical checks failed: compare with latest-copy, and restore production if it differs.").await?;
    }
    remember_search(cx, &report).await;
    let said = report.verdict.title().to_owned();
    let checks = u64::try_from(report.checks.len()).ok();
    cx.validated(report).await?;
    Ok(Outcome::Done { count: checks, said })
}

/// Under which the journal keeps the time of the last sound search test.
pub(crate) const SEARCH_KEY: &str = "search:median_us";

/// The next validation compares with this one, when its search was sound.
async fn remember_search(cx: &StepContext, report: &ValidationReport) {
    let sound = report.search.as_ref().filter(|s| s.state == CheckOutcome::Passed && !s.slower);
    let Some(median) = sound.and_then(|s| s.median_us) else { return };
    if !matches!(report.scope, ValidationScope::Production) {
        return;
    }
    if let Err(e) = cx.shared.journal.remember(SEARCH_KEY, &median.to_string()).await {
        tracing::warn!(error = %e, "the time of the search test could not be kept");
    }
}
