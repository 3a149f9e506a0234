//! The names of everything that can be wrong with a document.

/// Each diagnostic's name, what it says, and how it is mended. A name never changes its meaning.
pub const CODES: &[(&str, &str, &str)] = &[
    (
        "bad-period",
        "A length of time cannot be read, is zero, negative or a fraction, or is over 100 years.",
        "Write a whole number and a unit, from 1 second to 100 years: `30 days`.",
    ),
    (
        "beyond-purpose",
        "Data are read or sent for purposes that they were not collected for.",
        "Add the purpose to the category, if people were told so; else remove it from the rule.",
    ),
    (
        "category-without-retention",
        "No rule says when a category goes.",
        "Add a `retention` rule that names the category.",
    ),
    ("consent-by-default", "A consent is on before anybody gave it.", "Remove `default`, or write `off`."),
    (
        "contradiction",
        "Two rules, or two keys of one, cannot both be kept.",
        "Keep one of the two; the message names both.",
    ),
    (
        "dangling-name",
        "A name leads to no rule, law pack, statutory period, check or clause.",
        "Mend the name, or declare what it names.",
    ),
    ("duplicate-clause", "Two clauses have one id.", "Give one of the clauses another id."),
    ("duplicate-key", "A key or a table stands twice in one block.", "Keep one of them."),
    ("duplicate-rule", "Two rules have one name.", "Keep one, or give the second another name."),
    (
        "duration-by-hand",
        "Prose states a length of time that a rule should state. A warning in a clause that only informs.",
        "Put the placeholder of the rule in its place; the message names it if there is one.",
    ),
    ("empty-block", "A rule block has no rule.", "Write a rule into it, or remove it."),
    (
        "front-matter",
        "The document does not begin with front matter, or it has no end.",
        "Begin with a line `+++`, end the keys with another.",
    ),
    (
        "heading-without-id",
        "A heading has no id, so that no rule can be bound to it.",
        "End the heading with `{#a-short-name}`.",
    ),
    (
        "identity-document",
        "An identity document is asked for where less would do.",
        "Ask for `session` or `email-loop` first.",
    ),
    ("image", "Prose shows an image.", "Remove it, or link to it."),
    (
        "language",
        "Warning: lengths and dates cannot be said in the document's language.",
        "Write the document in en, de, fr, es, it or nl, or accept English lengths.",
    ),
    (
        "link",
        "A link leads to something other than https, an e-mail address, a path of the site or a clause.",
        "Begin it with `https://`, `mailto:`, `/` or `#`.",
    ),
    (
        "longer-than-law",
        "A period is longer than a law pack allows.",
        "Shorten the period; the message names the article.",
    ),
    ("missing-key", "A key that must be there is not.", "Add the key; the message shows an example."),
    ("mixed-line-ends", "Some lines end with CR LF and some with LF.", "Save it with one kind of line end."),
    ("no-clock", "A retention rule never fires.", "Add `erase-when`, `at-most` or `keep`."),
    ("not-utf-8", "The document is not text in UTF-8.", "Save it as UTF-8."),
    (
        "notice-missing",
        "Warning: nothing says how people learn of a new version.",
        "Add a `notice` with `when = \"new-version\"`.",
    ),
    (
        "outlives-rule",
        "Data may stay longer at a recipient than here.",
        "Shorten `longest-life`, or lengthen the rule.",
    ),
    (
        "placeholder",
        "A placeholder names nothing, or a brace belongs to none.",
        "Write `{kind.name.key}`, all in small letters and hyphens.",
    ),
    (
        "promise-in-information",
        "Warning: a clause that says it only informs sounds like a promise.",
        "Bind it to a rule and remove `.information`, or say less.",
    ),
    (
        "promise-without-rule",
        "A clause has prose, but no rule keeps it.",
        "Put a rule block below it, point at one by `kept-by`, or mark it `.information`.",
    ),
    ("purpose-without-basis", "A purpose names no lawful basis.", "Add `basis`."),
    ("raw-html", "Prose holds HTML.", "Write it in Markdown; `\\<` for a bare `<`."),
    ("repeated-value", "A list names one thing twice.", "Leave one out."),
    (
        "right-missing",
        "Warning: the law gives rights whose use the document does not describe.",
        "Add a `right` rule for each.",
    ),
    (
        "shorter-than-law",
        "Something goes before a law pack allows it to go.",
        "Lengthen the period; the message names the article.",
    ),
    ("stray-character", "An invisible or control character.", "Remove it: retype the word around it."),
    ("tab", "A tab stands in a rule.", "Use spaces."),
    (
        "toml",
        "A line of a rule block or of the front matter cannot be read.",
        "The message says what to write: straight quotes, `=`, a closing bracket, a comma.",
    ),
    ("too-deep", "Lists and quotes are nested too deep.", "Nest less."),
    ("too-large", "The document is too large, or has too many clauses or rules.", "Shorten the document."),
    (
        "training-without-consent",
        "Models would learn without explicit consent.",
        "Write `basis = \"explicit-consent\"`.",
    ),
    (
        "unfilled",
        "Warning: the program fills a category that the document does not declare.",
        "Declare the categories whose features the tenant uses.",
    ),
    (
        "unknown-block",
        "A code block that is no rule block.",
        "Mark it `rule`, in small letters; begin and end it with three backticks at the start of a line.",
    ),
    (
        "unknown-fact",
        "A clock starts at a fact that does not exist.",
        "Use a fact of the table; the message says which was probably meant.",
    ),
    (
        "unknown-key",
        "A rule has a key that its kind does not know.",
        "Mend the key; the message says which was probably meant.",
    ),
    ("unknown-kind", "There is no such kind of rule.", "Use one of the nine kinds."),
    ("unknown-right", "There is no such right.", "Use one of the seven rights."),
    ("unknown-word", "A key does not know this word.", "Use a word of the key's list."),
    ("unused", "Warning: nothing is held for a purpose.", "Name it in a category, or remove it."),
    (
        "vague-period",
        "Words that no clock could keep, such as \"a reasonable time\", in a rule or in prose.",
        "Give a length that a clock can keep.",
    ),
    (
        "wrong-type",
        "A value is of the wrong type: a number where text belongs, a list where one value belongs.",
        "Write the value as the example shows.",
    ),
    (
        "wrong-value",
        "A value does not have the form its key asks for.",
        "Write the value as the example shows.",
    ),
];
