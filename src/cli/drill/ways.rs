//! The ways in which a right can be used. One more way is one more variant, and everything is tried by it as well.

use anyhow::Context as _;
use axum::Router;
use axum::http::Method;
use chrono::TimeDelta;
use serde_json::json;

use super::town::{Person, TENANT, TRAINING, Town};
use super::visitor::{Reply, Visitor};
use crate::base::{PageSize, RequestId};
use crate::edge::Edge;
use crate::jobs::Jobs;
use crate::policy::Right;
use crate::requests::Request;
use crate::subjects::SignedIn;

/// What may be objected to in the document of the drill.
pub(super) const OBJECTABLE: &str = "security";

/// A way to file something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// On the pages of the privacy centre, signed in.
    Page,
    /// By somebody without a session, who proves by a link in a letter that it is they.
    Letter,
    /// By the API.
    Api,
}

impl Way {
    pub(super) const ALL: [Self; 3] = [Self::Page, Self::Letter, Self::Api];

    pub(super) fn in_words(self) -> &'static str {
        match self {
            Self::Page => "signed in, on a page",
            Self::Letter => "without a session, by a letter",
            Self::Api => "by the API",
        }
    }

    /// A browser that is let in for somebody, by the way's own proof.
    pub(super) async fn comes_in(
        self,
        town: &Town,
        routes: &Router,
        who: &Person,
    ) -> anyhow::Result<Visitor> {
        match self {
            Self::Page | Self::Api => session(town, routes, who).await,
            Self::Letter => by_letter(town, routes, who).await,
        }
    }

    /// Files a right for somebody, and gives the request.
    pub(super) async fn file(
        self,
        town: &Town,
        visitor: &mut Visitor,
        (who, right): (&Person, Right),
        new_name: &str,
    ) -> anyhow::Result<Request> {
        match self {
            Self::Page | Self::Letter => on_a_page(town, visitor, (who, right), new_name).await,
            Self::Api => by_api(town, visitor, (who, right), new_name).await,
        }
    }

    /// Fetches an archive.
    pub(super) async fn fetch(self, visitor: &mut Visitor, request: &Request) -> anyhow::Result<Reply> {
        match self {
            Self::Page | Self::Letter => {
                visitor.get(&format!("/{TENANT}/privacy/requests/{}/archive", request.reference)).await
            }
            Self::Api => {
                visitor.api(Method::GET, &format!("/v1/requests/{}/archive", request.id), None).await
            }
        }
    }
}

async fn session(town: &Town, routes: &Router, who: &Person) -> anyhow::Result<Visitor> {
    let subjects = &town.app.subjects;
    let link = subjects.direct_link(&SignedIn::Subject(who.owner.clone()), TimeDelta::minutes(1)).await?;
    let redeemed = subjects.redeem(&who.owner.tenant, link.token.expose(), None).await?;
    let name = Edge::new(town.app.clone()).await?.session_cookie();
    Ok(Visitor::new(routes).with_cookie(name, redeemed.cookie.expose()))
}

/// Asks for a link at the door, waits for the letter, and follows it.
async fn by_letter(town: &Town, routes: &Router, who: &Person) -> anyhow::Result<Visitor> {
    let mut visitor = Visitor::new(routes);
    let (door, address) = (format!("/{TENANT}/sign-in"), format!("{}@example.org", who.word));
    visitor.send(&door, &door, &[("email", &address), ("next", "/privacy")]).await?;
    // The queue writes it.
    while Jobs::new(town.app.clone()).work().await? > 0 {}
    let letters = town.app.post.sent();
    let letter = letters.iter().rev().find(|l| l.to == address).context("no letter came")?;
    let begins = letter.letter.text.find("/sign-in/confirm?").context("the letter has no link")?;
    let rest = letter.letter.text.get(begins..).unwrap_or_default();
    let path = format!("/{TENANT}{}", rest.split_whitespace().next().unwrap_or_default());
    let page = visitor.get(&path).await?;
    let token = page.between("name=\"token\" value=\"", "\"").context("the link opens no form")?;
    let action = page.between("<form method=\"post\" action=\"", "\"").context("the link opens no form")?;
    let entered = visitor.send(&path, &action, &[("token", &token)]).await?;
    anyhow::ensure!(entered.status.is_redirection(), "the link does not open: {}", entered.status);
    Ok(visitor)
}

async fn on_a_page(
    town: &Town,
    visitor: &mut Visitor,
    (who, right): (&Person, Right),
    new_name: &str,
) -> anyhow::Result<Request> {
    let ask = format!("/{TENANT}/privacy/ask/{right}");
    let details = format!("/{TENANT}/privacy/details");
    let erase = format!("/{TENANT}/privacy/erase");
    let email = format!("{}@example.org", who.word);
    let correction = [("name", new_name), ("username", new_name), ("email", email.as_str())];
    let reply = match right {
        Right::Access => visitor.send(&ask, &ask, &[("choice", "all")]).await?,
        Right::Portability => visitor.send(&ask, &ask, &[("choice", "portable")]).await?,
        Right::Rectification => visitor.send(&details, &details, &correction).await?,
        Right::Erasure => visitor.send(&erase, &erase, &[("sure", "yes"), ("when", "now")]).await?,
        Right::Restriction => visitor.send(&ask, &ask, &[]).await?,
        Right::Objection => visitor.send(&ask, &ask, &[("choice", OBJECTABLE)]).await?,
        Right::Withdrawal => visitor.send(&ask, &ask, &[("choice", TRAINING)]).await?,
    };
    anyhow::ensure!(reply.status.is_redirection(), "{right}: the page answers {}", reply.status);
    let mut parts = reply.leads_to().rsplit('/');
    let last = parts.next().unwrap_or_default();
    let requests = &town.app.requests;
    if right == Right::Erasure {
        return Ok(requests.find(&who.owner.tenant, last.parse()?).await?);
    }
    if let (true, Some(reference)) = (last == "filed", parts.next()) {
        return Ok(requests.by_reference(&who.owner.tenant, reference).await?);
    }
    let newest = requests.list(&who.owner, None, PageSize::default()).await?.items.into_iter().next();
    newest.with_context(|| format!("{right}: no request was filed"))
}

async fn by_api(
    town: &Town,
    visitor: &mut Visitor,
    (who, right): (&Person, Right),
    new_name: &str,
) -> anyhow::Result<Request> {
    let mut wish = json!({ "right": right.as_str() });
    let more = match right {
        Right::Rectification => {
            let email = format!("{}@example.org", who.word);
            Some(("correction", json!({ "email": email, "name": new_name, "username": new_name })))
        }
        Right::Erasure => Some(("at_once", json!(true))),
        Right::Objection => Some(("purpose", json!(OBJECTABLE))),
        Right::Withdrawal => Some(("purpose", json!(TRAINING))),
        Right::Access | Right::Portability | Right::Restriction => None,
    };
    if let (Some((name, value)), Some(wish)) = (more, wish.as_object_mut()) {
        wish.insert(name.to_owned(), value);
    }
    let told = visitor.api(Method::POST, "/v1/requests", Some(&wish)).await?.json()?;
    let id = told.get("id").and_then(|id| id.as_str()).with_context(|| format!("{right}: {told}"))?;
    let id: RequestId = id.parse()?;
    Ok(town.app.requests.find(&who.owner.tenant, id).await?)
}
