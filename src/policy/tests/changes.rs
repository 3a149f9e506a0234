//! No key of any rule changes unseen: each is changed in turn, in both documents that ship, and the difference must name
//! the rule; read backwards, it must say the opposite.

use std::collections::BTreeMap;

use super::super::diff::{Difference, Direction, diff};
use super::super::spec::{Count, Field, Shape, fields};
use super::super::*;
use super::{FLUX, OPUS};

/// The rule blocks of a document: where each begins and ends.
fn blocks(source: &str) -> Vec<(usize, usize)> {
    let mut all = Vec::new();
    let mut at = 0;
    while let Some(open) = source[at..].find("```rule\n") {
        let start = at + open + "```rule\n".len();
        let end = start + source[start..].find("\n```").unwrap() + 1;
        all.push((start, end));
        at = end;
    }
    all
}

/// Values that a key might have instead; a document that does not compile with one is tried with the next.
fn others(
    field: &Field,
    now: Option<&toml::Value>,
    names: &BTreeMap<RuleKind, Vec<String>>,
) -> Vec<toml::Value> {
    let text = |s: &str| toml::Value::String(s.to_owned());
    let ones: Vec<toml::Value> = match field.shape {
        Shape::Text => vec![text("Something else altogether"), text("pd:Name")],
        Shape::Slug => vec![text("something-else")],
        Shape::Flag => {
            vec![toml::Value::Boolean(now.and_then(toml::Value::as_bool) != Some(true)), false.into()]
        }
        Shape::Period => ["36 hours", "20 days", "1 hour", "6 months", "11 years"].map(text).to_vec(),
        Shape::Life => ["as-ours", "30 minutes", "1 hour", "20 days"].map(text).to_vec(),
        Shape::After => {
            let periods = ["36 hours", "20 days", "11 years"].iter();
            periods.flat_map(|p| Fact::NAMES.iter().map(move |f| text(&format!("{p} after {f}")))).collect()
        }
        Shape::Word(words) => words.iter().map(|word| text(word)).collect(),
        Shape::Ref(kind) => names.get(&kind).into_iter().flatten().map(|id| text(id)).collect(),
        Shape::Country => ["DE", "FR", "US"].map(text).to_vec(),
        Shape::Host => vec![text("other.example.com")],
        Shape::Url => vec![text("https://other.example.com/")],
        Shape::Email => vec![text("other@example.com")],
        Shape::Pack => ["eu-gdpr", "uk-gdpr", "us-ca-ccpa", "eu-vat"].map(text).to_vec(),
        Shape::Statute => ["eu-vat-invoices", "eu-oss-records", "de-invoices"].map(text).to_vec(),
        Shape::Probe => spec::PROBES.iter().map(|(name, _)| text(name)).collect(),
        Shape::Date | Shape::RuleName => Vec::new(),
    };
    if field.count == Count::One {
        return ones;
    }
    let had: Vec<toml::Value> = match now {
        Some(toml::Value::Array(items)) => items.clone(),
        Some(one) => vec![one.clone()],
        None => Vec::new(),
    };
    let more = ones.iter().filter(|one| !had.contains(one)).map(|one| {
        let items = had.iter().cloned().chain([one.clone()]);
        toml::Value::Array(items.collect())
    });
    let less = had.len().checked_sub(1).filter(|n| *n > 0).map(|n| toml::Value::Array(had[..n].to_vec()));
    more.chain(less).chain(ones.iter().cloned().map(|one| toml::Value::Array(vec![one]))).collect()
}

fn directions(found: &Difference, flipped: bool) -> Vec<(String, Direction)> {
    let flip = |direction| match direction {
        Direction::Tightened if flipped => Direction::Loosened,
        Direction::Loosened if flipped => Direction::Tightened,
        other => other,
    };
    let mut all: Vec<_> = found.changes.iter().map(|c| (c.rule.clone(), flip(c.direction))).collect();
    all.sort();
    all
}

/// Changes every key of every rule, one after another. Gives how often each key of each kind was changed.
fn change_every_key(source: &str) -> BTreeMap<(RuleKind, &'static str), usize> {
    let old = Policy::compile(source).unwrap();
    let mut names: BTreeMap<RuleKind, Vec<String>> = BTreeMap::new();
    let mut rules = Vec::new();
    for (start, end) in blocks(source) {
        let block: toml::Table = toml::from_str(&source[start..end]).unwrap();
        for (kind, of) in block.iter().filter_map(|(k, v)| Some((k.parse::<RuleKind>().ok()?, v.as_table()?)))
        {
            names.entry(kind).or_default().extend(of.keys().cloned());
            rules.extend(of.keys().map(|id| (start, end, kind, id.clone())));
        }
    }
    let mut changed = BTreeMap::new();
    for (start, end, kind, id) in &rules {
        for field in fields(*kind) {
            let block: toml::Table = toml::from_str(&source[*start..*end]).unwrap();
            let now = block[kind.as_str()][id].get(field.name).cloned();
            for value in
                others(field, now.as_ref(), &names).into_iter().filter(|v| Some(v) != now.as_ref()).take(8)
            {
                let mut block = block.clone();
                let rule = block[kind.as_str()][id].as_table_mut().unwrap();
                rule.insert(field.name.to_owned(), value);
                let text = toml::to_string(&block).unwrap();
                let new = format!("{}{text}{}", &source[..*start], &source[*end..]);
                let Ok(new) = Policy::compile(&new) else { continue };
                let found = diff(&old, &new);
                let name = format!("{kind}.{id}");
                let back = diff(&new, &old);
                assert_eq!(directions(&found, true), directions(&back, false), "{name}: {}", field.name);
                // A value that only spells out what holds without it changes nothing; so does this one key of one
                // purpose, which trains models by its name.
                let spelt_out = now.is_none() && !field.required;
                let by_name = (id.as_str(), field.name) == ("training", "trains-models");
                if found.changes.is_empty() && (spelt_out || by_name) {
                    continue;
                }
                assert!(
                    found.changes.iter().any(|c| c.rule == name),
                    "{name}: {} changed, and nothing names it: {:#?}",
                    field.name,
                    found.changes
                );
                *changed.entry((*kind, field.name)).or_default() += 1;
                break;
            }
        }
    }
    changed
}

#[test]
fn no_key_of_any_rule_changes_unseen() {
    let mut changed = change_every_key(FLUX);
    for (key, n) in change_every_key(OPUS) {
        *changed.entry(key).or_default() += n;
    }
    let all = RuleKind::ALL.iter().flat_map(|kind| fields(*kind).iter().map(|field| (*kind, field.name)));
    // These never change alone: the document does not compile unless another key changes with them.
    let together = [
        (RuleKind::Category, "from"),
        (RuleKind::Category, "special"),
        (RuleKind::Purpose, "trains-models"),
        (RuleKind::Retention, "action"),
        (RuleKind::Retention, "assessment"),
        (RuleKind::Retention, "keep-fields"),
        (RuleKind::Retention, "method"),
    ];
    let missed: Vec<_> = all.filter(|key| !changed.contains_key(key) && !together.contains(key)).collect();
    assert_eq!(missed, [], "never changed by any value that was tried");
}

#[test]
fn keys_that_change_together_are_told_each() {
    let usage = "[retention.usage]\n";
    assert_eq!(FLUX.matches(usage).count(), 1);
    let changed =
        format!("{usage}action = \"anonymise\"\nmethod = \"aggregate\"\nassessment = \"access-review\"\n");
    let new = Policy::compile(&FLUX.replace(usage, &changed)).unwrap();
    let found = diff(&Policy::compile(FLUX).unwrap(), &new);
    let told: Vec<_> = found.changes.iter().filter(|c| c.rule == "retention.usage").collect();
    assert!(
        told.iter()
            .any(|c| c.direction == Direction::Loosened && c.says.contains("action is now “anonymise”"))
    );
    assert!(told.iter().any(|c| c.says.contains("method is now “aggregate”")));
    assert!(found.must_tell() && !found.is_wording_only());
}

#[test]
fn models_that_learn_are_told_and_asked() {
    let consent = "basis = \"consent\"\n";
    let (before, after) = FLUX.split_once("[purpose.improvement]").unwrap();
    assert!(after.contains(consent));
    let after = after.replacen(consent, "basis = \"explicit-consent\"\ntrains-models = true\n", 1);
    let new = Policy::compile(&format!("{before}[purpose.improvement]{after}")).unwrap();
    let (there, back) =
        (diff(&Policy::compile(FLUX).unwrap(), &new), diff(&new, &Policy::compile(FLUX).unwrap()));
    let direction = |found: &Difference| {
        let of = found
            .changes
            .iter()
            .filter(|c| c.rule == "purpose.improvement" && c.says.contains("described anew"));
        of.map(|c| c.direction).collect::<Vec<_>>()
    };
    assert_eq!(direction(&there), [Direction::Loosened]);
    assert_eq!(direction(&back), [Direction::Tightened]);
    assert!(there.must_ask().any(|c| c.rule == "purpose.improvement"));
}

#[test]
fn only_words_are_only_words() {
    let new = Policy::compile(&FLUX.replace("We do not sell data.", "We never sell data.")).unwrap();
    let found = diff(&Policy::compile(FLUX).unwrap(), &new);
    assert!(found.is_wording_only() && !found.must_tell(), "{:#?}", found.changes);
    assert_eq!(found.changes.len(), 1);
}
