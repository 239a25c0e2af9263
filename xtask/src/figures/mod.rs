//! The figures that are wanted of Stepback, and how each is measured.

mod files;
mod graph;
mod served;

pub use files::{export, hashing};
pub use graph::restore;
pub use served::{pages, resident};

use crate::failure::{Failure, Outcome};

/// One figure: what is wanted, and what it is on this machine.
#[derive(Debug)]
pub struct Figure {
    /// What was measured.
    pub what: String,
    /// The limit, in words.
    pub wanted: String,
    /// What it is here.
    pub measured: String,
    /// Whether it keeps to the limit.
    pub met: bool,
}

/// The table of all figures.
pub fn table(figures: &[Figure]) -> String {
    let width = |text: fn(&Figure) -> &str| figures.iter().map(|f| text(f).chars().count()).max().unwrap_or(0);
    let (what, wanted) = (width(|f| &f.what), width(|f| &f.wanted));
    let row = |f: &Figure| {
        let met = if f.met { "yes" } else { "NO " };
        format!("{met} | {:<what$} | {:<wanted$} | {}", f.what, f.wanted, f.measured)
    };
    figures.iter().map(row).collect::<Vec<_>>().join("\n")
}

/// The number after `name` in text such as `/proc/PID/status`: `VmRSS:   1234 kB`.
fn number_after(text: &str, name: &str) -> Outcome<u64> {
    let found = text.split_once(name).and_then(|(_, rest)| rest.split_whitespace().next()?.parse().ok());
    found.ok_or_else(|| Failure::new(format!("there is no {name} in what was measured:\n{text}"), "measure on Linux"))
}

fn megabytes(bytes: u64) -> String {
    format!("{:.1} MB", bytes as f64 / 1e6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_found_by_their_names() {
        let status = "VmHWM:\t   21000 kB\nVmRSS:\t   12345 kB\n";
        assert_eq!(number_after(status, "VmRSS:").unwrap(), 12_345);
        assert!(number_after(status, "VmSwap:").is_err());
    }

    #[test]
    fn a_figure_that_misses_its_limit_stands_out() {
        let figure = |met| Figure { what: "a".into(), wanted: "< 1".into(), measured: "2".into(), met };
        assert_eq!(table(&[figure(true), figure(false)]), "yes | a | < 1 | 2\nNO  | a | < 1 | 2");
    }
}
