//! Agents and mandates as pages show them.

use chrono::NaiveDate;

use crate::base::Timestamp;
use crate::intake::{Mandate, MandateOpened, Proposal, Wanted};
use crate::policy::{Policy, Right};
use crate::requests::Request;
use crate::speech::{Tongue, key};
use crate::subjects::Email;
use crate::web::form::Filled;
use crate::web::shape::account::mistake;
use crate::web::shape::letters::{choices, chosen};
use crate::web::shape::requests::title;
use crate::web::view::{
    AgentForm, AgentTyped, Choice, LetterDone, LetterFiled, MandateQuestion, MandateRow, Mistakes, Shell,
};

/// The form of an agent, as it was filled in.
pub(crate) fn form(shell: Shell, policy: &Policy, form: &Filled, mistakes: Mistakes) -> AgentForm {
    let field = |name: &str| form.one(name).to_owned();
    let mut choices = choices(shell.tongue, policy);
    for choice in &mut choices {
        choice.chosen = choice.value == form.one("choice");
    }
    let rights = policy.rights().map(|rule| Choice {
        value: rule.right.as_str().to_owned(),
        says: shell.say(called(rule.right)).to_owned(),
        chosen: form.all("rights").any(|r| r == rule.right.as_str()),
    });
    AgentForm {
        rights: rights.collect(),
        typed: AgentTyped {
            agent: field("agent"),
            contact: field("contact"),
            person: field("person"),
            until: field("until"),
            text: field("text"),
        },
        shell,
        choices,
        mistakes,
    }
}

/// A right without a purpose, in the person's words.
fn called(right: Right) -> &'static str {
    match right {
        Right::Access => key("See what is held"),
        Right::Portability => key("Take data to another service"),
        Right::Rectification => key("Have something corrected"),
        Right::Erasure => key("Have everything erased"),
        Right::Restriction => key("Have everything paused"),
        Right::Objection => key("Object to a use"),
        Right::Withdrawal => key("Take a consent back"),
    }
}

/// What an agent proposes, or everything that is wrong with it.
pub(crate) fn proposal(tongue: Tongue, policy: &Policy, form: &Filled) -> Result<Proposal, Mistakes> {
    let mut wrong = Mistakes::default();
    let mut add = |field: &str, says: &'static str| wrong.0.extend(mistake(field, tongue.say(says)).0);
    if form.one("agent").is_empty() {
        add("agent", key("Say who you are."));
    }
    let mut address = |field: &str| {
        let found = form.one(field).parse::<Email>().ok();
        if found.is_none() {
            add(field, key("Enter an address like name@example.org."));
        }
        found
    };
    let (contact, person) = (address("contact"), address("person"));
    let rights: Vec<Right> = form.all("rights").filter_map(|r| r.parse().ok()).collect();
    if rights.is_empty() {
        add("rights", key("Choose what your mandate is for."));
    }
    let until = last_day(form.one("until"));
    if until.is_none() {
        add("until", key("Enter a day like 2027-06-30."));
    }
    let ask = match chosen(tongue, policy, form) {
        Ok(ask) => {
            if !rights.is_empty() && !rights.contains(&ask.right()) {
                add("choice", key("Your mandate is not for this. Choose it above as well."));
            }
            Some(ask)
        }
        Err(mistakes) => {
            wrong.0.extend(mistakes.0);
            None
        }
    };
    match (contact, person, until, ask) {
        (Some(contact), Some(person), Some(until), Some(ask)) if wrong.none() => Ok(Proposal {
            until,
            agent: form.one("agent").to_owned(),
            tells: false,
            wanted: Wanted { ask, words: form.one("text").to_owned() },
            contact,
            person,
            rights,
        }),
        _ => Err(wrong),
    }
}

/// The end of a day.
fn last_day(text: &str) -> Option<Timestamp> {
    let day: NaiveDate = text.parse().ok()?;
    Some(Timestamp::from_utc(day.and_hms_opt(23, 59, 59)?.and_utc()))
}

/// The question to the person.
pub(crate) fn question(shell: Shell, policy: &Policy, opened: MandateOpened, token: &str) -> MandateQuestion {
    let (right, about) = opened.wanted.ask.parts();
    MandateQuestion {
        token: token.to_owned(),
        agent: opened.agent,
        contact: opened.contact,
        rights: opened.rights.iter().map(|r| shell.say(called(*r)).to_owned()).collect(),
        first: title(shell.tongue, policy, right, about.as_deref()),
        words: opened.wanted.words,
        until: opened.until.into(),
        answer_until: opened.answer_until.into(),
        tells: opened.tells,
        shell,
    }
}

/// A mandate in the privacy centre.
pub(crate) fn row(tongue: Tongue, mandate: Mandate) -> MandateRow {
    let until = |says: &'static str, at: Timestamp| tongue.put(says).with("day", tongue.day(at)).text();
    let holds = if mandate.tells {
        key("Until {day}. They are told how your requests stand.")
    } else {
        key("Until {day}. They are told nothing.")
    };
    let says = match mandate.ended_at {
        Some(ended) => until(key("It ended on {day}."), ended),
        None if mandate.holds => until(holds, mandate.until),
        None => until(key("It ended on {day}."), mandate.until),
    };
    let rights: Vec<&str> = mandate.rights.iter().map(|r| tongue.say(called(*r))).collect();
    MandateRow {
        id: mandate.id.to_string(),
        rights: rights.join(", "),
        agent: mandate.agent,
        contact: mandate.contact,
        holds: mandate.holds,
        says,
    }
}

/// What an agent is told: the same whether the person is known or not.
pub(crate) fn asked(shell: Shell) -> LetterDone {
    LetterDone {
        title: shell.say("If we know them, we ask them").to_owned(),
        says: vec![
            shell.say("A letter goes to the person with what you want and for how long. They have seven days to answer.").to_owned(),
            shell.say("What they say, and what your request brings to light, goes to them and not to you. Ask them.").to_owned(),
        ],
        filed: None,
        shell,
    }
}

/// The person said yes.
pub(crate) fn given(shell: Shell, request: &Request) -> LetterDone {
    LetterDone {
        title: shell.say("The mandate is given").to_owned(),
        says: vec![
            shell.say("What they asked for is filed in your name. The answer comes to you, in the privacy centre.").to_owned(),
            shell.say("You see the mandate there, and end it there whenever you like.").to_owned(),
        ],
        filed: Some(LetterFiled {
            reference: request.reference.clone(),
            received: request.received_at.into(),
            promised_by: request.due.promise.into(),
            law_by: request.legal_due().into(),
        }),
        shell,
    }
}

/// The person said no.
pub(crate) fn refused(shell: Shell) -> LetterDone {
    LetterDone {
        title: shell.say("We did nothing").to_owned(),
        says: vec![
            shell
                .say("They may not act for you, and are told nothing. What we kept of their request is gone.")
                .to_owned(),
        ],
        filed: None,
        shell,
    }
}
