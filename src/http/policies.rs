//! The documents, and how their promises are kept: for anybody.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::moment;
use super::ask::Named;
use crate::base::{Kind, TenantId};
use crate::edge::{ApiCaller, Edge, Fault, Problem, PromiseBoard};
use crate::policy::{self, Policy};
use crate::retention::BoardRow;
use crate::subjects::Scope;

pub(super) fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new().routes(routes!(document)).routes(routes!(promises)).routes(routes!(retention))
}

/// A policy document.
#[derive(Serialize, ToSchema)]
struct Document {
    /// Whose it is.
    tenant: String,
    /// What it is called.
    title: String,
    /// Its version.
    version: String,
    /// Since when it is in force.
    #[schema(format = Date)]
    effective: String,
    /// SHA-256 of its source, as published on the ledger.
    sha256: String,
    /// The versions there were, oldest first.
    versions: Vec<String>,
    /// Its clauses, in order.
    clauses: Vec<Clause>,
    /// Its rules, by kind, every default filled in.
    #[schema(value_type = Object)]
    rules: serde_json::Value,
    /// The document as it was written: Markdown with rule blocks.
    source: String,
}

/// A clause.
#[derive(Serialize, ToSchema)]
struct Clause {
    /// Its id: the anchor on the policy's page.
    id: String,
    /// Its heading.
    title: String,
    /// 1 to 6.
    level: u8,
    /// What it says.
    text: String,
    /// The rules that bind it.
    rules: Vec<String>,
}

fn clause(clause: &policy::Clause) -> Clause {
    let policy::Clause { id, title, level, text, rules, .. } = clause;
    Clause { id: id.clone(), title: title.clone(), level: *level, text: text.clone(), rules: rules.clone() }
}

fn rules(policy: &Policy) -> serde_json::Value {
    serde_json::json!({
        "category": policy.categories().collect::<Vec<_>>(),
        "purpose": policy.purposes().collect::<Vec<_>>(),
        "processor": policy.processors().collect::<Vec<_>>(),
        "retention": policy.retention_rules().collect::<Vec<_>>(),
        "access": policy.access_rules().collect::<Vec<_>>(),
        "right": policy.rights().collect::<Vec<_>>(),
        "safeguard": policy.safeguards().collect::<Vec<_>>(),
        "attestation": policy.attestations().collect::<Vec<_>>(),
        "notice": policy.notices().collect::<Vec<_>>(),
    })
}

/// How a rule on how long things are kept stands.
#[derive(Serialize, ToSchema)]
pub(super) struct Kept {
    /// What it is about.
    category: String,
    /// Its name for people.
    title: String,
    /// The rule; empty when none ends it yet.
    rule: String,
    /// The rule in words.
    says: String,
    /// Whether nothing is past its time.
    #[serde(rename = "kept")]
    holds: bool,
    /// Things alive.
    live: i64,
    /// Of them, past their time.
    overdue: i64,
    /// By how much the longest overdue is late, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    late_by: Option<i64>,
    /// When the next goes.
    #[schema(format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    next_due: Option<String>,
    /// When the oldest was stored.
    #[schema(format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    oldest: Option<String>,
    /// Erased in the last day.
    erased_day: i64,
    /// Erased in the last thirty days.
    erased_month: i64,
}

pub(super) fn kept(row: BoardRow) -> Kept {
    Kept {
        holds: row.overdue == 0,
        late_by: row.latest.map(|late| late.num_seconds()),
        next_due: row.next_due.map(moment),
        oldest: row.oldest.map(moment),
        category: row.category,
        title: row.title,
        rule: row.rule,
        says: row.period,
        live: row.live,
        overdue: row.overdue,
        erased_day: row.erased_day,
        erased_month: row.erased_month,
    }
}

/// How every rule stands, now.
#[derive(Serialize, ToSchema)]
pub(super) struct Board {
    /// When this was looked at.
    #[schema(format = DateTime)]
    checked_at: String,
    /// Things past their time, over all rules. Zero is a kept promise.
    overdue: i64,
    /// Rights requests whose promised time is over and that are not answered.
    overdue_requests: usize,
    /// One row for each category and rule.
    items: Vec<Kept>,
}

pub(super) async fn board(edge: &Edge, tenant: &TenantId) -> Result<Board, Fault> {
    let rows = edge.app.retention.board(tenant).await?;
    let now = edge.app.clock.now();
    let late = edge.app.requests.overdue(tenant, now).await?;
    Ok(Board {
        checked_at: moment(now),
        overdue: rows.iter().map(|row| row.overdue).sum(),
        overdue_requests: late.len(),
        items: rows.into_iter().map(kept).collect(),
    })
}

/// The document in force
#[utoipa::path(get, path = "/v1/policies/{tenant}", tag = "policies",
    params(("tenant" = String, Path, example = "flux-kontext")),
    responses((status = 200, description = "The document.", body = Document),
        (status = 404, description = "There is no such tenant.", body = Problem)))]
async fn document(State(edge): State<Edge>, Named(tenant): Named<TenantId>) -> Result<Json<Document>, Fault> {
    let policy = edge.app.vault.policy(&tenant)?;
    let versions = edge.app.library.versions(&tenant);
    Ok(Json(Document {
        tenant: tenant.to_string(),
        title: policy.title().to_owned(),
        version: policy.version().to_owned(),
        effective: policy.effective().to_string(),
        sha256: hex::encode(policy.hash()),
        versions: versions.iter().map(|v| v.version().to_owned()).collect(),
        clauses: policy.clauses().iter().map(clause).collect(),
        rules: rules(&policy),
        source: policy.source().to_owned(),
    }))
}

/// Whether what is promised is being kept, clause by clause
#[utoipa::path(get, path = "/v1/promises/{tenant}", tag = "policies",
    params(("tenant" = String, Path, example = "flux-kontext")),
    responses((status = 200, description = "The board, as of the last check of each rule.", body = PromiseBoard),
        (status = 404, description = "There is no such tenant.", body = Problem)))]
async fn promises(
    State(edge): State<Edge>,
    Named(tenant): Named<TenantId>,
) -> Result<Json<PromiseBoard>, Fault> {
    let board = edge.app.audit.promises(&tenant).await?;
    Ok(Json(PromiseBoard::from(&board)))
}

/// How every retention rule stands
#[utoipa::path(get, path = "/v1/retention/{tenant}", tag = "policies",
    params(("tenant" = String, Path, example = "flux-kontext")), security(("app-key" = ["metrics"])),
    responses((status = 200, description = "The board.", body = Board),
        (status = 404, description = "Not the key's tenant.", body = Problem)))]
async fn retention(
    State(edge): State<Edge>,
    caller: ApiCaller,
    Named(tenant): Named<TenantId>,
) -> Result<Json<Board>, Fault> {
    caller.allows(Scope::Metrics)?;
    if caller.key.tenant != tenant {
        return Err(Fault::new(Kind::NotFound));
    }
    Ok(Json(board(&edge, &tenant).await?))
}
