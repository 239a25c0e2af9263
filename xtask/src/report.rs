//! The table at the end of `cargo xtask test`.

use std::time::Duration;

use crate::tally::Tally;

/// How a part went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// All of it passed.
    Passed,
    /// Some of it failed, or it could not run.
    Failed,
    /// It could not run, and that was allowed.
    Skipped,
}

/// One line of the table.
#[derive(Debug)]
pub struct Row {
    /// The part's name.
    pub part: &'static str,
    /// How it went.
    pub verdict: Verdict,
    /// How long it took.
    pub time: Duration,
    /// Its tests.
    pub tally: Tally,
    /// What else to say.
    pub note: String,
}

/// The table and the closing line.
pub fn report(rows: &[Row]) -> String {
    let mut total = Tally::default();
    let mut cells = vec![["part".to_owned(), "result".to_owned(), "time".to_owned(), "note".to_owned()]];
    for row in rows {
        total.add(row.tally);
        let result = match row.verdict {
            Verdict::Passed => "passed",
            Verdict::Failed => "FAILED",
            Verdict::Skipped => "skipped",
        };
        cells.push([row.part.to_owned(), result.to_owned(), time(row.time), row.note.clone()]);
    }
    let width = |column: usize| cells.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths = [width(0), width(1), width(2)];
    let mut text = String::new();
    for (index, [part, result, time, note]) in cells.iter().enumerate() {
        let line = format!("{part:<0$} | {result:<1$} | {time:>2$} | {note}", widths[0], widths[1], widths[2]);
        text.push_str(line.trim_end());
        text.push('\n');
        if index == 0 {
            let rule = widths.map(|width| "-".repeat(width)).join("-|-");
            text.push_str(&format!("{rule}-|-----\n"));
        }
    }
    format!("{text}\n{total}")
}

/// Whether everything that ran passed. Nothing at all is no success.
pub fn succeeded(rows: &[Row]) -> bool {
    !rows.is_empty() && rows.iter().all(|row| row.verdict != Verdict::Failed)
}

fn time(time: Duration) -> String {
    let seconds = time.as_secs();
    if seconds < 60 {
        format!("{:.1} s", time.as_secs_f64())
    } else {
        format!("{} min {:02} s", seconds / 60, seconds % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(part: &'static str, verdict: Verdict, seconds: u64, tally: Tally, note: &str) -> Row {
        Row { part, verdict, time: Duration::from_secs(seconds), tally, note: note.to_owned() }
    }

    #[test]
    fn the_table_ends_with_the_sum_of_all_parts() {
        let rows = [
            row("fmt", Verdict::Passed, 1, Tally::one(true), ""),
            row("contract", Verdict::Failed, 75, Tally { passed: 40, failed: 2, skipped: 0 }, "no Neo4j"),
        ];
        let expected = "part     | result |       time | note\n\
                        ---------|--------|------------|-----\n\
                        fmt      | passed |      1.0 s |\n\
                        contract | FAILED | 1 min 15 s | no Neo4j\n\n\
                        41 passed, 2 failed";
        assert_eq!(report(&rows), expected);
    }

    #[test]
    fn a_skipped_part_is_no_failure_and_an_empty_run_is_no_success() {
        let skipped = row("browser", Verdict::Skipped, 0, Tally { skipped: 1, ..Tally::default() }, "no browser");
        assert!(report(std::slice::from_ref(&skipped)).ends_with("0 passed, 0 failed, 1 skipped"));
        assert!(succeeded(&[skipped]));
        assert!(!succeeded(&[]));
        assert!(!succeeded(&[row("fmt", Verdict::Failed, 0, Tally::one(false), "")]));
    }
}
