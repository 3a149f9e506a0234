//! What a lawyer does to a document in a word processor: one slip is one error, which says what to write.

use super::super::*;

const SMALL: &str = include_str!("small.md");

/// What is put in place of what; the code of the one error; what its help says.
const SLIPS: &[(&str, &str, &str, &str)] = &[
    ("\"the picture\"", "“the picture”", "toml", "straight quotes"),
    ("\"the picture\"", "\"the picture”", "toml", "straight quotes"),
    ("\"the picture\"", "\"the picture", "toml", "end it with"),
    ("source = \"provided\"", "source = provided", "toml", "`source = \"provided\"`"),
    ("source = \"provided\"", "source: \"provided\"", "toml", "`source = …`"),
    ("source = \"provided\"", "source\u{a0}= \"provided\"", "toml", "plain space"),
    ("source = \"provided\"", "- source = \"provided\"", "toml", "bullet"),
    ("source = \"provided\"", "source = \"provided\";", "toml", "behind it"),
    ("source = \"provided\"", "source = \"provided\" // by you", "toml", "`#`"),
    ("source = \"provided\"", "source = \"provided\"\nand nothing else", "toml", "outside the block"),
    ("source = \"provided\"", "source = \"provided\"\nrequired = yes", "toml", "`required = true`"),
    ("source = \"provided\"", "Source = \"provided\"", "unknown-key", "did you mean `source`?"),
    ("source = \"provided\"", "source = \"Provided\"", "unknown-word", "did you mean `provided`?"),
    ("purposes = [\"edits\"]\n\n[purpose", "purposes = [\"edits\"\n\n[purpose", "toml", "close it with `]`"),
    (
        "purposes = [\"edits\"]\n\n[purpose",
        "purposes = [\n  \"edits\", # only\n\n[purpose",
        "toml",
        "close it with `]`",
    ),
    ("purposes = [\"edits\"]\n\n[purpose", "purposes = [edits]\n\n[purpose", "toml", "[\"one\", \"two\"]"),
    ("who = \"support\"", "who = [\"support\" \"admin\"]", "toml", "[\"one\", \"two\"]"),
    ("who = \"support\"", "who = \"support\", \"admin\"", "toml", "`who = [\"…\", \"…\"]`"),
    ("at-most = \"48", "at most = \"48", "toml", "`at-most = …`"),
    ("at-most = \"48", "at–most = \"48", "toml", "hyphen"),
    ("at-most = \"48", "at_most = \"48", "unknown-key", "did you mean `at-most`?"),
    ("[retention.picture]", "[[retention.picture]]", "toml", "`[retention.picture]`"),
    ("[retention.picture]", "[retention picture]", "toml", "`[retention.picture]`"),
    ("[retention.picture]", "[retention.picture", "toml", "`[retention.picture]`"),
    ("[retention.picture]", "[retentions.picture]", "unknown-kind", "did you mean `retention`?"),
    ("[retention.picture]", "[picture]", "unknown-kind", "begins with its kind"),
    ("48 hours after uploaded", "thirty days after uploaded", "bad-period", "`30 days`"),
    ("48 hours after uploaded", "2 working days after uploaded", "bad-period", "calendar time"),
    ("48 hours after uploaded", "48 hours from upload", "bad-period", "`48 hours after uploaded`"),
    ("48 hours after uploaded", "48 hours after the upload", "unknown-fact", "did you mean `uploaded`?"),
    ("longest-life = \"1 hour\"", "longest-life = \"half an hour\"", "bad-period", "`30 minutes`"),
    ("longest-life = \"1 hour\"", "longest-life = 1 hour", "toml", "\"1 hour\""),
    ("countries = \"DE\"", "countries = \"Germany\"", "wrong-value", "did you mean `DE`?"),
    ("countries = \"DE\"", "countries = \"EU\"", "wrong-value", "no country"),
    (
        "law = [\"eu-gdpr\", \"eu-vat\"]",
        "law = [\"GDPR\", \"eu-vat\"]",
        "wrong-value",
        "did you mean `eu-gdpr`?",
    ),
    ("effective = 2026-11-01", "effective = 01.11.2026", "wrong-value", "year-month-day"),
    ("category = \"picture\"", "category = \"pictures\"", "dangling-name", "did you mean `picture`?"),
    ("## The rest {#rest}", "## The rest", "heading-without-id", "{#the-rest}"),
    (
        "{retention.picture.at-most}",
        "{retention.picture.at_most}",
        "placeholder",
        "`{retention.picture.at-most}`",
    ),
    (
        "{retention.picture.at-most}",
        "{{retention.picture.at-most}}",
        "placeholder",
        "`{retention.picture.at-most}`",
    ),
    ("{retention.picture.at-most}", "48 hours", "duration-by-hand", "`{retention.picture.at-most}`"),
    ("{retention.picture.at-most}", "{processor.lab.longest-live}", "placeholder", "did you mean"),
    ("+++\n\n## Pictures", "\n\n## Pictures", "front-matter", "`+++`"),
    ("```rule\n[category.picture]", "```Rule\n[category.picture]", "unknown-block", "```rule"),
    ("```rule\n[category.picture]", "```\n[category.picture]", "unknown-block", "```rule"),
    ("uploaded\"\n```\n", "uploaded\"\n", "unknown-block", "three backticks"),
];

#[test]
fn one_slip_is_one_error_that_says_what_to_write() {
    for (from, to, code, help) in SLIPS {
        assert_eq!(SMALL.matches(from).count(), 1, "`{from}` stands once in the document");
        let source = SMALL.replace(from, to);
        let found = Policy::compile(&source).expect_err(to);
        let shown = report("small.md", &source, &found, false);
        let errors: Vec<&Diagnostic> = found.iter().filter(|d| d.is_error()).collect();
        assert_eq!(errors.len(), 1, "`{to}`:\n{shown}");
        assert_eq!(errors[0].code, *code, "`{to}`:\n{shown}");
        let said = errors[0].help.clone().unwrap_or_default();
        assert!(said.contains(help), "`{to}`: {help}\n{shown}");
    }
}
