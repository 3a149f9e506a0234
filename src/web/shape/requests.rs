//! Requests as their owner sees them.

use serde_json::{Map, Value};

use crate::base::Timestamp;
use crate::elsewhere::{Task, TaskKind, TaskState};
use crate::policy::{Policy, Right};
pub(crate) use crate::requests::title;
use crate::requests::{self, Erasure, Event, Lapsed, RefusalReason, Request, State as Stands, StaysByLaw};
use crate::speech::{Tongue, key};
use crate::vault::{Holdings, KeptRecords};
use crate::web::view::{ArchiveReady, Clock, Fact, Recipient, RequestRow, Size, State, Stays, Step};

/// A request in a list.
pub(crate) fn row(tongue: Tongue, policy: &Policy, request: &Request) -> RequestRow {
    let met = request.answered_at.or(request.closed_at).map(Into::into);
    let (status, state) = standing(request);
    RequestRow {
        reference: request.reference.clone(),
        title: title(tongue, policy, request.right, request.about.as_deref()),
        filed: request.received_at.into(),
        status: tongue.say(status).to_owned(),
        state,
        promise: Clock { due: request.due.promise.into(), met },
        law: Clock { due: request.legal_due().into(), met },
    }
}

fn standing(request: &Request) -> (&'static str, State) {
    let refused = request
        .outcome
        .as_deref()
        .is_some_and(|o| !matches!(o, "fulfilled" | "partly-fulfilled" | "withdrawn" | "closed"));
    match request.state {
        _ if request.problem.is_some() && request.state.is_open() => {
            (key("Held up; we try again"), State::AtRisk)
        }
        Stands::Received | Stands::Acknowledged => (key("Received"), State::Waiting),
        Stands::IdentityPending => (key("Waiting for you to show that it is you"), State::Waiting),
        Stands::Grace => (key("Set, and can still be taken back"), State::Waiting),
        Stands::Working => (key("Being worked on"), State::Waiting),
        Stands::Fulfilled if request.archive.is_some() => (key("Ready to download"), State::Kept),
        Stands::Refused => (key("Refused, with reasons"), State::Attested),
        Stands::PartlyFulfilled => (key("Done but for what stays"), State::Attested),
        Stands::NoData => (key("We hold nothing of yours"), State::Kept),
        Stands::Closed if request.outcome.as_deref() == Some("partly-fulfilled") => {
            (key("Done but for what stays"), State::Attested)
        }
        Stands::Closed if unconfirmed(request) => (key("Your address stays as it was"), State::Attested),
        Stands::Closed if replaced(request) => (key("Another change took its place"), State::Attested),
        Stands::Closed if request.answered_in_words() => (key("Answered in words"), State::Attested),
        Stands::Closed if refused => (key("Answered, with reasons"), State::Attested),
        Stands::Fulfilled | Stands::Closed => (key("Done"), State::Kept),
        Stands::Withdrawn if request.was_undone() => {
            (key("Taken back with the change of your address"), State::Attested)
        }
        Stands::Withdrawn => match request.lapsed() {
            Some(Lapsed::Unconfirmed) => (key("Ended: nobody confirmed it"), State::Attested),
            Some(Lapsed::AgentRemoved) => (key("Ended: its agent may ask no more"), State::Attested),
            None => (key("You took it back"), State::Attested),
        },
    }
}

/// Whether another address was asked for and not confirmed in time.
fn unconfirmed(request: &Request) -> bool {
    request.outcome.as_deref() == Some("address-not-confirmed")
}

/// Whether another change of address came before the link of this one was opened.
fn replaced(request: &Request) -> bool {
    request.outcome.as_deref() == Some("address-replaced")
}

/// Where a request stands, in a sentence or two. `missing`: how many pictures could not be read for its archive.
pub(crate) fn says(tongue: Tongue, request: &Request, missing: u64) -> String {
    if let (Some(why), true) = (&request.problem, request.state.is_open()) {
        let says =
            tongue.put("A step could not be done: {why}. Nothing is lost; it is tried again by itself.");
        return says.with("why", problem(tongue, why)).text();
    }
    let text = match request.state {
        Stands::Received | Stands::Acknowledged => key("It has reached us, and its clocks run."),
        Stands::IdentityPending => key(
            "Nothing is done before you confirm that it is you who asks. So nobody else can ask in your name.",
        ),
        // It has its time from the same step that brings it here.
        Stands::Grace => {
            let when = tongue.time(request.grace_until.unwrap_or(request.due.promise));
            let said = tongue.put("It takes place on {when}. Until then everything stays as it is, and you can change your mind.");
            return said.with("when", when).text();
        }
        Stands::Working if request.right == Right::Rectification && request.next_at.is_some() => {
            key("We wrote to your new address. Open the link in that letter; until then the old one stays.")
        }
        Stands::Working => key("Somebody is looking into it. You need not do anything."),
        Stands::Fulfilled | Stands::Closed if request.archive.is_some() && missing > 0 => {
            let rest = tongue.say("What could be read of all that we hold about you is in one archive. It is put together while you download it, so no copy of it lies anywhere.");
            let gaps = requests::missing_in_words(tongue, missing).unwrap_or_default();
            return format!("{rest} {gaps}");
        }
        Stands::Fulfilled | Stands::Closed if request.archive.is_some() => key(
            "Everything we hold about you is in one archive. It is put together while you download it, so no copy of it lies anywhere.",
        ),
        Stands::Closed if unconfirmed(request) => key(
            "The link to your new address was not opened in time, so the address stays as it was. You can ask again at any time.",
        ),
        Stands::Closed if replaced(request) => key(
            "Another change of your address was asked for before the link of this one was opened, and took its place. Everything else is corrected.",
        ),
        Stands::Closed if request.answered_in_words() => {
            key("Somebody looked into it. Our answer stands below.")
        }
        Stands::Fulfilled | Stands::Closed | Stands::PartlyFulfilled => key("It is done, and proved below."),
        Stands::Refused => key("Our answer and its reasons stand below."),
        Stands::NoData => key("We looked everywhere and hold nothing of yours."),
        Stands::Withdrawn if request.was_undone() => key(
            "The change of your address was undone from the old mailbox, and this was taken back with it. If it was you who asked, ask again.",
        ),
        Stands::Withdrawn => match request.lapsed() {
            Some(Lapsed::Unconfirmed) => key(
                "Nobody confirmed in time that it was yours. Nothing was changed; you can ask again at any time.",
            ),
            Some(Lapsed::AgentRemoved) => key(
                "The agent that asked for it in your name can no longer ask us for anything. Nothing was changed; you can ask yourself at any time.",
            ),
            None => key("You took it back before it was done. Nothing was changed."),
        },
    };
    tongue.say(text).to_owned()
}

/// What a law would make us keep of somebody who is erased.
pub(crate) fn would_stay(tongue: Tongue, kept: KeptRecords) -> Stays {
    Stays { what: reduced(tongue, &kept.title, kept.records), why: kept.law, until: Some(kept.until.into()) }
}

fn reduced(tongue: Tongue, what: &str, records: impl std::fmt::Display) -> String {
    let said = tongue.put("{what} ({records}), reduced to what the law asks for");
    said.with("what", what).with("records", records).text()
}

/// What a law made us keep of somebody who was erased.
pub(crate) fn staying(tongue: Tongue, stays: &StaysByLaw) -> Stays {
    Stays {
        what: reduced(tongue, &stays.what, stays.records),
        why: stays.law.clone(),
        until: Some(stays.until.into()),
    }
}

/// Copies at providers that were not seen to be gone when somebody was erased.
pub(crate) fn open_copies(tongue: Tongue, erasure: &Erasure) -> Option<Stays> {
    let copies = tongue.put("Copies at providers that we had not seen to be gone ({count})");
    (erasure.open_copies > 0).then(|| Stays {
        what: copies.with("count", erasure.open_copies).text(),
        why: tongue.say("We asked for their deletion, and look again until they are gone.").to_owned(),
        until: None,
    })
}

/// What stays at a recipient of somebody who was erased.
pub(crate) fn staying_elsewhere(tongue: Tongue, policy: &Policy, task: &Task) -> Option<Stays> {
    let stays = task.stays.as_ref().filter(|_| task.state == TaskState::Stays)?;
    Some(Stays {
        what: tongue
            .put("Payments and invoices at {processor} ({records})")
            .with("processor", called(policy, &task.processor))
            .with("records", stays.records)
            .text(),
        why: stays.why.clone(),
        until: stays.until.map(Into::into),
    })
}

fn called(policy: &Policy, processor: &str) -> String {
    policy.processor(processor).map_or_else(|| processor.to_owned(), |p| p.name.clone())
}

/// Somebody else who was told.
pub(crate) fn recipient(tongue: Tongue, policy: &Policy, task: &Task) -> Recipient {
    let asked = match task.kind {
        TaskKind::Correct => tongue.say("Told to correct what it holds."),
        TaskKind::Erase => tongue.say("Told to erase what it holds."),
    };
    let because =
        |sentence: &'static str, why: &str| tongue.put(sentence).with("why", tongue.tell(why)).text();
    let (state, rest) = match (task.state, &task.problem) {
        (TaskState::Done, _) => (State::Kept, tongue.say("It is done, and read back.").to_owned()),
        (TaskState::Stays, Some(why)) => {
            let says = key("Whatever may go at once is gone; the rest has not gone yet: {why}.");
            (State::AtRisk, because(says, why))
        }
        (TaskState::Stays, None) => {
            let says = tongue.say("Whatever may go is gone, and read back; payments stay for now.");
            (State::Attested, says.to_owned())
        }
        (TaskState::Open, Some(why)) => (State::AtRisk, because(key("It is not done yet: {why}."), why)),
        (TaskState::Open, None) => (State::Waiting, tongue.say("It is not proved yet.").to_owned()),
    };
    Recipient {
        name: called(policy, &task.processor),
        says: format!("{asked} {rest}"),
        state,
        at: task.done_at.map(Into::into),
    }
}

/// The way a request has come: what its person has words for. What is between staff, or is said in a program's words, is not
/// told.
pub(crate) fn steps(tongue: Tongue, request: &Request, events: &[Event]) -> Vec<Step> {
    let told = || events.iter().filter_map(|e| Some((e, happened(&e.kind)?)));
    let mut steps: Vec<Step> = told()
        .map(|(e, says)| Step {
            says: tongue.say(says).to_owned(),
            at: Some(e.at.into()),
            now: false,
            note: note(tongue, e),
        })
        .collect();
    // A letter came before it was confirmed, and is the beginning.
    if let Some(place) = told().position(|(e, _)| e.kind == "arrived")
        && place < steps.len()
    {
        let letter = steps.remove(place);
        steps.insert(0, Step { at: Some(request.received_at.into()), ..letter });
    }
    // An answer and its closing in the same second are one thing to a reader.
    steps.dedup_by(|b, a| b.says == a.says);
    if let Some(ahead) = ahead(request) {
        steps.push(Step { says: tongue.say(ahead).to_owned(), at: None, now: true, note: String::new() });
    }
    steps
}

/// What is told besides of something that happened: why it is held up, and how it was shown who asks. Where a letter came
/// from, and under which number an agent holds a mandate, is for staff.
fn note(tongue: Tongue, event: &Event) -> String {
    match (event.kind.as_str(), &event.note) {
        ("problem", Some(why)) => problem(tongue, why),
        ("identity-shown", Some(how)) => tongue.tell(how),
        _ => String::new(),
    }
}

/// Why a step could not be done, with the name of whoever holds it up if that is somebody else.
fn problem(tongue: Tongue, why: &str) -> String {
    match why.split_once(": ") {
        Some((who, why)) => format!("{who}: {}", tongue.tell(why)),
        None => tongue.tell(why),
    }
}

/// What happened, in words for the person. `None` for what is not told them: the clocks' calls to staff, notes between staff, a
/// refusal that is only proposed, and whatever has no words here.
fn happened(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "filed" => key("You filed it"),
        "arrived" => key("Your letter reached us; both clocks count from here"),
        "by-agent" => key("An agent asked for it in your name"),
        "acknowledged" => key("It has its number and its dates"),
        "address-asked" => key("We wrote to your new address"),
        "asked-again" => key("You asked again; it stays one request"),
        "identity-pending" => key("We asked who is asking"),
        "identity-shown" => key("You showed that it is you"),
        "grace" => key("Set for later, so that you can change your mind"),
        "held" => key("Put off, because your address was changed lately"),
        "lapsed" => key("It ended, because nobody confirmed it in time"),
        "agent-removed" => key("It ended, because its agent may ask no more"),
        "waived" => key("You asked for it at once"),
        "started" | "working" => key("The work began"),
        "erasing" => key("The erasure began"),
        "ready" => key("Your data were gathered"),
        "gaps" => key("Some of your pictures could not be read"),
        "delivered" => key("You took your data home"),
        "extended" => key("We told you that we need longer"),
        "problem" => key("A step could not be done yet"),
        "fulfilled" => key("It was done"),
        "partly-fulfilled" => key("It was done, but for what stays"),
        "refused" => key("It was refused, with reasons"),
        "no-data" => key("Nothing of yours was found"),
        "closed" => key("Closed, with a receipt"),
        "withdrawn" => key("You took it back"),
        "address-undone" => key("Taken back with the change of your address"),
        "reopened" => key("It was taken up again"),
        "erasure-failed" => key("Something was still found, and is cleared away"),
        _ => return None,
    })
}

fn ahead(request: &Request) -> Option<&'static str> {
    match request.state {
        Stands::Received | Stands::Acknowledged | Stands::Working => Some(key("We work on it")),
        Stands::IdentityPending => Some(key("Waiting for you")),
        Stands::Grace => Some(key("The erasure takes place")),
        Stands::Fulfilled if request.archive.is_some() => Some(key("Waiting for you to download it")),
        _ => None,
    }
}

/// The archive, while it can be had.
pub(crate) fn archive(
    tongue: Tongue,
    root: &str,
    request: &Request,
    holdings: &[Holdings],
    now: Timestamp,
) -> Option<ArchiveReady> {
    let prepared = request.archive.filter(|a| a.until >= now)?;
    let sum = |of: fn(&Holdings) -> i64| {
        tongue.number(holdings.iter().filter_map(|h| u64::try_from(of(h)).ok()).sum())
    };
    let fact = |name: &'static str, value: String| Fact { name: tongue.say(name).to_owned(), value };
    let day = prepared.made_at.to_utc().format("%Y-%m-%d");
    Some(ArchiveReady {
        href: format!("{root}/privacy/requests/{}/archive", request.reference),
        file_name: format!("{}-your-data-{day}.zip", request.tenant),
        size: Size(prepared.len),
        inside: vec![
            fact(key("Pictures"), sum(|h| h.images)),
            fact(key("Records"), tongue.say("as JSON and as tables").to_owned()),
            fact(key("The law’s list"), tongue.say("who has what, why, and for how long").to_owned()),
            fact(key("Proof"), tongue.say("a signed list of every file").to_owned()),
        ],
        until: prepared.until.into(),
        taken: prepared.delivered_at.map(Into::into),
    })
}

/// What letters say: the answer, and after a refusal where one can turn to.
pub(crate) fn answer(tongue: Tongue, letters: &[Map<String, Value>]) -> (Vec<String>, Option<String>) {
    let word = |letter: &Map<String, Value>, name: &str| {
        letter.get(name).and_then(Value::as_str).map(ToOwned::to_owned)
    };
    let mut says = Vec::new();
    let mut remedy = None;
    for letter in letters {
        let why = word(letter, "refused-because").and_then(|why| RefusalReason::parse(&why));
        says.extend(why.map(|why| tongue.say(why.in_words()).to_owned()));
        says.extend(word(letter, "reasons").map(|reasons| tongue.tell(&reasons)));
        says.extend(
            word(letter, "law").map(|law| tongue.put("This rests on: {law}.").with("law", law).text()),
        );
        remedy = requests::remedy(tongue, letter).or(remedy);
    }
    (says, remedy)
}

/// Whether its owner can still take it back.
pub(crate) fn can_withdraw(request: &Request) -> bool {
    request.state.is_open() && request.state.leads_to(Stands::Withdrawn, request.right)
}
