//! A request and the steps it may take: pure, so that every path can be tried.

use crate::base::{ReceiptId, RecordId, RequestId, SubjectId, TenantId, Timestamp};
use crate::policy::{Channel, Right};

/// Declares an enum of words as the database and the API write them.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$vdoc])* $variant),+ }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// As written.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            /// From its text.
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|w| w.as_str() == text)
            }
        }
    };
}
pub(super) use words;

words!(
    /// Where a request stands.
    State {
        /// It reached us.
        Received = "received",
        /// Its sender knows its number and both dates.
        Acknowledged = "acknowledged",
        /// Who is asking must be shown first.
        IdentityPending = "identity-pending",
        /// An erasure that can still be taken back.
        Grace = "grace",
        /// Being carried out.
        Working = "working",
        /// Done.
        Fulfilled = "fulfilled",
        /// Done but for what the law makes us keep.
        PartlyFulfilled = "partly-fulfilled",
        /// Not done, with reasons.
        Refused = "refused",
        /// Nothing is held of this person.
        NoData = "no-data",
        /// Over.
        Closed = "closed",
        /// Taken back by its sender.
        Withdrawn = "withdrawn",
    }
);

impl State {
    /// Whether there is still something to be done or decided.
    pub const fn is_open(self) -> bool {
        matches!(
            self,
            Self::Received | Self::Acknowledged | Self::IdentityPending | Self::Grace | Self::Working
        )
    }

    /// Whether it was answered in substance.
    pub const fn is_answer(self) -> bool {
        matches!(self, Self::Fulfilled | Self::PartlyFulfilled | Self::Refused | Self::NoData)
    }

    /// Whether nothing more happens by itself.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Closed | Self::Withdrawn)
    }

    /// Whether `to` may come next for a request of this right. An erasure cannot be taken back once it has begun, and
    /// only an erasure has a time of grace.
    pub const fn leads_to(self, to: Self, right: Right) -> bool {
        use State::{
            Acknowledged, Closed, Fulfilled, Grace, IdentityPending, NoData, PartlyFulfilled, Received,
            Refused, Withdrawn, Working,
        };
        let erasure = matches!(right, Right::Erasure);
        match (self, to) {
            (Acknowledged | IdentityPending, Grace) => erasure,
            (Working, Withdrawn) => !erasure,
            (Received, Acknowledged | Withdrawn)
            | (Acknowledged, IdentityPending | Working | Refused | NoData | Withdrawn)
            | (IdentityPending, Working | Refused | Withdrawn)
            | (Grace, Working | Withdrawn)
            | (Working, Fulfilled | PartlyFulfilled | Refused | NoData)
            | (Fulfilled | PartlyFulfilled | Refused | NoData, Closed)
            | (Closed, Working) => true,
            _ => false,
        }
    }
}

words!(
    /// How loudly the clocks of an unanswered request call.
    Alarm {
        /// Not at all.
        Quiet = "quiet",
        /// Less than 18 hours are left of the promised time.
        PromiseNear = "promise-near",
        /// The promised time is over.
        PromiseMissed = "promise-missed",
        /// Less than seven days are left of the law's time.
        LawNear = "law-near",
        /// The law's time is over.
        LawMissed = "law-missed",
    }
);

/// A step that the present state does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a request that is {} cannot become {}", from.as_str(), to.as_str())]
pub struct BadStep {
    /// Where it stands.
    pub from: State,
    /// Where it was to go.
    pub to: State,
}

/// An archive that was prepared: when, how long, and the hash of its manifest. Its bytes are nowhere: they are made
/// anew for each download.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prepared {
    /// What was held at this moment is in it, as far as it still is.
    pub made_at: Timestamp,
    /// Its length in bytes.
    pub len: u64,
    /// SHA-256 of its manifest.
    pub sha256: [u8; 32],
    /// Until when it can be had.
    pub until: Timestamp,
    /// When it was first handed over.
    pub delivered_at: Option<Timestamp>,
}

/// The clocks of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// What the document promises: consecutive hours from receipt.
    pub promise: Timestamp,
    /// When the house should be done: a week before the law's date.
    pub internal: Timestamp,
    /// What the law demands.
    pub legal: Timestamp,
    /// What the law demands once it was extended, counted from receipt.
    pub extended: Timestamp,
}

/// A rights request: ids, states and times. What the person wrote is sealed in the vault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Its id.
    pub id: RequestId,
    /// The number people read out: `PR-7KX2M-9QWMT`.
    pub reference: String,
    /// Its tenant.
    pub tenant: TenantId,
    /// Whose it is; nobody's once they were erased.
    pub subject: Option<SubjectId>,
    /// What is asked for.
    pub right: Right,
    /// Of an objection or withdrawal the purpose; of a restriction `on` or `off`.
    pub about: Option<String>,
    /// Where it stands.
    pub state: State,
    /// How it came in.
    pub channel: Channel,
    /// The sealed record of what the person wrote.
    pub detail: Option<RecordId>,
    /// When it reached us.
    pub received_at: Timestamp,
    /// Its clocks.
    pub due: Due,
    /// Until when an erasure can be taken back.
    pub grace_until: Option<Timestamp>,
    /// When the law's time was extended.
    pub extended_at: Option<Timestamp>,
    /// When it was answered: this stops both clocks.
    pub answered_at: Option<Timestamp>,
    /// When it was closed or taken back.
    pub closed_at: Option<Timestamp>,
    /// When its row goes.
    pub purge_at: Option<Timestamp>,
    /// How it ended, in a word: `fulfilled`, `refused`, a reason's code.
    pub outcome: Option<String>,
    /// Its receipt.
    pub receipt: Option<ReceiptId>,
    /// Its archive, once prepared.
    pub archive: Option<Prepared>,
    /// How loudly its clocks were heard so far.
    pub alarm: Alarm,
    /// How often its present step failed.
    pub tries: i64,
    /// Why it is stuck, in a fixed phrase.
    pub problem: Option<String>,
    /// When the next step is tried or due.
    pub next_at: Option<Timestamp>,
    /// When it was shown who asks, after that had been asked for.
    pub proved_at: Option<Timestamp>,
    /// When it was last taken up again; its clocks count from then.
    pub reopened_at: Option<Timestamp>,
    /// How often it was taken up again.
    pub round: i64,
    /// Of the rounds before this one, the worst: when it was answered, and when that was promised.
    pub before: Option<(Timestamp, Timestamp)>,
    /// One more for each change; a change of an older one is refused.
    pub revision: i64,
}

impl Request {
    fn step(mut self, to: State) -> Result<Self, BadStep> {
        if !self.state.leads_to(to, self.right) {
            return Err(BadStep { from: self.state, to });
        }
        self.state = to;
        self.tries = 0;
        self.problem = None;
        self.next_at = None;
        Ok(self)
    }

    /// Its sender has been told number and dates.
    pub fn acknowledge(self) -> Result<Self, BadStep> {
        self.step(State::Acknowledged)
    }

    /// Who is asking must be shown first; what is not by `until` ends.
    pub fn ask_identity(self, until: Timestamp) -> Result<Self, BadStep> {
        let mut next = self.step(State::IdentityPending)?;
        next.next_at = Some(until);
        Ok(next)
    }

    /// It was shown who asks: the clocks, which stood still, count from now.
    pub fn prove(mut self, now: Timestamp, due: Due) -> Result<Self, BadStep> {
        if self.state != State::IdentityPending {
            return Err(BadStep { from: self.state, to: State::Working });
        }
        self.proved_at = Some(now);
        self.due = due;
        Ok(self)
    }

    /// Nobody showed who asks, and nobody will: it ends, and nothing was done.
    pub fn lapse(self, why: Lapsed, now: Timestamp, purge_at: Option<Timestamp>) -> Result<Self, BadStep> {
        if self.state != State::IdentityPending {
            return Err(BadStep { from: self.state, to: State::Withdrawn });
        }
        let mut next = self.withdraw(now, purge_at)?;
        next.outcome = Some(why.as_str().to_owned());
        Ok(next)
    }

    /// Why it ended without anybody having shown who asks, if it did.
    pub fn lapsed(&self) -> Option<Lapsed> {
        self.outcome.as_deref().filter(|_| self.state == State::Withdrawn).and_then(Lapsed::parse)
    }

    /// An erasure that waits until `until`.
    pub fn cool_off(self, until: Timestamp) -> Result<Self, BadStep> {
        let mut next = self.step(State::Grace)?;
        next.grace_until = Some(until);
        next.next_at = Some(until);
        Ok(next)
    }

    /// A closed one is taken up again, with clocks of its own. Waits for people to do what is to be done. What the round
    /// before missed is not forgotten by it; its archive is.
    pub fn reopen(self, now: Timestamp, due: Due) -> Result<Self, BadStep> {
        if self.state != State::Closed {
            return Err(BadStep { from: self.state, to: State::Working });
        }
        let mut next = self.start(now)?;
        let this = next.answered_at.map(|at| (at, next.due.promise));
        let late = |(at, promise): &(Timestamp, Timestamp)| at > promise;
        next.before = this.filter(late).or(next.before.filter(late)).or(this).or(next.before);
        next.due = due;
        next.reopened_at = Some(now);
        next.round = next.round.saturating_add(1);
        next.answered_at = None;
        next.extended_at = None;
        next.outcome = None;
        next.alarm = Alarm::Quiet;
        next.archive = None;
        next.next_at = None;
        Ok(next)
    }

    /// Whether what was gathered for it at this time is of its present round.
    pub(super) fn gathered(&self, at: Timestamp) -> bool {
        self.reopened_at.is_none_or(|from| at >= from)
    }

    /// Begins to be carried out.
    pub fn start(self, now: Timestamp) -> Result<Self, BadStep> {
        let mut next = self.step(State::Working)?;
        next.closed_at = None;
        next.purge_at = None;
        next.next_at = Some(now);
        Ok(next)
    }

    /// An answer: [`State::Fulfilled`], [`State::PartlyFulfilled`], [`State::Refused`] or [`State::NoData`]. Stops both
    /// clocks.
    pub fn answer(self, with: State, outcome: &str, now: Timestamp) -> Result<Self, BadStep> {
        if !with.is_answer() {
            return Err(BadStep { from: self.state, to: with });
        }
        let mut next = self.step(with)?;
        next.answered_at = next.answered_at.or(Some(now));
        next.outcome = Some(outcome.to_owned());
        Ok(next)
    }

    /// Over; `purge_at` is when its row goes by rule.
    pub fn close(self, now: Timestamp, purge_at: Option<Timestamp>) -> Result<Self, BadStep> {
        let mut next = self.step(State::Closed)?;
        next.closed_at = Some(now);
        next.purge_at = purge_at;
        Ok(next)
    }

    /// Taken back by its sender.
    pub fn withdraw(self, now: Timestamp, purge_at: Option<Timestamp>) -> Result<Self, BadStep> {
        let mut next = self.step(State::Withdrawn)?;
        next.closed_at = Some(now);
        next.purge_at = purge_at;
        next.outcome = Some("withdrawn".to_owned());
        Ok(next)
    }

    /// Taken back together with the change of address since which it was asked for. To be called for no erasure that has
    /// begun: one whose first step is still to come is as good as in its time of grace.
    pub fn undo(self, now: Timestamp, purge_at: Option<Timestamp>) -> Result<Self, BadStep> {
        let waits = self.right == Right::Erasure && self.state == State::Working;
        let state = if waits { State::Grace } else { self.state };
        let mut next = Self { state, ..self }.withdraw(now, purge_at)?;
        next.outcome = Some(UNDONE.to_owned());
        Ok(next)
    }

    /// Whether it was taken back with a change of address.
    pub fn was_undone(&self) -> bool {
        self.state == State::Withdrawn && self.outcome.as_deref() == Some(UNDONE)
    }

    /// Whether somebody answered it in words of their own, which stand in its letter: something was done by other means, or
    /// nothing had to be.
    pub fn answered_in_words(&self) -> bool {
        self.outcome.as_deref() == Some(IN_WORDS)
    }

    /// Extends the law's time, once, while the request is open and that time still runs (Art. 12(3) GDPR). The promise
    /// stays what it was.
    pub fn extend(mut self, now: Timestamp) -> Result<Self, BadStep> {
        let refused = BadStep { from: self.state, to: self.state };
        let may = self.state.is_open() && self.extended_at.is_none() && now <= self.due.legal;
        if !may {
            return Err(refused);
        }
        self.extended_at = Some(now);
        Ok(self)
    }

    /// A step failed: tried again with growing pauses, of a minute at first and six hours at most, and never given up.
    #[must_use]
    pub fn stuck(mut self, why: &str, now: Timestamp) -> Self {
        self.problem = Some(why.to_owned());
        self.next_at = Some(now.plus(pause(self.tries)));
        self.tries = self.tries.saturating_add(1);
        self
    }

    /// The date the law sets, extension counted.
    pub fn legal_due(&self) -> Timestamp {
        if self.extended_at.is_some() { self.due.extended } else { self.due.legal }
    }

    /// How loudly its clocks call now. Answered, not at all.
    pub fn alarm_at(&self, now: Timestamp) -> Alarm {
        let law = self.legal_due();
        // A time of grace ends before the promised time by itself.
        if self.state == State::Grace && self.grace_until.is_some_and(|until| now <= until) {
            return Alarm::Quiet;
        }
        // Clocks stand still until it is known who asks.
        if self.answered_at.is_some() || !self.state.is_open() || self.state == State::IdentityPending {
            Alarm::Quiet
        } else if now > law {
            Alarm::LawMissed
        } else if now > law.plus(-chrono::TimeDelta::days(7)) {
            Alarm::LawNear
        } else if now > self.due.promise {
            Alarm::PromiseMissed
        } else if now > self.due.promise.plus(-NEAR) {
            Alarm::PromiseNear
        } else {
            Alarm::Quiet
        }
    }
}

words!(
    /// Why a request ended of which nobody showed that it was theirs.
    Lapsed {
        /// Nobody did in time.
        Unconfirmed = "lapsed",
        /// The agent that asked for it may ask no more.
        AgentRemoved = "agent-removed",
    }
);

/// How a request ended that was asked for since a change of address, which its old mailbox undid.
pub(super) const UNDONE: &str = "address-undone";

/// How a request ended that a person of staff answered in words of their own.
pub(super) const IN_WORDS: &str = "answered-in-words";

/// The promised time is near when so much of it is left.
pub(super) const NEAR: chrono::TimeDelta = chrono::TimeDelta::hours(18);

/// The pause after the nth failure: a minute doubled each time, at most six hours.
pub(super) fn pause(tries: i64) -> chrono::TimeDelta {
    let doublings = u32::try_from(tries.clamp(0, 9)).unwrap_or(9);
    chrono::TimeDelta::minutes(1_i64.checked_shl(doublings).unwrap_or(360).min(360))
}

/// Something that happened to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// Who did it, by role.
    pub role: String,
    /// What: `filed`, `acknowledged`, `started`, `delivered`, …
    pub kind: String,
    /// A word on it. Never what the person wrote.
    pub note: Option<String>,
    /// The ledger entry that proves it.
    pub entry: Option<String>,
}

#[cfg(test)]
mod tests;
