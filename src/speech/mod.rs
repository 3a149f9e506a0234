//! The languages that people are spoken to in. A sentence is written in English where it is needed, in a page, a letter or
//! the code behind them, and that English sentence is its key; `de.po` holds what stands for it in German, in the format
//! that translators' tools know.
//!
//! Promises: a sentence without a row is told in English, never left out. A value is put into a sentence whole and
//! escaped, so no language can be taken for markup. Must never: decide what is said, glue a sentence from parts, or
//! know who reads it.

mod catalog;
mod figures;
pub mod po;
mod said;
mod tongue;

pub use figures::Case;
pub use said::{Said, escape};
pub use tongue::Tongue;

/// Marks a sentence that is looked up later, by a variable. Gives it back unaltered: whoever collects the sentences that
/// need a translation finds it by this name.
pub const fn key(sentence: &'static str) -> &'static str {
    sentence
}
