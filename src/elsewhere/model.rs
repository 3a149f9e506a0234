use crate::base::{RequestId, SubjectId, TenantId, Timestamp};

/// A person's account at a recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The row's id.
    pub id: String,
    /// The recipient, by its name in the documents.
    pub processor: String,
    /// What it is called there, sealed.
    pub(super) sealed: Option<Vec<u8>>,
    /// Since when it is known here.
    pub linked_at: Timestamp,
}

/// What is to be done at a recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskKind {
    /// Correct what it holds.
    Correct,
    /// Erase it.
    Erase,
}

impl TaskKind {
    pub(super) const ALL: [Self; 2] = [Self::Correct, Self::Erase];

    /// As the database and the API write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Correct => "correct",
            Self::Erase => "erase",
        }
    }
}

/// How far it has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskState {
    /// Not proved yet.
    Open,
    /// Whatever may go is gone, and that is proved; the rest stays for a reason and has an end.
    Stays,
    /// Proved.
    Done,
}

impl TaskState {
    pub(super) const ALL: [Self; 3] = [Self::Open, Self::Stays, Self::Done];

    /// As the database and the API write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Stays => "stays",
            Self::Done => "done",
        }
    }
}

/// What stays at a recipient after an erasure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stays {
    /// How many payments and invoices.
    pub records: i64,
    /// Why.
    pub why: String,
    /// Until when; unknown, where no rule of the document sets an end.
    pub until: Option<Timestamp>,
}

/// Something to be done at a recipient: told to the person (Art. 19 GDPR) and to staff.
#[derive(Debug, Clone)]
pub struct Task {
    /// Its id.
    pub id: String,
    /// The tenant.
    pub tenant: TenantId,
    pub(super) account: String,
    /// Whose account; nobody's once they are erased.
    pub(super) subject: Option<SubjectId>,
    /// The recipient, by its name in the documents.
    pub processor: String,
    /// What is to be done.
    pub kind: TaskKind,
    /// The request that asks for it, if one does.
    pub request: Option<RequestId>,
    /// The erasure that waits for it.
    pub erasure: Option<String>,
    /// How far it has come.
    pub state: TaskState,
    pub(super) sealed: Option<Vec<u8>>,
    /// How it is known, in words joined by `+`.
    pub proof: Option<String>,
    /// Why it is not done yet.
    pub problem: Option<String>,
    /// What stays there.
    pub stays: Option<Stays>,
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// By when it must be done.
    pub due_at: Timestamp,
    /// When it is tried again.
    pub next_at: Option<Timestamp>,
    /// How often a try failed.
    pub tries: i64,
    /// When it was proved.
    pub done_at: Option<Timestamp>,
}
