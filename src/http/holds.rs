//! Legal holds: placed and lifted by staff who answer for them.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use futures_util::FutureExt as _;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::moment;
use super::ask::{self, Named};
use crate::base::{HoldId, Kind, SubjectId, Timestamp};
use crate::edge::{Edge, Fault, Idempotent, Once, Problem, Shape, StaffSession};
use crate::policy::Role;
use crate::retention::{self, NewHold};

pub(super) fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new()
        .routes(routes!(place, list))
        .routes(routes!(approve))
        .routes(routes!(review))
        .routes(routes!(release))
}

/// A hold to be. "Just in case" is none.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Placing {
    /// Whom it concerns; everybody if left out.
    #[schema(value_type = Option<String>)]
    subject: Option<SubjectId>,
    /// The category it concerns; everything if left out.
    category: Option<String>,
    /// The claim, order or case: a name, not a description.
    #[schema(example = "Case 12 O 345/26")]
    matter: String,
    /// Why disposal must stop.
    reason: String,
    /// When it must be looked at again: within 90 days.
    #[schema(value_type = String, format = DateTime)]
    review_at: Timestamp,
    /// Why the person it concerns must not be told. Left out, they are told, with the reason.
    untold: Option<String>,
}

/// When a hold is to be looked at next.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reviewing {
    review_at: Option<Timestamp>,
}

/// A hold.
#[derive(Serialize, ToSchema)]
struct Hold {
    /// Its id.
    id: String,
    /// Whom it concerns.
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    /// What it concerns.
    #[serde(skip_serializing_if = "Option::is_none")]
    category: Option<String>,
    /// The matter.
    matter: String,
    /// Why.
    reason: String,
    /// Who placed it.
    placed_by: String,
    /// When.
    #[schema(format = DateTime)]
    placed_at: String,
    /// When it must be looked at again.
    #[schema(format = DateTime)]
    review_at: String,
    /// When it was lifted.
    #[schema(format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    released_at: Option<String>,
    /// The second person who answers for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    approved_by: Option<String>,
    /// Since when.
    #[schema(format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    approved_at: Option<String>,
    /// Why the person must not be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    untold: Option<String>,
    /// When the person was told.
    #[schema(format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    told_at: Option<String>,
}

/// Every hold.
#[derive(Serialize, ToSchema)]
struct Holds {
    /// Newest first, lifted ones included.
    items: Vec<Hold>,
}

fn hold(found: retention::Hold) -> Hold {
    Hold {
        id: found.id.to_string(),
        subject: found.subject.map(|id| id.to_string()),
        category: found.category,
        matter: found.matter,
        reason: found.reason,
        placed_by: found.placed_by,
        placed_at: moment(found.placed_at),
        review_at: moment(found.review_at),
        released_at: found.released_at.map(moment),
        approved_by: found.approved_by,
        approved_at: found.approved_at.map(moment),
        untold: found.untold,
        told_at: found.told_at.map(moment),
    }
}

/// Support works on requests; what stops disposal is for those who answer for it.
fn answers_for_it(caller: &StaffSession) -> Result<(), Fault> {
    if matches!(caller.staff.role, Role::Compliance | Role::Admin) {
        return Ok(());
    }
    Err(Fault::because(Kind::Forbidden, "holds are placed and lifted by compliance"))
}

/// Place a hold
#[utoipa::path(post, path = "/v1/desk/holds", tag = "desk", request_body = Placing,
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key gives the first answer again.")),
    security(("staff-session" = [])),
    responses((status = 201, description = "Placed.", body = Hold),
        (status = 403, description = "Not compliance.", body = Problem),
        (status = 422, description = "It lacks a matter, a reason, or a review within 90 days.", body = Problem)))]
async fn place(
    State(edge): State<Edge>,
    caller: StaffSession,
    key: Idempotent,
    body: ask::Json<Placing>,
) -> Result<Response, Fault> {
    answers_for_it(&caller)?;
    caller.may_act_gravely(&edge).await?;
    let (tenant, who) = (&caller.staff.tenant, caller.staff.id.to_string());
    let once = Once { tenant, caller: &who, route: "POST /v1/desk/holds", key: &key, body: &body.raw };
    let Placing { subject, category, matter, reason, review_at, untold } = body.value;
    let new = NewHold { subject, category, matter, reason, review_at, untold };
    let (retention, owned, by) =
        (edge.app.retention.clone(), tenant.clone(), (caller.staff.id, caller.staff.role));
    let shape = Shape { status: StatusCode::CREATED, of: |placed: &retention::Hold| hold(placed.clone()) };
    let work =
        move |closing| async move { Ok(retention.hold_once(&owned, new, by, &closing).await?) }.boxed();
    edge.once(once, shape, work).await
}

/// Every hold
#[utoipa::path(get, path = "/v1/desk/holds", tag = "desk", security(("staff-session" = [])),
    responses((status = 200, description = "The holds, newest first.", body = Holds)))]
async fn list(State(edge): State<Edge>, caller: StaffSession) -> Result<Json<Holds>, Fault> {
    let holds = edge.app.retention.holds(&caller.staff.tenant).await?;
    Ok(Json(Holds { items: holds.into_iter().map(hold).collect() }))
}

/// Answer for a hold as the second person
#[utoipa::path(post, path = "/v1/desk/holds/{id}/approve", tag = "desk", params(("id" = String, Path)),
    security(("staff-session" = [])),
    responses((status = 204, description = "Answered for."),
        (status = 403, description = "Not compliance.", body = Problem),
        (status = 404, description = "There is no such hold, or it was lifted.", body = Problem),
        (status = 409, description = "Whoever placed it cannot answer for it.", body = Problem)))]
async fn approve(
    State(edge): State<Edge>,
    caller: StaffSession,
    Named(id): Named<HoldId>,
) -> Result<StatusCode, Fault> {
    answers_for_it(&caller)?;
    caller.may_act_gravely(&edge).await?;
    let staff = &caller.staff;
    edge.app.retention.approve(&staff.tenant, id, staff.id, staff.role).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Note that a hold was looked at again
///
/// It stays, until another day within 90. No clock of what it keeps is changed.
#[utoipa::path(post, path = "/v1/desk/holds/{id}/review", tag = "desk", params(("id" = String, Path),
    ("review_at" = Option<String>, Query, format = DateTime,
        description = "When it is looked at next, within 90 days. Without it, in 90 days.")), security(("staff-session" = [])),
    responses((status = 204, description = "Noted."),
        (status = 403, description = "Not compliance.", body = Problem),
        (status = 404, description = "There is no such hold, or it was lifted.", body = Problem),
        (status = 422, description = "The next date is not within 90 days.", body = Problem)))]
async fn review(
    State(edge): State<Edge>,
    caller: StaffSession,
    Named(id): Named<HoldId>,
    ask::Query(next): ask::Query<Reviewing>,
) -> Result<StatusCode, Fault> {
    answers_for_it(&caller)?;
    let staff = &caller.staff;
    edge.app.retention.review(&staff.tenant, id, next.review_at, staff.role).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lift a hold
///
/// What it kept too long goes with the next sweep.
#[utoipa::path(post, path = "/v1/desk/holds/{id}/release", tag = "desk", params(("id" = String, Path)),
    security(("staff-session" = [])),
    responses((status = 204, description = "Lifted."),
        (status = 403, description = "Not compliance.", body = Problem),
        (status = 404, description = "There is no such hold, or it was lifted.", body = Problem)))]
async fn release(
    State(edge): State<Edge>,
    caller: StaffSession,
    Named(id): Named<HoldId>,
) -> Result<StatusCode, Fault> {
    answers_for_it(&caller)?;
    caller.may_act_gravely(&edge).await?;
    let staff = &caller.staff;
    edge.app.retention.release(&staff.tenant, id, staff.id, staff.role).await?;
    Ok(StatusCode::NO_CONTENT)
}
