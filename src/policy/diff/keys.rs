//! Every key that has no sentence of its own: compared by value, told by name, weighed by what it means to people. So no
//! key of any rule can change unseen.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Map, Value};

use super::{Change, Direction, Meaning, Policy};
use crate::base::Period;
use crate::policy::fill::list;
use crate::policy::words::RuleKind;

/// What it means to people when the value of a key grows: a list by an item, a switch from off to on, a period in length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Grown {
    Better,
    Worse,
    Neither,
}

/// How one key counts.
struct Weight {
    key: &'static str,
    meaning: Meaning,
    grown: Grown,
    tell: bool,
}

const fn weight(key: &'static str, meaning: Meaning, grown: Grown, tell: bool) -> Weight {
    Weight { key, meaning, grown, tell }
}

const CATEGORY: &[Weight] = &[
    weight("title", Meaning::Wording, Grown::Neither, false),
    weight("source", Meaning::NewCategory, Grown::Neither, true),
    weight("form", Meaning::ProofChanged, Grown::Neither, false),
    weight("fields", Meaning::NewCategory, Grown::Worse, true),
    weight("required", Meaning::RightChanged, Grown::Worse, true),
    weight("special", Meaning::NewCategory, Grown::Worse, true),
    weight("dpv", Meaning::Wording, Grown::Neither, false),
];

const PURPOSE: &[Weight] = &[
    weight("title", Meaning::Wording, Grown::Neither, false),
    weight("interest", Meaning::BasisChanged, Grown::Neither, true),
    weight("obligation", Meaning::BasisChanged, Grown::Neither, true),
    weight("objectable", Meaning::RightChanged, Grown::Better, true),
    weight("gates", Meaning::RightChanged, Grown::Better, false),
    weight("granularity", Meaning::RightChanged, Grown::Neither, true),
    weight("on_withdrawal", Meaning::RightChanged, Grown::Neither, true),
    weight("valid_for", Meaning::BasisChanged, Grown::Worse, false),
    weight("dpv", Meaning::Wording, Grown::Neither, false),
];

const PROCESSOR: &[Weight] = &[
    weight("name", Meaning::RecipientChanged, Grown::Neither, true),
    weight("does", Meaning::RecipientChanged, Grown::Neither, true),
    weight("role", Meaning::RecipientChanged, Grown::Neither, true),
    weight("transfer", Meaning::RecipientChanged, Grown::Neither, true),
    weight("deletion_proof", Meaning::ProofChanged, Grown::Better, false),
    weight("hosts", Meaning::RecipientChanged, Grown::Worse, false),
    weight("policy", Meaning::Wording, Grown::Neither, false),
    weight("agreement", Meaning::RecipientChanged, Grown::Neither, false),
];

const RETENTION: &[Weight] = &[
    weight("under", Meaning::DeadlineMoved, Grown::Neither, true),
    weight("statute", Meaning::DeadlineMoved, Grown::Neither, false),
    weight("action", Meaning::DeadlineMoved, Grown::Worse, true),
    weight("method", Meaning::DeadlineMoved, Grown::Neither, true),
    weight("keep_fields", Meaning::DeadlineMoved, Grown::Worse, true),
    weight("warn", Meaning::RightChanged, Grown::Better, false),
    weight("may_be_held", Meaning::DeadlineMoved, Grown::Worse, true),
];

const ACCESS: &[Weight] = &[weight("needs", Meaning::AccessChanged, Grown::Better, false)];

const RIGHT: &[Weight] = &[
    weight("how", Meaning::RightChanged, Grown::Better, true),
    weight("proof", Meaning::RightChanged, Grown::Neither, true),
    weight("counts_as_answered", Meaning::RightChanged, Grown::Neither, true),
    weight("law", Meaning::RightChanged, Grown::Neither, true),
    weight("covers", Meaning::RightChanged, Grown::Better, true),
    weight("self_service", Meaning::RightChanged, Grown::Better, false),
];

const SAFEGUARD: &[Weight] = &[
    weight("promises", Meaning::ProofChanged, Grown::Neither, false),
    weight("probe", Meaning::ProofChanged, Grown::Neither, false),
    weight("every", Meaning::ProofChanged, Grown::Worse, false),
];

const ATTESTATION: &[Weight] = &[
    weight("what", Meaning::ProofChanged, Grown::Neither, false),
    weight("owner", Meaning::ProofChanged, Grown::Neither, false),
    weight("every", Meaning::ProofChanged, Grown::Worse, false),
    weight("evidence", Meaning::ProofChanged, Grown::Neither, false),
    weight("remind", Meaning::ProofChanged, Grown::Neither, false),
];

const NOTICE: &[Weight] = &[
    weight("when", Meaning::ProofChanged, Grown::Neither, true),
    weight("by", Meaning::ProofChanged, Grown::Better, true),
    weight("to", Meaning::ProofChanged, Grown::Neither, true),
    weight("ahead", Meaning::ProofChanged, Grown::Better, true),
    weight("within", Meaning::ProofChanged, Grown::Worse, true),
    weight("says", Meaning::ProofChanged, Grown::Neither, false),
];

/// The keys of each kind that the other parts of the comparison have no sentence for. Keys are those of the compiled rule.
const fn weights(kind: RuleKind) -> &'static [Weight] {
    match kind {
        RuleKind::Category => CATEGORY,
        RuleKind::Purpose => PURPOSE,
        RuleKind::Processor => PROCESSOR,
        RuleKind::Retention => RETENTION,
        RuleKind::Access => ACCESS,
        RuleKind::Right => RIGHT,
        RuleKind::Safeguard => SAFEGUARD,
        RuleKind::Attestation => ATTESTATION,
        RuleKind::Notice => NOTICE,
    }
}

/// A key whose empty list means everything: any item at all is less.
fn empty_is_all(kind: RuleKind, key: &str) -> bool {
    matches!((kind, key), (RuleKind::Category, "fields") | (RuleKind::Right, "covers"))
}

/// What no value means: for a period that bounds something, for ever.
fn none_is_endless(kind: RuleKind, key: &str) -> bool {
    matches!((kind, key), (RuleKind::Purpose, "valid_for") | (RuleKind::Notice, "within"))
}

/// A rule as its keys and values.
type Keys = Map<String, Value>;

/// Every rule of a document: by kind and name.
type Rules = BTreeMap<(RuleKind, String), Keys>;

fn rules(policy: &Policy) -> Rules {
    fn keys(rule: &impl Serialize) -> Keys {
        // A rule is a struct of words, numbers and lists: it always has this form.
        match serde_json::to_value(rule) {
            Ok(Value::Object(keys)) => keys,
            _ => Keys::new(),
        }
    }
    let mut all = Rules::new();
    let mut add = |kind, id: &str, keys| all.insert((kind, id.to_owned()), keys);
    for rule in policy.categories() {
        add(RuleKind::Category, &rule.id, keys(rule));
    }
    for rule in policy.purposes() {
        add(RuleKind::Purpose, &rule.id, keys(rule));
    }
    for rule in policy.processors() {
        add(RuleKind::Processor, &rule.id, keys(rule));
    }
    for rule in policy.retention_rules() {
        add(RuleKind::Retention, &rule.id, keys(rule));
    }
    for rule in policy.access_rules() {
        add(RuleKind::Access, &rule.id, keys(rule));
    }
    for rule in policy.rights() {
        add(RuleKind::Right, rule.right.as_str(), keys(rule));
    }
    for rule in policy.safeguards() {
        add(RuleKind::Safeguard, &rule.id, keys(rule));
    }
    for rule in policy.attestations() {
        add(RuleKind::Attestation, &rule.id, keys(rule));
    }
    for rule in policy.notices() {
        add(RuleKind::Notice, &rule.id, keys(rule));
    }
    all
}

/// The keys that the other parts leave, then every rule that changed and that nothing has named yet.
pub(super) fn rest(old: &Policy, new: &Policy, out: &mut Vec<Change>) {
    let (was, is) = (rules(old), rules(new));
    for ((kind, id), now) in &is {
        let Some(before) = was.get(&(*kind, id.clone())) else { continue };
        // Whether one may object follows from the basis, and a new basis has its own sentence.
        let rebased = *kind == RuleKind::Purpose && before.get("basis") != now.get("basis");
        for weight in weights(*kind).iter().filter(|weight| !(rebased && weight.key == "objectable")) {
            let (from, to) = (before.get(weight.key), now.get(weight.key));
            if from != to {
                out.extend(change(*kind, id, &called(now, id), weight, (from, to)));
            }
        }
    }
    let names: BTreeSet<_> = was.keys().chain(is.keys()).cloned().collect();
    for (kind, id) in names {
        let rule = format!("{kind}.{id}");
        let (before, now) = (was.get(&(kind, id.clone())), is.get(&(kind, id.clone())));
        if before != now && !out.iter().any(|change| change.rule == rule) {
            let called = now.or(before).map_or_else(String::new, |keys| called(keys, &id));
            out.push(unnamed(kind, &called, rule, (before, now)));
        }
    }
}

/// What people call a rule.
fn called(keys: &Keys, id: &str) -> String {
    let own = ["title", "name", "promises", "what"].iter().find_map(|key| keys.get(*key)?.as_str());
    own.map_or_else(|| id.replace('-', " "), str::to_owned)
}

fn change(
    kind: RuleKind,
    id: &str,
    called: &str,
    weight: &Weight,
    (from, to): (Option<&Value>, Option<&Value>),
) -> Option<Change> {
    let order = grew(kind, weight.key, from, to);
    let direction = match (order, weight.grown) {
        (_, Grown::Neither) | (None | Some(std::cmp::Ordering::Equal), _) => Direction::Changed,
        (Some(std::cmp::Ordering::Greater), Grown::Worse)
        | (Some(std::cmp::Ordering::Less), Grown::Better) => Direction::Loosened,
        _ => Direction::Tightened,
    };
    let (was, is) = (words(kind, weight.key, from?), words(kind, weight.key, to?));
    let says = format!("{called}: {} is now {is} (before: {was})", weight.key.replace('_', "-"));
    let change = Change::new(weight.meaning, direction, format!("{kind}.{id}"), says);
    let change = if kind == RuleKind::Category { change.of([&id.to_owned()]) } else { change };
    Some(if weight.tell { change.tell_unless_better() } else { change })
}

/// Whether a value grew. `None` if both more and less, or if it has no size.
fn grew(kind: RuleKind, key: &str, from: Option<&Value>, to: Option<&Value>) -> Option<std::cmp::Ordering> {
    use std::cmp::Ordering::{Equal, Greater, Less};
    match (from?, to?) {
        (Value::Bool(was), Value::Bool(is)) => Some(is.cmp(was)),
        (Value::Array(was), Value::Array(is)) => {
            let gained = is.iter().any(|item| !was.contains(item));
            let lost = was.iter().any(|item| !is.contains(item));
            match (was.is_empty(), is.is_empty()) {
                (true, false) if empty_is_all(kind, key) => Some(Less),
                (false, true) if empty_is_all(kind, key) => Some(Greater),
                _ => match (gained, lost) {
                    (true, false) => Some(Greater),
                    (false, true) => Some(Less),
                    (false, false) => Some(Equal),
                    (true, true) => None,
                },
            }
        }
        (was, is) if key == "action" => Some(remains(is).cmp(&remains(was))),
        (was, is) => Some(length(kind, key, is)?.cmp(&length(kind, key, was)?)),
    }
}

/// How much is left of a thing once its rule has fired.
fn remains(action: &Value) -> u8 {
    match action.as_str() {
        Some("erase") => 0,
        Some("anonymise") => 1,
        _ => 2,
    }
}

fn length(kind: RuleKind, key: &str, value: &Value) -> Option<u64> {
    match value {
        Value::Null => Some(if none_is_endless(kind, key) { u64::MAX } else { 0 }),
        Value::String(text) => Period::parse(text).ok().map(Period::rough_seconds),
        _ => None,
    }
}

fn words(kind: RuleKind, key: &str, value: &Value) -> String {
    match value {
        Value::Null => "not set".to_owned(),
        Value::Bool(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        Value::String(text) => format!("“{text}”"),
        Value::Array(items) if items.is_empty() => {
            if empty_is_all(kind, key) { "everything" } else { "nothing" }.to_owned()
        }
        Value::Array(items) => {
            list(items.iter().map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned)))
        }
        other => other.to_string(),
    }
}

/// What is said of a rule that changed where it makes no difference to what happens: another rule decides there.
fn unnamed(
    kind: RuleKind,
    called: &str,
    rule: String,
    (before, now): (Option<&Keys>, Option<&Keys>),
) -> Change {
    let empty = Keys::new();
    let (was, is) = (before.unwrap_or(&empty), now.unwrap_or(&empty));
    let keys: BTreeSet<&String> = was.keys().chain(is.keys()).filter(|k| was.get(*k) != is.get(*k)).collect();
    let (meaning, says) = match (before, now) {
        (None, _) => (of_kind(kind), "a new rule; others decide what it says already".to_owned()),
        (_, None) => (of_kind(kind), "gone; others still decide what it said".to_owned()),
        _ if keys.iter().all(|key| *key == "clause") => {
            (Meaning::Wording, "stands below another clause".to_owned())
        }
        _ => {
            let keys = list(keys.iter().filter(|k| **k != "clause").map(|key| key.replace('_', "-")));
            (
                of_kind(kind),
                format!("{keys} changed; what happens stays the same, since another rule decides"),
            )
        }
    };
    Change::new(meaning, Direction::Changed, rule, format!("{called}: {says}"))
}

const fn of_kind(kind: RuleKind) -> Meaning {
    match kind {
        RuleKind::Category => Meaning::NewCategory,
        RuleKind::Purpose => Meaning::NewPurpose,
        RuleKind::Processor => Meaning::RecipientChanged,
        RuleKind::Retention => Meaning::DeadlineMoved,
        RuleKind::Access => Meaning::AccessChanged,
        RuleKind::Right => Meaning::RightChanged,
        RuleKind::Safeguard | RuleKind::Attestation | RuleKind::Notice => Meaning::ProofChanged,
    }
}
