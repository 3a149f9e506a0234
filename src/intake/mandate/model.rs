use serde::{Deserialize, Serialize};

use crate::base::{MandateId, RecordId, RequestId, StaffId, SubjectId, Timestamp};
use crate::intake::model::words;
use crate::policy::{Right, Role};
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

/// Who ends a mandate.
#[derive(Debug, Clone, Copy)]
pub(super) enum EndedBy<'w> {
    /// The person who gave it.
    Person,
    /// Its last day.
    LastDay,
    /// One of staff, and why.
    Staff(StaffId, Role, &'w str),
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
    /// When the person's answer was carried out, or was begun to be.
    pub(super) decided_at: Option<Timestamp>,
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

/// A mandate as staff see it: nothing of what the agent or the person wrote.
#[derive(Debug, Clone)]
pub struct DeskMandate {
    /// Its id.
    pub id: MandateId,
    /// Who gave it.
    pub subject: SubjectId,
    /// The API key that it was asked for with; none when it was asked for by the page.
    pub key: Option<String>,
    /// For which rights.
    pub rights: Vec<Right>,
    /// When the person gave it.
    pub given_at: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// How many requests were filed under it.
    pub requests: usize,
    /// Whether the agent is told how they stand.
    pub tells: bool,
    /// Whether it holds now.
    pub holds: bool,
    /// When it ended, if it does not hold.
    pub ended_at: Option<Timestamp>,
}
