//! Versions of the document, as one person had them.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::moment;
use super::ask::Named;
use crate::edge::{Edge, Fault, Problem, UserCaller};
use crate::publication::{self, News};
use crate::subjects::Scope;

pub(super) fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new().routes(routes!(timeline)).routes(routes!(acknowledge))
}

/// What one had in force when.
#[derive(Serialize, ToSchema)]
struct Timeline {
    /// The versions, oldest first; one that is only announced is the last.
    items: Vec<Era>,
    /// Versions that one was told of and has not acknowledged.
    unread: Vec<Unread>,
}

/// A version, as one had it.
#[derive(Serialize, ToSchema)]
struct Era {
    /// The version.
    #[schema(example = "2026-11-01")]
    version: String,
    /// SHA-256 of its source, as published on the ledger.
    sha256: String,
    /// Since when it is in force for the person: since its day, or since they came. May lie ahead.
    #[schema(format = DateTime)]
    from: String,
    /// Until when, if a later version is published.
    #[schema(format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
    /// Since when the notice of it stands in the privacy centre.
    #[schema(format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    posted_at: Option<String>,
    /// When the letter about it was sent.
    #[schema(format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    mailed_at: Option<String>,
    /// When the person said that they had read of it.
    #[schema(format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    acknowledged_at: Option<String>,
    /// The words that the person gave under it, oldest first.
    words: Vec<Given>,
}

/// A word given under a version.
#[derive(Serialize, ToSchema)]
struct Given {
    /// The purpose.
    purpose: String,
    /// `given`, `refused`, `withdrawn` or `objected`.
    state: String,
    /// When.
    #[schema(format = DateTime)]
    at: String,
}

/// A version that one was told of.
#[derive(Serialize, ToSchema)]
struct Unread {
    /// The version.
    version: String,
    /// From when it is in force.
    #[schema(format = DateTime)]
    effective: String,
    /// What it changes for people, a sentence each.
    changes: Vec<String>,
    /// Whether something in it needs a yes, which is off until it is given.
    asks_again: bool,
}

/// What was taken down.
#[derive(Serialize, ToSchema)]
struct Acknowledged {
    /// The version.
    version: String,
    /// When it was acknowledged first.
    #[schema(format = DateTime)]
    acknowledged_at: String,
}

fn era(era: publication::Era) -> Era {
    let given = |(purpose, word): (String, crate::consent::Word)| Given {
        purpose,
        state: word.state.as_str().to_owned(),
        at: moment(word.at),
    };
    Era {
        version: era.version,
        sha256: era.sha256,
        from: moment(era.from),
        until: era.until.map(moment),
        posted_at: era.posted_at.map(moment),
        mailed_at: era.mailed_at.map(moment),
        acknowledged_at: era.acknowledged_at.map(moment),
        words: era.words.into_iter().map(given).collect(),
    }
}

fn unread(news: News) -> Unread {
    Unread {
        asks_again: news.asks_again(),
        effective: moment(news.effective),
        changes: news.changes.into_iter().map(|change| change.says).collect(),
        version: news.version,
    }
}

/// Which version of the document one had in force when
///
/// With what one was told of each, when and how, and the words one gave under it.
#[utoipa::path(get, path = "/v1/account/policies", tag = "accounts",
    security(("token" = []), ("app-key" = ["rights"], "subject" = []), ("session" = [])),
    responses((status = 200, description = "The versions, oldest first.", body = Timeline)))]
async fn timeline(State(edge): State<Edge>, caller: UserCaller) -> Result<Json<Timeline>, Fault> {
    caller.allows(Scope::Rights)?;
    let publications = &edge.app.publications;
    let items = publications.timeline(&caller.owner).await?.into_iter().map(era).collect();
    let news = publications.unread(&caller.owner).await?.into_iter().map(unread).collect();
    Ok(Json(Timeline { items, unread: news }))
}

/// Say that one has read of a new version
///
/// It is no consent: what needs a yes stays off until `/v1/consents/{purpose}` says otherwise. Again is harmless.
#[utoipa::path(put, path = "/v1/account/policies/{version}/acknowledgement", tag = "accounts",
    params(("version" = String, Path, example = "2027-01-01")),
    security(("token" = []), ("app-key" = ["rights"], "subject" = []), ("session" = [])),
    responses((status = 200, description = "Taken down.", body = Acknowledged),
        (status = 404, description = "One was not told of such a version.", body = Problem)))]
async fn acknowledge(
    State(edge): State<Edge>,
    caller: UserCaller,
    Named(version): Named<String>,
) -> Result<Json<Acknowledged>, Fault> {
    caller.allows(Scope::Rights)?;
    let at = edge.app.publications.acknowledge(&caller.owner, &version).await?;
    Ok(Json(Acknowledged { version, acknowledged_at: moment(at) }))
}
