//! What a change means, and what would go.

use super::super::diff::{Difference, Direction, Meaning, diff};
use super::super::plan::{Comparer, ConflictKind, Fate, Held, Pace, explain, plan};
use super::super::*;
use super::{FLUX, at, flux};

fn changed(from: &str, to: &str) -> Difference {
    assert_eq!(FLUX.matches(from).count(), 1, "`{from}` stands once");
    let new = FLUX.replace(from, to).replace("version = \"2026-11-01\"", "version = \"next\"");
    let new = Policy::compile(&new).unwrap_or_else(|found| panic!("{}", report("new", &new, &found, false)));
    let found = diff(&flux(), &new);
    assert_eq!(found.conflicts, [""; 0]);
    found
}

fn first(found: &Difference) -> (Meaning, Direction, &str) {
    let change = found.changes.iter().find(|change| change.meaning != Meaning::Wording).expect("a change");
    (change.meaning, change.direction, change.says.as_str())
}

#[test]
fn a_document_does_not_differ_from_itself() {
    assert_eq!(diff(&flux(), &flux()).changes, []);
}

#[test]
fn a_longer_life_is_loosened_and_people_are_told() {
    let found = changed("at-most = \"48 hours after uploaded\"", "at-most = \"72 hours after uploaded\"");
    assert_eq!(
        first(&found),
        (
            Meaning::DeadlineMoved,
            Direction::Loosened,
            "Uploaded pictures: gone 72 hours after it was uploaded (before: 48 hours after it was uploaded)"
        )
    );
    assert!(found.must_tell() && found.must_ask().next().is_none());
    assert_eq!(found.categories().into_iter().collect::<Vec<_>>(), ["input-image"]);
    let shorter = changed("at-most = \"48 hours after uploaded\"", "at-most = \"24 hours after uploaded\"");
    assert_eq!(first(&shorter).1, Direction::Tightened);
    assert!(!shorter.must_tell());
    let gone =
        changed("erase-when = [\"edit.succeeded\", \"account.closed\"]", "erase-when = \"account.closed\"");
    assert_eq!(first(&gone).1, Direction::Loosened);
}

#[test]
fn a_new_recipient_is_told_and_a_changed_consent_is_asked_again() {
    let lab = "[processor.lab]\nname = \"Lab\"\ndoes = \"retouches\"\nreceives = \"output-image\"\npurposes = \"provide-edits\"\n\
               countries = \"DE\"\nlongest-life = \"1 hour\"\ndeletion-proof = \"claimed\"\n\n[processor.studio]";
    let found = changed("[processor.studio]", lab);
    assert_eq!(first(&found).0, Meaning::NewRecipient);
    assert!(found.must_tell() && found.must_ask().next().is_none());
    let found = changed(
        "may be used to train and test image models.",
        "may be used to train, test and sell image models.",
    );
    assert_eq!(found.must_ask().map(|change| change.rule.as_str()).collect::<Vec<_>>(), ["purpose.training"]);
}

#[test]
fn less_choice_is_loosened_and_more_is_tightened() {
    let found = changed("basis = \"legitimate-interest\"", "basis = \"contract\"");
    assert_eq!((first(&found).0, first(&found).1), (Meaning::BasisChanged, Direction::Loosened));
    let found = changed("basis = \"legitimate-interest\"", "basis = \"consent\"");
    assert_eq!(first(&found).1, Direction::Tightened);
    assert_eq!(found.must_ask().count(), 1);
    let found = changed(
        "categories = [\"account\", \"credits\", \"edit-history\", \"device\", \"billing\"]",
        "categories = [\"account\", \"credits\"]",
    );
    assert_eq!((first(&found).0, first(&found).1), (Meaning::AccessChanged, Direction::Tightened));
}

#[test]
fn a_published_version_cannot_come_again_with_another_text() {
    let other = Policy::compile(&FLUX.replace("48 hours after uploaded", "24 hours after uploaded")).unwrap();
    assert_eq!(diff(&flux(), &other).conflicts.len(), 1);
}

#[test]
fn a_plan_counts_what_goes_and_a_hold_stops_it() {
    let policy = flux();
    let uploaded = |day: &str| Facts::new().with(Fact::Uploaded, at(&format!("2026-11-{day}T00:00:00Z")));
    let held = |facts, count, on_hold| Held {
        category: "input-image".into(),
        facts,
        done: Vec::new(),
        count,
        on_hold,
    };
    let things = [
        held(uploaded("01"), 3, false),
        held(uploaded("02"), 2, true),
        held(uploaded("19"), 100, false),
        Held {
            category: "output-image".into(),
            facts: uploaded("01"),
            done: Vec::new(),
            count: 200,
            on_hold: false,
        },
        Held { category: "diary".into(), facts: uploaded("01"), done: Vec::new(), count: 1, on_hold: false },
    ];
    let plan = plan(&policy, &things, at("2026-11-20T00:00:00Z"));
    let row = plan.rows.iter().find(|row| row.category == "input-image").unwrap();
    assert_eq!((row.due, row.held, row.later, row.rule.as_str()), (5, 2, 100, "input-image"));
    assert_eq!((plan.total, plan.going, plan.needs_second_person()), (306, 3, false));
    assert!(plan.csv("flux-kontext", true).starts_with("tenant,category,rule,version,action"));
    assert_eq!(plan.csv("flux-kontext", false).lines().count(), plan.rows.len());
    assert_eq!(plan.undeclared.into_iter().collect::<Vec<_>>(), [("diary".to_owned(), 1)]);
    assert_eq!(plan.rows.iter().find(|row| row.category == "output-image").unwrap().waiting, 200);
    // A document that is only proposed: everything uploaded goes after one hour.
    let stricter = Policy::compile(
        &FLUX
            .replace("48 hours after uploaded", "1 hour after uploaded")
            .replace("longest-life = \"1 hour\"", "longest-life = \"30 minutes\""),
    )
    .unwrap();
    assert!(super::super::plan::plan(&stricter, &things, at("2026-11-20T00:00:00Z")).needs_second_person());
}

#[test]
fn an_explanation_names_every_rule_with_its_clause_the_earliest_first() {
    let facts = Facts::new().with(Fact::Uploaded, at("2026-11-02T10:00:00Z"));
    let said = explain(&flux(), "input-image", &facts);
    let lines: Vec<_> = said.iter().map(|s| (s.clause.as_str(), s.says.as_str(), s.at)).collect();
    assert_eq!(
        lines[0],
        ("input-images", "at most 48 hours after it was uploaded", Some(at("2026-11-04T10:00:00Z")))
    );
    assert_eq!(
        lines[1..],
        [
            ("input-images", "as soon as the edit succeeded", None),
            ("input-images", "as soon as the account was closed", None)
        ]
    );
    assert_eq!(
        flux().uncovered([("vault_record.sealed", "account"), ("diary.text", "diary")]),
        [("diary.text", "diary")]
    );
}

/// A later version of the document that ships.
fn next(changes: &[(&str, &str)]) -> Policy {
    let mut text = FLUX.replace("version = \"2026-11-01\"", "version = \"next\"");
    for (from, to) in changes {
        assert_eq!(text.matches(from).count(), 1, "`{from}` stands once");
        text = text.replace(from, to);
    }
    Policy::compile(&text).unwrap_or_else(|found| panic!("{}", report("next", &text, &found, false)))
}

#[test]
fn a_candidate_is_compared_thing_by_thing_and_what_contradicts_is_named() {
    let (today, candidate) = (flux(), next(&[("2 years after created", "1 year after created")]));
    let now = at("2026-11-20T00:00:00Z");
    let mut comparer = Comparer::new(&candidate, today.version(), now, None);
    let created = |day: &str| Facts::new().with(Fact::Created, at(&format!("{day}T00:00:00Z")));
    let mut add = |category: &str, facts: Facts, count: u64, on_hold: bool| {
        let held = Held { category: category.into(), facts, done: Vec::new(), count, on_hold };
        let fate = Fate::under(&[&today], &held);
        comparer.add(&held, &fate, Some(&today), None);
    };
    add("usage", created("2025-06-01"), 30, false);
    add("usage", created("2025-11-01"), 10, false);
    add("usage", created("2025-10-01"), 2, true);
    add("usage", created("2026-11-01"), 58, false);
    add("diary", created("2026-11-01"), 3, false);
    let kept = Facts::new().with(Fact::InvoiceYearEnd, at("2025-12-31T23:59:59Z"));
    add("billing", kept, 5, false);

    let stages = comparer.stages(Pace::Percent(10)).unwrap();
    assert_eq!(stages.iter().map(|s| s.staged).collect::<Vec<_>>(), [10, 10, 10, 10]);
    assert!(stages[0].slack_days > stages[3].slack_days && stages[3].left == 0, "{stages:#?}");
    let found = comparer.finish();
    let usage = found.shifts.iter().find(|s| s.category == "usage").unwrap();
    assert_eq!((usage.held, usage.sooner, usage.at_once, usage.later), (100, 100, 40, 0));
    let billing = found.shifts.iter().find(|s| s.category == "billing").unwrap();
    assert_eq!((billing.same, billing.at_once), (5, 0));
    assert_eq!((found.at_once, found.second_person), (40, true));
    let conflicts: Vec<_> = found.conflicts.iter().map(|c| (c.kind, c.category.as_str(), c.count)).collect();
    assert_eq!(conflicts, [(ConflictKind::Undeclared, "diary", 3), (ConflictKind::OnHold, "usage", 2)]);
    assert!(found.conflicts[0].kind.forbids() && !found.conflicts[1].kind.forbids());
}

#[test]
fn a_candidate_may_not_take_what_a_law_keeps() {
    let candidate = next(&[(
        "keep = \"10 years after invoice.year-end\"\nstatute = \"eu-oss-records\"\n",
        "keep = \"1 year after invoice.year-end\"\n",
    )]);
    let today = flux();
    let mut comparer = Comparer::new(&candidate, today.version(), at("2027-06-01T00:00:00Z"), None);
    let facts = Facts::new().with(Fact::InvoiceYearEnd, at("2025-12-31T23:59:59Z"));
    let held = Held { category: "billing".into(), facts, done: Vec::new(), count: 4, on_hold: false };
    comparer.add(&held, &Fate::under(&[&today], &held), Some(&today), None);
    let found = comparer.finish();
    assert_eq!(found.conflicts.len(), 1);
    assert_eq!((found.conflicts[0].kind, found.conflicts[0].count), (ConflictKind::LawKeeps, 4));
    assert!(found.conflicts[0].says().contains("keeps them for a law"));
}

#[test]
fn the_stricter_version_decides_and_is_named() {
    let (strict, lax) = (flux(), next(&[("48 hours after uploaded", "72 hours after uploaded")]));
    let facts = Facts::new().with(Fact::Uploaded, at("2026-11-02T10:00:00Z"));
    for versions in [[&strict, &lax], [&lax, &strict]] {
        let said = governing(&versions, "input-image", &facts);
        assert_eq!((said.version.as_str(), said.due.at()), ("2026-11-01", Some(at("2026-11-04T10:00:00Z"))));
    }
    assert!(matches!(governing(&[&strict], "diary", &facts).due, Due::Never { .. }));
}
