//! Letters about who acts for the reader: the question whether somebody may, and the news that we let them no more.

use askama::Template;

use super::{Letter, Letterhead, Written, one_line};
use crate::base::Timestamp;
use crate::speech::key;

/// An agent wants to act for the reader.
#[derive(Debug, Clone)]
pub struct ConfirmMandate {
    /// Whose letter it is.
    pub head: Letterhead,
    /// Who that is, as they say.
    pub agent: String,
    /// Until when the link works.
    pub until: Timestamp,
    /// The whole link.
    pub link: String,
}

/// Staff ended a mandate that the reader gave.
#[derive(Debug, Clone)]
pub struct MandateStopped {
    /// Whose letter it is.
    pub head: Letterhead,
    /// Who acted for them, as the reader was told then.
    pub agent: String,
    /// When it ended.
    pub at: Timestamp,
    /// Why, in the words of who ended it.
    pub reason: String,
}

impl ConfirmMandate {
    fn subject(&self) -> String {
        self.head.of_brand(key("Somebody wants to use your rights at {brand} for you"), None)
    }
}

impl MandateStopped {
    fn subject(&self) -> String {
        self.head.of_brand(key("We ended a mandate that you gave: {brand}"), None)
    }
}

letter!(ConfirmMandate, "confirm-mandate.txt", "confirm-mandate.html");
letter!(MandateStopped, "mandate-stopped.txt", "mandate-stopped.html");
