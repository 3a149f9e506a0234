//! Asking for something: the question of each right, the summary, and what is then filed.

use crate::base::{Secret, Timestamp};
use crate::consent;
use crate::policy::{Channel, Policy, Right};
use crate::requests::{Ask, Filing, MOST_WORDS};
use crate::speech::{Case, Tongue, key};
use crate::subjects::Profile;
use crate::vault::Actor;
use crate::web::form::Filled;
use crate::web::page::purpose_title;
use crate::web::shape::account::mistake;
use crate::web::shape::requests::title;
use crate::web::view::{Choice, Fact, Mistakes, RequestCheck, RequestQuestion, Shell};

/// The question of a right. None where there is a page of its own instead.
pub(crate) fn question(
    shell: Shell,
    policy: &Policy,
    right: Right,
    said: &[consent::Choice],
    form: &Filled,
    mistakes: Mistakes,
) -> Option<RequestQuestion> {
    let rule = policy.right(right)?;
    let tongue = shell.tongue;
    let (question, explains) = words(right)?;
    let mut choices = choices(tongue, policy, right, said);
    let picked = form.one("choice");
    let only = choices.len() == 1;
    for choice in &mut choices {
        choice.chosen = only || choice.value == picked || (picked.is_empty() && choice.value == "all");
    }
    let (text_label, text_hint) = text_field(right);
    let nothing = choices.is_empty() && matches!(right, Right::Objection | Right::Withdrawal);
    let mut explains: Vec<String> = explains.iter().map(|s| tongue.say(s).to_owned()).collect();
    if nothing {
        let says = tongue.say("There is nothing of that kind just now. You can still write to us below.");
        explains.push(says.to_owned());
    }
    Some(RequestQuestion {
        shell,
        right: right.as_str().to_owned(),
        question: tongue.say(question).to_owned(),
        explains,
        choices,
        many: false,
        text_label: text_label.map(|label| tongue.say(label).to_owned()),
        text_hint: tongue.say(text_hint).to_owned(),
        text: form.one("text").to_owned(),
        promised: tongue.period(rule.answer_within, Case::After),
        mistakes,
    })
}

fn words(right: Right) -> Option<(&'static str, &'static [&'static str])> {
    Some(match right {
        Right::Access | Right::Portability => (
            key("What would you like to take home?"),
            const {
                &[key(
                    "You get one ZIP that any computer opens: your pictures, tables as JSON and CSV, and a page to look around in. It is ready at once.",
                )]
            },
        ),
        Right::Rectification => (
            key("What is wrong?"),
            const {
                &[key(
                    "Your name and address you can mend yourself under “Correct my details”. For anything else, tell us, and a person looks into it.",
                )]
            },
        ),
        Right::Objection => (
            key("What should we stop doing?"),
            const {
                &[key(
                    "These are things we do without asking first, because the law lets us weigh our interest against yours. Say no, and we stop at once.",
                )]
            },
        ),
        Right::Withdrawal => (
            key("What do you take back?"),
            const {
                &[key(
                    "It counts from the second you file it. The switches in the privacy centre do the same.",
                )]
            },
        ),
        Right::Restriction => (
            key("Shall we pause everything?"),
            const {
                &[key(
                    "We keep your data and do nothing else with them: no edits, no reading by staff. You can lift the pause yourself at any time.",
                )]
            },
        ),
        Right::Erasure => return None,
    })
}

fn choices(tongue: Tongue, policy: &Policy, right: Right, said: &[consent::Choice]) -> Vec<Choice> {
    let choice =
        |value: &str, says: &str| Choice { value: value.to_owned(), says: says.to_owned(), chosen: false };
    let told = |value: &str, says: &'static str| choice(value, tongue.say(says));
    let purposes = |consent: bool| {
        let on = said.iter().filter(move |c| c.on && c.needs_consent == consent);
        on.map(|c| choice(&c.purpose, &c.label)).collect()
    };
    match right {
        Right::Access | Right::Portability => {
            let mut both =
                vec![told("all", key("Everything you hold about me, with the answers the law gives me"))];
            if policy.right(Right::Portability).is_some() {
                both.push(told(
                    "portable",
                    key("What I gave you and what came of it, to use with another service"),
                ));
            }
            both
        }
        Right::Objection => purposes(false),
        Right::Withdrawal => purposes(true),
        Right::Rectification | Right::Restriction | Right::Erasure => Vec::new(),
    }
}

fn text_field(right: Right) -> (Option<&'static str>, &'static str) {
    match right {
        Right::Rectification => {
            (Some(key("What is wrong, and what is right?")), key("As plainly as you can."))
        }
        Right::Objection | Right::Restriction => {
            (Some(key("Anything we should know?")), key("You need not write anything."))
        }
        _ => (None, ""),
    }
}

/// What the answers ask for, or what is wrong with them.
pub(crate) fn asked(tongue: Tongue, policy: &Policy, right: Right, form: &Filled) -> Result<Ask, Mistakes> {
    if form.one("text").chars().count() > MOST_WORDS {
        return Err(mistake("text", tongue.say("Write at most 4,000 characters.")));
    }
    let picked = form.one("choice");
    let purpose = || {
        let known = policy.purpose(picked).filter(|p| p.is_choice());
        known.map(|p| p.id.clone()).ok_or_else(|| mistake("choice", tongue.say("Choose one of these.")))
    };
    match right {
        Right::Access | Right::Portability => match picked {
            "all" => Ok(Ask::Access),
            "portable" => Ok(Ask::Portability),
            _ => Err(mistake("choice", tongue.say("Choose one of the two."))),
        },
        Right::Rectification if form.one("text").is_empty() => {
            Err(mistake("text", tongue.say("Write what should be corrected.")))
        }
        Right::Rectification => Ok(Ask::Rectification(None)),
        Right::Restriction => Ok(Ask::Restriction { on: true }),
        Right::Objection => Ok(Ask::Objection { purpose: purpose()? }),
        Right::Withdrawal => Ok(Ask::Withdrawal { purpose: purpose()? }),
        Right::Erasure => Err(Mistakes::default()),
    }
}

/// The request as it is filed from a page, by somebody who is signed in.
pub(crate) fn filing(ask: Ask, by: Actor, words: &str) -> Filing {
    let words = Some(words).filter(|w| !w.is_empty()).map(|w| Secret::new(w.to_owned()));
    Filing { ask, channel: Channel::Page, by, proved: true, words }
}

/// The summary before filing.
pub(crate) fn check(
    shell: Shell,
    policy: &Policy,
    ask: &Ask,
    form: &Filled,
    now: Timestamp,
    step_up: bool,
) -> Option<RequestCheck> {
    let right = ask.right();
    let tongue = shell.tongue;
    let clocks = policy.clocks(right, now, &[])?;
    let fact = |name: &str, value: &str| Fact { name: name.to_owned(), value: value.to_owned() };
    let about = match ask {
        Ask::Objection { purpose } | Ask::Withdrawal { purpose } => Some(purpose.as_str()),
        _ => None,
    };
    let mut answers = Vec::new();
    match ask {
        Ask::Access => answers.push(fact(tongue.say("What"), tongue.say("Everything you hold about me"))),
        Ask::Portability => {
            answers.push(fact(tongue.say("What"), tongue.say("What I gave you and what came of it")));
        }
        _ => {}
    }
    answers.extend(about.map(|id| fact(tongue.say("What"), &purpose_title(policy, id))));
    if !form.one("text").is_empty() {
        answers.push(fact(tongue.say("You wrote"), form.one("text")));
    }
    let carry = ["choice", "text"].map(|name| fact(name, form.one(name)));
    Some(RequestCheck {
        shell,
        right: right.as_str().to_owned(),
        title: title(tongue, policy, right, about),
        answers,
        carry: carry.into_iter().filter(|f| !f.value.is_empty()).collect(),
        next: next(tongue, right),
        promised_by: clocks.promise.into(),
        law_by: clocks.legal.map_or(clocks.promise, |law| law.due).into(),
        button: tongue.say("File this request").to_owned(),
        step_up,
    })
}

/// What happens after filing.
pub(crate) fn next(tongue: Tongue, right: Right) -> Vec<String> {
    let steps: &[&'static str] = match right {
        Right::Access | Right::Portability => {
            const {
                &[
                    key("We gather everything from every place it lies."),
                    key("It is ready at once, and can be had for 30 days."),
                    key("You download it here, signed in. It never travels by mail."),
                ]
            }
        }
        Right::Rectification => {
            const {
                &[
                    key("A person reads what you wrote and looks into it."),
                    key(
                        "If something has to be mended we mend it, and tell whoever had received the old one.",
                    ),
                    key("You get an answer either way, with a receipt."),
                ]
            }
        }
        Right::Restriction => {
            const {
                &[
                    key("From this second your data are kept and not used."),
                    key("Edits stop, and start again when you lift the pause."),
                    key("You get a receipt."),
                ]
            }
        }
        Right::Objection | Right::Withdrawal => {
            const {
                &[
                    key("It stops from this second."),
                    key("What was held for it alone goes, where the policy says so."),
                    key("You get a receipt."),
                ]
            }
        }
        Right::Erasure => {
            const {
                &[
                    key("Your key is destroyed."),
                    key("Every place is searched again."),
                    key("You get a receipt."),
                ]
            }
        }
    };
    steps.iter().map(|s| tongue.say(s).to_owned()).collect()
}

/// An address shortened so that it can stand on a page: `n…@example.org`.
pub(crate) fn shortened(email: &str) -> String {
    let (local, domain) = email.split_once('@').unwrap_or((email, ""));
    format!("{}…@{domain}", local.chars().next().unwrap_or('…'))
}

/// Corrected details as they were sent, or what is wrong with them.
pub(crate) fn details(tongue: Tongue, form: &Filled) -> Result<Profile, Mistakes> {
    let mut wrong = Vec::new();
    for (field, missing) in [("name", key("Enter your name.")), ("username", key("Enter your user name."))] {
        let value = form.one(field);
        let says = if value.is_empty() {
            tongue.say(missing)
        } else if value.chars().count() > 120 {
            tongue.say("Enter at most 120 characters.")
        } else if value.chars().any(char::is_control) {
            tongue.say("Leave out control characters.")
        } else {
            continue;
        };
        wrong.extend(mistake(field, says).0);
    }
    let email = form.one("email").parse::<crate::subjects::Email>();
    if email.is_err() {
        wrong.extend(crate::web::shape::account::bad_address(tongue).0);
    }
    let Ok(email) = email else { return Err(Mistakes(wrong)) };
    if !wrong.is_empty() {
        return Err(Mistakes(wrong));
    }
    let field = |name: &str| form.one(name).to_owned();
    Ok(Profile { email: email.expose().to_owned(), name: field("name"), username: field("username") })
}
