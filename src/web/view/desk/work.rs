//! What needs a human: the overview, the queue of requests, one request, and finding a person.

use askama::Template;

use super::ProviderDoor;
use crate::web::view::{
    Choice, Clock, Count, Desk, Fact, Mark, Mistakes, Moment, Recipient, Shell, State, Stays, Step, Viewer,
};

/// The overview.
#[derive(Template, Debug, Clone)]
#[template(path = "desk/overview.html", config = "src/web/askama.toml")]
pub struct Overview {
    /// What every page of the desk is given.
    pub desk: Desk,
    /// The figures at the top, four to six of them.
    pub figures: Vec<Figure>,
    /// Requests due soonest.
    pub due: Vec<QueueRow>,
    /// Promises that are not kept, or soon will not be.
    pub promises: Vec<PromiseRow>,
    /// Jobs that have failed and wait for a hand.
    pub jobs: Vec<FailedJob>,
    /// How many recovery codes its reader has left, if they have a second factor.
    pub codes_left: Option<u32>,
}

/// A figure with its name.
#[derive(Debug, Clone)]
pub struct Figure {
    /// Its name: `Overdue for erasure`.
    pub name: String,
    /// The figure.
    pub value: String,
    /// What it says: `of 48,210 under a rule`.
    pub note: String,
    /// How it stands.
    pub state: State,
    /// Where it is explained.
    pub href: String,
}

/// A promise in a list.
#[derive(Debug, Clone)]
pub struct PromiseRow {
    /// The clause's number.
    pub number: String,
    /// Its heading.
    pub clause: String,
    /// Its id on the policy page.
    pub clause_id: String,
    /// What is promised, in a few words.
    pub promise: String,
    /// The kind of the rule: `retention`, `attestation`.
    pub kind: String,
    /// The rule's name: `retention.input-image`.
    pub rule: String,
    /// How it stands.
    pub state: State,
    /// The figure behind it.
    pub figure: String,
    /// When it was last checked.
    pub checked: Option<Moment>,
    /// The ledger entry that proves it.
    pub proof_href: Option<String>,
    /// All that is known of it.
    pub href: String,
}

/// A job that failed.
#[derive(Debug, Clone)]
pub struct FailedJob {
    /// Its id.
    pub id: String,
    /// Its kind: `provider.delete`.
    pub kind: String,
    /// How often it was tried.
    pub tries: Count,
    /// Why it failed, without personal data.
    pub cause: String,
    /// When it will be tried again; `None` when it waits for a hand.
    pub next: Option<Moment>,
}

/// The queue of requests.
#[derive(Template, Debug, Clone)]
#[template(path = "desk/requests.html", config = "src/web/askama.toml")]
pub struct Queue {
    /// What every page of the desk is given.
    pub desk: Desk,
    /// What the list is narrowed to, by right; the first is all.
    pub rights: Vec<Choice>,
    /// What it is narrowed to, by state; the first is all open ones.
    pub states: Vec<Choice>,
    /// How many there are under this filter.
    pub count: Count,
    /// The rows, due soonest first.
    pub rows: Vec<QueueRow>,
    /// Letters that came in and wait for their writers; on the first page alone.
    pub letters: Vec<LetterRow>,
    /// The next page.
    pub next_href: Option<String>,
}

/// A letter that waits for its writer to confirm it. Names nobody.
#[derive(Debug, Clone)]
pub struct LetterRow {
    /// When it came.
    pub received: Moment,
    /// The right it seems to use, in a word; empty when it names none.
    pub right: String,
    /// What is known of where it came from: `DKIM aligned, DMARC pass, SPF none`.
    pub proof: String,
    /// Until when its writer can confirm it.
    pub until: Moment,
    /// How often it came again, or others of the same writer.
    pub again: Count,
}

/// A request in the queue. Names nobody.
#[derive(Debug, Clone)]
pub struct QueueRow {
    /// The reference number.
    pub reference: String,
    /// The right, in a word: `Erasure`.
    pub right: String,
    /// The state in words: `Collecting`.
    pub status: String,
    /// How it came: `page`, `api`, `mail`.
    pub channel: String,
    /// When it was received.
    pub received: Moment,
    /// The promised clock.
    pub promise: Clock,
    /// The law's clock.
    pub law: Clock,
    /// Who has it; empty for the program itself.
    pub holder: String,
    /// What it is stuck on, if it is.
    pub stuck: Option<String>,
}

/// One request with all that was done for it.
#[derive(Template, Debug, Clone)]
#[template(path = "desk/request.html", config = "src/web/askama.toml")]
pub struct RequestDetail {
    /// What every page of the desk is given.
    pub desk: Desk,
    /// The request.
    pub row: QueueRow,
    /// The pseudonym of the person: their subject id.
    pub subject: String,
    /// How identity was proved, and when.
    pub identity: Vec<Fact>,
    /// What was asked for, each answer with its name.
    pub asked: Vec<Fact>,
    /// What the person wrote, once somebody has asked to read it.
    pub words: Option<String>,
    /// Where to read what the person and staff wrote, when there is anything and it is not shown: a look that the
    /// ledger records.
    pub read_href: Option<String>,
    /// Whether it can be read once whoever looks has written down why.
    pub reason_wanted: bool,
    /// A refusal that waits for a second person.
    pub proposal: Option<Proposed>,
    /// By when this desk wants it done, seven days before the law.
    pub internal_due: Moment,
    /// The way it has come and has to go.
    pub steps: Vec<Step>,
    /// Each store and what was found there: place and finding.
    pub stores: Vec<Fact>,
    /// Each recipient.
    pub recipients: Vec<Recipient>,
    /// What stays.
    pub stays: Vec<Stays>,
    /// Notes by staff, newest first.
    pub notes: Vec<Note>,
    /// What can be done now.
    pub actions: Vec<Action>,
    /// The receipt, when closed.
    pub receipt_href: Option<String>,
    /// What was wrong with the form that was sent.
    pub mistakes: Mistakes,
}

/// A refusal as it was proposed.
#[derive(Debug, Clone)]
pub struct Proposed {
    /// When.
    pub at: Moment,
    /// By whom.
    pub by: String,
    /// The ground and its law.
    pub ground: String,
    /// The words that the person would read.
    pub says: String,
}

/// A note by staff.
#[derive(Debug, Clone)]
pub struct Note {
    /// When.
    pub at: Moment,
    /// By whom.
    pub by: String,
    /// The words.
    pub says: String,
}

/// Something staff can do with a request.
#[derive(Debug, Clone)]
pub struct Action {
    /// Its id, sent as the last part of the address: `retry`, `extend`.
    pub id: String,
    /// The words on the button: `Extend by two months`.
    pub button: String,
    /// What it does, and what is told to the person.
    pub explains: String,
    /// Whether a reason must be given.
    pub needs_reason: bool,
    /// The values to choose one from that is corrected; empty when none is.
    pub fields: Vec<Choice>,
    /// The grounds to choose one from, each with its law; empty when none is needed.
    pub grounds: Vec<Choice>,
    /// Whether a second person must agree.
    pub four_eyes: bool,
    /// Whether it refuses or destroys something.
    pub grave: bool,
}

/// Finding a person by what they gave us. Shows no content.
#[derive(Template, Debug, Clone)]
#[template(path = "desk/people.html", config = "src/web/askama.toml")]
pub struct People {
    /// What every page of the desk is given.
    pub desk: Desk,
    /// What was looked for; not put into the address.
    pub query: String,
    /// What was found; `None` before a search.
    pub found: Option<Vec<PersonRow>>,
    /// What this role may look at, and for which purpose.
    pub looks: Vec<Choice>,
    /// Looks of others that wait for a second person.
    pub waiting: Vec<LookWaiting>,
    /// What was wrong.
    pub mistakes: Mistakes,
}

/// A person as the desk sees them.
#[derive(Debug, Clone)]
pub struct PersonRow {
    /// The subject id.
    pub subject: String,
    /// Since when there is an account.
    pub since: Moment,
    /// When they were last active.
    pub last_active: Option<Moment>,
    /// What is held, by category: name and number.
    pub holdings: Vec<Fact>,
    /// Whether processing is restricted.
    pub restricted: bool,
    /// Whether a legal hold is on them.
    pub held: bool,
    /// Their requests' references.
    pub requests: Vec<String>,
}

/// A look that waits for a second member of staff.
#[derive(Debug, Clone)]
pub struct LookWaiting {
    /// Its id.
    pub id: String,
    /// Who wants to look.
    pub staff: String,
    /// At whose data.
    pub subject: String,
    /// For which purpose.
    pub purpose: String,
    /// Since when.
    pub at: Moment,
}

/// What a look showed.
#[derive(Template, Debug, Clone)]
#[template(path = "desk/look.html", config = "src/web/askama.toml")]
pub struct Look {
    /// What every page of the desk is given.
    pub desk: Desk,
    /// Whose: the subject id.
    pub subject: String,
    /// What: the category's title.
    pub title: String,
    /// For what: the purpose's title.
    pub purpose: String,
    /// Category and purpose, as the form sends them.
    pub what: String,
    /// Whether a second person has to agree first.
    pub waits: bool,
    /// The things, oldest first.
    pub things: Vec<Looked>,
    /// Whether there are more.
    pub more: bool,
}

/// One thing that was looked at.
#[derive(Debug, Clone)]
pub struct Looked {
    /// Since when it is as it is.
    pub at: Moment,
    /// Its fields.
    pub facts: Vec<Fact>,
}

/// The door of the desk.
#[derive(Template, Debug, Clone)]
#[template(path = "desk/sign-in.html", config = "src/web/askama.toml")]
pub struct StaffSignIn {
    /// What every page is given.
    pub shell: Shell,
    /// The address typed before.
    pub email: String,
    /// The way to the staff's identity provider, if there is one.
    pub provider: Option<ProviderDoor>,
    /// What was wrong.
    pub mistakes: Mistakes,
}

/// The page after asking for a link to the desk: the same words for every address.
#[derive(Template, Debug, Clone)]
#[template(path = "desk/mail-sent.html", config = "src/web/askama.toml")]
pub struct StaffMailSent {
    /// What every page is given.
    pub shell: Shell,
    /// The address as typed.
    pub email: String,
    /// How long the link lives, in words.
    pub lives: String,
    /// In development mode, the link itself.
    pub development_link: Option<String>,
}
