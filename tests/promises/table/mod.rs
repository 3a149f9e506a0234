//! Where each promise ends: the clauses that make it, the rules that run it, the code that keeps it, the story that would
//! fail if it were broken, and what shows a stranger that it is kept. One table, held against the documents, the source
//! and the probes; `make docs` prints it as `docs/PROMISES.md`.

mod rows;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;

use vouchsafe::policy::Policy;
use vouchsafe::policy::spec::PROBES;

use super::document;
use crate::support::app::{OTHER_TENANT, TENANT};
use crate::support::source::root;
use rows::{ROWS, Row};

/// The documents of a row: each with the clauses of it that make the promise.
fn sides(row: &Row) -> Vec<(Policy, char, &'static [&'static str])> {
    let both = [(TENANT, 'F', row.flux), (OTHER_TENANT, 'O', row.opus)];
    both.into_iter().map(|(tenant, letter, clauses)| (document(tenant), letter, clauses)).collect()
}

#[test]
fn every_promise_is_in_the_table_and_made_by_its_own_document() {
    let names: BTreeSet<&str> = ROWS.iter().flat_map(|r| r.names.split(' ')).collect();
    let all = (1..=21).map(|n| format!("F{n}")).chain((1..=10).map(|n| format!("O{n}")));
    let all: BTreeSet<String> = all.collect();
    assert_eq!(names, all.iter().map(String::as_str).collect(), "rows left out, or made up");
    for row in ROWS {
        for (_, letter, clauses) in sides(row) {
            let promised = row.names.split(' ').any(|n| n.starts_with(letter));
            assert_eq!(
                promised,
                !clauses.is_empty(),
                "{}: a document makes each of its promises itself",
                row.names
            );
        }
    }
}

#[test]
fn clauses_and_rules_are_those_of_the_compiled_documents() {
    for row in ROWS {
        let mut known = BTreeSet::new();
        for (policy, _, clauses) in sides(row) {
            let mut bound = 0;
            for id in clauses {
                let clause = policy.clauses().iter().find(|c| c.id == *id);
                let clause =
                    clause.unwrap_or_else(|| panic!("{}: {} has no clause {id}", row.names, policy.tenant()));
                for rule in row.rules.iter().filter(|rule| clause.rules.iter().any(|r| r == *rule)) {
                    known.insert(*rule);
                    bound += 1;
                }
            }
            assert!(
                clauses.is_empty() || bound > 0,
                "{}: no rule binds it in {}",
                row.names,
                policy.tenant()
            );
        }
        for rule in row.rules {
            assert!(known.contains(rule), "{}: {rule} stands in none of its clauses", row.names);
        }
    }
}

#[test]
fn every_row_ends_in_code_in_a_story_and_in_something_that_shows_it() {
    let here = root().join("tests/promises");
    let mut told = BTreeSet::new();
    for row in ROWS {
        let ended = !row.code.is_empty() && !row.stories.is_empty() && !row.shown.is_empty();
        assert!(
            ended || row.open.is_some_and(|why| !why.is_empty()),
            "{} has no end and does not say why",
            row.names
        );
        for code in row.code {
            assert!(root().join("src").join(code).is_file(), "{}: src/{code} is not there", row.names);
        }
        for story in row.stories {
            let text = fs::read_to_string(here.join(format!("{story}.rs")));
            let text = text.unwrap_or_else(|e| panic!("{}: tests/promises/{story}.rs: {e}", row.names));
            let tests = text.matches("#[test]").count() + text.matches("#[tokio::test").count();
            let tests = tests + text.matches("(app: TestApp)").count();
            assert!(tests > 0, "{}: {story} tests nothing", row.names);
            assert!(
                text.contains("(app: TestApp)") || text.contains("Backend::Postgres"),
                "{story} is not told on both databases"
            );
            told.insert((*story).to_owned());
        }
        for shown in row.shown {
            let by_people = shown.strip_prefix("attestation.");
            let known = match by_people {
                Some(name) => sides(row).iter().any(|(p, ..)| p.attestations().any(|a| a.id == name)),
                None => PROBES.iter().any(|(probe, _)| probe == shown),
            };
            assert!(known, "{}: nothing is called {shown}", row.names);
        }
    }
    let there: BTreeSet<String> = fs::read_dir(&here)
        .unwrap()
        .map(|f| f.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
        .filter(|name| name != "mod" && name != "table")
        .collect();
    assert_eq!(told, there, "a story that no promise asks for, or the other way round");
}

#[test]
fn a_check_that_a_row_relies_on_is_made_for_its_document() {
    for row in ROWS {
        for (policy, _, clauses) in sides(row) {
            for probe in row.shown.iter().filter(|s| !s.contains('.') && !clauses.is_empty()) {
                let named = policy.safeguards().any(|s| s.probe == *probe);
                assert!(named, "{}: {} does not have {probe} checked", row.names, policy.tenant());
            }
        }
    }
}

#[test]
fn the_page_shows_the_table_as_it_is() {
    let path = root().join("docs/PROMISES.md");
    let fresh = page();
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &fresh).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == fresh,
        "docs/PROMISES.md does not show the table of tests/promises/table/rows.rs: run `make docs`"
    );
}

fn page() -> String {
    let open: Vec<&Row> = ROWS.iter().filter(|r| r.open.is_some()).collect();
    let mut page = String::from(INTRODUCTION);
    let _ = writeln!(
        page,
        "{} rows; {} have an end, {} are open.\n",
        ROWS.len(),
        ROWS.len() - open.len(),
        open.len()
    );
    page.push_str("| row | what is promised | clauses | rules | kept by | told in | shown by | end |\n");
    page.push_str("|---|---|---|---|---|---|---|---|\n");
    for row in ROWS {
        let link = |policy: &str, clause: &&str| format!("[`#{clause}`](../policies/{policy}.md)");
        let flux = row.flux.iter().map(|c| link("flux-kontext/2026-11-01", c));
        let opus = row.opus.iter().map(|c| link("opusflair/2026-05-05", c));
        let clauses: Vec<String> = flux.chain(opus).collect();
        let code: Vec<String> = row.code.iter().map(|c| format!("[`{c}`](../src/{c})")).collect();
        let stories: Vec<String> =
            row.stories.iter().map(|s| format!("[`{s}`](../tests/promises/{s}.rs)")).collect();
        let words = |all: &[&str]| all.iter().map(|w| format!("`{w}`")).collect::<Vec<_>>().join(" ");
        let end = row.open.map_or("yes".to_owned(), |why| format!("**open**: {why}"));
        let _ = writeln!(
            page,
            "| {} | {} | {} | {} | {} | {} | {} | {end} |",
            row.names,
            row.says,
            clauses.join(" "),
            words(row.rules),
            code.join(" "),
            stories.join(" "),
            words(row.shown)
        );
    }
    page
}

const INTRODUCTION: &str = "\
# What is promised, and where each promise ends

The two documents under `policies/` make these promises: the rows of Flux Kontext begin with F, those of OpusFlair with O.
Each must end somewhere: in clauses that make it, in rules that run it, in code that keeps it, in a story that fails
when it is broken, and in a check or a person's word that shows a stranger that it is kept. The checks are the probes of
[the policy language](POLICY-LANGUAGE.md#the-nine-kinds-of-rule); the promise board of each tenant shows how they stand now.

A row is open when a part of it does not run yet. What does run is tested all the same, and the row says what is missing.

This page is written by `make docs` from `tests/promises/table/rows.rs`, which is held against the compiled documents, the source,
the tests and the probes.

";
