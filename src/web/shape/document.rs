//! The document as the policy page shows it.

use std::fmt::Write as _;

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
    let bad = [State::Broken, State::Overdue, State::AtRisk].into_iter().find(|s| count(&[*s]) > 0);
    let state = bad.unwrap_or(if kept == 0 { State::Waiting } else { State::Kept });
    let mut says = format!("{kept} of {} promises kept", standings.len());
    for (of, word) in [
        (State::Broken, "broken"),
        (State::Overdue, "overdue"),
        (State::AtRisk, "at risk"),
        (State::Waiting, "waiting for a check"),
    ] {
        let n = count(&[of]);
        if n > 0 {
            let _ = write!(says, ", {n} {word}");
        }
    }
    (state, says)
}

/// What stands before the first chapter: the text below the document's own title, as markup.
pub(crate) fn preamble(policy: &Policy) -> Markup {
    let first = policy.clauses().first().filter(|clause| clause.level == 1);
    Markup::trusted(first.map(|clause| clause.html.clone()).unwrap_or_default())
}

/// What a tenant does, in the first sentence of its document.
pub(crate) fn does(policy: &Policy) -> String {
    let text = policy.clauses().first().map(|clause| clause.text.trim()).unwrap_or_default();
    let first = text.split_once(". ").map_or(text, |(first, _)| first).trim_end_matches('.');
    format!("{}.", first.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// The clauses with their numbers and notes.
pub(crate) fn clauses(policy: &Policy, standings: &[Standing]) -> Vec<Clause> {
    let (mut chapter, mut below) = (0_u32, 0_u32);
    let numbered = policy.clauses().iter().filter(|clause| clause.level > 1).map(|clause| {
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
    let notes = margin(tenant, &of_clause(standings, clause).collect::<Vec<_>>());
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

/// The notes in a clause's margin. Seven rights are one line, the worst of them; so are checks that nobody has made.
fn margin(tenant: &TenantId, here: &[&Standing]) -> Vec<MarginNote> {
    let right = |s: &Standing| s.kind == RuleKind::Right;
    let unchecked = |s: &Standing| s.state == State::Waiting && s.checked.is_none() && !right(s);
    let mut notes: Vec<MarginNote> =
        here.iter().filter(|s| !right(s) && !unchecked(s)).map(|s| note(tenant, s)).collect();
    notes.dedup_by(|b, a| b.state == a.state && b.figure == a.figure);
    notes.extend(here.iter().filter(|s| right(s)).min_by_key(|s| rank(s.state)).map(|s| note(tenant, s)));
    let waiting: Vec<&&Standing> = here.iter().filter(|s| unchecked(s)).collect();
    if let Some(first) = waiting.first() {
        let figure = match waiting.len() {
            1 if first.kind == RuleKind::Attestation => first.figure.clone(),
            1 => format!("not checked yet: {}", first.promise),
            n => format!("{n} promises of this clause are not checked yet"),
        };
        notes.push(MarginNote { figure, ..note(tenant, first) });
    }
    notes
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
