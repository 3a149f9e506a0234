//! The promise board as programs get it: the API, the policy page's JSON and the command line tell it alike.

use serde::Serialize;
use utoipa::ToSchema;

use crate::audit::{self, Board};
use crate::base::{TenantId, Timestamp};

/// Whether what is promised is being kept.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct PromiseBoard {
    /// Whose document.
    pub tenant: String,
    /// The version in force.
    pub version: String,
    /// Since when it is in force.
    #[schema(format = Date)]
    pub effective: String,
    /// When the newest of the checks behind this was made; absent when none was.
    #[schema(format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checked_at: Option<String>,
    /// How many rules stand how.
    pub tally: Tally,
    /// Every clause, in the document's order.
    pub clauses: Vec<ClauseStanding>,
}

/// How many rules stand how.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Tally {
    /// The last check found that it is not kept.
    pub broken: usize,
    /// Somebody should have vouched for it by now and has not.
    pub overdue: usize,
    /// Kept, but a limit is near or the check is late.
    pub at_risk: usize,
    /// Nothing has checked it, or nothing could: nothing is claimed.
    pub waiting: usize,
    /// Somebody vouched for it, and that is fresh.
    pub attested: usize,
    /// The last check found nothing against it.
    pub kept: usize,
}

/// How a clause stands: as badly as the worst of its rules.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ClauseStanding {
    /// The anchor of its heading on the policy's page.
    pub clause: String,
    /// Its heading.
    pub title: String,
    /// `kept`, `attested`, `waiting`, `at-risk`, `overdue`, `broken`; absent when the clause promises nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<&'static str>,
    /// The figure of the rule that decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub figure: Option<String>,
    /// When that was last checked.
    #[schema(format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checked_at: Option<String>,
    /// Where the ledger entry that shows it can be read and verified.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proof: Option<String>,
    /// Every rule behind it, worst first.
    pub rules: Vec<RuleStanding>,
}

/// How a rule stands.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RuleStanding {
    /// Its full name: `retention.input-image`.
    pub rule: String,
    /// Its kind: `retention`.
    pub kind: &'static str,
    /// What it promises, in a few words.
    pub promise: String,
    /// `kept`, `attested`, `waiting`, `at-risk`, `overdue`, `broken`.
    pub state: &'static str,
    /// The figure behind that.
    pub figure: String,
    /// The check that it stands on; absent for what people vouch for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
    /// When it was last checked; absent when nothing has looked yet.
    #[schema(format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checked_at: Option<String>,
    /// The id of the ledger entry that shows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entry: Option<String>,
    /// Where that entry can be read and verified.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proof: Option<String>,
}

/// The page of a ledger entry: what it says, and its proof.
pub fn proof_path(tenant: &TenantId, place: u64) -> String {
    format!("/{tenant}/ledger/{place}")
}

impl From<&Board> for PromiseBoard {
    fn from(board: &Board) -> Self {
        let count = |state| board.count(state);
        Self {
            tenant: board.tenant.to_string(),
            version: board.version.clone(),
            effective: board.effective.to_string(),
            checked_at: board.checked.map(Timestamp::rfc3339),
            tally: Tally {
                broken: count(audit::State::Broken),
                overdue: count(audit::State::Overdue),
                at_risk: count(audit::State::AtRisk),
                waiting: count(audit::State::Waiting),
                attested: count(audit::State::Attested),
                kept: count(audit::State::Kept),
            },
            clauses: board.clauses.iter().map(|c| clause(&board.tenant, c)).collect(),
        }
    }
}

fn clause(tenant: &TenantId, clause: &audit::ClauseState) -> ClauseStanding {
    ClauseStanding {
        clause: clause.clause.clone(),
        title: clause.title.clone(),
        state: clause.state.map(audit::State::as_str),
        figure: clause.figure.clone(),
        checked_at: clause.checked.map(Timestamp::rfc3339),
        proof: clause.place.map(|place| proof_path(tenant, place)),
        rules: clause.rules.iter().map(|r| rule(tenant, r)).collect(),
    }
}

fn rule(tenant: &TenantId, rule: &audit::RuleState) -> RuleStanding {
    RuleStanding {
        rule: rule.rule.clone(),
        kind: rule.kind.as_str(),
        promise: rule.promise.clone(),
        state: rule.state.as_str(),
        figure: rule.figure.clone(),
        check: rule.probe.clone(),
        checked_at: rule.checked.map(Timestamp::rfc3339),
        entry: rule.entry.map(|id| id.to_string()),
        proof: rule.place.map(|place| proof_path(tenant, place)),
    }
}
