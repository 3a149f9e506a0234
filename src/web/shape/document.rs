//! The document as the policy page shows it.

use crate::audit::{Board, RuleState, State};
use crate::base::TenantId;
use crate::policy::{self, Policy, RuleKind, diff};
use crate::speech::{Tongue, key};
use crate::web::evidence::note;
use crate::web::page::day;
use crate::web::view::{self, Change, Clause, Count, MarginNote, Markup, Version};

/// All promises taken together: the worst of them, and a line with figures.
pub(crate) fn together(tongue: Tongue, board: &Board) -> (view::State, String) {
    let kept = board.count(State::Kept) + board.count(State::Attested);
    let bad = [State::Broken, State::Overdue, State::AtRisk].into_iter().find(|s| board.count(*s) > 0);
    let state = bad.unwrap_or(if kept == 0 { State::Waiting } else { State::Kept });
    let all = tongue.put("{kept} of {all} promises kept").with("kept", kept).with("all", board.rules().len());
    let mut says = vec![all.text()];
    for of in [State::Broken, State::Overdue, State::AtRisk, State::Waiting] {
        let n = board.count(of);
        if n > 0 {
            says.push(tongue.put(view::State::from(of).counted()).with("count", n).text());
        }
    }
    (state.into(), says.join(", "))
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

/// The clauses with their numbers and notes; without a board, without notes.
pub(crate) fn clauses(policy: &Policy, board: Option<&Board>) -> Vec<Clause> {
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
    let stands = |clause: &policy::Clause| {
        let found = board.and_then(|b| b.clauses.iter().find(|c| c.clause == clause.id));
        found.map_or(&[][..], |c| c.rules.as_slice())
    };
    numbered.map(|(clause, number)| one(policy.tenant(), clause, number, stands(clause))).collect()
}

fn one(tenant: &TenantId, clause: &policy::Clause, number: String, rules: &[RuleState]) -> Clause {
    let notes = margin(tenant, rules);
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

/// What says little beside a promise with a figure of its own: it stands on a check of everything.
fn is_quiet(rule: &RuleState) -> bool {
    matches!(rule.kind, RuleKind::Category | RuleKind::Purpose | RuleKind::Access)
}

/// The notes in a clause's margin, worst first. What stands alike by the same check is one note, seven rights are one, the
/// worst of them, and so are checks that nobody has made yet.
fn margin(tenant: &TenantId, rules: &[RuleState]) -> Vec<MarginNote> {
    let loud = rules.iter().any(|r| !is_quiet(r));
    let silent = |r: &RuleState| loud && is_quiet(r) && matches!(r.state, State::Kept | State::Waiting);
    let unchecked = |r: &RuleState| r.state == State::Waiting && r.checked.is_none() && r.probe.is_some();
    let mut told: Vec<&RuleState> = Vec::new();
    for rule in rules.iter().filter(|r| !silent(r) && !unchecked(r)) {
        let same = |r: &&RuleState| {
            let alike = (r.state, &r.figure, &r.probe) == (rule.state, &rule.figure, &rule.probe);
            alike || r.kind == RuleKind::Right && rule.kind == RuleKind::Right
        };
        if !told.iter().any(same) {
            told.push(rule);
        }
    }
    let mut notes: Vec<MarginNote> = told.into_iter().map(|r| note(tenant, r)).collect();
    let waiting: Vec<&RuleState> = rules.iter().filter(|r| !silent(r) && unchecked(r)).collect();
    if let Some(first) = waiting.first() {
        let figure = match waiting.len() {
            1 => format!("not checked yet: {}", first.promise),
            n => format!("{n} promises of this clause are not checked yet"),
        };
        notes.push(MarginNote { figure, ..note(tenant, first) });
    }
    notes
}

/// What a version changed against the one before it.
pub(crate) fn changes(tongue: Tongue, older: Option<&Policy>, policy: &Policy) -> Vec<Change> {
    let Some(older) = older else { return Vec::new() };
    diff::diff(older, policy).changes.into_iter().map(|change| changed(tongue, policy, change)).collect()
}

fn changed(tongue: Tongue, policy: &Policy, change: diff::Change) -> Change {
    let kind = match change.direction {
        diff::Direction::Tightened => key("Tighter"),
        diff::Direction::Loosened => key("Looser"),
        diff::Direction::Changed => key("Changed"),
    };
    let by_rule = policy.clauses().iter().find(|c| c.rules.contains(&change.rule));
    let by_name = change.rule.strip_prefix('#').and_then(|id| policy.clause(id));
    let clause = by_rule.or(by_name).map(|c| c.id.clone());
    Change { kind: tongue.say(kind).to_owned(), says: change.says, clause }
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
