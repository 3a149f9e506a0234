//! Requests as their owner sees them.

use serde_json::{Map, Value};

use crate::base::Timestamp;
use crate::elsewhere::{Task, TaskKind, TaskState};
use crate::policy::{Policy, Right};
use crate::requests::{Event, Request, State as Stands, StaysByLaw};
use crate::vault::{Holdings, KeptRecords};
use crate::web::page::purpose_title;
use crate::web::view::{ArchiveReady, Clock, Count, Fact, Recipient, RequestRow, Size, State, Stays, Step};

/// What was asked, in the person's words.
pub(crate) fn title(policy: &Policy, right: Right, about: Option<&str>) -> String {
    let purpose = || purpose_title(policy, about.unwrap_or_default());
    match right {
        Right::Access => "Take my data home".to_owned(),
        Right::Portability => "Take my data to another service".to_owned(),
        Right::Rectification => "Correct my details".to_owned(),
        Right::Erasure => "Erase my account".to_owned(),
        Right::Restriction if about == Some("off") => "Lift the pause".to_owned(),
        Right::Restriction => "Pause everything".to_owned(),
        Right::Objection => format!("Object to “{}”", purpose()),
        Right::Withdrawal => format!("Take back “{}”", purpose()),
    }
}

/// A request in a list.
pub(crate) fn row(policy: &Policy, request: &Request) -> RequestRow {
    let met = request.answered_at.or(request.closed_at).map(Into::into);
    let (status, state) = standing(request);
    RequestRow {
        reference: request.reference.clone(),
        title: title(policy, request.right, request.about.as_deref()),
        filed: request.received_at.into(),
        status: status.to_owned(),
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
        _ if request.problem.is_some() && request.state.is_open() => ("Held up; we try again", State::AtRisk),
        Stands::Received | Stands::Acknowledged => ("Received", State::Waiting),
        Stands::IdentityPending => ("Waiting for you to show that it is you", State::Waiting),
        Stands::Grace => ("Set, and can still be taken back", State::Waiting),
        Stands::Working => ("Being worked on", State::Waiting),
        Stands::Fulfilled if request.archive.is_some() => ("Ready to download", State::Kept),
        Stands::Refused => ("Refused, with reasons", State::Attested),
        Stands::PartlyFulfilled => ("Done but for what the law keeps", State::Attested),
        Stands::NoData => ("We hold nothing of yours", State::Kept),
        Stands::Closed if request.outcome.as_deref() == Some("partly-fulfilled") => {
            ("Done but for what the law keeps", State::Attested)
        }
        Stands::Closed if refused => ("Answered, with reasons", State::Attested),
        Stands::Fulfilled | Stands::Closed => ("Done", State::Kept),
        Stands::Withdrawn => ("You took it back", State::Attested),
    }
}

/// Where a request stands, in a sentence or two.
pub(crate) fn says(request: &Request) -> String {
    if let (Some(why), true) = (&request.problem, request.state.is_open()) {
        return format!("A step could not be done: {why}. Nothing is lost; it is tried again by itself.");
    }
    let text = match request.state {
        Stands::Received | Stands::Acknowledged => "It has reached us, and its clocks run.",
        Stands::IdentityPending => "Open the link we sent you, so that nobody else can ask in your name.",
        Stands::Grace => "It takes place at the time below. Until then you can take it back.",
        Stands::Working => "Somebody is looking into it. You need not do anything.",
        Stands::Fulfilled | Stands::Closed if request.archive.is_some() => {
            "Everything we hold about you is in one archive. It is put together while you download it, so no copy of it lies anywhere."
        }
        Stands::Fulfilled | Stands::Closed | Stands::PartlyFulfilled => "It is done, and proved below.",
        Stands::Refused => "Our answer and its reasons stand below.",
        Stands::NoData => "We looked everywhere and hold nothing of yours.",
        Stands::Withdrawn => "You took it back before it was done. Nothing was changed.",
    };
    text.to_owned()
}

/// What a law would make us keep of somebody who is erased.
pub(crate) fn would_stay(kept: KeptRecords) -> Stays {
    Stays {
        what: format!("{} ({}), reduced to what the law asks for", kept.title, kept.records),
        why: kept.law,
        until: Some(kept.until.into()),
    }
}

/// What a law made us keep of somebody who was erased.
pub(crate) fn staying(stays: &StaysByLaw) -> Stays {
    Stays {
        what: format!("{} ({}), reduced to what the law asks for", stays.what, stays.records),
        why: stays.law.clone(),
        until: Some(stays.until.into()),
    }
}

/// What stays at a recipient of somebody who was erased.
pub(crate) fn staying_elsewhere(policy: &Policy, task: &Task) -> Option<Stays> {
    let stays = task.stays.as_ref().filter(|_| task.state == TaskState::Stays)?;
    Some(Stays {
        what: format!("Payments and invoices at {} ({})", called(policy, &task.processor), stays.records),
        why: stays.why.clone(),
        until: stays.until.map(Into::into),
    })
}

fn called(policy: &Policy, processor: &str) -> String {
    policy.processor(processor).map_or_else(|| processor.to_owned(), |p| p.name.clone())
}

/// Somebody else who was told.
pub(crate) fn recipient(policy: &Policy, task: &Task) -> Recipient {
    let asked = match task.kind {
        TaskKind::Correct => "Told to correct what it holds",
        TaskKind::Erase => "Told to erase what it holds",
    };
    let (state, rest) = match (task.state, &task.problem) {
        (TaskState::Done, _) => (State::Kept, "done, and read back".to_owned()),
        (TaskState::Stays, Some(why)) => {
            (State::AtRisk, format!("whatever may go at once is gone; the rest has not gone yet: {why}"))
        }
        (TaskState::Stays, None) => {
            (State::Attested, "whatever may go is gone, and read back; payments stay for now".to_owned())
        }
        (TaskState::Open, Some(why)) => (State::AtRisk, format!("not done yet: {why}")),
        (TaskState::Open, None) => (State::Waiting, "not proved yet".to_owned()),
    };
    Recipient {
        name: called(policy, &task.processor),
        says: format!("{asked}; {rest}."),
        state,
        at: task.done_at.map(Into::into),
    }
}

/// The way a request has come.
pub(crate) fn steps(request: &Request, events: &[Event]) -> Vec<Step> {
    let quiet = ["promise-near", "promise-missed", "law-near", "law-missed"];
    let told = events.iter().filter(|e| !quiet.contains(&e.kind.as_str()));
    let mut steps: Vec<Step> = told
        .map(|e| Step {
            says: happened(&e.kind),
            at: Some(e.at.into()),
            now: false,
            note: e.note.clone().unwrap_or_default(),
        })
        .collect();
    // An answer and its closing in the same second are one thing to a reader.
    steps.dedup_by(|b, a| b.says == a.says);
    if let Some(ahead) = ahead(request) {
        steps.push(Step { says: ahead.to_owned(), at: None, now: true, note: String::new() });
    }
    steps
}

fn happened(kind: &str) -> String {
    let known = match kind {
        "filed" => "You filed it",
        "arrived" => "Your letter had reached us",
        "acknowledged" => "It has its number and its dates",
        "asked-again" => "You asked again; it stays one request",
        "identity-pending" => "We asked who is asking",
        "identity-shown" => "You showed that it is you",
        "grace" => "Set for later, so that you can change your mind",
        "waived" => "You asked for it at once",
        "started" | "working" => "The work began",
        "erasing" => "The erasure began",
        "ready" => "Your data were gathered",
        "delivered" => "You took your data home",
        "extended" => "We told you that we need longer",
        "problem" => "A step could not be done yet",
        "fulfilled" => "It was done",
        "partly-fulfilled" => "It was done, but for what the law keeps",
        "refused" => "It was refused, with reasons",
        "no-data" => "Nothing of yours was found",
        "closed" => "Closed, with a receipt",
        "withdrawn" => "You took it back",
        "reopened" => "It was taken up again",
        other => other,
    };
    known.to_owned()
}

fn ahead(request: &Request) -> Option<&'static str> {
    match request.state {
        Stands::Received | Stands::Acknowledged | Stands::Working => Some("We work on it"),
        Stands::IdentityPending => Some("Waiting for you"),
        Stands::Grace => Some("The erasure takes place"),
        Stands::Fulfilled if request.archive.is_some() => Some("Waiting for you to download it"),
        _ => None,
    }
}

/// The archive, while it can be had.
pub(crate) fn archive(
    root: &str,
    request: &Request,
    holdings: &[Holdings],
    now: Timestamp,
) -> Option<ArchiveReady> {
    let prepared = request.archive.filter(|a| a.until >= now)?;
    let sum = |of: fn(&Holdings) -> i64| {
        Count(holdings.iter().filter_map(|h| u64::try_from(of(h)).ok()).sum()).to_string()
    };
    let fact = |name: &str, value: String| Fact { name: name.to_owned(), value };
    let day = prepared.made_at.to_utc().format("%Y-%m-%d");
    Some(ArchiveReady {
        href: format!("{root}/privacy/requests/{}/archive", request.reference),
        file_name: format!("{}-your-data-{day}.zip", request.tenant),
        size: Size(prepared.len),
        inside: vec![
            fact("Pictures", sum(|h| h.images)),
            fact("Records", format!("{}, as JSON and as tables", sum(|h| h.records))),
            fact("The law’s list", "who has what, why, and for how long".to_owned()),
            fact("Proof", "a signed list of every file".to_owned()),
        ],
        until: prepared.until.into(),
        taken: prepared.delivered_at.map(Into::into),
    })
}

/// What letters say: the answer, and after a refusal where one can turn to.
pub(crate) fn answer(letters: &[Map<String, Value>]) -> (Vec<String>, Option<String>) {
    let word = |letter: &Map<String, Value>, name: &str| {
        letter.get(name).and_then(Value::as_str).map(ToOwned::to_owned)
    };
    let mut says = Vec::new();
    let mut remedy = None;
    for letter in letters {
        says.extend(word(letter, "reasons"));
        says.extend(word(letter, "law").map(|law| format!("This rests on: {law}.")));
        remedy = word(letter, "remedy").or(remedy);
    }
    (says, remedy)
}

/// Whether its owner can still take it back.
pub(crate) fn can_withdraw(request: &Request) -> bool {
    request.state.is_open() && request.state.leads_to(Stands::Withdrawn, request.right)
}
