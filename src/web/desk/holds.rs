//! Legal holds: what a law demands is kept, for whom, and until when it is looked at again.

use axum::extract::Path;
use axum::http::Uri;

use super::found::Found;
use super::seat::{Fields, Seat, Sent};
use super::shell::{Answer, count, day, desk, moment, page, see_other};
use crate::base::{HoldId, Kind, SubjectId, Timestamp};
use crate::edge::Fault;
use crate::requests;
use crate::retention::{BoardRow, Error, Hold, NewHold};
use crate::vault::Owner;
use crate::web::view::{Choice, HoldRow, Holds, Mistake, Mistakes};

/// `GET /desk/holds`
pub(super) async fn show(seat: Seat, uri: Uri) -> Answer {
    render(&seat, &uri, None, Mistakes::default()).await
}

/// `POST /desk/holds` (`whom`, `category`*, `reason`, `law`, `review`, `untold`)
pub(super) async fn place(uri: Uri, sent: Sent) -> Answer {
    let Sent { seat, fields } = sent;
    let wanted = match wanted(&seat, &fields).await? {
        Ok(wanted) => wanted,
        Err(mistake) => return render(&seat, &uri, Some(&fields), Mistakes(vec![mistake])).await,
    };
    let staff = &seat.staff.staff;
    for hold in wanted {
        match seat.edge.app.retention.hold(&seat.tenant, hold, staff.id, staff.role).await {
            Ok(_) => {}
            Err(Error::BadHold(what)) => {
                let mistakes = Mistakes(vec![missing(what)]);
                return render(&seat, &uri, Some(&fields), mistakes).await;
            }
            Err(e) => return Err(e.into()),
        }
    }
    Ok(see_other(&seat, "/holds", "held"))
}

/// `POST /desk/holds/{id}/approve`
pub(super) async fn approve(Path((_, id)): Path<(String, String)>, uri: Uri, sent: Sent) -> Answer {
    let seat = sent.seat;
    let id: HoldId = id.parse().map_err(|_| Fault::new(Kind::NotFound))?;
    let staff = &seat.staff.staff;
    match seat.edge.app.retention.approve(&seat.tenant, id, staff.id, staff.role).await {
        Ok(()) => Ok(see_other(&seat, "/holds", "approved")),
        Err(Error::SamePerson) => {
            let says = mistake("holds-title", "Somebody else than who placed the hold answers for it.");
            render(&seat, &uri, None, Mistakes(vec![says])).await
        }
        Err(e) => Err(e.into()),
    }
}

/// `POST /desk/holds/{id}/review` (`review`)
pub(super) async fn review(Path((_, id)): Path<(String, String)>, uri: Uri, sent: Sent) -> Answer {
    let Sent { seat, fields } = sent;
    let id: HoldId = id.parse().map_err(|_| Fault::new(Kind::NotFound))?;
    let Some(next) = day(fields.one("review")) else {
        let says = mistake("holds-title", "Say on which day the hold is looked at again.");
        return render(&seat, &uri, None, Mistakes(vec![says])).await;
    };
    match seat.edge.app.retention.review(&seat.tenant, id, Some(next), seat.staff.staff.role).await {
        Ok(()) => Ok(see_other(&seat, "/holds", "reviewed")),
        Err(Error::BadHold(what)) => {
            let says = mistake("holds-title", &format!("A hold needs {what}."));
            render(&seat, &uri, None, Mistakes(vec![says])).await
        }
        Err(e) => Err(e.into()),
    }
}

/// `POST /desk/holds/{id}/lift`
pub(super) async fn lift(Path((_, id)): Path<(String, String)>, sent: Sent) -> Answer {
    let seat = sent.seat;
    let id: HoldId = id.parse().map_err(|_| Fault::new(Kind::NotFound))?;
    let staff = &seat.staff.staff;
    seat.edge.app.retention.release(&seat.tenant, id, staff.id, staff.role).await?;
    Ok(see_other(&seat, "/holds", "lifted"))
}

pub(super) fn mistake(field: &str, says: &str) -> Mistake {
    Mistake { field: field.to_owned(), says: says.to_owned() }
}

/// What the room misses in a hold, beside its field.
fn missing(what: &str) -> Mistake {
    let field = match what {
        w if w.contains("matter") => "law",
        w if w.contains("review") => "review",
        _ => "reason",
    };
    mistake(field, &format!("A hold needs {what}."))
}

/// The holds that a form asks for: one for each category ticked, or one on everything of a person.
async fn wanted(seat: &Seat, fields: &Fields) -> Result<Result<Vec<NewHold>, Mistake>, Fault> {
    let policy = seat.edge.app.vault.policy(&seat.tenant)?;
    let subject = match subject(seat, fields.one("whom")).await? {
        Ok(subject) => subject,
        Err(wrong) => return Ok(Err(wrong)),
    };
    let categories: Vec<&str> = fields.all("category").filter(|c| policy.category(c).is_some()).collect();
    if subject.is_none() && categories.is_empty() {
        return Ok(Err(mistake("whom", "Say whose data, or tick the categories that the hold is on.")));
    }
    let Some(review) = day(fields.one("review")) else {
        return Ok(Err(mistake("review", "Say on which day the hold is looked at again.")));
    };
    let hold = |category: Option<&str>| NewHold {
        subject,
        category: category.map(ToOwned::to_owned),
        matter: fields.one("law").to_owned(),
        reason: fields.one("reason").to_owned(),
        review_at: review,
        untold: Some(fields.one("untold")).filter(|why| !why.trim().is_empty()).map(ToOwned::to_owned),
    };
    Ok(Ok(if categories.is_empty() {
        vec![hold(None)]
    } else {
        categories.into_iter().map(|c| hold(Some(c))).collect()
    }))
}

/// Whom a subject id or a reference means.
pub(super) async fn subject(seat: &Seat, text: &str) -> Result<Result<Option<SubjectId>, Mistake>, Fault> {
    if text.is_empty() {
        return Ok(Ok(None));
    }
    let nobody =
        || Err(mistake("whom", "Nobody is known here under this. Look it up under “Find a person”."));
    let app = &seat.edge.app;
    let subject = match text.parse::<SubjectId>() {
        Ok(id) => Some(id),
        Err(_) => match app.requests.by_reference(&seat.tenant, text).await {
            Ok(request) => request.subject,
            Err(requests::Error::NotFound) => None,
            Err(e) => return Err(e.into()),
        },
    };
    let Some(id) = subject else { return Ok(nobody()) };
    let known = app.subjects.get(&Owner::new(&seat.tenant, id)).await.is_ok();
    Ok(if known { Ok(Some(id)) } else { nobody() })
}

async fn render(seat: &Seat, uri: &Uri, typed: Option<&Fields>, mistakes: Mistakes) -> Answer {
    let found = Found::at_seat(seat).await?;
    let board = seat.edge.app.retention.board(&seat.tenant).await?;
    let mut rows = Vec::new();
    for hold in seat.edge.app.retention.holds(&seat.tenant).await? {
        let items = items(seat, &board, &hold).await?;
        rows.push(row(&hold, items, found.at, &seat.staff.staff.id.to_string()));
    }
    rows.reverse();
    let (lifted, holds) = rows.into_iter().partition(|row: &HoldRow| row.lifted.is_some());
    let field = |name: &str| typed.map_or("", |f| f.one(name)).to_owned();
    let categories = found.policy.categories().map(|c| Choice {
        value: c.id.clone(),
        says: c.title.clone(),
        chosen: typed.is_some_and(|f| f.all("category").any(|ticked| ticked == c.id)),
    });
    page(&Holds {
        holds,
        lifted,
        categories: categories.collect(),
        whom: field("whom"),
        reason: field("reason"),
        law: field("law"),
        review: field("review"),
        untold: field("untold"),
        mistakes,
        desk: desk(seat, &found, uri).await?,
    })
}

/// How many things a hold is on.
async fn items(seat: &Seat, board: &[BoardRow], hold: &Hold) -> Result<i64, Fault> {
    let on = |category: &str| hold.category.as_deref().is_none_or(|c| c == category);
    let Some(subject) = hold.subject else {
        return Ok(board.iter().filter(|row| on(&row.category)).map(|row| row.live).sum());
    };
    let holdings = seat.edge.app.vault.holdings(&Owner::new(&seat.tenant, subject)).await?;
    Ok(holdings.iter().filter(|h| on(&h.category)).map(|h| h.images + h.records).sum())
}

fn row(hold: &Hold, items: i64, now: Timestamp, me: &str) -> HoldRow {
    let on = match (&hold.subject, &hold.category) {
        (Some(subject), Some(category)) => format!("{subject}, {category}"),
        (Some(subject), None) => subject.to_string(),
        (None, Some(category)) => category.clone(),
        (None, None) => "everything".to_owned(),
    };
    HoldRow {
        id: hold.id.to_string(),
        on,
        reason: hold.reason.clone(),
        law: hold.matter.clone(),
        by: hold.placed_by.clone(),
        since: hold.placed_at.into(),
        review: hold.review_at.into(),
        items: count(items),
        lifted: moment(hold.released_at),
        approved: moment(hold.approved_at),
        may_approve: hold.approved_at.is_none() && hold.placed_by != me,
        review_over: hold.wants(now) == Some("its review"),
        told: match (&hold.subject, &hold.untold, hold.told_at) {
            (_, Some(why), _) => format!("Not told: {why}"),
            (Some(_), None, Some(at)) => format!("Told on {}", at.in_words()),
            (Some(_), None, None) => "To be told".to_owned(),
            (None, None, _) => "Told in the privacy centre".to_owned(),
        },
    }
}
