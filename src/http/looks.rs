//! An image looked at: why it is here and when it goes, and a small copy of it.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use axum::{Extension, Json};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::moment;
use super::ask::Named;
use super::guard::Turns;
use super::images::{Image, image};
use crate::base::{Kind, ObjectId};
use crate::edge::{Edge, Fault, Problem, UserCaller};
use crate::editing::PURPOSE;
use crate::imaging::{self, Thumbnail};
use crate::policy::{Facts, Policy, plan};
use crate::subjects::Scope;
use crate::vault::Access;

/// The longer edge of a small copy, in pixels.
const SMALL: u32 = 480;

pub(super) fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new().routes(routes!(details)).routes(routes!(small))
}

/// An image, and why it is still here.
#[derive(Serialize, ToSchema)]
struct Details {
    /// The image.
    image: Image,
    /// What it is, in the document's words.
    title: String,
    /// What of it is held.
    holds: String,
    /// The version of the document it was collected under.
    policy_version: String,
    /// The retention rule that will end it.
    #[serde(skip_serializing_if = "Option::is_none")]
    rule: Option<String>,
    /// What each rule says of it, the one that comes first first.
    rules: Vec<Reading>,
    /// The clause that declares it.
    clause: String,
}

/// What a rule says of an image.
#[derive(Serialize, ToSchema)]
struct Reading {
    /// The rule.
    rule: String,
    /// The clause to read.
    clause: String,
    /// What happens then.
    action: String,
    /// In words.
    says: String,
    /// When, if its clock runs.
    #[schema(format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<String>,
}

fn said(policy: &Policy, category: &str, facts: &Facts) -> Vec<Reading> {
    let all = plan::explain(policy, category, facts);
    let shaped = all.into_iter().map(|s| Reading {
        rule: s.rule,
        clause: s.clause,
        action: s.action,
        says: s.says,
        at: s.at.map(moment),
    });
    shaped.collect()
}

/// Why an image is here, and when it goes
#[utoipa::path(get, path = "/v1/images/{id}/details", tag = "images", params(("id" = String, Path)),
    security(("token" = []), ("app-key" = ["edits"], "subject" = []), ("session" = [])),
    responses((status = 200, description = "What the document says of it.", body = Details),
        (status = 404, description = "Not there, or not one's own.", body = Problem)))]
async fn details(
    State(edge): State<Edge>,
    caller: UserCaller,
    Named(id): Named<ObjectId>,
) -> Result<Json<Details>, Fault> {
    caller.allows(Scope::Edits)?;
    let access = Access { actor: &caller.actor, purpose: PURPOSE };
    let object = edge.app.vault.object(&caller.owner, &access, id).await?;
    let policy = edge.app.vault.policy(&caller.owner.tenant)?;
    let category = policy.may_store(&object.category).map_err(crate::vault::Error::from)?;
    Ok(Json(Details {
        title: category.title.clone(),
        holds: category.holds.clone(),
        clause: category.clause.clone(),
        policy_version: object.item.policy_version.clone(),
        rule: object.item.rule.clone(),
        rules: said(&policy, &object.category, &object.item.facts),
        image: image(object),
    }))
}

/// A small copy of an image
///
/// At most 480 pixels on the longer edge. Made anew each time, and kept nowhere.
#[utoipa::path(get, path = "/v1/images/{id}/small", tag = "images", params(("id" = String, Path)),
    security(("token" = []), ("app-key" = ["edits"], "subject" = []), ("session" = [])),
    responses((status = 200, description = "The copy.", content_type = "image/*", body = Vec<u8>),
        (status = 404, description = "Not there, or not one's own.", body = Problem)))]
async fn small(
    State(edge): State<Edge>,
    Extension(turns): Extension<Turns>,
    caller: UserCaller,
    Named(id): Named<ObjectId>,
) -> Result<Response, Fault> {
    caller.allows(Scope::Edits)?;
    let access = Access { actor: &caller.actor, purpose: PURPOSE };
    let _turn = turns.decoding().await?;
    let limits = *edge.app.editing.limits();
    let open = edge.app.vault.open_object(&caller.owner, &access, id, None).await?;
    // A result may be larger than an upload may be; what is held was made here.
    let picture = open.read(4 * limits.max_bytes as u64).await?;
    let limits = imaging::Limits { max_bytes: limits.max_bytes.saturating_mul(4), ..limits };
    let made = tokio::task::spawn_blocking(move || {
        let inspected = imaging::inspect(picture.expose(), &limits)?;
        imaging::thumbnail(picture.expose(), &inspected, SMALL)
    });
    let Thumbnail { bytes, format, .. } = made.await.map_err(|_| Fault::new(Kind::Internal))??;
    Ok(([(header::CONTENT_TYPE, format.media_type())], bytes).into_response())
}
