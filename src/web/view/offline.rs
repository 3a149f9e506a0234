//! The page that checks a receipt without us, as one file.

use std::sync::LazyLock;

use askama::Template;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::crypto::sha256;
use crate::ledger::ReceiptKind;
use crate::ledger::clauses;

const STYLE: &str = concat!(
    include_str!("../assets/paper.css"),
    include_str!("../assets/parts.css"),
    include_str!("../assets/verify.css"),
);
const SCRIPT: &str = include_str!("../assets/verify.js");

/// What the page may do, from a disk as from here: run the one script and the one style that are in it, and nothing else.
/// It can load nothing and send nothing.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = |text: &str| STANDARD.encode(sha256(text.as_bytes()));
    format!(
        "default-src 'none'; script-src 'sha256-{}'; style-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        hash(SCRIPT),
        hash(STYLE)
    )
});

/// What entries say, in the words of [`crate::ledger::sentence`]: the page writes the sentence anew from the entry.
static WORDS: LazyLock<String> = LazyLock::new(|| {
    let limits: serde_json::Map<String, serde_json::Value> =
        ReceiptKind::ALL.iter().map(|(name, kind)| ((*name).to_owned(), kind.limit().into())).collect();
    let words = serde_json::json!({ "clauses": clauses(), "limits": limits });
    // Inside a script element only `</` could end it.
    words.to_string().replace("</", "<\\/")
});

/// `/ledger/verify`: a page without an address in it, the same wherever it lies.
#[derive(Template, Debug, Clone)]
#[template(path = "offline/verify.html", config = "src/web/askama.toml")]
pub struct OfflineVerifier {
    /// The ledger's key, which the reader may replace by one that they trust.
    pub key: String,
    /// Its content security policy.
    pub policy: &'static str,
    style: &'static str,
    script: &'static str,
    words: &'static str,
}

impl OfflineVerifier {
    /// The page of a ledger with this key.
    pub fn new(key: String) -> Self {
        Self { key, policy: &POLICY, style: STYLE, script: SCRIPT, words: &WORDS }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_holds_no_address_and_its_parts_end_nowhere_early() {
        let html = OfflineVerifier::new("example.org/ledger+00000000+AAAA".to_owned()).render().unwrap();
        for part in [STYLE, SCRIPT, WORDS.as_str()] {
            assert!(!part.contains("</"), "a part would end early");
            assert!(html.contains(part), "a part was altered on its way");
        }
        for address in
            ["http:", "https:", "src=", "href=", "url(", "@import", "fetch(", "XMLHttpRequest", "WebSocket"]
        {
            assert!(!html.contains(address), "{address}");
        }
    }

    #[test]
    fn a_key_cannot_break_out_of_its_field() {
        let html = OfflineVerifier::new("</textarea><script>alert(1)</script>".to_owned()).render().unwrap();
        assert!(!html.contains("<script>alert"));
    }
}
