//! Every page, rich and empty, is rendered and held to the rules that a machine can check. The eye does the rest: set
//! `VOUCHSAFE_RENDER_DIR` to a folder, and the pages are written there with their stylesheet.

use std::collections::HashSet;
use std::path::Path;

use super::sample;
use crate::web::assets;

/// A start tag as the scanner sees it.
struct Tag {
    name: String,
    attributes: Vec<(String, String)>,
}

impl Tag {
    fn get(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

const VOID: [&str; 6] = ["meta", "link", "img", "input", "br", "hr"];

/// Reads the tags of a page, and fails on one that is not closed where it was opened.
fn scan(page: &str, html: &str) -> Vec<Tag> {
    let mut tags = Vec::new();
    let mut open: Vec<String> = Vec::new();
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        rest = &rest[start + 1..];
        let end = rest.find('>').expect("a tag ends");
        let inside = &rest[..end];
        rest = &rest[end + 1..];
        if inside.starts_with('!') {
            continue;
        }
        if let Some(name) = inside.strip_prefix('/') {
            let was = open.pop().unwrap_or_default();
            assert_eq!(was, name, "{page}: <{was}> closed by </{name}>, inside {open:?}");
            continue;
        }
        let tag = read_tag(page, inside);
        if !inside.ends_with('/') && !VOID.contains(&tag.name.as_str()) {
            open.push(tag.name.clone());
        }
        if tag.name == "style" || tag.name == "script" {
            let close = rest.find("</").expect("it is closed");
            rest = &rest[close..];
        }
        tags.push(tag);
    }
    assert!(open.is_empty(), "{page}: left open {open:?}");
    tags
}

fn read_tag(page: &str, inside: &str) -> Tag {
    let inside = inside.trim_end_matches('/');
    let (name, mut rest) = inside.split_once(char::is_whitespace).unwrap_or((inside, ""));
    let mut attributes = Vec::new();
    loop {
        rest = rest.trim_start();
        if rest.is_empty() {
            break;
        }
        let stop = rest.find(|c: char| c == '=' || c.is_whitespace()).unwrap_or(rest.len());
        let key = rest[..stop].to_owned();
        rest = &rest[stop..];
        let value = if let Some(quoted) = rest.strip_prefix("=\"") {
            let end = quoted.find('"').unwrap_or_else(|| panic!("{page}: <{name} {key}> is not closed"));
            rest = &quoted[end + 1..];
            quoted[..end].to_owned()
        } else {
            assert!(!rest.starts_with('='), "{page}: <{name} {key}> is not quoted");
            String::new()
        };
        attributes.push((key, value));
    }
    Tag { name: name.to_owned(), attributes }
}

fn check_page(page: &str, html: &str) {
    let tags = scan(page, html);
    let count = |name: &str| tags.iter().filter(|tag| tag.name == name).count();
    assert!(html.trim_start().starts_with("<!doctype html>"), "{page}: no doctype");
    assert_eq!(count("h1"), 1, "{page}: one h1");
    assert_eq!(count("main"), 1, "{page}: one main");
    assert_eq!(count("title"), 1, "{page}: one title");
    assert!(tags.iter().any(|tag| tag.name == "html" && tag.get("lang") == Some("en")), "{page}: lang");
    let mut ids = HashSet::new();
    for id in tags.iter().filter_map(|tag| tag.get("id")) {
        assert!(ids.insert(id), "{page}: two elements with id {id}");
        assert!(!id.is_empty() && !id.contains(' '), "{page}: bad id {id:?}");
    }
    check_labels(page, &tags, &ids);
    check_policy(page, &tags);
    check_headings(page, &tags);
}

fn check_labels(page: &str, tags: &[Tag], ids: &HashSet<&str>) {
    let labelled: HashSet<&str> =
        tags.iter().filter(|tag| tag.name == "label").filter_map(|tag| tag.get("for")).collect();
    for tag in tags {
        if tag.name == "img" {
            assert!(tag.get("alt").is_some_and(|alt| !alt.is_empty()), "{page}: img without alt");
            assert!(tag.get("width").is_some() && tag.get("height").is_some(), "{page}: img without size");
        }
        let field = matches!(tag.name.as_str(), "input" | "select" | "textarea");
        if field && tag.get("type") != Some("hidden") {
            let id = tag.get("id").unwrap_or_default();
            assert!(labelled.contains(id), "{page}: field {id:?} without label");
        }
        for attribute in ["for", "aria-labelledby", "aria-describedby"] {
            for id in tag.get(attribute).unwrap_or_default().split_whitespace() {
                assert!(ids.contains(id), "{page}: {attribute} names {id:?}, which is not there");
            }
        }
        if tag.name == "a" && tag.get("href").is_some_and(|href| href.starts_with('#')) {
            let id = tag.get("href").unwrap_or_default().trim_start_matches('#');
            assert!(ids.contains(id), "{page}: link to #{id}, which is not there");
        }
        if tag.name == "form" && tag.get("method") == Some("post") {
            assert!(tag.get("action").is_some_and(|to| to.starts_with('/')), "{page}: form without address");
        }
    }
    let posts = tags.iter().filter(|tag| tag.get("method") == Some("post")).count();
    let tokens = tags.iter().filter(|tag| tag.get("name") == Some("csrf")).count();
    assert_eq!(posts, tokens, "{page}: each form that changes something sends the token");
}

/// What the content security policy would refuse: styles and scripts inside the page, anything from elsewhere.
fn check_policy(page: &str, tags: &[Tag]) {
    for tag in tags {
        assert!(tag.get("style").is_none(), "{page}: style attribute on <{}>", tag.name);
        assert!(
            !tag.attributes.iter().any(|(key, _)| key.starts_with("on")),
            "{page}: handler on <{}>",
            tag.name
        );
        assert!(tag.name != "style", "{page}: style element");
        assert!(tag.name != "script" || tag.get("src").is_some(), "{page}: script inside the page");
        for source in [tag.get("src"), tag.get("href").filter(|_| tag.name == "link")].into_iter().flatten() {
            let here = source.starts_with('/') && !source.starts_with("//");
            assert!(here, "{page}: {source} is not from here");
        }
    }
}

fn check_headings(page: &str, tags: &[Tag]) {
    let mut last = 0;
    for tag in tags.iter().filter(|tag| tag.name.len() == 2 && tag.name.starts_with('h')) {
        let Ok(level) = tag.name[1..].parse::<u8>() else { continue };
        assert!(level <= last + 1 || last == 0, "{page}: h{level} after h{last}");
        last = level;
    }
}

#[test]
fn every_page_rich_and_empty_keeps_the_rules_a_machine_can_check() {
    let pages = sample::pages();
    assert!(pages.len() > 50, "{} pages", pages.len());
    for (name, html) in &pages {
        check_page(name, html);
    }
    if let Some(folder) = render_folder() {
        write_all(Path::new(&folder), &pages);
    }
}

#[test]
fn the_scanner_sees_what_it_is_there_for() {
    for (bad, why) in [
        ("<p>a<b>b</p></b>", "wrong nesting"),
        ("<html lang=\"en\"><title></title><main><h1></h1><input id=\"x\"></main></html>", "no label"),
        ("<html lang=\"en\"><title></title><main><h1></h1><p style=\"x\"></p></main></html>", "style"),
    ] {
        let html = format!("<!doctype html>{bad}");
        assert!(std::panic::catch_unwind(|| check_page("bad", &html)).is_err(), "{why}");
    }
}

#[test]
fn words_from_outside_are_escaped() {
    let (_, html) = sample::pages().into_iter().find(|(name, _)| *name == "gallery").unwrap();
    assert!(!html.contains("<script>"));
    let hostile = super::State::Kept.says("<script>alert(1)</script>");
    assert!(!hostile.as_str().contains("<script>"));
}

#[test]
fn every_class_of_a_page_is_in_the_stylesheet_or_a_hook() {
    let hooks = [
        "page", "document", "narrow", "wide", "filed", "link", "progress", "choices", "covers", "text",
        "ahead",
    ];
    let mut missing = HashSet::new();
    for (_, html) in sample::pages() {
        for classes in html.split("class=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
            for class in classes.split_whitespace() {
                let known = assets::STYLE.contains(&format!(".{class}")) || hooks.contains(&class);
                if !known {
                    missing.insert(class.to_owned());
                }
            }
        }
    }
    assert!(missing.is_empty(), "no style for {missing:?}");
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test that shows pages to a person is told where by its environment"
)]
fn render_folder() -> Option<String> {
    std::env::var("VOUCHSAFE_RENDER_DIR").ok().filter(|folder| !folder.is_empty())
}

fn write_all(folder: &Path, pages: &[(&str, String)]) {
    let assets_folder = folder.join("assets");
    std::fs::create_dir_all(&assets_folder).unwrap();
    for asset in assets::ALL {
        std::fs::write(assets_folder.join(asset.name), asset.body).unwrap();
    }
    for (name, html) in pages {
        std::fs::write(folder.join(format!("{name}.html")), html).unwrap();
    }
}
