//! The document as the policy page shows it.

use crate::base::TenantId;
use crate::policy::{self, Policy, RuleKind, diff};
use crate::web::evidence::note;
use crate::web::page::day;
use crate::web::promise::{Standing, of_clause, rank};
use crate::web::view::{Change, Clause, Count, MarginNote, Markup, State, Version};

/// All promises taken together: the worst of them, and a line with figures.
pub(crate) fn together(standings: &[Standing]) -> (State, String) {
    let count = |of: &[State]| standings.iter().filter(|s| of.contains(&s.state)).count();
    let kept = count(&[State::Kept, State::Attested]);
    let waiting = count(&[State::Waiting]);
    let bad = [State::Broken, State::Overdue, State::AtRisk].into_iter().find(|s| count(&[*s]) > 0);
    let state = bad.unwrap_or(if kept == 0 { State::Waiting } else { State::Kept });
    let rest = if waiting == 0 { String::new() } else { format!(", {waiting} waiting for a check") };
    (state, format!("{kept} of {} promises kept{rest}", standings.len()))
}

/// The clauses with their numbers and notes.
pub(crate) fn clauses(policy: &Policy, standings: &[Standing]) -> Vec<Clause> {
    let (mut chapter, mut below) = (0_u32, 0_u32);
    let numbered = policy.clauses().iter().map(|clause| {
        if clause.level <= 2 {
            (chapter, below) = (chapter + 1, 0);
            (clause, chapter.to_string())
        } else {
            below += 1;
            (clause, format!("{}.{below}", chapter.max(1)))
        }
    });
    numbered.map(|(clause, number)| one(policy.tenant(), clause, number, standings)).collect()
}

fn one(tenant: &TenantId, clause: &policy::Clause, number: String, standings: &[Standing]) -> Clause {
    // Seven rights of one clause say one thing in its margin: the worst of them.
    let is_right = |s: &&Standing| s.kind == RuleKind::Right;
    let mut notes: Vec<MarginNote> =
        of_clause(standings, clause).filter(|s| !is_right(s)).map(|s| note(tenant, s)).collect();
    let rights = of_clause(standings, clause).filter(is_right).min_by_key(|s| rank(s.state));
    notes.extend(rights.map(|s| note(tenant, s)));
    Clause {
        id: clause.id.clone(),
        number,
        level: clause.level,
        heading: clause.title.clone(),
        prose: Markup::trusted(clause.html.clone()),
        notes,
        rules: clause.rule_source.trim().to_owned(),
        rule_count: Count(clause.rule_source.lines().filter(|l| l.starts_with('[')).count() as u64),
    }
}

/// What a version changed against the one before it.
pub(crate) fn changes(older: Option<&Policy>, policy: &Policy) -> Vec<Change> {
    let Some(older) = older else { return Vec::new() };
    diff::diff(older, policy).changes.into_iter().map(|change| changed(policy, change)).collect()
}

fn changed(policy: &Policy, change: diff::Change) -> Change {
    let kind = match change.direction {
        diff::Direction::Tightened => "Tighter",
        diff::Direction::Loosened => "Looser",
        diff::Direction::Changed => "Changed",
    };
    let by_rule = policy.clauses().iter().find(|c| c.rules.contains(&change.rule));
    let by_name = change.rule.strip_prefix('#').and_then(|id| policy.clause(id));
    let clause = by_rule.or(by_name).map(|c| c.id.clone());
    Change { kind: kind.to_owned(), says: change.says, clause }
}

/// The versions before one, newest first. `all` is in the order of their days.
pub(crate) fn earlier<'a>(
    root: &str,
    all: impl DoubleEndedIterator<Item = &'a Policy>,
    shown: &Policy,
) -> Vec<Version> {
    let mut until = day(shown.effective());
    all.rev()
        .filter(|p| p.effective() < shown.effective())
        .map(|p| {
            let version = Version {
                version: p.version().to_owned(),
                effective: day(p.effective()),
                until: Some(until),
                hash: hex::encode(p.hash()),
                href: format!("{root}/policy/{}", p.version()),
            };
            until = version.effective;
            version
        })
        .collect()
}
