//! Images: uploads and results, their bytes, and when they go.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::{Extension, Json};
use futures_util::FutureExt as _;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::{File, Listing, invalid, moment};
use super::ask::{Named, Paging, Query, picture};
use super::guard::Turns;
use crate::base::{ObjectId, Page, PageSize};
use crate::edge::{Edge, Fault, Idempotent, Once, Problem, Shape, UserCaller};
use crate::editing::{PURPOSE, Uploaded};
use crate::subjects::Scope;
use crate::vault::{Access, StoredObject};

/// The categories that are images, uploads and results.
const CATEGORIES: [&str; 2] = ["input-image", "output-image"];

pub(super) fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new().routes(routes!(upload, list)).routes(routes!(read, delete))
}

/// An image that was taken in.
#[derive(Serialize, ToSchema)]
struct Arrived {
    /// Its id.
    #[schema(example = "obj_019aab12c0007000800000000000000a")]
    id: String,
    /// `jpeg`, `png` or `webp`, found by content.
    format: String,
    /// Pixels across.
    width: u32,
    /// Pixels down.
    height: u32,
    /// Bytes, after what the camera wrote into it was taken out.
    bytes: u64,
    /// What was taken out of it before it was stored.
    #[schema(example = json!(["the place where it was taken", "camera data"]))]
    removed: Vec<String>,
    /// When it goes in any case.
    #[schema(format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    goes_at: Option<String>,
}

fn arrived(uploaded: Uploaded) -> Arrived {
    let Uploaded { id, metadata, removed, due_at } = uploaded;
    Arrived {
        id: id.to_string(),
        format: metadata.format.name().to_lowercase(),
        width: metadata.width,
        height: metadata.height,
        bytes: metadata.bytes,
        removed: removed.into_iter().map(ToOwned::to_owned).collect(),
        goes_at: due_at.map(moment),
    }
}

/// An image at rest.
#[derive(Serialize, ToSchema)]
pub(super) struct Image {
    /// Its id.
    pub(super) id: String,
    /// `input-image` for an upload, `output-image` for a result.
    pub(super) category: String,
    /// Its media type.
    pub(super) media_type: String,
    /// Pixels across.
    pub(super) width: Option<u32>,
    /// Pixels down.
    pub(super) height: Option<u32>,
    /// Bytes.
    pub(super) bytes: u64,
    /// The edit it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) edit: Option<String>,
    /// When it was stored.
    #[schema(format = DateTime)]
    pub(super) stored_at: String,
    /// When it goes, if a clock runs.
    #[schema(format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) goes_at: Option<String>,
}

pub(super) fn image(object: StoredObject) -> Image {
    let StoredObject { id, category, meta, item, .. } = object;
    Image {
        id: id.to_string(),
        category,
        media_type: meta.media_type,
        width: meta.width,
        height: meta.height,
        bytes: meta.len,
        edit: item.parent,
        stored_at: moment(item.created_at),
        goes_at: item.due_at.map(moment),
    }
}

/// Which images, and which page of them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    category: Option<String>,
    cursor: Option<String>,
    limit: Option<u32>,
}

/// Upload an image
///
/// The body is the picture itself. It is looked at by content, stripped of what the camera wrote into it, and sealed.
#[utoipa::path(post, path = "/v1/images", tag = "images",
    request_body(content((Vec<u8> = "image/jpeg"), (Vec<u8> = "image/png"), (Vec<u8> = "image/webp"))),
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key gives the first answer again.")),
    security(("token" = []), ("app-key" = ["edits"], "subject" = []), ("session" = [])),
    responses((status = 201, description = "Taken in.", body = Arrived),
        (status = 413, description = "More bytes or pixels than we take.", body = Problem),
        (status = 415, description = "Not a type that we take.", body = Problem),
        (status = 422, description = "Damaged, cut short, or animated.", body = Problem)))]
async fn upload(
    State(edge): State<Edge>,
    Extension(turns): Extension<Turns>,
    caller: UserCaller,
    key: Idempotent,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Fault> {
    caller.allows(Scope::Edits)?;
    let turn = turns.upload().await?;
    let bytes = picture(&headers, body, edge.app.editing.limits().max_bytes).await?;
    let (tenant, who) = (&caller.owner.tenant, caller.owner.subject.to_string());
    let once = Once { tenant, caller: &who, route: "POST /v1/images", key: &key, body: &bytes };
    let (editing, by, sent) =
        (edge.app.editing.clone(), (caller.owner.clone(), caller.actor.clone()), bytes.clone());
    let shape = Shape { status: StatusCode::CREATED, of: |uploaded: &Uploaded| arrived(uploaded.clone()) };
    let work = move |closing| async move {
        // Held as long as the picture is in memory, also when nobody waits any more.
        let _turn = turn;
        let cleaned = editing.cleaned(&by.0, &by.1, sent).await?;
        Ok(editing.take_in_once(&by.0, cleaned, &closing).await?)
    };
    edge.once(once, shape, move |closing| work(closing).boxed()).await
}

/// One's images, newest first
#[utoipa::path(get, path = "/v1/images", tag = "images",
    params(("category" = Option<String>, Query, description = "`input-image` or `output-image`; both unless said."),
        ("cursor" = Option<String>, Query), ("limit" = Option<u32>, Query, minimum = 1, maximum = 200)),
    security(("token" = []), ("app-key" = ["edits"], "subject" = []), ("session" = [])),
    responses((status = 200, description = "A page of images.", body = Listing<Image>)))]
async fn list(
    State(edge): State<Edge>,
    caller: UserCaller,
    Query(which): Query<Which>,
) -> Result<Json<Listing<Image>>, Fault> {
    caller.allows(Scope::Edits)?;
    let policy = edge.app.vault.policy(&caller.owner.tenant)?;
    let wanted: Vec<&str> = match which.category.as_deref() {
        // Of what a document does not declare there is nothing to list.
        None => CATEGORIES.into_iter().filter(|c| policy.category(c).is_some()).collect(),
        Some(one) => CATEGORIES.into_iter().filter(|c| *c == one).collect(),
    };
    if wanted.is_empty() && which.category.is_some() {
        return Err(invalid("category is input-image or output-image"));
    }
    let list = caller.list(&format!("images/{}", wanted.join("+")));
    let (before, size) = Paging::new(which.cursor, which.limit).of(&edge, &list)?;
    let page = newest(&edge, &caller, &wanted, (before.as_deref(), size)).await?;
    Ok(Json(Listing::of(&edge, &list, page, image)))
}

/// One page out of several categories' pages.
async fn newest(
    edge: &Edge,
    caller: &UserCaller,
    categories: &[&str],
    (before, size): (Option<&str>, PageSize),
) -> Result<Page<StoredObject>, Fault> {
    let access = Access { actor: &caller.actor, purpose: PURPOSE };
    let (mut all, mut floor) = (Vec::new(), None::<String>);
    for category in categories {
        let page = edge.app.vault.newest_objects(&caller.owner, &access, category, (before, size)).await?;
        floor = floor.max(page.next);
        all.extend(page.items.into_iter().map(|object| (object.id.to_string(), object)));
    }
    all.sort_by(|(a, _), (b, _)| b.cmp(a));
    // Where a category's page ended, the others must end too, or the next page would leave something out.
    all.retain(|(id, _)| floor.as_ref().is_none_or(|floor| id >= floor));
    let cut = all.len() > size.get();
    all.truncate(size.get());
    let next = if cut { all.last().map(|(id, _)| id.clone()) } else { floor };
    Ok(Page { items: all.into_iter().map(|(_, object)| object).collect(), next })
}

/// An image's bytes
///
/// Streams. Takes a `Range` of bytes, so that a download that broke off can be taken up again.
#[utoipa::path(get, path = "/v1/images/{id}", tag = "images",
    params(("id" = String, Path), ("Range" = Option<String>, Header, example = "bytes=0-65535")),
    security(("token" = []), ("app-key" = ["edits"], "subject" = []), ("session" = [])),
    responses((status = 200, description = "The image.", content_type = "image/*", body = Vec<u8>),
        (status = 206, description = "The part of it that was asked for.", content_type = "image/*", body = Vec<u8>),
        (status = 404, description = "Not there, or not one's own.", body = Problem),
        (status = 416, description = "There are no bytes in that range.", body = Problem)))]
async fn read(
    State(edge): State<Edge>,
    caller: UserCaller,
    Named(id): Named<ObjectId>,
    headers: HeaderMap,
) -> Result<Response, Fault> {
    caller.allows(Scope::Edits)?;
    let access = Access { actor: &caller.actor, purpose: PURPOSE };
    let object = edge.app.vault.object(&caller.owner, &access, id).await?;
    let etag = format!("\"{}\"", object.meta.sha256);
    let name = file_name(&object);
    let file = File { media_type: &object.meta.media_type, name: &name, len: object.meta.len, etag: &etag };
    let wanted = match file.wanted(&headers) {
        Ok(wanted) => wanted,
        Err(response) => return Ok(*response),
    };
    let open = edge.app.vault.open_object(&caller.owner, &access, id, wanted.range()).await?;
    Ok(file.carry(&wanted, open.bytes))
}

/// `upload-0a1b2c3d.jpg`: of our own making, so that nothing of a name given elsewhere can be in it.
fn file_name(object: &StoredObject) -> String {
    let id = object.id.to_string();
    let (_, tail) = id.split_at(id.len().saturating_sub(8));
    let what = if object.category == "input-image" { "upload" } else { "result" };
    let ending = object.meta.media_type.trim_start_matches("image/").replace("jpeg", "jpg");
    format!("{what}-{tail}.{ending}")
}

/// Delete an image
///
/// Its key is destroyed at once, its bytes after it. There is no way back.
#[utoipa::path(delete, path = "/v1/images/{id}", tag = "images", params(("id" = String, Path)),
    security(("token" = []), ("app-key" = ["edits"], "subject" = []), ("session" = [])),
    responses((status = 204, description = "Gone."),
        (status = 404, description = "Not there, or not one's own.", body = Problem)))]
async fn delete(
    State(edge): State<Edge>,
    caller: UserCaller,
    Named(id): Named<ObjectId>,
) -> Result<StatusCode, Fault> {
    caller.allows(Scope::Edits)?;
    edge.app.vault.erase_object(&caller.owner, id, caller.actor.role()).await?;
    Ok(StatusCode::NO_CONTENT)
}
