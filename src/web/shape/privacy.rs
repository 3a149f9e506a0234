//! The privacy centre: holdings, switches, readers, notices.

use std::collections::BTreeMap;

use crate::base::Timestamp;
use crate::consent::{self, State as Said, Word};
use crate::disclosure::{Disclosed, Ground};
use crate::ledger::{Fact as Public, Logged};
use crate::policy::{Policy, Role, diff};
use crate::requests::{Handed, Request};
use crate::speech::{Tongue, key};
use crate::subjects::Subject;
use crate::vault::Holdings;
use crate::web::page::{day, purpose_title};
use crate::web::shape::account::means;
use crate::web::shape::pictures::goes;
use crate::web::shape::requests::title;
use crate::web::view::{
    Consent, ConsentEvent, Count, Fact, HandedOver, Holding, Markup, Notice, Read, ReadSum, Shell, escape,
};

fn count(n: i64) -> Count {
    Count(u64::try_from(n).unwrap_or(0))
}

/// What is held in each category, fullest first.
pub(crate) fn holdings(
    tongue: Tongue,
    root: &str,
    policy: &Policy,
    found: &[Holdings],
    now: Timestamp,
) -> Vec<Holding> {
    let near = now.plus(chrono::TimeDelta::days(90));
    let mut all: Vec<Holding> = found
        .iter()
        .filter_map(|h| {
            let category = policy.category(&h.category)?;
            Some(Holding {
                name: category.title.clone(),
                holds: category.holds.clone(),
                count: count(h.images + h.records),
                size: None,
                goes: goes(tongue, policy, &h.category),
                next: h.next_due.filter(|due| *due < near).map(Into::into),
                clause_id: category.clause.clone(),
                href: page_of(root, &h.category),
            })
        })
        .collect();
    all.sort_by_key(|h| std::cmp::Reverse(h.count));
    all
}

fn page_of(root: &str, category: &str) -> Option<String> {
    let path = match category {
        "output-image" | "input-image" => "/images",
        "account" => "/privacy/details",
        "rights-request" => "/privacy#requests",
        "consent-record" => "/privacy#consents",
        _ => return None,
    };
    Some(format!("{root}{path}"))
}

/// The names of the categories of which there is nothing.
pub(crate) fn nothing_of(policy: &Policy, found: &[Holdings]) -> Vec<String> {
    policy
        .categories()
        .filter(|c| !found.iter().any(|h| h.category == c.id))
        .map(|c| c.title.to_lowercase())
        .collect()
}

/// The pictures among what is held.
pub(crate) fn images(found: &[Holdings]) -> Count {
    count(found.iter().map(|h| h.images).sum())
}

/// What goes with the account: names and numbers.
pub(crate) fn goes_with_account(tongue: Tongue, policy: &Policy, found: &[Holdings]) -> Vec<Fact> {
    let title = |id: &str| policy.category(id).map_or_else(|| id.to_owned(), |c| c.title.clone());
    found
        .iter()
        .map(|h| Fact { name: title(&h.category), value: tongue.number(count(h.images + h.records).0) })
        .collect()
}

/// The switches.
pub(crate) fn consents(
    tongue: Tongue,
    root: &str,
    choices: Vec<consent::Choice>,
    history: &[(String, Word)],
    restricted: bool,
) -> Vec<Consent> {
    choices
        .into_iter()
        .map(|c| Consent {
            title: c.label,
            means: means(&c.text),
            on: c.on,
            by_objection: !c.needs_consent,
            overruled: (restricted && c.on)
                .then(|| tongue.say("It does not run now, because everything is paused.").to_owned()),
            history: history
                .iter()
                .filter(|(of, _)| *of == c.purpose)
                .map(|(_, w)| event(tongue, root, w))
                .collect(),
            purpose: c.purpose,
        })
        .collect()
}

fn event(tongue: Tongue, root: &str, word: &Word) -> ConsentEvent {
    let says = match word.state {
        Said::Given => key("You switched it on"),
        Said::Refused => key("You said no"),
        Said::Withdrawn => key("You switched it off"),
        Said::Objected => key("You objected"),
    };
    ConsentEvent {
        at: word.at.into(),
        says: tongue.say(says).to_owned(),
        receipt_href: word.entry.map(|entry| format!("{root}/privacy/consents/receipt/{entry}")),
    }
}

fn word(entry: &Logged, name: &str) -> String {
    match entry.leaf.facts.get(name) {
        Some(Public::Word(w)) => w.clone(),
        _ => String::new(),
    }
}

/// A read, or a refusal, as the ledger has it.
pub(crate) fn read(tongue: Tongue, root: &str, policy: &Policy, entry: &Logged) -> Read {
    let category = word(entry, "category");
    let known = policy.category(&category);
    let what = known
        .map_or(category, |c| tongue.put("your {category}").with("category", c.title.to_lowercase()).text());
    let purpose = purpose_title(policy, &word(entry, "purpose"));
    let why = tongue.put(match word(entry, "reason").as_str() {
        "consent" => key("For “{purpose}”, to which you have not agreed."),
        "hold" => key("For “{purpose}”, while a legal hold keeps it and nothing else."),
        "restriction" => key("For “{purpose}”, while everything is paused."),
        "document" => key("For “{purpose}”, which the policy does not allow them."),
        _ => key("For “{purpose}”."),
    });
    Read {
        at: entry.leaf.at.into(),
        who: tongue.say(who(&entry.leaf.actor)).to_owned(),
        what,
        why: why.with("purpose", purpose).text(),
        proof_href: Some(format!("{root}/ledger/{}", entry.index)),
    }
}

/// A read by staff, with the reason that they wrote down before it.
pub(crate) fn looked(
    tongue: Tongue,
    root: &str,
    policy: &Policy,
    entry: &Logged,
    reasons: &BTreeMap<String, String>,
) -> Read {
    let mut shown = read(tongue, root, policy, entry);
    if let Some(words) = reasons.get(&word(entry, "look")) {
        let said = tongue.put("{why} They wrote: “{words}”").with("why", shown.why).with("words", words);
        shown.why = said.text();
    }
    shown
}

/// What was handed to an authority, or to somebody to protect rights.
pub(crate) fn handed(tongue: Tongue, policy: &Policy, one: &Handed) -> HandedOver {
    let title = |id: &str| policy.category(id).map_or_else(|| id.to_owned(), |c| c.title.to_lowercase());
    let what: Vec<String> = one.row.categories.split_whitespace().map(title).collect();
    let because = tongue.say(match one.row.ground {
        Ground::Authority => key("An authority asked, and the law obliges us."),
        Ground::Protection => key("To protect somebody’s rights or safety."),
    });
    let why = if one.law.is_empty() { because.to_owned() } else { format!("{because} {}", one.law) };
    let to = if one.to.is_empty() { tongue.say("Somebody outside").to_owned() } else { one.to.clone() };
    HandedOver { at: one.row.handed_at.into(), to, what: what.join(", "), why }
}

fn who(role: &str) -> &'static str {
    match role.parse() {
        Ok(Role::Subject) => key("You"),
        Ok(Role::App) => key("The app"),
        Ok(Role::Service) => key("A program of ours"),
        Ok(Role::Support) => key("Support staff"),
        Ok(Role::Compliance) => key("Compliance staff"),
        Ok(Role::Admin) => key("An administrator"),
        Err(_) => key("Somebody"),
    }
}

/// Whether an entry is about things of this category.
pub(crate) fn is_of(entry: &Logged, category: &str) -> bool {
    word(entry, "category") == category
}

/// What was sent to whom in the last thirty days, counted.
pub(crate) fn machines(
    tongue: Tongue,
    policy: &Policy,
    sent: &[Disclosed],
    since: Timestamp,
) -> Vec<ReadSum> {
    let mut sums: Vec<(String, u64, Timestamp)> = Vec::new();
    for d in sent.iter().filter(|d| d.sent_at >= since) {
        let name = policy.processor(&d.processor).map_or(d.processor.clone(), |p| p.name.clone());
        let said = tongue.put("{name}, for “{purpose}”").with("name", name);
        let what = said.with("purpose", purpose_title(policy, &d.purpose)).text();
        match sums.iter_mut().find(|(of, ..)| *of == what) {
            Some((_, n, last)) => {
                *n += 1;
                *last = (*last).max(d.sent_at);
            }
            None => sums.push((what, 1, d.sent_at)),
        }
    }
    sums.into_iter().map(|(who, n, last)| ReadSum { who, count: Count(n), last: last.into() }).collect()
}

/// Notices, newest first: every version of the document since the one that was in force when the person came, and every
/// answer to a request of theirs. What came before the session began has been seen.
pub(crate) fn notices(
    shell: &Shell,
    versions: &[std::sync::Arc<Policy>],
    (subject, requests): (&Subject, &[Request]),
    (signed_in, now): (Timestamp, Timestamp),
) -> Vec<Notice> {
    let first = versions.iter().position(|p| p.version() == subject.policy_version).unwrap_or(0);
    let mut all: Vec<Notice> = versions
        .iter()
        .skip(first)
        .zip(versions.iter().skip(first + 1))
        .map(|(old, new)| {
            let from = day(new.effective());
            let ahead = !from.is_past(crate::web::view::Moment::from(now));
            let title = shell.put(if ahead {
                key("A new version of the policy takes effect on {day}")
            } else {
                key("A new version of the policy took effect on {day}")
            });
            let changes = diff::diff(old, new).changes;
            let items: String = changes.iter().map(|c| format!("<li>{}</li>", escape(&c.says))).collect();
            Notice {
                id: format!("version-{}", new.version()),
                at: from,
                title: title.with("day", shell.tongue.day(from.into())).text(),
                text: Markup::trusted(format!("<ul{}>{items}</ul>", shell.original())),
                read: !ahead && from.is_past(crate::web::view::Moment::from(signed_in)),
                href: Some(format!("{}/policy/{}", shell.root, new.version())),
                action: shell.say("Read it").to_owned(),
            }
        })
        .collect();
    all.extend(requests.iter().filter_map(|request| answered(shell, versions, request, signed_in)));
    all.sort_by_key(|notice| std::cmp::Reverse(notice.at));
    all
}

/// That a request was answered, and which.
fn answered(
    shell: &Shell,
    versions: &[std::sync::Arc<Policy>],
    request: &Request,
    signed_in: Timestamp,
) -> Option<Notice> {
    let at = request.answered_at?;
    let policy = versions.last()?;
    let what = title(shell.tongue, policy, request.right, request.about.as_deref());
    let said = shell.put(key("Your request {reference} is answered"));
    Some(Notice {
        id: format!("request-{}", request.reference),
        at: at.into(),
        title: said.with("reference", &request.reference).text(),
        text: Markup::trusted(format!("<p>{}</p>", escape(&what))),
        read: at < signed_in,
        href: Some(format!("{}/privacy/requests/{}", shell.root, request.reference)),
        action: shell.say("Open it").to_owned(),
    })
}
