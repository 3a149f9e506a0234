//! What a person would have their edits done with, when they do not say it each time.

use axum::extract::State;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::ask;
use crate::edge::{Edge, Fault, Problem, UserCaller};
use crate::editing::Preference;
use crate::subjects::Scope;

pub(super) fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new().routes(routes!(preferences, prefer))
}

/// One's preferences for edits
///
/// For a person who never said: the usual ones.
#[utoipa::path(get, path = "/v1/account/preferences", tag = "accounts",
    security(("token" = []), ("app-key" = ["edits"], "subject" = []), ("session" = [])),
    responses((status = 200, description = "The preferences.", body = Preference)))]
async fn preferences(State(edge): State<Edge>, caller: UserCaller) -> Result<axum::Json<Preference>, Fault> {
    caller.allows(Scope::Edits)?;
    Ok(axum::Json(edge.app.editing.preference(&caller.owner, &caller.actor).await?))
}

/// Say what one prefers
///
/// It counts for every edit that is asked for without a model, or without a provider.
#[utoipa::path(put, path = "/v1/account/preferences", tag = "accounts", request_body = Preference,
    security(("token" = []), ("app-key" = ["edits"], "subject" = []), ("session" = [])),
    responses((status = 200, description = "The preferences as they are now.", body = Preference),
        (status = 403, description = "The policy does not hold preferences.", body = Problem),
        (status = 422, description = "A value is none that we can use.", body = Problem)))]
async fn prefer(
    State(edge): State<Edge>,
    caller: UserCaller,
    body: ask::Json<Preference>,
) -> Result<axum::Json<Preference>, Fault> {
    caller.allows(Scope::Edits)?;
    edge.app.editing.prefer(&caller.owner, &caller.actor, body.value).await?;
    Ok(axum::Json(body.value))
}
