//! Documents out of a hostile hand: the bad inputs C01 to C10 and C14 by name, and thousands of damaged documents. None
//! panics, none takes long, none fills the memory, and what is refused is refused with a reason.

use std::time::Duration;

use super::super::*;
use super::FLUX;

/// How long this thread has worked: other work on the machine does not count.
fn worked() -> Duration {
    let spent = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(spent.tv_sec.unsigned_abs(), u32::try_from(spent.tv_nsec).unwrap_or(0))
}

const SMALL: &str = include_str!("small.md");

/// The code of an error that a document has.
fn refused(source: &str, code: &str) {
    let found = Policy::compile(source).expect_err(code);
    assert!(found.iter().any(|d| d.code == code && d.is_error()), "{code}: {found:#?}");
}

fn with(from: &str, to: &str) -> String {
    assert!(SMALL.contains(from), "{from}");
    SMALL.replace(from, to)
}

#[test]
fn c01_anchors_aliases_and_tags_are_no_values() {
    for bomb in ["&a [1]", "*a", "!!python/object:os.system", "&a [*a, *a, *a]"] {
        refused(&with("holds = \"the picture\"", &format!("holds = {bomb}")), "toml");
    }
}

#[test]
fn c02_doubled_keys_tabs_and_mixed_line_ends_are_told_with_their_line() {
    for (to, code) in [
        ("holds = \"a\"\nholds = \"b\"", "duplicate-key"),
        ("\tholds = \"a\"", "tab"),
        ("holds = \"a\"\r", "mixed-line-ends"),
    ] {
        let source = with("holds = \"the picture\"", to);
        let found = Policy::compile(&source).expect_err(to);
        let hit = found.iter().find(|d| d.code == code).unwrap_or_else(|| panic!("{code}: {found:#?}"));
        assert!((20..=25).contains(&hit.line), "{hit:?}");
    }
}

#[test]
fn c03_an_unknown_key_or_kind_is_never_ignored() {
    refused(&with("holds = \"the picture\"", "holds = \"the picture\"\nsize = \"big\""), "unknown-key");
    refused(&with("[category.picture]", "[catgory.picture]"), "unknown-kind");
    refused(&with("title = \"Small\"", "title = \"Small\"\nowner = \"me\""), "unknown-key");
}

#[test]
fn c04_what_the_program_fills_is_asked_of_every_document() {
    let found = Policy::compile(SMALL).unwrap();
    let told = found.warnings().iter().find(|d| d.code == "unfilled").unwrap();
    assert!(told.message.contains("prompt") && told.message.contains("input-image"), "{}", told.message);
    let flux = Policy::compile(FLUX).unwrap();
    assert_eq!(filled::unfilled(&flux).map(|f| f.category).collect::<Vec<_>>(), Vec::<&str>::new());
    let less = FLUX
        .replace("[category.prompt]", "[category.words]")
        .replace("\"prompt\"", "\"words\"")
        .replace("{category.prompt}", "{category.words}");
    let found =
        Policy::compile(&less).unwrap_or_else(|found| panic!("{}", report("less", &less, &found, false)));
    assert!(found.warnings().iter().any(|d| d.code == "unfilled" && d.message.ends_with(": prompt")));
}

#[test]
fn c05_a_length_of_time_is_positive_whole_and_bounded() {
    for length in
        ["0 days", "-3 days", "forever", "1000000000000 days", "1.5mo", "101 years", "9".repeat(60).as_str()]
    {
        let source = with("48 hours after uploaded", &format!("{length} after uploaded"));
        let found = Policy::compile(&source).expect_err(length);
        let hit = found.iter().find(|d| d.is_error()).unwrap();
        assert!(matches!(hit.code, "bad-period" | "vague-period"), "{length}: {hit:?}");
        assert!(hit.help.as_ref().unwrap().contains("100 years"), "{length}: {hit:?}");
    }
}

#[test]
fn c06_two_deadlines_for_one_thing_name_both_rules() {
    let again =
        "[retention.again]\ncategory = \"picture\"\nat-most = \"24 hours after uploaded\"\n\n[category.book]";
    let found = Policy::compile(&with("[category.book]", again)).unwrap_err();
    let hit = found.iter().find(|d| d.code == "contradiction").unwrap();
    assert!(hit.message.contains("retention.picture") && hit.message.contains("retention.again"), "{hit:?}");
    assert_eq!(hit.also.len(), 1);
}

#[test]
fn c07_shorter_than_a_law_demands_is_an_error() {
    refused(&with("keep = \"10 years after", "keep = \"9 years after"), "shorter-than-law");
}

#[test]
fn c08_what_is_too_large_is_not_read() {
    let fill = |to: usize| format!("{SMALL}\n{}", "a".repeat(to - SMALL.len() - 1));
    assert!(Policy::compile(&fill(MAX_BYTES)).is_ok());
    refused(&fill(MAX_BYTES + 1), "too-large");
    let rules = (0..10_000).map(|n| format!("[notice.n{n}]")).collect::<Vec<_>>().join("\n");
    refused(&format!("{SMALL}\n```rule\n{rules}\n```\n"), "too-large");
}

#[test]
fn c09_there_are_no_patterns_to_blow_up() {
    let evil = "(a+)+$".repeat(10);
    refused(&with("longest-life", &format!("hosts = \"{evil}\"\nlongest-life")), "wrong-value");
}

#[test]
fn c10_what_is_no_text_is_not_taken_for_one() {
    for value in ["nan", "inf", "-inf", "0x10", "1", "true", "2026-11-01", "{ a = 1 }"] {
        let found =
            Policy::compile(&with("holds = \"the picture\"", &format!("holds = {value}"))).expect_err(value);
        assert!(found.iter().any(|d| d.code == "wrong-type"), "{value}: {found:#?}");
    }
    for value in ["010", "no", "off"] {
        refused(&with("holds = \"the picture\"", &format!("holds = {value}")), "toml");
    }
}

#[test]
fn c14_what_is_not_text_is_refused() {
    assert_eq!(Policy::check_bytes(&[0xff, 0xfe, 0x2b]).diagnostics[0].code, "not-utf-8");
    refused(&format!("\u{feff}{SMALL}"), "stray-character");
    refused(&with("[category.picture]", "[category.\"😀\"]"), "wrong-value");
    refused(&with("holds = \"the picture\"", "\"😀\" = \"the picture\""), "unknown-key");
}

/// A small generator of numbers, so that a run can be repeated from its seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap_or(0) % sides.max(1)
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.roll(of.len())]
    }
}

const POISON: &[&str] = &[
    "\"",
    "'",
    "\"\"\"",
    "'''",
    "[",
    "]",
    "[[",
    "]]",
    "{",
    "}",
    "{{",
    "=",
    ":",
    "#",
    "+++",
    "---",
    "```",
    "```rule\n",
    "\n",
    "\r\n",
    "\r",
    "\t",
    "\u{0}",
    "\u{202e}",
    "\u{feff}",
    "\u{a0}",
    "“",
    "”",
    "–",
    "😀",
    "ﬁ",
    "İ",
    "ß",
    "\\",
    "\\u{110000}",
    "\\\"",
    "<script>",
    "![](x)",
    "[a](javascript:x)",
    "> > > > > ",
    "- - - - ",
    "* * *",
    "| a | b |\n|--|--|\n",
    "a.b.c.d.e.f.g = 1\n",
    "99999999999999999999",
    "1e400",
    "-0",
    "0 days",
    "{retention.picture.at-most}",
    "{category.}",
    "{.}",
    "{law.eu-gdpr.}",
    "## x {#x}\n",
    "[category.picture]\n",
    "kept-by = [\"a.b\"]\n",
    "<!--",
    "&#0;",
    "&amp;",
    "[^1]",
    "***",
    "__",
    "~~",
    "<http://a>",
];

/// Damages a document in one of many ways.
fn damage(bytes: &mut Vec<u8>, dice: &mut Dice) {
    let at = dice.roll(bytes.len() + 1);
    match dice.roll(9) {
        0 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << dice.roll(8);
            }
        }
        1 => drop(bytes.splice(at..at, dice.one(POISON).bytes())),
        2 => {
            let end = (at + dice.roll(40)).min(bytes.len());
            drop(bytes.drain(at..end));
        }
        3 => {
            let end = (at + dice.roll(400)).min(bytes.len());
            let piece = bytes[at..end].to_vec();
            let to = dice.roll(bytes.len() + 1);
            drop(bytes.splice(to..to, piece));
        }
        4 => bytes.truncate(at),
        5 => {
            let mut lines: Vec<Vec<u8>> = bytes.split(|b| *b == b'\n').map(<[u8]>::to_vec).collect();
            let (a, b) = (dice.roll(lines.len()), dice.roll(lines.len()));
            lines.swap(a, b);
            *bytes = lines.join(&b'\n');
        }
        6 => {
            let poison = dice.one(POISON).repeat(1 + dice.roll(60));
            drop(bytes.splice(at..at, poison.into_bytes()));
        }
        7 => {
            let mut lines: Vec<Vec<u8>> = bytes.split(|b| *b == b'\n').map(<[u8]>::to_vec).collect();
            lines.remove(dice.roll(lines.len()));
            *bytes = lines.join(&b'\n');
        }
        _ => {
            let poison = dice.one(POISON);
            if let Some(found) =
                bytes.iter().enumerate().skip(at).find(|(_, b)| b"\"[]{}=.".contains(b)).map(|(n, _)| n)
            {
                drop(bytes.splice(found..=found, poison.bytes()));
            }
        }
    }
}

/// Reads one document as the service and its page would, and looks at the bounds.
fn survives(bytes: &[u8], seed: u64) {
    let began = worked();
    let Checkup { policy, diagnostics } = Policy::check_bytes(bytes);
    assert_eq!(policy.is_none(), diagnostics.iter().any(Diagnostic::is_error), "seed {seed}");
    assert!(diagnostics.len() <= 410, "seed {seed}");
    let source = String::from_utf8_lossy(bytes);
    for d in &diagnostics {
        assert!(d.line >= 1 && d.column >= 1 && d.message.len() < 4000, "seed {seed}: {d:?}");
    }
    // Drawing costs more than reading: one in ten is drawn.
    if seed.is_multiple_of(10) {
        let shown = report("x", &source, &diagnostics[..diagnostics.len().min(5)], false);
        assert!(diagnostics.is_empty() || !shown.is_empty(), "seed {seed}");
    }
    if let Some(policy) = policy {
        assert!(!policy.clauses().iter().any(|clause| clause.html.contains("<script")), "seed {seed}");
    }
    // A document is read in milliseconds; seconds would mean that some step grows with the square of it.
    let spent = worked().saturating_sub(began);
    assert!(spent < Duration::from_secs(5), "seed {seed}: {spent:?}");
}

#[test]
fn ten_thousand_damaged_documents_are_read_or_refused() {
    let soak = std::env::var_os("VOUCHSAFE_SOAK").is_some();
    let one: Option<u64> = std::env::var_os("VOUCHSAFE_SEED").and_then(|seed| seed.to_str()?.parse().ok());
    let (first, count) = one.map_or((1, if soak { 200_000 } else { 10_000 }), |seed| (seed, 1));
    for seed in first..first + count {
        let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        // The long document is read now and then: it costs twenty of the small one.
        let mut bytes = if seed.is_multiple_of(250) { FLUX } else { SMALL }.as_bytes().to_vec();
        for _ in 0..=dice.roll(6) {
            damage(&mut bytes, &mut dice);
        }
        let outcome = std::panic::catch_unwind(|| survives(&bytes, seed));
        assert!(outcome.is_ok(), "seed {seed}: VOUCHSAFE_SEED={seed} repeats it alone");
    }
}

#[test]
fn what_grows_deep_or_wide_stays_bounded() {
    let rule = |text: &str| format!("{SMALL}\n## X {{#x}}\n\n```rule\n{text}\n```\n");
    let half = MAX_BYTES / 2;
    for (name, source) in [
        ("dotted keys", rule(&"a.".repeat(half / 2))),
        (
            "dotted keys on many lines",
            rule(&(0..8000).map(|n| format!("a.b{n}.c.d = 1")).collect::<Vec<_>>().join("\n")),
        ),
        ("inline tables", rule(&format!("a = {}", "{a=".repeat(half / 3)))),
        ("brackets", rule(&format!("a = {}", "[".repeat(half)))),
        ("open lists", rule(&"a = [\n".repeat(half / 7))),
        ("quotes", rule(&"\"".repeat(half))),
        ("curly quotes", rule(&"a = “\n".repeat(half / 8))),
        ("headers", rule(&"[a.b]\n".repeat(half / 6))),
        ("colons", rule(&"a: b\n".repeat(half / 5))),
        ("stars", format!("{SMALL}\n{}", "*a **b ".repeat(half / 7))),
        ("links", format!("{SMALL}\n{}", "[a](".repeat(half / 4))),
        ("brackets in prose", format!("{SMALL}\n{}", "[".repeat(half))),
        ("braces in prose", format!("{SMALL}\n{}", "{".repeat(half))),
        ("placeholders", format!("{SMALL}\n{}", "{retention.picture.at-most} ".repeat(half / 28))),
        (
            "backticks",
            format!("{SMALL}\n{}", (1..700).map(|n| "`".repeat(n % 300)).collect::<Vec<_>>().join("a")),
        ),
        ("tables", format!("{SMALL}\n|{}\n|{}\n", "a|".repeat(5000), "-|".repeat(5000))),
        ("durations", format!("{SMALL}\n{}", "30 days ".repeat(half / 8))),
    ] {
        let began = worked();
        let found = Policy::check(&source).diagnostics;
        assert!(found.len() <= 410, "{name}: {}", found.len());
        let spent = worked().saturating_sub(began);
        assert!(spent < Duration::from_secs(10), "{name}: {spent:?}");
    }
}
