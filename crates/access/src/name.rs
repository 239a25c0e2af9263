//! Names of users and tokens.

use std::fmt;

/// A name: 1 to 64 characters, letters a–z, digits and `. _ - @`. Upper and lower case are the same name.
///
/// Nothing else is allowed, so that no two names look alike and none can be taken for `token:…` or `cli:…`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UserName(String);

/// The text is no name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a name has 1 to 64 characters: letters a to z, digits, and . _ - @")]
pub struct NameRefusal;

impl UserName {
    /// The most characters.
    pub const MAX: usize = 64;

    /// Takes the text, without the white space around it.
    ///
    /// # Errors
    /// [`NameRefusal`] for an empty or long text, and for other characters.
    pub fn new(text: &str) -> Result<Self, NameRefusal> {
        let text = text.trim();
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '@');
        if text.is_empty() || text.len() > Self::MAX || !text.chars().all(allowed) {
            return Err(NameRefusal);
        }
        Ok(Self(text.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain() {
        for good in ["anna", " Anna.B ", "a_b-c@d.example", &"x".repeat(64)] {
            assert_eq!(UserName::new(good).unwrap().as_str(), good.trim());
        }
        for bad in ["", "  ", "a b", "token:x", "anna\u{0}", "änna", "a/b", "<b>", &"x".repeat(65)] {
            assert_eq!(UserName::new(bad), Err(NameRefusal), "{bad:?}");
        }
    }
}
