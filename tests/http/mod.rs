//! The JSON API as its callers meet it.

mod address;
mod bad_input;
mod document;
mod drp;
mod matrix;
mod often;
mod operation;
mod receiver;
mod resources;
mod rights;
mod streams;
mod typescript;
mod versions;
mod webhooks;
