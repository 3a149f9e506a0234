//! The registers: who receives data, who read them, and what the ledger says.

use askama::Template;

use crate::web::view::{Choice, Count, Desk, LedgerRow, Mark, Mistakes, Moment, Recipient, State, Viewer};

/// Processors, and what left the house.
#[derive(Template, Debug, Clone)]
#[template(path = "desk/processors.html", config = "src/web/askama.toml")]
pub struct Processors {
    /// What every page of the desk is given.
    pub desk: Desk,
    /// The processors that the document names.
    pub processors: Vec<ProcessorRow>,
    /// What is still to be done or proved there, the most pressing first.
    pub tasks: Vec<Recipient>,
    /// What left, newest first.
    pub disclosures: Vec<DisclosureRow>,
    /// What people handed over, newest first.
    pub handed: Vec<HandoverRow>,
    /// The form to enter one, for who may.
    pub form: Option<HandoverForm>,
    /// What is wrong with what was entered.
    pub mistakes: Mistakes,
}

/// Something that was handed to an authority, or to somebody to protect rights.
#[derive(Debug, Clone)]
pub struct HandoverRow {
    /// When.
    pub at: Moment,
    /// Why.
    pub why: String,
    /// What, by category.
    pub what: String,
    /// Who of staff decided it.
    pub by: String,
    /// Until when the person must not be told.
    pub silent: Option<Moment>,
    /// The ledger entries.
    pub proof_href: String,
}

/// What was typed into the form for such a thing.
#[derive(Debug, Clone)]
pub struct HandoverForm {
    /// Whose data.
    pub whom: String,
    /// Whether it was to protect rights, and not for an authority.
    pub protection: bool,
    /// The categories.
    pub categories: Vec<Choice>,
    /// To whom.
    pub to: String,
    /// Under which law.
    pub law: String,
    /// What exactly.
    pub what: String,
    /// On which day.
    pub day: String,
    /// Until when the person must not be told.
    pub silent: String,
}

/// A processor.
#[derive(Debug, Clone)]
pub struct ProcessorRow {
    /// Its name.
    pub name: String,
    /// Its id in the document.
    pub id: String,
    /// Where it works: `United States`.
    pub place: String,
    /// What it is for.
    pub purpose: String,
    /// The categories it may receive.
    pub categories: Vec<String>,
    /// The longest that data may live there.
    pub at_most: String,
    /// How deletion there is proved.
    pub proof: String,
    /// The contract, and since when.
    pub contract: String,
    /// Items there now, as far as we know.
    pub live: Count,
    /// Deletions asked for and not yet proved.
    pub pending: Count,
    /// How it stands.
    pub state: State,
}

/// Something that left the house.
#[derive(Debug, Clone)]
pub struct DisclosureRow {
    /// When.
    pub at: Moment,
    /// To whom.
    pub to: String,
    /// What, by category.
    pub what: String,
    /// For what purpose.
    pub ground: String,
    /// How its copy there stands.
    pub state: State,
    /// The same in words: `gone there, the deletion was confirmed`.
    pub standing: String,
    /// The ledger entry.
    pub proof_href: String,
}

/// The ledger, for staff.
#[derive(Template, Debug, Clone)]
#[template(path = "desk/ledger.html", config = "src/web/askama.toml")]
pub struct DeskLedger {
    /// What every page of the desk is given.
    pub desk: Desk,
    /// How many entries there are.
    pub size: Count,
    /// Entries not yet in a signed tree.
    pub unsigned: Count,
    /// The root, in base64.
    pub root: String,
    /// When it was last signed.
    pub signed_at: Option<Moment>,
    /// The checkpoint, word for word.
    pub checkpoint: String,
    /// How the last full check went.
    pub verified: State,
    /// Its finding, as a sentence.
    pub finding: String,
    /// When that was.
    pub verified_at: Option<Moment>,
    /// The kinds the list can be narrowed to; the first is all.
    pub kinds: Vec<Choice>,
    /// The first day shown, `2026-05-01`, or empty.
    pub from: String,
    /// The last day shown, or empty.
    pub to: String,
    /// The rows.
    pub rows: Vec<LedgerRow>,
    /// The next page.
    pub next_href: Option<String>,
}

/// Who read what, and why.
#[derive(Template, Debug, Clone)]
#[template(path = "desk/reads.html", config = "src/web/askama.toml")]
pub struct AccessReview {
    /// What every page of the desk is given.
    pub desk: Desk,
    /// The roles the list can be narrowed to; the first is all.
    pub roles: Vec<Choice>,
    /// The first day shown, or empty.
    pub from: String,
    /// The last day shown, or empty.
    pub to: String,
    /// Whether only refusals are shown.
    pub refused_only: bool,
    /// How many reads there are under this filter.
    pub count: Count,
    /// How many of them were refused.
    pub refused: Count,
    /// The rows, newest first.
    pub rows: Vec<ReadRow>,
    /// The same list as CSV.
    pub csv_href: String,
    /// The next page.
    pub next_href: Option<String>,
}

/// A read, allowed or refused.
#[derive(Debug, Clone)]
pub struct ReadRow {
    /// When.
    pub at: Moment,
    /// Who: a member of staff by name, an app by key name, the program by job.
    pub who: String,
    /// In what role.
    pub role: String,
    /// Whose: the subject id.
    pub subject: String,
    /// What: the category.
    pub category: String,
    /// For what purpose.
    pub purpose: String,
    /// The reference it was for, if any.
    pub reference: String,
    /// Why it was refused, if it was.
    pub refused: Option<String>,
    /// The ledger entry.
    pub proof_href: Option<String>,
}
