//! A letter that came in: what its writer can choose, and what became of it.

use crate::intake::{Confirmed, Opened};
use crate::policy::{Policy, Right, RightRule};
use crate::requests::{Ask, MOST_WORDS};
use crate::speech::{Case, Tongue};
use crate::web::form::Filled;
use crate::web::shape::account::mistake;
use crate::web::shape::requests::title;
use crate::web::view::{Choice, LetterConfirm, LetterDone, LetterFiled, Mistakes, Shell};

/// The page behind a link.
pub(crate) fn confirm(
    shell: Shell,
    policy: &Policy,
    opened: Opened,
    form: &Filled,
    mistakes: Mistakes,
) -> LetterConfirm {
    let picked = form.one("choice");
    let meant = opened.right.map(Right::as_str).unwrap_or_default();
    let mut choices = choices(shell.tongue, policy);
    for choice in &mut choices {
        choice.chosen = if picked.is_empty() { choice.value == meant } else { choice.value == picked };
    }
    let promised = policy.right(opened.right.unwrap_or(Right::Access));
    let answer_within = |rule: &RightRule| shell.tongue.period(rule.answer_within, Case::After);
    LetterConfirm {
        promised: promised.map(answer_within).unwrap_or_default(),
        shell,
        token: form.one("token").to_owned(),
        received: opened.received_at.into(),
        until: opened.expires_at.into(),
        choices,
        words: if mistakes.none() { opened.words } else { form.one("text").to_owned() },
        mistakes,
    }
}

/// Everything that can be asked for, as the document offers it: a right, or a right and one purpose.
pub(crate) fn choices(tongue: Tongue, policy: &Policy) -> Vec<Choice> {
    let mut all = Vec::new();
    for rule in policy.rights() {
        let right = rule.right;
        let mut add = |about: Option<&str>| {
            let value = about.map_or_else(|| right.as_str().to_owned(), |id| format!("{right}:{id}"));
            all.push(Choice { value, says: title(tongue, policy, right, about), chosen: false });
        };
        match right {
            Right::Objection | Right::Withdrawal => {
                let consent = right == Right::Withdrawal;
                for purpose in policy.purposes().filter(|p| p.is_choice() && p.needs_consent() == consent) {
                    add(Some(&purpose.id));
                }
            }
            _ => add(None),
        }
    }
    all
}

/// What was chosen, or what is wrong with it.
pub(crate) fn chosen(tongue: Tongue, policy: &Policy, form: &Filled) -> Result<Ask, Mistakes> {
    let picked = form.one("choice");
    if form.one("text").chars().count() > MOST_WORDS {
        return Err(mistake("text", tongue.say("Write at most 4,000 characters.")));
    }
    if !choices(tongue, policy).iter().any(|c| c.value == picked) {
        return Err(mistake("choice", tongue.say("Choose one of these.")));
    }
    let (right, purpose) = picked.split_once(':').unwrap_or((picked, ""));
    let ask = right.parse().ok().and_then(|right| Ask::of(right, Some(purpose).filter(|p| !p.is_empty())));
    match ask {
        Some(Ask::Rectification(None)) if form.one("text").is_empty() => {
            Err(mistake("text", tongue.say("Write what is wrong, and what is right.")))
        }
        Some(ask) => Ok(ask),
        None => Err(mistake("choice", tongue.say("Choose one of these."))),
    }
}

/// What became of it.
pub(crate) fn done(shell: Shell, confirmed: &Confirmed) -> LetterDone {
    match confirmed {
        Confirmed::Filed(request) => LetterDone {
            title: shell.say("We have your request").to_owned(),
            says: vec![
                shell.say("It is filed in your name. Both dates count from when your letter reached us.").to_owned(),
                shell.say("What it brings to light is never sent by mail: you find it in the privacy centre, signed in.").to_owned(),
            ],
            filed: Some(LetterFiled {
                reference: request.reference.clone(),
                received: request.received_at.into(),
                promised_by: request.due.promise.into(),
                law_by: request.legal_due().into(),
            }),
            shell,
        },
        Confirmed::Nobody => LetterDone {
            title: shell.say("We hold nothing under this address").to_owned(),
            says: vec![
                shell.say("We looked for this address and found no account. What we kept of your letter is gone.").to_owned(),
                shell.say("You have an account under another address? Write to us from there, or sign in with it.").to_owned(),
            ],
            filed: None,
            shell,
        },
    }
}

/// The letter was not theirs.
pub(crate) fn declined(shell: Shell) -> LetterDone {
    LetterDone {
        title: shell.say("Thank you. We did nothing").to_owned(),
        says: vec![
            shell
                .say("What we kept of the letter is gone. Nothing of yours was released or changed.")
                .to_owned(),
            shell
                .say("Anybody can put any address on a letter; whoever wrote this one has learnt nothing.")
                .to_owned(),
        ],
        filed: None,
        shell,
    }
}

/// The link opens nothing.
pub(crate) fn over(shell: Shell) -> LetterDone {
    LetterDone {
        title: shell.say("This link opens nothing any more").to_owned(),
        says: vec![
            shell.say("It works once and for 48 hours. It was used, or its time is over, or it was never one of ours.").to_owned(),
            shell.say("Nothing is lost: write to us again, or sign in and ask in the privacy centre.").to_owned(),
        ],
        filed: None,
        shell,
    }
}
