//! What was handed to an authority, or to somebody to protect rights: entered here by who decided it.

use axum::http::Uri;

use super::holds::{mistake, subject};
use super::processors::render;
use super::roles::DECIDE;
use super::seat::{Fields, Seat, Sent};
use super::shell::{Answer, day, see_other};
use crate::base::Kind;
use crate::disclosure::Handover;
use crate::edge::Fault;
use crate::policy::Policy;
use crate::requests::{self, Handing};
use crate::vault::Owner;
use crate::web::view::{Choice, HandoverForm, HandoverRow, Mistake, Mistakes};

/// `POST /desk/processors/handovers` (`whom`, `ground`, `category`*, `to`, `law`, `what`, `day`, `silent`)
pub(super) async fn enter(uri: Uri, sent: Sent) -> Answer {
    let Sent { seat, fields } = sent;
    if !DECIDE.contains(&seat.role()) {
        return Err(Fault::new(Kind::Forbidden));
    }
    let (owner, handing) = match wanted(&seat, &fields).await? {
        Ok(wanted) => wanted,
        Err(mistake) => return render(&seat, &uri, Some(&fields), Mistakes(vec![mistake])).await,
    };
    match seat.edge.app.requests.hand_over(&owner, &seat.actor(), &handing).await {
        Ok(()) => Ok(see_other(&seat, "/processors", "handed")),
        Err(requests::Error::Invalid(what)) => {
            render(&seat, &uri, Some(&fields), Mistakes(vec![missing(what)])).await
        }
        Err(e) => Err(e.into()),
    }
}

/// What the form says, or what is wrong with it.
async fn wanted(seat: &Seat, fields: &Fields) -> Result<Result<(Owner, Handing), Mistake>, Fault> {
    let id = match subject(seat, fields.one("whom")).await? {
        Ok(Some(id)) => id,
        Ok(None) => return Ok(Err(mistake("whom", "Say whose data it was: a subject id or a reference."))),
        Err(wrong) => return Ok(Err(wrong)),
    };
    let Ok(ground) = fields.one("ground").parse() else {
        return Ok(Err(mistake("ground", "Say why it was handed over.")));
    };
    let Some(handed_at) = day(fields.one("day")) else {
        return Ok(Err(mistake("day", "Say on which day it was handed over.")));
    };
    let silent = fields.one("silent");
    let silent_until = day(silent);
    if !silent.is_empty() && silent_until.is_none() {
        return Ok(Err(mistake("silent", "Give a day, or leave it empty.")));
    }
    let handing = Handing {
        ground,
        categories: fields.all("category").map(ToOwned::to_owned).collect(),
        to: fields.secret("to"),
        law: fields.secret("law"),
        what: fields.secret("what"),
        handed_at,
        silent_until,
    };
    Ok(Ok((Owner::new(&seat.tenant, id), handing)))
}

/// What the room misses, beside its field.
fn missing(what: &str) -> Mistake {
    let field = match what {
        w if w.contains("to whom") => "to",
        w if w.contains("law or order") => "law",
        w if w.contains("categories") => "categories",
        w if w.contains("the day on") => "day",
        w if w.contains("untold") => "silent",
        _ => "what",
    };
    let mut says = what.to_owned();
    if let Some(first) = says.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    mistake(field, &format!("{says}."))
}

/// The form, with what was typed into it.
pub(super) fn form(policy: &Policy, typed: Option<&Fields>, may_enter: bool) -> Option<HandoverForm> {
    let field = |name: &str| typed.map_or("", |f| f.one(name)).to_owned();
    let ticked = |id: &str| typed.is_some_and(|f| f.all("category").any(|ticked| ticked == id));
    let category = |c: &crate::policy::Category| Choice {
        value: c.id.clone(),
        says: c.title.clone(),
        chosen: ticked(&c.id),
    };
    may_enter.then(|| HandoverForm {
        whom: field("whom"),
        protection: field("ground") == "protection",
        categories: policy.categories().map(category).collect(),
        to: field("to"),
        law: field("law"),
        what: field("what"),
        day: field("day"),
        silent: field("silent"),
    })
}

/// A row of the register.
pub(super) fn row(one: &Handover, root: &str) -> HandoverRow {
    HandoverRow {
        at: one.handed_at.into(),
        why: one.ground.in_words().to_owned(),
        what: one.categories.replace(' ', ", "),
        by: one.staff.clone(),
        silent: one.silent_until.map(Into::into),
        proof_href: format!("{root}/desk/ledger?kind=disclosure.handed-over"),
    }
}
