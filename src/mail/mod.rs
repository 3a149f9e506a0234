//! Mail that leaves the house, in plain words.
//!
//! Promises: a letter says what happened, what comes next and by when, and carries no more of a person's data than that
//! needs. Must never: put a picture, a prompt or an export into a mail.

pub mod letters;
mod post;

pub use post::{Error, Post, Sent, Settings};
