//! The document as the policy page shows it.

use crate::policy::{self, Policy, diff};
use crate::web::page::day;
use crate::web::promise::{Figures, Standing, rights_together};
use crate::web::view::{Change, Clause, Count, MarginNote, Markup, State, Tally, Version};

/// The order in which states are told: the worst first.
const WORST_FIRST: [State; 6] =
    [State::Broken, State::Overdue, State::AtRisk, State::Kept, State::Attested, State::Waiting];

/// How many promises stand how.
pub(crate) fn tally(standings: &[Standing]) -> Vec<Tally> {
    let of = |state: State| standings.iter().filter(|s| s.note.state == state).count();
    WORST_FIRST
        .into_iter()
        .map(|state| Tally { state, count: Count(of(state) as u64) })
        .filter(|part| !part.count.none())
        .collect()
}

/// All promises taken together: the worst of them, and a line with figures.
pub(crate) fn together(standings: &[Standing]) -> (State, String) {
    let kept = standings.iter().filter(|s| matches!(s.note.state, State::Kept | State::Attested)).count();
    let bad = [State::Broken, State::Overdue, State::AtRisk]
        .into_iter()
        .find(|state| standings.iter().any(|s| s.note.state == *state));
    let state = bad.unwrap_or(if kept == 0 { State::Waiting } else { State::Kept });
    let waiting = standings.iter().filter(|s| s.note.state == State::Waiting).count();
    let mut says = format!("{kept} of {} promises kept", standings.len());
    if waiting > 0 {
        says.push_str(&format!(", {waiting} waiting for a check"));
    }
    (state, says)
}

/// The clauses with their numbers and notes.
pub(crate) fn clauses(policy: &Policy, standings: &[Standing], figures: Option<&Figures>) -> Vec<Clause> {
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
    numbered.map(|(clause, number)| one(clause, number, standings, figures)).collect()
}

fn one(clause: &policy::Clause, number: String, standings: &[Standing], figures: Option<&Figures>) -> Clause {
    let here = || standings.iter().filter(|s| s.clause == clause.id);
    let rights: Vec<&MarginNote> =
        here().filter(|s| s.rule.starts_with("right.")).map(|s| &s.note).collect();
    let mut notes: Vec<MarginNote> =
        here().filter(|s| !s.rule.starts_with("right.")).map(|s| s.note.clone()).collect();
    notes.extend(figures.and_then(|f| rights_together(&rights, f)));
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
