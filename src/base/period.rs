//! Periods in calendar units. "Two years" is not a number of seconds: it ends on the same day two years on.

use std::fmt;

use chrono::{DateTime, Days, Months, TimeDelta};
use serde::{Deserialize, Serialize};

use super::Timestamp;

/// A length of time as a document states it: months, days and seconds, added in that order.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Period {
    months: u32,
    days: u32,
    seconds: u32,
}

/// Why a string is not a period.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadPeriod {
    /// Nothing that reads as a number and a unit.
    #[error("not a length of time; write it as \"48 hours\", \"30 days\", \"2 years\" or \"P2Y\"")]
    Unreadable,
    /// Zero, negative, fractional.
    #[error("a length of time must be a whole positive number of units")]
    NotPositive,
    /// More than a century.
    #[error("longer than 100 years; if it is kept for ever, say so in another way")]
    TooLong,
}

impl Period {
    /// So many hours.
    pub const fn hours(n: u16) -> Self {
        Self { months: 0, days: 0, seconds: n as u32 * 3600 }
    }

    /// So many days.
    pub const fn days(n: u16) -> Self {
        Self { months: 0, days: n as u32, seconds: 0 }
    }

    /// So many months.
    pub const fn months(n: u16) -> Self {
        Self { months: n as u32, days: 0, seconds: 0 }
    }

    /// Parses `48h`, `48 hours`, `2 years 6 months`, `P2Y`, `PT48H`.
    pub fn parse(text: &str) -> Result<Self, BadPeriod> {
        if text.len() > 64 {
            return Err(BadPeriod::Unreadable);
        }
        if text.contains(['-', '.', ',', '+']) {
            return Err(BadPeriod::NotPositive);
        }
        let span: jiff::Span = text.trim().parse().map_err(|_| BadPeriod::Unreadable)?;
        let months = i64::from(span.get_years()) * 12 + i64::from(span.get_months());
        let days = i64::from(span.get_weeks()) * 7 + i64::from(span.get_days());
        let seconds = i64::from(span.get_hours()) * 3600
            + span.get_minutes().saturating_mul(60).saturating_add(span.get_seconds());
        if months == 0 && days == 0 && seconds == 0 {
            return Err(BadPeriod::NotPositive);
        }
        if months > 1200 || days > 36_525 || seconds > 3_155_760_000 {
            return Err(BadPeriod::TooLong);
        }
        let narrow = |n: i64| u32::try_from(n).map_err(|_| BadPeriod::TooLong);
        Ok(Self { months: narrow(months)?, days: narrow(days)?, seconds: narrow(seconds)? })
    }

    /// When the period that begins at `start` ends. A day that the month does not have becomes its last day
    /// (29 February plus a year is 28 February). Saturates at the end of time, which destroys nothing early.
    pub fn after(self, start: Timestamp) -> Timestamp {
        // An instant beyond what a calendar knows is the end of time, not its beginning.
        let Some(start) = DateTime::from_timestamp_micros(start.micros()) else { return start };
        let end = start
            .checked_add_months(Months::new(self.months))
            .and_then(|t| t.checked_add_days(Days::new(u64::from(self.days))));
        end.map_or(Timestamp::from_micros(i64::MAX), |t| {
            Timestamp::from_utc(t).plus(TimeDelta::seconds(i64::from(self.seconds)))
        })
    }

    /// So long before a moment. Periods add but do not subtract: a start from which the period ends at the moment, found to
    /// the second around the rough length; within a day of it where months of different lengths lie between.
    pub fn before(self, end: Timestamp) -> Timestamp {
        let rough = i64::try_from(self.rough_seconds()).unwrap_or(i64::MAX / 1_000_000);
        let guess = end.plus(TimeDelta::seconds(-rough));
        let error = self.after(guess).since(end);
        guess.plus(-error)
    }

    /// Its months, days and seconds, for whoever tells it in another language.
    pub const fn parts(self) -> (u32, u32, u32) {
        (self.months, self.days, self.seconds)
    }

    /// A length to compare periods by, in seconds, a month taken as 30.4369 days. For ordering, never for due times.
    pub fn rough_seconds(self) -> u64 {
        u64::from(self.months) * 2_629_746 + u64::from(self.days) * 86_400 + u64::from(self.seconds)
    }
}

fn unit(f: &mut fmt::Formatter<'_>, first: &mut bool, n: u32, name: &str) -> fmt::Result {
    if n == 0 {
        return Ok(());
    }
    if !std::mem::take(first) {
        f.write_str(" ")?;
    }
    write!(f, "{n} {name}{}", if n == 1 { "" } else { "s" })
}

/// In words: `2 years`, `48 hours`, `1 year 6 months`.
impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut first = true;
        unit(f, &mut first, self.months / 12, "year")?;
        unit(f, &mut first, self.months % 12, "month")?;
        unit(f, &mut first, self.days, "day")?;
        unit(f, &mut first, self.seconds / 3600, "hour")?;
        unit(f, &mut first, self.seconds % 3600 / 60, "minute")?;
        unit(f, &mut first, self.seconds % 60, "second")
    }
}

impl fmt::Debug for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Period {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Period {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let s = std::borrow::Cow::<'de, str>::deserialize(d)?;
        Self::parse(&s).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(start: &str, period: &str) -> String {
        Period::parse(period).unwrap().after(Timestamp::parse_rfc3339(start).unwrap()).rfc3339()
    }

    #[test]
    fn months_end_on_the_same_day_or_the_last_one() {
        assert_eq!(end("2028-02-29T12:00:00Z", "12 months"), "2029-02-28T12:00:00Z");
        assert_eq!(end("2026-08-31T00:00:00Z", "6 months"), "2027-02-28T00:00:00Z");
        assert_eq!(end("2026-01-31T00:00:00Z", "1 month"), "2026-02-28T00:00:00Z");
        assert_eq!(end("2026-05-05T14:00:00Z", "P2Y"), "2028-05-05T14:00:00Z");
        assert_eq!(end("2026-05-05T14:00:00Z", "48h"), "2026-05-07T14:00:00Z");
    }

    #[test]
    fn the_end_of_time_stays_the_end_of_time() {
        let end = Timestamp::from_micros(i64::MAX);
        assert_eq!(Period::days(1).after(end), end);
    }

    #[test]
    fn a_period_says_itself_in_words() {
        for (text, words) in [
            ("48h", "48 hours"),
            ("P1Y6M", "1 year 6 months"),
            ("2 weeks", "14 days"),
            ("730 days", "730 days"),
            ("24 months", "2 years"),
            ("PT90M", "1 hour 30 minutes"),
        ] {
            let period = Period::parse(text).unwrap();
            assert_eq!(period.to_string(), words);
            assert_eq!(Period::parse(words).unwrap(), period, "reads its own words back");
        }
    }

    #[test]
    fn nonsense_is_refused_with_the_reason() {
        for (text, why) in [
            ("a reasonable time", BadPeriod::Unreadable),
            ("forever", BadPeriod::Unreadable),
            ("", BadPeriod::Unreadable),
            ("0 days", BadPeriod::NotPositive),
            ("-P1D", BadPeriod::NotPositive),
            ("1.5 hours", BadPeriod::NotPositive),
            ("1000 years", BadPeriod::TooLong),
        ] {
            assert_eq!(Period::parse(text), Err(why), "{text}");
        }
    }
}
