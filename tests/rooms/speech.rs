//! Every sentence that people read in a page or a letter has a German row, and every row is somebody's.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use proptest::prelude::*;
use regex::Regex;
use vouchsafe::policy::Fact;
use vouchsafe::speech::po::{self, Row};
use vouchsafe::speech::{Tongue, escape, key};

use crate::support::source::{self, Source};

const ROWS: &str = include_str!("../../src/speech/de.po");

/// A sentence as it is used: its context, what it says of one thing, and of several where it counts things.
type Used = (String, String, Option<String>);

/// Templates of pages that staff alone see, and of the one page that is the same for everybody.
const ENGLISH_ONLY: [&str; 4] =
    ["pages/desk/", "pages/layout/desk", "pages/offline/", "pages/parts/desk-tables"];

fn used(context: &str, one: &str, many: Option<&str>) -> Used {
    (context.to_owned(), one.to_owned(), many.map(ToOwned::to_owned))
}

/// What a call says: the first text, or one for one thing and one for several, perhaps after a context.
fn of_call(name: &str, texts: &[String]) -> Option<Used> {
    match (name, texts) {
        ("say" | "put" | "key", [one, ..]) => Some(used("", one, None)),
        ("count" | "count_in", [one, many]) => Some(used("", one, Some(many))),
        ("count_in", [context, one, many]) => Some(used(context, one, Some(many))),
        _ => None,
    }
}

/// Whether a file of code speaks to people: the rooms that do, and every file that says it knows the room of languages.
fn speaks(file: &Source) -> bool {
    matches!(file.room.as_str(), "web" | "mail" | "speech")
        || file.names_of_the_crate().iter().any(|(room, _)| room == "speech")
}

fn in_code() -> Vec<Used> {
    let mut found = Vec::new();
    for file in source::files("src").iter().filter(|f| speaks(f) && !f.path.contains("/sample/")) {
        let calls = file.texts_given_to(&["say", "put", "key", "count", "count_in"]);
        found.extend(calls.iter().filter_map(|(name, texts)| of_call(name, texts)));
    }
    found
}

fn templates() -> Vec<(String, String)> {
    let mut paths = Vec::new();
    for folder in ["src/web/pages", "src/mail/templates"] {
        source::walk(&source::root().join(folder), &mut paths);
    }
    let files = paths.iter().filter(|p| p.is_file()).map(|p| (p.to_string_lossy().into_owned(), p));
    let ours = files.filter(|(name, _)| !ENGLISH_ONLY.iter().any(|part| name.contains(part)));
    ours.map(|(name, path)| (name, fs::read_to_string(path).unwrap())).collect()
}

fn in_template(text: &str) -> Vec<Used> {
    let one = Regex::new(r#"\b(?:say|put)\("((?:[^"\\]|\\.)*)"\)"#).unwrap();
    let many = Regex::new(r#"\bcount\([^"]*?, "((?:[^"\\]|\\.)*)", "((?:[^"\\]|\\.)*)"\)"#).unwrap();
    let plain = |text: &str| text.replace("\\\"", "\"");
    let ones = one.captures_iter(text).map(|c| used("", &plain(&c[1]), None));
    let counted = many.captures_iter(text).map(|c| used("", &plain(&c[1]), Some(&plain(&c[2]))));
    ones.chain(counted).collect()
}

/// What is looked up by a text that another room made: facts of a document, and the hearts of the ledger's sentences.
fn at_run_time() -> Vec<Used> {
    let facts = Fact::ALL.iter().map(|fact| fact.in_words().to_owned());
    let heart = |clause: String| {
        let bare = clause.strip_prefix("that ").unwrap_or(&clause).replace("{person}", "a person");
        format!("{}{}.", bare[..1].to_uppercase(), &bare[1..])
    };
    // An entry of a kind without a sentence says its kind, which is a word for machines.
    let told = vouchsafe::ledger::clauses().into_values().filter(|clause| !clause.starts_with("the event "));
    let hearts = told.map(heart);
    facts.chain(hearts).map(|text| used("", &text, None)).collect()
}

fn all_used() -> BTreeSet<Used> {
    let in_templates = templates().into_iter().flat_map(|(_, text)| in_template(&text));
    in_code().into_iter().chain(in_templates).chain(at_run_time()).collect()
}

fn rows() -> BTreeMap<(String, String), Row> {
    let rows = po::read(ROWS).unwrap();
    rows.into_iter().map(|row| ((row.context.clone(), row.id.clone()), row)).collect()
}

/// The places for values, the links and the other elements of a text, in order of their names.
fn places(text: &str) -> Vec<String> {
    let place = Regex::new(r"\{[a-z0-9_]+\}|</?[a-z0-9]+[^>]*>").unwrap();
    let mut all: Vec<String> = place.find_iter(text).map(|m| m.as_str().to_owned()).collect();
    all.sort();
    all
}

#[test]
fn every_sentence_has_a_german_row_and_every_row_a_sentence() {
    let (used, rows) = (all_used(), rows());
    assert!(used.len() > 700, "only {} sentences were found", used.len());
    let has_row = |(context, one, many): &&Used| {
        let row = rows.get(&(context.clone(), one.clone()));
        row.is_some_and(|row| row.plural == *many && !row.fuzzy && row.says.iter().all(|s| !s.is_empty()))
    };
    let bare = |text: &str| places(text).concat() == text;
    let missing: Vec<&Used> = used.iter().filter(|u| !bare(&u.1) && !has_row(u)).collect();
    assert!(missing.is_empty(), "no German row, or one with other forms:\n{missing:#?}");
    let known: BTreeSet<(&str, &str)> = used.iter().map(|(c, one, _)| (c.as_str(), one.as_str())).collect();
    let unused: Vec<&Row> =
        rows.values().filter(|r| !known.contains(&(r.context.as_str(), r.id.as_str()))).collect();
    assert!(unused.is_empty(), "rows that nobody uses:\n{unused:#?}");
}

#[test]
fn a_row_keeps_every_place_and_every_link_of_its_sentence() {
    for row in rows().values() {
        let forms = if row.plural.is_some() { 2 } else { 1 };
        assert_eq!(row.says.len(), forms, "line {}", row.line);
        let many = row.plural.as_ref().unwrap_or(&row.id);
        for (says, english) in row.says.iter().zip([&row.id, many]) {
            // Whoever speaks of one thing may leave out the number, in either language.
            let told = |text: &str| {
                let places = places(text);
                places.into_iter().filter(|p| row.plural.is_none() || p != "{count}").collect::<Vec<_>>()
            };
            assert_eq!(told(says), told(english), "line {}: {says}", row.line);
        }
        assert_eq!(places(row.says.last().unwrap()), places(many), "line {}", row.line);
    }
}

#[test]
fn german_is_told_to_people_one_is_polite_to() {
    let informal = Regex::new(r"\b(?:[Dd]u|[Dd]ich|[Dd]ir|[Dd]ein\w*|[Ee]uer|[Ee]uch)\b").unwrap();
    for row in rows().values() {
        for says in &row.says {
            assert!(!informal.is_match(says), "line {}: {says}", row.line);
            assert!(!says.contains('&') && !says.contains("  "), "line {}: {says}", row.line);
            assert!(
                !says.contains('“') || says.contains('„'),
                "line {}: a quotation opens below: {says}",
                row.line
            );
        }
    }
}

/// What a template says outside its expressions, elements and attributes.
fn own_words(text: &str) -> Vec<String> {
    // What a page fills of its frame with, which are attributes and the name of a width; what a macro adds to an element.
    let code = Regex::new(r#"(?s)\{% block (?:at_\w+|width) %\}.*?\{% endblock %\}|\{\{.*?\}\}|\{%.*?%\}|<style>.*?</style>|<code>[^<]*</code>|\baria-(?:invalid|describedby)="[^"]*""#).unwrap();
    let without = code.replace_all(text, " ");
    let attribute = Regex::new(r#"\b(?:aria-label|title|alt|placeholder)="([^"]*)""#).unwrap();
    let element = Regex::new(r"(?s)<[^>]*>").unwrap();
    let word = Regex::new(r"\p{L}{2,}").unwrap();
    let said: Vec<String> = attribute.captures_iter(&without).map(|c| c[1].to_owned()).collect();
    let outside = element.replace_all(&without, " ").into_owned();
    let texts = said.iter().chain([&outside]);
    texts.flat_map(|t| word.find_iter(t).map(|m| m.as_str().to_owned()).collect::<Vec<_>>()).collect()
}

#[test]
fn no_template_for_people_has_words_of_its_own() {
    for (name, text) in templates() {
        // The command that checks a receipt is the same in every language.
        let words: Vec<String> = own_words(&text)
            .into_iter()
            .filter(|w| !matches!(w.as_str(), "vouchsafe" | "verify" | "key"))
            .collect();
        assert!(words.is_empty(), "{name} says in English only: {words:?}");
    }
    assert_eq!(own_words("<p title=\"Gone\">{{ x }} Still here</p>"), ["Gone", "Still", "here"]);
}

#[test]
fn a_sentence_that_nobody_translated_is_told_in_english() {
    let sentence = key("A sentence that stands in no file of rows.");
    assert_eq!(Tongue::German.say(sentence), sentence);
    assert_eq!(Tongue::German.known(sentence), None);
    assert_eq!(Tongue::German.tell(sentence), sentence);
    assert_eq!(Tongue::German.count(2, sentence, "{count} of those").text(), "2 of those");
    assert_eq!(Tongue::English.known("Sign in"), None, "English needs no rows");
    assert_eq!(Tongue::German.known("Sign in"), Some("Anmelden"));
}

#[test]
fn a_file_that_is_wrong_is_refused_with_its_line() {
    for (text, error) in [
        ("msgid \"a\"\nmsgstr \"b\nmsgstr \"c\"", po::Error::Unreadable(2)),
        ("msgid \"a\"\nmsgstr \"\\q\"", po::Error::Escape(2)),
        ("msgid \"a\"\n\nmsgstr \"b\"", po::Error::NotWhole(2)),
        ("msgstr \"b\"", po::Error::NotWhole(1)),
        ("msgid \"a\"\nmsgstr[1] \"b\"", po::Error::NotWhole(2)),
        ("msgid \"a\"\nmsgstr \"b\"\n\nmsgid \"a\"\nmsgstr \"c\"", po::Error::Twice(6)),
        ("\"lost\"", po::Error::Unreadable(1)),
        ("msgfoo \"a\"", po::Error::Unreadable(1)),
    ] {
        assert_eq!(po::read(text), Err(error), "{text}");
    }
    let text = "# told apart\n#, fuzzy\nmsgctxt \"after\"\nmsgid \"\"\n\"a \"\n\"day\"\nmsgstr \"Tag\"\n";
    let [row] = po::read(text).unwrap().try_into().unwrap();
    assert_eq!((row.context.as_str(), row.id.as_str(), row.fuzzy), ("after", "a day", true));
}

/// A row as a translator might leave it.
fn any_row() -> impl Strategy<Value = Row> {
    let text = "[ -~äöüß„“…\n\t]{1,40}";
    (text, proptest::option::of(text), proptest::collection::vec(text, 2), any::<bool>()).prop_map(
        |(id, plural, mut says, fuzzy)| {
            says.truncate(if plural.is_some() { 2 } else { 1 });
            Row { line: 0, context: String::new(), id, plural, says, fuzzy }
        },
    )
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "(?s).{0,200}") {
        let _ = po::read(&text);
    }

    #[test]
    fn anything_like_a_file_of_rows_is_read_or_refused(
        lines in proptest::collection::vec("(msgid|msgstr|msgctxt|msgid_plural|msgstr\\[[0-9]\\]|#,|)[ \"\\\\a-z]{0,9}", 0..12)
    ) {
        let _ = po::read(&lines.join("\n"));
    }

    #[test]
    fn what_was_written_is_read_again(rows in proptest::collection::vec(any_row(), 0..6)) {
        let mut seen = BTreeSet::new();
        let rows: Vec<Row> = rows.into_iter().filter(|r| seen.insert(r.id.clone())).collect();
        let text: String = rows.iter().map(|row| format!("{row}\n")).collect();
        let read = po::read(&text).unwrap();
        let again: Vec<Row> = read.into_iter().map(|row| Row { line: 0, ..row }).collect();
        prop_assert_eq!(again, rows);
    }

    #[test]
    fn any_header_names_a_language_or_none(header in ".{0,80}") {
        let _ = Tongue::preferred(&header);
    }

    #[test]
    fn no_value_becomes_markup(value in ".{0,40}", address in ".{0,40}") {
        let said = Tongue::German.put("Questions go to <a>{contact}</a>.").with("contact", &value).link(&address);
        let (value, address) = (escape(&value), escape(&address));
        prop_assert_eq!(said.to_string(), format!("Fragen gehen an <a href=\"{address}\">{value}</a>."));
    }
}
