//! The edge: who is calling, what they may send, and how an error is told.
//!
//! Promises: a route that does not say who may call it does not compile into the router; nobody learns from an error
//! what they may not know; no cookie but the session's own and that of a language somebody chose; every answer carries the headers that keep a browser honest.
//! Must never: decide what a document should decide.

mod board;
mod called_from;
mod caller;
mod cursor;
mod gate;
mod headers;
mod idempotent;
mod problem;
mod published;
mod reference;
mod tokens;

pub use board::{ClauseStanding, PromiseBoard, RuleStanding, Tally, proof_path};
pub use called_from::CalledFrom;
pub use caller::{
    ApiCaller, BROWSER_COOKIE, DESK_COOKIE, MaybeSigned, SESSION_COOKIE, StaffSession, SubjectSession,
    UserCaller, cookie_of,
};
pub use cursor::Cursor;
pub use gate::only_when_open;
pub use headers::{PAGE_POLICY, secure};
pub use idempotent::{Idempotent, Once};
pub use problem::{Fault, Problem, RoomError, sentence};
pub use reference::{Reference, tag};
pub use tokens::{BadToken, Tokens, Vouched};

use crate::app::App;

/// What every handler is given.
#[derive(Clone, Debug)]
pub struct Edge {
    /// The service.
    pub app: App,
    /// Who vouches for users of apps.
    pub tokens: Tokens,
    /// Seals cursors and kept answers.
    pub cursors: Cursor,
}

impl Edge {
    /// Over an app.
    pub async fn new(app: App) -> Result<Self, crate::keystore::Error> {
        let tokens = Tokens::of(&app.config.tokens, &app.clock);
        let cursors = Cursor::new(app.keys.system("cursor").await?);
        Ok(Self { app, tokens, cursors })
    }

    /// Whether this is a development installation.
    pub fn development(&self) -> bool {
        self.app.config.server.development
    }
}
