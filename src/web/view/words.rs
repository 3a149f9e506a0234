//! Times, counts and sizes in words, in English, as the desk tells them. A template writes sentences; this module writes
//! only the figures inside them. Pages for people tell them in their language: see [`super::Shell`].

use std::borrow::Borrow;
use std::fmt;

use askama::filters::HtmlSafe;
use chrono::TimeDelta;

use crate::base::Timestamp;
use crate::speech::{Case, Tongue};

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

impl From<Moment> for Timestamp {
    fn from(moment: Moment) -> Self {
        moment.0
    }
}

impl Moment {
    /// `5 May 2026, 14:07 UTC`, as text for a mail.
    pub fn words(self) -> String {
        self.0.in_words()
    }

    /// `5 May 2026`, as text for a mail.
    pub fn day_words(self) -> String {
        Tongue::English.day(self.0)
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
        self.element(&Tongue::English.short_time(self.0))
    }

    /// `in 2 days`, `3 hours ago`, `just now`, as an element.
    pub fn relative(self, now: impl Borrow<Self>) -> Markup {
        self.element(&self.relative_words(now))
    }

    /// `in 2 days`, `3 hours ago`, `just now`.
    pub fn relative_words(self, now: impl Borrow<Self>) -> String {
        Tongue::English.relative(self.0, now.borrow().0)
    }

    /// How long from `now` until this, without a sign.
    pub fn apart(self, now: impl Borrow<Self>) -> TimeDelta {
        self.0.since(now.borrow().0).abs()
    }

    /// Whole hours from `now` until this; negative when it is past.
    pub fn hours_after(self, now: Self) -> i64 {
        self.0.since(now.0).num_hours()
    }

    /// Whether this lies before `now`.
    pub fn is_past(self, now: impl Borrow<Self>) -> bool {
        self.0 < now.borrow().0
    }

    pub(super) fn element(self, text: &str) -> Markup {
        Markup(format!("<time datetime=\"{}\">{text}</time>", self.0.rfc3339()))
    }
}

/// A length of time in its two largest units below a month, in one unit above: `2 days 4 hours`, `5 months`.
pub fn span(delta: TimeDelta) -> String {
    Tongue::English.span(delta, Case::Plain)
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
        f.write_str(&Tongue::English.number(self.0))
    }
}

impl HtmlSafe for Count {}

/// A number of bytes in decimal units: `3.2 MB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Size(pub u64);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&Tongue::English.size(self.0))
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
