//! Credits: what a person has left, why, and an app's server that grants more.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use futures_util::FutureExt as _;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::{Listing, invalid, moment};
use super::ask::{Json, Paging, Query};
use crate::base::{Kind, SubjectId};
use crate::billing::CreditEntry;
use crate::edge::{ApiCaller, Edge, Fault, Idempotent, Once, Problem, Shape, UserCaller};
use crate::subjects::Scope;
use crate::vault::Owner;

/// Most credits of one grant.
const MOST: i64 = 1_000_000;

pub(super) fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new().routes(routes!(read, grant))
}

/// What a person has left, and the newest changes.
#[derive(Serialize, ToSchema)]
struct Credits {
    /// What is left.
    balance: i64,
    /// A page of changes, newest first.
    history: Listing<Change>,
}

/// A change of a person's credits.
#[derive(Serialize, ToSchema)]
struct Change {
    /// More or, below zero, fewer.
    amount: i64,
    /// What was left after it.
    balance: i64,
    /// Why.
    reason: String,
    /// The edit it was for.
    #[serde(skip_serializing_if = "Option::is_none")]
    edit: Option<String>,
    /// When.
    #[schema(format = DateTime)]
    at: String,
}

fn change(entry: CreditEntry) -> Change {
    let CreditEntry { amount, balance, reason, edit, at, .. } = entry;
    Change { amount, balance, reason, edit, at: moment(at) }
}

/// Why credits are granted.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Reason {
    /// They were bought.
    Purchase,
    /// A present.
    Gift,
    /// They make good for something.
    Refund,
}

/// Credits to be granted.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Grant {
    /// To whom.
    #[schema(value_type = String, example = "sub_019aab12c0007000800000000000000a")]
    subject: SubjectId,
    /// How many: 1 to 1,000,000.
    #[schema(example = 10, minimum = 1, maximum = 1_000_000)]
    amount: i64,
    /// Why.
    reason: Reason,
}

/// What a person has after a grant.
#[derive(Serialize, ToSchema)]
struct Granted {
    /// What is left.
    balance: i64,
}

/// One's credits, and where they went
#[utoipa::path(get, path = "/v1/credits", tag = "credits",
    params(("cursor" = Option<String>, Query), ("limit" = Option<u32>, Query, minimum = 1, maximum = 200)),
    security(("token" = []), ("app-key" = ["edits"], "subject" = []), ("session" = [])),
    responses((status = 200, description = "The credits.", body = Credits)))]
async fn read(
    State(edge): State<Edge>,
    caller: UserCaller,
    Query(paging): Query<Paging>,
) -> Result<axum::Json<Credits>, Fault> {
    caller.allows(Scope::Edits)?;
    let list = caller.list("credits");
    let (before, size) = paging.of(&edge, &list)?;
    let balance = edge.app.credits.balance(&caller.owner).await?;
    let page = edge.app.credits.history(&caller.owner, before.as_deref(), size).await?;
    Ok(axum::Json(Credits { balance, history: Listing::of(&edge, &list, page, change) }))
}

/// Grant credits to a person
#[utoipa::path(post, path = "/v1/credits", tag = "credits", request_body = Grant,
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key gives the first answer again.")),
    security(("app-key" = ["credits"])),
    responses((status = 201, description = "Granted.", body = Granted),
        (status = 404, description = "There is no such person.", body = Problem)))]
async fn grant(
    State(edge): State<Edge>,
    caller: ApiCaller,
    key: Idempotent,
    body: Json<Grant>,
) -> Result<Response, Fault> {
    caller.allows(Scope::Credits)?;
    let tenant = &caller.key.tenant;
    let once = Once { tenant, caller: &caller.key.id, route: "POST /v1/credits", key: &key, body: &body.raw };
    let Grant { subject, amount, reason } = body.value;
    if !(1..=MOST).contains(&amount) {
        return Err(invalid("amount must be between 1 and 1,000,000"));
    }
    let (app, owner, reason) =
        (edge.app.clone(), Owner::new(tenant, subject), format!("{reason:?}").to_lowercase());
    let shape = Shape { status: StatusCode::CREATED, of: |balance: &i64| Granted { balance: *balance } };
    let work = move |closing| async move {
        if app.subjects.get(&owner).await?.erasing {
            return Err(Fault::new(Kind::NotFound));
        }
        Ok(app.credits.grant_once(&owner, amount, &reason, &closing).await?)
    };
    edge.once(once, shape, move |closing| work(closing).boxed()).await
}
