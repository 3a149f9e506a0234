//! Pages that need no sign-in and belong to nobody's data: the front door, and what is said when something went wrong.

use askama::Template;

use super::{Count, Mark, Moment, Shell, State, Viewer};

/// The front door of an installation.
#[derive(Template, Debug, Clone)]
#[template(path = "public/home.html", config = "src/web/askama.toml")]
pub struct Home {
    /// What every page is given.
    pub shell: Shell,
    /// The tenants served here.
    pub tenants: Vec<TenantCard>,
    /// The size of the ledger.
    pub ledger_size: Count,
    /// When the ledger was last signed, if it has been.
    pub signed_at: Option<Moment>,
    /// One-time sign-in links; filled in development mode only.
    pub demo: Vec<DemoDoor>,
}

/// A tenant on the front door.
#[derive(Debug, Clone)]
pub struct TenantCard {
    /// The brand.
    pub brand: String,
    /// What its addresses begin with: `/flux-kontext`.
    pub root: String,
    /// What it does, in a sentence.
    pub does: String,
    /// How its promises stand, taken together.
    pub state: State,
    /// The standing in figures: `23 of 24 promises kept`.
    pub standing: String,
    /// Since when the document in force is.
    pub effective: Moment,
}

/// A way in for someone trying the installation out.
#[derive(Debug, Clone)]
pub struct DemoDoor {
    /// Who one becomes: `Someone with pictures at Flux Kontext`.
    pub who: String,
    /// What to try there, in a sentence.
    pub try_this: String,
    /// The one-time address.
    pub href: String,
}

/// What is said when something went wrong.
#[derive(Template, Debug, Clone)]
#[template(path = "public/error.html", config = "src/web/askama.toml")]
pub struct ErrorPage {
    /// What every page is given.
    pub shell: Shell,
    /// What happened, as a heading: `There is no page here`.
    pub title: String,
    /// What happened, in a sentence or two that say nothing of anyone.
    pub happened: String,
    /// Whether what the visitor sent was kept, in a sentence: `Nothing was changed and nothing was lost.`
    pub unharmed: String,
    /// What to do now, in order.
    pub steps: Vec<String>,
    /// Where to go from here.
    pub ways: Vec<Way>,
    /// The reference the log knows this under.
    pub reference: String,
}

/// A link with its words.
#[derive(Debug, Clone)]
pub struct Way {
    /// The words.
    pub says: String,
    /// The address.
    pub href: String,
}
