//! Letters about another address: to the new mailbox, to the old one, and to whoever has the new one already.

use askama::Template;

use super::{Letter, Letterhead, Written, one_line};
use crate::base::Timestamp;
use crate::speech::key;

/// Somebody with an account wants to move to the reader's address.
#[derive(Debug, Clone)]
pub struct ConfirmAddress {
    /// Whose letter it is.
    pub head: Letterhead,
    /// Until when the link works.
    pub until: Timestamp,
    /// The whole link.
    pub link: String,
}

/// Somebody with an account wants to move away from the reader's address.
#[derive(Debug, Clone)]
pub struct AddressChanged {
    /// Whose letter it is.
    pub head: Letterhead,
    /// The whole link that stops it or undoes it.
    pub undo_link: String,
}

/// Somebody with an account wanted to move to the reader's address, which has an account of its own.
#[derive(Debug, Clone)]
pub struct AddressTaken {
    /// Whose letter it is.
    pub head: Letterhead,
    /// The whole link to sign in by.
    pub sign_in_link: String,
}

impl ConfirmAddress {
    fn subject(&self) -> String {
        self.head.of_brand(key("Confirm your new address for {brand}"), None)
    }
}

impl AddressChanged {
    fn subject(&self) -> String {
        self.head.of_brand(key("Your account at {brand} is to get another address"), None)
    }
}

impl AddressTaken {
    fn subject(&self) -> String {
        self.head.of_brand(key("Your address has an account at {brand} already"), None)
    }
}

letter!(ConfirmAddress, "confirm-address.txt", "confirm-address.html");
letter!(AddressChanged, "address-changed.txt", "address-changed.html");
letter!(AddressTaken, "address-taken.txt", "address-taken.html");
