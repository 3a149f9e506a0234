//! `docs/POLICY-LANGUAGE.md` is made from the compiler's own tables and shows nothing that does not compile; the schemas
//! of `exports/` are those of the tables.

use std::fs;

use vouchsafe::policy::filled::{FILLED, NAMED_PURPOSES};
use vouchsafe::policy::law::packs;
use vouchsafe::policy::schema::{exports, reference};
use vouchsafe::policy::spec::{FRONT, PROBES, SECTIONS, fields};
use vouchsafe::policy::{CODES, Fact, Policy, RuleKind, report};

use crate::support::source::root;

fn update() -> bool {
    std::env::var_os("UPDATE").is_some()
}

fn generated(name: &str) -> Option<String> {
    let line = |(name, text): &(&str, &str)| format!("| `{name}` | {text} |\n");
    Some(match name {
        "probes" => {
            format!("| probe | shows that |\n|---|---|\n{}", PROBES.iter().map(line).collect::<String>())
        }
        "codes" => {
            let rows = CODES.iter().map(|(name, says, mend)| format!("| `{name}` | {says} | {mend} |\n"));
            format!("| name | what it says | how to mend it |\n|---|---|---|\n{}", rows.collect::<String>())
        }
        "filled" => {
            let rows = FILLED.iter().map(|f| format!("| `{}` | {} | {} |\n", f.category, f.what, f.without));
            format!(
                "| category | what is put into it | without it |\n|---|---|---|\n{}",
                rows.collect::<String>()
            )
        }
        "purposes" => {
            format!(
                "| purpose | used for |\n|---|---|\n{}",
                NAMED_PURPOSES.iter().map(line).collect::<String>()
            )
        }
        "facts" => {
            let rows = Fact::ALL.iter().map(|fact| format!("| `{fact}` | {} |\n", fact.in_words()));
            format!("| fact | the clock starts when |\n|---|---|\n{}", rows.collect::<String>())
        }
        "packs" => {
            let length = |term: &Option<vouchsafe::policy::law::Term>| {
                term.as_ref().map_or_else(|| "–".to_owned(), |term| term.length.to_string())
            };
            let rows = packs().iter().map(|p| {
                format!(
                    "| `{}` | {} ({}) | {} | {} |\n",
                    p.id,
                    p.name,
                    p.edition,
                    length(&p.answer),
                    length(&p.extension)
                )
            });
            format!(
                "| pack | law (edition) | answer within | extended, in all |\n|---|---|---|---|\n{}",
                rows.collect::<String>()
            )
        }
        "statutes" => {
            let rows = packs().iter().flat_map(|p| p.statutes.iter().map(move |s| (p, s))).map(|(p, s)| {
                let bound = match (s.at_least, s.at_most) {
                    (Some(least), _) => format!("at least {least}"),
                    (None, Some(most)) => format!("at most {most}"),
                    (None, None) => String::new(),
                };
                format!(
                    "| `{}` | `{}` | {bound} after `{}` | {}: {} |\n",
                    s.id, p.id, s.from, s.what, s.source
                )
            });
            format!(
                "| period | pack | length | what and where |\n|---|---|---|---|\n{}",
                rows.collect::<String>()
            )
        }
        _ => {
            let kind = name.strip_prefix("keys ")?;
            let section = SECTIONS.iter().find(|(section, ..)| *section == kind).map(|(.., fields)| *fields);
            let front = (kind == "front").then_some(FRONT);
            reference(section.or(front).or_else(|| kind.parse::<RuleKind>().ok().map(fields))?)
        }
    })
}

#[test]
fn the_reference_is_the_compilers_own() {
    let path = root().join("docs/POLICY-LANGUAGE.md");
    let page = fs::read_to_string(&path).unwrap();
    let mut fresh = String::new();
    let mut lines = page.split_inclusive('\n');
    while let Some(line) = lines.next() {
        fresh.push_str(line);
        let name = line.trim().strip_prefix("<!-- ").and_then(|rest| rest.strip_suffix(" -->"));
        if let Some(text) = name.and_then(generated) {
            fresh.push_str(&text);
            fresh.push_str(lines.by_ref().find(|line| line.trim() == "<!-- end -->").expect("an end"));
        }
    }
    for kind in RuleKind::ALL {
        assert!(page.contains(&format!("<!-- keys {kind} -->")), "{kind} is in the reference");
    }
    if update() {
        fs::write(&path, fresh).unwrap();
    } else {
        assert!(
            page == fresh,
            "docs/POLICY-LANGUAGE.md does not show the language as it is: run `make docs`"
        );
    }
}

/// The blocks of the page that are fenced by `fence` and end with as many backticks.
fn blocks(page: &str, fence: &str) -> Vec<String> {
    let end = fence.trim_end_matches(|c| c != '`');
    let mut found = Vec::new();
    let mut lines = page.lines();
    while lines.by_ref().any(|line| line == fence) {
        found.push(lines.by_ref().take_while(|line| *line != end).flat_map(|line| [line, "\n"]).collect());
    }
    found
}

fn compiles(name: &str, source: &str) -> Policy {
    Policy::compile(source).unwrap_or_else(|found| panic!("{}", report(name, source, &found, false)))
}

#[test]
fn every_example_of_the_reference_compiles() {
    let page = fs::read_to_string(root().join("docs/POLICY-LANGUAGE.md")).unwrap();
    let documents = blocks(&page, "````markdown");
    assert_eq!(documents.len(), 1);
    for source in &documents {
        let policy = compiles("the tutorial", source);
        let warned: Vec<&str> = policy.warnings().iter().map(|w| w.code).collect();
        assert_eq!(warned, ["unfilled", "right-missing"], "{:?}", policy.warnings());
        let shorter = source.replace("24 hours after uploaded", "6 hours after uploaded");
        assert!(
            compiles("the tutorial", &shorter)
                .clause("photos")
                .unwrap()
                .text
                .contains("6 hours after it arrived")
        );
    }
    // The examples of the kinds are one document together: each may lean on the others.
    let (_, kinds) = page.split_once("## The nine kinds of rule").unwrap();
    let (kinds, _) = kinds.split_once("## How to say it").unwrap();
    let rules = blocks(kinds, "```rule");
    assert_eq!(rules.len(), RuleKind::ALL.len());
    let front = documents[0].split("+++").nth(1).unwrap().replace("\"eu-gdpr\"", "\"eu-gdpr\", \"eu-vat\"");
    let source = format!("+++{front}+++\n\n## All {{#all}}\n\n```rule\n{}```\n", rules.join("\n"));
    let policy = compiles("the examples", &source);
    for kind in RuleKind::ALL {
        assert!(
            policy.clause("all").unwrap().rules.iter().any(|rule| rule.starts_with(kind.as_str())),
            "{kind}"
        );
    }
}

/// Each answer of "How to say it" is a document once it stands behind the front matter of the tutorial.
#[test]
fn every_answer_of_how_to_say_it_compiles() {
    let page = fs::read_to_string(root().join("docs/POLICY-LANGUAGE.md")).unwrap();
    let front = blocks(&page, "````markdown")[0].split("+++").nth(1).unwrap().to_owned();
    let front = front.replace("law = [\"eu-gdpr\"]", "law = [\"eu-gdpr\", \"de-books\"]");
    let (_, answers) = page.split_once("## How to say it").unwrap();
    let (answers, _) = answers.split_once("\n## Periods and facts").unwrap();
    let answers = blocks(answers, "````policy");
    assert!(answers.len() >= 10, "{}", answers.len());
    for answer in &answers {
        let source = format!("+++{front}+++\n\n{answer}");
        let policy = compiles("how to say it", &source);
        for warning in policy.warnings() {
            assert!(
                matches!(warning.code, "unfilled" | "right-missing" | "notice-missing"),
                "{}",
                report("how to say it", &source, policy.warnings(), false)
            );
        }
        assert!(policy.clauses().iter().any(|clause| !clause.rules.is_empty()), "{answer}");
    }
}

#[test]
fn the_schemas_are_those_of_the_tables() {
    for (name, fresh) in exports() {
        let path = root().join("exports").join(&name);
        if update() {
            fs::create_dir_all(root().join("exports")).unwrap();
            fs::write(&path, &fresh).unwrap();
        }
        let there = fs::read_to_string(&path).unwrap_or_else(|e| panic!("exports/{name}: {e}"));
        assert!(there == fresh, "exports/{name} is not the language as it is: run `make docs`");
    }
}
