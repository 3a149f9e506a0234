//! What a template hands to the shell to be told in its language, lent or given: a template's macro lends.

use super::words::{Count, Moment, Size};

/// A number of things.
pub trait Many: Copy {
    /// How many.
    fn many(self) -> u64;
}

impl Many for u64 {
    fn many(self) -> u64 {
        self
    }
}

impl Many for Count {
    fn many(self) -> u64 {
        self.0
    }
}

impl Many for Size {
    fn many(self) -> u64 {
        self.0
    }
}

impl<T: Many> Many for &T {
    fn many(self) -> u64 {
        (*self).many()
    }
}

/// A sentence of ours.
pub trait Sentence: Copy {
    /// The sentence.
    fn sentence(self) -> &'static str;
}

impl Sentence for &'static str {
    fn sentence(self) -> &'static str {
        self
    }
}

impl<T: Sentence> Sentence for &T {
    fn sentence(self) -> &'static str {
        (*self).sentence()
    }
}

/// A moment.
pub trait Instant: Copy {
    /// Which.
    fn moment(self) -> Moment;
}

impl Instant for Moment {
    fn moment(self) -> Moment {
        self
    }
}

impl<T: Instant> Instant for &T {
    fn moment(self) -> Moment {
        (*self).moment()
    }
}
