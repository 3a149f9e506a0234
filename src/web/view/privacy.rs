//! The privacy centre: every right within two clicks, and what there is to know about one's own data.

use askama::Template;

use super::{Clock, Count, Mark, Markup, Mistakes, Moment, PolicyNews, Shell, Size, State, Viewer};

/// The privacy centre.
#[derive(Template, Debug, Clone)]
#[template(path = "person/privacy.html", config = "src/web/askama.toml")]
pub struct Centre {
    /// What every page is given.
    pub shell: Shell,
    /// New versions of the policy that the person was told of and has not acknowledged, the oldest first.
    pub news: Vec<PolicyNews>,
    /// The categories of data that we hold about this person, fullest first.
    pub holdings: Vec<Holding>,
    /// The categories the policy declares of which there is nothing.
    pub nothing_of: Vec<String>,
    /// The purposes a person can switch, consent and objection alike.
    pub consents: Vec<Consent>,
    /// Requests, newest first.
    pub requests: Vec<RequestRow>,
    /// Who acts for this person, newest first.
    pub mandates: Vec<super::MandateRow>,
    /// Whether processing is restricted now, and since when.
    pub restricted_since: Option<Moment>,
    /// Since when the account is closed.
    pub closed_since: Option<Moment>,
    /// The legal holds that concern this person and of which they may know, a sentence each.
    pub on_hold: Vec<String>,
    /// How many staff reads there have been in the last year.
    pub staff_reads: Count,
    /// Pictures in all, for the words of the erase link.
    pub images: Count,
    /// The browser's Global Privacy Control signal was seen and is honoured.
    pub gpc: bool,
    /// The promised time for an answer: `72 hours`.
    pub promised: String,
}

/// What is held in one category.
#[derive(Debug, Clone)]
pub struct Holding {
    /// The category's name in people's words: `Pictures we made for you`.
    pub name: String,
    /// What it holds: `the finished pictures`.
    pub holds: String,
    /// How many items.
    pub count: Count,
    /// Their size, for files.
    pub size: Option<Size>,
    /// When they go, in a sentence: `When you delete them or close your account.`
    pub goes: String,
    /// When the next of them goes by itself, if a date is known.
    pub next: Option<Moment>,
    /// The clause of the policy: its id.
    pub clause_id: String,
    /// Where to look at the data themselves, if there is a page.
    pub href: Option<String>,
}

/// A purpose with its switch.
#[derive(Debug, Clone)]
pub struct Consent {
    /// The purpose's id in the document.
    pub purpose: String,
    /// What one allows: `Train models with my pictures`.
    pub title: String,
    /// What that means, sanitised.
    pub means: Markup,
    /// Whether it is allowed now.
    pub on: bool,
    /// Whether it runs unless one objects, rather than by consent.
    pub by_objection: bool,
    /// Why it is off regardless of the switch: a restriction, the browser's signal.
    pub overruled: Option<String>,
    /// What happened to it, newest first.
    pub history: Vec<ConsentEvent>,
}

/// A change of a consent.
#[derive(Debug, Clone)]
pub struct ConsentEvent {
    /// When.
    pub at: Moment,
    /// What, in words: `You switched it on`.
    pub says: String,
    /// Where its receipt is.
    pub receipt_href: Option<String>,
}

/// A request in a list.
#[derive(Debug, Clone)]
pub struct RequestRow {
    /// The reference number.
    pub reference: String,
    /// What was asked: `Take my data home`.
    pub title: String,
    /// When it was filed.
    pub filed: Moment,
    /// Where it stands, in words: `Being checked`.
    pub status: String,
    /// How it stands.
    pub state: State,
    /// The promised clock.
    pub promise: Clock,
    /// The law's clock.
    pub law: Clock,
}

/// The form for correcting one's own details.
#[derive(Template, Debug, Clone)]
#[template(path = "person/details.html", config = "src/web/askama.toml")]
pub struct Details {
    /// What every page is given.
    pub shell: Shell,
    /// The fields one can mend here.
    pub fields: Vec<DetailField>,
    /// Corrections made before, newest first.
    pub history: Vec<Correction>,
    /// What was wrong.
    pub mistakes: Mistakes,
}

/// A field of the account.
#[derive(Debug, Clone)]
pub struct DetailField {
    /// Its id, also the name it is sent under.
    pub id: String,
    /// Its label.
    pub label: String,
    /// What helps to fill it in.
    pub hint: String,
    /// What it holds now, or what was typed.
    pub value: String,
    /// The kind of input: `text`, `email`.
    pub kind: String,
    /// What a browser may fill in: `name`, `email`, `off`.
    pub autocomplete: String,
}

/// A correction made before.
#[derive(Debug, Clone)]
pub struct Correction {
    /// When.
    pub at: Moment,
    /// What, in words: `You changed your name.`
    pub says: String,
    /// Who was told of it: `Stripe, 5 May 2026`.
    pub told: String,
}

/// Who read one's data.
#[derive(Template, Debug, Clone)]
#[template(path = "person/readers.html", config = "src/web/askama.toml")]
pub struct Readers {
    /// What every page is given.
    pub shell: Shell,
    /// Reads by people, newest first.
    pub staff: Vec<Read>,
    /// Reads by others than people, counted: by the app for oneself, by a processor for an edit.
    pub machines: Vec<ReadSum>,
    /// Reads that were refused.
    pub refused: Vec<Read>,
    /// What was handed to an authority, or to somebody to protect rights.
    pub handed: Vec<HandedOver>,
    /// The page of older ones.
    pub older_href: Option<String>,
}

/// Something that was handed to an authority, or to somebody to protect rights.
#[derive(Debug, Clone)]
pub struct HandedOver {
    /// When.
    pub at: Moment,
    /// To whom.
    pub to: String,
    /// What, by the categories' titles.
    pub what: String,
    /// Why, and under which law.
    pub why: String,
}

/// One read.
#[derive(Debug, Clone)]
pub struct Read {
    /// When.
    pub at: Moment,
    /// Who, by role: `Support staff`.
    pub who: String,
    /// What: `your account details`.
    pub what: String,
    /// Why: `to answer your request R-2026-0147`.
    pub why: String,
    /// The ledger entry.
    pub proof_href: Option<String>,
}

/// Reads of one kind, counted.
#[derive(Debug, Clone)]
pub struct ReadSum {
    /// Who: `Flux Kontext, to show you your gallery`.
    pub who: String,
    /// How many in the last thirty days.
    pub count: Count,
    /// The last one.
    pub last: Moment,
}

/// Notices to the person.
#[derive(Template, Debug, Clone)]
#[template(path = "person/notices.html", config = "src/web/askama.toml")]
pub struct Notices {
    /// What every page is given.
    pub shell: Shell,
    /// The notices, newest first.
    pub notices: Vec<Notice>,
}

/// One notice.
#[derive(Debug, Clone)]
pub struct Notice {
    /// Its id.
    pub id: String,
    /// When it was sent.
    pub at: Moment,
    /// Its heading.
    pub title: String,
    /// Its text, sanitised.
    pub text: Markup,
    /// Whether it has been read.
    pub read: bool,
    /// Where to act on it.
    pub href: Option<String>,
    /// The words of that link.
    pub action: String,
}
