//! The pages as a browser gets them: over HTTPS only, and without anybody else.

use super::Look;
use crate::audit::model::{count, grouped};
use crate::audit::{Error, Outcome, PageView};

/// Cookies that may be set: a session's, of a person or of staff, the one that ties a sign-in link to the browser that asked
/// for it, and the one that holds the language somebody chose. Without TLS, in development, they go without the prefix.
const OURS: [&str; 4] = ["sid", "desk", "ask", "lang"];
/// HSTS shorter than a year protects nobody who comes twice a year.
const A_YEAR: u64 = 31_536_000;
/// Attributes and elements by which a page makes a browser call somebody.
const CALLS: [&str; 7] = ["src=", "srcset=", "action=", "formaction=", "poster=", "data=", "ping="];

const UNSEEN: &str = "the pages are not served by this process";
const DEVELOPMENT: &str = "development mode: pages travel on this machine only, without TLS";

async fn pages(look: &Look<'_>) -> Result<Vec<PageView>, Outcome> {
    let Some(pages) = look.audit.pages() else { return Err(Outcome::cannot_run(UNSEEN)) };
    let seen = pages.look(look.tenant).await;
    if seen.is_empty() { Err(Outcome::cannot_run(UNSEEN)) } else { Ok(seen) }
}

/// Looks at the address the service is reached by, at HSTS on every page, and at the attributes of every cookie.
pub(super) async fn https_only(look: &Look<'_>) -> Result<Outcome, Error> {
    let server = &look.audit.config.server;
    if server.development {
        return Ok(Outcome::cannot_run(DEVELOPMENT));
    }
    if !server.public_url.starts_with("https://") {
        return Ok(Outcome::counted(1, 1, "the service is reached without TLS"));
    }
    let seen = match pages(look).await {
        Ok(seen) => seen,
        Err(outcome) => return Ok(outcome),
    };
    let unsafe_pages = seen.iter().filter(|page| !has_hsts(page)).count() as u64;
    let cookies: Vec<&str> = seen.iter().flat_map(|page| page.header("set-cookie")).collect();
    let unsafe_cookies = cookies.iter().filter(|cookie| !is_secure(cookie)).count() as u64;
    let found = unsafe_pages + unsafe_cookies;
    let all = seen.len() as u64;
    let things =
        format!("{} and {}", count(all, "page", "pages"), count(cookies.len() as u64, "cookie", "cookies"));
    let figure = format!("{} of {things} could travel without TLS", grouped(found));
    Ok(Outcome::counted(all + cookies.len() as u64, found, figure))
}

fn has_hsts(page: &PageView) -> bool {
    page.header("strict-transport-security").any(|value| {
        let age = value.split(';').find_map(|part| part.trim().strip_prefix("max-age="));
        age.and_then(|n| n.parse::<u64>().ok()).is_some_and(|n| n >= A_YEAR)
    })
}

/// Whether a cookie goes over HTTPS only, to this host only, past scripts, and not along with others' requests.
fn is_secure(cookie: &str) -> bool {
    let mut parts = cookie.split(';').map(|p| p.trim().to_ascii_lowercase());
    let named = parts.next().is_some_and(|p| p.starts_with("__host-"));
    let rest: Vec<String> = parts.collect();
    let has = |wanted: &str| rest.iter().any(|p| p == wanted);
    named
        && has("secure")
        && has("httponly")
        && has("path=/")
        && (has("samesite=lax") || has("samesite=strict"))
        && !rest.iter().any(|p| p.starts_with("domain"))
}

/// Looks for cookies that are not ours, for addresses of others that a page would have the browser call, and for a
/// content security policy that would let it.
pub(super) async fn no_tracking(look: &Look<'_>) -> Result<Outcome, Error> {
    let seen = match pages(look).await {
        Ok(seen) => seen,
        Err(outcome) => return Ok(outcome),
    };
    let host = look.audit.config.server.public_url.as_str();
    let strange = |page: &PageView| {
        page.header("set-cookie").filter(|c| !is_ours(c)).count() as u64
            + calls_of(&page.body, host).len() as u64
            + u64::from(!page.header("content-security-policy").any(keeps_to_itself))
    };
    let found: u64 = seen.iter().map(strange).sum();
    let all = seen.len() as u64;
    let figure = if found == 0 {
        format!("{} looked at: no cookie but our own, nobody else called", count(all, "page", "pages"))
    } else {
        format!(
            "{} on {}: cookies or addresses of others",
            count(found, "finding", "findings"),
            count(all, "page", "pages")
        )
    };
    Ok(Outcome::counted(all, found, figure))
}

fn is_ours(cookie: &str) -> bool {
    let name = cookie.split('=').next().unwrap_or_default().trim();
    OURS.contains(&name.strip_prefix("__Host-").unwrap_or(name))
}

/// Whether a policy lets a page load from its own host only: every source in it is `'self'`, `'none'`, `data:`, or a
/// nonce or hash.
fn keeps_to_itself(policy: &str) -> bool {
    let fetches =
        |d: &str| d.ends_with("-src") || matches!(d, "form-action" | "base-uri" | "frame-ancestors");
    let own = |source: &str| source.starts_with('\'') || source == "data:";
    let directives = policy.split(';').map(|d| d.split_whitespace().collect::<Vec<_>>());
    let mut default = false;
    for directive in directives {
        let Some((name, sources)) = directive.split_first() else { continue };
        default |= *name == "default-src";
        if fetches(name) && !sources.iter().all(|s| own(s)) {
            return false;
        }
    }
    default
}

/// Addresses of others that the page would have the browser call by itself. A link that somebody may follow is none.
fn calls_of(body: &str, public_url: &str) -> Vec<String> {
    let lower = body.to_ascii_lowercase();
    let mut calls: Vec<String> = Vec::new();
    for attribute in CALLS {
        calls.extend(values_after(&lower, attribute));
    }
    for tag in lower.split("<link").skip(1) {
        let tag = tag.split('>').next().unwrap_or_default();
        calls.extend(values_after(tag, "href="));
    }
    calls.extend(lower.split("url(").skip(1).map(|rest| rest.trim_start_matches(['"', '\'']).to_owned()));
    let own = public_url.to_ascii_lowercase();
    calls.retain(|value| {
        let outside =
            value.starts_with("//") || value.starts_with("http://") || value.starts_with("https://");
        outside && !value.strip_prefix(&own).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    });
    calls
}

fn values_after(text: &str, attribute: &str) -> Vec<String> {
    let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '>' | ',');
    let value = |rest: &str| {
        rest.trim_start_matches(['"', '\'', ' ']).split(ends).next().unwrap_or_default().to_owned()
    };
    text.split(attribute).skip(1).map(value).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_that_calls_somebody_is_found_and_a_link_is_no_call() {
        let own = "https://vouchsafe.test";
        for body in [
            r#"<img src="https://pixel.example/p.gif">"#,
            r"<script src=//cdn.example/a.js></script>",
            r#"<link rel="stylesheet" href="https://fonts.example/x.css">"#,
            r"<form action='http://other.example/'>",
            r#"<div style="background:url('https://other.example/b.png')">"#,
            r#"<img src="https://vouchsafe.test.evil.example/p.gif">"#,
        ] {
            assert_eq!(calls_of(body, own).len(), 1, "{body}");
        }
        for body in [
            r#"<a href="https://other.example/">their policy</a>"#,
            r#"<img src="/x.png"><script src="/a.js"></script><form action="/sign-in">"#,
            r#"<img src="https://vouchsafe.test/x.png">"#,
        ] {
            assert!(calls_of(body, own).is_empty(), "{body}");
        }
    }

    #[test]
    fn a_policy_keeps_to_itself_or_it_does_not() {
        assert!(keeps_to_itself(
            "default-src 'none'; style-src 'self'; img-src 'self' data:; frame-ancestors 'none'"
        ));
        assert!(!keeps_to_itself("default-src 'self'; img-src *"));
        assert!(!keeps_to_itself("default-src 'self'; script-src https://cdn.example"));
        assert!(!keeps_to_itself("img-src 'self'"));
    }

    #[test]
    fn a_cookie_is_secure_with_every_attribute_only() {
        let good = "__Host-sid=x; Path=/; Secure; HttpOnly; SameSite=Lax";
        assert!(is_secure(good));
        for without in ["Secure; ", "HttpOnly; ", "; SameSite=Lax", "Path=/; ", "__Host-"] {
            assert!(!is_secure(&good.replace(without, "")), "{without}");
        }
        assert!(!is_secure(&format!("{good}; Domain=example.org")));
    }
}
