//! The words of an answer under Article 15, computed from the document's own rules.

use crate::archive::{Authority, Provenance, Purpose, Recipient, Right as HowTo};
use crate::base::Timestamp;
use crate::consent::{State, Word};
use crate::disclosure::Disclosed;
use crate::policy::{
    Category, Channel, Origin, Policy, Purpose as Rule, Retention, Right, RightRule, Transfer,
};
use crate::speech::key;

/// Where the data of a category come from.
pub(super) fn provenance(origin: Origin) -> Provenance {
    match origin {
        Origin::Provided => Provenance::Provided,
        Origin::Observed | Origin::ThirdParty => Provenance::Observed,
        Origin::Derived => Provenance::Derived,
    }
}

/// The basis of a category: that of the first purpose it serves.
pub(super) fn basis<'a>(policy: &'a Policy, category: &Category) -> &'a str {
    let first = category.purposes.iter().find_map(|id| policy.purpose(id));
    first.map_or("legal-obligation", |p| p.basis.as_str())
}

/// When things of a category go: `as soon as the edit succeeded; at most 48 hours after it was uploaded`.
pub(super) fn rule(policy: &Policy, category: &str) -> String {
    let rules: Vec<String> = policy.retention_of(category).map(one_rule).collect();
    if rules.is_empty() {
        "until you delete it or your account is erased".to_owned()
    } else {
        rules.join("; ")
    }
}

fn one_rule(rule: &Retention) -> String {
    let mut parts = Vec::new();
    if !rule.erase_when.is_empty() {
        let facts: Vec<&str> = rule.erase_when.iter().map(|f| f.in_words()).collect();
        parts.push(format!("as soon as {}", facts.join(" or ")));
    }
    parts.extend(rule.at_most.iter().map(|after| format!("at most {after}")));
    if let Some(keep) = &rule.keep {
        let law = rule.under.as_deref().map(|u| format!(", as {u} demands")).unwrap_or_default();
        parts.push(format!("not before {keep}{law}"));
    }
    parts.join(", and in any case ")
}

/// A purpose as it concerns one person whose words on it are `words`, oldest first.
pub(super) fn purpose(rule: &Rule, words: &[Word]) -> Purpose {
    let mut ground = format!("{} ({})", rule.basis.in_words(), rule.basis.article());
    for more in rule.interest.iter().chain(&rule.obligation) {
        ground.push_str(": ");
        ground.push_str(more);
    }
    Purpose {
        id: rule.id.clone(),
        title: rule.title.clone(),
        basis: rule.basis.as_str().to_owned(),
        ground,
        choice: rule.is_choice().then(|| choice(rule, words.last())),
    }
}

fn choice(rule: &Rule, last: Option<&Word>) -> String {
    let Some(word) = last else {
        let on = rule.allowed(None);
        return if on { "On; you have not objected" } else { "Off; you were never asked or never agreed" }
            .to_owned();
    };
    let since = word.at.in_words();
    match word.state {
        State::Given => format!("Allowed since {since}"),
        State::Refused => format!("Refused on {since}"),
        State::Withdrawn => format!("Taken back on {since}"),
        State::Objected => format!("Objected to on {since}"),
    }
}

/// Who received something of a person, by name, computed from what was really sent by `until`.
pub(super) fn recipients(policy: &Policy, sent: &[Disclosed], until: Timestamp) -> Vec<Recipient> {
    let mut all: Vec<Recipient> = Vec::new();
    let mut names: Vec<&str> = sent.iter().map(|d| d.processor.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let mine: Vec<&Disclosed> = sent.iter().filter(|d| d.processor == name).collect();
        let mut categories: Vec<String> =
            mine.iter().flat_map(|d| d.categories.split_whitespace().map(ToOwned::to_owned)).collect();
        categories.sort_unstable();
        categories.dedup();
        let rule = policy.processor(name);
        let still = mine.iter().filter(|d| d.deleted_at.is_none_or(|t| t > until)).count();
        all.push(Recipient {
            name: rule.map_or_else(|| name.to_owned(), |p| p.name.clone()),
            role: rule.map_or_else(String::new, |p| p.does.clone()),
            country: rule.map_or_else(String::new, |p| p.countries.join(", ")),
            safeguard: rule.and_then(|p| p.transfer).map(|t| safeguard(t).to_owned()),
            categories,
            times: mine.len() as u64,
            last: mine.iter().map(|d| d.sent_at).max(),
            copies: Some(match still {
                0 => "Every copy there is known to be deleted".to_owned(),
                n => format!("{n} of {} copies are not yet known to be deleted", mine.len()),
            }),
        });
    }
    all
}

const fn safeguard(transfer: Transfer) -> &'static str {
    match transfer {
        Transfer::Adequacy => "an adequacy decision of the European Commission (Art. 45 GDPR)",
        Transfer::StandardClauses => "standard contractual clauses (Art. 46(2)(c) GDPR)",
        Transfer::CorporateRules => "binding corporate rules (Art. 47 GDPR)",
        Transfer::CiphertextOnly => "it holds sealed bytes that it cannot read; the keys stay with us",
    }
}

/// How a right is used.
pub(super) fn how(policy: &Policy, rule: &RightRule) -> HowTo {
    let ways: Vec<String> = rule
        .how
        .iter()
        .map(|channel| match channel {
            Channel::Page => "in the privacy centre".to_owned(),
            Channel::Api => "in the app".to_owned(),
            Channel::Email => format!("by e-mail to {}", policy.contact().privacy),
        })
        .collect();
    let what = match rule.right {
        Right::Access => "See everything that is held of you",
        Right::Portability => "Take your data home in a form that other programs read",
        Right::Rectification => "Have what is wrong corrected",
        Right::Erasure => "Have your data erased",
        Right::Restriction => "Have your data kept but not used",
        Right::Objection => "Object to a use that rests on an interest of ours",
        Right::Withdrawal => "Take back a consent",
    };
    let how = format!("{what}: {}. Answered within {}.", ways.join(" or "), rule.answer_within);
    HowTo { id: rule.right.as_str().to_owned(), how }
}

/// Where a person can complain.
pub(super) fn authority(policy: &Policy) -> Authority {
    match &policy.contact().authority {
        Some((name, website)) => {
            Authority { name: name.clone(), contact: website.clone().unwrap_or_default() }
        }
        None => Authority {
            name: key("The data protection authority of the country where you live or work, or where you think the wrong was done").to_owned(),
            contact: "https://www.edpb.europa.eu/about-edpb/about-edpb/members_en".to_owned(),
        },
    }
}
