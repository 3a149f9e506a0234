//! Names that are safe on every disk. Paths in an archive are of `[a-z0-9._-]` only, so that names which differ by case
//! or by Unicode form (F02), control and direction characters (F04), drives and parents (F01), reserved device names
//! and trailing dots (F03) cannot occur at all. What a file was called is told in the manifest.

use std::collections::HashSet;

/// Longest part of a path, in bytes.
const LONGEST_PART: usize = 80;
/// Longest extension that is kept as one.
const LONGEST_EXTENSION: usize = 8;
/// Most folders deep.
const DEEPEST: usize = 4;

/// Gives out paths, each once.
#[derive(Debug, Default)]
pub(super) struct Names(HashSet<String>);

impl Names {
    /// A safe path as near to `wish` as possible, not given out before.
    pub(super) fn take(&mut self, wish: &str) -> String {
        let mut parts: Vec<String> =
            wish.split('/').filter(|p| !matches!(*p, "" | "." | "..")).map(part).collect();
        let name = parts.pop().unwrap_or_else(|| "file".to_owned());
        parts.truncate(DEEPEST);
        let folder: String = parts.iter().flat_map(|p| [p.as_str(), "/"]).collect();
        let mut path = format!("{folder}{name}");
        let (stem, extension) = split(&name);
        let mut n = 1_u32;
        while !self.0.insert(path.clone()) {
            n = n.saturating_add(1);
            path = format!("{folder}{stem}-{n}{extension}");
        }
        path
    }
}

/// Whether a path of someone else's archive is one that we could have written.
pub(super) fn is_safe(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').collect();
    // A path that was made unique carries a number; its part may be that much longer.
    parts.len() <= DEEPEST + 1
        && parts.iter().all(|p| {
            !p.is_empty()
                && p.len() <= LONGEST_PART + 16
                && p.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.'))
                && p.starts_with(|c: char| c.is_ascii_alphanumeric())
                && !p.ends_with('.')
                && !is_reserved(p)
        })
}

/// One part of a path made of words that came from outside. Never empty; a dot separates at most the extension.
pub(super) fn part(from: &str) -> String {
    let (stem, extension) = split(from);
    let extension = extension.get(1..).unwrap_or_default().to_ascii_lowercase();
    let mut out = String::new();
    for c in stem.chars() {
        if out.len() >= LONGEST_PART {
            break;
        }
        match c.to_ascii_lowercase() {
            c @ ('a'..='z' | '0'..='9' | '_') => out.push(c),
            _ if out.ends_with('-') => {}
            _ => out.push('-'),
        }
    }
    let stem = out.trim_matches(['-', '_']);
    let stem = if stem.is_empty() { "file" } else { stem };
    let fence = if is_reserved(stem) { "-" } else { "" };
    let dot = if extension.is_empty() { "" } else { "." };
    format!("{stem}{fence}{dot}{extension}")
}

/// What a person called a file, for showing: without control characters and without those that turn the direction of
/// the text, at most 200 characters.
pub(super) fn shown(original: &str) -> String {
    let turns = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
    original.chars().filter(|c| !c.is_control() && !turns(*c)).take(200).collect()
}

/// The stem, and the extension with its dot if it looks like one.
fn split(name: &str) -> (&str, &str) {
    name.rfind('.')
        .and_then(|dot| name.split_at_checked(dot))
        .filter(|(stem, ext)| {
            !stem.is_empty()
                && (2..=LONGEST_EXTENSION + 1).contains(&ext.len())
                && ext.bytes().skip(1).all(|b| b.is_ascii_alphanumeric())
        })
        .unwrap_or((name, ""))
}

/// The device names of DOS, which Windows still gives to whoever opens `con.txt`.
fn is_reserved(part: &str) -> bool {
    let stem = part.split('.').next().unwrap_or_default();
    matches!(stem, "con" | "prn" | "aux" | "nul" | "conin$" | "conout$")
        || (stem.len() == 4
            && (stem.starts_with("com") || stem.starts_with("lpt"))
            && stem.ends_with(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hostile_names_become_plain_ones() {
        for (from, to) in [
            ("../../etc/passwd", "etc-passwd"),
            ("C:\\Windows\\system.ini", "c-windows-system.ini"),
            ("/absolute", "absolute"),
            ("CON", "con-"),
            ("nul.txt", "nul-.txt"),
            ("COM1.jpg", "com1-.jpg"),
            ("trailing. ", "trailing"),
            ("...", "file"),
            ("", "file"),
            ("a\nb\0c\u{202e}gpj.exe", "a-b-c-gpj.exe"),
            ("🦀.png", "file.png"),
            ("Ünïcode Straße.JPG", "n-code-stra-e.jpg"),
            (".hidden", "hidden"),
        ] {
            assert_eq!(part(from), to, "{from:?}");
        }
        assert_eq!(part(&"x".repeat(300)).len(), LONGEST_PART);
    }

    #[test]
    fn names_that_a_disk_would_take_for_one_are_told_apart() {
        let mut names = Names::default();
        assert_eq!(names.take("images/Rome.JPG"), "images/rome.jpg");
        assert_eq!(names.take("images/rome.jpg"), "images/rome-2.jpg");
        // The same letter composed and decomposed.
        assert_eq!(names.take("images/caf\u{e9}.jpg"), "images/caf.jpg");
        assert_eq!(names.take("images/cafe\u{301}.jpg"), "images/cafe.jpg");
        assert_eq!(names.take("rome-2.jpg"), "rome-2.jpg");
        assert_eq!(names.take("../../etc/x"), "etc/x");
    }

    #[test]
    fn a_shown_name_cannot_turn_the_line_around() {
        assert_eq!(shown("photo\u{202e}gpj.exe\n\0é🦀"), "photogpj.exeé🦀");
    }

    proptest! {
        #[test]
        fn every_given_path_is_safe_and_given_once(wishes in prop::collection::vec("\\PC{0,12}|[./a-cA-C\\\\ :]{0,10}|.{0,120}", 0..40)) {
            let mut names = Names::default();
            let mut seen = HashSet::new();
            for wish in wishes {
                let path = names.take(&wish);
                prop_assert!(is_safe(&path), "{wish:?} gave {path:?}");
                prop_assert!(seen.insert(path.to_lowercase()));
            }
        }
    }
}
