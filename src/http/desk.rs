//! The staff desk: the queue of requests and the retention board of the member's own tenant.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::Listing;
use super::ask::{Paging, Query};
use super::policies::{Board, board};
use super::requests::{Request, request};
use crate::edge::{Edge, Fault, Problem, StaffSession};
use crate::requests::{self, QueueFilter};

pub(super) fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new().routes(routes!(queue)).routes(routes!(retention))
}

/// Which requests, and which page of them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    #[serde(default)]
    show: Show,
    cursor: Option<String>,
    limit: Option<u32>,
}

/// Which requests.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Show {
    /// What is open, the most urgent promise first.
    #[default]
    Open,
    /// What was promised for a time that is over.
    Overdue,
    /// All, newest first.
    All,
}

/// A request as staff see it.
#[derive(Serialize, ToSchema)]
struct Queued {
    /// The request.
    #[serde(flatten)]
    request: Request,
    /// Whose it is; nobody's once they were erased.
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    /// How loudly its clocks call: `quiet`, `promise-near`, `promise-missed`, `law-near`, `law-missed`.
    alarm: String,
}

/// Rights requests, the most urgent first
#[utoipa::path(get, path = "/v1/desk/queue", tag = "desk",
    params(("show" = inline(Option<Show>), Query, description = "`open` unless said."),
        ("cursor" = Option<String>, Query), ("limit" = Option<u32>, Query, minimum = 1, maximum = 200)),
    security(("staff-session" = [])),
    responses((status = 200, description = "A page of requests.", body = Listing<Queued>),
        (status = 401, description = "Not a staff session.", body = Problem)))]
async fn queue(
    State(edge): State<Edge>,
    caller: StaffSession,
    Query(which): Query<Which>,
) -> Result<Json<Listing<Queued>>, Fault> {
    let filter = match which.show {
        Show::Open => QueueFilter::Open,
        Show::Overdue => QueueFilter::Overdue,
        Show::All => QueueFilter::All,
    };
    let tenant = &caller.staff.tenant;
    let list = format!("desk/queue/{filter:?}/{tenant}");
    let (after, size) = Paging::new(which.cursor, which.limit).of(&edge, &list)?;
    let page = edge.app.requests.queue(tenant, filter, after.as_deref(), size).await?;
    let now = edge.app.clock.now();
    let queued = |found: requests::Request| Queued {
        subject: found.subject.map(|id| id.to_string()),
        alarm: found.alarm_at(now).as_str().to_owned(),
        request: request(found),
    };
    Ok(Json(Listing::of(&edge, &list, page, queued)))
}

/// How every retention rule stands
#[utoipa::path(get, path = "/v1/desk/retention", tag = "desk", security(("staff-session" = [])),
    responses((status = 200, description = "The board.", body = Board),
        (status = 401, description = "Not a staff session.", body = Problem)))]
async fn retention(State(edge): State<Edge>, caller: StaffSession) -> Result<Json<Board>, Fault> {
    Ok(Json(board(&edge, &caller.staff.tenant).await?))
}
