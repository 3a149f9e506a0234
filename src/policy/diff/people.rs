//! Changes of access, rights, proofs, parties and words.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::{Change, Direction, Meaning, Policy};
use crate::policy::fill::list;
use crate::policy::model::RightRule;
use crate::policy::words::RuleKind;

/// Every (role, category, purpose) that may read, and the first rule that says so.
fn readers(policy: &Policy) -> BTreeMap<(String, String, String), String> {
    let mut all = BTreeMap::new();
    for access in policy.access_rules() {
        for role in &access.who {
            for category in &access.categories {
                for purpose in &access.purposes {
                    if policy.may_read(category, *role, purpose).is_ok() {
                        let reader = (role.to_string(), category.clone(), purpose.clone());
                        all.entry(reader).or_insert_with(|| access.id.clone());
                    }
                }
            }
        }
    }
    all
}

pub(super) fn access(old: &Policy, new: &Policy, out: &mut Vec<Change>) {
    let (was, is) = (readers(old), readers(new));
    for (some, others, direction, says) in [
        (&is, &was, Direction::Loosened, "may now read"),
        (&was, &is, Direction::Tightened, "may no longer read"),
    ] {
        let mut by_reader: BTreeMap<(&str, &str, &str), Vec<String>> = BTreeMap::new();
        for (reader @ (role, category, purpose), rule) in some {
            if !others.contains_key(reader) {
                by_reader.entry((rule, role, purpose)).or_default().push(category.clone());
            }
        }
        for ((rule, role, purpose), categories) in by_reader {
            let says = format!("{role} {says} {} for {purpose}", list(categories.iter().cloned()));
            let rule = format!("{}.{rule}", RuleKind::Access);
            out.push(Change::new(Meaning::AccessChanged, direction, rule, says).of(&categories));
        }
    }
}

pub(super) fn rights(old: &Policy, new: &Policy, out: &mut Vec<Change>) {
    for is in new.rights() {
        let rule = format!("right.{}", is.right);
        match old.right(is.right) {
            None => out.push(Change::new(
                Meaning::RightChanged,
                Direction::Tightened,
                rule,
                format!("the right of {} is described", is.right),
            )),
            Some(was) => right_changed(was, is, &rule, out),
        }
    }
    for was in old.rights().filter(|was| new.right(was.right).is_none()) {
        let says =
            format!("the right of {} is no longer described; the law gives it all the same", was.right);
        out.push(Change::new(
            Meaning::RightChanged,
            Direction::Loosened,
            format!("right.{}", was.right),
            says,
        ));
    }
}

fn right_changed(was: &RightRule, is: &RightRule, rule: &str, out: &mut Vec<Change>) {
    if was.answer_within == is.answer_within {
        return;
    }
    let direction = match is.answer_within.rough_seconds().cmp(&was.answer_within.rough_seconds()) {
        Ordering::Greater => Direction::Loosened,
        Ordering::Less => Direction::Tightened,
        Ordering::Equal => Direction::Changed,
    };
    let says =
        format!("{} is answered within {} (before: {})", is.right, is.answer_within, was.answer_within);
    out.push(Change::new(Meaning::RightChanged, direction, rule.to_owned(), says));
}

/// Checks, attestations and notices that came or went. What changed in those that stayed is told key by key.
pub(super) fn proofs(old: &Policy, new: &Policy, out: &mut Vec<Change>) {
    let all = |policy: &Policy| -> BTreeMap<String, String> {
        let safeguards =
            policy.safeguards().map(|s| (format!("{}.{}", RuleKind::Safeguard, s.id), s.promises.clone()));
        let attested =
            policy.attestations().map(|a| (format!("{}.{}", RuleKind::Attestation, a.id), a.what.clone()));
        let told = policy.notices().map(|n| {
            let says = format!("you are told of {}", n.when.as_str().replace('-', " "));
            (format!("{}.{}", RuleKind::Notice, n.id), says)
        });
        safeguards.chain(attested).chain(told).collect()
    };
    let (was, is) = (all(old), all(new));
    for (some, others, direction, word) in [
        (&is, &was, Direction::Tightened, "a new promise"),
        (&was, &is, Direction::Loosened, "no longer promised"),
    ] {
        for (name, says) in some.iter().filter(|(name, _)| !others.contains_key(*name)) {
            let says = format!("{word}: {says}");
            out.push(Change::new(Meaning::ProofChanged, direction, name.clone(), says));
        }
    }
}

pub(super) fn parties(old: &Policy, new: &Policy, out: &mut Vec<Change>) {
    for (same, what) in [
        (old.controller() == new.controller(), "who answers for your data"),
        (old.contact() == new.contact(), "how to reach us"),
        (old.law() == new.law(), "the law it stands under"),
    ] {
        if !same {
            let says = format!("{what} has changed");
            out.push(
                Change::new(Meaning::PartiesChanged, Direction::Changed, "front matter".to_owned(), says)
                    .tell(),
            );
        }
    }
}

pub(super) fn wording(old: &Policy, new: &Policy, out: &mut Vec<Change>) {
    if (old.title(), old.language()) != (new.title(), new.language()) {
        let says = format!("the document is now called “{}” ({})", new.title(), new.language());
        out.push(Change::new(Meaning::Wording, Direction::Changed, "front matter".to_owned(), says));
    }
    for clause in new.clauses() {
        let says = match old.clause(&clause.id) {
            None => format!("a new clause: {}", clause.title),
            Some(was) if (&was.text, &was.title) != (&clause.text, &clause.title) => {
                format!("worded anew: {}", clause.title)
            }
            Some(_) => continue,
        };
        out.push(Change::new(Meaning::Wording, Direction::Changed, format!("#{}", clause.id), says));
    }
    for clause in old.clauses().iter().filter(|clause| new.clause(&clause.id).is_none()) {
        let says = format!("no longer there: {}", clause.title);
        out.push(Change::new(Meaning::Wording, Direction::Changed, format!("#{}", clause.id), says));
    }
}
