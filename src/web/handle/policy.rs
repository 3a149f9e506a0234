//! The public policy page: the document, and beside each clause whether it is being kept.

use std::sync::Arc;

use axum::Json;
use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};

use crate::edge::{Fault, PromiseBoard};
use crate::policy::Policy;
use crate::web::evidence;
use crate::web::page::{Answer, Visit, day, html, not_found};
use crate::web::shape::document::{changes, clauses, earlier, preamble};
use crate::web::view::PolicyPage;

/// `GET /policy`
pub(crate) async fn in_force(visit: Visit) -> Answer {
    let policy = Arc::clone(&visit.policy);
    show(visit, policy).await
}

/// `GET /policy/{version}`
pub(crate) async fn version(visit: Visit, Path((_, version)): Path<(String, String)>) -> Answer {
    let policy = visit.edge.app.library.version(&visit.tenant, &version).ok_or_else(not_found)?;
    show(visit, policy).await
}

async fn show(visit: Visit, policy: Arc<Policy>) -> Answer {
    let app = &visit.edge.app;
    let in_force = policy.version() == visit.policy.version();
    let board = if in_force { Some(app.audit.promises(&visit.tenant).await?) } else { None };
    let all = app.library.versions(&visit.tenant);
    let older = all.iter().rfind(|p| p.effective() < policy.effective());
    html(&PolicyPage {
        shell: visit.shell().await?,
        title: policy.title().to_owned(),
        controller: policy.controller().name.clone(),
        preamble: preamble(&policy),
        effective: day(policy.effective()),
        version: policy.version().to_owned(),
        hash: hex::encode(policy.hash()),
        published: evidence::publication(app, &visit.tenant, policy.version()).await?,
        in_force,
        upcoming: in_force.then(|| super::versions::upcoming(&visit)).flatten(),
        tally: board.as_ref().map(evidence::tally).unwrap_or_default(),
        checked: board.as_ref().and_then(|b| b.checked).map(Into::into),
        clauses: clauses(&policy, board.as_ref()),
        changes: changes(visit.tongue(), older.map(Arc::as_ref), &policy),
        earlier: earlier(&visit.root(), all.iter().map(Arc::as_ref), &policy),
        contact: policy.contact().privacy.clone(),
        source_href: format!("{}/policy/{}/source", visit.root(), policy.version()),
    })
}

/// `GET /policy/{version}/source`
pub(crate) async fn source(visit: Visit, Path((_, version)): Path<(String, String)>) -> Answer {
    let policy = visit.edge.app.library.version(&visit.tenant, &version).ok_or_else(not_found)?;
    let text = policy.source().to_owned();
    let kind = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
    Ok((kind, text).into_response())
}

/// `GET /policy/promises.json`: what the API tells at `/v1/promises/{tenant}`.
pub(crate) async fn promises(visit: Visit) -> Result<Response, Fault> {
    let board = visit.edge.app.audit.promises(&visit.tenant).await?;
    Ok(Json(PromiseBoard::from(&board)).into_response())
}
