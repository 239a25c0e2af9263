//! Which stores a plan restores: as the evidence recommends, or as a person chose.
//!
//! A form of boxes cannot send an empty list, and an empty list is a choice too: "none" says it.

use rollback_types::StoreKind;

use crate::address;

/// The word for "restore nothing".
pub const NONE: &str = "none";

/// The stores a person chose; `None`: as the evidence recommends.
pub type Choice = Option<Vec<StoreKind>>;

fn parse(word: &str) -> Option<StoreKind> {
    StoreKind::ALL.into_iter().find(|s| s.as_str() == word)
}

/// Keeps what was chosen in the stores' order, each once.
fn ordered(chosen: &[StoreKind]) -> Vec<StoreKind> {
    StoreKind::ALL.into_iter().filter(|s| chosen.contains(s)).collect()
}

/// The choice in an address: `restore=sqlite&restore=neo4j`, `restore=none`. A form's own `none` beside stores counts
/// for nothing, and so do unknown words.
pub fn from_search(search: &str) -> Choice {
    let words: Vec<String> =
        address::pairs(search).filter(|(key, _)| key == "restore").map(|(_, value)| value).collect();
    let chosen: Vec<StoreKind> = words.iter().filter_map(|w| parse(w)).collect();
    let said = words.iter().any(|w| w == NONE) || !chosen.is_empty();
    said.then(|| ordered(&chosen))
}

/// The query that says it, with its `?`; nothing for what is recommended.
pub fn to_search(choice: &Choice) -> String {
    match choice.as_deref() {
        None => String::new(),
        Some([]) => format!("?restore={NONE}"),
        Some(stores) => {
            let pairs: Vec<String> = stores.iter().map(|s| format!("restore={}", s.as_str())).collect();
            format!("?{}", pairs.join("&"))
        }
    }
}

/// The choice as one word, for a form's field: `sqlite,neo4j`, `none`; empty for what is recommended.
pub fn to_word(choice: &Choice) -> String {
    match choice.as_deref() {
        None => String::new(),
        Some([]) => NONE.to_owned(),
        Some(stores) => stores.iter().map(|s| s.as_str()).collect::<Vec<_>>().join(","),
    }
}

/// Reads that word.
///
/// # Errors
/// The part of it that names no store.
pub fn from_word(word: &str) -> Result<Choice, String> {
    match word.trim() {
        "" => Ok(None),
        NONE => Ok(Some(Vec::new())),
        words => {
            let chosen: Result<Vec<StoreKind>, String> =
                words.split(',').map(|w| parse(w.trim()).ok_or_else(|| w.trim().to_owned())).collect();
            chosen.map(|c| Some(ordered(&c)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use StoreKind::{Neo4j, Qdrant, Sqlite};

    #[test]
    fn nothing_recommended_and_nothing_chosen_are_told_apart() {
        for choice in [None, Some(vec![]), Some(vec![Qdrant]), Some(vec![Sqlite, Qdrant, Neo4j])] {
            assert_eq!(from_search(&to_search(&choice)), choice);
            assert_eq!(from_word(&to_word(&choice)), Ok(choice));
        }
    }

    #[test]
    fn a_form_says_none_beside_what_it_chose() {
        assert_eq!(from_search("?restore=none"), Some(vec![]));
        assert_eq!(from_search("?restore=none&restore=neo4j&restore=sqlite"), Some(vec![Sqlite, Neo4j]));
        assert_eq!(from_search("?other=1&restore=mars"), None);
    }

    #[test]
    fn a_word_that_names_no_store_is_refused() {
        assert_eq!(from_word("sqlite,mars"), Err("mars".to_owned()));
    }
}
