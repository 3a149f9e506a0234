//! Time as a parameter: a [`Timestamp`] is UTC microseconds, a [`Clock`] is asked for one. The only ambient clock of
//! the program is read in [`Clock::system`].

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Datelike, SecondsFormat, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// An instant: microseconds since 1970-01-01T00:00:00Z. What the databases store; compared as an integer, so exact.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From microseconds since the epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since the epoch.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// From a date and time, truncated to the microsecond.
    pub fn from_utc(t: DateTime<Utc>) -> Self {
        Self(t.timestamp_micros())
    }

    /// As a date and time. An instant that chrono cannot express (beyond the year 262000) becomes the epoch.
    pub fn to_utc(self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.0).unwrap_or(DateTime::UNIX_EPOCH)
    }

    /// This instant moved by `delta`, saturating at the ends of the range.
    #[must_use]
    pub fn plus(self, delta: TimeDelta) -> Self {
        Self(self.0.saturating_add(delta.num_microseconds().unwrap_or(i64::MAX)))
    }

    /// How long after `earlier` this is; negative if before.
    pub fn since(self, earlier: Self) -> TimeDelta {
        TimeDelta::microseconds(self.0.saturating_sub(earlier.0))
    }

    /// RFC 3339 to the second, in UTC: what APIs and ledger entries carry.
    pub fn rfc3339(self) -> String {
        self.to_utc().to_rfc3339_opts(SecondsFormat::Secs, true)
    }

    /// Parses RFC 3339; `None` for anything else.
    pub fn parse_rfc3339(s: &str) -> Option<Self> {
        DateTime::parse_from_rfc3339(s).ok().map(|t| Self::from_utc(t.with_timezone(&Utc)))
    }

    /// Written out for people: `5 May 2026, 14:07 UTC`.
    pub fn in_words(self) -> String {
        let t = self.to_utc();
        format!("{} {}, {} UTC", t.day(), t.format("%B %Y"), t.format("%H:%M"))
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_utc().to_rfc3339_opts(SecondsFormat::Micros, true))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&self.rfc3339())
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let s = std::borrow::Cow::<'de, str>::deserialize(d)?;
        Self::parse_rfc3339(&s).ok_or_else(|| serde::de::Error::custom("not an RFC 3339 time"))
    }
}

/// The clock a room is given. Cheap to clone.
#[derive(Clone)]
pub struct Clock(Source);

#[derive(Clone)]
enum Source {
    System,
    Manual(Arc<Hands>),
}

/// What time a manual clock shows, and by how much it goes on with each reading.
#[derive(Debug)]
struct Hands {
    now: AtomicI64,
    step: AtomicI64,
}

impl Clock {
    /// The machine's clock.
    pub const fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands still until its hand is moved: for tests, and for telling a story of years in no time.
    pub fn manual(start: Timestamp) -> (Self, ManualClock) {
        let hands = Arc::new(Hands { now: AtomicI64::new(start.0), step: AtomicI64::new(0) });
        (Self(Source::Manual(Arc::clone(&hands))), ManualClock(hands))
    }

    /// What time it is.
    #[expect(clippy::disallowed_methods, reason = "the one place where the ambient clock is read")]
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Source::System => Timestamp::from_utc(Utc::now()),
            Source::Manual(hands) => {
                Timestamp(hands.now.fetch_add(hands.step.load(Ordering::SeqCst), Ordering::SeqCst))
            }
        }
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Clock({:?})", self.now())
    }
}

/// The hand of a manual clock.
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<Hands>);

impl ManualClock {
    /// Moves the clock by `delta`; it may go backwards, as real ones do.
    pub fn advance(&self, delta: TimeDelta) {
        self.0.now.fetch_add(delta.num_microseconds().unwrap_or(0), Ordering::SeqCst);
    }

    /// From here on the clock goes on by `step` with each reading, as a real one does: no two readings are the same.
    pub fn tick_by(&self, step: TimeDelta) {
        self.0.step.store(step.num_microseconds().unwrap_or(0), Ordering::SeqCst);
    }

    /// Sets the clock.
    pub fn set(&self, to: Timestamp) {
        self.0.now.store(to.0, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_reads_back_as_it_was_written() {
        let t = Timestamp::parse_rfc3339("2026-05-05T14:07:09Z").unwrap();
        assert_eq!(t.rfc3339(), "2026-05-05T14:07:09Z");
        assert_eq!(t.in_words(), "5 May 2026, 14:07 UTC");
        assert_eq!(Timestamp::parse_rfc3339("2026-05-05T16:07:09+02:00"), Some(t));
    }

    #[test]
    fn a_manual_clock_moves_two_years_at_once() {
        let (clock, hand) = Clock::manual(Timestamp::from_micros(0));
        let before = clock.now();
        hand.advance(TimeDelta::days(730));
        assert_eq!(clock.now().since(before), TimeDelta::days(730));
    }

    #[test]
    fn a_ticking_clock_never_shows_the_same_time_twice() {
        let (clock, hand) = Clock::manual(Timestamp::from_micros(0));
        hand.tick_by(TimeDelta::microseconds(3));
        let shown = [clock.now(), clock.now(), clock.now()].map(Timestamp::micros);
        assert_eq!(shown, [0, 3, 6]);
    }

    #[test]
    fn moving_past_the_end_of_time_saturates() {
        let end = Timestamp::from_micros(i64::MAX);
        assert_eq!(end.plus(TimeDelta::days(1)), end);
        assert_eq!(end.to_utc(), DateTime::UNIX_EPOCH);
    }
}
