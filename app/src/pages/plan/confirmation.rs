//! When the person's confirmation is complete. The server checks the same again; this only says early what is missing.

/// The shortest reason, in characters.
pub const MIN_REASON: usize = 3;
/// The longest reason, in characters.
pub const MAX_REASON: usize = 500;

/// What the person has filled in so far.
#[cfg_attr(not(feature = "hydrate"), allow(dead_code, reason = "only the browser looks before the server does"))]
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Confirmation {
    /// Why.
    pub reason: String,
    /// The name of the version, backup or run, typed.
    pub typed_id: String,
    /// Codes of the acknowledgements ticked.
    pub acknowledged: Vec<String>,
}

#[cfg_attr(not(feature = "hydrate"), allow(dead_code, reason = "see above"))]
impl Confirmation {
    /// What is still missing before the button may be pressed, in one sentence; `None` when nothing is. `name`: what is to
    /// be typed, if anything is.
    pub fn missing(&self, name: Option<&str>, asked: &[String]) -> Option<String> {
        let reason = self.reason.trim().chars().count();
        let open = asked.iter().filter(|code| !self.acknowledged.contains(*code)).count();
        if open > 0 {
            let boxes = if open == 1 { "the acknowledgement".to_owned() } else { format!("{open} acknowledgements") };
            Some(format!("Tick {boxes} first."))
        } else if reason < MIN_REASON {
            Some(format!("Give a reason of at least {MIN_REASON} characters."))
        } else if reason > MAX_REASON {
            Some(format!("The reason is {} characters too long.", reason - MAX_REASON))
        } else if name.is_some_and(|name| self.typed_id.trim() != name) {
            let empty = self.typed_id.trim().is_empty();
            Some(if empty { "Type the name to confirm." } else { "What is typed is not that name." }.to_owned())
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn full() -> Confirmation {
        Confirmation {
            reason: "Check 4 failed".into(),
            typed_id: "v7_minor".into(),
            acknowledged: Vec::from(["second_candidate:v6".to_owned()]),
        }
    }

    fn missing(c: &Confirmation) -> Option<String> {
        c.missing(Some("v7_minor"), &["second_candidate:v6".to_owned()])
    }

    #[test]
    fn a_complete_confirmation_misses_nothing() {
        assert_eq!(missing(&full()), None);
        let spaced = Confirmation { typed_id: "  v7_minor\n".into(), ..full() };
        assert_eq!(missing(&spaced), None, "what a paste brings along does no harm");
    }

    #[test]
    fn each_part_is_asked_for() {
        for part in [
            Confirmation { reason: " ab ".into(), ..full() },
            Confirmation { reason: "x".repeat(MAX_REASON + 1), ..full() },
            Confirmation { typed_id: String::new(), ..full() },
            Confirmation { typed_id: "V7_minor".into(), ..full() },
            Confirmation { acknowledged: Vec::new(), ..full() },
            Confirmation { acknowledged: Vec::from(["another".to_owned()]), ..full() },
        ] {
            assert!(missing(&part).is_some(), "{part:?}");
        }
    }

    #[test]
    fn what_changes_nothing_wants_no_name() {
        let c = Confirmation { typed_id: String::new(), ..full() };
        assert_eq!(c.missing(None, &["second_candidate:v6".to_owned()]), None);
        assert!(Confirmation::default().missing(None, &[]).is_some(), "a reason all the same");
    }

    #[test]
    fn reasons_are_counted_in_characters() {
        let c = Confirmation { reason: "é".repeat(MAX_REASON), ..full() };
        assert_eq!(missing(&c), None);
    }
}
