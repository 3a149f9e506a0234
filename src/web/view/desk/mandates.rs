//! Who acts for whom.

use askama::Template;

use crate::web::view::{Count, Desk, Mark, Mistakes, Moment, State, Viewer};

/// Mandates that people gave, and the agents of the Data Rights Protocol.
#[derive(Template, Debug, Clone)]
#[template(path = "desk/mandates.html", config = "src/web/askama.toml")]
pub struct DeskMandates {
    /// What every page of the desk is given.
    pub desk: Desk,
    /// Those that hold, newest first.
    pub open: Vec<DeskMandateRow>,
    /// Those that ended within thirty days.
    pub ended: Vec<DeskMandateRow>,
    /// Whether there are more than are shown.
    pub is_cut: bool,
    /// The agents of the protocol.
    pub agents: Vec<DeskAgentRow>,
    /// Whether whoever looks may end one.
    pub may_end: bool,
    /// What is wrong with what was entered.
    pub mistakes: Mistakes,
}

/// A mandate.
#[derive(Debug, Clone)]
pub struct DeskMandateRow {
    /// Its id.
    pub id: String,
    /// Who gave it: the subject id.
    pub person: String,
    /// What the agent asked with: `the key “Permission Slip”`.
    pub asked_with: String,
    /// For which rights.
    pub rights: String,
    /// Requests that were filed under it.
    pub requests: Count,
    /// Whether the agent is told how they stand.
    pub tells: bool,
    /// When it was given.
    pub given: Moment,
    /// Until when.
    pub until: Moment,
    /// When it ended.
    pub ended: Option<Moment>,
}

/// An agent of the protocol.
#[derive(Debug, Clone)]
pub struct DeskAgentRow {
    /// What people know it as.
    pub name: String,
    /// Its id in the directory.
    pub id: String,
    /// Its own site.
    pub site: String,
    /// When it was entered.
    pub entered: Moment,
    /// When it was last given a token.
    pub paired: Option<Moment>,
}
