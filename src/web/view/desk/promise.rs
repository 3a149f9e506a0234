//! How the promises stand, and one promise with all that is known of it.

use askama::Template;

use crate::web::view::{
    Choice, Count, Desk, Mark, Markup, Mistakes, Moment, PromiseRow, ProofLink, State, Tally, Viewer,
};

/// The promise board.
#[derive(Template, Debug, Clone)]
#[template(path = "desk/promises.html", config = "src/web/askama.toml")]
pub struct PromiseBoard {
    /// What every page of the desk is given.
    pub desk: Desk,
    /// The version of the document.
    pub version: String,
    /// Since when it is in force.
    pub effective: Moment,
    /// When the newest check was made.
    pub checked: Option<Moment>,
    /// How many stand how.
    pub tally: Vec<Tally>,
    /// What the list is narrowed to, by state.
    pub states: Vec<Choice>,
    /// What it is narrowed to, by kind of rule.
    pub kinds: Vec<Choice>,
    /// The promises, worst first.
    pub rows: Vec<PromiseRow>,
}

/// One promise.
#[derive(Template, Debug, Clone)]
#[template(path = "desk/promise.html", config = "src/web/askama.toml")]
pub struct PromisePage {
    /// What every page of the desk is given.
    pub desk: Desk,
    /// The promise.
    pub row: PromiseRow,
    /// The ledger entry that shows it.
    pub proof: Option<ProofLink>,
    /// The check it stands on; `None` for what people vouch for.
    pub check: Option<CheckFound>,
    /// What people vouched; `None` for what a check looks at.
    pub vouching: Option<Vouching>,
    /// What was wrong with the form that was sent.
    pub mistakes: Mistakes,
}

/// A check and what it found.
#[derive(Debug, Clone)]
pub struct CheckFound {
    /// Its name.
    pub probe: String,
    /// What it looks at, in words.
    pub looks_at: String,
    /// How often: `1 hour`.
    pub every: String,
    /// How it ended.
    pub verdict: State,
    /// What it counted.
    pub figure: String,
    /// How many things it looked at.
    pub checked: Count,
    /// How many spoke against the promise.
    pub found: Count,
    /// When it was made last.
    pub at: Option<Moment>,
    /// Since when it ends like this.
    pub since: Option<Moment>,
    /// What it found of each rule, where it looks at several.
    pub parts: Vec<PartRow>,
    /// The runs that stand on the ledger, newest first.
    pub runs: Vec<RunRow>,
}

/// What a check found of one rule.
#[derive(Debug, Clone)]
pub struct PartRow {
    /// The rule.
    pub rule: String,
    /// Its page, if the document still has it.
    pub href: Option<String>,
    /// Whether it is the one that the page is about.
    pub here: bool,
    /// How it stands.
    pub state: State,
    /// The figure.
    pub figure: String,
}

/// A run that stands on the ledger.
#[derive(Debug, Clone)]
pub struct RunRow {
    /// When.
    pub at: Moment,
    /// How it ended.
    pub verdict: State,
    /// What it counted.
    pub figure: String,
    /// How many things it looked at.
    pub checked: Count,
    /// How many spoke against the promise.
    pub found: Count,
    /// Its entry.
    pub proof: Option<ProofLink>,
}

/// What people vouched for an attestation.
#[derive(Debug, Clone)]
pub struct Vouching {
    /// Who answers for it.
    pub owner: String,
    /// What must be shown.
    pub wanted: String,
    /// By when it must be done again, or first.
    pub due: Moment,
    /// The words given before, newest first.
    pub words: Vec<WordRow>,
    /// What was typed before.
    pub typed: Typed,
    /// How large a file may be: `5 MB`.
    pub largest: String,
}

/// What was typed into the form.
#[derive(Debug, Clone, Default)]
pub struct Typed {
    /// What was done and what shows it.
    pub evidence: String,
}

/// A word that was given.
#[derive(Debug, Clone)]
pub struct WordRow {
    /// When.
    pub at: Moment,
    /// By whom.
    pub by: String,
    /// What was said.
    pub text: String,
    /// The file that was shown: its name and address.
    pub file: Option<(String, String)>,
    /// Its entry.
    pub proof: Option<ProofLink>,
}

impl CheckFound {
    /// How it ended, with its shape.
    pub fn ended(&self) -> Markup {
        ended(self.verdict)
    }
}

impl RunRow {
    /// How it ended, with its shape.
    pub fn ended(&self) -> Markup {
        ended(self.verdict)
    }
}

fn ended(verdict: State) -> Markup {
    verdict.says(match verdict {
        State::Kept => "Passed",
        State::Broken => "Failed",
        _ => "Could not look",
    })
}
