//! What a letter asks for, read from plain words. A guess for the page that asks; never a decision.

use crate::policy::Right;

/// Words that begin a wish, English and German, each with the right it uses. Lower case; a word may go on.
const WORDS: &[(Right, &[&str])] = &[
    (
        Right::Access,
        &[
            "access to my",
            "access request",
            "subject access",
            "copy of my",
            "copy of all",
            "copy of the data",
            "copy of the information",
            "what data",
            "which data",
            "what you hold",
            "what information",
            "article 15",
            "art. 15",
            "artikel 15",
            "auskunft",
            "kopie meiner",
            "kopie aller",
            "welche daten",
        ],
    ),
    (
        Right::Portability,
        &[
            "portab",
            "machine-readable",
            "machine readable",
            "article 20",
            "art. 20",
            "artikel 20",
            "datenübertragbarkeit",
            "datenportabilität",
            "maschinenlesbar",
        ],
    ),
    (
        Right::Rectification,
        &[
            "rectif",
            "correct my",
            "correction of",
            "article 16",
            "art. 16",
            "artikel 16",
            "berichtig",
            "korrigier",
            "korrektur",
        ],
    ),
    (
        Right::Erasure,
        &[
            "delete",
            "deletion",
            "erase",
            "erasure",
            "remove my",
            "be forgotten",
            "article 17",
            "art. 17",
            "artikel 17",
            "lösch",
            "entfernen sie",
            "vergessenwerden",
        ],
    ),
    (
        Right::Restriction,
        &["restrict", "article 18", "art. 18", "artikel 18", "einschränkung", "einzuschränken", "sperrung"],
    ),
    (
        Right::Objection,
        &[
            "object to",
            "objection",
            "article 21",
            "art. 21",
            "artikel 21",
            "widerspruch",
            "widersprech",
            "widerspreche",
        ],
    ),
    (Right::Withdrawal, &["withdraw", "revoke", "take back my consent", "widerruf", "einwilligung zurück"]),
];

/// Words that turn a wish round: what stands near them is left to the writer.
const NOT: &[&str] = &[
    "not delete",
    "n't delete",
    "n’t delete",
    "not erase",
    "n't erase",
    "n’t erase",
    "nicht lösch",
    "nicht gelösch",
];

/// The right that a letter seems to use. `None` when it names none, several, or says that something should *not* be done.
pub fn right_in(words: &str) -> Option<Right> {
    let text = words.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ");
    if NOT.iter().any(|n| text.contains(n)) {
        return None;
    }
    let mut named = WORDS.iter().filter(|(_, begins)| begins.iter().any(|b| begins_a_word(&text, b)));
    let (first, _) = named.next()?;
    match named.next() {
        None => Some(*first),
        Some(_) => None,
    }
}

fn begins_a_word(text: &str, words: &str) -> bool {
    text.match_indices(words).any(|(at, _)| {
        let before = text.get(..at).and_then(|head| head.chars().next_back());
        before.is_none_or(|c| !c.is_alphanumeric())
    })
}

/// Marks that mail programs put before a subject, in the languages of most of them.
const MARKS: &[&str] = &["re", "fw", "fwd", "aw", "wg", "antw", "tr", "rv", "sv", "vs"];

/// Whether a subject is the line that the document asks for: in any case and spacing, with any dash, behind any number of
/// reply and forward marks, and with whatever the writer added after it.
pub fn is_subject(subject: &str, line: &str) -> bool {
    let (subject, line) = (plain(subject), plain(line));
    let mut rest = subject.as_str();
    while let Some((mark, after)) = rest.split_once(':') {
        let word = mark.trim().trim_end_matches(|c: char| c.is_ascii_digit() || "[]()".contains(c));
        if !MARKS.contains(&word) {
            break;
        }
        rest = after.trim_start();
    }
    let goes_on = rest.strip_prefix(&line);
    !line.is_empty() && goes_on.is_some_and(|more| !more.starts_with(char::is_alphanumeric))
}

/// Lower case, one space between words, a plain dash for every dash, none around it.
fn plain(text: &str) -> String {
    let dash = |c: char| if matches!(c, '\u{2010}'..='\u{2015}' | '\u{2212}') { '-' } else { c };
    let text: String = text.to_lowercase().chars().map(dash).collect();
    let spaced = text.replace('-', " - ");
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LINE: &str = "Privacy Request - AI Data";

    #[test]
    fn a_subject_is_known_however_a_mail_program_dresses_it() {
        for subject in [
            LINE,
            "privacy request - ai data",
            "  PRIVACY   REQUEST – AI DATA ",
            "Re: Privacy Request - AI Data",
            "AW: WG: Privacy Request—AI Data",
            "Fwd: Re[2]: Privacy Request-AI Data",
            "Privacy Request - AI Data: please delete my account",
            "Privacy Request - AI Data (urgent)",
        ] {
            assert!(is_subject(subject, LINE), "{subject}");
        }
        for subject in [
            "",
            "Privacy Request",
            "Invoice",
            "About: Privacy Request - AI Data",
            "Privacy Request - AI Database",
        ] {
            assert!(!is_subject(subject, LINE), "{subject}");
        }
        assert!(!is_subject("anything", ""));
    }

    #[test]
    fn plain_words_are_understood_and_others_left_to_their_writer() {
        for (words, right) in [
            ("Please delete my account and everything in it.", Some(Right::Erasure)),
            ("Bitte löschen Sie meine Daten.", Some(Right::Erasure)),
            ("I would like a copy of my data.", Some(Right::Access)),
            ("Hiermit verlange ich Auskunft nach Art. 15 DSGVO.", Some(Right::Access)),
            ("Send it in a machine-readable form, please.", Some(Right::Portability)),
            ("My name is spelt wrongly, please correct my name.", Some(Right::Rectification)),
            ("I withdraw my consent.", Some(Right::Withdrawal)),
            ("Ich lege Widerspruch ein.", Some(Right::Objection)),
            ("Please restrict the processing.", Some(Right::Restriction)),
            ("Please do not delete anything yet.", None),
            ("Send me a copy of my data and then delete my account.", None),
            ("Hello, I have a question.", None),
            ("Thunderstruck auslöschbar", None),
            ("", None),
        ] {
            assert_eq!(right_in(words), right, "{words}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "\\PC{0,300}", line in "\\PC{0,60}") {
            let _ = right_in(&text);
            let _ = is_subject(&text, &line);
        }
    }
}
