//! What the page after a form has to say, once: why the form was refused, that it was carried out, or a token's secret.
//!
//! Forms are answered by a redirect to a page. What that page is to say stays in the server's memory, under a key that the
//! address carries: an address that somebody else made up says nothing, and no secret and no text of a problem ever stands
//! in one. A notice is for the person it was left for, and is given out once.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use leptos::prelude::use_context;
use leptos::server_fn::ServerFn;
use rollback_types::{NewToken, Problem};

use crate::components::Tone;

/// The parameter of an address that carries a notice's key.
pub const PARAMETER: &str = "notice";
/// Who has not come for it by then does not come any more.
const KEPT_FOR: Duration = Duration::from_secs(600);
/// Notices kept at most; the oldest goes first.
const KEPT: usize = 1_000;
/// Random bytes of a key.
const KEY_BYTES: usize = 16;

/// What is said once.
#[derive(Clone)]
pub enum Notice {
    /// A form was refused.
    Refused {
        /// The address of the server function that refused it.
        function: String,
        /// Why.
        problem: Box<Problem>,
        /// What was typed that may be shown again, by field.
        typed: BTreeMap<String, String>,
    },
    /// A form was carried out; a sentence.
    Done(String),
    /// A form was carried out and found that something is wrong.
    Found {
        /// How bad it is.
        tone: Tone,
        /// What.
        sentence: String,
    },
    /// A new token with its secret, which is shown this one time.
    Token(Box<NewToken>),
}

/// Names the kind only: what is said may be a secret.
impl std::fmt::Debug for Notice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Refused { .. } => "Refused",
            Self::Done(_) => "Done",
            Self::Found { .. } => "Found",
            Self::Token(_) => "Token",
        })
    }
}

struct Left {
    at: Instant,
    reader: String,
    notice: Notice,
}

/// The notices that wait for their page. Cheap to clone; all clones are one.
#[derive(Clone, Default)]
pub struct Notices(Arc<Mutex<HashMap<String, Left>>>);

impl std::fmt::Debug for Notices {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Notices").field("waiting", &self.lock().len()).finish()
    }
}

impl Notices {
    /// No notices.
    pub fn new() -> Self {
        Self::default()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Left>> {
        // Each change is one call: a panic elsewhere leaves nothing half done here.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves a notice for `reader`, and returns its key. `None` where the system gives no random bytes.
    pub fn leave(&self, reader: &str, notice: Notice) -> Option<String> {
        let mut bytes = [0_u8; KEY_BYTES];
        getrandom::fill(&mut bytes).ok()?;
        let key: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
        let now = Instant::now();
        let mut waiting = self.lock();
        waiting.retain(|_, left| now.duration_since(left.at) < KEPT_FOR);
        if waiting.len() >= KEPT {
            let oldest = waiting.iter().min_by_key(|(_, left)| left.at).map(|(key, _)| key.clone());
            oldest.and_then(|key| waiting.remove(&key));
        }
        waiting.insert(key.clone(), Left { at: now, reader: reader.to_owned(), notice });
        Some(key)
    }

    /// The notice of a key, if it was left for this reader. It is not there a second time.
    pub fn take(&self, key: &str, reader: &str) -> Option<Notice> {
        let mut waiting = self.lock();
        let own = waiting.get(key).is_some_and(|left| left.reader == reader && left.at.elapsed() < KEPT_FOR);
        if own { waiting.remove(key).map(|left| left.notice) } else { None }
    }
}

/// The notice of the page that is being rendered. The server puts it into the context.
#[derive(Clone, Debug)]
pub struct Shown(pub Notice);

fn shown() -> Option<Notice> {
    use_context::<Shown>().map(|shown| shown.0)
}

/// Why this server function refused the form that led here.
pub fn refused<F: ServerFn>() -> Option<Problem> {
    match shown() {
        Some(Notice::Refused { function, problem, .. }) if function == F::PATH => Some(*problem),
        _ => None,
    }
}

/// Why a form was refused, whichever it was: for the page to which a browser is led that does not say where it was.
pub fn refused_anywhere() -> Option<Problem> {
    match shown() {
        Some(Notice::Refused { problem, .. }) => Some(*problem),
        _ => None,
    }
}

/// This page has something to say that it says once.
pub fn is_shown() -> bool {
    shown().is_some()
}

/// What had been typed into a field of the form that was refused.
pub fn typed(field: &str) -> Option<String> {
    match shown() {
        Some(Notice::Refused { typed, .. }) => typed.get(field).cloned(),
        _ => None,
    }
}

/// What was carried out.
pub fn done() -> Option<String> {
    match shown() {
        Some(Notice::Done(sentence)) => Some(sentence),
        _ => None,
    }
}

/// What was found to be wrong by something that was carried out, and how bad it is.
pub fn found() -> Option<(Tone, String)> {
    match shown() {
        Some(Notice::Found { tone, sentence }) => Some((tone, sentence)),
        _ => None,
    }
}

/// The token that was just made.
pub fn token() -> Option<NewToken> {
    match shown() {
        Some(Notice::Token(token)) => Some(*token),
        _ => None,
    }
}

/// Leads the browser to a page that says `notice` once. Where none can be left the page is shown without it.
pub fn lead_to(path: &str, notice: Notice) {
    let reader = use_context::<rollback::Actor>();
    let key = use_context::<Notices>().zip(reader).and_then(|(notices, reader)| notices.leave(reader.name(), notice));
    match key {
        Some(key) => leptos_axum::redirect(&with_key(path, &key)),
        None => leptos_axum::redirect(path),
    }
}

/// The address with a notice's key, in the place of one that it had.
pub fn with_key(address: &str, key: &str) -> String {
    let (rest, fragment) = address.split_once('#').map_or((address, None), |(rest, f)| (rest, Some(f)));
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let kept = query.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with(&format!("{PARAMETER}=")));
    let own = format!("{PARAMETER}={key}");
    let query: Vec<&str> = kept.chain([own.as_str()]).collect();
    let fragment = fragment.map(|f| format!("#{f}")).unwrap_or_default();
    format!("{path}?{}{fragment}", query.join("&"))
}

/// The key that an address carries.
pub fn key_of(query: &str) -> Option<&str> {
    query.split('&').find_map(|pair| pair.strip_prefix(PARAMETER)?.strip_prefix('='))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn done(text: &str) -> Notice {
        Notice::Done(text.to_owned())
    }

    #[test]
    fn a_notice_is_given_out_once_and_to_its_reader_alone() {
        let notices = Notices::new();
        let key = notices.leave("ada", done("added")).unwrap();
        assert!(notices.take(&key, "eve").is_none());
        assert!(notices.take("00", "ada").is_none());
        assert!(matches!(notices.take(&key, "ada"), Some(Notice::Done(said)) if said == "added"));
        assert!(notices.take(&key, "ada").is_none());
    }

    #[test]
    fn there_is_an_end_to_what_is_kept() {
        let notices = Notices::new();
        let first = notices.leave("ada", done("first")).unwrap();
        for _ in 0..KEPT {
            notices.leave("ada", done("more")).unwrap();
        }
        assert_eq!(notices.lock().len(), KEPT);
        assert!(notices.take(&first, "ada").is_none());
    }

    #[test]
    fn an_address_carries_one_key() {
        assert_eq!(with_key("/people", "k"), "/people?notice=k");
        assert_eq!(with_key("/runs?notice=old&state=aborted#top", "k"), "/runs?state=aborted&notice=k#top");
        assert_eq!(key_of("state=aborted&notice=k"), Some("k"));
        assert_eq!(key_of("notices=k&anotice=k"), None);
    }

    #[test]
    fn what_is_said_is_not_told_by_debug() {
        assert_eq!(format!("{:?}", Shown(done("a secret"))), "Shown(Done)");
    }
}
