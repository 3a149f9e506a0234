//! A letter, read from the bytes a mail system hands over (RFC 5322, MIME). Only what a request needs is taken out of
//! them: no attachment, no HTML, nothing quoted.

use std::panic::{AssertUnwindSafe, catch_unwind};

use mail_parser::{Addr, Address, HeaderName, Message, MessageParser};

use super::Unreadable;
use super::model::{Automatic, Envelope};
use crate::requests::MOST_WORDS;
use crate::subjects::Email;

/// Most bytes of a letter, attachments included.
pub const MOST_BYTES: usize = 5 << 20;
/// Most bytes of its header.
const MOST_HEADER: usize = 128 << 10;
/// Most parts that it may be made of.
const MOST_PARTS: usize = 100;
/// Most characters of its text that are looked at.
const MOST_TEXT: usize = 64 << 10;
/// Most characters of a subject or a name of a message.
const MOST_LINE: usize = 998;

/// What is taken out of a letter.
#[derive(Debug, Clone)]
pub struct Letter {
    /// Whose letter it says it is. Anybody can write from anybody's address.
    pub from: Email,
    /// To whom it went, as far as it says so.
    pub to: Vec<String>,
    /// Its subject.
    pub subject: String,
    /// Its name, if it has one.
    pub message_id: Option<String>,
    /// What its writer wrote, at most [`MOST_WORDS`] characters: no history, no signature.
    pub words: String,
    /// Whether a machine wrote it, and how that is known.
    pub automatic: Option<Automatic>,
}

/// The message itself: without the line that local mailboxes put before it.
pub fn message_of(raw: &[u8]) -> &[u8] {
    if !raw.starts_with(b"From ") {
        return raw;
    }
    let end = raw.iter().position(|b| *b == b'\n');
    end.and_then(|end| raw.get(end + 1..)).unwrap_or_default()
}

/// Reads a letter. `own` is the domain under which this house names its letters.
pub fn read(raw: &[u8], envelope: &Envelope, own: &str) -> Result<Letter, Unreadable> {
    if raw.len() > MOST_BYTES {
        return Err(Unreadable::TooLarge);
    }
    let header = header_of(raw).ok_or(Unreadable::NoHeader)?;
    if header.len() > MOST_HEADER || header.contains(&0) {
        return Err(Unreadable::Malformed);
    }
    // A stranger's bytes are not to bring anything down, whatever a parser makes of them.
    catch_unwind(AssertUnwindSafe(|| taken_out(raw, envelope, own))).unwrap_or(Err(Unreadable::Malformed))
}

fn taken_out(raw: &[u8], envelope: &Envelope, own: &str) -> Result<Letter, Unreadable> {
    let message = MessageParser::default().parse(raw).ok_or(Unreadable::Malformed)?;
    if message.parts.len() > MOST_PARTS {
        return Err(Unreadable::TooManyParts);
    }
    let from = sender(&message)?;
    let message_id = message.message_id().map(|id| id.chars().take(MOST_LINE).collect::<String>());
    let automatic = automatic(&message, envelope, (&from, own), message_id.as_deref());
    let subject = message.subject().unwrap_or_default().chars().take(MOST_LINE).collect();
    Ok(Letter { to: recipients(&message), subject, words: words(&message), message_id, automatic, from })
}

/// The header, up to the empty line.
fn header_of(raw: &[u8]) -> Option<&[u8]> {
    let end = raw.windows(2).position(|w| w == b"\n\n");
    let end_crlf = raw.windows(4).position(|w| w == b"\r\n\r\n");
    let end = match (end, end_crlf) {
        (Some(a), Some(b)) => a.min(b),
        (a, b) => a.or(b).unwrap_or(raw.len()),
    };
    raw.get(..end).filter(|header| header.contains(&b':'))
}

/// The one address it says it is from. Two `From` lines, or two addresses in one, are nobody's.
fn sender(message: &Message<'_>) -> Result<Email, Unreadable> {
    let lines = message.headers().iter().filter(|h| h.name == HeaderName::From).count();
    let mut all = message.from().into_iter().flat_map(Address::iter);
    let first = all.next().and_then(Addr::address);
    match (lines, first, all.next()) {
        (1, Some(address), None) => address.parse().map_err(|_| Unreadable::NoSender),
        _ => Err(Unreadable::NoSender),
    }
}

fn recipients(message: &Message<'_>) -> Vec<String> {
    let named = message.all_to().chain(message.all_cc()).flat_map(Address::iter);
    let mut all: Vec<String> = named.filter_map(Addr::address).map(str::to_lowercase).collect();
    for name in ["delivered-to", "x-original-to", "envelope-to"] {
        all.extend(lines(message, name).map(|to| to.trim_matches(['<', '>']).to_lowercase()));
    }
    all
}

/// The values of a header line, as they stand there.
fn lines<'m>(message: &'m Message<'_>, name: &'m str) -> impl Iterator<Item = &'m str> {
    message
        .headers_raw()
        .filter(move |(n, _)| n.trim().eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim())
}

/// Whether a machine wrote it (RFC 3834): such a letter is never answered, or two machines would write to each other for
/// ever.
fn automatic(
    message: &Message<'_>,
    envelope: &Envelope,
    (from, own): (&Email, &str),
    id: Option<&str>,
) -> Option<Automatic> {
    let has = |name: &str| lines(message, name).next().is_some();
    let says = |name: &str, words: &[&str]| {
        lines(message, name).any(|v| words.iter().any(|w| v.to_ascii_lowercase().starts_with(w)))
    };
    let (local, domain) = from.expose().split_once('@').unwrap_or_default();
    let no_way_back = lines(message, "return-path").any(|v| v == "<>")
        || envelope.sender.as_deref().is_some_and(|s| matches!(s, "" | "<>" | "MAILER-DAEMON"));
    let robots = ["mailer-daemon", "postmaster", "noreply", "no-reply", "donotreply", "do-not-reply"];
    let ours = |id: &str| !own.is_empty() && id.trim_matches(['<', '>']).ends_with(&format!("@{own}"));
    if id.is_some_and(ours) && domain == own {
        Some(Automatic::Own)
    } else if no_way_back || robots.contains(&local) || says("content-type", &["multipart/report"]) {
        Some(Automatic::Bounce)
    } else if lines(message, "auto-submitted").any(|v| !v.to_ascii_lowercase().starts_with("no"))
        || ["x-autoreply", "x-autorespond", "x-autoresponder"].iter().any(|n| has(n))
    {
        Some(Automatic::Reply)
    } else if ["list-id", "list-post", "list-unsubscribe", "mailing-list"].iter().any(|n| has(n))
        || says("precedence", &["bulk", "list", "junk", "auto"])
    {
        Some(Automatic::List)
    } else {
        None
    }
}

/// What the writer wrote: the first text, up to what they answer to and what they sign with.
fn words(message: &Message<'_>) -> String {
    let text = message.body_text(0).unwrap_or_default();
    let text: String = text.chars().take(MOST_TEXT).filter(|c| !c.is_control() || *c == '\n').collect();
    let own = text.lines().take_while(|line| !ends_the_letter(line)).filter(|line| !line.starts_with('>'));
    let own = own.map(str::trim_end).collect::<Vec<_>>().join("\n");
    own.trim().chars().take(MOST_WORDS).collect::<String>().trim_end().to_owned()
}

/// Where a signature or the letter that is answered begins.
fn ends_the_letter(line: &str) -> bool {
    let line = line.trim_end_matches(['\r', '\n']);
    let quoted = ["wrote:", "schrieb:"].iter().any(|word| line.trim_end().ends_with(word));
    line == "-- " || quoted || line.trim_start_matches('-').trim_start().starts_with("Original Message")
}

#[cfg(test)]
mod tests;
