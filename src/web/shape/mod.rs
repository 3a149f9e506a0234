//! What rooms give, put into what pages show. Nothing here asks a room for anything.

pub(crate) mod account;
pub(crate) mod ask;
pub(crate) mod document;
pub(crate) mod entries;
pub(crate) mod letters;
pub(crate) mod mandates;
pub(crate) mod pictures;
pub(crate) mod privacy;
pub(crate) mod requests;
