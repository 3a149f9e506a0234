//! Accounts elsewhere: an app's server says what a person is called at a recipient; Stripe tells us what it invoiced.

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::{Router, routing};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::moment;
use super::ask::Json;
use crate::base::{Kind, SubjectId, TenantId};
use crate::edge::{ApiCaller, Edge, Fault, Problem};
use crate::elsewhere::Task;
use crate::subjects::Scope;
use crate::vault::Owner;

/// The most bytes of a webhook of Stripe's.
const MOST: usize = 1 << 20;

pub(super) fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new().routes(routes!(link))
}

/// Not part of the API that is described: only Stripe calls it.
pub(super) fn hooks() -> Router<Edge> {
    Router::new().route("/hooks/stripe/{tenant}", routing::post(stripe)).layer(DefaultBodyLimit::max(MOST))
}

/// What a person is called elsewhere.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Link {
    /// Who.
    #[schema(value_type = String, example = "sub_019aab12c0007000800000000000000a")]
    subject: SubjectId,
    /// The recipient, by its name in the policy.
    #[schema(example = "stripe")]
    recipient: String,
    /// What they are called there: a customer of Stripe, a user of Supabase.
    #[schema(example = "cus_NffrFeUfNV2Hib")]
    account: String,
}

/// Say what a person is called at a recipient
///
/// From then on what is held there is in their archive, is corrected with the account and is erased with it. Only the
/// app's server can say so: whoever could name somebody else's customer would get at their payments.
#[utoipa::path(post, path = "/v1/accounts/elsewhere", tag = "accounts", request_body = Link,
    security(("app-key" = ["accounts"])),
    responses((status = 204, description = "Noted, now or before."),
        (status = 404, description = "There is no such person, or the recipient is not set up.", body = Problem),
        (status = 409, description = "The account there is another person's.", body = Problem)))]
async fn link(State(edge): State<Edge>, caller: ApiCaller, body: Json<Link>) -> Result<StatusCode, Fault> {
    caller.allows(Scope::Accounts)?;
    let Link { subject, recipient, account } = body.value;
    let owner = Owner::new(&caller.key.tenant, subject);
    if edge.app.subjects.get(&owner).await?.erasing {
        return Err(Fault::new(Kind::NotFound));
    }
    edge.app.elsewhere.link(&owner, &recipient, &account).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /hooks/stripe/{tenant}`: 202 when it is taken, also when it has no effect; 401 when it is not Stripe's.
async fn stripe(
    State(edge): State<Edge>,
    Path(tenant): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, Fault> {
    let tenant: TenantId = tenant.parse().map_err(|_| Fault::new(Kind::NotFound))?;
    let signature = headers.get("stripe-signature").and_then(|v| v.to_str().ok()).unwrap_or_default();
    edge.app.elsewhere.heard_stripe(&tenant, signature, &body).await?;
    Ok(StatusCode::ACCEPTED)
}

/// A recipient that was told of a request.
#[derive(Serialize, ToSchema)]
pub(super) struct Elsewhere {
    /// Who, by its name in the policy.
    recipient: String,
    /// What it was told to do: `correct`, `erase`.
    task: String,
    /// How far it is: `open`, `stays` (whatever may go is gone), `done`.
    state: String,
    /// How that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    proof: Option<String>,
    /// Why it is not done yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
    /// By when it must be done.
    #[schema(format = DateTime)]
    due: String,
    /// When it is tried again.
    #[schema(format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    next_try: Option<String>,
    /// When it was proved.
    #[schema(format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    done_at: Option<String>,
    /// What stays there, why, and until when.
    #[serde(skip_serializing_if = "Option::is_none")]
    stays: Option<Stays>,
}

/// What stays at a recipient.
#[derive(Serialize, ToSchema)]
struct Stays {
    /// How many payments and invoices.
    records: i64,
    /// Why.
    why: String,
    /// Until when.
    #[schema(format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
}

pub(super) fn recipient(task: Task) -> Elsewhere {
    Elsewhere {
        recipient: task.processor,
        task: task.kind.as_str().to_owned(),
        state: task.state.as_str().to_owned(),
        proof: task.proof,
        problem: task.problem,
        due: moment(task.due_at),
        next_try: task.next_at.map(moment),
        done_at: task.done_at.map(moment),
        stays: task.stays.map(|s| Stays { records: s.records, why: s.why, until: s.until.map(moment) }),
    }
}
