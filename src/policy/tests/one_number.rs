//! A change of one number is all it takes: every length of time in both documents that ship is changed, one at a time, and
//! what the compiled document answers must change with it, as must the prose that says it.

use super::super::*;
use super::{FLUX, OPUS};
use crate::base::Timestamp;

fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).unwrap()
}

/// Everything that a document answers about time, one line an answer.
fn answers(policy: &Policy) -> Vec<String> {
    let moment = at("2027-02-03T10:20:30Z");
    let mut all = Vec::new();
    for category in policy.categories() {
        // Each fact alone, so that no clock hides behind a shorter one.
        for fact in Fact::ALL {
            let due = policy.due(&category.id, &Facts::new().with(*fact, moment));
            all.push(format!("due {} {fact} {:?} {:?}", category.id, due, policy.warnings_before(&due)));
        }
    }
    for right in Right::ALL {
        all.push(format!("clocks {right} {:?}", policy.clocks(*right, moment, &[]).map(|c| c.promise)));
    }
    all.extend(policy.processors().map(|p| format!("life {} {:?}", p.id, p.longest_life)));
    all.extend(
        policy.purposes().map(|p| format!("consent {} {:?}", p.id, p.valid_for.map(|v| v.after(moment)))),
    );
    all.extend(policy.safeguards().map(|s| format!("probe {} {:?}", s.id, s.every.after(moment))));
    all.extend(policy.attestations().map(|a| {
        let remind = a.remind.map(|remind| remind.after(moment));
        format!("attested {} {:?} {remind:?} {}", a.id, a.every.after(moment), a.evidence)
    }));
    all.extend(policy.notices().map(|n| {
        format!(
            "told {} {:?} {:?}",
            n.id,
            n.ahead.map(|p| p.after(moment)),
            n.within.map(|p| p.after(moment))
        )
    }));
    all
}

/// Where a length of time stands in a rule: the bytes of its number.
fn numbers(source: &str) -> Vec<std::ops::Range<usize>> {
    let units = ["hour", "day", "week", "month", "year", "minute"];
    let mut found = Vec::new();
    let mut at = 0;
    for line in source.split_inclusive('\n') {
        let is_key = line.contains(" = ") && !line.starts_with('#');
        for (quote, _) in line.match_indices('"').filter(|_| is_key) {
            let text = &line[quote + 1..];
            let digits = text.bytes().take_while(u8::is_ascii_digit).count();
            if digits > 0 && units.iter().any(|unit| text[digits..].trim_start().starts_with(unit)) {
                found.push(at + quote + 1..at + quote + 1 + digits);
            }
        }
        at += line.len();
    }
    found
}

#[test]
fn every_number_of_the_documents_is_obeyed() {
    let mut seen = 0;
    for source in [FLUX, OPUS] {
        let before = Policy::compile(source).unwrap();
        let (was, prose) = (answers(&before), before.clauses().to_vec());
        for number in numbers(source) {
            let old: u32 = source[number.clone()].parse().unwrap();
            let line = source[..number.start].matches('\n').count() + 1;
            // One more, or where a law or another rule forbids that, one less or half.
            let changed = [old + 1, old.saturating_sub(1).max(1), old / 2, old * 2]
                .into_iter()
                .filter(|new| *new != old && *new > 0)
                .find_map(|new| {
                    let mut text = source.to_owned();
                    text.replace_range(number.clone(), &new.to_string());
                    Policy::compile(&text).ok()
                });
            let after = changed
                .unwrap_or_else(|| panic!("line {line} of {}: no other number compiles", before.tenant()));
            assert_ne!(
                was,
                answers(&after),
                "line {line} of {}: the number changes nothing",
                before.tenant()
            );
            let rule = source[..number.start].rsplit("\n[").next().unwrap();
            let (name, key) = (
                rule.split(']').next().unwrap(),
                source[..number.start].rsplit('\n').next().unwrap().split(' ').next().unwrap(),
            );
            if source.contains(&format!("{{{name}.{key}}}")) {
                let same = prose.iter().zip(after.clauses()).all(|(a, b)| a.text == b.text);
                assert!(!same, "line {line} of {}: the prose says the old number", before.tenant());
            }
            seen += 1;
        }
    }
    assert!(seen > 60, "{seen}");
}
