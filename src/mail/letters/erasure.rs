//! The letter about an erasure that takes longer than an address is kept.

use askama::Template;

use super::{Letter, Letterhead, Written, one_line};
use crate::base::Timestamp;

/// An erasure is not finished, and this is the last letter all the same.
#[derive(Debug, Clone)]
pub struct ErasureWaits {
    /// Whose letter it is.
    pub head: Letterhead,
    /// The reference number.
    pub reference: String,
    /// When it began.
    pub begun: Timestamp,
    /// When their key was destroyed, if it is.
    pub unreadable: Option<Timestamp>,
    /// Who has not let go, and why, a sentence each.
    pub waits_for: Vec<String>,
    /// The whole link to the page that shows what was done, step by step.
    pub proof_link: String,
}

impl ErasureWaits {
    fn subject(&self) -> String {
        self.head
            .put("Your erasure is not finished yet: {reference}")
            .with("reference", &self.reference)
            .text()
    }
}

letter!(ErasureWaits, "erasure-waits.txt", "erasure-waits.html");
