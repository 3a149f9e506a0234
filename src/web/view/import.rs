//! Bringing in an archive from elsewhere.

use askama::Template;

use super::{Count, Mark, Mistakes, Moment, Shell, Size, State, Viewer};

/// The page that takes an archive, and tells what was in it.
#[derive(Template, Debug, Clone)]
#[template(path = "person/import.html", config = "src/web/askama.toml")]
pub struct Import {
    /// What every page is given.
    pub shell: Shell,
    /// The largest archive that is taken.
    pub most: Size,
    /// The longest an upload stays: `48 hours`.
    pub input_at_most: String,
    /// What was found in the archive that was just sent.
    pub found: Option<ImportFound>,
    /// What was wrong.
    pub mistakes: Mistakes,
}

/// What an archive brings.
#[derive(Debug, Clone)]
pub struct ImportFound {
    /// Whether it was taken, or only looked at.
    pub taken: bool,
    /// Whether it was all here already, so that nothing is taken of it.
    pub already: bool,
    /// Who it says answered for the data there.
    pub service: String,
    /// When it was made.
    pub made: Moment,
    /// The request that it answered.
    pub reference: String,
    /// The name of the key that signed it.
    pub signer: String,
    /// Whether that key is ours.
    pub signed_here: bool,
    /// What is in it, by sort.
    pub rows: Vec<ImportRow>,
    /// What stays out, in words; empty if nothing else is in it.
    pub left: String,
    /// The ledger's entry about it.
    pub entry: Option<String>,
}

/// One sort of things in an archive.
#[derive(Debug, Clone)]
pub struct ImportRow {
    /// What: `Pictures`.
    pub what: String,
    /// Not here yet.
    pub new: Count,
    /// Here already.
    pub here: Count,
    /// Not taken here.
    pub refused: Count,
}
