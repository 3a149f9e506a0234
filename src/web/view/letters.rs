//! A letter that came in, shown to the holder of its link.

use askama::Template;

use super::{Choice, Mark, Mistakes, Moment, Shell, Viewer};

/// The page that a link in our letter opens: nothing has happened yet.
#[derive(Template, Debug, Clone)]
#[template(path = "public/letter.html", config = "src/web/askama.toml")]
pub struct LetterConfirm {
    /// What every page is given.
    pub shell: Shell,
    /// The token to send back.
    pub token: String,
    /// When the letter came.
    pub received: Moment,
    /// Until when the link works.
    pub until: Moment,
    /// What can be asked for; the first that the letter seems to mean is chosen.
    pub choices: Vec<Choice>,
    /// What was written, to be kept or changed.
    pub words: String,
    /// What is promised, in words: `72 hours`.
    pub promised: String,
    /// What was wrong.
    pub mistakes: Mistakes,
}

/// What became of a letter, told to the holder of its link.
#[derive(Template, Debug, Clone)]
#[template(path = "public/letter-done.html", config = "src/web/askama.toml")]
pub struct LetterDone {
    /// What every page is given.
    pub shell: Shell,
    /// In a heading.
    pub title: String,
    /// What happened and what comes next, a paragraph each.
    pub says: Vec<String>,
    /// The request it became: its number, when it reached us, both dates.
    pub filed: Option<LetterFiled>,
}

/// The request that a letter became.
#[derive(Debug, Clone)]
pub struct LetterFiled {
    /// The number to read out.
    pub reference: String,
    /// When the letter reached us.
    pub received: Moment,
    /// By when, as promised.
    pub promised_by: Moment,
    /// By when the law wants it.
    pub law_by: Moment,
}
