//! Letters that a word processor puts in the place of those that were typed.

use std::ops::Range;

/// Where the first odd letter stands, what it is, and what to do.
pub(super) type Odd = (Range<usize>, &'static str, &'static str);

const CURLY: &str = "type them as straight quotes `\"`, and turn \"smart quotes\" off in the editor";

/// Stands for a text that curly quotes began.
const CURLED: char = '“';

fn is_curly(c: char) -> bool {
    matches!(c, '“' | '”' | '„' | '‟' | '«' | '»' | '‘' | '’' | '‚' | '″')
}

/// What stands outside texts for a letter, and what is wrong with it.
fn outside(c: char) -> (char, Option<(&'static str, &'static str)>) {
    match c {
        '–' | '—' | '−' | '‑' | '‐' => {
            ('-', Some(("a long dash, as word processors make them", "type a plain hyphen `-`")))
        }
        c if is_curly(c) => ('"', Some(("curly quotes, as word processors make them", CURLY))),
        c if c.is_whitespace() && c != ' ' && c != '\t' => {
            (' ', Some(("a space of another kind, as word processors make them", "type a plain space")))
        }
        c => (c, None),
    }
}

/// The line with plain letters outside its texts; the letters inside are the author's own. And the first odd one.
pub(super) fn plain(body: &str) -> (String, Option<Odd>) {
    let mut out = String::with_capacity(body.len());
    let mut odd: Option<Odd> = None;
    let mut inside: Option<char> = None;
    let mut escaped = false;
    let last = body.trim_end().char_indices().last().map_or(0, |(n, _)| n);
    for (n, c) in body.char_indices() {
        let span = n..n + c.len_utf8();
        match inside {
            None if c == '#' => {
                out.push_str(body.get(n..).unwrap_or(""));
                break;
            }
            None => {
                let (letter, wrong) = outside(c);
                if let Some((what, help)) = wrong {
                    odd.get_or_insert((span, what, help));
                }
                inside = match c {
                    '"' | '\'' => Some(c),
                    c if is_curly(c) => Some(CURLED),
                    _ => None,
                };
                out.push(letter);
            }
            Some(_) if escaped => {
                escaped = false;
                out.push(c);
            }
            Some(CURLED) if is_curly(c) || c == '"' => {
                inside = None;
                out.push('"');
            }
            // A text that a straight quote began and a curly one ends, at the end of its line.
            Some('"') if is_curly(c) && n == last => {
                odd.get_or_insert((span, "a curly quote ends this text", CURLY));
                inside = None;
                out.push('"');
            }
            Some(open) => {
                escaped = open == '"' && c == '\\';
                if c == open {
                    inside = None;
                }
                out.push(c);
            }
        }
    }
    (out, odd)
}
