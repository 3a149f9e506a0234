//! The log, looked at line by line as it is written.

use std::borrow::Cow;
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::egress::is_public;

/// Names of fields that hold what no log line may hold.
const FORBIDDEN: [&str; 8] =
    ["prompt", "email", "e-mail", "password", "token", "authorization", "cookie", "body"];
/// Base64 of this length is no id, hash or signature any more.
const LONGEST_RUN: usize = 400;

/// What a line gave away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tell {
    /// An e-mail address.
    Address,
    /// A network address of somebody outside.
    Network,
    /// A field that is named for something personal or secret.
    Field,
    /// Bytes of a picture, as they are or in base64.
    Picture,
}

/// Counts log lines, and those that hold what none may hold. Keeps no line. Cheap to clone; clones share.
#[derive(Debug, Clone, Default)]
pub struct LogWatch(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    lines: AtomicU64,
    bad: AtomicU64,
}

impl LogWatch {
    /// A watch that has seen nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// A writer that looks at each line on its way to `to`.
    pub fn tee<W: Write>(&self, to: W) -> Tee<W> {
        Tee { watch: self.clone(), to }
    }

    /// Lines seen, and how many of them held what none may hold.
    pub fn counts(&self) -> (u64, u64) {
        (self.0.lines.load(Ordering::Relaxed), self.0.bad.load(Ordering::Relaxed))
    }

    /// Looks at what is about to be written: one event, of one line or more.
    pub fn see(&self, bytes: &[u8]) {
        for line in bytes.split(|b| *b == b'\n').filter(|line| !line.is_empty()) {
            self.0.lines.fetch_add(1, Ordering::Relaxed);
            if tell(line).is_some() {
                self.0.bad.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

/// A writer under watch.
#[derive(Debug)]
pub struct Tee<W> {
    watch: LogWatch,
    to: W,
}

impl<W: Write> Write for Tee<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.to.write(bytes).inspect(|n| self.watch.see(bytes.get(..*n).unwrap_or_default()))
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.watch.see(bytes);
        self.to.write_all(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// A line without the colours of a terminal (`ESC [ … m`), which would stand between a name and its value.
fn plain(text: &str) -> Cow<'_, str> {
    let mut parts = text.split("\x1b[");
    let first = parts.next().unwrap_or_default();
    let mut out = Cow::Borrowed(first);
    for part in parts {
        out.to_mut().push_str(part.split_once('m').map_or(part, |(_, rest)| rest));
    }
    out
}

/// What a line gives away, if anything.
fn tell(line: &[u8]) -> Option<Tell> {
    let Ok(text) = std::str::from_utf8(line) else { return Some(Tell::Picture) };
    let text = &*plain(text);
    if names_a_field(text) {
        return Some(Tell::Field);
    }
    for word in
        text.split(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | ',' | '<' | '>' | '(' | ')'))
    {
        if is_address(word) {
            return Some(Tell::Address);
        }
        if is_network(word) {
            return Some(Tell::Network);
        }
    }
    let base64 = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=' | '-' | '_');
    let run = text.split(|c| !base64(c)).any(|run| run.len() >= LONGEST_RUN);
    run.then_some(Tell::Picture)
}

/// Whether the line has a field of a forbidden name: `prompt=…`, or `"prompt":…` in JSON.
fn names_a_field(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    FORBIDDEN.iter().any(|name| {
        lower.match_indices(name).any(|(at, _)| {
            let before = lower.get(..at).and_then(|s| s.chars().next_back());
            let after = lower.get(at + name.len()..).unwrap_or_default();
            let starts = before.is_none_or(|c| !c.is_ascii_alphanumeric() && c != '_' && c != '-');
            starts && (after.starts_with('=') || after.starts_with("\":"))
        })
    })
}

fn is_address(word: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '%' | '+' | '-');
    word.split_once('@').is_some_and(|(before, after)| {
        let local = before.rsplit(|c| !plain(c)).next().unwrap_or_default();
        let domain = after.split(|c: char| !plain(c)).next().unwrap_or_default();
        let end = domain.trim_end_matches('.').rsplit_once('.');
        !local.is_empty() && end.is_some_and(|(host, top)| !host.is_empty() && top.len() >= 2)
    })
}

fn is_network(word: &str) -> bool {
    word.split(|c: char| !c.is_ascii_digit() && c != '.')
        .filter_map(|piece| piece.parse::<Ipv4Addr>().ok())
        .any(|address| is_public(IpAddr::V4(address)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_no_line_may_hold_is_seen() {
        let picture = format!("sent {}", "iVBORw0KGgo".repeat(60));
        for (line, what) in [
            (&b"signed in ada@example.org"[..], Tell::Address),
            (br#"{"fields":{"to":"<ada@mail.example.org>"}}"#, Tell::Address),
            (b"call from 8.8.8.8:443", Tell::Network),
            (b"edit prompt=a red house", Tell::Field),
            (br#"{"prompt":"a red house"}"#, Tell::Field),
            (b"edit \x1b[3mprompt\x1b[0m\x1b[2m=\x1b[0ma red house", Tell::Field),
            (b"\x89PNG\r", Tell::Picture),
            (picture.as_bytes(), Tell::Picture),
        ] {
            assert_eq!(tell(line), Some(what), "{}", String::from_utf8_lossy(line));
        }
    }

    #[test]
    fn ids_counts_and_addresses_of_this_machine_give_nothing_away() {
        for line in [
            "2026-11-22T12:00:00Z INFO vouchsafe::jobs: reconciled task=\"retention\" changed=3",
            "listening on 127.0.0.1:8080 as https://vouchsafe.test",
            "job job_0193a2b4c5d67e8f90a1b2c3d4e5f607 claims=2 why=\"a store was not available\"",
            "checkpoint sha256=9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "version 0.11.23 of 4 tokens; prompts are never here",
        ] {
            assert_eq!(tell(line.as_bytes()), None, "{line}");
        }
    }

    #[test]
    fn lines_are_counted_and_passed_on_unchanged() {
        let watch = LogWatch::new();
        let mut out = Vec::new();
        watch.tee(&mut out).write_all(b"one\nto ada@example.org\n").unwrap();
        assert_eq!(watch.counts(), (2, 1));
        assert_eq!(out, b"one\nto ada@example.org\n");
    }

    proptest! {
        #[test]
        fn no_line_makes_it_panic(line in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = tell(&line);
        }
    }
}
