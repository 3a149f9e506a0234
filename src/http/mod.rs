//! The JSON API: what an app's server, an app and a person's own program call.
//!
//! Promises: every route is in the OpenAPI document, made from the same source; every error is `application/problem+json`
//! with a fixed sentence; what is another's and what is not there are the same answer, to the byte; a body with a field
//! that we do not know is refused, not guessed at; images and archives stream. Must never: hold SQL or a decision. A
//! handler reads what was sent, calls one verb of a room below, and shapes the answer.

mod accounts;
mod answer;
mod archives;
mod ask;
mod consents;
mod credits;
mod desk;
mod document;
mod drp;
mod edits;
mod elsewhere;
mod guard;
mod health;
mod holds;
mod hooks;
mod images;
mod imports;
mod inputs;
mod intake;
mod ledger;
mod looks;
mod mandates;
mod open;
mod page;
mod policies;
mod preferences;
mod progress;
mod requests;
mod tls;
mod versions;
mod webhooks;

pub use open::{openapi, router, routes, serve};
pub use tls::Certificate;
