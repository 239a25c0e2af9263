//! Passwords: what may be one, and how they are kept.

use std::fmt;

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use zxcvbn::{Score, zxcvbn};

use crate::UserName;

/// What OWASP asks of Argon2id: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// The work done where there is no password to compare with. Salt and hash are of no password anybody knows.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$c3RlcGJhY2stbm9ib2R5$\
                      q0iJm6cTf0u8Yk7l2Pz5dWv9nB3xRtE1aHsGjKoLhUw";

/// What an estimate must at least say, of 0 to 4: more than 10^8 guesses, each of which costs what a sign-in costs.
const LEAST_SCORE: Score = Score::Three;
/// What the estimate does not know: words that somebody who knows this program tries first, and long passwords that are
/// famous. The user's own name comes to it.
const ALSO_KNOWN: [&str; 6] =
    ["stepback", "hybridflow", "qdrant", "neo4j", "correcthorsebatterystaple", "qwertyuiopasdfghjklzxcvbnm"];

/// A password that may be chosen: 12 to 128 characters of any kind, none that can be guessed.
#[derive(Clone)]
pub struct Password(String);

/// Why a password may not be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordRefusal {
    /// Too short.
    #[error("a password has at least 12 characters: a few words that do not belong together are easy to keep in mind")]
    TooShort,
    /// Too long.
    #[error("a password has at most 128 characters")]
    TooLong,
    /// Guessed within 10^8 tries.
    #[error(
        "this password is easily guessed: it is little but common words, names, dates or rows of keys; choose another"
    )]
    Guessable,
}

impl Password {
    /// The least characters; several spaces in a row count as one.
    pub const MIN: usize = 12;
    /// The most characters.
    pub const MAX: usize = 128;

    /// A password for this user. What can be guessed is refused by an estimate that knows the most common passwords,
    /// words, names, dates, rows of keys and repetitions; no kinds of characters are asked for.
    ///
    /// # Errors
    /// [`PasswordRefusal`] says what is wrong with it.
    pub fn choose(user: &UserName, text: impl Into<String>) -> Result<Self, PasswordRefusal> {
        let text = text.into();
        if length(&text) < Self::MIN {
            return Err(PasswordRefusal::TooShort);
        }
        if text.chars().nth(Self::MAX).is_some() {
            return Err(PasswordRefusal::TooLong);
        }
        let known: Vec<&str> = ALSO_KNOWN.into_iter().chain([user.as_str()]).collect();
        if zxcvbn(&text, &known).score() < LEAST_SCORE {
            return Err(PasswordRefusal::Guessable);
        }
        Ok(Self(text))
    }
}

/// Characters, of which several spaces in a row are one.
fn length(text: &str) -> usize {
    let mut before = None;
    let counted = |c: &char| {
        let is_one_more_space = c.is_whitespace() && before.is_some_and(char::is_whitespace);
        before = Some(*c);
        !is_one_more_space
    };
    text.chars().filter(counted).count()
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// A hash could not be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a password could not be hashed: {0}")]
pub(crate) struct HashError(String);

fn argon2() -> Result<Argon2<'static>, HashError> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|e| HashError(e.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// The PHC string to keep. Takes a while, and 19 MiB: not for an async thread.
pub(crate) fn hash(password: &Password) -> Result<String, HashError> {
    hash_text(&password.0)
}

fn hash_text(text: &str) -> Result<String, HashError> {
    let hash = argon2()?.hash_password(text.as_bytes()).map_err(|e| HashError(e.to_string()))?;
    Ok(hash.to_string())
}

/// What a comparison found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The password is another.
    Wrong,
    /// It is the one; the hash is to be replaced by this one, where it was made with other parameters than today's.
    Right { better_hash: Option<String> },
}

/// Compares `tried` with a kept hash, or with nobody's: the work is the same. Not for an async thread.
pub(crate) fn verify(kept: Option<&str>, tried: &str) -> Result<Verdict, HashError> {
    let parsed = PasswordHash::new(kept.unwrap_or(NOBODY)).map_err(|e| HashError(e.to_string()))?;
    let same = argon2()?.verify_password(tried.as_bytes(), &parsed).is_ok();
    if !same || kept.is_none() {
        return Ok(Verdict::Wrong);
    }
    let today = format!("$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p={LANES}$");
    let is_of_today = kept.is_some_and(|hash| hash.starts_with(&today));
    Ok(Verdict::Right { better_hash: if is_of_today { None } else { Some(hash_text(tried)?) } })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choose(text: &str) -> Result<Password, PasswordRefusal> {
        Password::choose(&UserName::new("Marie.Curie").unwrap(), text)
    }

    #[test]
    fn a_password_is_long_and_of_any_characters() {
        for good in [
            "correct horse battery",
            "ÄÖÜäöüß€éèêë",
            "marie.curie likes long walks",
            "x9!kQ2#vL7$p",
            &"a b c d ".repeat(16),
        ] {
            assert!(choose(good).is_ok(), "{good}: {:?}", choose(good));
        }
        assert_eq!(choose("elevenchars").unwrap_err(), PasswordRefusal::TooShort);
        assert_eq!(choose("six   wor    ds").unwrap_err(), PasswordRefusal::TooShort, "a row of spaces is one");
        let longest = "long walks by the sea and in the hills ".repeat(4);
        assert!(choose(&longest[..128]).is_ok());
        assert_eq!(choose(&longest[..129]).unwrap_err(), PasswordRefusal::TooLong);
    }

    #[test]
    fn what_anybody_tries_first_is_refused() {
        for weak in [
            "Password1234",
            "passwordpassword",
            "xxxxxxxxxxxxxxx",
            "123456789012",
            "qwertyuiop12",
            "1q2w3e4r5t6y",
            "P@ssw0rd2026",
            "iloveyou1234",
            "letmeinplease",
            "administrator",
            "michaeljordan",
            "marie.CURIE2026",
            "stepback-2026",
            "HybridFlow123",
            "qdrantqdrant",
            "neo4j1234567",
            "CorrectHorseBatteryStaple",
        ] {
            assert_eq!(choose(weak).unwrap_err(), PasswordRefusal::Guessable, "{weak}");
        }
    }

    #[test]
    fn hashes_are_argon2id_salted_and_compared() {
        let password = choose("correct horse battery").unwrap();
        let (one, two) = (hash(&password).unwrap(), hash(&password).unwrap());
        assert!(one.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{one}");
        assert_ne!(one, two, "the salt is new each time");
        assert!(!one.contains("horse"));
        assert_eq!(verify(Some(&one), "correct horse battery").unwrap(), Verdict::Right { better_hash: None });
        assert_eq!(verify(Some(&one), "correct horse batterY").unwrap(), Verdict::Wrong);
        assert_eq!(format!("{password:?}"), "***");
    }

    #[test]
    fn nobody_costs_what_somebody_costs() {
        let kept = hash(&choose("correct horse battery").unwrap()).unwrap();
        let cost = |hash: &str| hash.split('$').take(4).map(str::to_owned).collect::<Vec<_>>();
        let lengths = |hash: &str| hash.split('$').skip(5).map(str::len).collect::<Vec<_>>();
        assert_eq!(cost(NOBODY), cost(&kept));
        assert_eq!(lengths(NOBODY), lengths(&kept));
        assert_eq!(verify(None, "anything").unwrap(), Verdict::Wrong);
    }

    #[test]
    fn a_hash_of_lesser_cost_is_replaced() {
        let weak = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(64, 1, 1, None).unwrap())
            .hash_password(b"correct horse battery")
            .unwrap()
            .to_string();
        let Verdict::Right { better_hash: Some(better) } = verify(Some(&weak), "correct horse battery").unwrap() else {
            panic!("a weak hash was kept");
        };
        assert!(better.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert_eq!(verify(Some(&better), "correct horse battery").unwrap(), Verdict::Right { better_hash: None });
    }
}
