//! Where an app's server is told of events, and what it was told.

use axum::Json;
use axum::extract::State as Shared;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::{Listing, invalid, moment};
use super::ask::{self, Named, Paging, Query};
use crate::base::{DeliveryId, WebhookId};
use crate::edge::{ApiCaller, Edge, Fault, Problem};
use crate::subjects::Scope;
use crate::webhooks::{self, Change, Event, Minted, State, Why};

pub(super) fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new()
        .routes(routes!(register, list))
        .routes(routes!(read, change, remove))
        .routes(routes!(rotate))
        .routes(routes!(test))
        .routes(routes!(log))
        .routes(routes!(again))
}

/// A webhook to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewWebhook {
    /// The address: https, port 443, a public host. In development, this machine too.
    #[schema(example = "https://app.example/hooks/vouchsafe")]
    url: String,
    /// What it is told of; of everything, if left out.
    #[serde(default)]
    #[schema(example = json!(["edit.succeeded", "edit.failed", "account.erased"]))]
    events: Option<Vec<String>>,
    /// What to call it.
    #[serde(default)]
    label: Option<String>,
}

/// What to change of a webhook. What is left out stays as it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct WebhookChange {
    /// The address.
    url: Option<String>,
    /// What it is told of; of everything, if empty.
    events: Option<Vec<String>>,
    /// What to call it.
    label: Option<String>,
    /// Whether it is told of events. Turned on again, it is told what waits for it, and not what happened meanwhile.
    on: Option<bool>,
}

/// How a webhook stands.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum WebhookState {
    /// It is told of events.
    On,
    /// It was turned off.
    Off,
    /// Its address answered 410 Gone.
    Gone,
    /// Nothing got through for three days.
    Failing,
}

/// A webhook.
#[derive(Serialize, ToSchema)]
struct Webhook {
    /// Its id.
    #[schema(example = "whk_019aab12c0007000800000000000000a")]
    id: String,
    /// The address.
    url: String,
    /// What it is told of; of everything, if empty.
    events: Vec<String>,
    /// What it is called.
    label: String,
    /// How it stands.
    state: WebhookState,
    /// When it was made.
    #[schema(format = DateTime)]
    made_at: String,
    /// Until when the secret before this one signs as well.
    #[schema(format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    old_secret_until: Option<String>,
    /// Since when nothing got through.
    #[schema(format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    failing_since: Option<String>,
}

/// A webhook, and its secret, which is shown this once.
#[derive(Serialize, ToSchema)]
struct WebhookSecret {
    /// The webhook.
    webhook: Webhook,
    /// What its messages are signed with.
    #[schema(example = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")]
    secret: String,
}

/// All webhooks of an app.
#[derive(Serialize, ToSchema)]
struct Webhooks {
    /// They, the oldest first.
    items: Vec<Webhook>,
}

/// Something that a webhook was told, or is to be.
#[derive(Serialize, ToSchema)]
struct Delivery {
    /// Its id.
    #[schema(example = "dlv_019aab12c0007000800000000000000a")]
    id: String,
    /// What the receiver sees as `webhook-id`, the same on every try.
    message: String,
    /// What happened.
    #[schema(example = "edit.succeeded")]
    event: String,
    /// When it happened.
    #[schema(format = DateTime)]
    at: String,
    /// `waiting`, `delivered`, or `failed` when it is not tried any more.
    state: String,
    /// How often it was tried.
    tries: i64,
    /// When it is tried next.
    #[schema(format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    next_at: Option<String>,
    /// When it was tried last.
    #[schema(format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    tried_at: Option<String>,
    /// The status of the last answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<i64>,
    /// Why the last try came to nothing, in a word.
    #[schema(example = "timed-out")]
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
    /// How long the last answer took, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    millis: Option<i64>,
}

fn webhook(found: webhooks::Webhook) -> Webhook {
    let webhooks::Webhook { id, url, events, label, state, made_at, old_until, failing_since, .. } = found;
    Webhook {
        id: id.to_string(),
        url,
        events: events.iter().map(ToString::to_string).collect(),
        label,
        state: match state {
            State::On => WebhookState::On,
            State::Off => WebhookState::Off,
            State::Stopped(Why::Gone) => WebhookState::Gone,
            State::Stopped(Why::Failing) => WebhookState::Failing,
        },
        made_at: moment(made_at),
        old_secret_until: old_until.map(moment),
        failing_since: failing_since.map(moment),
    }
}

fn minted(minted: Minted) -> WebhookSecret {
    WebhookSecret { secret: minted.secret.expose().clone(), webhook: webhook(minted.webhook) }
}

fn delivery(found: webhooks::Delivery) -> Delivery {
    Delivery {
        id: found.id.to_string(),
        message: found.message.to_string(),
        event: found.event.to_string(),
        at: moment(found.at),
        state: found.state.as_str().to_owned(),
        tries: found.tries,
        next_at: found.next_at.map(moment),
        tried_at: found.tried_at.map(moment),
        status: found.status,
        failure: found.failure,
        millis: found.millis,
    }
}

fn events(named: Option<Vec<String>>) -> Result<Option<Vec<Event>>, Fault> {
    let parse = |all: Vec<String>| all.iter().map(|name| Ok(name.parse()?)).collect();
    match named {
        Some(all) if all.len() > 32 => Err(invalid("events: each once")),
        named => named.map(parse).transpose(),
    }
}

/// Register a webhook
///
/// The secret is shown in this answer and never again. Messages are signed as Standard Webhooks 1.0 says, carry ids
/// alone, are tried for three days, and may come twice: `webhook-id` is the same each time.
#[utoipa::path(post, path = "/v1/webhooks", tag = "webhooks", request_body = NewWebhook,
    security(("app-key" = ["webhooks"])),
    responses((status = 201, description = "Registered.", body = WebhookSecret),
        (status = 409, description = "There are ten already.", body = Problem),
        (status = 422, description = "The address is not one that may be called, or an event is unknown.", body = Problem)))]
async fn register(
    Shared(edge): Shared<Edge>,
    caller: ApiCaller,
    body: ask::Json<NewWebhook>,
) -> Result<(StatusCode, Json<WebhookSecret>), Fault> {
    caller.allows(Scope::Webhooks)?;
    let NewWebhook { url, events: named, label } = body.value;
    let change = Change { url: Some(url), events: events(named)?, label, on: None };
    let made = edge.app.webhooks.register(&caller.key.tenant, change).await?;
    Ok((StatusCode::CREATED, Json(minted(made))))
}

/// One's webhooks
#[utoipa::path(get, path = "/v1/webhooks", tag = "webhooks", security(("app-key" = ["webhooks"])),
    responses((status = 200, description = "All of them.", body = Webhooks)))]
async fn list(Shared(edge): Shared<Edge>, caller: ApiCaller) -> Result<Json<Webhooks>, Fault> {
    caller.allows(Scope::Webhooks)?;
    let items = edge.app.webhooks.list(&caller.key.tenant).await?;
    Ok(Json(Webhooks { items: items.into_iter().map(webhook).collect() }))
}

/// A webhook
#[utoipa::path(get, path = "/v1/webhooks/{id}", tag = "webhooks", params(("id" = String, Path)),
    security(("app-key" = ["webhooks"])),
    responses((status = 200, description = "The webhook.", body = Webhook),
        (status = 404, description = "Not there, or not one's own.", body = Problem)))]
async fn read(
    Shared(edge): Shared<Edge>,
    caller: ApiCaller,
    Named(id): Named<WebhookId>,
) -> Result<Json<Webhook>, Fault> {
    caller.allows(Scope::Webhooks)?;
    Ok(Json(webhook(edge.app.webhooks.get(&caller.key.tenant, id).await?)))
}

/// Change a webhook, or turn it on or off
#[utoipa::path(patch, path = "/v1/webhooks/{id}", tag = "webhooks", params(("id" = String, Path)),
    request_body = WebhookChange, security(("app-key" = ["webhooks"])),
    responses((status = 200, description = "Changed.", body = Webhook),
        (status = 404, description = "Not there, or not one's own.", body = Problem),
        (status = 422, description = "The address is not one that may be called, or an event is unknown.", body = Problem)))]
async fn change(
    Shared(edge): Shared<Edge>,
    caller: ApiCaller,
    Named(id): Named<WebhookId>,
    body: ask::Json<WebhookChange>,
) -> Result<Json<Webhook>, Fault> {
    caller.allows(Scope::Webhooks)?;
    let WebhookChange { url, events: named, label, on } = body.value;
    let change = Change { url, events: events(named)?, label, on };
    Ok(Json(webhook(edge.app.webhooks.change(&caller.key.tenant, id, change).await?)))
}

/// Remove a webhook
///
/// With its secrets and its log. What waits for it is not told.
#[utoipa::path(delete, path = "/v1/webhooks/{id}", tag = "webhooks", params(("id" = String, Path)),
    security(("app-key" = ["webhooks"])),
    responses((status = 204, description = "Gone."),
        (status = 404, description = "Not there, or not one's own.", body = Problem)))]
async fn remove(
    Shared(edge): Shared<Edge>,
    caller: ApiCaller,
    Named(id): Named<WebhookId>,
) -> Result<StatusCode, Fault> {
    caller.allows(Scope::Webhooks)?;
    edge.app.webhooks.remove(&caller.key.tenant, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Give a webhook a new secret
///
/// Shown in this answer and never again. For a day messages are signed with the one before as well.
#[utoipa::path(post, path = "/v1/webhooks/{id}/secret", tag = "webhooks", params(("id" = String, Path)),
    security(("app-key" = ["webhooks"])),
    responses((status = 200, description = "The new secret.", body = WebhookSecret),
        (status = 404, description = "Not there, or not one's own.", body = Problem)))]
async fn rotate(
    Shared(edge): Shared<Edge>,
    caller: ApiCaller,
    Named(id): Named<WebhookId>,
) -> Result<Json<WebhookSecret>, Fault> {
    caller.allows(Scope::Webhooks)?;
    Ok(Json(minted(edge.app.webhooks.rotate(&caller.key.tenant, id).await?)))
}

/// Try a webhook
///
/// It is told `webhook.test`, about nobody.
#[utoipa::path(post, path = "/v1/webhooks/{id}/test", tag = "webhooks", params(("id" = String, Path)),
    security(("app-key" = ["webhooks"])),
    responses((status = 202, description = "On its way.", body = Delivery),
        (status = 404, description = "Not there, or not one's own.", body = Problem),
        (status = 422, description = "The webhook is off.", body = Problem)))]
async fn test(
    Shared(edge): Shared<Edge>,
    caller: ApiCaller,
    Named(id): Named<WebhookId>,
) -> Result<(StatusCode, Json<Delivery>), Fault> {
    caller.allows(Scope::Webhooks)?;
    let sent = edge.app.webhooks.test(&caller.key.tenant, id).await?;
    Ok((StatusCode::ACCEPTED, Json(delivery(sent))))
}

/// What a webhook was told, newest first
///
/// Kept for 30 days, and not beyond the erasure of the person it is about.
#[utoipa::path(get, path = "/v1/webhooks/{id}/deliveries", tag = "webhooks",
    params(("id" = String, Path), ("cursor" = Option<String>, Query),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 200)),
    security(("app-key" = ["webhooks"])),
    responses((status = 200, description = "A page of the log.", body = Listing<Delivery>),
        (status = 404, description = "Not there, or not one's own.", body = Problem)))]
async fn log(
    Shared(edge): Shared<Edge>,
    caller: ApiCaller,
    Named(id): Named<WebhookId>,
    Query(paging): Query<Paging>,
) -> Result<Json<Listing<Delivery>>, Fault> {
    caller.allows(Scope::Webhooks)?;
    let list = format!("deliveries/{id}");
    let (before, size) = paging.of(&edge, &list)?;
    let page = edge.app.webhooks.log(&caller.key.tenant, id, (before.as_deref(), size)).await?;
    Ok(Json(Listing::of(&edge, &list, page, delivery)))
}

/// Tell something again
///
/// Now, under the id it had, and with the whole schedule before it.
#[utoipa::path(post, path = "/v1/deliveries/{id}/again", tag = "webhooks", params(("id" = String, Path)),
    security(("app-key" = ["webhooks"])),
    responses((status = 202, description = "On its way.", body = Delivery),
        (status = 404, description = "Not there, or not one's own.", body = Problem),
        (status = 409, description = "It told of an erasure, and was blanked when that was heard.", body = Problem)))]
async fn again(
    Shared(edge): Shared<Edge>,
    caller: ApiCaller,
    Named(id): Named<DeliveryId>,
) -> Result<(StatusCode, Json<Delivery>), Fault> {
    caller.allows(Scope::Webhooks)?;
    let sent = edge.app.webhooks.again(&caller.key.tenant, id).await?;
    Ok((StatusCode::ACCEPTED, Json(delivery(sent))))
}
