//! Agents: who asks in another's name, with a mandate that the person confirms.

use axum::Json;
use axum::extract::{FromRequest as _, State};
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::{invalid, moment};
use super::ask::{self, Named};
use crate::base::{MandateId, Timestamp};
use crate::edge::{ApiCaller, Edge, Fault, Problem, UserCaller};
use crate::intake::{Mandate, Proposal, Wanted};
use crate::policy::Right;
use crate::requests::{Ask, Request};
use crate::subjects::Scope;

pub(super) fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new()
        .routes(routes!(propose))
        .routes(routes!(standing))
        .routes(routes!(ask_under))
        .routes(routes!(own))
        .routes(routes!(end))
}

/// What is asked for in the person's name.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct InTheirName {
    /// What is asked for: `access`, `portability`, `rectification`, `erasure`, `restriction`, `objection`, `withdrawal`.
    #[schema(value_type = String, example = "access")]
    right: Right,
    /// Of an objection or a withdrawal: the purpose.
    #[schema(example = "analytics")]
    purpose: Option<String>,
    /// What the agent writes, at most 4,000 characters.
    text: Option<String>,
}

impl InTheirName {
    fn wanted(self) -> Result<Wanted, Fault> {
        let Self { right, purpose, text } = self;
        if purpose.is_some() && !matches!(right, Right::Objection | Right::Withdrawal) {
            return Err(invalid("purpose belongs to an objection or a withdrawal"));
        }
        let ask = Ask::of(right, purpose.as_deref()).ok_or_else(|| invalid("say which purpose"))?;
        Ok(Wanted { ask, words: text.unwrap_or_default() })
    }
}

/// A mandate to be confirmed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Proposing {
    /// The address of the person in whose name the agent asks.
    #[schema(example = "ada@example.org")]
    email: String,
    /// Who the agent is, as the person is told.
    #[schema(example = "Rights for All")]
    agent: String,
    /// Where the agent can be written to.
    #[schema(example = "cases@agent.example")]
    contact: String,
    /// Which rights the mandate is for.
    #[schema(value_type = Vec<String>, example = json!(["access", "erasure"]))]
    rights: Vec<Right>,
    /// Until when it holds, at most a year.
    #[schema(format = DateTime, example = "2027-06-30T00:00:00Z")]
    until: String,
    /// Whether the agent wants to be told how requests stand. The person decides.
    tell_status: Option<bool>,
    /// What the agent asks for first.
    first: InTheirName,
}

impl Proposing {
    fn proposal(self) -> Result<Proposal, Fault> {
        let until = Timestamp::parse_rfc3339(&self.until);
        Ok(Proposal {
            person: self.email.parse()?,
            agent: self.agent,
            contact: self.contact.parse()?,
            rights: self.rights,
            until: until.ok_or_else(|| invalid("until is a time like 2027-06-30T00:00:00Z"))?,
            tells: self.tell_status.unwrap_or(false),
            wanted: self.first.wanted()?,
        })
    }
}

/// A mandate that was asked for. The same whether we know the person or not.
#[derive(Serialize, ToSchema)]
struct AskedFor {
    /// Its id.
    id: String,
    /// Until when the person can answer.
    #[schema(format = DateTime)]
    answer_until: String,
}

/// How a mandate stands.
#[derive(Serialize, ToSchema)]
struct Stands {
    /// `asked`, `not-confirmed`, `confirmed`, `ended`. Who said no, who did not answer and who is not known here look the
    /// same.
    state: String,
    /// Until when it holds.
    #[schema(format = DateTime)]
    until: String,
    /// The requests under it, if the person lets the agent be told. What they bring to light goes to the person alone.
    requests: Vec<ToldRequest>,
}

/// A request as an agent is told of it.
#[derive(Serialize, ToSchema)]
struct ToldRequest {
    /// The number to read out.
    reference: String,
    /// What is asked for.
    right: String,
    /// Where it stands.
    state: String,
    /// By when the document promises an answer.
    #[schema(format = DateTime)]
    promised_by: String,
}

fn told(request: Request) -> ToldRequest {
    ToldRequest {
        right: request.right.as_str().to_owned(),
        state: request.state.as_str().to_owned(),
        promised_by: moment(request.due.promise),
        reference: request.reference,
    }
}

/// A request that was filed under a mandate.
#[derive(Serialize, ToSchema)]
struct FiledUnder {
    /// The request, if the person lets the agent be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<ToldRequest>,
}

/// A mandate that one gave.
#[derive(Serialize, ToSchema)]
struct MandateGiven {
    /// Its id.
    id: String,
    /// Who acts.
    agent: String,
    /// Where they can be written to.
    contact: String,
    /// For which rights.
    rights: Vec<String>,
    /// Until when.
    #[schema(format = DateTime)]
    until: String,
    /// Whether the agent is told how requests stand.
    tells_status: bool,
    /// Whether it holds now.
    holds: bool,
    /// When it ended before its day.
    #[schema(format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<String>,
}

fn given(mandate: Mandate) -> MandateGiven {
    MandateGiven {
        id: mandate.id.to_string(),
        agent: mandate.agent,
        contact: mandate.contact,
        rights: mandate.rights.iter().map(|r| r.as_str().to_owned()).collect(),
        until: moment(mandate.until),
        tells_status: mandate.tells,
        holds: mandate.holds,
        ended_at: mandate.ended_at.map(moment),
    }
}

/// The mandates that one gave.
#[derive(Serialize, ToSchema)]
struct MandatesGiven {
    /// Newest first.
    items: Vec<MandateGiven>,
}

/// Ask to act for somebody
///
/// The person is asked by letter, if they are known here; until they say yes nothing happens, and nothing about them follows
/// from the answer.
#[utoipa::path(post, path = "/v1/mandates", tag = "mandates", request_body = Proposing,
    security(("app-key" = ["agents"])),
    responses((status = 202, description = "Asked, if there is anybody to ask.", body = AskedFor),
        (status = 422, description = "It cannot be asked like this.", body = Problem),
        (status = 429, description = "Enough was asked of this address today.", body = Problem)))]
async fn propose(
    State(edge): State<Edge>,
    caller: ApiCaller,
    body: ask::Json<Proposing>,
) -> Result<(StatusCode, Json<AskedFor>), Fault> {
    caller.allows(Scope::Agents)?;
    let proposal = body.value.proposal()?;
    let asked = edge.app.intake.propose(&caller.key.tenant, Some(&caller.key.id), proposal).await?;
    let answer_until = moment(asked.answer_until);
    Ok((StatusCode::ACCEPTED, Json(AskedFor { id: asked.id.to_string(), answer_until })))
}

/// How a mandate stands
#[utoipa::path(get, path = "/v1/mandates/{id}", tag = "mandates", params(("id" = String, Path)),
    security(("app-key" = ["agents"])),
    responses((status = 200, description = "How it stands.", body = Stands),
        (status = 404, description = "Not there, or asked for with another key.", body = Problem)))]
async fn standing(
    State(edge): State<Edge>,
    caller: ApiCaller,
    Named(id): Named<MandateId>,
) -> Result<Json<Stands>, Fault> {
    caller.allows(Scope::Agents)?;
    let found = edge.app.intake.standing(&caller.key.tenant, &caller.key.id, id).await?;
    Ok(Json(Stands {
        state: found.state.to_owned(),
        until: moment(found.until),
        requests: found.requests.into_iter().map(told).collect(),
    }))
}

/// Ask for something under a mandate
///
/// Filed in the person's name. What it brings to light goes to the person alone.
#[utoipa::path(post, path = "/v1/mandates/{id}/requests", tag = "mandates", params(("id" = String, Path)),
    request_body = InTheirName, security(("app-key" = ["agents"])),
    responses((status = 202, description = "Filed.", body = FiledUnder),
        (status = 404, description = "Not there, or asked for with another key.", body = Problem),
        (status = 409, description = "The mandate was not confirmed, or is over.", body = Problem),
        (status = 422, description = "The mandate is not for this.", body = Problem)))]
async fn ask_under(
    State(edge): State<Edge>,
    caller: ApiCaller,
    Named(id): Named<MandateId>,
    request: axum::extract::Request,
) -> Result<(StatusCode, Json<FiledUnder>), Fault> {
    caller.allows(Scope::Agents)?;
    let (tenant, key) = (&caller.key.tenant, &caller.key.id);
    // What is not there, or another's, is that whatever was sent with it.
    edge.app.intake.standing(tenant, key, id).await?;
    let body = ask::Json::<InTheirName>::from_request(request, &edge).await?;
    let filed = edge.app.intake.ask_under(tenant, key, id, body.value.wanted()?).await?;
    Ok((StatusCode::ACCEPTED, Json(FiledUnder { request: filed.request.map(told) })))
}

/// Who acts for one
#[utoipa::path(get, path = "/v1/account/mandates", tag = "mandates",
    security(("token" = []), ("session" = [])),
    responses((status = 200, description = "The mandates that one gave.", body = MandatesGiven)))]
async fn own(State(edge): State<Edge>, caller: UserCaller) -> Result<Json<MandatesGiven>, Fault> {
    caller.in_person()?;
    let all = edge.app.intake.mandates(&caller.owner, &caller.actor).await?;
    Ok(Json(MandatesGiven { items: all.into_iter().map(given).collect() }))
}

/// End a mandate
///
/// From this second nothing is filed under it.
#[utoipa::path(post, path = "/v1/account/mandates/{id}/end", tag = "mandates", params(("id" = String, Path)),
    security(("token" = []), ("session" = [])),
    responses((status = 204, description = "Ended."),
        (status = 404, description = "Not there, or not one's own, or over.", body = Problem)))]
async fn end(
    State(edge): State<Edge>,
    caller: UserCaller,
    Named(id): Named<MandateId>,
) -> Result<StatusCode, Fault> {
    caller.in_person()?;
    edge.app.intake.end_mandate(&caller.owner, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
