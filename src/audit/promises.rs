//! How each clause of the document in force stands, computed from the last run of each check and from what people
//! vouched for. Opens nothing, counts nothing anew: a public page may ask as often as it likes.

use std::collections::BTreeSet;

use super::attest::Words;
use super::model::State;
use super::run::period_of;
use super::{Audit, Board, Check, ClauseState, Error, RuleState, Verdict};
use crate::base::{EntryId, TenantId, Timestamp};
use crate::policy::{Life, Policy, Purpose, Retention, RuleKind};

/// What a clause shows first of several rules that stand alike: the most telling kind.
const TELLING: [RuleKind; 9] = [
    RuleKind::Retention,
    RuleKind::Safeguard,
    RuleKind::Right,
    RuleKind::Processor,
    RuleKind::Attestation,
    RuleKind::Notice,
    RuleKind::Category,
    RuleKind::Purpose,
    RuleKind::Access,
];

const NEVER: &str = "not checked yet";

impl Audit {
    /// How each clause of a tenant's document in force stands now.
    pub async fn promises(&self, tenant: &TenantId) -> Result<Board, Error> {
        let policy = self.in_force(tenant)?;
        let checks = self.latest(tenant).await?;
        let words = self.words(tenant).await?;
        let at = self.clock.now();
        let mut clauses = clauses(&Known { policy: &policy, checks: &checks, words: &words, now: at });
        self.place(&mut clauses).await?;
        Ok(Board {
            tenant: tenant.clone(),
            version: policy.version().to_owned(),
            effective: policy.effective(),
            at,
            checked: checks.iter().map(|c| c.at).max(),
            clauses,
        })
    }
}

/// What the states are computed from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known<'a> {
    pub(super) policy: &'a Policy,
    pub(super) checks: &'a [Check],
    pub(super) words: &'a Words,
    pub(super) now: Timestamp,
}

pub(super) fn clauses(known: &Known<'_>) -> Vec<ClauseState> {
    known
        .policy
        .clauses()
        .iter()
        .map(|clause| {
            // A rule that a clause declares and names in its prose as well stands once.
            let mut seen = BTreeSet::new();
            let names = clause.rules.iter().filter(|name| seen.insert(name.as_str()));
            let mut rules: Vec<RuleState> = names.filter_map(|name| rule_state(known, name)).collect();
            rules.sort_by_key(|r| (r.state, TELLING.iter().position(|k| *k == r.kind)));
            let first = rules.first();
            ClauseState {
                clause: clause.id.clone(),
                title: clause.title.clone(),
                level: clause.level,
                state: first.map(|r| r.state),
                figure: first.map(|r| r.figure.clone()),
                checked: first.and_then(|r| r.checked),
                entry: first.and_then(|r| r.entry),
                place: None,
                rules,
            }
        })
        .collect()
}

/// State, figure, time of the check, ledger entry.
struct Found {
    state: State,
    figure: String,
    checked: Option<Timestamp>,
    entry: Option<EntryId>,
}

fn waiting(figure: impl Into<String>) -> Found {
    Found { state: State::Waiting, figure: figure.into(), checked: None, entry: None }
}

fn rule_state(known: &Known<'_>, name: &str) -> Option<RuleState> {
    let (kind, id) = name.split_once('.')?;
    let kind: RuleKind = kind.parse().ok()?;
    let Said { clause, promise, probe } = said(known.policy, kind, id)?;
    let found = match (kind, probe) {
        (RuleKind::Attestation, _) | (_, None) => vouched(known, known.policy.attestation(id)?),
        (RuleKind::Retention | RuleKind::Right | RuleKind::Notice, Some(probe)) => part(known, probe, name),
        (RuleKind::Processor, Some(probe)) if known.policy.processor(id)?.is_recipient() => {
            part(known, probe, name)
        }
        (RuleKind::Processor, Some(probe)) => in_house(known, probe),
        (_, Some(probe)) => whole(known, probe),
    };
    let probe = probe.map(ToOwned::to_owned);
    let Found { state, figure, checked, entry } = found;
    Some(RuleState {
        rule: name.to_owned(),
        kind,
        clause,
        probe,
        promise,
        state,
        figure,
        checked,
        entry,
        place: None,
    })
}

/// What a rule says: the clause that declares it, what it promises in a few words, and the check that it stands on.
struct Said<'a> {
    clause: String,
    promise: String,
    probe: Option<&'a str>,
}

fn said<'a>(policy: &'a Policy, kind: RuleKind, id: &str) -> Option<Said<'a>> {
    let (clause, promise, probe) = match kind {
        RuleKind::Retention => {
            let rule = policy.retention(id)?;
            (&rule.clause, ends(rule), Some("retention-kept"))
        }
        RuleKind::Processor => {
            let rule = policy.processor(id)?;
            let life = match rule.longest_life {
                Life::AtMost(period) => format!("nothing stays there longer than {period}"),
                Life::AsOurs => "gone there when it is gone here".to_owned(),
            };
            (&rule.clause, format!("{}: {life}", rule.name), Some("provider-copies-removed"))
        }
        RuleKind::Right => {
            let rule = policy.rights().find(|r| r.right.as_str() == id)?;
            (&rule.clause, format!("answered within {}", rule.answer_within), Some("deadlines-kept"))
        }
        RuleKind::Safeguard => {
            let rule = policy.safeguard(id)?;
            (&rule.clause, rule.promises.clone(), Some(rule.probe.as_str()))
        }
        RuleKind::Attestation => {
            let rule = policy.attestation(id)?;
            (&rule.clause, rule.what.clone(), None)
        }
        RuleKind::Notice => {
            let rule = policy.notice(id)?;
            let says = rule.says.clone().unwrap_or_else(|| format!("people are told: {}", rule.when));
            (&rule.clause, says, Some("notices-sent"))
        }
        RuleKind::Category => {
            let rule = policy.category(id)?;
            (&rule.clause, format!("held as declared: {}", rule.holds), Some("nothing-undeclared"))
        }
        RuleKind::Purpose => {
            let rule = policy.purpose(id)?;
            (&rule.clause, rule.means.clone(), Some(gate_of(rule)))
        }
        RuleKind::Access => {
            let rule = policy.access(id)?;
            let promise = "read by those named, for what is named".to_owned();
            (&rule.clause, promise, Some("staff-reads-recorded"))
        }
    };
    Some(Said { clause: clause.clone(), promise, probe })
}

/// When data go by a rule: `gone when the edit succeeded; gone 48 hours after it was uploaded at the latest`.
fn ends(rule: &Retention) -> String {
    let mut words: Vec<String> =
        rule.erase_when.iter().map(|fact| format!("gone when {}", fact.in_words())).collect();
    words.extend(rule.at_most.iter().map(|after| format!("gone {after} at the latest")));
    words.extend(rule.keep.iter().map(|after| format!("kept for {after}, then gone")));
    words.join("; ")
}

/// The check that shows a purpose is used as declared.
fn gate_of(purpose: &Purpose) -> &'static str {
    if purpose.trains_models {
        "no-training-unconsented"
    } else if purpose.is_choice() {
        "consent-gates"
    } else {
        "staff-reads-recorded"
    }
}

fn last<'a>(known: &Known<'a>, probe: &str) -> Option<&'a Check> {
    known.checks.iter().find(|c| c.probe == probe)
}

/// Whether a check is older than its period: then it is not green, whatever it found.
fn is_late(known: &Known<'_>, check: &Check) -> bool {
    period_of(known.policy, &check.probe).is_none_or(|every| every.after(check.at) < known.now)
}

/// As a check ended; one that is late is at risk, one that could not run is waiting.
fn whole(known: &Known<'_>, probe: &str) -> Found {
    let Some(check) = last(known, probe) else { return waiting(NEVER) };
    let state = match check.outcome.verdict {
        Verdict::CannotRun => State::Waiting,
        Verdict::Failed => State::Broken,
        Verdict::Passed => State::Kept,
    };
    seen(known, check, state, &check.outcome.figure)
}

/// What a check found of one rule.
fn part(known: &Known<'_>, probe: &str, rule: &str) -> Found {
    let Some(check) = last(known, probe) else { return waiting(NEVER) };
    match check.outcome.parts.iter().find(|p| p.rule == rule) {
        Some(part) => seen(known, check, part.state, &part.figure),
        None if check.outcome.verdict == Verdict::CannotRun => whole(known, probe),
        None => waiting(NEVER),
    }
}

/// A processor that is a part of the house keeps no copy of its own.
fn in_house(known: &Known<'_>, probe: &str) -> Found {
    let found = whole(known, probe);
    if found.state == State::Waiting {
        return found;
    }
    match last(known, probe) {
        Some(check) => seen(known, check, State::Kept, "runs in the house; nothing leaves"),
        None => found,
    }
}

fn seen(known: &Known<'_>, check: &Check, state: State, figure: &str) -> Found {
    let late = state == State::Kept && is_late(known, check);
    let (state, figure) = if late {
        (State::AtRisk, format!("{figure}; the check is late"))
    } else {
        (state, figure.to_owned())
    };
    Found { state, figure, checked: Some(check.at), entry: check.entry }
}

fn vouched(known: &Known<'_>, rule: &crate::policy::Attestation) -> Found {
    let word = known.words.stand(known.policy, rule, known.now);
    let day = word.due.to_utc().format("%-d %B %Y");
    let figure = match word.state {
        State::Overdue => format!("{} owes it since {day}", word.owner),
        State::AtRisk => format!("due again on {day}"),
        State::Waiting => format!("{} owes it by {day}", word.owner),
        _ => format!("vouched for by {}, due again on {day}", word.owner),
    };
    Found { state: word.state, figure, checked: word.made, entry: word.entry }
}

#[cfg(test)]
mod tests;
