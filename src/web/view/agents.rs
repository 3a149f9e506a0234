//! What somebody's agent asked for in their name.

use askama::Template;

use super::{Mark, Moment, Shell, State, Viewer};

/// The page on which a person says whether they want what an agent asked for.
#[derive(Template, Debug, Clone)]
#[template(path = "person/agent-asks.html", config = "src/web/askama.toml")]
pub struct AgentAsks {
    /// What every page is given.
    pub shell: Shell,
    /// The agent's request.
    pub id: String,
    /// Who asks.
    pub agent: String,
    /// The agent's site.
    pub site: String,
    /// Whether everything would be erased; else everything would be made ready to take home.
    pub erases: bool,
    /// Whether it waits for an answer.
    pub waits: bool,
    /// Until when it can be answered.
    pub until: Moment,
    /// The number of the rights request.
    pub reference: String,
    /// Where the agent wants its people back.
    pub back: String,
    /// Whether a link has to be sent first.
    pub step_up: bool,
}
