//! The endpoints of the Data Rights Protocol 1.0, for agents of people. They answer in the protocol's own form, but for an
//! agent that asks too much: of that the protocol says nothing, and it is told as every other caller is.

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::{Json, routing};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::base::TenantId;
use crate::drp::{Agent, Error, MOST_MESSAGE, Status};
use crate::edge::{Edge, Fault, Problem};

pub(super) fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new()
        .routes(routes!(pair, paired))
        .routes(routes!(exercise))
        .routes(routes!(status, revoke))
        // The protocol writes the same address with a slash behind it, too.
        .route("/drp/{tenant}/v1/data-rights-request/", routing::post(exercise))
        .layer(DefaultBodyLimit::max(MOST_MESSAGE))
}

/// A pairing: the token is shown this once.
#[derive(Serialize, ToSchema)]
struct AgentPaired {
    /// The agent.
    #[serde(rename = "agent-id")]
    agent_id: String,
    /// What its calls are sent with, until it pairs anew.
    token: String,
}

/// How something stands that an agent asked for (Data Rights Protocol 1.0, 3.03).
#[derive(Serialize, ToSchema)]
struct AgentRequest {
    /// Its id.
    request_id: String,
    /// What the agent calls it.
    #[serde(rename = "agent_request_id", skip_serializing_if = "Option::is_none")]
    called: Option<String>,
    /// `in_progress`, `fulfilled`, `revoked`, `denied`, `expired`.
    status: &'static str,
    /// Why: `need_user_verification`, `claim_not_covered`, and so on.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    /// When it came.
    #[schema(format = DateTime)]
    received_at: String,
    /// By when there is an answer.
    #[schema(format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    expected_by: Option<String>,
    /// A sentence on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    processing_details: Option<&'static str>,
    /// Where the person confirms it. The same for an address that nobody has.
    #[serde(skip_serializing_if = "Option::is_none")]
    user_verification_url: Option<String>,
    /// Until when they can, or the result can be had.
    #[schema(format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
    /// Where the person, and nobody else, finds the result.
    #[serde(skip_serializing_if = "Option::is_none")]
    results_url: Option<String>,
}

impl From<Status> for AgentRequest {
    fn from(status: Status) -> Self {
        Self {
            request_id: status.request_id,
            called: status.agent_request_id,
            status: status.status,
            reason: status.reason,
            received_at: status.received_at,
            expected_by: status.expected_by,
            processing_details: status.processing_details,
            user_verification_url: status.user_verification_url,
            expires_at: status.expires_at,
            results_url: status.results_url,
        }
    }
}

/// What went wrong, as the protocol tells it.
#[derive(Serialize, ToSchema)]
struct AgentError {
    /// The status, as text.
    code: String,
    /// A sentence.
    message: String,
    /// Whether the same message can never be taken.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    fatal: bool,
}

/// 403 without a word, as the protocol wants it; the media type keeps it from being dressed as anything else.
fn refused() -> Response {
    let json = HeaderValue::from_static("application/json");
    (StatusCode::FORBIDDEN, [(header::CONTENT_TYPE, json)]).into_response()
}

/// An error as the protocol tells it.
fn told(error: Error) -> Response {
    if let Error::TooMany(pause) = error {
        return Fault::from(error).again_in(pause).into_response();
    }
    let says = error.to_string();
    let fault = Fault::from(error);
    let status = fault.status();
    let message = if status.is_server_error() { "It could not be done now.".to_owned() } else { says };
    let code = status.as_str().to_owned();
    (status, Json(AgentError { code, message, fatal: status.is_client_error() })).into_response()
}

/// What comes of a call for something that was asked.
fn answered(outcome: Result<Status, Error>) -> Response {
    outcome.map_or_else(told, |status| Json(AgentRequest::from(status)).into_response())
}

/// Which business is asked; one that nothing is published for is nobody.
fn business(edge: &Edge, tenant: &str) -> Option<TenantId> {
    let tenant: TenantId = tenant.parse().ok()?;
    edge.app.library.in_force(&tenant, edge.app.clock.now()).map(|_| tenant)
}

/// The agent whose token came along.
async fn holder(edge: &Edge, tenant: &str, headers: &HeaderMap) -> Result<Agent, Error> {
    let tenant = business(edge, tenant).ok_or(Error::NotPaired)?;
    let value = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let token = value.strip_prefix("Bearer ").unwrap_or_default();
    edge.app.drp.holder(&tenant, token).await
}

/// Pair an agent
///
/// The body is a message signed with the key that the directory has of this agent. A token that it had before opens nothing
/// any more.
#[utoipa::path(post, path = "/drp/{tenant}/v1/agent/{agent}", tag = "agents",
    params(("tenant" = String, Path), ("agent" = String, Path)),
    request_body(content = String, content_type = "text/plain", description = "Signature and JSON, in base64."),
    responses((status = 200, description = "Paired.", body = AgentPaired),
        (status = 403, description = "Not this agent's signature, not for this business, or not of now. Without a word.")))]
async fn pair(
    State(edge): State<Edge>,
    Path((tenant, agent)): Path<(String, String)>,
    body: Bytes,
) -> Response {
    let Some(tenant) = business(&edge, &tenant) else { return refused() };
    match edge.app.drp.pair(&tenant, &agent, &body).await {
        Ok(token) => Json(AgentPaired { agent_id: agent, token: token.expose().clone() }).into_response(),
        Err(_) => refused(),
    }
}

/// See whether a token is an agent's
#[utoipa::path(get, path = "/drp/{tenant}/v1/agent/{agent}", tag = "agents",
    params(("tenant" = String, Path), ("agent" = String, Path)), security(("agent-token" = [])),
    responses((status = 200, description = "It is."), (status = 403, description = "It is not. Without a word.")))]
async fn paired(
    State(edge): State<Edge>,
    Path((tenant, agent)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    match holder(&edge, &tenant, &headers).await {
        Ok(found) if found.id == agent => Json(json!({})).into_response(),
        _ => refused(),
    }
}

/// Ask in somebody's name
///
/// The body is a signed message. Nothing is released or erased on it: the person says yes first, signed in by a letter to
/// their own address. The answer is the same whether we know them or not.
#[utoipa::path(post, path = "/drp/{tenant}/v1/data-rights-request", tag = "agents",
    params(("tenant" = String, Path)), security(("agent-token" = [])),
    request_body(content = String, content_type = "text/plain", description = "Signature and JSON, in base64."),
    responses((status = 200, description = "How it stands.", body = AgentRequest),
        (status = 400, description = "Not a message that can be read.", body = AgentError),
        (status = 401, description = "No agent's token.", body = AgentError),
        (status = 403, description = "Not this agent's signature, not for this business, or not of now.", body = AgentError),
        (status = 409, description = "The message was taken before.", body = AgentError),
        (status = 429, description = "This agent has asked for enough within an hour. `Retry-After` says when there is room for the same message.", body = Problem)))]
async fn exercise(
    State(edge): State<Edge>,
    Path(tenant): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let work = async {
        let agent = holder(&edge, &tenant, &headers).await?;
        edge.app.drp.exercise(&agent, &body).await
    };
    answered(work.await)
}

/// See how something stands
#[utoipa::path(get, path = "/drp/{tenant}/v1/data-rights-request/{id}", tag = "agents",
    params(("tenant" = String, Path), ("id" = String, Path)), security(("agent-token" = [])),
    responses((status = 200, description = "How it stands.", body = AgentRequest),
        (status = 401, description = "No agent's token.", body = AgentError),
        (status = 403, description = "Not there, or another agent's.", body = AgentError)))]
async fn status(
    State(edge): State<Edge>,
    Path((tenant, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let work = async {
        let agent = holder(&edge, &tenant, &headers).await?;
        edge.app.drp.status(&agent, &id).await
    };
    answered(work.await)
}

/// Take something back
///
/// The body is a signed message; it is good for this one request. What the person asked for themself goes its way.
#[utoipa::path(delete, path = "/drp/{tenant}/v1/data-rights-request/{id}", tag = "agents",
    params(("tenant" = String, Path), ("id" = String, Path)), security(("agent-token" = [])),
    request_body(content = String, content_type = "text/plain", description = "Signature and JSON, in base64."),
    responses((status = 200, description = "How it stands.", body = AgentRequest),
        (status = 400, description = "Not a message that can be read.", body = AgentError),
        (status = 401, description = "No agent's token.", body = AgentError),
        (status = 403, description = "Not there, another agent's, or not this agent's signature.", body = AgentError),
        (status = 409, description = "It is over, or the message was taken before.", body = AgentError)))]
async fn revoke(
    State(edge): State<Edge>,
    Path((tenant, id)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let work = async {
        let agent = holder(&edge, &tenant, &headers).await?;
        edge.app.drp.revoke(&agent, &id, &body).await
    };
    answered(work.await)
}
