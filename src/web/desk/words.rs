//! The desk's words for rights, states, channels and what happened.

use crate::policy::{Channel, Right};
use crate::requests::{Field, RefusalReason, State};
use crate::web::view::Choice;

/// A right in a word.
pub(super) fn right(right: Right) -> &'static str {
    match right {
        Right::Access => "Access",
        Right::Portability => "Portability",
        Right::Rectification => "Correction",
        Right::Erasure => "Erasure",
        Right::Restriction => "Restriction",
        Right::Objection => "Objection",
        Right::Withdrawal => "Withdrawal of consent",
    }
}

/// Where a request stands.
pub(super) fn state(state: State) -> &'static str {
    match state {
        State::Received => "Received",
        State::Acknowledged => "Acknowledged",
        State::IdentityPending => "Waits for proof of identity",
        State::Grace => "Can still be taken back",
        State::Working => "Being carried out",
        State::Fulfilled => "Done",
        State::PartlyFulfilled => "Done in part",
        State::Refused => "Refused",
        State::NoData => "Nothing is held",
        State::Closed => "Closed",
        State::Withdrawn => "Taken back",
    }
}

/// How a request came.
pub(super) fn channel(channel: Channel) -> &'static str {
    match channel {
        Channel::Page => "page",
        Channel::Api => "app",
        Channel::Email => "mail",
    }
}

/// What happened to a request, by the kind of its event.
pub(super) fn event(kind: &str) -> String {
    let words = match kind {
        "filed" => "Received",
        "by-agent" => "Asked for by an agent",
        "arrived" => "Where it came from was looked at",
        "asked-again" => "Asked for again",
        "address-asked" => "The new address was written to",
        "acknowledged" => "Acknowledged",
        "identity-shown" => "Identity proved",
        "held" => "Put off: their address was changed lately",
        "lapsed" => "Ended: nobody confirmed it in time",
        "agent-removed" => "Ended: its agent was taken out",
        "waived" => "Time to take it back given up",
        "started" => "Begun",
        "problem" => "Stuck",
        "ready" => "Ready to be taken home",
        "gaps" => "Some pictures could not be read",
        "delivered" => "Handed over",
        "erasing" => "Erasure begun: nothing is read or written any more",
        "erasure-failed" => "The second look found something left",
        "fulfilled" => "Done",
        "partly-fulfilled" => "Done in part",
        "refused" => "Refused",
        "no-data" => "Nothing is held of this person",
        "closed" => "Closed with a receipt",
        "withdrawn" => "Taken back",
        "address-undone" => "Taken back: the old mailbox undid the change of address",
        "extended" => "The law’s time was extended",
        "reopened" => "Taken up again",
        "noted" => "A note was written",
        "refusal-proposed" => "A refusal was proposed",
        other => return plain(other),
    };
    words.to_owned()
}

/// A code as words: `promise-missed` as `Promise missed`.
fn plain(code: &str) -> String {
    let spaced = code.replace('-', " ");
    let mut rest = spaced.chars();
    rest.next().map(|c| c.to_uppercase().chain(rest).collect()).unwrap_or_default()
}

/// Who did something.
pub(super) fn role(role: &str) -> String {
    match role {
        "service" => "by the program".to_owned(),
        "subject" => "by the person".to_owned(),
        "app" => "through the app".to_owned(),
        staff => format!("by {staff}"),
    }
}

/// A ground to refuse on, and the provision it rests on.
pub(super) fn ground(reason: RefusalReason) -> (&'static str, &'static str) {
    match reason {
        RefusalReason::Identity => ("Who is asking could not be shown", "Art. 12(2) and 11(2) GDPR"),
        RefusalReason::Excessive => ("Manifestly unfounded or excessive", "Art. 12(5) GDPR"),
        RefusalReason::LegalDuty => ("A law wants the data kept", "Art. 17(3)(b) GDPR"),
        RefusalReason::LegalClaim => ("Needed for a legal claim", "Art. 17(3)(e) GDPR"),
        RefusalReason::OthersRights => ("It would harm the rights of others", "Art. 15(4) and 20(4) GDPR"),
        RefusalReason::Accurate => ("What is said to be wrong was found to be right", "Art. 16 GDPR"),
    }
}

/// The values of an account that can be corrected by hand.
pub(super) fn fields() -> Vec<Choice> {
    let says = |field: Field| match field {
        Field::Name => "Name",
        Field::Email => "E-mail address",
        Field::Username => "User name",
    };
    let choice = |&field: &Field| Choice {
        value: field.as_str().to_owned(),
        says: says(field).to_owned(),
        chosen: false,
    };
    Field::ALL.iter().map(choice).collect()
}

/// The grounds to choose from.
pub(super) fn grounds() -> Vec<Choice> {
    let choice = |&reason: &RefusalReason| {
        let (words, law) = ground(reason);
        Choice { value: reason.as_str().to_owned(), says: format!("{words}, {law}"), chosen: false }
    };
    RefusalReason::ALL.iter().map(choice).collect()
}

/// A list to choose from, the first entry for no choice.
pub(super) fn choices<'a>(
    all: &'a str,
    rest: impl IntoIterator<Item = (&'a str, &'a str)>,
    chosen: &str,
) -> Vec<Choice> {
    std::iter::once(("", all))
        .chain(rest)
        .map(|(value, says)| Choice {
            value: value.to_owned(),
            says: says.to_owned(),
            chosen: value == chosen,
        })
        .collect()
}
