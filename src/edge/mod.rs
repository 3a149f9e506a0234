//! The edge: who is calling, what they may send, and how an error is told.
//!
//! Promises: a route that does not say who may call it does not compile into the router; nobody learns from an error
//! what they may not know; no cookie but the session's own and that of a language somebody chose; every answer carries the headers that keep a browser honest.
//! Must never: decide what a document should decide.

mod board;
mod broken;
mod called_from;
mod caller;
mod cursor;
mod gate;
mod headers;
mod idempotent;
mod oidc;
mod oidc_call;
mod problem;
mod published;
mod reference;
mod staff;
mod staff_letter;
mod tokens;

pub use crate::store::idempotency::Closing;
pub use board::{ClauseStanding, PromiseBoard, RuleStanding, Tally, proof_path};
pub use broken::watched;
pub use called_from::CalledFrom;
pub use caller::{
    AWAY_COOKIE, ApiCaller, BROWSER_COOKIE, DESK_COOKIE, MaybeSigned, SESSION_COOKIE, SubjectSession,
    UserCaller, cookie_of,
};
pub use cursor::Cursor;
pub use gate::only_when_open;
pub use headers::{PAGE_POLICY, secure};
pub use idempotent::{Idempotent, Once, Shape};
pub use oidc::{AWAY, NotVouched, StaffProvider, VouchedStaff, WayThere};
pub use problem::{Fault, Problem, RoomError, sentence};
pub use reference::{Reference, tag};
pub use staff::{StaffAtDoor, StaffSession};
pub use staff_letter::{WhatOfFactor, tell_of_factor};
pub use tokens::{BadToken, Tokens, Vouched};

use tokio_util::task::TaskTracker;

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
    /// Who vouches for staff, besides their mailbox.
    pub provider: Option<StaffProvider>,
    /// Calls that are brought to their end though their caller may be gone.
    running: TaskTracker,
}

impl Edge {
    /// Over an app.
    pub async fn new(app: App) -> Result<Self, crate::keystore::Error> {
        let tokens = Tokens::of(&app.config.tokens, &app.clock);
        let cursors = Cursor::new(app.keys.system("cursor").await?);
        let provider = match &app.config.staff.oidc {
            Some(settings) => {
                let provider = StaffProvider::of(settings, &app.clock, app.keys.system("oidc").await?);
                if provider.is_none() {
                    tracing::error!("the staff's identity provider cannot be used as it is set up");
                }
                provider
            }
            None => None,
        };
        Ok(Self { app, tokens, cursors, provider, running: TaskTracker::new() })
    }

    /// Whether staff must prove themselves by a second factor.
    pub fn second_factor(&self) -> bool {
        self.app.config.second_factor_required()
    }

    /// Whether this is a development installation.
    pub fn development(&self) -> bool {
        self.app.config.server.development
    }
}
