use std::collections::BTreeSet;

use serde::Serialize;

use crate::base::{Period, ProposalId, StaffId, TenantId, Timestamp};
use crate::ledger::Appended;
use crate::policy::diff::{Change, Difference, Meaning};
use crate::policy::plan::{Plan, Row};
use crate::policy::{Audience, Medium, Occasion, Policy};

/// Why a version cannot be published.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(rename_all = "kebab-case")]
pub enum Obstacle {
    /// The version is published with another text.
    #[error(
        "version {version} was published with another text, and a published version never changes; give the new text \
         a version of its own"
    )]
    OtherText {
        /// The version.
        version: String,
    },
    /// It is not newer than the last one.
    #[error(
        "it would come into force on {effective}, and version {last}, published before it, on {last_effective}; a \
         version must come into force after the last one"
    )]
    NotNewer {
        /// The day it would come into force.
        effective: String,
        /// The newest version there is.
        last: String,
        /// That version's day.
        last_effective: String,
    },
    /// People would be told too late.
    #[error(
        "people are told {ahead} before a new version counts, as the version in force promises; published now, it can \
         come into force on {earliest} at the earliest, not on {effective}"
    )]
    TooSoon {
        /// The promised time.
        ahead: Period,
        /// The day it would come into force.
        effective: String,
        /// The first day on which it may.
        earliest: String,
    },
}

/// What a version is to what is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// A tenant's first.
    First,
    /// A new one.
    New,
    /// It is published already, the same to the byte.
    Known,
}

/// How people are told of a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Told {
    /// By what.
    pub by: BTreeSet<Medium>,
    /// Only those whom it touches.
    pub only_affected: bool,
    /// How long before it counts.
    pub ahead: Option<Period>,
}

/// Everything that publishing a version would do, and what stands in its way.
#[derive(Debug, Clone, Serialize)]
pub struct Outlook {
    /// Whose document.
    pub tenant: TenantId,
    /// The version.
    pub version: String,
    /// When it would come into force.
    pub effective: Timestamp,
    /// What it is to what is there.
    pub verdict: Verdict,
    /// What it changes; nothing for a first version.
    pub difference: Option<Difference>,
    /// How many people have an account.
    pub people: u64,
    /// How they are told.
    pub told: Told,
    /// What would be done with what is held, on the day it comes into force, beyond what the versions in force do.
    pub plan: Plan,
    /// What stands in its way.
    pub obstacles: Vec<Obstacle>,
}

impl Outlook {
    /// Whether somebody else must agree: it would destroy more than one in a hundred of the things held at once.
    pub fn needs_second_person(&self) -> bool {
        self.plan.needs_second_person()
    }

    /// The changes for which people are asked again.
    pub fn asked_again(&self) -> Vec<&Change> {
        self.difference.iter().flat_map(Difference::must_ask).collect()
    }
}

/// What publishing came to.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// It is published.
    Published(Box<Outlook>, Appended),
    /// It waits for a second person.
    Proposed(Box<Outlook>, ProposalId),
    /// It was published before, the same to the byte.
    Known(Box<Outlook>),
    /// It cannot be published; nothing was changed.
    Refused(Box<Outlook>),
}

/// A document that waits for a second person, or waited.
#[derive(Debug, Clone)]
pub struct Proposal {
    /// Its id.
    pub id: ProposalId,
    /// Whose document.
    pub tenant: TenantId,
    /// The version.
    pub version: String,
    /// The document.
    pub source: String,
    /// Its SHA-256.
    pub hash: Vec<u8>,
    /// What it was foreseen to do when it was proposed, as JSON.
    pub report: String,
    /// Who proposed it.
    pub proposed_by: StaffId,
    /// When.
    pub proposed_at: Timestamp,
    /// `open`, `confirmed` or `refused`.
    pub state: String,
    /// Who decided.
    pub decided_by: Option<StaffId>,
    /// When.
    pub decided_at: Option<Timestamp>,
    /// Why it was refused.
    pub reason: Option<String>,
}

/// How people are told of what `difference` says, as `policies` promise it: the version in force, and the one before
/// the new one if that is another. Where no rule says how, and the law wants people told, they are told by every way.
pub(super) fn told(policies: &[&Policy], difference: &Difference) -> Told {
    let has = |meaning: Meaning| difference.changes.iter().any(|c| c.meaning == meaning);
    let applies = |occasion: Occasion| match occasion {
        Occasion::NewVersion => true,
        Occasion::NewRecipient => has(Meaning::NewRecipient),
        Occasion::NewPurpose => has(Meaning::NewPurpose),
        _ => false,
    };
    let rules: Vec<_> = policies.iter().flat_map(|p| p.notices()).filter(|n| applies(n.when)).collect();
    let ahead = rules.iter().filter_map(|n| n.ahead).max_by_key(|p| p.rough_seconds());
    if rules.is_empty() {
        let by = if difference.must_tell() { Medium::ALL.iter().copied().collect() } else { BTreeSet::new() };
        return Told { by, only_affected: false, ahead };
    }
    Told {
        by: rules.iter().flat_map(|n| n.by.iter().copied()).collect(),
        only_affected: rules.iter().all(|n| n.to == Audience::Affected),
        ahead,
    }
}

/// The first day on which a version published `now` may come into force.
pub(super) fn earliest(ahead: Period, now: Timestamp) -> chrono::NaiveDate {
    let told = ahead.after(now).to_utc();
    let day = told.date_naive();
    let midnight = told.time() == chrono::NaiveTime::MIN;
    if midnight { day } else { day.succ_opt().unwrap_or(day) }
}

/// Adds one plan to another over other things.
pub(super) fn add(sum: &mut Plan, plan: Plan) {
    sum.total += plan.total;
    sum.going += plan.going;
    for (category, n) in plan.undeclared {
        *sum.undeclared.entry(category).or_default() += n;
    }
    for row in plan.rows {
        match sum.rows.iter_mut().find(|r| r.category == row.category && r.rule == row.rule) {
            Some(known) => merge(known, &row),
            None => sum.rows.push(row),
        }
    }
}

fn merge(known: &mut Row, row: &Row) {
    known.due += row.due;
    known.held += row.held;
    known.later += row.later;
    known.waiting += row.waiting;
    known.first = known.first.into_iter().chain(row.first).min();
    known.last = known.last.into_iter().chain(row.last).max();
}
