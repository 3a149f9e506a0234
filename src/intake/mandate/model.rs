use serde::{Deserialize, Serialize};

use crate::base::{MandateId, RecordId, RequestId, SubjectId, Timestamp};
use crate::intake::model::words;
use crate::policy::Right;
use crate::requests::Ask;
use crate::subjects::Email;

words!(
    /// Where a mandate stands.
    MandateState {
        /// The person was asked, if they are known.
        Asked = "asked",
        /// The person's answer is being carried out.
        Deciding = "deciding",
        /// The person said yes.
        Confirmed = "confirmed",
        /// The person said no.
        Declined = "declined",
        /// It is over.
        Ended = "ended",
    }
);

/// What is asked for under a mandate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// What.
    pub ask: Ask,
    /// What the agent wrote.
    pub words: String,
}

/// A mandate that an agent wants confirmed, and the first thing they ask for under it.
#[derive(Debug, Clone)]
pub struct Proposal {
    /// The address of the person in whose name they ask.
    pub person: Email,
    /// Who the agent is, as the person is told.
    pub agent: String,
    /// Where the agent can be written to.
    pub contact: Email,
    /// Which rights the mandate is for.
    pub rights: Vec<Right>,
    /// Until when it holds.
    pub until: Timestamp,
    /// Whether the agent wants to be told how requests stand. The person decides.
    pub tells: bool,
    /// What they ask for first.
    pub wanted: Wanted,
}

/// What an agent is told of a mandate they asked for: the same whether the person is known or not.
#[derive(Debug, Clone)]
pub struct Asked {
    /// Its id.
    pub id: MandateId,
    /// Until when the person can answer.
    pub answer_until: Timestamp,
}

/// What is kept of a proposal until it is decided: sealed.
#[derive(Serialize, Deserialize)]
pub(super) struct KeptProposal {
    pub(super) agent: String,
    pub(super) contact: String,
    pub(super) right: String,
    pub(super) about: Option<String>,
    pub(super) words: String,
}

/// A mandate as its row has it.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) id: MandateId,
    pub(super) subject: Option<SubjectId>,
    pub(super) key_id: Option<String>,
    pub(super) state: MandateState,
    pub(super) rights: Vec<Right>,
    pub(super) tells: bool,
    pub(super) sealed: Option<Vec<u8>>,
    pub(super) record: Option<RecordId>,
    pub(super) requests: Vec<RequestId>,
    pub(super) asked_at: Timestamp,
    pub(super) answer_until: Timestamp,
    pub(super) until: Timestamp,
    pub(super) ended_at: Option<Timestamp>,
}

/// What the holder of a link is asked about.
#[derive(Debug, Clone)]
pub struct MandateOpened {
    /// Who wants to act for them.
    pub agent: String,
    /// Where that one can be written to.
    pub contact: String,
    /// For which rights.
    pub rights: Vec<Right>,
    /// Until when.
    pub until: Timestamp,
    /// Whether the agent wants to be told how requests stand.
    pub tells: bool,
    /// What is asked for first.
    pub wanted: Wanted,
    /// Until when they can answer.
    pub answer_until: Timestamp,
}

/// A mandate as the person who gave it sees it.
#[derive(Debug, Clone)]
pub struct Mandate {
    /// Its id.
    pub id: MandateId,
    /// Who acts for them.
    pub agent: String,
    /// Where that one can be written to.
    pub contact: String,
    /// For which rights.
    pub rights: Vec<Right>,
    /// Until when.
    pub until: Timestamp,
    /// Whether the agent is told how requests stand.
    pub tells: bool,
    /// Whether it holds now.
    pub holds: bool,
    /// When it ended before its day.
    pub ended_at: Option<Timestamp>,
}
