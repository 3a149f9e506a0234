//! The public policy page: the document as people read it, and beside each clause whether it is being kept now.

use askama::Template;

use super::{Count, Mark, Markup, Moment, Shell, State, Upcoming, Viewer};

/// The policy page of a tenant.
#[derive(Template, Debug, Clone)]
#[template(path = "public/policy.html", config = "src/web/askama.toml")]
pub struct PolicyPage {
    /// What every page is given.
    pub shell: Shell,
    /// The document's title: `Privacy policy`.
    pub title: String,
    /// Who answers for the data, in the law's words the controller.
    pub controller: String,
    /// What stands before the first clause.
    pub preamble: Markup,
    /// Since when this version is in force.
    pub effective: Moment,
    /// The version as the document names itself.
    pub version: String,
    /// The document's SHA-256 in hexadecimal.
    pub hash: String,
    /// The ledger entry of its publication, if published.
    pub published: Option<ProofLink>,
    /// Whether the document shown is the one in force, or an earlier or later one.
    pub in_force: bool,
    /// The next version, if one is announced; only beside the one in force.
    pub upcoming: Option<Upcoming>,
    /// How many promises stand how, worst first; states with none are left out.
    pub tally: Vec<Tally>,
    /// When the promises were last checked.
    pub checked: Option<Moment>,
    /// The clauses in the document's order.
    pub clauses: Vec<Clause>,
    /// What this version changed, in plain sentences; empty for a first version.
    pub changes: Vec<Change>,
    /// The versions before this one, newest first.
    pub earlier: Vec<Version>,
    /// The address that answers questions.
    pub contact: String,
    /// Where the document's source can be had.
    pub source_href: String,
}

/// A link to an entry of the ledger.
#[derive(Debug, Clone)]
pub struct ProofLink {
    /// The entry's place in the ledger.
    pub index: Count,
    /// The entry's page.
    pub href: String,
}

/// How many promises stand in one way.
#[derive(Debug, Clone)]
pub struct Tally {
    /// The way.
    pub state: State,
    /// How many.
    pub count: Count,
}

/// A clause of the document.
#[derive(Debug, Clone)]
pub struct Clause {
    /// Its `id`, which links lead to.
    pub id: String,
    /// Its number: `3`, `3.1`.
    pub number: String,
    /// How deep it stands: 2 for a chapter, 3 below it.
    pub level: u8,
    /// Its heading.
    pub heading: String,
    /// Its prose, rendered and sanitised, with the numbers of its rules filled in.
    pub prose: Markup,
    /// What stands in the margin: one note for each promise of the clause.
    pub notes: Vec<MarginNote>,
    /// The rules as written in the document; empty for prose that promises nothing.
    pub rules: String,
    /// How many rules those are.
    pub rule_count: Count,
}

impl Clause {
    /// Whether it stands below a chapter.
    pub fn is_sub(&self) -> bool {
        self.level > 2
    }

    /// How the clause stands: as the worst of its notes.
    pub fn worst(&self) -> Option<State> {
        let order =
            [State::Broken, State::Overdue, State::AtRisk, State::Waiting, State::Attested, State::Kept];
        order.into_iter().find(|state| self.notes.iter().any(|note| note.state == *state))
    }
}

/// A note in the margin.
#[derive(Debug, Clone)]
pub struct MarginNote {
    /// How the promise stands.
    pub state: State,
    /// The figure first: `0 of 48,210 older than 48 hours`.
    pub figure: String,
    /// When that was found.
    pub checked: Option<Moment>,
    /// What proves it.
    pub proof: Option<ProofLink>,
}

/// One change of meaning between two versions.
#[derive(Debug, Clone)]
pub struct Change {
    /// The kind in a word or two: `Shorter`, `New recipient`.
    pub kind: String,
    /// What changed, as a sentence.
    pub says: String,
    /// The clause it is in, if that still exists.
    pub clause: Option<String>,
}

/// An earlier version of the document.
#[derive(Debug, Clone)]
pub struct Version {
    /// Its name.
    pub version: String,
    /// From when it was in force.
    pub effective: Moment,
    /// Until when.
    pub until: Option<Moment>,
    /// Its SHA-256.
    pub hash: String,
    /// Where to read it.
    pub href: String,
}

impl Version {
    /// The first twelve digits of the hash.
    pub fn short_hash(&self) -> String {
        self.hash.chars().take(12).collect()
    }
}
