//! Those who ask for somebody else: an app with its key, and agents with a mandate that the person confirms.

use anyhow::Context as _;
use axum::body::Body;
use axum::http::{Method, StatusCode};
use chrono::TimeDelta;
use serde_json::{Value, json};

use super::case::{Case, Filed, path_in};
use super::claims::Claims;
use super::town::TENANT;
use super::visitor::{Reply, Visitor};
use crate::base::RequestId;
use crate::policy::Right;
use crate::requests::Request;
use crate::subjects::Scope;

pub(super) const ALONE: &str = "the word of an app, an agent or a letter alone releases and changes nothing";

/// Who the agent is, as people are told.
const AGENT: &str = "Rights for All";
/// Where the agent can be written to. Nobody but the person gets a letter.
pub(super) const CONTACT: &str = "cases@agent.example";

/// Somebody who asked for another, and has a token to hear of it by.
pub(super) struct Between {
    bearer: String,
    hears: Hears,
}

/// Where they hear of it.
pub(super) enum Hears {
    /// Among the requests of the person.
    List,
    /// At the mandate with this id.
    Mandate(String),
    /// At what they asked for by the protocol, with this id.
    Protocol(String),
}

impl Between {
    pub(super) fn holding(token: &str, hears: Hears) -> Self {
        Self { bearer: format!("Bearer {token}"), hears }
    }

    async fn with_key(case: &Case<'_>, scope: Scope) -> anyhow::Result<Self> {
        let minted = case.app().subjects.mint_api_key(case.tenant(), "for others", &[scope], None).await?;
        Ok(Self::holding(minted.text.expose(), Hears::List))
    }

    async fn get(&self, case: &Case<'_>, path: &str, accept: &str) -> anyhow::Result<Reply> {
        let subject = case.who.owner.subject.to_string();
        let dress = [
            ("authorization", self.bearer.as_str()),
            ("vouchsafe-subject", subject.as_str()),
            ("accept", accept),
        ];
        Visitor::new(case.routes).call(Method::GET, path, &dress, Body::empty()).await
    }

    async fn look_up(&self, case: &Case<'_>, path: &str) -> anyhow::Result<Reply> {
        self.get(case, path, "application/json").await
    }

    async fn post(&self, case: &Case<'_>, path: &str, body: &Value) -> anyhow::Result<Reply> {
        let subject = case.who.owner.subject.to_string();
        let dress = [
            ("authorization", self.bearer.as_str()),
            ("vouchsafe-subject", subject.as_str()),
            ("content-type", "application/json"),
        ];
        Visitor::new(case.routes).call(Method::POST, path, &dress, Body::from(body.to_string())).await
    }

    /// Whether they are told how it stands, and are given nothing of what it brings to light.
    pub(super) async fn only_hears(&self, case: &Case<'_>, request: &Request) -> anyhow::Result<bool> {
        let archive = format!("/v1/requests/{}/archive", request.id);
        let given = self.look_up(case, &archive).await?.status.is_success();
        let erased = case.right == Right::Erasure;
        let told = match &self.hears {
            Hears::List => {
                let told = self.look_up(case, "/v1/requests").await?;
                // Of somebody who is gone there is nobody to call for.
                if erased { told.status.is_client_error() } else { closed(&told.json()?, "items", request) }
            }
            Hears::Mandate(id) => {
                let told = self.look_up(case, &format!("/v1/mandates/{id}")).await?.json()?;
                if erased { says(&told, "state", "ended") } else { closed(&told, "requests", request) }
            }
            Hears::Protocol(id) => {
                let path = format!("/drp/{TENANT}/v1/data-rights-request/{id}");
                let told = self.look_up(case, &path).await?.json()?;
                let results = path_in(text(&told, "results_url")?, &format!("/{TENANT}/"));
                let results = results.context("the results do not lie with us")?;
                let opens = self.get(case, &results, "text/html").await?.status.is_success();
                // The page of an erasure names nobody, so it opens for everybody.
                says(&told, "status", "fulfilled") && opens == erased
            }
        };
        Ok(told && !given)
    }
}

fn says(told: &Value, field: &str, word: &str) -> bool {
    told.get(field).and_then(Value::as_str) == Some(word)
}

/// Whether a request stands in a list of an answer, and as closed.
fn closed(told: &Value, list: &str, request: &Request) -> bool {
    let all = told.get(list).and_then(Value::as_array).into_iter().flatten();
    let mut this = all.filter(|one| says(one, "reference", &request.reference));
    this.any(|one| says(one, "state", "closed"))
}

/// A text that an answer must have.
pub(super) fn text<'v>(told: &'v Value, field: &str) -> anyhow::Result<&'v str> {
    told.get(field).and_then(Value::as_str).with_context(|| format!("no {field}: {told}"))
}

/// An app files it for somebody who has not said that it is they; then they do, signed in.
pub(super) async fn by_app(
    case: &Case<'_>,
    visitor: &mut Visitor,
    claims: &mut Claims,
) -> anyhow::Result<Filed> {
    let app = Between::with_key(case, Scope::Rights).await?;
    let told = app.post(case, "/v1/requests", &case.wish()).await?.json()?;
    let (id, reference): (RequestId, _) = (text(&told, "id")?.parse()?, text(&told, "reference")?);
    let given = app.look_up(case, &format!("/v1/requests/{id}/archive")).await?.status.is_success();
    let waits = says(&told, "state", "identity-pending") && !given && case.untouched().await?;
    claims.look(ALONE, waits, || format!("{}, by an app: {told}", case.right));
    let page = format!("/{TENANT}/privacy/requests/{reference}");
    let said = visitor.send(&page, &format!("{page}/confirm"), &[]).await?;
    anyhow::ensure!(said.status.is_redirection(), "a yes is not taken: {}", said.status);
    Ok(Filed { request: case.found(id).await?, between: Some(app) })
}

/// An agent fills in the page for agents, and the person says yes.
pub(super) async fn by_form(
    case: &Case<'_>,
    browser: &mut Visitor,
    claims: &mut Claims,
) -> anyhow::Result<Request> {
    let page = format!("/{TENANT}/agents");
    let day = case.app().clock.now().plus(TimeDelta::days(30)).to_utc().date_naive().to_string();
    let (person, choice, words) = (case.email(), case.choice(), case.words());
    let fields = [
        ("agent", AGENT),
        ("contact", CONTACT),
        ("person", person.as_str()),
        ("rights", case.right.as_str()),
        ("until", day.as_str()),
        ("choice", choice.as_str()),
        ("text", words.as_str()),
    ];
    let asked = Visitor::new(case.routes).send(&page, &page, &fields).await?;
    anyhow::ensure!(asked.status == StatusCode::ACCEPTED, "the page for agents answers {}", asked.status);
    claims.look(ALONE, case.untouched().await?, || format!("{}, by an agent on a page", case.right));
    mandate_given(case, browser).await?;
    case.newest().await
}

/// An agent asks by the API, and the person says yes: to this, or to something else under the same mandate before it.
pub(super) async fn by_key(
    case: &Case<'_>,
    browser: &mut Visitor,
    holds_already: bool,
    claims: &mut Claims,
) -> anyhow::Result<Filed> {
    let mut agent = Between::with_key(case, Scope::Agents).await?;
    let wish = json!({ "right": case.right.as_str(), "purpose": case.purpose(), "text": case.words() });
    let mut rights = vec![case.right];
    let first = if holds_already {
        rights.extend(Some(Right::Access).filter(|access| *access != case.right));
        json!({ "right": Right::Access.as_str() })
    } else {
        wish.clone()
    };
    let rights: Vec<&str> = rights.into_iter().map(Right::as_str).collect();
    let until = case.app().clock.now().plus(TimeDelta::days(30)).rfc3339();
    let proposal = json!({
        "email": case.email(), "agent": AGENT, "contact": CONTACT, "rights": rights, "until": until,
        "tell_status": true, "first": first,
    });
    let asked = agent.post(case, "/v1/mandates", &proposal).await?.json()?;
    let id = text(&asked, "id")?.to_owned();
    claims.look(ALONE, case.untouched().await?, || format!("{}, by an agent with a key", case.right));
    mandate_given(case, browser).await?;
    let mandate = format!("/v1/mandates/{id}");
    agent.hears = Hears::Mandate(id);
    let request = if holds_already {
        // What was asked for first is over by then: the same once more is another request.
        case.settle().await?;
        let told = agent.post(case, &format!("{mandate}/requests"), &wish).await?.json()?;
        let told = told.get("request").with_context(|| format!("the agent is not told: {told}"))?;
        case.numbered(text(told, "reference")?).await?
    } else {
        let told = agent.look_up(case, &mandate).await?.json()?;
        let first = told.pointer("/requests/0").with_context(|| format!("the agent is not told: {told}"))?;
        case.numbered(text(first, "reference")?).await?
    };
    Ok(Filed { request, between: Some(agent) })
}

/// The person opens the link in the letter about a mandate, and says yes.
async fn mandate_given(case: &Case<'_>, browser: &mut Visitor) -> anyhow::Result<()> {
    let link = case.link("/mandates/confirm?")?;
    let page = browser.get(&link).await?;
    let token = page.between("name=\"token\" value=\"", "\"").context("the link opens no form")?;
    let fields = [("token", token.as_str()), ("tells", "yes")];
    let said = browser.send(&link, &format!("/{TENANT}/mandates/confirm"), &fields).await?;
    anyhow::ensure!(said.status.is_success(), "a yes is not taken: {}", said.status);
    Ok(())
}
