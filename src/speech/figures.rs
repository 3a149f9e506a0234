//! Numbers, sizes, times and lengths of time, as each language tells them.

use chrono::{DateTime, Datelike as _, TimeDelta, Utc};

use super::{Said, Tongue, key};
use crate::base::{Period, Timestamp};

const MONTHS: [&str; 12] = [
    key("January"),
    key("February"),
    key("March"),
    key("April"),
    key("May"),
    key("June"),
    key("July"),
    key("August"),
    key("September"),
    key("October"),
    key("November"),
    key("December"),
];

const SHORT_MONTHS: [&str; 12] = [
    key("Jan"),
    key("Feb"),
    key("Mar"),
    key("Apr"),
    // The same word as the whole month in English, and in German.
    key("May"),
    key("Jun"),
    key("Jul"),
    key("Aug"),
    key("Sep"),
    key("Oct"),
    key("Nov"),
    key("Dec"),
];

/// In which form a length of time stands. English knows one; German has another after `in`, `vor`, `von`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Case {
    /// By itself: `2 Tage`.
    Plain,
    /// After a preposition: `vor 2 Tagen`.
    After,
}

/// A unit of time.
#[derive(Debug, Clone, Copy)]
enum Unit {
    Year,
    Month,
    Day,
    Hour,
    Minute,
    Second,
}

impl Tongue {
    /// A whole number, with a mark for every three digits.
    pub fn number(self, n: u64) -> String {
        let mark = match self {
            Self::English => ',',
            Self::German => '.',
        };
        let digits = n.to_string();
        let mut out = String::with_capacity(digits.len() + digits.len() / 3);
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && (digits.len() - at).is_multiple_of(3) {
                out.push(mark);
            }
            out.push(digit);
        }
        out
    }

    /// A number of bytes in decimal units: `3.2 MB`.
    pub fn size(self, bytes: u64) -> String {
        let (unit, name) = match bytes {
            0..=999 => return self.put("{count} bytes").with("count", bytes).text(),
            1_000..=999_999 => (1_000, "kB"),
            1_000_000..=999_999_999 => (1_000_000, "MB"),
            _ => (1_000_000_000, "GB"),
        };
        let point = match self {
            Self::English => '.',
            Self::German => ',',
        };
        let tenths = u128::from(bytes) * 10 / unit;
        if tenths < 100 {
            format!("{}{point}{} {name}", tenths / 10, tenths % 10)
        } else {
            format!("{} {name}", self.number(u64::try_from(tenths / 10).unwrap_or(u64::MAX)))
        }
    }

    /// `5 May 2026, 14:07 UTC`.
    pub fn time(self, at: Timestamp) -> String {
        let clock = at.to_utc().format("%H:%M");
        self.put("{day}, {clock} UTC").with("day", self.day(at)).with("clock", clock).text()
    }

    /// `5 May 2026`.
    pub fn day(self, at: Timestamp) -> String {
        let t = at.to_utc();
        let date =
            self.put("{day} {month} {year}").with("day", t.day()).with("month", self.month(t, &MONTHS));
        date.with("year", t.year()).text()
    }

    /// `5 May 14:07`, for a dense table whose head says "UTC".
    pub fn short_time(self, at: Timestamp) -> String {
        let t = at.to_utc();
        let date = self.put("{day} {month} {clock}").with("day", t.day());
        date.with("month", self.month(t, &SHORT_MONTHS)).with("clock", t.format("%H:%M")).text()
    }

    fn month(self, t: DateTime<Utc>, names: &[&'static str; 12]) -> &'static str {
        names.get(t.month0() as usize).map_or("", |name| self.say(name))
    }

    /// `in 2 days`, `3 hours ago`, `just now`.
    pub fn relative(self, at: Timestamp, now: Timestamp) -> String {
        let delta = at.since(now);
        let past = delta < TimeDelta::zero();
        if delta.num_seconds().abs() < 45 {
            return self.say(if past { key("just now") } else { key("now") }).to_owned();
        }
        let sentence = if past { key("{span} ago") } else { key("in {span}") };
        self.put(sentence).with("span", self.span(delta.abs(), Case::After)).text()
    }

    /// A length of time in its two largest units below a month, in one unit above: `2 days 4 hours`, `5 months`.
    pub fn span(self, delta: TimeDelta, case: Case) -> String {
        let minutes = u64::try_from((delta.num_seconds() + 30) / 60).unwrap_or(0);
        let hours = minutes / 60;
        let days = hours / 24;
        let one = |n: u64, unit: Unit| self.unit(n, unit, case);
        let two = |first: String, rest: u64, unit: Unit| {
            if rest == 0 { first } else { format!("{first} {}", one(rest, unit)) }
        };
        match days {
            0 if minutes < 1 => self.say("less than a minute").to_owned(),
            0 if hours < 1 => one(minutes, Unit::Minute),
            0 => two(one(hours, Unit::Hour), minutes % 60, Unit::Minute),
            1..=6 => two(one(days, Unit::Day), hours % 24, Unit::Hour),
            7..=59 => one(days, Unit::Day),
            60..=729 => one(days * 12 / 365, Unit::Month),
            _ => one(days * 10 / 3652, Unit::Year),
        }
    }

    /// A length of time as a document states it: `48 hours`, `1 year 6 months`.
    pub fn period(self, period: Period, case: Case) -> String {
        let (months, days, seconds) = period.parts();
        let all = [
            (months / 12, Unit::Year),
            (months % 12, Unit::Month),
            (days, Unit::Day),
            (seconds / 3600, Unit::Hour),
            (seconds % 3600 / 60, Unit::Minute),
            (seconds % 60, Unit::Second),
        ];
        let told = all.into_iter().filter(|(n, _)| *n > 0).map(|(n, unit)| self.unit(n.into(), unit, case));
        told.collect::<Vec<_>>().join(" ")
    }

    fn unit(self, n: u64, unit: Unit, case: Case) -> String {
        let said: Said = match case {
            Case::Plain => match unit {
                Unit::Year => self.count(n, "{count} year", "{count} years"),
                Unit::Month => self.count(n, "{count} month", "{count} months"),
                Unit::Day => self.count(n, "{count} day", "{count} days"),
                Unit::Hour => self.count(n, "{count} hour", "{count} hours"),
                Unit::Minute => self.count(n, "{count} minute", "{count} minutes"),
                Unit::Second => self.count(n, "{count} second", "{count} seconds"),
            },
            Case::After => match unit {
                Unit::Year => self.count_in("after", n, "{count} year", "{count} years"),
                Unit::Month => self.count_in("after", n, "{count} month", "{count} months"),
                Unit::Day => self.count_in("after", n, "{count} day", "{count} days"),
                Unit::Hour => self.count_in("after", n, "{count} hour", "{count} hours"),
                Unit::Minute => self.count_in("after", n, "{count} minute", "{count} minutes"),
                Unit::Second => self.count_in("after", n, "{count} second", "{count} seconds"),
            },
        };
        said.text()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Timestamp::parse_rfc3339(text).unwrap()
    }

    #[test]
    fn english_times_are_those_of_the_house() {
        let t = at("2026-05-05T14:07:09Z");
        assert_eq!(Tongue::English.time(t), t.in_words());
        let period = Period::parse("1 year 6 months").unwrap();
        assert_eq!(Tongue::English.period(period, Case::Plain), period.to_string());
        assert_eq!(Tongue::English.number(48_210), "48,210");
        assert_eq!(Tongue::English.size(u64::MAX), "18,446,744,073 GB");
    }

    #[test]
    fn german_figures_are_told_the_german_way() {
        let german = Tongue::German;
        let now = at("2026-05-05T12:00:00Z");
        assert_eq!(german.time(at("2026-03-05T14:07:09Z")), "5. März 2026, 14:07 Uhr UTC");
        assert_eq!(german.short_time(at("2026-12-05T14:07:09Z")), "5. Dez. 14:07");
        for (t, words) in [
            ("2026-05-05T11:59:50Z", "gerade eben"),
            ("2026-05-05T11:58:00Z", "vor 2 Minuten"),
            ("2026-05-04T12:00:00Z", "vor 1 Tag"),
            ("2026-05-07T16:00:00Z", "in 2 Tagen 4 Stunden"),
            ("2026-11-05T12:00:00Z", "in 6 Monaten"),
            ("2028-05-05T12:00:00Z", "in 2 Jahren"),
        ] {
            assert_eq!(german.relative(at(t), now), words, "{t}");
        }
        assert_eq!(german.period(Period::hours(72), Case::Plain), "72 Stunden");
        assert_eq!(german.period(Period::days(30), Case::After), "30 Tagen");
        assert_eq!(german.size(3_240_000), "3,2 MB");
        assert_eq!(german.number(1_000_000), "1.000.000");
        assert_eq!(german.count(1, "{count} entry", "{count} entries").text(), "1 Eintrag");
        assert_eq!(german.count(2_140, "{count} entry", "{count} entries").text(), "2.140 Einträge");
    }
}
