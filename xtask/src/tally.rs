//! Counts tests from what cargo and Playwright print.

/// How many tests passed, failed and were left out.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// Ran and passed.
    pub passed: u32,
    /// Ran and failed.
    pub failed: u32,
    /// Did not run.
    pub skipped: u32,
}

impl Tally {
    /// One check without tests of its own, such as clippy.
    pub fn one(passed: bool) -> Self {
        Self { passed: passed.into(), failed: (!passed).into(), skipped: 0 }
    }

    /// Adds another tally.
    pub fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }

    /// Whether any test ran at all.
    pub fn is_empty(self) -> bool {
        self.passed + self.failed == 0
    }

    /// Takes a line of output in: cargo's `test result: …`.
    pub fn read_cargo(&mut self, line: &str) {
        let Some(result) = line.strip_prefix("test result: ") else { return };
        let Some((_, counts)) = result.split_once(". ") else { return };
        for count in counts.split(';') {
            self.read_count(count);
        }
    }

    /// Takes a line of output in: Playwright's summary, one line for each outcome.
    pub fn read_playwright(&mut self, line: &str) {
        // Two spaces and a number begin a summary line; tests' own output has their titles before.
        if line.starts_with("  ") && !line.starts_with("   ") {
            self.read_count(line);
        }
    }

    fn read_count(&mut self, text: &str) {
        let mut words = text.split_whitespace();
        let (Some(number), Some(outcome)) = (words.next().and_then(|word| word.parse::<u32>().ok()), words.next())
        else {
            return;
        };
        let rest = words.next();
        match outcome {
            "passed" => self.passed += number,
            // One that was cut off proved nothing.
            "failed" | "interrupted" => self.failed += number,
            // Failed once and passed when tried again; the runner's own output names it.
            "flaky" => self.passed += number,
            "skipped" | "ignored" => self.skipped += number,
            "did" if rest == Some("not") => self.skipped += number,
            _ => {}
        }
    }
}

impl std::fmt::Display for Tally {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        if self.skipped > 0 {
            write!(f, ", {} skipped", self.skipped)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_results_are_summed() {
        let mut tally = Tally::default();
        for line in [
            "running 3 tests",
            "test a::b ... ok",
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out; finished in 0.01s",
            "test result: FAILED. 4 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s",
        ] {
            tally.read_cargo(line);
        }
        assert_eq!(tally, Tally { passed: 7, failed: 2, skipped: 1 });
    }

    #[test]
    fn playwright_results_are_summed() {
        let mut tally = Tally::default();
        for line in [
            "  ✓  1 pages.spec.ts:2:1 › 5 passed versions are listed (544ms)",
            "  1 failed",
            "    pages.spec.ts:9:1 › history ────",
            "  1 flaky",
            "  2 skipped",
            "  3 did not run",
            "  12 passed (1.6s)",
        ] {
            tally.read_playwright(line);
        }
        assert_eq!(tally, Tally { passed: 13, failed: 1, skipped: 5 });
    }

    #[test]
    fn the_closing_line_is_plain() {
        assert_eq!(Tally { passed: 3, failed: 0, skipped: 0 }.to_string(), "3 passed, 0 failed");
        assert_eq!(Tally { passed: 3, failed: 1, skipped: 2 }.to_string(), "3 passed, 1 failed, 2 skipped");
    }
}
