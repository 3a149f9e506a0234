//! Receipts: for whoever has the id, before an erasure and after.

use axum::extract::Path;

use super::ledger::attached;
use crate::base::{EntryId, ReceiptId};
use crate::web::page::{Answer, Person, Visit, html, id, not_found, see};
use crate::web::shape::entries::{Shown, file_name, receipt_href, receipt_page};

/// `GET /receipts/{id}`
pub(crate) async fn show(visit: Visit, Path((_, receipt)): Path<(String, String)>) -> Answer {
    let receipt: ReceiptId = id(&receipt)?;
    let (issued, receipt) = visit.edge.app.requests.receipt(receipt).await?;
    if issued.tenant != visit.tenant {
        return Err(not_found());
    }
    let page = receipt_page(Shown {
        shell: visit.shell().await?,
        receipt: &receipt,
        key: visit.edge.app.ledger.verifier(),
        id: issued.id.to_string(),
        file_href: format!("{}/file", receipt_href(&visit.root(), issued.id)),
    })?;
    html(&page)
}

/// `GET /receipts/{id}/file`
pub(crate) async fn file(visit: Visit, Path((_, receipt)): Path<(String, String)>) -> Answer {
    let receipt: ReceiptId = id(&receipt)?;
    let (issued, receipt) = visit.edge.app.requests.receipt(receipt).await?;
    if issued.tenant != visit.tenant {
        return Err(not_found());
    }
    Ok(attached(receipt.to_text()?, &file_name(&issued.id.to_string())))
}

/// `GET /privacy/consents/receipt/{entry}`: issues the receipt of a word of this person with the first asking.
pub(crate) async fn of_consent(person: Person, Path((_, entry)): Path<(String, String)>) -> Answer {
    let entry: EntryId = id(&entry)?;
    let receipt = person.edge.app.requests.consent_receipt(&person.owner, entry).await?;
    Ok(see(&receipt_href(&person.root(), receipt)))
}
