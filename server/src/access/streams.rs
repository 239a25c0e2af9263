//! Event streams that are open, by who holds them: each may hold so many, and all of them end within seconds once their
//! holder may not read any more.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use access::SessionEnd;
use tokio::sync::watch;

/// Open streams by holder: a sign-in or a token. `I` is what tells whether the holder may still read.
#[derive(Debug)]
pub struct Streams<I> {
    most: usize,
    open: Mutex<HashMap<String, Held<I>>>,
}

#[derive(Debug)]
struct Held<I> {
    count: usize,
    identity: I,
    ended: watch::Sender<Option<Ended>>,
}

/// Why the streams of a holder end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Their sign-in or token is over, by which time-out if it was one.
    SignedOut(Option<SessionEnd>),
    /// Whether they may still read could not be looked up. Nothing is claimed; whoever may still read opens a new stream.
    Unknown,
}

/// One open stream. It counts as long as it lives.
#[derive(Debug)]
pub struct Pass<I> {
    streams: Arc<Streams<I>>,
    holder: String,
    ended: watch::Receiver<Option<Ended>>,
}

impl<I: Clone> Streams<I> {
    /// Streams of which each holder may have so many.
    pub fn new(most: usize) -> Self {
        Self { most, open: Mutex::new(HashMap::new()) }
    }

    /// A place for one more stream; nothing when the holder has all that one may have.
    pub fn enter(self: &Arc<Self>, holder: &str, identity: &I) -> Option<Pass<I>> {
        let mut open = self.open();
        let held = open.entry(holder.to_owned()).or_insert_with(|| Held {
            count: 0,
            identity: identity.clone(),
            ended: watch::Sender::new(None),
        });
        if held.count >= self.most {
            return None;
        }
        held.count += 1;
        let ended = held.ended.subscribe();
        Some(Pass { streams: Arc::clone(self), holder: holder.to_owned(), ended })
    }

    /// Who holds streams now.
    pub fn holders(&self) -> Vec<(String, I)> {
        self.open().iter().map(|(holder, held)| (holder.clone(), held.identity.clone())).collect()
    }

    /// Ends all streams of a holder.
    pub fn end(&self, holder: &str, why: Ended) {
        if let Some(held) = self.open().get(holder) {
            held.ended.send_replace(Some(why));
        }
    }
}

impl<I> Streams<I> {
    /// Nothing in here can be left half done, so a panic elsewhere does not matter.
    fn open(&self) -> MutexGuard<'_, HashMap<String, Held<I>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<I> Pass<I> {
    /// Resolves when the stream has to end.
    pub fn ended(&self) -> impl Future<Output = Ended> + Send + use<I> {
        let mut ended = self.ended.clone();
        async move {
            // Whoever is no longer known as a holder has ended, too.
            ended.wait_for(Option::is_some).await.ok().and_then(|ended| *ended).unwrap_or(Ended::Unknown)
        }
    }
}

impl<I> Drop for Pass<I> {
    fn drop(&mut self) {
        let mut open = self.streams.open();
        if let Some(held) = open.get_mut(&self.holder) {
            held.count -= 1;
            if held.count == 0 {
                open.remove(&self.holder);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_holder_has_so_many_places_and_gets_them_back() {
        let streams = Arc::new(Streams::new(2));
        let first = streams.enter("ann", &()).unwrap();
        let _second = streams.enter("ann", &()).unwrap();
        assert!(streams.enter("ann", &()).is_none());
        assert!(streams.enter("ben", &()).is_some(), "another one's places are his own");
        drop(first);
        assert!(streams.enter("ann", &()).is_some());
    }

    #[test]
    fn who_holds_nothing_is_forgotten() {
        let streams = Arc::new(Streams::new(2));
        drop(streams.enter("ann", &()));
        assert!(streams.holders().is_empty());
    }

    #[tokio::test]
    async fn all_streams_of_a_holder_end_and_no_others() {
        let streams = Arc::new(Streams::new(2));
        let [one, two, other] = ["ann", "ann", "ben"].map(|holder| streams.enter(holder, &()).unwrap());
        let why = Ended::SignedOut(Some(SessionEnd::Idle(std::time::Duration::from_secs(3_600))));
        streams.end("ann", why);
        assert_eq!([one.ended().await, two.ended().await], [why; 2]);
        assert_eq!(*other.ended.borrow(), None);
    }
}
