//! `docs/EVIDENCE.md` holds: every test it names is there, every number of the programme is either claimed or said not to
//! be, and what is claimed has a control.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use crate::support::source::root;

/// The numbers of the programme.
const NUMBERS: std::ops::RangeInclusive<u32> = 1..=40;

fn page() -> String {
    fs::read_to_string(root().join("docs/EVIDENCE.md")).unwrap()
}

/// The rows of the table below a heading, each a list of cells.
fn rows(page: &str, heading: &str) -> Vec<Vec<String>> {
    let (_, below) =
        page.split_once(&format!("\n## {heading}\n")).unwrap_or_else(|| panic!("no heading {heading}"));
    let section = below.split("\n## ").next().unwrap();
    let cells = |line: &str| line.trim_matches('|').split('|').map(|c| c.trim().to_owned()).collect();
    section.lines().filter(|l| l.starts_with('|')).skip(2).map(cells).collect()
}

/// The tests that a text names: words in backticks with `::` in them.
fn named(text: &str) -> Vec<String> {
    let path = |w: &&str| {
        let letters = w.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_:".contains(&b));
        letters && w.contains("::") && !w.ends_with(':')
    };
    text.split('`').skip(1).step_by(2).filter(path).map(ToOwned::to_owned).collect()
}

/// The files in which a module of the suite or of the library may lie.
fn files(module: &[&str]) -> Vec<PathBuf> {
    let (top, within) = match module {
        ["lib", rest @ ..] => ("src", rest),
        rest => ("tests", rest),
    };
    let path = root().join(top).join(within.join("/"));
    vec![path.with_extension("rs"), path.join("mod.rs")]
}

/// Whether there is such a test: `rooms::keystore::a_test`, or `lib::crypto::vectors::a_test` for one beside the code.
fn exists(name: &str) -> bool {
    let parts: Vec<&str> = name.split("::").collect();
    let Some((test, module)) = parts.split_last() else { return false };
    // Tests beside the code lie in a module of their file.
    let module: Vec<&str> = module
        .iter()
        .copied()
        .filter(|m| *m != "tests" || files(module).iter().any(|f| f.is_file()))
        .collect();
    files(&module)
        .iter()
        .any(|file| fs::read_to_string(file).is_ok_and(|text| text.contains(&format!("fn {test}("))))
}

#[test]
fn every_test_that_is_named_is_there() {
    let names = named(&page());
    assert!(names.len() > 40, "{}", names.len());
    let missing: Vec<&String> = names.iter().filter(|name| !exists(name)).collect();
    assert!(missing.is_empty(), "named in docs/EVIDENCE.md and nowhere to be found: {missing:#?}");
    // The control.
    assert!(!exists("rooms::keystore::a_test_that_nobody_wrote"));
    assert!(!exists("rooms::nowhere::a_key_that_was_made_is_given_again"));
}

#[test]
fn every_number_is_claimed_or_said_not_to_be() {
    let page = page();
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    for row in rows(&page, "What is claimed").iter().chain(&rows(&page, "What is not claimed")) {
        *seen.entry(row[0].clone()).or_default() += 1;
    }
    let expected: BTreeSet<String> = NUMBERS.map(|n| format!("T{n:02}")).collect();
    assert_eq!(seen.keys().cloned().collect::<BTreeSet<_>>(), expected);
    assert!(seen.values().all(|n| *n == 1), "a number stands twice: {seen:?}");
}

#[test]
fn what_is_claimed_has_tests_a_figure_a_date_and_a_control() {
    for row in rows(&page(), "What is claimed") {
        let [number, claim, tests, pass, last, control] = row.as_slice() else { panic!("{row:?}") };
        assert!(!named(tests).is_empty(), "{number} names no test");
        assert!(claim.len() > 20 && !pass.is_empty(), "{number}");
        assert!(last.contains("2026-"), "{number} has no date: {last}");
        assert!(control.len() > 10, "{number} has no control: a test that cannot fail proves nothing");
    }
    for row in rows(&page(), "What is not claimed") {
        let [number, what, why] = row.as_slice() else { panic!("{row:?}") };
        assert!(what.len() > 10 && why.len() > 20, "{number} is left out without a reason");
    }
}
