//! What surrounds every page of the desk: who sits there, what needs a human, and what was just done.

use askama::Template;
use axum::http::Uri;
use axum::response::{Html, IntoResponse as _, Redirect, Response};

use super::found::Found;
use super::roles::Page;
use super::seat::Seat;
use crate::audit;
use crate::base::{Kind, TenantId};
use crate::edge::{Edge, Fault};
use crate::requests::Alarm;
use crate::speech::Tongue;
use crate::web::view::{Count, Desk, Flash, Moment, Need, Shell, State, Viewer};

/// What a handler answers.
pub(super) type Answer = Result<Response, Fault>;

/// What may have been done just now, as the address says it, and its sentence.
const DONE: &[(&str, State, &str)] = &[
    ("released", State::Kept, "The job runs again."),
    ("noted", State::Kept, "The note is with the request."),
    (
        "reasoned",
        State::Kept,
        "Your reason is sealed with the person’s data, and lets you look for half an hour.",
    ),
    ("let-look", State::Kept, "You agreed to the look as the second person."),
    ("retried", State::Kept, "The next step was tried just now. Below is how it stands."),
    (
        "extended",
        State::Kept,
        "The law’s time is extended. The person gets a letter with the reason and the new date.",
    ),
    (
        "proposed",
        State::Waiting,
        "The refusal is proposed. Somebody else has to agree before anything is decided.",
    ),
    ("refused", State::Kept, "The request is refused and closed. The person gets the letter."),
    (
        "corrected",
        State::Kept,
        "The value is corrected and the request closed. Old and new are sealed with it.",
    ),
    (
        "address-asked",
        State::Waiting,
        "We write to the new address. The request closes when the link in that letter is opened.",
    ),
    (
        "settled",
        State::Kept,
        "The request is answered and closed. The person reads your words with the answer.",
    ),
    ("reopened", State::Kept, "The request is open again."),
    ("held", State::Kept, "The hold is placed. Nothing under it is erased until it is lifted."),
    ("handed", State::Kept, "It stands in the register. The words are sealed with the person’s data."),
    ("approved", State::Kept, "You answer for the hold as the second person."),
    ("reviewed", State::Kept, "It is noted that the hold was looked at again."),
    ("lifted", State::Kept, "The hold is lifted. What it kept too long goes with the next sweep."),
    ("mandate-ended", State::Kept, "The mandate is over. The person gets a letter with your reason."),
    ("verified", State::Kept, "The whole ledger was recomputed just now."),
    ("published", State::Kept, "You agreed, and the version is published. People are being told."),
    ("turned-down", State::Kept, "The version is turned down. Nothing was published."),
    ("attested", State::Attested, "It is on the ledger that you vouched for it. What you showed is sealed."),
    ("checked", State::Kept, "The check was made just now. Below is how it ended."),
];

/// The fixed parts of a page of a tenant, for whoever is not signed in.
pub(super) fn outside(edge: &Edge, tenant: &TenantId, csrf: String) -> Result<Shell, Fault> {
    let policy = edge.app.vault.policy(tenant)?;
    Ok(Shell {
        root: format!("/{tenant}"),
        brand: policy.controller().name.clone(),
        development: edge.development(),
        now: edge.app.clock.now().into(),
        csrf,
        viewer: Viewer::Nobody,
        flash: None,
        tongue: Tongue::English,
        document: policy.language().to_owned(),
        here: None,
    })
}

/// What every page of the desk is given.
pub(super) async fn desk(seat: &Seat, found: &Found, uri: &Uri) -> Result<Desk, Fault> {
    let staff = &seat.staff.staff;
    let name = seat.edge.app.subjects.staff_address(staff).await?.expose().to_owned();
    let role = staff.role;
    let shell = Shell {
        viewer: Viewer::Staff { name, role: role.to_string() },
        flash: query(uri, "done").and_then(|word| flash(&word)),
        ..outside(&seat.edge, &seat.tenant, seat.form_token())?
    };
    let pages = Page::ALL.into_iter().filter(|p| p.lets(role)).map(Page::path).collect();
    let proposals = seat.edge.app.publications.proposals(&seat.tenant).await?;
    let waiting = proposals.iter().filter(|p| p.state == "open").count();
    Ok(Desk { today: needs(seat, found, waiting), shell, pages })
}

/// The first value of a query's field.
pub(super) fn query(uri: &Uri, name: &str) -> Option<String> {
    let query = uri.query().unwrap_or_default();
    let found = url::form_urlencoded::parse(query.as_bytes()).find(|(n, _)| n == name);
    found.map(|(_, value)| value.trim().to_owned()).filter(|value| !value.is_empty())
}

fn flash(word: &str) -> Option<Flash> {
    let (_, state, says) = DONE.iter().find(|(known, ..)| *known == word)?;
    Some(Flash { state: *state, says: (*says).to_owned() })
}

/// Where a form leads to.
pub(super) fn see_other(seat: &Seat, path: &str, done: &str) -> Response {
    let root = seat.root();
    let and = if path.contains('?') { '&' } else { '?' };
    Redirect::to(&format!("{root}/desk{path}{and}done={done}")).into_response()
}

/// A page as it is sent.
pub(super) fn page(template: &impl Template) -> Answer {
    let html = template.render().map_err(|_| Fault::new(Kind::Internal))?;
    Ok(Html(html).into_response())
}

/// Something that may need a human: page, state, how many, what one of them does, what several do, where to look, thing.
type Pressing = (Page, State, usize, &'static str, &'static str, &'static str, &'static str);

/// What needs a human, worst first, as far as this role can do something about it.
fn needs(seat: &Seat, found: &Found, waiting: usize) -> Vec<Need> {
    let (role, root) = (seat.role(), seat.root());
    let stopped = found.jobs.iter().filter(|j| j.quarantined).count();
    let [law, promise, near, people] = requests(found);
    let [broken, overdue, at_risk] = promises(found);
    let (one, many) = ("waits for a second person", "wait for a second person");
    let policies = (Page::Policies, State::Waiting, waiting, one, many, "policies", "policy version");
    let jobs = (Page::Jobs, State::Broken, stopped, "waits for a hand", "wait for a hand", "", "job");
    [law, promise, broken, policies, jobs, people, overdue, near, at_risk]
        .into_iter()
        .filter(|(page, _, n, ..)| *n > 0 && page.lets(role))
        .map(|(_, state, n, one, many, path, thing)| {
            let things = Count(n as u64).of(thing, &format!("{thing}s"));
            let says = format!("{things} {}", if n == 1 { one } else { many });
            Need { state, says, href: format!("{root}/desk/{path}").trim_end_matches('/').to_owned() }
        })
        .collect()
}

/// Past the law's date, past our promise, near it, in the hands of people.
fn requests(found: &Found) -> [Pressing; 4] {
    let law_missed = found.late.iter().filter(|r| r.alarm_at(found.at) == Alarm::LawMissed).count();
    let row = |state, n, one, many, path| (Page::Requests, state, n, one, many, path, "request");
    let late = "requests?state=late";
    [
        row(State::Broken, law_missed, "is past the law’s date", "are past the law’s date", late),
        row(State::Broken, found.late.len(), "is past our promise", "are past our promise", late),
        row(
            State::AtRisk,
            found.near.len(),
            "is due within 18 hours",
            "are due within 18 hours",
            "requests?state=near",
        ),
        row(
            State::Waiting,
            found.by_hand.len(),
            "waits for somebody to answer it",
            "wait for somebody to answer them",
            "requests?state=people",
        ),
    ]
}

/// Broken, overdue, at risk.
fn promises(found: &Found) -> [Pressing; 3] {
    let row = |state, of, one, many, path, thing| {
        (Page::Promises, state, found.promises.count(of), one, many, path, thing)
    };
    [
        row(
            State::Broken,
            audit::State::Broken,
            "is broken",
            "are broken",
            "promises?state=broken",
            "promise",
        ),
        row(
            State::Overdue,
            audit::State::Overdue,
            "is overdue",
            "are overdue",
            "promises?state=overdue",
            "attestation",
        ),
        row(
            State::AtRisk,
            audit::State::AtRisk,
            "is at risk",
            "are at risk",
            "promises?state=at-risk",
            "promise",
        ),
    ]
}

/// A day of a filter, `2026-11-05`, as its first moment.
pub(super) fn day(text: &str) -> Option<crate::base::Timestamp> {
    let day = chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
    Some(crate::base::Timestamp::from_utc(day.and_time(chrono::NaiveTime::MIN).and_utc()))
}

/// Several moments at once.
pub(super) fn moment(at: Option<crate::base::Timestamp>) -> Option<Moment> {
    at.map(Moment::from)
}

/// A count of the database, which is never negative.
pub(super) fn count(n: i64) -> Count {
    Count(u64::try_from(n).unwrap_or(0))
}
