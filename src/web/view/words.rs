//! Times, counts and sizes in words. A template writes sentences; this module writes only the figures inside them.

use std::borrow::Borrow;
use std::fmt;

use askama::filters::HtmlSafe;
use chrono::{Datelike, TimeDelta};

use crate::base::Timestamp;

/// Markup that is already safe to put into a page. Made only here and by a renderer that has sanitised its input.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Markup(String);

impl Markup {
    /// Takes markup that the caller vouches for: its own, or the output of a sanitiser.
    pub fn trusted(html: impl Into<String>) -> Self {
        Self(html.into())
    }

    /// The markup as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Markup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl HtmlSafe for Markup {}

/// An instant as a page shows it. The moment to tell it from may be lent or given: a template's macro lends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(Timestamp);

impl From<Timestamp> for Moment {
    fn from(t: Timestamp) -> Self {
        Self(t)
    }
}

impl Moment {
    /// `5 May 2026, 14:07 UTC`, as text for a mail.
    pub fn words(self) -> String {
        self.0.in_words()
    }

    /// `5 May 2026`, as text for a mail.
    pub fn day_words(self) -> String {
        let t = self.0.to_utc();
        format!("{} {}", t.day(), t.format("%B %Y"))
    }

    /// `5 May 2026, 14:07 UTC`, as an element that machines read too.
    pub fn time(self) -> Markup {
        self.element(&self.words())
    }

    /// `5 May 2026`, as an element.
    pub fn day(self) -> Markup {
        self.element(&self.day_words())
    }

    /// `5 May 14:07`, for a dense table whose head says "UTC".
    pub fn short(self) -> Markup {
        let t = self.0.to_utc();
        self.element(&format!("{} {}", t.day(), t.format("%b %H:%M")))
    }

    /// `in 2 days`, `3 hours ago`, `just now`, as an element.
    pub fn relative(self, now: impl Borrow<Self>) -> Markup {
        self.element(&self.relative_words(now))
    }

    /// `in 2 days`, `3 hours ago`, `just now`.
    pub fn relative_words(self, now: impl Borrow<Self>) -> String {
        let delta = self.0.since(now.borrow().0);
        if delta.num_seconds().abs() < 45 {
            return if delta < TimeDelta::zero() { "just now" } else { "now" }.to_owned();
        }
        let words = span(delta.abs());
        if delta < TimeDelta::zero() { format!("{words} ago") } else { format!("in {words}") }
    }

    /// How long from `now` until this, without a sign: `2 days 4 hours`.
    pub fn apart(self, now: impl Borrow<Self>) -> String {
        span(self.0.since(now.borrow().0).abs())
    }

    /// Whole hours from `now` until this; negative when it is past.
    pub fn hours_after(self, now: Self) -> i64 {
        self.0.since(now.0).num_hours()
    }

    /// Whether this lies before `now`.
    pub fn is_past(self, now: impl Borrow<Self>) -> bool {
        self.0 < now.borrow().0
    }

    fn element(self, text: &str) -> Markup {
        Markup(format!("<time datetime=\"{}\">{text}</time>", self.0.rfc3339()))
    }
}

/// A length of time in its two largest units below a month, in one unit above: `2 days 4 hours`, `5 months`.
pub fn span(delta: TimeDelta) -> String {
    let minutes = (delta.num_seconds() + 30) / 60;
    let hours = minutes / 60;
    let days = hours / 24;
    match days {
        0 if minutes < 1 => "less than a minute".to_owned(),
        0 if hours < 1 => unit(minutes, "minute"),
        0 => two(unit(hours, "hour"), minutes % 60, "minute"),
        1..=6 => two(unit(days, "day"), hours % 24, "hour"),
        7..=59 => unit(days, "day"),
        60..=729 => unit(days * 12 / 365, "month"),
        _ => unit(days * 10 / 3652, "year"),
    }
}

fn unit(n: i64, name: &str) -> String {
    format!("{n} {name}{}", if n == 1 { "" } else { "s" })
}

fn two(first: String, rest: i64, name: &str) -> String {
    if rest == 0 { first } else { format!("{first} {}", unit(rest, name)) }
}

/// A number of things, with a comma for every three digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Count(pub u64);

impl Count {
    /// `1 image`, `214 images`.
    pub fn of(self, one: &str, many: &str) -> String {
        format!("{self} {}", if self.0 == 1 { one } else { many })
    }

    /// Whether it is zero.
    pub fn none(self) -> bool {
        self.0 == 0
    }
}

impl From<u64> for Count {
    fn from(n: u64) -> Self {
        Self(n)
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && (digits.len() - at).is_multiple_of(3) {
                f.write_str(",")?;
            }
            write!(f, "{digit}")?;
        }
        Ok(())
    }
}

impl HtmlSafe for Count {}

/// A number of bytes in decimal units: `3.2 MB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Size(pub u64);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, name) = match self.0 {
            0..=999 => return write!(f, "{} bytes", self.0),
            1_000..=999_999 => (1_000, "kB"),
            1_000_000..=999_999_999 => (1_000_000, "MB"),
            _ => (1_000_000_000, "GB"),
        };
        let tenths = self.0 * 10 / unit;
        if tenths < 100 {
            write!(f, "{}.{} {name}", tenths / 10, tenths % 10)
        } else {
            write!(f, "{} {name}", Count(tenths / 10))
        }
    }
}

impl HtmlSafe for Size {}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Moment {
        Timestamp::parse_rfc3339(text).unwrap().into()
    }

    #[test]
    fn a_time_is_told_in_words_from_here() {
        let now = at("2026-05-05T12:00:00Z");
        for (t, words) in [
            ("2026-05-05T11:59:50Z", "just now"),
            ("2026-05-05T11:58:00Z", "2 minutes ago"),
            ("2026-05-05T13:05:00Z", "in 1 hour 5 minutes"),
            ("2026-05-07T16:00:00Z", "in 2 days 4 hours"),
            ("2026-05-25T12:00:00Z", "in 20 days"),
            ("2026-11-05T12:00:00Z", "in 6 months"),
            ("2028-05-05T12:00:00Z", "in 2 years"),
        ] {
            assert_eq!(at(t).relative_words(now), words, "{t}");
        }
    }

    #[test]
    fn an_element_carries_the_time_for_machines() {
        let html = at("2026-05-05T14:07:09Z").time();
        assert_eq!(html.as_str(), r#"<time datetime="2026-05-05T14:07:09Z">5 May 2026, 14:07 UTC</time>"#);
    }

    #[test]
    fn figures_are_grouped_and_sized() {
        assert_eq!(Count(48_210).to_string(), "48,210");
        assert_eq!(Count(7).to_string(), "7");
        assert_eq!(Count(1_000_000).of("image", "images"), "1,000,000 images");
        assert_eq!(Count(1).of("image", "images"), "1 image");
        assert_eq!(Size(3_240_000).to_string(), "3.2 MB");
        assert_eq!(Size(999).to_string(), "999 bytes");
        assert_eq!(Size(123_000_000).to_string(), "123 MB");
        assert_eq!(Size(u64::MAX / 20).to_string(), "922,337,203 GB");
    }
}
