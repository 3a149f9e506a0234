//! The laws of the house that a compiler does not hold: which room may know which, how long a file may be, where SQL
//! stands. The picture in `docs/ARCHITECTURE.md` is drawn from what is found here.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;

use crate::support::source::{self, Source};

/// The rooms, lowest row first. A room may know any room on a lower row, and none on its own but for [`SIDEWAYS`].
const ROWS: &[(&[&str], &str)] = &[
    (&["base"], "words everyone shares"),
    (&["crypto", "policy", "imaging", "config", "speech"], "pure: no disk, no network, no clock"),
    (&["store", "blobs", "keystore", "archive", "egress", "mail"], "the outside world"),
    (
        &["ledger", "providers", "recipients", "seals"],
        "what is recorded; who else may be asked, and who keeps the key of keys",
    ),
    (&["vault"], "the only door to personal data"),
    (
        &["subjects", "consent", "billing", "disclosure", "webhooks"],
        "people, what they allowed, and what their app is told",
    ),
    (
        &["editing", "elsewhere", "retention", "publication", "training"],
        "what is done with data, when it ends, and which version says so",
    ),
    (
        &["requests", "intake", "drp", "imports", "audit"],
        "every right as a workflow, and how it comes in; whether each promise is kept",
    ),
    (&["app"], "one handle of each room, built once"),
    (
        &["edge", "jobs", "backup", "fakes"],
        "who calls, what runs by itself, what follows a restore; stand-ins",
    ),
    (&["http", "web"], "the JSON API and the pages"),
    (&["cli", "main"], "the program"),
];

/// Arrows along a row, each with what it is for.
const SIDEWAYS: &[(&str, &str, &str)] = &[
    ("keystore", "store", "keys lie in a database too, though one of their own"),
    ("intake", "requests", "a letter that is confirmed becomes a request"),
    ("drp", "requests", "what an agent asks for is a request, for its person to confirm"),
    ("main", "cli", "the binary is a door to the commands"),
];

/// What may stand at the root of the crate beside the rooms: `lib.rs`, and the macros of `store`.
const MACROS: &[(&str, &str)] = &[("on", "store"), ("change", "store"), ("dialect", "store")];

const VAGUE: &[&str] =
    &["util", "utils", "helper", "helpers", "common", "manager", "service", "services", "misc"];

const MOST_LINES: usize = 500;
const MOST_LINES_OF_NINE_IN_TEN: usize = 300;

fn row_of(room: &str) -> Option<usize> {
    ROWS.iter().position(|(rooms, _)| rooms.contains(&room))
}

/// Which room each room knows, and where it says so first.
fn arrows(files: &[Source]) -> BTreeMap<(String, String), String> {
    let mut arrows = BTreeMap::new();
    for file in files.iter().filter(|f| f.room != "lib") {
        for (name, line) in file.names_of_the_crate() {
            let to = MACROS.iter().find(|(m, _)| *m == name).map_or(name.as_str(), |(_, room)| room);
            if to != file.room {
                let place = format!("{}:{line}", file.path);
                arrows.entry((file.room.clone(), to.to_owned())).or_insert(place);
            }
        }
    }
    arrows
}

fn fault(from: &str, to: &str) -> Option<String> {
    match (row_of(from), row_of(to)) {
        (None, _) => Some(format!("{from} is not a room that is drawn")),
        (_, None) => Some(format!("{to} is not a room that is drawn")),
        (Some(a), Some(b)) if a > b => None,
        _ if SIDEWAYS.iter().any(|(f, t, _)| (*f, *t) == (from, to)) => None,
        (Some(a), Some(b)) => Some(format!("{from} (row {a}) must not know {to} (row {b})")),
    }
}

#[test]
fn arrows_only_go_down() {
    let faults: Vec<String> = arrows(&source::files("src"))
        .iter()
        .filter_map(|((from, to), place)| Some(format!("{place}: {}", fault(from, to)?)))
        .collect();
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

#[test]
fn an_arrow_that_is_not_drawn_is_a_fault() {
    assert_eq!(fault("vault", "ledger"), None);
    assert_eq!(fault("keystore", "store"), None);
    for (from, to) in
        [("store", "keystore"), ("ledger", "vault"), ("http", "web"), ("base", "attic"), ("attic", "base")]
    {
        assert!(fault(from, to).is_some(), "{from} → {to}");
    }
}

#[test]
fn each_room_says_what_it_is_for() {
    let files = source::files("src");
    for room in files.iter().map(|f| f.room.as_str()).collect::<BTreeSet<_>>() {
        assert!(room == "lib" || row_of(room).is_some(), "src/{room} is not a room that is drawn");
        let top = top_of(&files, room).unwrap_or_else(|| panic!("src/{room} has no mod.rs"));
        assert!(!top.first_paragraph().is_empty(), "{} does not begin with what it promises", top.path);
    }
}

fn top_of<'a>(files: &'a [Source], room: &str) -> Option<&'a Source> {
    let own = [format!("src/{room}.rs"), format!("src/{room}/mod.rs")];
    files.iter().find(|f| own.contains(&f.path))
}

#[test]
fn files_are_short_enough_to_read() {
    let files = source::files("src");
    let mut lengths: Vec<(usize, &str)> =
        files.iter().map(|f| (f.text.lines().count(), f.path.as_str())).collect();
    lengths.sort_unstable();
    let (longest, path) = lengths[lengths.len() - 1];
    assert!(longest <= MOST_LINES, "{path} has {longest} lines; the most is {MOST_LINES}");
    let (tenth, path) = lengths[(lengths.len() - 1) * 9 / 10];
    assert!(
        tenth <= MOST_LINES_OF_NINE_IN_TEN,
        "more than one file in ten is longer than {MOST_LINES_OF_NINE_IN_TEN} lines; {path} has {tenth}"
    );
}

#[test]
fn nothing_is_left_for_later() {
    // Put together here, so that this file does not hold what it looks for. A test may stand aside for the soak alone,
    // and must say so.
    let marks =
        [["TO", "DO"], ["FIX", "ME"], ["XX", "X"], ["todo", "!"], ["unimplemented", "!"], ["#[ign", "ore"]];
    let for_the_soak = "ignore = \"for the soak: ";
    for file in source::files("src").into_iter().chain(source::files("tests")) {
        for mark in marks.map(|m| m.concat()) {
            let line = file.text.lines().position(|l| l.contains(&mark) && !l.contains(for_the_soak));
            assert!(line.is_none(), "{}:{} says {mark}", file.path, line.unwrap_or(0) + 1);
        }
    }
}

#[test]
fn no_name_is_vague() {
    let mut paths = Vec::new();
    for folder in ["src", "tests"] {
        source::walk(&source::root().join(folder), &mut paths);
    }
    for path in paths {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let vague = name.split('_').any(|part| VAGUE.contains(&part));
        assert!(!vague, "{} has a name that says nothing", path.display());
    }
}

#[test]
fn sql_stands_in_files_for_sql() {
    for file in source::files("src").iter().filter(|f| !super::sql::is_for_sql(&f.path)) {
        for (text, line) in file.strings() {
            assert!(!super::sql::is_statement(&text), "{}:{line}: SQL outside sql.rs: {text}", file.path);
        }
    }
}

#[test]
fn the_picture_is_that_of_the_source() {
    const BEGIN: &str = "<!-- drawn by `make docs`: begin -->\n";
    const END: &str = "<!-- drawn by `make docs`: end -->\n";
    let path = source::root().join("docs/ARCHITECTURE.md");
    let page = fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (drawn, after) = rest.split_once(END).unwrap();
    let fresh = picture(&source::files("src"));

    let update = std::env::var_os("UPDATE").is_some();
    if update {
        fs::write(&path, format!("{before}{BEGIN}{fresh}{END}{after}")).unwrap();
    } else {
        assert!(drawn == fresh, "docs/ARCHITECTURE.md does not show the source as it is: run `make docs`");
    }
}

fn picture(files: &[Source]) -> String {
    let there: BTreeSet<&str> = files.iter().map(|f| f.room.as_str()).collect();
    let mut page = String::from("```text\n");
    for (number, (rooms, about)) in ROWS.iter().enumerate().rev() {
        let rooms: Vec<&str> = rooms.iter().copied().filter(|r| there.contains(r)).collect();
        if !rooms.is_empty() {
            let _ = writeln!(page, "{number:>2}   {:<58}{about}", rooms.join("   "));
        }
    }
    for (from, to, why) in SIDEWAYS {
        let _ = writeln!(page, "     {from} → {to}: {why}");
    }
    page.push_str("```\n\n| room | what it is for | what it knows |\n|---|---|---|\n");

    let arrows = arrows(files);
    let drawn = ROWS.iter().rev().flat_map(|(rooms, _)| rooms.iter()).filter(|r| there.contains(**r));
    for room in drawn {
        let about = top_of(files, room).map(Source::first_paragraph).unwrap_or_default();
        let mut knows: Vec<&str> =
            arrows.keys().filter(|(from, _)| from == room).map(|(_, to)| to.as_str()).collect();
        knows.sort_by_key(|to| (row_of(to), *to));
        let _ = writeln!(page, "| `{room}` | {} | {} |", about.replace('|', "\\|"), knows.join(", "));
    }
    page
}
