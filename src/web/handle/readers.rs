//! Who read one's data, and notices to the person.

use axum::extract::Query;
use chrono::TimeDelta;
use serde::Deserialize;

use crate::base::{Page, PageSize};
use crate::edge::Fault;
use crate::ledger::{EntryKind, Filter, Logged};
use crate::web::page::{Answer, Person, html};
use crate::web::shape::privacy::{handed, looked, machines, notices, read};
use crate::web::view::{Notices, Readers};

/// Which page of the reads.
#[derive(Debug, Deserialize)]
pub(crate) struct Before {
    before: Option<String>,
}

/// `GET /privacy/readers`
pub(crate) async fn readers(person: Person, Query(at): Query<Before>) -> Answer {
    let (tongue, root, policy) = (person.tongue(), person.root(), &person.policy);
    let staff = staff(&person, at.before.as_deref()).await?;
    let reasons = person.edge.app.requests.reasons(&person.owner).await?;
    let refused = about(&person, EntryKind::READ_REFUSED, None).await?;
    let sent = person.edge.app.disclosures.of(&person.owner).await?;
    let given = person.edge.app.requests.handed(&person.owner, person.now).await?;
    html(&Readers {
        shell: person.shell().await?,
        staff: staff.items.iter().map(|entry| looked(tongue, &root, policy, entry, &reasons)).collect(),
        machines: machines(tongue, policy, &sent, person.now.plus(TimeDelta::days(-30))),
        refused: refused.items.iter().map(|entry| read(tongue, &root, policy, entry)).collect(),
        handed: given.iter().map(|one| handed(tongue, policy, one)).collect(),
        older_href: staff.next.map(|next| format!("{root}/privacy/readers?before={next}")),
    })
}

/// A page of what staff read of the person.
pub(super) async fn staff(person: &Person, before: Option<&str>) -> Result<Page<Logged>, Fault> {
    about(person, EntryKind::READ_STAFF, before).await
}

async fn about(person: &Person, kind: EntryKind, before: Option<&str>) -> Result<Page<Logged>, Fault> {
    let app = &person.edge.app;
    let subject = app.vault.subject_ref(&person.owner).await?;
    let filter = Filter { kind: Some(kind), subject: Some(subject) };
    Ok(app.ledger.list(&person.tenant, &filter, PageSize::default(), before).await?)
}

/// `GET /notices`
pub(crate) async fn told(person: Person) -> Answer {
    let app = &person.edge.app;
    let subject = app.subjects.get(&person.owner).await?;
    let versions = app.library.versions(&person.tenant);
    let size = PageSize::new(200).unwrap_or_default();
    let requests = app.requests.list(&person.owner, None, size).await?.items;
    let times = (person.session.created_at, person.now);
    let shell = person.shell().await?;
    html(&Notices { notices: notices(&shell, &versions, (&subject, &requests), times), shell })
}
