//! How each promise of a document stands now: a rule and the figures of this minute in, a note for the margin out.
//!
//! Promises: pure but for [`Figures::now`]; nothing is called kept that was not looked at. What no check has looked at is
//! *waiting*, whatever one might hope.

mod probes;

use chrono::TimeDelta;

use crate::base::{PageSize, TenantId, Timestamp};
use crate::edge::{Edge, Fault};
use crate::ledger::{EntryKind, Filter};
use crate::policy::{Attestation, Fact, Life, Policy, Processor, Purpose, Retention, RightRule};
use crate::requests::Counted;
use crate::retention::BoardRow;
use crate::web::view::{Count, MarginNote, Moment, ProofLink, State};

/// An overdue thing that the next sweep takes is being erased, not forgotten.
const SWEPT_WITHIN: TimeDelta = TimeDelta::minutes(5);

/// What was found at one moment.
#[derive(Debug)]
pub(crate) struct Figures {
    /// When.
    pub(crate) at: Timestamp,
    /// Things held, by category and rule.
    pub(crate) board: Vec<BoardRow>,
    /// Copies at processors whose deletion is overdue.
    pub(crate) owed: Vec<(String, i64)>,
    /// Requests by right and state.
    pub(crate) counts: Vec<Counted>,
    /// Rights of the open requests whose promised time is over.
    pub(crate) late: Vec<crate::policy::Right>,
    /// Whether the ledger stands by the last head it signed.
    pub(crate) ledger_stands: bool,
    /// The entry of the last sweep.
    pub(crate) swept: Option<ProofLink>,
    /// Whether the pages travel without TLS, which only a rehearsal may.
    pub(crate) development: bool,
}

impl Figures {
    /// Looks.
    pub(crate) async fn now(edge: &Edge, tenant: &TenantId) -> Result<Self, Fault> {
        let app = &edge.app;
        let at = app.clock.now();
        Ok(Self {
            at,
            board: app.retention.board(tenant).await?,
            owed: app.disclosures.overdue(tenant, at).await?,
            counts: app.requests.counts(tenant).await?,
            late: app.requests.overdue(tenant, at).await?.iter().map(|r| r.right).collect(),
            ledger_stands: app.ledger.standing().await.is_ok(),
            swept: newest(edge, tenant, EntryKind::RETENTION_SWEPT).await?,
            development: edge.development(),
        })
    }

    fn note(&self, state: State, figure: impl Into<String>) -> MarginNote {
        MarginNote { state, figure: figure.into(), checked: Some(self.at.into()), proof: None }
    }
}

/// The newest entry of a kind.
pub(crate) async fn newest(
    edge: &Edge,
    tenant: &TenantId,
    kind: EntryKind,
) -> Result<Option<ProofLink>, Fault> {
    let filter = Filter { kind: Some(kind), subject: None };
    let one = PageSize::new(1).unwrap_or_default();
    let page = edge.app.ledger.list(tenant, &filter, one, None).await?;
    Ok(page.items.first().map(|entry| proof(tenant, entry.index)))
}

/// A link to an entry.
pub(crate) fn proof(tenant: &TenantId, index: u64) -> ProofLink {
    ProofLink { index: Count(index), href: format!("/{tenant}/ledger/{index}") }
}

/// A promise of a document, and how it stands.
#[derive(Debug, Clone)]
pub(crate) struct Standing {
    /// The clause that makes it.
    pub(crate) clause: String,
    /// The rule that keeps it: `retention.input-image`.
    pub(crate) rule: String,
    /// How it stands.
    pub(crate) note: MarginNote,
}

/// Every promise of a document that can be kept or broken, in the document's order. Rules that only say what things are
/// (categories, access, notices, uses that need no yes) make none of their own.
pub(crate) fn standings(policy: &Policy, figures: &Figures) -> Vec<Standing> {
    let mut all = Vec::new();
    for clause in policy.clauses() {
        // A clause also lists the rules it points at; a promise stands where its rule stands.
        let own = clause.rules.iter().filter(|rule| home(policy, rule).is_none_or(|h| h == clause.id));
        for rule in own {
            if let Some(note) = note(policy, rule, figures) {
                all.push(Standing { clause: clause.id.clone(), rule: rule.clone(), note });
            }
        }
    }
    all
}

/// The clause below which a rule stands.
fn home<'a>(policy: &'a Policy, rule: &str) -> Option<&'a str> {
    let (kind, id) = rule.split_once('.')?;
    Some(match kind {
        "retention" => &policy.retention(id)?.clause,
        "purpose" => &policy.purpose(id)?.clause,
        "processor" => &policy.processor(id)?.clause,
        "safeguard" => &policy.safeguard(id)?.clause,
        "attestation" => &policy.attestation(id)?.clause,
        "right" => &policy.right(id.parse().ok()?)?.clause,
        _ => return None,
    })
}

/// How one rule stands; none for a rule that promises nothing by itself.
pub(crate) fn note(policy: &Policy, rule: &str, figures: &Figures) -> Option<MarginNote> {
    let (kind, id) = rule.split_once('.')?;
    match kind {
        "retention" => Some(retention(policy.retention(id)?, figures)),
        "purpose" => purpose(policy.purpose(id)?, figures),
        "processor" => Some(processor(policy.processor(id)?, figures)),
        "right" => Some(right(policy.right(id.parse().ok()?)?, figures)),
        "attestation" => Some(attestation(policy.attestation(id)?, policy.effective(), figures)),
        "safeguard" => Some(probes::safeguard(policy.safeguard(id)?, figures)),
        _ => None,
    }
}

fn retention(rule: &Retention, figures: &Figures) -> MarginNote {
    let of = |row: &&BoardRow| rule.categories.contains(&row.category);
    let live: i64 = figures.board.iter().filter(of).map(|row| row.live).sum();
    let mine = || figures.board.iter().filter(of).filter(|row| row.rule == rule.id);
    let overdue: i64 = mine().map(|row| row.overdue).sum();
    let latest = mine().filter_map(|row| row.latest).max();
    let state = match latest {
        _ if overdue == 0 => State::Kept,
        Some(late) if late < SWEPT_WITHIN => State::AtRisk,
        _ => State::Broken,
    };
    let simple = rule.at_most.iter().find(|a| matches!(a.fact, Fact::Created | Fact::Uploaded));
    let figure = match simple {
        _ if live == 0 => "nothing is held under this rule".to_owned(),
        Some(after) => format!("{} of {} older than {}", count(overdue), count(live), after.period),
        None => format!("{} of {} kept past their time", count(overdue), count(live)),
    };
    MarginNote { proof: figures.swept.clone(), ..figures.note(state, figure) }
}

fn purpose(rule: &Purpose, figures: &Figures) -> Option<MarginNote> {
    if !rule.needs_consent() {
        return None;
    }
    let (state, figure) = if rule.default_on {
        (State::Broken, "it is on before anybody was asked")
    } else {
        (State::Kept, "off for everybody who has not switched it on")
    };
    Some(figures.note(state, figure))
}

fn processor(rule: &Processor, figures: &Figures) -> MarginNote {
    if !rule.is_recipient() {
        return figures.note(State::Kept, format!("{} runs in this house: nothing leaves for it", rule.name));
    }
    let owed = figures.owed.iter().find(|(id, _)| *id == rule.id).map_or(0, |(_, n)| *n);
    let state = if owed == 0 { State::Kept } else { State::Broken };
    let figure = match rule.longest_life {
        Life::AtMost(period) => format!("{} copies at {} older than {period}", count(owed), rule.name),
        Life::AsOurs => format!("{} copies at {} past their time", count(owed), rule.name),
    };
    figures.note(state, figure)
}

fn right(rule: &RightRule, figures: &Figures) -> MarginNote {
    let of = |c: &&Counted| c.right == rule.right;
    let ever: i64 = figures.counts.iter().filter(of).map(|c| c.n).sum();
    let open: i64 = figures.counts.iter().filter(of).filter(|c| c.state.is_open()).map(|c| c.n).sum();
    let late = figures.late.iter().filter(|right| **right == rule.right).count();
    if ever == 0 {
        return figures.note(State::Waiting, format!("{} has not been asked for yet", rule.right));
    }
    let state = if late == 0 { State::Kept } else { State::Broken };
    let figure = format!(
        "{}: {late} of {} open requests past {}, {} in all",
        rule.right,
        count(open),
        rule.answer_within,
        count(ever)
    );
    figures.note(state, figure)
}

/// Several rights of one clause are one line in its margin.
pub(crate) fn rights_together(notes: &[&MarginNote], figures: &Figures) -> Option<MarginNote> {
    let worst = [State::Broken, State::Kept, State::Waiting];
    let state = worst.into_iter().find(|s| notes.iter().any(|n| n.state == *s))?;
    let open: i64 = figures.counts.iter().filter(|c| c.state.is_open()).map(|c| c.n).sum();
    let figure = if state == State::Waiting {
        "nobody has asked for anything yet".to_owned()
    } else {
        format!("{} of {} open requests past the promised time", figures.late.len(), count(open))
    };
    Some(figures.note(state, figure))
}

fn attestation(rule: &Attestation, since: chrono::NaiveDate, figures: &Figures) -> MarginNote {
    let start = Timestamp::from_utc(since.and_time(chrono::NaiveTime::MIN).and_utc());
    let due = rule.every.after(start);
    let day = Moment::from(due).day_words();
    let (state, figure) = if due < figures.at {
        (State::Overdue, format!("no evidence filed; it was due on {day}"))
    } else {
        (State::Waiting, format!("no evidence filed yet; due by {day}"))
    };
    MarginNote { state, figure, checked: None, proof: None }
}

fn count(n: i64) -> Count {
    Count(u64::try_from(n).unwrap_or(0))
}

#[cfg(test)]
mod tests;
