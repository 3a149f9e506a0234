//! Lists and texts on one line: where they end, and what is missing between their values.

use std::fmt::Write as _;

/// Whether a line begins a new statement: the name of a rule, or a key with its value.
pub(super) fn begins_anew(line: &str) -> bool {
    let name = |text: &str| {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "._- ".contains(c))
    };
    let header = line.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    header.is_some_and(|(inner, rest)| name(inner) && rest.trim().is_empty() && inner.contains('.'))
        || line.split_once('=').is_some_and(|(key, _)| name(key.trim()))
}

/// Where a text in double quotes ends, behind its last quote.
pub(super) fn end_of_text(value: &str) -> Option<usize> {
    let mut escaped = false;
    for (n, c) in value.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some(n + 1),
            _ => {}
        }
    }
    None
}

/// How many brackets are open at the end of a line. `Err` if a text has no end.
pub(super) fn depth(value: &str) -> Result<usize, ()> {
    depth_from(value, 0)
}

pub(super) fn depth_from(value: &str, open: usize) -> Result<usize, ()> {
    let mut open = open;
    let mut at = 0;
    while let Some(rest) = value.get(at..).filter(|rest| !rest.is_empty()) {
        let c = rest.chars().next().unwrap_or(' ');
        match c {
            '"' => at += end_of_text(rest).ok_or(())?,
            '#' => break,
            '[' => {
                open += 1;
                at += 1;
            }
            ']' => {
                open = open.saturating_sub(1);
                at += 1;
            }
            _ => at += c.len_utf8(),
        }
    }
    Ok(open)
}

/// Where a line ends, without its note.
pub(super) fn code_end(line: &str) -> usize {
    let mut at = 0;
    while let Some(rest) = line.get(at..).filter(|rest| !rest.is_empty()) {
        match rest.chars().next().unwrap_or(' ') {
            '#' => break,
            '"' => at += end_of_text(rest).unwrap_or(rest.len()),
            c => at += c.len_utf8(),
        }
    }
    line.get(..at).unwrap_or(line).trim_end().len()
}

/// The line with a comma between two texts that have none.
pub(super) fn commas(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut after_text = false;
    let mut at = 0;
    while let Some(rest) = value.get(at..).filter(|rest| !rest.is_empty()) {
        let c = rest.chars().next().unwrap_or(' ');
        if c == '"' {
            if after_text {
                out.push(',');
            }
            let Some(end) = end_of_text(rest) else {
                out.push_str(rest);
                break;
            };
            out.push_str(rest.get(..end).unwrap_or(""));
            at += end;
            after_text = true;
            continue;
        }
        if c == '#' {
            out.push_str(rest);
            break;
        }
        after_text &= c.is_whitespace();
        out.push(c);
        at += c.len_utf8();
    }
    out
}

/// The line of a list with quotes around the words that have none.
pub(super) fn quoted(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut at = 0;
    while let Some(rest) = value.get(at..).filter(|rest| !rest.is_empty()) {
        let c = rest.chars().next().unwrap_or(' ');
        if c == '"' {
            let end = end_of_text(rest).unwrap_or(rest.len());
            out.push_str(rest.get(..end).unwrap_or(""));
            at += end;
        } else if c == '#' || c == '\'' || c == '{' {
            out.push_str(rest);
            break;
        } else if c.is_alphabetic() {
            let end = rest.find([',', ']', '"', '#', '[', '\'', '{']).unwrap_or(rest.len());
            let word = rest.get(..end).unwrap_or(rest);
            if matches!(word.trim(), "true" | "false") {
                out.push_str(word);
            } else {
                let _infallible = write!(out, "\"{}\"", word.trim_end().replace('\\', ""));
            }
            at += word.len();
        } else {
            out.push(c);
            at += c.len_utf8();
        }
    }
    out
}
