//! Versions of the document: the one that is coming, what a person had in force when, and what waits at the desk.

use askama::Template;

use super::{Change, Count, Desk, Mark, Mistakes, Moment, Shell, State, Viewer};

/// The next version, as the policy page announces it.
#[derive(Debug, Clone)]
pub struct Upcoming {
    /// The version.
    pub version: String,
    /// From when it is in force.
    pub effective: Moment,
    /// What it changes, in plain sentences.
    pub changes: Vec<Change>,
    /// Where to read it.
    pub href: String,
}

/// A version that a person was told of.
#[derive(Debug, Clone)]
pub struct PolicyNews {
    /// The version.
    pub version: String,
    /// From when it is in force, or since when.
    pub effective: Moment,
    /// What it changes, in plain sentences.
    pub changes: Vec<String>,
    /// Whether something in it needs a yes.
    pub asks_again: bool,
    /// Where to read it.
    pub href: String,
}

/// What a person had in force when.
#[derive(Template, Debug, Clone)]
#[template(path = "person/policies.html", config = "src/web/askama.toml")]
pub struct OwnVersions {
    /// What every page is given.
    pub shell: Shell,
    /// The versions, newest first.
    pub versions: Vec<OwnVersion>,
}

/// A version, as one person had it.
#[derive(Debug, Clone)]
pub struct OwnVersion {
    /// The version.
    pub version: String,
    /// Since when it is in force for them.
    pub from: Moment,
    /// Until when.
    pub until: Option<Moment>,
    /// Whether it is the one in force now.
    pub now: bool,
    /// How and when they were told, a sentence each.
    pub told: Vec<String>,
    /// What they said under it.
    pub words: Vec<String>,
    /// Where to read it.
    pub href: String,
    /// Its SHA-256.
    pub hash: String,
}

/// The versions of a document, for staff.
#[derive(Template, Debug, Clone)]
#[template(path = "desk/policies.html", config = "src/web/askama.toml")]
pub struct DeskPolicies {
    /// What every page of the desk is given.
    pub desk: Desk,
    /// What waits for a second person.
    pub waiting: Vec<ProposalRow>,
    /// What is published, newest first.
    pub versions: Vec<VersionRow>,
    /// What waited once, newest first.
    pub decided: Vec<ProposalRow>,
    /// Documents in the folder that are not published: they are not used.
    pub unpublished: Vec<String>,
}

/// A published version, for staff.
#[derive(Debug, Clone)]
pub struct VersionRow {
    /// The version.
    pub version: String,
    /// From when it is in force.
    pub effective: Moment,
    /// When it was published.
    pub published: Option<Moment>,
    /// How it stands, in words.
    pub state: State,
    /// The same, in words: `in force`.
    pub standing: String,
    /// People who are told of it.
    pub people: Count,
    /// Letters that went.
    pub sent: Count,
    /// Letters that are to go.
    pub owed: Count,
    /// Letters that did not go, or of which nobody knows.
    pub lost: Count,
    /// When everybody had been told.
    pub announced: Option<Moment>,
    /// Where to read it.
    pub href: String,
}

/// A proposal in a list.
#[derive(Debug, Clone)]
pub struct ProposalRow {
    /// The version.
    pub version: String,
    /// Who proposed it.
    pub by: String,
    /// When.
    pub at: Moment,
    /// What became of it.
    pub became: String,
    /// Its page.
    pub href: String,
}

/// A proposal, with all that it would do.
#[derive(Template, Debug, Clone)]
#[template(path = "desk/proposal.html", config = "src/web/askama.toml")]
pub struct DeskProposal {
    /// What every page of the desk is given.
    pub desk: Desk,
    /// Its id.
    pub id: String,
    /// The version.
    pub version: String,
    /// From when it would be in force.
    pub effective: Moment,
    /// Who proposed it.
    pub by: String,
    /// When.
    pub at: Moment,
    /// The document's SHA-256.
    pub hash: String,
    /// Whether it still waits.
    pub open: bool,
    /// Whether the reader proposed it.
    pub own: bool,
    /// What became of it, where it does not wait any more.
    pub became: String,
    /// What it changes.
    pub changes: Vec<Change>,
    /// How many people are told, and how, as a sentence.
    pub told: String,
    /// Things it would erase at once.
    pub going: Count,
    /// Of so many that would otherwise still be there.
    pub total: Count,
    /// What goes, by category and reason.
    pub rows: Vec<GoingRow>,
    /// What stands in the way now.
    pub obstacles: Vec<String>,
    /// What was wrong with a form.
    pub mistakes: Mistakes,
    /// The reason as typed.
    pub reason: String,
}

/// What would go of one category by one rule.
#[derive(Debug, Clone)]
pub struct GoingRow {
    /// The category.
    pub category: String,
    /// The rule.
    pub rule: String,
    /// Why.
    pub because: String,
    /// How many.
    pub count: Count,
    /// How many of them a legal hold stops.
    pub held: Count,
}
