//! The ledger for anyone: the page, and each entry with its proof. The files for machines are the API's.

use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;

use crate::audit::Check;
use crate::base::{Page, PageSize};
use crate::edge::{Edge, Fault};
use crate::ledger::{Filter, Logged};
use crate::speech::Tongue;
use crate::web::evidence::ledger_check;
use crate::web::fault_page::house;
use crate::web::page::{Answer, Visit, html, not_found, with};
use crate::web::shape::entries::{Shown, file_name, receipt_page, row};
use crate::web::tongue::Spoken;
use crate::web::view::{Count, LedgerPage, Seal, Shell, State as Standing};

/// Entries on a page.
const ON_A_PAGE: u32 = 50;

/// Which page of the ledger.
#[derive(Debug, Deserialize)]
pub(crate) struct Before {
    before: Option<String>,
}

/// `GET /ledger` of the house: everybody's entries.
pub(crate) async fn whole(State(edge): State<Edge>, spoken: Spoken, Query(at): Query<Before>) -> Answer {
    let size = PageSize::new(ON_A_PAGE).unwrap_or_default();
    let page = edge.app.ledger.tail(size, at.before.as_deref()).await?;
    let checked = newest_check(&edge).await?;
    show(&edge, house(&edge, spoken), page, checked).await
}

/// `GET /{tenant}/ledger`: a tenant's entries.
pub(crate) async fn of_tenant(visit: Visit, Query(at): Query<Before>) -> Answer {
    let size = PageSize::new(ON_A_PAGE).unwrap_or_default();
    let ledger = &visit.edge.app.ledger;
    let page = ledger.list(&visit.tenant, &Filter::default(), size, at.before.as_deref()).await?;
    let checked = ledger_check(&visit.edge.app, &visit.tenant).await?;
    show(&visit.edge, visit.shell().await?, page, checked).await
}

/// The newest check of the whole ledger, whichever tenant's document asked for it: there is one ledger.
async fn newest_check(edge: &Edge) -> Result<Option<Check>, Fault> {
    let mut newest: Option<Check> = None;
    for tenant in edge.app.library.tenants() {
        let check = ledger_check(&edge.app, &tenant).await?;
        newest = newest.into_iter().chain(check).max_by_key(|c| c.at);
    }
    Ok(newest)
}

async fn show(edge: &Edge, shell: Shell, page: Page<Logged>, checked: Option<Check>) -> Answer {
    let ledger = &edge.app.ledger;
    let head = ledger.checkpoint().await?;
    let older = page.next.map(|next| format!("{}/ledger?before={next}", shell.root));
    let found = checked.as_ref().map_or(Standing::Waiting, |c| c.outcome.verdict.into());
    html(&LedgerPage {
        origin: head.origin().to_owned(),
        size: Count(head.size()),
        root: head.root().to_string(),
        seal: (head.size() > 0).then(|| Seal::from(head.root().0)),
        signed_at: None,
        checkpoint: head.note().to_owned(),
        verifier_key: ledger.verifier().to_string(),
        archive_key: edge.app.requests.archive_key().to_string(),
        watched: watched(shell.tongue, edge).await?,
        self_check: if ledger.standing().await.is_ok() { found } else { Standing::Broken },
        self_checked: checked.map(|c| c.at.into()),
        entries: page.items.iter().map(|entry| row(shell.tongue, &shell.root, entry)).collect(),
        older_href: older,
        shell,
    })
}

/// Who else has seen this ledger, in a sentence.
async fn watched(tongue: Tongue, edge: &Edge) -> Result<String, Fault> {
    let of = edge.app.witnesses.len();
    if of == 0 {
        return Ok(tongue.say("None. Compare the checkpoint with somebody else’s.").to_owned());
    }
    let (signed, size) = edge.app.ledger.witnessed(&edge.app.witnesses).await?;
    let said = tongue.put("{signed} of {all} signed the ledger at {size} entries");
    let said = said.with("signed", signed).with("all", of).with("size", tongue.number(size)).text();
    let Some((name, _)) = edge.app.witnesses.doubt() else { return Ok(said) };
    let doubt =
        tongue.put("{name} says that it saw another ledger, and shows nothing for it; it is asked again");
    Ok(format!("{said}. {}", doubt.with("name", name).text()))
}

/// `GET /ledger/{n}` of the house.
pub(crate) async fn entry(State(edge): State<Edge>, spoken: Spoken, Path(n): Path<String>) -> Answer {
    let shell = house(&edge, spoken);
    one(&edge, shell, &n).await
}

/// `GET /{tenant}/ledger/{n}`
pub(crate) async fn entry_of_tenant(visit: Visit, Path((_, n)): Path<(String, String)>) -> Answer {
    let shell = visit.shell().await?;
    one(&visit.edge, shell, &n).await
}

/// An entry is shown as a receipt of itself: everything it takes to check it.
async fn one(edge: &Edge, shell: Shell, n: &str) -> Answer {
    let entry = find(edge, n).await?;
    let receipt = edge.app.ledger.receipt(entry.leaf.id, None).await?;
    let page = receipt_page(Shown {
        file_href: format!("{}/ledger/{n}/file", shell.root),
        shell,
        receipt: &receipt,
        key: edge.app.ledger.verifier(),
        id: entry.leaf.id.to_string(),
    })?;
    html(&page)
}

async fn find(edge: &Edge, n: &str) -> Result<Logged, Fault> {
    let n: u64 = n.parse().map_err(|_| not_found())?;
    let one = PageSize::new(1).unwrap_or_default();
    let after = n.checked_add(1).ok_or_else(not_found)?.to_string();
    let page = edge.app.ledger.tail(one, Some(&after)).await?;
    page.items.into_iter().next().filter(|entry| entry.index == n).ok_or_else(not_found)
}

/// `GET /ledger/{n}/file`: the proof of an entry, to keep.
pub(crate) async fn entry_file(State(edge): State<Edge>, Path(n): Path<String>) -> Answer {
    file(&edge, &n).await
}

/// `GET /{tenant}/ledger/{n}/file`
pub(crate) async fn entry_file_of_tenant(visit: Visit, Path((_, n)): Path<(String, String)>) -> Answer {
    file(&visit.edge, &n).await
}

async fn file(edge: &Edge, n: &str) -> Answer {
    let entry = find(edge, n).await?;
    let receipt = edge.app.ledger.receipt(entry.leaf.id, None).await?;
    Ok(attached(receipt.to_text()?, &file_name(&entry.leaf.id.to_string())))
}

/// A JSON file to keep.
pub(super) fn attached(text: String, name: &str) -> Response {
    let response = ([(header::CONTENT_TYPE, "application/json")], text).into_response();
    with(response, header::CONTENT_DISPOSITION, &format!("attachment; filename=\"{name}\""))
}
