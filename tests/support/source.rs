//! Reads our own source, as tokens: comments are not in it, and what stands in a string cannot be taken for code.

use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::LitStr;

/// One file of `src/`.
pub(crate) struct Source {
    /// Its path below the repository, for messages.
    pub(crate) path: String,
    /// The room it stands in: the folder below `src/`, or the file's own name.
    pub(crate) room: String,
    /// What it says.
    pub(crate) text: String,
    /// Its code, without what is compiled for tests only.
    pub(crate) tokens: Vec<TokenTree>,
}

/// A constant text, `const NAME: &str = "…"`.
pub(crate) struct Const {
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) line: usize,
}

/// Where the repository is.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file below a folder of the repository, in order of path.
pub(crate) fn files(folder: &str) -> Vec<Source> {
    let mut paths = Vec::new();
    walk(&root().join(folder), &mut paths);
    paths.sort();
    paths.iter().filter(|p| p.extension().is_some_and(|e| e == "rs")).map(|p| read(p)).collect()
}

/// Every file and folder below a folder.
pub(crate) fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, found);
        }
        found.push(path);
    }
}

fn read(path: &Path) -> Source {
    let relative = path.strip_prefix(root()).unwrap();
    let room = relative.iter().nth(1).unwrap().to_string_lossy().trim_end_matches(".rs").to_owned();
    let text = fs::read_to_string(path).unwrap();
    let path = relative.to_string_lossy().into_owned();
    let tokens = text.parse::<TokenStream>().unwrap_or_else(|e| panic!("{path}: {e}"));
    Source { path, room, text, tokens: without_tests(tokens) }
}

/// Leaves out `#[cfg(test)] mod … { … }`.
fn without_tests(tokens: TokenStream) -> Vec<TokenTree> {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut kept = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while at < tokens.len() {
        let is_test = is_punct(&tokens[at], '#')
            && tokens.get(at + 1).is_some_and(|t| t.to_string().replace(' ', "") == "[cfg(test)]")
            && tokens.get(at + 2).is_some_and(|t| is_ident(t, "mod"));
        if is_test {
            at += 5;
        } else {
            kept.push(tokens[at].clone());
            at += 1;
        }
    }
    kept
}

impl Source {
    /// What this file names of other rooms, each with the line: `crate::room`, alone or in a `use crate::{…}`, or, from
    /// a room that is a package of its own, `vouchsafe_room`.
    pub(crate) fn names_of_the_crate(&self) -> Vec<(String, usize)> {
        let packaged = root().join("src").join(&self.room).join("Cargo.toml").exists();
        let mut found = Vec::new();
        each_run(&self.tokens, &mut |tokens| {
            for at in 0..tokens.len() {
                if let TokenTree::Ident(name) = &tokens[at]
                    && let Some(room) = name.to_string().strip_prefix("vouchsafe_")
                    && packaged
                {
                    found.push((room.to_owned(), name.span().start().line));
                }
                let root = is_ident(&tokens[at], "crate") || is_ident(&tokens[at], "vouchsafe");
                if packaged || !root || !path_follows(tokens, at) {
                    continue;
                }
                match tokens.get(at + 3) {
                    Some(TokenTree::Ident(name)) => found.push((name.to_string(), name.span().start().line)),
                    Some(TokenTree::Group(list)) => found.extend(heads(list.stream())),
                    _ => {}
                }
            }
        });
        found
    }

    /// Every string in this file's code, with its line.
    pub(crate) fn strings(&self) -> Vec<(String, usize)> {
        let mut found = Vec::new();
        each_run(&self.tokens, &mut |tokens| {
            found.extend(tokens.iter().filter_map(|t| Some((string(t)?, t.span().start().line))));
        });
        found
    }

    /// The texts handed to a function or marker of one of these names, each call by itself: `say("…")`.
    pub(crate) fn texts_given_to(&self, names: &[&str]) -> Vec<(String, Vec<String>)> {
        let mut found = Vec::new();
        each_run(&self.tokens, &mut |tokens| {
            for pair in tokens.windows(2) {
                let [TokenTree::Ident(name), TokenTree::Group(given)] = pair else { continue };
                let name = name.to_string();
                if given.delimiter() == Delimiter::Parenthesis && names.contains(&name.as_str()) {
                    found.push((name, given.stream().into_iter().filter_map(|t| string(&t)).collect()));
                }
            }
        });
        found
    }

    /// The constant texts of this file.
    pub(crate) fn consts(&self) -> Vec<Const> {
        let mut found = Vec::new();
        each_run(&self.tokens, &mut |tokens| {
            for (at, token) in tokens.iter().enumerate() {
                if !is_ident(token, "const") {
                    continue;
                }
                let Some(TokenTree::Ident(name)) = tokens.get(at + 1) else { continue };
                let rest = &tokens[at + 2..];
                let Some(end) = rest.iter().position(|t| is_punct(t, ';')) else { continue };
                let Some(equals) = rest[..end].iter().position(|t| is_punct(t, '=')) else { continue };
                if !rest[..equals].iter().any(|t| is_ident(t, "str")) {
                    continue;
                }
                let line = name.span().start().line;
                let value = text_of(&rest[equals + 1..end])
                    .unwrap_or_else(|| panic!("{}:{line}: {name} is not a plain text", self.path));
                found.push(Const { name: name.to_string(), value, line });
            }
        });
        found
    }

    /// The first paragraph of the file's own documentation.
    pub(crate) fn first_paragraph(&self) -> String {
        let lines = self.text.lines().map_while(|l| l.strip_prefix("//!")).map(str::trim);
        lines.take_while(|l| !l.is_empty()).collect::<Vec<_>>().join(" ")
    }
}

/// Calls `see` with each run of tokens that stand side by side, outermost first.
fn each_run(tokens: &[TokenTree], see: &mut impl FnMut(&[TokenTree])) {
    see(tokens);
    for token in tokens {
        if let TokenTree::Group(group) = token {
            let inner: Vec<TokenTree> = group.stream().into_iter().collect();
            each_run(&inner, see);
        }
    }
}

/// The first name of each path in the braces of a `use`.
fn heads(list: TokenStream) -> Vec<(String, usize)> {
    let tokens: Vec<TokenTree> = list.into_iter().collect();
    tokens
        .split(|t| is_punct(t, ','))
        .filter_map(|path| match path.first() {
            Some(TokenTree::Ident(name)) => Some((name.to_string(), name.span().start().line)),
            _ => None,
        })
        .collect()
}

fn path_follows(tokens: &[TokenTree], at: usize) -> bool {
    [1, 2].iter().all(|n| tokens.get(at + n).is_some_and(|t| is_punct(t, ':')))
}

fn text_of(tokens: &[TokenTree]) -> Option<String> {
    match tokens {
        [one] => string(one),
        [name, bang, TokenTree::Group(parts)]
            if is_ident(name, "concat") && is_punct(bang, '!') && parts.delimiter() != Delimiter::None =>
        {
            parts.stream().into_iter().filter(|t| !is_punct(t, ',')).map(|t| string(&t)).collect()
        }
        _ => None,
    }
}

fn string(token: &TokenTree) -> Option<String> {
    let TokenTree::Literal(literal) = token else { return None };
    syn::parse_str::<LitStr>(&literal.to_string()).ok().map(|s| s.value())
}

fn is_ident(token: &TokenTree, name: &str) -> bool {
    matches!(token, TokenTree::Ident(i) if i == name)
}

fn is_punct(token: &TokenTree, sign: char) -> bool {
    matches!(token, TokenTree::Punct(p) if p.as_char() == sign)
}
