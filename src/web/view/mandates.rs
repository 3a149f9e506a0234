//! Agents and mandates: the form of whoever asks for somebody, and the question to the person.

use askama::Template;

use super::{Choice, Mark, Mistakes, Moment, Shell, Viewer};

/// The form of an agent.
#[derive(Template, Debug, Clone)]
#[template(path = "public/agent.html", config = "src/web/askama.toml")]
pub struct AgentForm {
    /// What every page is given.
    pub shell: Shell,
    /// What was typed before, by field: `agent`, `contact`, `person`, `until`, `text`.
    pub typed: AgentTyped,
    /// What can be asked for first.
    pub choices: Vec<Choice>,
    /// The rights a mandate can be for.
    pub rights: Vec<Choice>,
    /// What was wrong.
    pub mistakes: Mistakes,
}

/// What an agent typed.
#[derive(Debug, Clone, Default)]
pub struct AgentTyped {
    /// Who they are.
    pub agent: String,
    /// Their address.
    pub contact: String,
    /// The person's address.
    pub person: String,
    /// The mandate's last day, `2027-06-30`.
    pub until: String,
    /// What they write.
    pub text: String,
}

/// The question to the person.
#[derive(Template, Debug, Clone)]
#[template(path = "public/mandate.html", config = "src/web/askama.toml")]
pub struct MandateQuestion {
    /// What every page is given.
    pub shell: Shell,
    /// The token to send back.
    pub token: String,
    /// Who wants to act for them.
    pub agent: String,
    /// Where that one can be written to.
    pub contact: String,
    /// For which rights, each in the person's words.
    pub rights: Vec<String>,
    /// What is asked for first.
    pub first: String,
    /// What the agent wrote.
    pub words: String,
    /// Until when the mandate would hold.
    pub until: Moment,
    /// Until when the link works.
    pub answer_until: Moment,
    /// Whether the agent wants to be told how requests stand.
    pub tells: bool,
}

/// A mandate in the privacy centre.
#[derive(Debug, Clone)]
pub struct MandateRow {
    /// Its id.
    pub id: String,
    /// Who acts.
    pub agent: String,
    /// Where they can be written to.
    pub contact: String,
    /// For which rights, in a line.
    pub rights: String,
    /// How it stands, in a sentence.
    pub says: String,
    /// Whether it holds now.
    pub holds: bool,
}
