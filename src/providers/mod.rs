//! Who edits a picture: the providers, each speaking its own protocol.

pub mod studio;
