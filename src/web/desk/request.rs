//! One request: what was asked, what was done, and what staff can do.

use axum::extract::Path;
use axum::http::Uri;

use super::found::{Found, waits_for_people};
use super::queue;
use super::recipients::{recipients, stays};
use super::roles::DECIDE;
use super::seat::{Fields, Seat, Sent};
use super::shell::{Answer, desk, page, query, see_other};
use super::words;
use crate::base::{Kind, Timestamp};
use crate::edge::Fault;
use crate::policy::Right;
use crate::requests::{
    CATEGORY, Correction, Erasure, Event, Field, PURPOSE, Papers, Proposal, RefusalReason, RefusalText,
    Remark, Request, State,
};
use crate::vault::{Access, Owner, Wanted};
use crate::web::view::{self, Action, Fact, Mistakes, Note, Proposed, RequestDetail, Step};

/// What was written, once somebody asked to read it.
#[derive(Default)]
struct Writing {
    read: bool,
    words: Option<String>,
    papers: Papers,
}

/// `GET /desk/requests/{reference}?read=yes`
pub(super) async fn show(Path((_, reference)): Path<(String, String)>, seat: Seat, uri: Uri) -> Answer {
    let app = &seat.edge.app;
    let request = app.requests.by_reference(&seat.tenant, &reference).await?;
    let writing = writing(&seat, &request, &uri).await?;
    let reading = reading(&seat, &request, &writing).await?;
    let found = Found::at_seat(&seat).await?;
    let events = app.requests.timeline(&seat.tenant, request.id).await?;
    let erasure = erasure(&seat, &request).await?;
    let told = app.elsewhere.of_request(&seat.tenant, request.id).await?;
    page(&RequestDetail {
        row: queue::row(&request, found.at),
        subject: request.subject.map_or_else(|| "nobody any more: erased".to_owned(), |s| s.to_string()),
        identity: identity(&events),
        asked: asked(&request, &found),
        read_href: (reading == Reading::Open)
            .then(|| format!("{}/desk/requests/{}?read=yes", seat.root(), request.reference)),
        reason_wanted: reading == Reading::AfterReason,
        internal_due: request.due.internal.into(),
        steps: steps(&seat, &request, &events).await?,
        stores: erasure.as_ref().map(stores).unwrap_or_default(),
        recipients: recipients(&seat, &request, (&told, &found)).await?,
        stays: stays(erasure.as_ref(), &told, &found),
        actions: actions(&seat, &request, &writing, &events),
        words: writing.words,
        proposal: writing.papers.proposal.as_ref().map(proposed),
        notes: writing.papers.remarks.iter().rev().map(note_of).collect(),
        receipt_href: request.receipt.map(|id| format!("{}/receipts/{id}", seat.root())),
        mistakes: Mistakes::default(),
        desk: desk(&seat, &found, &uri).await?,
    })
}

/// How what was written can be read by whoever looks.
#[derive(PartialEq)]
enum Reading {
    /// It is read already, or there is nothing left to read.
    Done,
    /// At once.
    Open,
    /// Once they have written down why.
    AfterReason,
}

async fn reading(seat: &Seat, request: &Request, writing: &Writing) -> Result<Reading, Fault> {
    let Some(subject) = request.subject.filter(|_| !writing.read) else { return Ok(Reading::Done) };
    let (owner, actor) = (Owner::new(&seat.tenant, subject), seat.actor());
    let access = Access { actor: &actor, purpose: PURPOSE };
    let wanted = seat.edge.app.vault.look_wants(&owner, &access, CATEGORY).await?;
    Ok(if wanted == Wanted::Nothing { Reading::Open } else { Reading::AfterReason })
}

/// `POST /desk/requests/{reference}/read` (`reason`): why somebody reads it, where the document asks for that.
pub(super) async fn read(Path((_, reference)): Path<(String, String)>, sent: Sent) -> Answer {
    let Sent { seat, fields } = sent;
    let requests = &seat.edge.app.requests;
    let request = requests.by_reference(&seat.tenant, &reference).await?;
    let subject = request.subject.ok_or_else(|| Fault::new(Kind::NotFound))?;
    let (owner, actor) = (Owner::new(&seat.tenant, subject), seat.actor());
    let access = Access { actor: &actor, purpose: PURPOSE };
    requests.state_reason(&owner, &access, &fields.secret("reason")).await?;
    Ok(see_other(&seat, &format!("/requests/{}?read=yes", request.reference), "reasoned"))
}

/// `POST /desk/requests/{reference}/note` (`note`)
pub(super) async fn note(Path((_, reference)): Path<(String, String)>, sent: Sent) -> Answer {
    let Sent { seat, fields } = sent;
    let requests = &seat.edge.app.requests;
    let request = requests.by_reference(&seat.tenant, &reference).await?;
    requests.remark(&seat.tenant, request.id, &seat.actor(), &fields.secret("note")).await?;
    Ok(see_other(&seat, &format!("/requests/{}", request.reference), "noted"))
}

/// `POST /desk/requests/{reference}/{action}` (`reason`, `ground`, `field`, `old`, `new`)
pub(super) async fn act(Path((_, reference, action)): Path<(String, String, String)>, sent: Sent) -> Answer {
    let Sent { seat, fields } = sent;
    let app = &seat.edge.app;
    let requests = &app.requests;
    let id = requests.by_reference(&seat.tenant, &reference).await?.id;
    let (tenant, by) = (&seat.tenant, &seat.actor());
    if action != "retry" && action != "refuse" && !DECIDE.contains(&seat.role()) {
        return Err(Fault::because(Kind::Forbidden, "your role does not decide requests"));
    }
    let done = match action.as_str() {
        "retry" => {
            app.elsewhere.hurry(tenant, id).await?;
            requests.retry(tenant, id).await.map(|_| "retried")?
        }
        "correct" => {
            let correction = correction(&fields)?;
            let corrected = requests.rectify_by_hand(tenant, id, by, &correction).await?;
            if corrected.answered_at.is_some() { "corrected" } else { "address-asked" }
        }
        "settle" => {
            let reason = fields.secret("reason");
            requests.corrected_elsewhere(tenant, id, by, &reason).await.map(|_| "settled")?
        }
        "extend" => requests.extend(tenant, id, by, &fields.secret("reason")).await.map(|_| "extended")?,
        "refuse" => {
            let text = refusal(fields.one("ground"), fields.secret("reason"))?;
            requests.propose_refusal(tenant, id, by, &text).await.map(|()| "proposed")?
        }
        "agree" => requests.agree_to_refuse(tenant, id, by).await.map(|_| "refused")?,
        "reopen" => requests.reopen(tenant, id, by).await.map(|_| "reopened")?,
        _ => return Err(Fault::new(Kind::NotFound)),
    };
    Ok(see_other(&seat, &format!("/requests/{reference}"), done))
}

fn refusal(ground: &str, words: crate::base::Secret<String>) -> Result<RefusalText, Fault> {
    let unknown = || Fault::because(Kind::Invalid, "choose the ground that the refusal rests on");
    let reason = RefusalReason::parse(ground).ok_or_else(unknown)?;
    Ok(RefusalText { reason, law: words::ground(reason).1.to_owned(), words })
}

fn correction(fields: &Fields) -> Result<Correction, Fault> {
    let unknown = || Fault::because(Kind::Invalid, "choose which value is to be corrected");
    let field = Field::parse(fields.one("field")).ok_or_else(unknown)?;
    Ok(Correction { field, old: fields.secret("old"), new: fields.secret("new") })
}

/// What the person and staff wrote, if this look asks for it: that is a read, and recorded.
async fn writing(seat: &Seat, request: &Request, uri: &Uri) -> Result<Writing, Fault> {
    if query(uri, "read").as_deref() != Some("yes") || request.subject.is_none() {
        return Ok(Writing::default());
    }
    seat.staff.may_act_gravely(&seat.edge).await?;
    let requests = &seat.edge.app.requests;
    let actor = seat.actor();
    let words = requests.words(request, &actor).await?;
    let papers = requests.papers(request, &actor).await?;
    Ok(Writing { read: true, words: words.map(|w| w.expose().clone()), papers })
}

fn fact(name: &str, value: impl Into<String>) -> Fact {
    Fact { name: name.to_owned(), value: value.into() }
}

fn identity(events: &[Event]) -> Vec<Fact> {
    let at = |kind: &str| events.iter().find(|e| e.kind == kind);
    if let Some(shown) = at("identity-shown") {
        let how = shown.note.as_deref().map(|how| fact("Method", how));
        let note = |kind: &str| at(kind).and_then(|e| e.note.as_deref());
        let letter = note("arrived").map(|found| fact("Their letter", found));
        let letter = letter.or_else(|| note("by-agent").map(|agent| fact("Agent", agent)));
        return how.into_iter().chain(letter).chain([fact("Proved", shown.at.in_words())]).collect();
    }
    // Who asks was left open, and nobody has shown it: an app's key alone is no proof.
    if at("identity-pending").is_some() {
        return Vec::new();
    }
    match at("filed") {
        Some(filed) if filed.role == "subject" || filed.role == "app" => {
            vec![fact("Method", "signed in when it was filed"), fact("Proved", filed.at.in_words())]
        }
        _ => Vec::new(),
    }
}

fn asked(request: &Request, found: &Found) -> Vec<Fact> {
    let mut facts = Vec::new();
    if let Some(about) = &request.about {
        let purpose = found.policy.purpose(about).map(|p| p.title.clone());
        facts.push(fact("About", purpose.unwrap_or_else(|| about.clone())));
    }
    if let Some(rule) = found.policy.right(request.right) {
        facts.push(fact("Governing law", rule.law.clone()));
        facts.push(fact("Promised", format!("an answer within {}", rule.answer_within)));
    }
    if let Some(outcome) = &request.outcome {
        facts.push(fact("Outcome", outcome.replace('-', " ")));
    }
    if let Some(until) = request.grace_until.filter(|_| request.state == State::Grace) {
        facts.push(fact("Can be taken back until", until.in_words()));
    }
    facts
}

/// What happened, and what comes next.
async fn steps(seat: &Seat, request: &Request, events: &[Event]) -> Result<Vec<Step>, Fault> {
    let mut steps = Vec::with_capacity(events.len() + 1);
    for event in events {
        let mut note: Vec<String> = event.note.clone().into_iter().collect();
        note.push(words::role(&event.role));
        if let Some(index) = index(seat, event.entry.as_deref()).await {
            note.push(format!("ledger entry {}", view::Count(index)));
        }
        steps.push(Step {
            says: words::event(&event.kind),
            at: Some(event.at.into()),
            now: false,
            note: note.join(", "),
        });
    }
    if request.state.is_open() {
        let (says, note) = ahead(request);
        steps.push(Step { says: says.to_owned(), at: None, now: true, note });
    }
    Ok(steps)
}

async fn index(seat: &Seat, entry: Option<&str>) -> Option<u64> {
    let id = entry?.parse().ok()?;
    seat.edge.app.ledger.entry(id).await.ok().map(|logged| logged.index)
}

fn ahead(request: &Request) -> (&'static str, String) {
    let at = |t: Option<Timestamp>| t.map(|t| format!("next on {}", t.in_words())).unwrap_or_default();
    match request.state {
        State::IdentityPending => ("Waits for the person to show who they are", String::new()),
        State::Grace => ("Waits until it can no longer be taken back", at(request.grace_until)),
        _ if waits_for_people(request) && request.right == Right::Rectification => {
            ("Waits for somebody to correct it", String::new())
        }
        _ if waits_for_people(request) => {
            ("Waits for somebody to run it again or to answer it", String::new())
        }
        _ => ("Goes on by itself", at(request.next_at)),
    }
}

async fn erasure(seat: &Seat, request: &Request) -> Result<Option<Erasure>, Fault> {
    if request.right != Right::Erasure {
        return Ok(None);
    }
    Ok(seat.edge.app.requests.erasure_that_answers(&seat.tenant, request.id).await?)
}

fn stores(erasure: &Erasure) -> Vec<Fact> {
    let mut facts = vec![fact("Stands", erasure.state.as_str())];
    if let Some(at) = erasure.destroyed_at {
        facts.push(fact("Key destroyed", at.in_words()));
    }
    let were = format!("{} pictures, {} records", erasure.images, erasure.records);
    facts.push(fact("Were there", were));
    let left = erasure.looked_through();
    let places = left.len();
    facts.extend(left.iter().filter(|(_, n)| *n > 0).map(|(place, n)| fact(place, format!("{n} left"))));
    if let Some(at) = erasure.verified_at {
        let says = format!("nothing found in {places} places, {}", at.in_words());
        facts.push(fact("Second look", says));
    }
    facts
}

fn proposed(proposal: &Proposal) -> Proposed {
    let (words, law) = words::ground(proposal.text.reason);
    Proposed {
        at: proposal.at.into(),
        by: proposal.by.clone(),
        ground: format!("{words}, {law}"),
        says: proposal.text.words.expose().clone(),
    }
}

fn note_of(remark: &Remark) -> Note {
    Note { at: remark.at.into(), by: remark.by.clone(), says: remark.words.expose().clone() }
}

/// What can be done with a request as it stands, by whoever looks.
fn actions(seat: &Seat, request: &Request, writing: &Writing, events: &[Event]) -> Vec<Action> {
    let decides = DECIDE.contains(&seat.role());
    let open = request.state.is_open() && request.subject.is_some();
    let refusable = open && request.state.leads_to(State::Refused, request.right);
    let now = seat.edge.app.clock.now();
    let own = writing.papers.proposal.as_ref().map(|p| p.by == seat.staff.staff.id.to_string());
    let mut all = Vec::new();
    if open {
        all.push(action(
            "retry",
            "Run the next step now",
            "Tries the step that comes next, without waiting for its time.",
        ));
    }
    if decides && open && request.state == State::Working && request.right == Right::Rectification {
        all.extend(corrections());
    }
    if open && decides && request.extended_at.is_none() && now <= request.due.legal {
        let explains = "Once, and only for a complex request: the law’s date moves by two months, our promise does not. The person is told the reason and the new date.";
        all.push(Action { needs_reason: true, ..action("extend", "Extend the law’s time", explains) });
    }
    if refusable && decides && own == Some(false) {
        let explains = "The request is refused with the words above and closed. The letter names the authority and the court.";
        all.push(Action { grave: true, ..action("agree", "Agree to refuse", explains) });
    }
    if refusable {
        let again = events.iter().any(|e| e.kind == "refusal-proposed");
        let button = if again { "Propose another refusal" } else { "Propose to refuse" };
        let explains = "The letter will name this reason, its law, the authority and the court.";
        let grave = Action {
            needs_reason: true,
            four_eyes: true,
            grave: true,
            grounds: words::grounds(),
            ..action("refuse", button, explains)
        };
        all.push(grave);
    }
    if request.state == State::Closed && request.subject.is_some() && decides {
        all.push(action("reopen", "Take it up again", "After a complaint, or when something was missed."));
    }
    all
}

/// How a correction that only words describe is carried out.
fn corrections() -> [Action; 2] {
    let explains = "Read what the person wrote first. The old value must be the one that is held; both stay sealed with the request, whoever else holds it is told, and the request is closed.";
    let elsewhere = "For what is no value of the account, or was put right by other means. The person reads your words as the answer, and the request is closed.";
    [
        Action { fields: words::fields(), ..action("correct", "Correct this value", explains) },
        Action { needs_reason: true, ..action("settle", "It is corrected elsewhere", elsewhere) },
    ]
}

fn action(id: &str, button: &str, explains: &str) -> Action {
    Action {
        id: id.to_owned(),
        button: button.to_owned(),
        explains: explains.to_owned(),
        needs_reason: false,
        fields: Vec::new(),
        grounds: Vec::new(),
        four_eyes: false,
        grave: false,
    }
}
