use std::collections::HashMap;
use std::sync::LazyLock;

use super::{Tongue, po};

/// The German rows, as they are shipped.
const GERMAN: &str = include_str!("de.po");

static OF_GERMAN: LazyLock<Catalog> = LazyLock::new(|| Catalog::read(GERMAN));

/// Which form of a row is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// The only one, or the one for a single thing.
    One,
    /// The one for any other number.
    Many,
}

/// The rows of one language, by context and English sentence.
pub(super) struct Catalog(HashMap<(String, String), Vec<String>>);

/// The rows of a language; English has none, because its sentences are the keys.
pub(super) fn of(tongue: Tongue) -> Option<&'static Catalog> {
    match tongue {
        Tongue::English => None,
        Tongue::German => Some(&OF_GERMAN),
    }
}

impl Catalog {
    /// Reads a file of rows. One that cannot be read is as good as none: people are spoken to in English then.
    fn read(text: &str) -> Self {
        let rows = po::read(text).unwrap_or_else(|error| {
            tracing::error!(%error, "the rows of a language cannot be read; English is spoken instead");
            Vec::new()
        });
        let rows = rows.into_iter().filter(|row| !row.fuzzy);
        Self(rows.map(|row| ((row.context, row.id), row.says)).collect())
    }

    /// What stands for a sentence.
    pub(super) fn find(&self, context: &str, sentence: &str, form: Form) -> Option<&str> {
        let says = self.0.get(&(context.to_owned(), sentence.to_owned()))?;
        let says = match form {
            Form::One => says.first(),
            Form::Many => says.last(),
        };
        says.map(String::as_str).filter(|says| !says.is_empty())
    }
}
