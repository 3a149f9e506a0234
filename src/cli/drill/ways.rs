//! The ways in which a right can be used. One more way is one more variant, and everything is tried by it as well.

use anyhow::Context as _;
use axum::http::Method;
use chrono::TimeDelta;

use super::case::{Case, Filed, OBJECTABLE};
use super::claims::Claims;
use super::town::{TENANT, TRAINING};
use super::visitor::{Reply, Visitor};
use super::{between, post, protocol};
use crate::base::RequestId;
use crate::drp;
use crate::edge::Edge;
use crate::jobs::Jobs;
use crate::policy::{Channel, Right, RightRule};
use crate::requests::Request;
use crate::subjects::SignedIn;

/// A way to file something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// On the pages of the privacy centre, signed in.
    Page,
    /// By somebody without a session, who proves by a link in a letter that it is they.
    Letter,
    /// By the API.
    Api,
    /// By an app with its key, for somebody who then says that it is they who ask.
    App,
    /// By an e-mail to the address of the document, as a mail system hands it over.
    Mail,
    /// By an agent without a key, on the page for agents: the first thing under a mandate.
    Form,
    /// By an agent with a key: the first thing under a mandate.
    Mandate,
    /// By an agent with a key, under a mandate that holds already.
    Under,
    /// By an agent that speaks the Data Rights Protocol.
    Protocol,
}

impl Way {
    pub(super) const ALL: [Self; 9] = [
        Self::Page,
        Self::Letter,
        Self::Api,
        Self::App,
        Self::Mail,
        Self::Form,
        Self::Mandate,
        Self::Under,
        Self::Protocol,
    ];

    pub(super) fn in_words(self) -> &'static str {
        match self {
            Self::Page => "signed in, on a page",
            Self::Letter => "without a session, by a letter",
            Self::Api => "by the API",
            Self::App => "by an app, confirmed signed in",
            Self::Mail => "by e-mail, confirmed by a link",
            Self::Form => "by an agent, on a page",
            Self::Mandate => "by an agent, with a key",
            Self::Under => "by an agent, under a mandate",
            Self::Protocol => "by an agent, over DRP 1.0",
        }
    }

    /// Whether a right can be used so: by the channels that the document names, and by what the protocol of agents knows.
    /// Under a mandate an agent asks for whatever the document offers.
    pub(super) fn is_for(self, rule: &RightRule) -> bool {
        match self {
            Self::Page | Self::Letter => rule.how.contains(&Channel::Page),
            Self::Api | Self::App => rule.how.contains(&Channel::Api),
            Self::Mail => rule.how.contains(&Channel::Email),
            Self::Form | Self::Mandate | Self::Under => true,
            Self::Protocol => drp::exercise_of(rule.right).is_some(),
        }
    }

    /// A browser of the person: let in by the way's own proof where they have to be signed in, else anybody's.
    pub(super) async fn comes_in(self, case: &Case<'_>) -> anyhow::Result<Visitor> {
        match self {
            Self::Page | Self::Api => session(case).await,
            Self::Letter | Self::App | Self::Protocol => by_letter(case).await,
            Self::Mail | Self::Form | Self::Mandate | Self::Under => Ok(Visitor::new(case.routes)),
        }
    }

    /// Files what the case is about.
    pub(super) async fn file(
        self,
        case: &Case<'_>,
        visitor: &mut Visitor,
        claims: &mut Claims,
    ) -> anyhow::Result<Filed> {
        match self {
            Self::Page | Self::Letter => on_a_page(case, visitor).await.map(Filed::alone),
            Self::Api => by_api(case, visitor).await.map(Filed::alone),
            Self::App => between::by_app(case, visitor, claims).await,
            Self::Mail => post::by_mail(case, visitor, claims).await.map(Filed::alone),
            Self::Form => between::by_form(case, visitor, claims).await.map(Filed::alone),
            Self::Mandate => between::by_key(case, visitor, false, claims).await,
            Self::Under => between::by_key(case, visitor, true, claims).await,
            Self::Protocol => protocol::by_protocol(case, visitor, claims).await,
        }
    }

    /// Fetches an archive: the person, whoever asked.
    pub(super) async fn fetch(
        self,
        case: &Case<'_>,
        visitor: &mut Visitor,
        request: &Request,
    ) -> anyhow::Result<Reply> {
        let page = format!("/{TENANT}/privacy/requests/{}/archive", request.reference);
        match self {
            Self::Page | Self::Letter | Self::App | Self::Protocol => visitor.get(&page).await,
            Self::Api => {
                visitor.api(Method::GET, &format!("/v1/requests/{}/archive", request.id), None).await
            }
            Self::Mail | Self::Form | Self::Mandate | Self::Under => by_letter(case).await?.get(&page).await,
        }
    }
}

async fn session(case: &Case<'_>) -> anyhow::Result<Visitor> {
    let subjects = &case.app().subjects;
    let whose = SignedIn::Subject(case.who.owner.clone());
    let link = subjects.direct_link(&whose, TimeDelta::minutes(1)).await?;
    let redeemed = subjects.redeem(case.tenant(), link.token.expose(), None).await?;
    let name = Edge::new(case.app().clone()).await?.session_cookie();
    Ok(Visitor::new(case.routes).with_cookie(name, redeemed.cookie.expose()))
}

/// Asks for a link at the door, waits for the letter, and follows it.
async fn by_letter(case: &Case<'_>) -> anyhow::Result<Visitor> {
    let mut visitor = Visitor::new(case.routes);
    let (door, address) = (format!("/{TENANT}/sign-in"), case.email());
    visitor.send(&door, &door, &[("email", &address), ("next", "/privacy")]).await?;
    // The queue writes it.
    while Jobs::new(case.app().clone()).work().await? > 0 {}
    let path = case.link("/sign-in/confirm?")?;
    let page = visitor.get(&path).await?;
    let token = page.between("name=\"token\" value=\"", "\"").context("the link opens no form")?;
    let action = page.between("<form method=\"post\" action=\"", "\"").context("the link opens no form")?;
    let entered = visitor.send(&path, &action, &[("token", &token)]).await?;
    anyhow::ensure!(entered.status.is_redirection(), "the link does not open: {}", entered.status);
    Ok(visitor)
}

async fn on_a_page(case: &Case<'_>, visitor: &mut Visitor) -> anyhow::Result<Request> {
    let right = case.right;
    let ask = format!("/{TENANT}/privacy/ask/{right}");
    let details = format!("/{TENANT}/privacy/details");
    let erase = format!("/{TENANT}/privacy/erase");
    let (email, name) = (case.email(), case.new_name());
    let correction = [("name", name.as_str()), ("username", name.as_str()), ("email", email.as_str())];
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
    if right == Right::Erasure {
        return case.found(last.parse()?).await;
    }
    if let (true, Some(reference)) = (last == "filed", parts.next()) {
        return case.numbered(reference).await;
    }
    case.newest().await
}

async fn by_api(case: &Case<'_>, visitor: &mut Visitor) -> anyhow::Result<Request> {
    let told = visitor.api(Method::POST, "/v1/requests", Some(&case.wish())).await?.json()?;
    let id = told.get("id").and_then(|id| id.as_str()).with_context(|| format!("{}: {told}", case.right))?;
    let id: RequestId = id.parse()?;
    case.found(id).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Policy;

    #[test]
    fn a_way_is_there_for_a_right_when_the_document_and_the_protocol_have_it() {
        let document = include_str!("../../../policies/flux-kontext/2026-11-01.md");
        let policy = Policy::compile(document).unwrap();
        for rule in policy.rights() {
            let known = matches!(rule.right, Right::Access | Right::Erasure);
            let there = Way::ALL.into_iter().filter(|way| way.is_for(rule)).count();
            assert_eq!(there, if known { 9 } else { 8 }, "{}", rule.right);
            let by_mail = RightRule { how: vec![Channel::Email], ..rule.clone() };
            for way in [Way::Page, Way::Letter, Way::Api, Way::App] {
                assert!(!way.is_for(&by_mail), "{way:?}");
            }
            assert!(Way::Mail.is_for(&by_mail));
            assert!(!Way::Mail.is_for(&RightRule { how: vec![Channel::Page], ..rule.clone() }));
        }
    }
}
