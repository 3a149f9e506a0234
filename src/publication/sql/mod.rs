//! The statements: of versions and proposals, and of who is told of them.

mod telling;
mod version;

pub(super) use telling::*;
pub(super) use version::*;
