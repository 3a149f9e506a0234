//! Documents with one thing wrong each: the diagnostic has the right name and points at the right words.

use proptest::prelude::*;

use super::super::*;
use super::{FLUX, OPUS};

const SMALL: &str = include_str!("small.md");

/// Replaces `from` by `to` in the small document; the error `code` must be found at `at`, and be the only code there.
fn broken(from: &str, to: &str, code: &str, at: &str) {
    assert_eq!(SMALL.matches(from).count(), 1, "`{from}` stands once in the document");
    let source = SMALL.replace(from, to);
    let found = Policy::compile(&source).expect_err(to);
    assert!(CODES.iter().any(|(known, ..)| *known == code), "{code} is not in the list of names");
    let shown = report("small.md", &source, &found, false);
    let hit = found
        .iter()
        .find(|d| d.code == code && d.is_error())
        .unwrap_or_else(|| panic!("no {code} for `{to}`:\n{shown}"));
    assert!(
        source[hit.span.clone()].starts_with(at),
        "{code} points at `{}`:\n{shown}",
        &source[hit.span.clone()]
    );
    let before = &source[..hit.span.start];
    assert_eq!(hit.line, before.matches('\n').count() + 1);
    assert_eq!(hit.column, before.rsplit('\n').next().unwrap().chars().count() + 1);
}

#[test]
fn the_small_document_compiles() {
    Policy::compile(SMALL).unwrap_or_else(|found| panic!("{}", report("small.md", SMALL, &found, false)));
}

#[test]
fn a_document_saved_on_windows_says_the_same() {
    let windows = Policy::compile(&SMALL.replace('\n', "\r\n")).unwrap();
    let unix = Policy::compile(SMALL).unwrap();
    assert_eq!(windows.clause("pictures").unwrap().html, unix.clause("pictures").unwrap().html);
    assert_eq!(windows.retention("picture"), unix.retention("picture"));
    assert_ne!(windows.hash(), unix.hash());
}

#[test]
fn a_wrong_key_or_value_is_pointed_at() {
    for (from, to, code, at) in [
        ("holds = \"the picture\"", "hold = \"the picture\"", "unknown-key", "hold"),
        ("holds = \"the picture\"", "", "missing-key", "picture"),
        ("holds = \"the picture\"", "holds = 7", "wrong-type", "7"),
        ("holds = \"the picture\"", "holds = nan", "wrong-type", "nan"),
        ("holds = \"the picture\"", "holds = 010", "toml", ""),
        ("holds = \"the picture\"", "holds = no", "toml", ""),
        ("holds = \"the picture\"", "holds = \"  \"", "wrong-value", "\"  \""),
        ("holds = \"the picture\"", "holds = \"a\"\nholds = \"b\"", "duplicate-key", "holds"),
        ("holds = \"the picture\"", "\tholds = \"the picture\"", "tab", "\t"),
        ("source = \"provided\"", "source = \"givn\"", "unknown-word", "\"givn\""),
        ("who = \"support\"", "who = [\"support\", \"support\"]", "repeated-value", "\"support\""),
        ("who = \"support\"", "who = []", "wrong-type", "[]"),
        ("basis = \"contract\"", "", "purpose-without-basis", "edits"),
        ("basis = \"contract\"", "basis = [\"contract\"]", "wrong-type", "[\"contract\"]"),
        ("countries = \"DE\"", "countries = \"Germany\"", "wrong-value", "\"Germany\""),
        ("[access.staff]", "[acces.staff]", "unknown-kind", "acces"),
        ("[access.staff]", "[access.Staff]", "wrong-value", "Staff"),
        ("[access.staff]", "[access.\"😀\"]", "wrong-value", "\"😀\""),
        ("[right.access]", "[right.acces]", "unknown-right", "acces"),
        ("effective = 2026-11-01", "effective = \"soon\"", "wrong-value", "\"soon\""),
        ("effective = 2026-11-01", "effective = 2026-02-30", "toml", ""),
        ("tenant = \"small\"", "tenant = \"../etc\"", "wrong-value", "\"../etc\""),
        (
            "law = [\"eu-gdpr\", \"eu-vat\"]",
            "law = [\"eu-gdpr\", \"mars\", \"eu-vat\"]",
            "dangling-name",
            "\"mars\"",
        ),
        ("[contact]\nprivacy = \"privacy@small.example\"", "", "missing-key", ""),
        ("privacy@small.example", "a b@small.example", "wrong-value", "\"a b"),
    ] {
        broken(from, to, code, at);
    }
}

#[test]
fn a_length_of_time_is_a_whole_number_of_units_after_a_fact() {
    for (to, code) in [
        ("a reasonable time after uploaded", "vague-period"),
        ("a reasonable time", "vague-period"),
        ("forever", "vague-period"),
        ("0 days after uploaded", "bad-period"),
        ("-3 days after uploaded", "bad-period"),
        ("1.5mo after uploaded", "bad-period"),
        ("1000000000000 days after uploaded", "bad-period"),
        ("500 years after uploaded", "bad-period"),
        ("48 hours", "bad-period"),
        ("48 hours after the upload", "unknown-fact"),
    ] {
        broken("48 hours after uploaded", to, code, "\"");
    }
    broken("every = \"1 hour\"", "every = \"regularly\"", "vague-period", "\"regularly\"");
}

#[test]
fn names_lead_somewhere() {
    for (from, to, at) in [
        ("receives = \"picture\"", "receives = \"pictur\"", "\"pictur\""),
        ("probe = \"retention-kept\"", "probe = \"hope\"", "\"hope\""),
        ("statute = \"eu-oss-records\"", "statute = \"de-invoices\"", "\"de-invoices\""),
        ("category = \"book\"", "category = [\"book\", \"boot\"]", "\"boot\""),
        ("[the rest](#rest)", "[the rest](#last)", "[the rest]"),
        ("[category.book]", "kept-by = [\"retention.nothing\"]\n[category.book]", "\"retention.nothing\""),
    ] {
        broken(from, to, "dangling-name", at);
    }
    broken(
        "{retention.picture.at-most}",
        "{retention.picture.keep}",
        "placeholder",
        "{retention.picture.keep}",
    );
    broken("{retention.picture.at-most}", "{retention.pic.at-most}", "placeholder", "{retention.pic");
    broken("{retention.picture.at-most}", "{ retention.picture.at-most }", "placeholder", "{");
}

/// What is put in place of what, and the error it makes.
const UNDONE: &[(&str, &str, &str, &str)] = &[
    (
        "[category.book]",
        "[category.picture]\nholds = \"x\"\nsource = \"observed\"\npurposes = \"edits\"\n[category.book]",
        "duplicate-rule",
        "picture",
    ),
    ("category = \"book\"\n", "category = [\"picture\"]\n", "category-without-retention", "book"),
    (
        "[category.book]",
        "[retention.again]\ncategory = \"picture\"\nat-most = \"24 hours after uploaded\"\n[category.book]",
        "contradiction",
        "again",
    ),
    (
        "[category.book]",
        "[retention.again]\ncategory = \"book\"\nat-most = \"9 years after invoice.year-end\"\n[category.book]",
        "shorter-than-law",
        "\"9 years",
    ),
    (
        "keep = \"10 years after invoice.year-end\"",
        "keep = \"5 years after invoice.year-end\"",
        "shorter-than-law",
        "\"5 years",
    ),
    ("keep = \"10 years after invoice.year-end\"", "", "no-clock", "book"),
    ("statute = \"eu-oss-records\"", "", "missing-key", "\"10 years"),
    (
        "at-most = \"48 hours after uploaded\"",
        "at-most = \"48 hours after uploaded\"\nerase-when = \"uploaded\"",
        "contradiction",
        "\"48 hours",
    ),
    (
        "at-most = \"48 hours after uploaded\"",
        "at-most = \"48 hours after uploaded\"\nwarn = \"3 days\"",
        "contradiction",
        "\"3 days\"",
    ),
    (
        "at-most = \"48 hours after uploaded\"",
        "at-most = \"48 hours after uploaded\"\naction = \"anonymise\"",
        "missing-key",
        "\"anonymise\"",
    ),
    (
        "at-most = \"48 hours after uploaded\"",
        "at-most = \"48 hours after uploaded\"\naction = \"reduce\"",
        "missing-key",
        "\"reduce\"",
    ),
    (
        "at-most = \"48 hours after uploaded\"",
        "at-most = \"48 hours after uploaded\"\nmethod = \"aggregate\"",
        "contradiction",
        "\"aggregate\"",
    ),
    (
        "at-most = \"48 hours after uploaded\"",
        "at-most = \"48 hours after uploaded\"\naction = \"anonymise\"\nmethod = \"aggregate\"",
        "missing-key",
        "\"anonymise\"",
    ),
    (
        "at-most = \"48 hours after uploaded\"",
        "at-most = \"48 hours after uploaded\"\naction = \"anonymise\"\nmethod = \"drop-identifiers\"",
        "unknown-word",
        "\"drop-identifiers\"",
    ),
    (
        "at-most = \"48 hours after uploaded\"",
        "at-most = \"48 hours after uploaded\"\nassessment = \"nobody\"",
        "contradiction",
        "\"nobody\"",
    ),
    ("holds = \"invoices\"", "holds = \"invoices\"\nform = \"object\"", "contradiction", "\"10 years"),
    (
        "source = \"observed\"\npurposes = [\"edits\"]\n\n[retention.book]\ncategory = \"book\"",
        "source = \"observed\"\npurposes = [\"edits\"]\nfields = [\"amount\"]\n\n[retention.less]\ncategory = \"book\"\n\
         at-most = \"1 day after account.closed\"\naction = \"reduce\"\nkeep-fields = [\"name\"]\nunder = \"law\"\n\n\
         [retention.book]\ncategory = \"book\"",
        "contradiction",
        "\"name\"",
    ),
    ("longest-life = \"1 hour\"", "longest-life = \"3 days\"", "outlives-rule", "\"3 days\""),
    ("longest-life = \"1 hour\"", "", "missing-key", "lab"),
    ("countries = \"DE\"", "countries = \"US\"", "missing-key", "\"US\""),
    ("countries = \"DE\"", "countries = \"DE\"\nrole = \"house\"", "contradiction", "\"DE\""),
    (
        "countries = \"DE\"",
        "countries = \"DE\"\ntransfer = \"ciphertext-only\"",
        "contradiction",
        "\"ciphertext-only\"",
    ),
    ("answer-within = \"72 hours\"", "answer-within = \"2 months\"", "longer-than-law", "\"2 months\""),
    (
        "answer-within = \"72 hours\"",
        "answer-within = \"72 hours\"\nlaw = \"eu-vat\"",
        "contradiction",
        "\"eu-vat\"",
    ),
    (
        "answer-within = \"72 hours\"",
        "answer-within = \"72 hours\"\nlaw = \"uk-gdpr\"",
        "contradiction",
        "\"uk-gdpr\"",
    ),
    ("proof = \"email-loop\"", "proof = \"document\"", "identity-document", "\"document\""),
    ("who = \"support\"", "who = \"subject\"", "contradiction", "\"subject\""),
    ("when = \"new-version\"", "when = \"new-version\"\nwithin = \"3 days\"", "contradiction", "\"3 days\""),
    ("basis = \"contract\"", "basis = \"consent\"\ndefault = \"on\"", "consent-by-default", "\"on\""),
    ("basis = \"contract\"", "basis = \"contract\"\ndefault = \"off\"", "contradiction", "\"off\""),
    ("basis = \"contract\"", "basis = \"contract\"\nvalid-for = \"1 year\"", "contradiction", "\"1 year\""),
    ("basis = \"contract\"", "basis = \"legitimate-interest\"", "missing-key", "\"legitimate-interest\""),
    ("basis = \"contract\"", "basis = \"legal-obligation\"", "missing-key", "\"legal-obligation\""),
    (
        "basis = \"contract\"",
        "basis = \"contract\"\ntrains-models = true",
        "training-without-consent",
        "\"contract\"",
    ),
    ("holds = \"the picture\"", "holds = \"the picture\"\nspecial = true", "contradiction", "\"edits\""),
];

#[test]
fn rules_that_undo_each_other_are_refused() {
    for (from, to, code, at) in UNDONE {
        broken(from, to, code, at);
    }
    let other = "[purpose.ads]\nmeans = \"Ads.\"\nbasis = \"consent\"\n[category.book]";
    let source = SMALL.replace("[category.book]", other).replace(
        "receives = \"picture\"\npurposes = \"edits\"",
        "receives = \"picture\"\npurposes = \"ads\"",
    );
    assert!(Policy::compile(&source).unwrap_err().iter().any(|d| d.code == "beyond-purpose"));
}

#[test]
fn prose_says_nothing_that_no_rule_keeps() {
    for (from, to, code, at) in [
        (
            "questions are answered.",
            "questions are answered within 72 hours.",
            "duration-by-hand",
            "72 hours",
        ),
        ("questions are answered.", "questions wait **thirty** days.", "duration-by-hand", "thirty"),
        (
            "questions are answered.",
            "we keep books for a reasonable time.",
            "vague-period",
            "reasonable time",
        ),
        (
            "## The rest {#rest}",
            "## More {#more}\n\nWe delete your logs.\n\n## The rest {#rest}",
            "promise-without-rule",
            "## More",
        ),
        ("## The rest {#rest}", "## The rest", "heading-without-id", "## The rest"),
        ("## The rest {#rest}", "## The rest {#rest .promise}", "unknown-word", "## The rest"),
        ("## The rest {#rest}", "## The rest {#pictures}", "duplicate-clause", "## The rest"),
        ("questions are answered.", "<b>questions</b> are answered.", "raw-html", "<b>"),
        ("questions are answered.", "questions ![](https://x.example/a.gif)", "image", "!["),
        ("questions are answered.", "[questions](javascript:alert) are answered.", "link", "[questions]"),
        (
            "questions are answered.",
            "questions are answered.\n\n```toml\na = 1\n```",
            "unknown-block",
            "```toml",
        ),
        (
            "questions are answered.",
            "questions are answered.\n\n> ```rule\n> a = 1\n> ```",
            "unknown-block",
            "```rule",
        ),
        ("questions are answered.", "quest\u{202e}ions are answered.", "stray-character", "\u{202e}"),
        ("questions are answered.", "questions are answered.\r\n", "mixed-line-ends", "\r\n"),
    ] {
        broken(from, to, code, at);
    }
}

#[test]
fn a_clause_that_only_informs_may_but_is_watched() {
    let more = "## More {#more .information}\n\nWe delete your logs after 3 days.\n\n## The rest {#rest}";
    let source = SMALL.replace("## The rest {#rest}", more);
    let policy = Policy::compile(&source).unwrap();
    let codes: Vec<_> = policy.warnings().iter().map(|d| d.code).collect();
    assert!(codes.contains(&"promise-in-information") && codes.contains(&"duration-by-hand"), "{codes:?}");
}

#[test]
fn all_errors_come_in_one_run_in_the_order_of_the_document() {
    let source = SMALL
        .replace("source = \"provided\"", "source = \"givn\"")
        .replace("probe = \"retention-kept\"", "probe = \"hope\"")
        .replace("questions are answered", "questions are answered within 9 days");
    let found = Policy::compile(&source).unwrap_err();
    let codes: Vec<_> = found.iter().filter(|d| d.is_error()).map(|d| d.code).collect();
    assert_eq!(codes, ["unknown-word", "duration-by-hand", "dangling-name"]);
    // A rule with an error of its own is still known by name: nothing else is said to dangle.
}

#[test]
fn a_report_shows_the_source_and_the_way_out() {
    let source = SMALL.replace("48 hours after uploaded", "a reasonable time after uploaded");
    let found: Vec<_> =
        Policy::compile(&source).unwrap_err().into_iter().filter(Diagnostic::is_error).collect();
    let shown = report("policies/small.md", &source, &found, false);
    insta::assert_snapshot!(shown, @r#"
    error[vague-period]: `a reasonable time` is no length of time that a clock could keep
      --> policies/small.md:31:11
       |
    31 | at-most = "a reasonable time after uploaded"
       |           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
    help: write a whole number and a unit: `48 hours`, `30 days`, `18 months`, `2 years`; anything from 1 second to 100 years
    "#);
}

#[test]
fn a_hostile_document_is_refused_in_bounds() {
    let code = |source: &str| Policy::compile(source).unwrap_err()[0].code;
    assert_eq!(code(""), "front-matter");
    assert_eq!(code("+++\n"), "front-matter");
    assert_eq!(code(&"x".repeat(MAX_BYTES + 1)), "too-large");
    assert_eq!(code(&format!("\u{feff}{SMALL}")), "stray-character");
    assert_eq!(Policy::check_bytes(b"+++\ntenant = \"\xff\"").diagnostics[0].code, "not-utf-8");
    let many = |code: &str, source: &str| {
        let found = Policy::compile(source).unwrap_err();
        assert!(found.iter().any(|d| d.code == code), "{code}: {:?}", found.first());
        assert!(found.len() <= 400, "{}", found.len());
    };
    many("too-deep", &format!("{SMALL}\n{} deep", ">".repeat(20_000)));
    many("too-large", &format!("{SMALL}\n{}", "# a {#a}\n".repeat(20_000)));
    let rules = (0..9000).map(|n| format!("[notice.n{n}]")).collect::<Vec<_>>().join("\n");
    many("too-large", &format!("{SMALL}\n```rule\n{rules}\n```\n"));
    many("toml", &SMALL.replace("holds = \"the picture\"", &format!("holds = {}", "[".repeat(50_000))));
    many("toml", &SMALL.replace("holds = \"the picture\"", &"a.".repeat(50_000)));
    many("placeholder", &format!("{SMALL}\n{}", "{".repeat(100_000)));
    many("vague-period", &format!("{SMALL}\n{}", "reasonable time ".repeat(10_000)));
}

fn pieces() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("+++".to_owned()),
        Just("```rule\n".to_owned()),
        Just("[category.x]\n".to_owned()),
        Just("{#".to_owned()),
        Just("{".to_owned()),
        Just("}".to_owned()),
        Just("\"".to_owned()),
        Just("[[".to_owned()),
        Just("\r\n".to_owned()),
        Just("\u{202e}".to_owned()),
        Just("😀".to_owned()),
        Just("> - ".to_owned()),
        Just("<!--".to_owned()),
        Just(" after ".to_owned()),
        Just("99999999999 years".to_owned()),
        Just("é 3 days".to_owned()),
        "\\PC{0,12}",
    ]
}

proptest! {
    /// Some 2,500 mutated documents; with `PROPTEST_CASES=1000`, ten thousand.
    #[test]
    fn a_mutated_document_never_panics(
        which in 0..3_usize,
        cuts in prop::collection::vec((any::<prop::sample::Index>(), 0..40_usize, pieces()), 8..12),
    ) {
        let mut text: Vec<char> = [SMALL, FLUX, OPUS][which].chars().collect();
        // The long documents are cut to a part, or the run would take minutes.
        text.truncate(3000);
        for (place, length, put) in cuts {
            let at = place.index(text.len() + 1);
            let end = (at + length).min(text.len());
            text.splice(at..end, put.chars());
            let source: String = text.iter().collect();
            let checkup = Policy::check(&source);
            for d in &checkup.diagnostics {
                prop_assert!(d.span.start <= d.span.end && d.span.end <= source.len(), "{d:?}");
                prop_assert!(d.line >= 1 && d.column >= 1);
            }
            prop_assert_eq!(checkup.policy.is_none(), checkup.diagnostics.iter().any(Diagnostic::is_error));
            let some = checkup.diagnostics.get(..3).unwrap_or(&checkup.diagnostics);
            prop_assert_eq!(report("mutated.md", &source, some, false).is_empty(), some.is_empty());
        }
    }

    #[test]
    fn bytes_that_are_no_text_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _checkup = Policy::check_bytes(&bytes);
    }
}
