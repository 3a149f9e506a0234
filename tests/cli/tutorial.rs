//! `docs/TUTORIAL.md` is run as a newcomer runs it: each document is saved under the name that it has there, each command is
//! typed into one shell, and what comes back is what the page shows. `make docs` writes what comes back into the page.
//!
//! A block that begins with `markdown` and a path is a file. In a `console` block a line that begins with `$ ` is a command,
//! and the lines below it are what it says. All else is for the reader.

use std::fmt::Write as _;
use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};

use regex::Regex;

use crate::support::app::photograph;
use crate::support::source::root;

/// Where the page has the service listen.
const ADDRESS: &str = "127.0.0.1:8080";
/// What parts the answers of two commands in the shell's output.
const MARK: &str = "----- said, with status";

/// A piece of the page.
#[derive(Debug)]
enum Piece {
    /// For the reader.
    Text(String),
    /// To be saved.
    File { path: String, text: String },
    /// To be typed: the command, and what the page says comes back.
    Command { typed: String, says: String },
}

/// Takes the page apart, without losing a byte of it.
fn pieces(page: &str) -> Vec<Piece> {
    let mut all = Vec::new();
    let mut text = String::new();
    let mut lines = page.split_inclusive('\n').peekable();
    while let Some(line) = lines.next() {
        let ticks = line.len() - line.trim_start_matches('`').len();
        text.push_str(line);
        if ticks < 3 {
            continue;
        }
        let (fence, info) = (&line[..ticks], line[ticks..].trim());
        let mut inside = Vec::new();
        let mut end = "";
        for line in lines.by_ref() {
            if line.trim_end() == fence {
                end = line;
                break;
            }
            inside.push(line);
        }
        assert!(!end.is_empty(), "a block is not closed: {line}");
        if let Some(path) = info.strip_prefix("markdown ") {
            all.push(Piece::Text(std::mem::take(&mut text)));
            all.push(Piece::File { path: path.to_owned(), text: inside.concat() });
        } else if info == "console" {
            all.push(Piece::Text(std::mem::take(&mut text)));
            for line in inside {
                match (line.strip_prefix("$ "), all.last_mut()) {
                    (Some(typed), _) => {
                        all.push(Piece::Command { typed: typed.trim_end().to_owned(), says: String::new() });
                    }
                    (None, Some(Piece::Command { says, .. })) => says.push_str(line),
                    _ => panic!("a console block begins with a command: {line}"),
                }
            }
        } else {
            text.push_str(&inside.concat());
        }
        text.push_str(end);
    }
    all.push(Piece::Text(text));
    all
}

/// Puts the pieces together again.
fn page_of(pieces: &[Piece]) -> String {
    let mut page = String::new();
    for piece in pieces {
        match piece {
            Piece::Text(text) | Piece::File { text, .. } => page.push_str(text),
            Piece::Command { typed, says } => {
                let _ = write!(page, "$ {typed}\n{says}");
            }
        }
    }
    page
}

/// The shell script that does all of it. Documents are laid beside it and copied into place when their turn comes.
fn script(pieces: &[Piece], folder: &Path, address: &str) -> String {
    let mut script = String::from("trap 'kill $(jobs -p) 2>/dev/null; wait' EXIT\n");
    for (n, piece) in pieces.iter().enumerate() {
        match piece {
            Piece::Text(_) => {}
            Piece::File { path, text } => {
                let saved = folder.join(format!("document-{n}"));
                fs::write(&saved, text).unwrap();
                let _ = writeln!(script, "mkdir -p \"$(dirname {path})\"; cp {} {path}", saved.display());
            }
            Piece::Command { typed, .. } => {
                let typed = typed.replace(ADDRESS, address);
                let _ = writeln!(script, "{typed}\nprintf '\\n{MARK} %s\\n' $?");
            }
        }
    }
    script
}

/// Runs the script in a folder of its own; gives what each command said.
fn run(pieces: &[Piece]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let work = folder.path().join("work");
    fs::create_dir(&work).unwrap();
    fs::write(work.join("photo.jpg"), photograph(1)).unwrap();
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let program = Path::new(env!("CARGO_BIN_EXE_vouchsafe"));
    #[expect(clippy::disallowed_methods, reason = "a shell has a path to find programs by")]
    let path = format!("{}:{}", program.parent().unwrap().display(), std::env::var("PATH").unwrap());
    let log = folder.path().join("said");
    let said = fs::File::create(&log).unwrap();
    let status = Command::new("bash")
        .arg("-c")
        .arg(script(pieces, folder.path(), &address))
        .current_dir(&work)
        .env_clear()
        .env("PATH", path)
        .env("HOME", folder.path())
        .stdin(Stdio::null())
        .stdout(said.try_clone().unwrap())
        .stderr(said)
        .status()
        .unwrap();
    let said = fs::read_to_string(&log).unwrap().replace(&address, ADDRESS);
    let served = fs::read_to_string(work.join("serve.log")).unwrap_or_default();
    assert!(said.contains(MARK), "the shell ended with {status}: {said}\n{served}");
    let parts: Vec<&str> = said.split(&format!("\n{MARK} ")).collect();
    let commands = pieces.iter().filter(|p| matches!(p, Piece::Command { .. })).count();
    assert_eq!(parts.len(), commands + 1, "the shell ended with {status}: {said}\n{served}");
    // Each part but the first begins with the status of the command before.
    let answers = parts.iter().enumerate().take(commands).map(|(n, part)| {
        let text = if n == 0 { part } else { part.split_once('\n').map_or("", |(_, rest)| rest) };
        let text = text.trim_end();
        if text.is_empty() { String::new() } else { format!("{text}\n") }
    });
    answers.collect()
}

/// What is the same on every run.
fn settled(text: &str) -> String {
    let patterns = [
        (r"(obj|sub|edt)_[0-9a-f]{32}", "${1}_ID"),
        (r"\d{4}-\d{2}-\d{2}T[0-9:.]+Z", "TIME"),
        (r"\d{1,2} [A-Z][a-z]+ \d{4}, \d{2}:\d{2} UTC", "TIME"),
        (r"[0-9A-Z]{5}-[0-9A-Z]{5}", "REFERENCE"),
        (r" +", " "),
        (r"(?m) +$", ""),
    ];
    patterns.iter().fold(text.to_owned(), |text, (pattern, with)| {
        Regex::new(pattern).unwrap().replace_all(&text, *with).into_owned()
    })
}

#[test]
fn the_page_says_what_a_newcomer_sees() {
    let path = root().join("docs/TUTORIAL.md");
    let page = fs::read_to_string(&path).unwrap();
    let mut pieces = pieces(&page);
    assert_eq!(page_of(&pieces), page, "a control: nothing of the page is lost");
    let mut answers = run(&pieces).into_iter();
    let update = std::env::var_os("UPDATE").is_some();
    let mut wrong = String::new();
    for piece in &mut pieces {
        let Piece::Command { typed, says } = piece else { continue };
        let said = answers.next().unwrap();
        if settled(&said) != settled(says) {
            let _ = write!(wrong, "\n$ {typed}\nsaid:\n{said}the page has:\n{says}");
            *says = said;
        }
    }
    if update {
        fs::write(&path, page_of(&pieces)).unwrap();
    } else {
        assert!(
            wrong.is_empty(),
            "docs/TUTORIAL.md shows something else than happens (make docs writes it anew):{wrong}"
        );
    }
}

#[test]
fn what_the_story_is_about_has_happened_in_it() {
    let page = fs::read_to_string(root().join("docs/TUTORIAL.md")).unwrap();
    let pieces = pieces(&page);
    let says = |part: &str| -> Vec<&str> {
        let commands = pieces.iter().filter_map(|p| match p {
            Piece::Command { typed, says } if typed.contains(part) => Some(says.trim()),
            _ => None,
        });
        commands.collect()
    };
    assert_eq!(says("%{http_code}"), ["200", "404"], "there, and then not");
    assert_eq!(says("wc -l"), ["0"]);
    assert_eq!(says("head -c 21"), ["age-encryption.org/v1"]);
    let checks = says("policy check");
    assert!(
        checks[0].contains("2 errors")
            && checks[1].contains("vague-period")
            && checks[2].contains("0 errors")
    );
    assert!(says("v1/edits")[0].contains("\"status\":403"), "{:?}", says("v1/edits"));
    assert!(says("policy diff")[0].contains("10 days"), "{:?}", says("policy diff"));
}

#[test]
fn a_page_is_taken_apart_and_put_together() {
    let page = "a\n````markdown x.md\n```rule\n[x]\n```\n````\n```sh\nnot run\n```\n```console\n$ b\nsays\n$ c\n```\nend\n";
    let pieces = pieces(page);
    assert_eq!(page_of(&pieces), page);
    let commands = pieces.iter().filter(|p| matches!(p, Piece::Command { .. })).count();
    assert_eq!(commands, 2, "{pieces:?}");
    assert!(
        matches!(&pieces[1], Piece::File { path, text } if path == "x.md" && text == "```rule\n[x]\n```\n")
    );
}
