//! Asking for something: one question a page, a summary to confirm, a reference number, a page to come back to.

use askama::Template;

use crate::speech::key;

use super::{Choice, Clock, Fact, Mark, Mistakes, Moment, RequestRow, Shell, Size, State, Step, Viewer};

/// The question: what is asked for, and only what is needed to do it.
#[derive(Template, Debug, Clone)]
#[template(path = "person/request-question.html", config = "src/web/askama.toml")]
pub struct RequestQuestion {
    /// What every page is given.
    pub shell: Shell,
    /// The right's id: `access`, `restriction`.
    pub right: String,
    /// The question as a heading: `What should we stop doing?`
    pub question: String,
    /// What one gets, in a sentence or two.
    pub explains: Vec<String>,
    /// The choices, if there are any.
    pub choices: Vec<Choice>,
    /// Whether several of them may be taken.
    pub many: bool,
    /// The label of a text field, if one is needed.
    pub text_label: Option<String>,
    /// What helps to fill that in.
    pub text_hint: String,
    /// What was typed before.
    pub text: String,
    /// The promised time for an answer.
    pub promised: String,
    /// What was wrong.
    pub mistakes: Mistakes,
}

/// The summary before it is filed.
#[derive(Template, Debug, Clone)]
#[template(path = "person/request-check.html", config = "src/web/askama.toml")]
pub struct RequestCheck {
    /// What every page is given.
    pub shell: Shell,
    /// The right's id.
    pub right: String,
    /// What is asked: `Take my data home`.
    pub title: String,
    /// What was answered, each with its name.
    pub answers: Vec<Fact>,
    /// What the form sends again: name and value.
    pub carry: Vec<Fact>,
    /// What will happen, in order.
    pub next: Vec<String>,
    /// By when, at the latest, as promised.
    pub promised_by: Moment,
    /// By when the law wants it.
    pub law_by: Moment,
    /// The words on the button: `File this request`.
    pub button: String,
    /// Whether signing in again is needed first.
    pub step_up: bool,
}

/// The page after filing.
#[derive(Template, Debug, Clone)]
#[template(path = "person/request-filed.html", config = "src/web/askama.toml")]
pub struct RequestFiled {
    /// What every page is given.
    pub shell: Shell,
    /// The reference number.
    pub reference: String,
    /// What was asked.
    pub title: String,
    /// What happens next, in order.
    pub next: Vec<String>,
    /// By when, as promised.
    pub promised_by: Moment,
    /// By when the law wants it.
    pub law_by: Moment,
    /// The address we write to, shortened: `n…@example.org`.
    pub mail_to: String,
}

/// Where a request stands.
#[derive(Template, Debug, Clone)]
#[template(path = "person/request-status.html", config = "src/web/askama.toml")]
#[expect(clippy::struct_excessive_bools, reason = "each is a yes or no of the page")]
pub struct RequestStatus {
    /// What every page is given.
    pub shell: Shell,
    /// The request as the lists show it.
    pub row: RequestRow,
    /// Where it stands, in one or two sentences.
    pub says: String,
    /// The way it has come and has to go.
    pub steps: Vec<Step>,
    /// The archive, when it can be had.
    pub archive: Option<ArchiveReady>,
    /// How it was at each recipient.
    pub recipients: Vec<Recipient>,
    /// What stays, and why, after an erasure in part.
    pub stays: Vec<Stays>,
    /// The answer in words, if there is one: reasons of a refusal, what was done.
    pub answer: Vec<String>,
    /// The supervisory authority one can turn to, and the sentence on courts; set when something was refused.
    pub remedy: Option<String>,
    /// The receipt's page.
    pub receipt_href: Option<String>,
    /// Whether it waits for its owner to say that it is theirs.
    pub can_confirm: bool,
    /// Whether signing in again is needed before they can.
    pub step_up: bool,
    /// Whether it can still be taken back.
    pub can_withdraw: bool,
    /// Whether the page should look again by itself.
    pub reload: bool,
}

/// An archive ready to be taken home.
#[derive(Debug, Clone)]
pub struct ArchiveReady {
    /// Where it is streamed from.
    pub href: String,
    /// Its file name.
    pub file_name: String,
    /// Its size, known beforehand.
    pub size: Size,
    /// What is inside, each with its number: `Pictures`, `214`.
    pub inside: Vec<Fact>,
    /// Until when it can be had.
    pub until: Moment,
    /// When it was last downloaded.
    pub taken: Option<Moment>,
}

/// A recipient that had to be told.
#[derive(Debug, Clone)]
pub struct Recipient {
    /// Who.
    pub name: String,
    /// What they were told, and what they said.
    pub says: String,
    /// How it stands there.
    pub state: State,
    /// When that was known.
    pub at: Option<Moment>,
}

/// Something that stays after an erasure.
#[derive(Debug, Clone)]
pub struct Stays {
    /// What.
    pub what: String,
    /// Why, with the law's name.
    pub why: String,
    /// Until when.
    pub until: Option<Moment>,
}

impl RequestStatus {
    /// The clocks with their names, promise first.
    pub fn clocks(&self) -> [(&'static str, Clock); 2] {
        [(key("Our promise"), self.row.promise), (key("The law"), self.row.law)]
    }
}
