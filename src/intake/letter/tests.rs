use proptest::prelude::*;

use super::*;

fn read_plain(raw: &str) -> Result<Letter, Unreadable> {
    read(raw.replace('\n', "\r\n").as_bytes(), &Envelope::default(), "vouchsafe.example")
}

const PLAIN: &str = "From: Ada <Ada@Example.org>\nTo: privacy@flux.example\nSubject: Hello\nMessage-ID: <1@example.org>\n\n\
    Please delete my account.\n\n-- \nAda\n";

#[test]
fn of_a_letter_stays_what_its_writer_wrote() {
    let letter = read_plain(PLAIN).unwrap();
    assert_eq!(letter.from.expose(), "ada@example.org");
    assert_eq!((letter.subject.as_str(), letter.words.as_str()), ("Hello", "Please delete my account."));
    assert_eq!(letter.message_id.as_deref(), Some("1@example.org"));
    assert_eq!(letter.to, ["privacy@flux.example"]);
    assert_eq!(letter.automatic, None);
}

#[test]
fn history_is_left_out() {
    for history in ["On Monday Bob wrote:\n> delete it", "-----Original Message-----\ndelete", "> quoted"] {
        let letter = read_plain(&PLAIN.replace("-- \nAda", history)).unwrap();
        assert_eq!(letter.words, "Please delete my account.", "{history}");
    }
}

#[test]
fn what_a_machine_wrote_is_known() {
    for (line, how) in [
        ("Auto-Submitted: auto-replied", Automatic::Reply),
        ("X-Autoreply: yes", Automatic::Reply),
        ("List-Id: <news.example.org>", Automatic::List),
        ("Precedence: bulk", Automatic::List),
        ("Return-Path: <>", Automatic::Bounce),
        ("Content-Type: multipart/report; boundary=x", Automatic::Bounce),
    ] {
        assert_eq!(read_plain(&format!("{line}\n{PLAIN}")).unwrap().automatic, Some(how), "{line}");
    }
    let people = "Auto-Submitted: no\nPrecedence: normal\nX-Mailer: Outlook\n";
    assert_eq!(read_plain(&format!("{people}{PLAIN}")).unwrap().automatic, None);
    let own = PLAIN.replace("example.org", "vouchsafe.example").replace("Example.org", "vouchsafe.example");
    assert_eq!(read_plain(&own).unwrap().automatic, Some(Automatic::Own));
    let empty = Envelope { sender: Some(String::new()), ..Envelope::default() };
    assert_eq!(read(PLAIN.as_bytes(), &empty, "").unwrap().automatic, Some(Automatic::Bounce));
}

#[test]
fn what_is_no_letter_is_said_to_be_none() {
    let from = |from: &str| PLAIN.replace("From: Ada <Ada@Example.org>", from);
    for (raw, why) in [
        (String::new(), Unreadable::NoHeader),
        ("hello".to_owned(), Unreadable::NoHeader),
        (from("X-From: nobody"), Unreadable::NoSender),
        (from("From: a@example.org, b@example.org"), Unreadable::NoSender),
        (from("From: a@example.org\nFrom: b@example.org"), Unreadable::NoSender),
        (from("From: Ada"), Unreadable::NoSender),
        (from("From: ada@[127.0.0.1]"), Unreadable::NoSender),
        (PLAIN.replace("Hello", "He\0llo"), Unreadable::Malformed),
        (format!("X-Pad: {}\n{PLAIN}", "x".repeat(MOST_HEADER)), Unreadable::Malformed),
        (format!("{PLAIN}{}", "x".repeat(MOST_BYTES)), Unreadable::TooLarge),
    ] {
        assert_eq!(read_plain(&raw).unwrap_err(), why, "{}", raw.chars().take(60).collect::<String>());
    }
}

#[test]
fn a_letter_of_very_many_parts_is_not_a_persons() {
    let part = "--x\nContent-Type: text/plain\n\na\n".repeat(MOST_PARTS + 1);
    let many = PLAIN.replace("Subject: Hello", "Subject: Hello\nContent-Type: multipart/mixed; boundary=x");
    assert_eq!(read_plain(&format!("{many}{part}--x--\n")).unwrap_err(), Unreadable::TooManyParts);
}

#[test]
fn the_line_of_a_local_mailbox_is_no_part_of_a_letter() {
    assert_eq!(message_of(b"From ada Mon Nov 22\r\nFrom: a@b.example\r\n"), b"From: a@b.example\r\n");
    assert_eq!(message_of(b"From: a@b.example\r\n"), b"From: a@b.example\r\n");
    assert_eq!(message_of(b"From "), b"");
}

proptest! {
    #[test]
    fn no_bytes_bring_it_down(raw in proptest::collection::vec(any::<u8>(), 0..600)) {
        let _ = read(message_of(&raw), &Envelope::default(), "vouchsafe.example");
    }

    #[test]
    fn no_damage_to_a_letter_brings_it_down(at in 0..PLAIN.len(), with in any::<u8>(), cut in 0..PLAIN.len()) {
        let mut raw = PLAIN.as_bytes().to_vec();
        raw[at] = with;
        raw.truncate(cut);
        if let Ok(letter) = read(&raw, &Envelope::default(), "vouchsafe.example") {
            prop_assert!(letter.words.chars().count() <= MOST_WORDS);
            prop_assert!(!letter.words.contains('\0'));
        }
    }
}
