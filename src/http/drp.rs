//! The endpoints of the Data Rights Protocol 1.0, for agents of people. Not part of the API that is described: the protocol
//! describes it.

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::{Json, Router, routing};
use serde_json::json;

use crate::base::TenantId;
use crate::drp::{Agent, Error, MOST_MESSAGE};
use crate::edge::{Edge, Fault};

pub(super) fn routes() -> Router<Edge> {
    let asks = || routing::post(exercise);
    Router::new()
        .route("/drp/{tenant}/v1/agent/{agent}", routing::post(pair).get(paired))
        .route("/drp/{tenant}/v1/data-rights-request", asks())
        .route("/drp/{tenant}/v1/data-rights-request/", asks())
        .route("/drp/{tenant}/v1/data-rights-request/{id}", routing::get(status).delete(revoke))
        .layer(DefaultBodyLimit::max(MOST_MESSAGE))
}

/// 403 without a word, as the protocol wants it; the media type keeps it from being dressed as anything else.
fn refused() -> Response {
    let json = HeaderValue::from_static("application/json");
    (StatusCode::FORBIDDEN, [(header::CONTENT_TYPE, json)]).into_response()
}

/// An error as the protocol tells it.
fn told(error: Error) -> Response {
    // The protocol says nothing of an agent that asks too much: it is told as every other caller is.
    if let Error::TooMany(pause) = error {
        return Fault::from(error).again_in(pause).into_response();
    }
    let says = error.to_string();
    let fault = Fault::from(error);
    let status = fault.status();
    let message = if status.is_server_error() { "It could not be done now.".to_owned() } else { says };
    let mut body = json!({ "code": status.as_str(), "message": message });
    if status.is_client_error()
        && let Some(body) = body.as_object_mut()
    {
        body.insert("fatal".to_owned(), json!(true));
    }
    (status, Json(body)).into_response()
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

/// `POST /v1/agent/{agent}`: pairs an agent.
async fn pair(
    State(edge): State<Edge>,
    Path((tenant, agent)): Path<(String, String)>,
    body: Bytes,
) -> Response {
    let Some(tenant) = business(&edge, &tenant) else { return refused() };
    match edge.app.drp.pair(&tenant, &agent, &body).await {
        Ok(token) => Json(json!({ "agent-id": agent, "token": token.expose() })).into_response(),
        Err(_) => refused(),
    }
}

/// `GET /v1/agent/{agent}`: whether a token is that agent's.
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

/// `POST /v1/data-rights-request`: asks in somebody's name.
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
    work.await.map_or_else(told, |status| Json(status).into_response())
}

/// `GET /v1/data-rights-request/{id}`: how it stands.
async fn status(
    State(edge): State<Edge>,
    Path((tenant, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let work = async {
        let agent = holder(&edge, &tenant, &headers).await?;
        edge.app.drp.status(&agent, &id).await
    };
    work.await.map_or_else(told, |status| Json(status).into_response())
}

/// `DELETE /v1/data-rights-request/{id}`: takes it back.
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
    work.await.map_or_else(told, |status| Json(status).into_response())
}
