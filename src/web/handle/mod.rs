//! The handlers, one file for each part of the site: each asks the rooms, shapes what they say, and renders a page.

pub(crate) mod account;
pub(crate) mod address;
pub(crate) mod agents;
pub(crate) mod bytes;
pub(crate) mod centre;
pub(crate) mod edit;
pub(crate) mod erase;
pub(crate) mod gallery;
pub(crate) mod house;
pub(crate) mod import;
pub(crate) mod ledger;
pub(crate) mod letters;
pub(crate) mod mandates;
pub(crate) mod policy;
pub(crate) mod readers;
pub(crate) mod receipts;
pub(crate) mod requests;
pub(crate) mod verify;
pub(crate) mod versions;
