//! What a change means, and what would go.

use super::super::diff::{Difference, Direction, Meaning, diff};
use super::super::plan::{Held, explain, plan};
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
    let held = |facts, count, on_hold| Held { category: "input-image".into(), facts, count, on_hold };
    let things = [
        held(uploaded("01"), 3, false),
        held(uploaded("02"), 2, true),
        held(uploaded("19"), 100, false),
        Held { category: "output-image".into(), facts: uploaded("01"), count: 200, on_hold: false },
        Held { category: "diary".into(), facts: uploaded("01"), count: 1, on_hold: false },
    ];
    let plan = plan(&policy, &things, at("2026-11-20T00:00:00Z"));
    let row = plan.rows.iter().find(|row| row.category == "input-image").unwrap();
    assert_eq!((row.due, row.held, row.later, row.rule.as_str()), (5, 2, 100, "input-image"));
    assert_eq!((plan.total, plan.going, plan.needs_second_person()), (306, 3, false));
    assert_eq!(plan.undeclared, ["diary"]);
    assert_eq!(plan.rows.iter().find(|row| row.category == "output-image").unwrap().waiting, 200);
    assert!(plan.csv().starts_with("category,rule,action"));
    assert_eq!(plan.csv().lines().count(), 1 + plan.rows.len());
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
