//! How long things last.

use std::time::Duration;

use crate::Clock;

/// How long sessions last, and what the time is.
#[derive(Clone, Debug)]
pub struct AccessSettings {
    /// A session that was not used for so long is over.
    pub idle: Duration,
    /// A session is over so long after its sign-in, used or not.
    pub absolute: Duration,
    /// How long to wait for another process' lock on the file.
    pub busy_timeout: Duration,
    /// The time.
    pub clock: Clock,
}

impl Default for AccessSettings {
    /// One hour idle, twelve hours at most, the machine's clock.
    fn default() -> Self {
        Self {
            idle: Duration::from_secs(3600),
            absolute: Duration::from_secs(12 * 3600),
            busy_timeout: Duration::from_secs(5),
            clock: Clock::system(),
        }
    }
}

/// As the database keeps it.
pub(crate) fn ms(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
