//! Letters that came in, handed over by a mail system or by a mail provider's webhook.

use std::net::IpAddr;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::ask::{self, Query};
use crate::edge::{ApiCaller, Edge, Fault, Problem};
use crate::intake::{Envelope, MOST_BYTES};
use crate::subjects::Scope;

pub(super) fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new().routes(routes!(hand_over))
}

/// What the mail system knows besides the letter.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Known {
    client: Option<IpAddr>,
    helo: Option<String>,
    sender: Option<String>,
}

/// What became of a letter. Never whether its writer has an account.
#[derive(Serialize, ToSchema)]
struct LetterTaken {
    /// `taken`: its writer was asked to confirm it. `again`: it was linked to one that waits. `automatic`: a machine wrote
    /// it, and it was left alone. `not-a-request`: it is for people to read.
    #[schema(example = "taken")]
    outcome: &'static str,
}

/// Hand over a letter that came in
///
/// The letter as it came, from the first line of its header to its end, at most 5 MiB. One that is to the address of the
/// policy and bears its subject line becomes a request as soon as its writer confirms it by the link they are sent; until
/// then nothing is released or changed. A letter may be handed over again: it is known by its Message-ID.
#[utoipa::path(post, path = "/v1/intake/mail", tag = "requests",
    request_body(content = String, content_type = "message/rfc822"),
    params(("client" = Option<String>, Query, description = "The address of the machine that sent it, for SPF."),
        ("helo" = Option<String>, Query, description = "What that machine called itself, for SPF."),
        ("sender" = Option<String>, Query, description = "Where bounces go; empty for a bounce.")),
    security(("app-key" = ["mail"])),
    responses((status = 202, description = "What became of it.", body = LetterTaken),
        (status = 413, description = "It is larger than 5 MiB.", body = Problem),
        (status = 422, description = "It is no letter that can be read. Nothing was changed.", body = Problem),
        (status = 429, description = "More came today than are taken. Hand it over again later.", body = Problem),
        (status = 503, description = "Its writer could not be written to just now. Hand it over again.", body = Problem)))]
async fn hand_over(
    State(edge): State<Edge>,
    caller: ApiCaller,
    Query(known): Query<Known>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<LetterTaken>), Fault> {
    caller.allows(Scope::Mail)?;
    let raw = ask::letter(&headers, body, MOST_BYTES).await?;
    let envelope = Envelope { client: known.client, helo: known.helo, sender: known.sender };
    let outcome = edge.app.intake.take(&caller.key.tenant, &raw, &envelope).await?;
    Ok((StatusCode::ACCEPTED, Json(LetterTaken { outcome: outcome.as_str() })))
}
