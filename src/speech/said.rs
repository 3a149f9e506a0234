use std::fmt;

use askama::filters::HtmlSafe;

/// A sentence that is being filled. As markup (`Display`) its values are escaped and its elements stand; as
/// [`text`](Said::text) its elements are left out.
///
/// A sentence may hold `{name}` for a value; `<a>…</a>` and `<a2>…</a2>` for links, whose addresses are given with
/// [`link`](Said::link) in the order of their names; `<unseen>…</unseen>` for words that only those hear who do not see the
/// page; and plain elements such as `<strong>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    sentence: &'static str,
    values: Vec<Value>,
    links: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Value {
    name: &'static str,
    text: String,
    html: String,
}

/// A piece of a sentence.
enum Piece<'a> {
    Text(&'a str),
    Value(&'a str),
    Element(&'a str),
}

impl Said {
    pub(super) fn new(sentence: &'static str) -> Self {
        Self { sentence, values: Vec::new(), links: Vec::new() }
    }

    /// A value that is text.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        let text = value.to_string();
        self.values.push(Value { name, html: escape(&text), text });
        self
    }

    /// A value that is markup, and safe.
    #[must_use]
    pub fn html(mut self, name: &'static str, value: impl HtmlSafe) -> Self {
        let html = value.to_string();
        self.values.push(Value { name, text: bare(&html), html });
        self
    }

    /// Where the next link leads.
    #[must_use]
    pub fn link(self, href: impl fmt::Display) -> Self {
        self.link_with(href, "")
    }

    /// Where the next link leads, with more attributes, as they stand in markup.
    #[must_use]
    pub fn link_with(mut self, href: impl fmt::Display, attributes: &str) -> Self {
        let space = if attributes.is_empty() { "" } else { " " };
        self.links.push(format!("<a href=\"{}\"{space}{attributes}>", escape(&href.to_string())));
        self
    }

    /// The sentence as text alone, for a letter, an attribute or another sentence.
    pub fn text(&self) -> String {
        let mut out = String::with_capacity(self.sentence.len() + 32);
        for piece in pieces(self.sentence) {
            match piece {
                Piece::Text(text) => out.push_str(text),
                Piece::Value(name) => out.push_str(self.value(name).map_or("", |v| &v.text)),
                Piece::Element(_) => {}
            }
        }
        out
    }

    fn value(&self, name: &str) -> Option<&Value> {
        self.values.iter().find(|value| value.name == name)
    }

    fn element<'a>(&'a self, inside: &'a str) -> Option<&'a str> {
        match inside {
            "a" => self.links.first().map(String::as_str),
            "a2" => self.links.get(1).map(String::as_str),
            "/a" | "/a2" => Some("</a>"),
            "unseen" => Some("<span class=\"unseen\">"),
            "/unseen" => Some("</span>"),
            _ => None,
        }
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for piece in pieces(self.sentence) {
            match piece {
                Piece::Text(text) => f.write_str(text)?,
                Piece::Value(name) => f.write_str(self.value(name).map_or("", |v| &v.html))?,
                Piece::Element(inside) => match self.element(inside) {
                    Some(element) => f.write_str(element)?,
                    None => write!(f, "<{inside}>")?,
                },
            }
        }
        Ok(())
    }
}

impl HtmlSafe for Said {}

/// The pieces of a sentence, in order. A brace or an angle that nothing closes is text.
fn pieces(sentence: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = sentence;
    while let Some(at) = rest.find(['{', '<']) {
        let (before, from) = rest.split_at(at);
        let close = if from.starts_with('{') { '}' } else { '>' };
        let Some(end) = from.find(close) else { break };
        let inside = from.get(1..end).unwrap_or_default();
        pieces.push(Piece::Text(before));
        pieces.push(if close == '}' { Piece::Value(inside) } else { Piece::Element(inside) });
        rest = from.get(end + 1..).unwrap_or_default();
    }
    pieces.push(Piece::Text(rest));
    pieces
}

/// Markup of ours as text: without its elements, and with what [`escape`] wrote read back.
fn bare(html: &str) -> String {
    let (first, rest) = html.split_once('<').unwrap_or((html, ""));
    let after = rest.split('<').filter_map(|piece| piece.split_once('>').map(|(_, text)| text));
    let text: String = std::iter::once(first).chain(after).collect();
    let read = ESCAPES.iter().fold(text, |text, (c, escaped)| text.replace(escaped, c));
    read.replace("&amp;", "&")
}

/// What [`escape`] writes besides `&amp;`.
const ESCAPES: [(&str, &str); 4] = [("<", "&lt;"), (">", "&gt;"), ("\"", "&quot;"), ("'", "&#39;")];

/// Text made safe to stand inside an element or a quoted attribute.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_escaped_and_an_element_stands() {
        let said = Said::new(
            "If <strong>{who}</strong> asks, <a>look</a> or <a2>write</a2><unseen> to us</unseen>.",
        )
        .with("who", "<b>Eve</b>")
        .link("/a?b=1&c=\"2\"")
        .link_with("/w", "download");
        assert_eq!(
            said.to_string(),
            "If <strong>&lt;b&gt;Eve&lt;/b&gt;</strong> asks, <a href=\"/a?b=1&amp;c=&quot;2&quot;\">look</a> or \
             <a href=\"/w\" download>write</a><span class=\"unseen\"> to us</span>."
        );
        assert_eq!(said.text(), "If <b>Eve</b> asks, look or write to us.");
    }

    #[test]
    fn a_value_is_never_read_as_a_sentence() {
        let said = Said::new("{a} and {b}").with("a", "{b}").with("b", "{a}<a>");
        assert_eq!(said.text(), "{b} and {a}<a>");
        assert_eq!(said.to_string(), "{b} and {a}&lt;a&gt;");
    }

    #[test]
    fn markup_loses_its_elements_in_text() {
        let day = Said::new("<em>{day}</em>").with("day", "5 < May");
        let said = Said::new("on {day}").html("day", day);
        assert_eq!(said.to_string(), "on <em>5 &lt; May</em>");
        assert_eq!(said.text(), "on 5 < May");
        assert_eq!(bare("a <b>c</b> d"), "a c d");
    }
}
