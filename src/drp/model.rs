use serde::Serialize;

use crate::base::{Clock, Entropy, RequestId, SubjectId, TenantId, Timestamp};
use crate::policy::Right;
use crate::requests::{Ask, Request, State};

/// What an agent can ask for in the words of the protocol, and the right that it uses here.
const EXERCISES: [(&str, Right); 4] = [
    ("access", Right::Access),
    ("access:categories", Right::Access),
    ("access:specific", Right::Access),
    ("deletion", Right::Erasure),
];

/// What the protocol calls a right. `None` for one that no agent can use by it.
pub fn exercise_of(right: Right) -> Option<&'static str> {
    EXERCISES.iter().find(|(_, known)| *known == right).map(|(name, _)| *name)
}

/// What was decided about a request without asking the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The agent took it back.
    Revoked,
    /// The claim does not apply here: nothing is sold, or the document does not name the right.
    NotCovered,
    /// The message names no address that could be one.
    NotEnough,
}

impl Verdict {
    const ALL: [Self; 3] = [Self::Revoked, Self::NotCovered, Self::NotEnough];

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Revoked => "revoked",
            Self::NotCovered => "claim_not_covered",
            Self::NotEnough => "insuf_verification",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|v| v.as_str() == text)
    }
}

/// What a person said to what an agent asks in their name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    Yes,
    No,
}

impl Said {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        [Self::Yes, Self::No].into_iter().find(|said| said.as_str() == text)
    }
}

/// What an agent asked for.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    /// A UUID.
    pub(super) id: String,
    pub(super) tenant: TenantId,
    pub(super) agent: String,
    pub(super) agent_request_id: Option<String>,
    pub(super) exercise: String,
    /// In whose name, if the address is somebody's who is still here.
    pub(super) subject: Option<SubjectId>,
    /// The rights request, once it is filed: the agent's own, or one that the person has open for the same thing.
    pub(super) request: Option<RequestId>,
    /// Whether the rights request is there because this agent asked.
    pub(super) own: bool,
    /// What the person said to it.
    pub(super) answer: Option<Said>,
    pub(super) verdict: Option<Verdict>,
    pub(super) received_at: Timestamp,
    /// Until when the person can confirm it.
    pub(super) expires_at: Timestamp,
    pub(super) callback: Option<String>,
    /// What the agent was told last.
    pub(super) told: String,
    pub(super) tries: i64,
}

impl Asked {
    /// Whether the person has said yes to it. That they want the same is no word to this agent: they may have asked for it
    /// themself, and the request that is there because the agent asked became theirs.
    pub(super) fn is_confirmed(&self) -> bool {
        self.answer == Some(Said::Yes)
    }

    /// What it is for, if it is for something that is done here.
    pub(super) fn ask(&self) -> Option<Ask> {
        let (_, right) = EXERCISES.iter().find(|(name, _)| *name == self.exercise)?;
        Ask::of(*right, None)
    }
}

/// A fresh UUID, as the protocol wants it.
pub(super) fn request_id(clock: &Clock, entropy: &Entropy) -> String {
    let millis = u64::try_from(clock.now().micros() / 1000).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(millis, &entropy.bytes::<10>()).into_uuid().to_string()
}

/// Whether this can be such an id, as we write it. What cannot be is looked for nowhere.
pub(super) fn is_request_id(text: &str) -> bool {
    uuid::Uuid::try_parse(text).is_ok_and(|id| id.to_string() == text)
}

/// How a request stands, in the words of the protocol (1.0, section 3.03).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Status {
    /// The request.
    pub request_id: String,
    /// What the agent calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent_request_id: Option<String>,
    /// `in_progress`, `fulfilled`, `revoked`, `denied`, `expired`.
    pub status: &'static str,
    /// Why: `need_user_verification`, `claim_not_covered`, …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// When it came.
    pub received_at: String,
    /// By when there is an answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_by: Option<String>,
    /// A sentence on it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub processing_details: Option<&'static str>,
    /// Where the person confirms it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_verification_url: Option<String>,
    /// Until when they can, or the result can be had.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// Where the person, and nobody else, finds the result.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub results_url: Option<String>,
}

impl Status {
    pub(super) fn of(asked: &Asked, request: Option<&Request>, root: &str, now: Timestamp) -> Self {
        let blank = Self {
            request_id: asked.id.clone(),
            agent_request_id: asked.agent_request_id.clone(),
            status: "expired",
            reason: None,
            received_at: asked.received_at.rfc3339(),
            expected_by: None,
            processing_details: None,
            user_verification_url: None,
            expires_at: None,
            results_url: None,
        };
        let denied = |reason, details| Self {
            status: "denied",
            reason: Some(reason),
            processing_details: Some(details),
            ..blank.clone()
        };
        match asked.verdict {
            Some(Verdict::Revoked) => return Self { status: "revoked", ..blank },
            Some(v @ Verdict::NotCovered) => {
                let why = if asked.ask().is_some() {
                    "The privacy policy does not name this right."
                } else {
                    "Nothing is sold or shared here, so there is nothing to opt out of."
                };
                return denied(v.as_str(), why);
            }
            Some(v @ Verdict::NotEnough) => {
                return denied(
                    v.as_str(),
                    "The person is known by an e-mail address alone; the message names none.",
                );
            }
            None => {}
        }
        // The same for an address that nobody has, for somebody who has not answered, and for somebody who said no; and
        // of what the person asked for themself an agent learns nothing before they have said yes to it.
        if !asked.is_confirmed() {
            let waits = Self {
                status: "in_progress",
                reason: Some("need_user_verification"),
                user_verification_url: Some(format!("{root}/privacy/agents/{}", asked.id)),
                expires_at: Some(asked.expires_at.rfc3339()),
                ..blank.clone()
            };
            return if now < asked.expires_at { waits } else { blank };
        }
        request.map_or(blank.clone(), |request| request_status(blank, request, root))
    }

    /// Whether nothing more happens.
    pub fn is_final(&self) -> bool {
        self.status != "in_progress"
    }

    /// What tells two apart: the status with its reason.
    pub(super) fn word(&self) -> String {
        format!("{}/{}", self.status, self.reason.unwrap_or_default())
    }
}

/// How a request stands that its person has confirmed.
fn request_status(blank: Status, request: &Request, root: &str) -> Status {
    let denied = |reason, details| Status {
        status: "denied",
        reason: Some(reason),
        processing_details: Some(details),
        ..blank.clone()
    };
    let state = match (request.state, request.outcome.as_deref()) {
        (State::Closed, Some("refused")) => State::Refused,
        (State::Closed, Some("no-data")) => State::NoData,
        (State::Closed, _) => State::Fulfilled,
        (state, _) => state,
    };
    match state {
        State::Withdrawn => Status { status: "revoked", ..blank },
        State::Refused => denied("other", "It was refused; the person has the reasons in a letter."),
        State::NoData => denied("no_match", "Nothing is held."),
        State::Fulfilled | State::PartlyFulfilled | State::Closed => Status {
            status: "fulfilled",
            results_url: Some(results(request, root)),
            expires_at: request.archive.map(|archive| archive.until.rfc3339()),
            ..blank
        },
        _ => Status {
            status: "in_progress",
            expected_by: Some(request.due.promise.rfc3339()),
            processing_details: Some("The person has confirmed it."),
            ..blank
        },
    }
}

/// Where the result lies: the page of an erasure names nobody, the page of a copy opens for its owner alone.
fn results(request: &Request, root: &str) -> String {
    match request.right {
        Right::Erasure => format!("{root}/erased/{}", request.id),
        _ => format!("{root}/privacy/requests/{}", request.reference),
    }
}

/// What a person is asked to confirm.
#[derive(Debug, Clone)]
pub struct Confirmation {
    /// The number of the rights request.
    pub reference: String,
    /// Whether it erases everything; else it is for a copy of everything.
    pub erases: bool,
    /// Whether it still waits for their word.
    pub waits: bool,
    /// Who asks in their name.
    pub agent: String,
    /// The agent's own site: the only place that may be returned to.
    pub site: String,
    /// Until when it can be confirmed.
    pub until: Timestamp,
}
