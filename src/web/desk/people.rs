//! Finding a person by what they gave us, whole. What is found are ids, counts and dates, never what is in anything.

use axum::http::Uri;

use super::found::Found;
use super::look;
use super::seat::{Seat, Sent};
use super::shell::{Answer, count, desk, page};
use crate::base::{PageSize, SubjectId};
use crate::edge::Fault;
use crate::ledger::Entry;
use crate::requests;
use crate::subjects::{self, Email};
use crate::vault::{Holdings, Owner};
use crate::web::view::{Fact, Mistake, Mistakes, People, PersonRow};

/// The kind of entry that a search leaves.
const SEARCHED: &str = "people.searched";

/// `GET /desk/people`
pub(super) async fn show(seat: Seat, uri: Uri) -> Answer {
    render(&seat, &uri, String::new(), None, Mistakes::default()).await
}

/// `POST /desk/people` (`query`): by form, so that no address stands in a log or a history.
pub(super) async fn find(uri: Uri, sent: Sent) -> Answer {
    let Sent { seat, fields } = sent;
    let typed = fields.one("query").to_owned();
    let Some(asked) = Asked::of(&typed) else {
        let says = "Give a whole e-mail address, a reference such as PR-7KX2M-9QWMT, or a subject id.";
        let mistake = Mistake { field: "query".to_owned(), says: says.to_owned() };
        return render(&seat, &uri, typed, None, Mistakes(vec![mistake])).await;
    };
    let owner = owner(&seat, &asked).await?;
    note(&seat, &asked, owner.as_ref()).await?;
    let mut people = Vec::new();
    if let Some(owner) = owner {
        people.extend(person(&seat, &owner).await?);
    }
    render(&seat, &uri, typed, Some(people), Mistakes::default()).await
}

/// What somebody looks for.
enum Asked {
    Address(Email),
    Id(SubjectId),
    Reference(String),
}

impl Asked {
    fn of(text: &str) -> Option<Self> {
        if let Ok(id) = text.parse() {
            return Some(Self::Id(id));
        }
        if text.contains('@') {
            return text.parse().ok().map(Self::Address);
        }
        let sound = |c: char| c.is_ascii_alphanumeric() || c == '-';
        (text.len() >= 6 && text.len() <= 40 && text.chars().all(sound))
            .then(|| Self::Reference(text.to_owned()))
    }

    fn word(&self) -> &'static str {
        match self {
            Self::Address(_) => "address",
            Self::Id(_) => "id",
            Self::Reference(_) => "reference",
        }
    }
}

async fn owner(seat: &Seat, asked: &Asked) -> Result<Option<Owner>, Fault> {
    let app = &seat.edge.app;
    match asked {
        Asked::Address(email) => Ok(app.subjects.find(&seat.tenant, email).await?),
        Asked::Id(id) => Ok(Some(Owner::new(&seat.tenant, *id))),
        Asked::Reference(text) => match app.requests.by_reference(&seat.tenant, text).await {
            Ok(request) => Ok(request.subject.map(|id| Owner::new(&seat.tenant, id))),
            Err(requests::Error::NotFound) => Ok(None),
            Err(e) => Err(e.into()),
        },
    }
}

/// Writes down that somebody searched, by what, and whether they found somebody. Never what they typed.
async fn note(seat: &Seat, asked: &Asked, owner: Option<&Owner>) -> Result<(), Fault> {
    let app = &seat.edge.app;
    let mut entry = Entry::new(SEARCHED.parse()?, app.clock.now(), &seat.tenant, seat.role().as_str())
        .fact("staff", seat.staff.staff.id.to_string().as_str())
        .fact("by", asked.word());
    if let Some(owner) = owner
        && let Ok(about) = app.vault.subject_ref(owner).await
    {
        entry = entry.about(about);
    }
    let mut tx = app.db.begin().await?;
    app.ledger.append(&mut tx, entry).await?;
    Ok(tx.commit().await?)
}

async fn person(seat: &Seat, owner: &Owner) -> Result<Option<PersonRow>, Fault> {
    let app = &seat.edge.app;
    let subject = match app.subjects.get(owner).await {
        Ok(subject) if !subject.erasing => subject,
        Ok(_) | Err(subjects::Error::NotFound) => return Ok(None),
        Err(e) => return Err(e.into()),
    };
    let holds = app.retention.holds(&seat.tenant).await?;
    let requests = app.requests.list(owner, None, PageSize::default()).await?;
    Ok(Some(PersonRow {
        subject: owner.subject.to_string(),
        since: subject.created_at.into(),
        last_active: Some(subject.last_active_at.into()),
        holdings: app.requests.holdings(owner).await?.iter().map(|h| holding(seat, h)).collect(),
        restricted: subject.restricted_at.is_some(),
        held: holds.iter().any(|h| h.released_at.is_none() && h.subject.is_none_or(|s| s == owner.subject)),
        requests: requests.items.into_iter().map(|r| r.reference).collect(),
    }))
}

fn holding(seat: &Seat, held: &Holdings) -> Fact {
    let policy = seat.edge.app.vault.policy(&seat.tenant).ok();
    let title = policy.and_then(|p| p.category(&held.category).map(|c| c.title.clone()));
    Fact {
        name: title.unwrap_or_else(|| held.category.clone()),
        value: count(held.images + held.records).to_string(),
    }
}

async fn render(
    seat: &Seat,
    uri: &Uri,
    query: String,
    found: Option<Vec<PersonRow>>,
    mistakes: Mistakes,
) -> Answer {
    let desk = desk(seat, &Found::at_seat(seat).await?, uri).await?;
    let policy = seat.edge.app.vault.policy(&seat.tenant)?;
    let looks = look::choices(&policy, seat.role());
    page(&People { desk, query, found, looks, waiting: look::waiting(seat).await?, mistakes })
}
