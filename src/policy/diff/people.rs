//! Changes of access, rights, proofs, parties and words.

use std::collections::{BTreeMap, BTreeSet};

use super::{Change, Direction, Meaning, Policy};
use crate::base::Period;
use crate::policy::fill::list;
use crate::policy::model::RightRule;
use crate::policy::words::RuleKind;

/// Every (role, category, purpose) that may read.
fn readers(policy: &Policy) -> BTreeSet<(String, String, String)> {
    let mut all = BTreeSet::new();
    for access in policy.access_rules() {
        for role in &access.who {
            for category in &access.categories {
                for purpose in &access.purposes {
                    if policy.may_read(category, *role, purpose).is_ok() {
                        all.insert((role.to_string(), category.clone(), purpose.clone()));
                    }
                }
            }
        }
    }
    all
}

pub(super) fn access(old: &Policy, new: &Policy, out: &mut Vec<Change>) {
    let (was, is) = (readers(old), readers(new));
    for (readers, direction, says) in [
        (is.difference(&was), Direction::Loosened, "may now read"),
        (was.difference(&is), Direction::Tightened, "may no longer read"),
    ] {
        let mut by_reader: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
        for (role, category, purpose) in readers {
            by_reader.entry((role, purpose)).or_default().push(category.clone());
        }
        for ((role, purpose), categories) in by_reader {
            let says = format!("{role} {says} {} for {purpose}", list(categories.iter().cloned()));
            out.push(
                Change::new(Meaning::AccessChanged, direction, "access.*".to_owned(), says).of(&categories),
            );
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
    if was.answer_within != is.answer_within {
        let longer = is.answer_within.rough_seconds() > was.answer_within.rough_seconds();
        let direction = if longer { Direction::Loosened } else { Direction::Tightened };
        let says =
            format!("{} is answered within {} (before: {})", is.right, is.answer_within, was.answer_within);
        out.push(Change::new(Meaning::RightChanged, direction, rule.to_owned(), says));
    }
    if (&was.how, &was.proof, was.counts_as_answered, &was.covers, was.self_service, &was.law)
        != (&is.how, &is.proof, is.counts_as_answered, &is.covers, is.self_service, &is.law)
    {
        let says = format!("{} is used in another way", is.right);
        out.push(Change::new(Meaning::RightChanged, Direction::Changed, rule.to_owned(), says).tell());
    }
}

pub(super) fn proofs(old: &Policy, new: &Policy, out: &mut Vec<Change>) {
    let all = |policy: &Policy| -> BTreeMap<String, (String, u64)> {
        let safeguards = policy.safeguards().map(|s| {
            (format!("{}.{}", RuleKind::Safeguard, s.id), (s.promises.clone(), s.every.rough_seconds()))
        });
        let attested = policy.attestations().map(|a| {
            (format!("{}.{}", RuleKind::Attestation, a.id), (a.what.clone(), a.every.rough_seconds()))
        });
        let told = policy.notices().map(|n| {
            // The more ahead the better, so it counts down from where every period is short.
            let ahead = (u64::MAX / 2)
                .saturating_add(n.within.map_or(0, Period::rough_seconds))
                .saturating_sub(n.ahead.map_or(0, Period::rough_seconds));
            (
                format!("{}.{}", RuleKind::Notice, n.id),
                (format!("you are told of {}", n.when.as_str().replace('-', " ")), ahead),
            )
        });
        safeguards.chain(attested).chain(told).collect()
    };
    let (was, is) = (all(old), all(new));
    for (name, (says, every)) in &is {
        let change = match was.get(name) {
            None => Some((Direction::Tightened, format!("a new promise: {says}"))),
            Some((before, _)) if before != says => {
                Some((Direction::Changed, format!("now promised: {says} (before: {before})")))
            }
            Some((_, before)) if before != every => {
                let rarer = every > before;
                Some((
                    if rarer { Direction::Loosened } else { Direction::Tightened },
                    format!("kept at other intervals: {says}"),
                ))
            }
            Some(_) => None,
        };
        out.extend(
            change.map(|(direction, says)| Change::new(Meaning::ProofChanged, direction, name.clone(), says)),
        );
    }
    for (name, (says, _)) in was.iter().filter(|(name, _)| !is.contains_key(*name)) {
        out.push(Change::new(
            Meaning::ProofChanged,
            Direction::Loosened,
            name.clone(),
            format!("no longer promised: {says}"),
        ));
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
