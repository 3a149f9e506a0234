//! Bringing in an archive that was taken home from elsewhere.

use std::collections::BTreeMap;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::moment;
use crate::base::Kind;
use crate::edge::{Edge, Fault, Problem, UserCaller};
use crate::imports::{self, Spool};

pub(super) fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new().routes(routes!(import)).routes(routes!(preview_import))
}

/// What an archive brings.
#[derive(Serialize, ToSchema)]
struct Brought {
    /// Where it comes from, as it says itself.
    from: ImportedFrom,
    /// Its pictures.
    images: ImportCount,
    /// Its records, by category.
    records: BTreeMap<&'static str, ImportCount>,
    /// Whether it was all here already: brought in before, or never gone. Then nothing of it was taken.
    already_here: bool,
    /// What else is in it and is never taken: consents, credits and so on.
    #[schema(example = json!(["account", "credits", "consents"]))]
    left: Vec<String>,
    /// The entry of the ledger that says what was taken, if anything was.
    #[serde(skip_serializing_if = "Option::is_none")]
    entry: Option<String>,
}

/// Where an archive comes from.
#[derive(Serialize, ToSchema)]
struct ImportedFrom {
    /// The service.
    tenant: String,
    /// Who answers for the data there.
    controller: String,
    /// The request that it answered.
    reference: String,
    /// When it was made.
    #[schema(format = DateTime)]
    made_at: String,
    /// The key that signed it: `name+id+base64`. The signature holds; whose the key is, only a comparison says.
    signed_by: String,
    /// Whether that is this installation's own key.
    signed_here: bool,
}

/// How many there are of a sort.
#[derive(Serialize, ToSchema)]
struct ImportCount {
    /// Not here yet: taken, or to be taken.
    new: u64,
    /// Here already.
    here: u64,
    /// Not of a sort that is taken here.
    refused: u64,
}

fn tally(t: imports::Tally) -> ImportCount {
    ImportCount { new: t.new, here: t.here, refused: t.refused }
}

fn told(brought: imports::Brought) -> Json<Brought> {
    let already_here = brought.is_here_already();
    let imports::Brought { from, images, records, left, entry } = brought;
    Json(Brought {
        from: ImportedFrom {
            tenant: from.tenant,
            controller: from.controller,
            reference: from.reference,
            made_at: moment(from.made_at),
            signed_by: from.signed_by.to_string(),
            signed_here: from.signed_here,
        },
        images: tally(images),
        records: records.into_iter().map(|(category, t)| (category, tally(t))).collect(),
        already_here,
        left,
        entry: entry.map(|e| e.to_string()),
    })
}

async fn received(edge: &Edge, headers: &HeaderMap, body: Body) -> Result<Spool, Fault> {
    let media_type = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    if !matches!(media_type, "application/zip" | "application/octet-stream") {
        let why = "send the archive itself as the body: application/zip";
        return Err(Fault::because(Kind::Unsupported, why));
    }
    Ok(edge.app.imports.receive(body.into_data_stream()).await?)
}

/// Bring in an archive
///
/// The body is a ZIP as `/v1/requests/{id}/archive` gives it, of this installation or another. All of it is checked before the
/// first thing is taken. What is here already is not taken twice: send the same archive again to go on where a call broke
/// off. Sent twice at once, it is taken once: the second answer says that all of it is here. Pictures become uploads and go when uploads go. Needs the person's own session or token.
#[utoipa::path(post, path = "/v1/imports", tag = "requests",
    request_body(content = Vec<u8>, content_type = "application/zip"),
    security(("token" = []), ("session" = [])),
    responses((status = 200, description = "What was taken.", body = Brought),
        (status = 400, description = "Not a whole archive.", body = Problem),
        (status = 413, description = "Larger than is taken.", body = Problem),
        (status = 415, description = "Not a ZIP.", body = Problem),
        (status = 422, description = "An archive that is not as it says, or that none of ours can be.", body = Problem)))]
async fn import(
    State(edge): State<Edge>,
    caller: UserCaller,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Brought>, Fault> {
    caller.in_person()?;
    let spool = received(&edge, &headers, body).await?;
    Ok(told(edge.app.imports.take(&caller.owner, &caller.actor, &spool).await?))
}

/// See what an archive would bring
///
/// As `/v1/imports`, and nothing is taken.
#[utoipa::path(post, path = "/v1/imports/preview", tag = "requests",
    request_body(content = Vec<u8>, content_type = "application/zip"),
    security(("token" = []), ("session" = [])),
    responses((status = 200, description = "What would be taken.", body = Brought),
        (status = 400, description = "Not a whole archive.", body = Problem),
        (status = 413, description = "Larger than is taken.", body = Problem),
        (status = 415, description = "Not a ZIP.", body = Problem),
        (status = 422, description = "An archive that is not as it says, or that none of ours can be.", body = Problem)))]
async fn preview_import(
    State(edge): State<Edge>,
    caller: UserCaller,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Brought>, Fault> {
    caller.in_person()?;
    let spool = received(&edge, &headers, body).await?;
    Ok(told(edge.app.imports.preview(&caller.owner, &caller.actor, &spool).await?))
}
