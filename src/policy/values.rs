//! Values that were read, each with its place in the document.

use std::collections::BTreeMap;
use std::ops::Range;

use chrono::NaiveDate;

use crate::base::Period;

use super::words::Fact;

/// A value that has its shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Scalar {
    /// A sentence, a word, an id, a name, an address.
    Text(String),
    /// A switch.
    Flag(bool),
    /// A length of time.
    Period(Period),
    /// A length of time after a fact.
    After(Period, Fact),
    /// A calendar date.
    Date(NaiveDate),
}

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Item {
    /// Byte range in the document.
    pub(crate) span: Range<usize>,
    /// The value.
    pub(crate) value: Scalar,
}

/// The values of a table by key.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Fields(BTreeMap<&'static str, Vec<Item>>);

impl Fields {
    pub(super) fn insert(&mut self, name: &'static str, items: Vec<Item>) {
        self.0.insert(name, items);
    }

    /// All values of a key; none if it is not there.
    pub(crate) fn items(&self, name: &str) -> &[Item] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }

    /// Whether the key is there.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Where the key's first value stands.
    pub(crate) fn span(&self, name: &str) -> Option<Range<usize>> {
        self.items(name).first().map(|item| item.span.clone())
    }

    /// Every key that is there with its values.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'static str, &[Item])> {
        self.0.iter().map(|(name, items)| (*name, items.as_slice()))
    }

    /// The text of a key.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.texts(name).into_iter().next()
    }

    /// All texts of a key.
    pub(crate) fn texts(&self, name: &str) -> Vec<String> {
        let text = |item: &Item| match &item.value {
            Scalar::Text(text) => Some(text.clone()),
            _ => None,
        };
        self.items(name).iter().filter_map(text).collect()
    }

    /// The word of a key.
    pub(crate) fn word<W: std::str::FromStr>(&self, name: &str) -> Option<W> {
        self.words(name).into_iter().next()
    }

    /// All words of a key.
    pub(crate) fn words<W: std::str::FromStr>(&self, name: &str) -> Vec<W> {
        self.texts(name).iter().filter_map(|text| text.parse().ok()).collect()
    }

    /// The switch of a key, `false` without it.
    pub(crate) fn flag(&self, name: &str) -> bool {
        self.maybe_flag(name).unwrap_or(false)
    }

    /// The switch of a key, if it is there.
    pub(crate) fn maybe_flag(&self, name: &str) -> Option<bool> {
        self.items(name).iter().find_map(|item| match item.value {
            Scalar::Flag(flag) => Some(flag),
            _ => None,
        })
    }

    /// The length of time of a key.
    pub(crate) fn period(&self, name: &str) -> Option<Period> {
        self.periods(name).into_iter().next()
    }

    /// All lengths of time of a key.
    pub(crate) fn periods(&self, name: &str) -> Vec<Period> {
        let period = |item: &Item| match item.value {
            Scalar::Period(period) => Some(period),
            _ => None,
        };
        self.items(name).iter().filter_map(period).collect()
    }

    /// All lengths of time after a fact of a key.
    pub(crate) fn afters(&self, name: &str) -> Vec<(Period, Fact)> {
        let after = |item: &Item| match item.value {
            Scalar::After(period, fact) => Some((period, fact)),
            _ => None,
        };
        self.items(name).iter().filter_map(after).collect()
    }

    /// The date of a key.
    pub(crate) fn date(&self, name: &str) -> Option<NaiveDate> {
        self.items(name).iter().find_map(|item| match item.value {
            Scalar::Date(date) => Some(date),
            _ => None,
        })
    }
}
