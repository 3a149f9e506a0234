//! A look at what is held of a person: by a role that the document lets, for a purpose it names, with a reason in words.

use axum::extract::Path;
use axum::http::Uri;
use serde_json::Value;

use super::found::Found;
use super::seat::{Seat, Sent};
use super::shell::{Answer, desk, page, see_other};
use crate::base::{Kind, PageSize, SubjectId};
use crate::edge::Fault;
use crate::policy::{Form, Policy, Role};
use crate::vault::{Access, Owner, WaitingLook, Wanted};
use crate::web::view::{Choice, Fact, Look, LookWaiting, Looked};

/// Most things of one look; what is beyond is counted.
const MOST: u32 = 50;

/// What somebody in this role may look at, and for which purpose, as the document's rules say.
pub(super) fn choices(policy: &Policy, role: Role) -> Vec<Choice> {
    let mut all: Vec<Choice> = Vec::new();
    for rule in policy.access_rules().filter(|rule| rule.who.contains(&role)) {
        for (category, purpose) in
            rule.categories.iter().flat_map(|c| rule.purposes.iter().map(move |p| (c, p)))
        {
            if policy.may_read(category, role, purpose).is_err() {
                continue;
            }
            let title = policy.category(category).map_or(category.as_str(), |c| c.title.as_str());
            let aim = policy.purpose(purpose).map_or(purpose.as_str(), |p| p.title.as_str());
            let (value, says) = (format!("{category} {purpose}"), format!("{title}, for: {aim}"));
            if all.iter().all(|choice| choice.value != value) {
                all.push(Choice { value, says, chosen: false });
            }
        }
    }
    all
}

/// Looks of others that wait for whoever sits here.
pub(super) async fn waiting(seat: &Seat) -> Result<Vec<LookWaiting>, Fault> {
    let looks = seat.edge.app.vault.waiting_looks(&seat.tenant, &seat.actor()).await?;
    let row = |look: WaitingLook| LookWaiting {
        id: look.id.to_string(),
        staff: look.staff,
        subject: look.subject.to_string(),
        purpose: look.purpose,
        at: look.at.into(),
    };
    Ok(looks.into_iter().map(row).collect())
}

/// `POST /desk/people/look` (`subject`, `what`, `reason`). A reason that was given within half an hour need not be given
/// again.
pub(super) async fn look(uri: Uri, sent: Sent) -> Answer {
    let Sent { seat, fields } = sent;
    let (what, app) = (fields.one("what").to_owned(), &seat.edge.app);
    let (category, purpose) = what.split_once(' ').ok_or_else(|| Fault::new(Kind::Invalid))?;
    let subject: SubjectId = fields.one("subject").parse().map_err(|_| Fault::new(Kind::NotFound))?;
    let (owner, actor) = (Owner::new(&seat.tenant, subject), seat.actor());
    let access = Access { actor: &actor, purpose };
    app.subjects.get(&owner).await?;
    let wanted = app.vault.look_wants(&owner, &access, category).await?;
    if wanted == Wanted::Reason || !fields.one("reason").is_empty() {
        app.requests.state_reason(&owner, &access, &fields.secret("reason")).await?;
    }
    let waits = app.vault.look_wants(&owner, &access, category).await? == Wanted::SecondPerson;
    let (things, more) =
        if waits { (Vec::new(), false) } else { things(&seat, &owner, &access, category).await? };
    let policy = app.vault.policy(&seat.tenant)?;
    page(&Look {
        subject: subject.to_string(),
        title: policy.category(category).map_or(category.to_owned(), |c| c.title.clone()),
        purpose: policy.purpose(purpose).map_or(purpose.to_owned(), |p| p.title.clone()),
        what: what.clone(),
        waits,
        things,
        more,
        desk: desk(&seat, &Found::at_seat(&seat).await?, &uri).await?,
    })
}

/// What is there: the fields of each record; of a picture, that it is there and since when, never the picture.
async fn things(
    seat: &Seat,
    owner: &Owner,
    access: &Access<'_>,
    category: &str,
) -> Result<(Vec<Looked>, bool), Fault> {
    let vault = &seat.edge.app.vault;
    let form = vault.policy(&seat.tenant)?.category(category).map(|c| c.form);
    let size = PageSize::new(MOST).unwrap_or_default();
    if form == Some(Form::Object) {
        let page = vault.objects(owner, access, category, (None, size)).await?;
        let looked = |object: &crate::vault::StoredObject| Looked {
            at: object.item.created_at.into(),
            facts: vec![Fact { name: "Picture".to_owned(), value: object.id.to_string() }],
        };
        return Ok((page.items.iter().map(looked).collect(), page.next.is_some()));
    }
    let page = vault.records(owner, access, category, (None, size)).await?;
    let looked = page
        .items
        .iter()
        .map(|record| Looked { at: record.updated_at.into(), facts: fields(&record.name, &record.value) });
    Ok((looked.collect(), page.next.is_some()))
}

fn fields(name: &str, value: &Value) -> Vec<Fact> {
    let shown = |value: &Value| value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
    match value.as_object() {
        Some(map) => map
            .iter()
            .map(|(name, value)| Fact { name: name.replace('_', " "), value: shown(value) })
            .collect(),
        None => vec![Fact { name: name.to_owned(), value: shown(value) }],
    }
}

/// `POST /desk/people/looks/{id}/agree`
pub(super) async fn agree(Path((_, id)): Path<(String, String)>, sent: Sent) -> Answer {
    let seat = sent.seat;
    let id = id.parse().map_err(|_| Fault::new(Kind::NotFound))?;
    seat.edge.app.vault.approve_look(&seat.tenant, id, &seat.actor()).await?;
    Ok(see_other(&seat, "/people", "let-look"))
}
