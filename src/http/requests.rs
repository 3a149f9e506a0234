//! Rights requests: filed, followed, taken back, answered.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use futures_util::FutureExt as _;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::{Listing, invalid, moment};
use super::ask::{self, Named, Paging, Query};
use super::elsewhere::{Elsewhere, recipient};
use crate::base::{RequestId, Secret};
use crate::edge::{Closing, Edge, Fault, Idempotent, Once, Problem, Shape, UserCaller};
use crate::policy::{Channel, Right};
use crate::requests::{self, Ask, Filing};
use crate::subjects::{Email, Profile, Scope};
use crate::vault::{Access, Actor};

pub(super) fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new()
        .routes(routes!(file, list))
        .routes(routes!(read))
        .routes(routes!(cancel))
        .routes(routes!(waive))
}

/// A request to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Wish {
    /// What is asked for: `access`, `portability`, `rectification`, `erasure`, `restriction`, `objection`, `withdrawal`.
    #[schema(value_type = String, example = "access")]
    right: Right,
    /// In the person's own words, at most 4,000 characters.
    text: Option<String>,
    /// Of an objection or a withdrawal: the purpose.
    #[schema(example = "analytics")]
    purpose: Option<String>,
    /// Of a restriction: `true` unless it is to be lifted.
    on: Option<bool>,
    /// Of an erasure: `true` to do without the time in which it can be taken back.
    at_once: Option<bool>,
    /// Of a rectification: what is right.
    correction: Option<Corrected>,
}

/// Account data as they should be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Corrected {
    /// The address.
    email: String,
    /// The name.
    name: String,
    /// What they are called in the app.
    username: String,
}

/// What is asked for. A field that belongs to another right is refused: nobody should think that it counted.
fn ask_of(wish: Wish) -> Result<(Ask, Option<String>), Fault> {
    let Wish { right, text, purpose, on, at_once, correction } = wish;
    let fits =
        |right_has: bool, given: bool, why| if given && !right_has { Err(invalid(why)) } else { Ok(()) };
    let has_purpose = matches!(right, Right::Objection | Right::Withdrawal);
    fits(has_purpose, purpose.is_some(), "purpose belongs to an objection or a withdrawal")?;
    fits(right == Right::Restriction, on.is_some(), "on belongs to a restriction")?;
    fits(right == Right::Erasure, at_once.is_some(), "at_once belongs to an erasure")?;
    fits(right == Right::Rectification, correction.is_some(), "correction belongs to a rectification")?;
    let named = || purpose.ok_or_else(|| invalid("say which purpose"));
    let ask = match right {
        Right::Access => Ask::Access,
        Right::Portability => Ask::Portability,
        Right::Rectification => {
            Ask::Rectification(correction.map(|Corrected { email, name, username }| Profile {
                email,
                name,
                username,
            }))
        }
        Right::Erasure => Ask::Erasure { at_once: at_once.unwrap_or(false) },
        Right::Restriction => Ask::Restriction { on: on.unwrap_or(true) },
        Right::Objection => Ask::Objection { purpose: named()? },
        Right::Withdrawal => Ask::Withdrawal { purpose: named()? },
    };
    Ok((ask, text))
}

/// A rights request.
#[derive(Serialize, ToSchema)]
pub(super) struct Request {
    /// Its id.
    id: String,
    /// The number to read out.
    #[schema(example = "PR-7KX2M-9QWMT")]
    reference: String,
    /// What is asked for.
    right: String,
    /// Of an objection or withdrawal the purpose; of a restriction `on` or `off`.
    #[serde(skip_serializing_if = "Option::is_none")]
    about: Option<String>,
    /// Where it stands: `received`, `acknowledged`, `identity-pending`, `grace`, `working`, `fulfilled`,
    /// `partly-fulfilled`, `refused`, `no-data`, `closed`, `withdrawn`.
    state: String,
    /// How it came in.
    channel: String,
    /// When it reached us.
    #[schema(format = DateTime)]
    received_at: String,
    /// By when the document promises an answer.
    #[schema(format = DateTime)]
    promised_by: String,
    /// By when the law wants one.
    #[schema(format = DateTime)]
    lawful_until: String,
    /// Until when an erasure can be taken back.
    #[schema(format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    grace_until: Option<String>,
    /// When it was answered.
    #[schema(format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    answered_at: Option<String>,
    /// When it was closed or taken back.
    #[schema(format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    closed_at: Option<String>,
    /// How it ended, in a word.
    #[serde(skip_serializing_if = "Option::is_none")]
    outcome: Option<String>,
    /// Why it is held up. It is tried again by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
    /// Its receipt, for `/v1/receipts/{id}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    receipt: Option<String>,
    /// The archive that answers it.
    #[serde(skip_serializing_if = "Option::is_none")]
    archive: Option<Ready>,
}

/// An archive that can be had.
#[derive(Serialize, ToSchema)]
struct Ready {
    /// Its length in bytes.
    bytes: u64,
    /// SHA-256 of its manifest.
    manifest_sha256: String,
    /// What was held at this moment is in it, as far as it still is.
    #[schema(format = DateTime)]
    made_at: String,
    /// Until when it can be had.
    #[schema(format = DateTime)]
    until: String,
}

pub(super) fn request(found: requests::Request) -> Request {
    Request {
        id: found.id.to_string(),
        right: found.right.as_str().to_owned(),
        state: found.state.as_str().to_owned(),
        channel: found.channel.as_str().to_owned(),
        received_at: moment(found.received_at),
        promised_by: moment(found.due.promise),
        lawful_until: moment(found.legal_due()),
        grace_until: found.grace_until.map(moment),
        answered_at: found.answered_at.map(moment),
        closed_at: found.closed_at.map(moment),
        receipt: found.receipt.map(|id| id.to_string()),
        archive: found.archive.map(|archive| Ready {
            bytes: archive.len,
            manifest_sha256: hex::encode(archive.sha256),
            made_at: moment(archive.made_at),
            until: moment(archive.until),
        }),
        reference: found.reference,
        about: found.about,
        outcome: found.outcome,
        problem: found.problem,
    }
}

/// A request, and what happened to it.
#[derive(Serialize, ToSchema)]
struct Told {
    /// The request.
    #[serde(flatten)]
    request: Request,
    /// What the person wrote.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    /// What happened, in order.
    timeline: Vec<Event>,
    /// Who else was told, and how it stands there (Art. 19 GDPR).
    recipients: Vec<Elsewhere>,
    /// Letters to the person: a refusal or an extension with its reasons.
    #[schema(value_type = Vec<Object>)]
    letters: Vec<serde_json::Map<String, serde_json::Value>>,
}

/// Something that happened to a request.
#[derive(Serialize, ToSchema)]
struct Event {
    /// When.
    #[schema(format = DateTime)]
    at: String,
    /// Who did it, by role.
    role: String,
    /// What.
    what: String,
    /// A word on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    /// The ledger entry that proves it.
    #[serde(skip_serializing_if = "Option::is_none")]
    entry: Option<String>,
}

fn event(event: requests::Event) -> Event {
    let requests::Event { at, role, kind, note, entry } = event;
    Event { at: moment(at), role, what: kind, note, entry }
}

/// File a request
///
/// It has its number and both dates at once; what can be done at once is. An app's key alone does not show that the
/// person asks: such a request waits until they have shown it in the privacy centre. A copy of the data, an erasure
/// and a corrected address need a proof of who asks that is less than an hour old; a new address counts once the link
/// in the letter to it was opened.
#[utoipa::path(post, path = "/v1/requests", tag = "requests", request_body = Wish,
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key gives the first answer again.")),
    security(("token" = []), ("app-key" = ["rights"], "subject" = []), ("session" = [])),
    responses((status = 201, description = "Filed; or the same one, if it was filed before and is open.", body = Request),
        (status = 401, description = "`step-up`: sign in again first.", body = Problem),
        (status = 422, description = "It cannot be done as it was asked.", body = Problem)))]
async fn file(
    State(edge): State<Edge>,
    caller: UserCaller,
    key: Idempotent,
    body: ask::Json<Wish>,
) -> Result<Response, Fault> {
    caller.allows(Scope::Rights)?;
    let (tenant, who) = (&caller.owner.tenant, caller.owner.subject.to_string());
    let once = Once { tenant, caller: &who, route: "POST /v1/requests", key: &key, body: &body.raw };
    let (ask, text) = ask_of(body.value)?;
    if caller.vouched() && takes_away(&edge, &caller, &ask).await? {
        caller.proved_lately(&edge)?;
    }
    let filing = Filing {
        ask,
        channel: Channel::Api,
        by: caller.actor.clone(),
        proved: caller.vouched(),
        words: text.map(Secret::new),
    };
    let (rights, owner) = (edge.app.requests.clone(), caller.owner.clone());
    let shape = Shape { status: StatusCode::CREATED, of: |filed: &requests::Request| request(filed.clone()) };
    // Filed again after a crash, it is the one that was filed, whatever has become of it.
    let work = move |closing: Closing<requests::Request>| {
        let id = closing.name().map(|(at, bits)| RequestId::of(at, &bits));
        async move { Ok(rights.file_once(&owner, filing, id).await?.request) }.boxed()
    };
    edge.once(once, shape, work).await
}

/// Whether somebody who found an open session could take data away with it, or keep their owner from them.
async fn takes_away(edge: &Edge, caller: &UserCaller, ask: &Ask) -> Result<bool, Fault> {
    Ok(match ask {
        Ask::Access | Ask::Portability | Ask::Erasure { .. } => true,
        Ask::Rectification(Some(new)) => is_another(edge, caller, &new.email).await?,
        _ => false,
    })
}

/// Whether an address is another than the caller's own.
pub(super) async fn is_another(edge: &Edge, caller: &UserCaller, email: &str) -> Result<bool, Fault> {
    // A restriction does not keep a correction back.
    let actor = Actor::Subject(caller.owner.subject);
    let access = Access { actor: &actor, purpose: requests::PURPOSE };
    let known = edge.app.subjects.profile(&caller.owner, &access).await?;
    let asked: Email = email.parse()?;
    Ok(known.email != asked.expose())
}

/// One's requests, newest first
#[utoipa::path(get, path = "/v1/requests", tag = "requests",
    params(("cursor" = Option<String>, Query), ("limit" = Option<u32>, Query, minimum = 1, maximum = 200)),
    security(("token" = []), ("app-key" = ["rights"], "subject" = []), ("session" = [])),
    responses((status = 200, description = "A page of requests.", body = Listing<Request>)))]
async fn list(
    State(edge): State<Edge>,
    caller: UserCaller,
    Query(paging): Query<Paging>,
) -> Result<Json<Listing<Request>>, Fault> {
    caller.allows(Scope::Rights)?;
    let list = caller.list("requests");
    let (before, size) = paging.of(&edge, &list)?;
    let page = edge.app.requests.list(&caller.owner, before.as_deref(), size).await?;
    Ok(Json(Listing::of(&edge, &list, page, request)))
}

/// A request, and what happened to it
#[utoipa::path(get, path = "/v1/requests/{id}", tag = "requests", params(("id" = String, Path)),
    security(("token" = []), ("app-key" = ["rights"], "subject" = []), ("session" = [])),
    responses((status = 200, description = "The request.", body = Told),
        (status = 404, description = "Not there, or not one's own.", body = Problem)))]
async fn read(
    State(edge): State<Edge>,
    caller: UserCaller,
    Named(id): Named<RequestId>,
) -> Result<Json<Told>, Fault> {
    caller.allows(Scope::Rights)?;
    let requests = &edge.app.requests;
    let found = requests.get(&caller.owner, id).await?;
    let timeline = requests.timeline(&caller.owner.tenant, id).await?;
    let told = edge.app.elsewhere.of_request(&caller.owner.tenant, id).await?;
    let said = requests.said(&found, &caller.actor).await?;
    Ok(Json(Told {
        request: request(found),
        text: said.words.map(|words| words.expose().clone()),
        timeline: timeline.into_iter().map(event).collect(),
        recipients: told.into_iter().map(recipient).collect(),
        letters: said.letters,
    }))
}

/// Take a request back
///
/// An erasure that has begun cannot be.
#[utoipa::path(post, path = "/v1/requests/{id}/cancel", tag = "requests", params(("id" = String, Path)),
    security(("token" = []), ("app-key" = ["rights"], "subject" = []), ("session" = [])),
    responses((status = 200, description = "Taken back.", body = Request),
        (status = 404, description = "Not there, or not one's own.", body = Problem),
        (status = 409, description = "It is too late.", body = Problem)))]
async fn cancel(
    State(edge): State<Edge>,
    caller: UserCaller,
    Named(id): Named<RequestId>,
) -> Result<Json<Request>, Fault> {
    caller.allows(Scope::Rights)?;
    Ok(Json(request(edge.app.requests.cancel(&caller.owner, id, &caller.actor).await?)))
}

/// Do without the time in which an erasure can be taken back
///
/// The erasure is done now. Needs the person's own session or token, and a proof of who they are that is less than an hour
/// old.
#[utoipa::path(post, path = "/v1/requests/{id}/waive", tag = "requests", params(("id" = String, Path)),
    security(("token" = []), ("session" = [])),
    responses((status = 200, description = "Being done, or done.", body = Request),
        (status = 401, description = "`step-up`: sign in again first.", body = Problem),
        (status = 404, description = "Not there, or not one's own.", body = Problem),
        (status = 409, description = "It has no such time.", body = Problem)))]
async fn waive(
    State(edge): State<Edge>,
    caller: UserCaller,
    Named(id): Named<RequestId>,
) -> Result<Json<Request>, Fault> {
    caller.proved_lately(&edge)?;
    Ok(Json(request(Box::pin(edge.app.requests.waive(&caller.owner, id)).await?)))
}
