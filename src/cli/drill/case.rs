//! Somebody who uses one right, and what each way to use it asks of them.

use anyhow::Context as _;
use axum::Router;
use serde_json::{Value, json};

use super::between::Between;
use super::town::{Person, TENANT, TRAINING, Town};
use crate::app::App;
use crate::base::{PageSize, RequestId, TenantId};
use crate::jobs::Jobs;
use crate::policy::Right;
use crate::requests::{Request, State};

/// What may be objected to in the document of the drill.
pub(super) const OBJECTABLE: &str = "security";

/// Somebody who came to use one right.
#[derive(Clone, Copy)]
pub(super) struct Case<'a> {
    pub(super) town: &'a Town,
    pub(super) routes: &'a Router,
    pub(super) who: &'a Person,
    pub(super) right: Right,
}

/// What was filed.
pub(super) struct Filed {
    pub(super) request: Request,
    /// Who asked for them, if that one hears of it.
    pub(super) between: Option<Between>,
}

impl Filed {
    /// By somebody who hears no more of it, or by the person.
    pub(super) fn alone(request: Request) -> Self {
        Self { request, between: None }
    }
}

impl Case<'_> {
    pub(super) fn app(&self) -> &App {
        &self.town.app
    }

    pub(super) fn tenant(&self) -> &TenantId {
        &self.who.owner.tenant
    }

    pub(super) fn email(&self) -> String {
        format!("{}@example.org", self.who.word)
    }

    /// What they are called once that is corrected.
    pub(super) fn new_name(&self) -> String {
        format!("mended{}", self.who.word)
    }

    /// The purpose that the right is used about, where it needs one.
    pub(super) fn purpose(&self) -> Option<&'static str> {
        match self.right {
            Right::Objection => Some(OBJECTABLE),
            Right::Withdrawal => Some(TRAINING),
            _ => None,
        }
    }

    /// The wish as the choices of a page have it.
    pub(super) fn choice(&self) -> String {
        let right = self.right;
        self.purpose().map_or_else(|| right.to_string(), |purpose| format!("{right}:{purpose}"))
    }

    /// The wish as somebody writes it who knows no form.
    pub(super) fn words(&self) -> String {
        match self.right {
            Right::Access => "Please send me a copy of my data.".to_owned(),
            Right::Portability => "Please give me my data in a machine-readable form.".to_owned(),
            Right::Rectification => {
                format!("My name is spelt wrongly. Please correct my name to {}.", self.new_name())
            }
            Right::Erasure => format!("Please delete my account. I am {}.", self.who.word),
            Right::Restriction => "Please restrict the use of my data.".to_owned(),
            Right::Objection => format!("I object to the use of my data for {OBJECTABLE}."),
            Right::Withdrawal => format!("I withdraw my consent to {TRAINING}."),
        }
    }

    /// The wish as the API takes it from the person, or from an app for them.
    pub(super) fn wish(&self) -> Value {
        let right = self.right.as_str();
        match self.right {
            Right::Rectification => {
                let name = self.new_name();
                let correction = json!({ "email": self.email(), "name": name, "username": name });
                json!({ "right": right, "correction": correction })
            }
            Right::Erasure => json!({ "right": right, "at_once": true }),
            Right::Objection | Right::Withdrawal => json!({ "right": right, "purpose": self.purpose() }),
            Right::Access | Right::Portability | Right::Restriction => json!({ "right": right }),
        }
    }

    /// Everything happens that is due.
    pub(super) async fn settle(&self) -> anyhow::Result<()> {
        Ok(Jobs::new(self.app().clone()).settle().await?)
    }

    /// Where the link leads in the newest letter to them that has one to `part`.
    pub(super) fn link(&self, part: &str) -> anyhow::Result<String> {
        let (address, begins) = (self.email(), format!("/{TENANT}{part}"));
        let letters = self.app().post.sent();
        let mut theirs = letters.iter().rev().filter(|l| l.to == address);
        let link = theirs.find_map(|l| path_in(&l.letter.text, &begins));
        link.with_context(|| format!("no letter came with a link to {part}"))
    }

    /// A request as it stands.
    pub(super) async fn found(&self, id: RequestId) -> anyhow::Result<Request> {
        Ok(self.app().requests.find(self.tenant(), id).await?)
    }

    /// The request that has a number.
    pub(super) async fn numbered(&self, reference: &str) -> anyhow::Result<Request> {
        Ok(self.app().requests.by_reference(self.tenant(), reference).await?)
    }

    /// Their newest request, which must be for this right.
    pub(super) async fn newest(&self) -> anyhow::Result<Request> {
        let all = self.requests().await?;
        let newest = all.into_iter().next().filter(|request| request.right == self.right);
        newest.with_context(|| format!("{}: no request was filed", self.right))
    }

    async fn requests(&self) -> anyhow::Result<Vec<Request>> {
        Ok(self.app().requests.list(&self.who.owner, None, PageSize::default()).await?.items)
    }

    /// Whether nothing was done yet, after everything has happened that is due: what they have is there, and no request of
    /// theirs is on its way.
    pub(super) async fn untouched(&self) -> anyhow::Result<bool> {
        self.settle().await?;
        let waits = self.requests().await?.iter().all(|r| r.state == State::IdentityPending);
        let picture = self.who.pictures.first().context("no picture")?;
        Ok(waits && self.town.read(&self.who.owner, picture.id).await.is_ok())
    }
}

/// The path in a text that begins so, up to the next space.
pub(super) fn path_in(text: &str, begins: &str) -> Option<String> {
    let rest = text.get(text.find(begins)?..)?;
    rest.split_whitespace().next().map(ToOwned::to_owned)
}
