use std::str::FromStr;

use crate::base::{EntryId, Timestamp};

/// A person's word on a purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Yes.
    Given,
    /// No, when asked.
    Refused,
    /// A yes taken back.
    Withdrawn,
    /// A no to something that needs no yes (Art. 21 GDPR).
    Objected,
}

impl State {
    /// As stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Given => "given",
            Self::Refused => "refused",
            Self::Withdrawn => "withdrawn",
            Self::Objected => "objected",
        }
    }
}

impl FromStr for State {
    type Err = ();
    fn from_str(s: &str) -> Result<Self, ()> {
        [Self::Given, Self::Refused, Self::Withdrawn, Self::Objected]
            .into_iter()
            .find(|state| state.as_str() == s)
            .ok_or(())
    }
}

/// One word, as it was given.
#[derive(Debug, Clone)]
pub struct Word {
    /// What was said.
    pub state: State,
    /// When.
    pub at: Timestamp,
    /// How: `privacy-centre`, `api`, `sign-up`, `request`.
    pub method: String,
    /// The version of the document that was in force.
    pub policy_version: String,
    /// The ledger entry that proves it.
    pub entry: Option<EntryId>,
}

/// How a person stands to a purpose.
#[derive(Debug, Clone)]
pub struct Choice {
    /// The purpose.
    pub purpose: String,
    /// What it is called.
    pub label: String,
    /// What it means, in plain words.
    pub text: String,
    /// Off until a yes; otherwise on until an objection.
    pub needs_consent: bool,
    /// Whether it is on.
    pub on: bool,
    /// Their last word, if they gave one.
    pub last: Option<Word>,
}
