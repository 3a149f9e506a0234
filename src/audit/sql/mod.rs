//! The audit's SQL: what it keeps ([`results`]), and what it looks at with its own eyes ([`look`], [`register`], [`told`]).

pub(super) mod look;
pub(super) mod register;
pub(super) mod results;
pub(super) mod told;
