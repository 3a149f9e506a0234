//! The JSON API as its callers meet it.

mod address;
mod bad_input;
mod document;
mod drp;
mod drp_answers;
mod gaps;
mod matrix;
mod often;
mod operation;
mod receiver;
mod rectified;
mod resources;
mod rights;
mod streams;
mod typescript;
mod versions;
mod webhooks;
