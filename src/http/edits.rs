//! Edits: asked for, looked at, stopped, deleted.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use futures_util::FutureExt as _;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::{Listing, invalid, moment};
use super::ask::{self, Named, Paging, Query};
use crate::base::{BatchId, EditId, ObjectId, Timestamp};
use crate::edge::{Edge, Fault, Idempotent, Once, Problem, Shape, UserCaller};
use crate::editing::{
    self, EditState, Filter, ModelChoice, NewBatch, NewEdit, PURPOSE, ProviderChoice, Settings,
};
use crate::subjects::Scope;
use crate::vault::Access;

pub(super) fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new()
        .routes(routes!(create, list))
        .routes(routes!(batch))
        .routes(routes!(read, delete))
        .routes(routes!(cancel))
}

/// An edit to be made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Asked {
    /// The images, the first of which is edited; 1 to 4.
    #[schema(value_type = Vec<String>, min_items = 1, max_items = 4)]
    inputs: Vec<ObjectId>,
    /// What to do, in the person's words; at most 2,000 characters. May be left out when a style is chosen.
    #[serde(default)]
    #[schema(example = "make it look like a rainy evening")]
    prompt: String,
    /// Which model. Left out: the one that the person prefers.
    #[serde(default)]
    model: Option<ModelChoice>,
    /// How.
    #[serde(default)]
    settings: Settings,
    /// Who does it. Left out: the one that the person prefers, or the usual one of this installation that the policy names.
    #[serde(default)]
    provider: Option<ProviderChoice>,
}

/// An edit.
#[derive(Serialize, ToSchema)]
pub(super) struct Edit {
    /// Its id.
    #[schema(example = "edt_019aab12c0007000800000000000000a")]
    id: String,
    /// How it stands.
    state: EditState,
    /// 0 to 100.
    progress: i64,
    /// Which model.
    model: String,
    /// Who does it.
    provider: String,
    /// The images it was made from. They are gone when it has succeeded.
    inputs: Vec<String>,
    /// The result; of several variations the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<String>,
    /// All results, variations included.
    outputs: Vec<String>,
    /// How many pictures were asked for.
    images: i64,
    /// What it was asked for together with.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "bat_019aab12c0007000800000000000000a")]
    batch: Option<String>,
    /// Credits. Given back unless it succeeds; for pictures that were asked for and not made, in part.
    cost: i64,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    /// When it was asked for.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it began.
    #[schema(format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    started_at: Option<String>,
    /// When it was over.
    #[schema(format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    ended_at: Option<String>,
}

pub(super) fn edit(edit: editing::Edit) -> Edit {
    let outputs = edit.outputs().map(|id| id.to_string()).collect();
    Edit {
        id: edit.id.to_string(),
        state: edit.state,
        progress: edit.progress,
        model: edit.model,
        provider: edit.provider,
        inputs: edit.inputs.iter().map(ToString::to_string).collect(),
        output: edit.output.map(|id| id.to_string()),
        outputs,
        images: edit.images,
        batch: edit.batch.map(|id| id.to_string()),
        cost: edit.cost,
        error: edit.error,
        created_at: moment(edit.created_at),
        started_at: edit.started_at.map(moment),
        ended_at: edit.ended_at.map(moment),
    }
}

/// The same edit of each of several images.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct BatchAsked {
    /// The images, each of which is edited by itself; 1 to 20.
    #[schema(value_type = Vec<String>, min_items = 1, max_items = 20)]
    inputs: Vec<ObjectId>,
    /// What to do with each, in the person's words; at most 2,000 characters. May be left out when a style is chosen.
    #[serde(default)]
    #[schema(example = "make it look like a rainy evening")]
    prompt: String,
    /// Which model. Left out: the one that the person prefers.
    #[serde(default)]
    model: Option<ModelChoice>,
    /// How.
    #[serde(default)]
    settings: Settings,
    /// Who does it. Left out: the one that the person prefers, or the usual one of this installation that the policy names.
    #[serde(default)]
    provider: Option<ProviderChoice>,
}

/// Edits that were asked for in one go.
#[derive(Serialize, ToSchema)]
struct Batch {
    /// The id that they have in common: `GET /v1/edits?batch=…` lists them.
    #[schema(example = "bat_019aab12c0007000800000000000000a")]
    id: String,
    /// One an image, in their order.
    edits: Vec<Edit>,
}

impl Batch {
    fn of((id, edits): &(BatchId, Vec<editing::Edit>)) -> Self {
        Self { id: id.to_string(), edits: edits.iter().cloned().map(edit).collect() }
    }
}

/// Which edits, and which page of them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    state: Option<EditState>,
    model: Option<ModelChoice>,
    provider: Option<ProviderChoice>,
    batch: Option<BatchId>,
    since: Option<String>,
    until: Option<String>,
    cursor: Option<String>,
    limit: Option<u32>,
}

impl Which {
    fn filter(&self) -> Result<Filter, Fault> {
        let at = |text: &Option<String>| match text.as_deref().map(Timestamp::parse_rfc3339) {
            Some(None) => Err(invalid("since and until are moments such as 2026-11-22T12:00:00Z")),
            found => Ok(found.flatten()),
        };
        let (since, until) = (at(&self.since)?, at(&self.until)?);
        let Self { state, model, provider, batch, .. } = *self;
        Ok(Filter { state, model, provider, batch, since, until })
    }
}

/// An edit, and what was asked.
#[derive(Serialize, ToSchema)]
struct Told {
    /// The edit.
    #[serde(flatten)]
    edit: Edit,
    /// What to do, in the person's words, as long as it is kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt: Option<String>,
    /// How, as long as it is kept.
    #[schema(value_type = Option<Settings>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    settings: Option<Value>,
}

/// Ask for an edit
///
/// Checked against the document, restriction and credits; then queued. Nothing is changed when it is refused.
#[utoipa::path(post, path = "/v1/edits", tag = "edits", request_body = Asked,
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key gives the first answer again.")),
    security(("token" = []), ("app-key" = ["edits"], "subject" = []), ("session" = [])),
    responses((status = 201, description = "Queued.", body = Edit),
        (status = 403, description = "The policy, a restriction or a missing consent forbids it.", body = Problem),
        (status = 404, description = "One of the images is not there, or not one's own.", body = Problem),
        (status = 422, description = "A value is none that we can use.", body = Problem),
        (status = 429, description = "Not enough credits.", body = Problem)))]
async fn create(
    State(edge): State<Edge>,
    caller: UserCaller,
    key: Idempotent,
    body: ask::Json<Asked>,
) -> Result<Response, Fault> {
    caller.allows(Scope::Edits)?;
    let (tenant, who) = (&caller.owner.tenant, caller.owner.subject.to_string());
    let once = Once { tenant, caller: &who, route: "POST /v1/edits", key: &key, body: &body.raw };
    let Asked { inputs, prompt, model, settings, provider } = body.value;
    let new = NewEdit { inputs, prompt, model, settings, provider };
    let (editing, by) = (edge.app.editing.clone(), (caller.owner.clone(), caller.actor.clone()));
    let shape = Shape { status: StatusCode::CREATED, of: |made: &editing::Edit| edit(made.clone()) };
    let work =
        move |closing| async move { Ok(editing.create_once(&by.0, &by.1, new, &closing).await?) }.boxed();
    edge.once(once, shape, work).await
}

/// Ask for the same edit of each of several images
///
/// One edit an image, each followed, stopped and paid by itself. All of them are taken, or none is.
#[utoipa::path(post, path = "/v1/edits/batch", tag = "edits", request_body = BatchAsked,
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key gives the first answer again.")),
    security(("token" = []), ("app-key" = ["edits"], "subject" = []), ("session" = [])),
    responses((status = 201, description = "Queued.", body = Batch),
        (status = 403, description = "The policy, a restriction or a missing consent forbids it.", body = Problem),
        (status = 404, description = "One of the images is not there, or not one's own.", body = Problem),
        (status = 422, description = "A value is none that we can use.", body = Problem),
        (status = 429, description = "Not enough credits for all of them.", body = Problem)))]
async fn batch(
    State(edge): State<Edge>,
    caller: UserCaller,
    key: Idempotent,
    body: ask::Json<BatchAsked>,
) -> Result<Response, Fault> {
    caller.allows(Scope::Edits)?;
    let (tenant, who) = (&caller.owner.tenant, caller.owner.subject.to_string());
    let once = Once { tenant, caller: &who, route: "POST /v1/edits/batch", key: &key, body: &body.raw };
    let BatchAsked { inputs, prompt, model, settings, provider } = body.value;
    let new = NewBatch { inputs, wish: NewEdit { inputs: Vec::new(), prompt, model, settings, provider } };
    let (editing, by) = (edge.app.editing.clone(), (caller.owner.clone(), caller.actor.clone()));
    let shape = Shape { status: StatusCode::CREATED, of: Batch::of };
    let work =
        move |closing| async move { Ok(editing.create_batch(&by.0, &by.1, new, &closing).await?) }.boxed();
    edge.once(once, shape, work).await
}

/// One's edits, newest first
///
/// All of them, or those that fit everything that is asked for.
#[utoipa::path(get, path = "/v1/edits", tag = "edits",
    params(("state" = Option<EditState>, Query), ("model" = Option<ModelChoice>, Query),
        ("provider" = Option<ProviderChoice>, Query), ("batch" = Option<String>, Query),
        ("since" = Option<String>, Query, description = "Asked for at this moment or later, RFC 3339."),
        ("until" = Option<String>, Query, description = "Asked for before this moment, RFC 3339."),
        ("cursor" = Option<String>, Query), ("limit" = Option<u32>, Query, minimum = 1, maximum = 200)),
    security(("token" = []), ("app-key" = ["edits"], "subject" = []), ("session" = [])),
    responses((status = 200, description = "A page of edits.", body = Listing<Edit>),
        (status = 422, description = "A value is none that we can use.", body = Problem)))]
async fn list(
    State(edge): State<Edge>,
    caller: UserCaller,
    Query(which): Query<Which>,
) -> Result<Json<Listing<Edit>>, Fault> {
    caller.allows(Scope::Edits)?;
    let filter = which.filter()?;
    // A cursor is good for the search that it came from.
    let list = caller.list(&format!("edits/{filter:?}"));
    let (before, size) = Paging::new(which.cursor, which.limit).of(&edge, &list)?;
    let page = edge.app.editing.search(&caller.owner, &filter, (before.as_deref(), size)).await?;
    Ok(Json(Listing::of(&edge, &list, page, edit)))
}

/// An edit, and what was asked
#[utoipa::path(get, path = "/v1/edits/{id}", tag = "edits", params(("id" = String, Path)),
    security(("token" = []), ("app-key" = ["edits"], "subject" = []), ("session" = [])),
    responses((status = 200, description = "The edit.", body = Told),
        (status = 404, description = "Not there, or not one's own.", body = Problem)))]
async fn read(
    State(edge): State<Edge>,
    caller: UserCaller,
    Named(id): Named<EditId>,
) -> Result<Json<Told>, Fault> {
    caller.allows(Scope::Edits)?;
    let found = edge.app.editing.get(&caller.owner, id).await?;
    let access = Access { actor: &caller.actor, purpose: PURPOSE };
    let mut told = Told { edit: edit(found), prompt: None, settings: None };
    for record in edge.app.vault.records_of(&caller.owner, &access, &id.to_string()).await? {
        match record.category.as_str() {
            "prompt" => {
                told.prompt = record.value.get("text").and_then(Value::as_str).map(ToOwned::to_owned);
            }
            "edit-parameters" => told.settings = Some(record.value),
            _ => {}
        }
    }
    Ok(Json(told))
}

/// Stop an edit
///
/// Its credits are given back.
#[utoipa::path(post, path = "/v1/edits/{id}/cancel", tag = "edits", params(("id" = String, Path)),
    security(("token" = []), ("app-key" = ["edits"], "subject" = []), ("session" = [])),
    responses((status = 200, description = "Stopped.", body = Edit),
        (status = 404, description = "Not there, or not one's own.", body = Problem),
        (status = 409, description = "It has ended.", body = Problem)))]
async fn cancel(
    State(edge): State<Edge>,
    caller: UserCaller,
    Named(id): Named<EditId>,
) -> Result<Json<Edit>, Fault> {
    caller.allows(Scope::Edits)?;
    Ok(Json(edit(edge.app.editing.cancel(&caller.owner, id).await?)))
}

/// Delete an edit that is over
///
/// With everything that was kept for it: prompt, settings, history, result.
#[utoipa::path(delete, path = "/v1/edits/{id}", tag = "edits", params(("id" = String, Path)),
    security(("token" = []), ("app-key" = ["edits"], "subject" = []), ("session" = [])),
    responses((status = 204, description = "Gone."),
        (status = 404, description = "Not there, or not one's own.", body = Problem),
        (status = 409, description = "It has not ended yet.", body = Problem)))]
async fn delete(
    State(edge): State<Edge>,
    caller: UserCaller,
    Named(id): Named<EditId>,
) -> Result<StatusCode, Fault> {
    caller.allows(Scope::Edits)?;
    edge.app.editing.delete(&caller.owner, id, &caller.actor).await?;
    Ok(StatusCode::NO_CONTENT)
}
