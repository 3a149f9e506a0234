//! One line of the board for each kind of rule.

use chrono::{NaiveTime, TimeDelta};

use super::{Evidence, Probed, SWEEP_GRACE, Standing};
use crate::base::{Period, Timestamp};
use crate::policy::{
    Attestation, Life, Notice, Policy, Processor, Retention, RightRule, RuleKind, Safeguard,
};
use crate::retention::BoardRow;
use crate::web::view::{Count, Moment, State, span};

/// A finding: state and figure.
type Found = (State, String);

fn unsigned(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}

/// When data go: nothing may be past its time for longer than a sweep takes.
pub(super) fn retention(found: &Evidence<'_>, rule: &Retention) -> Standing {
    let rows: Vec<&BoardRow> = found.board.iter().filter(|row| row.rule == rule.id).collect();
    let (state, figure) = erased_in_time(&rows);
    let full = format!("retention.{}", rule.id);
    Standing {
        clause: rule.clause.clone(),
        kind: RuleKind::Retention,
        promise: rows.first().map(|row| row.period.clone()).unwrap_or_default(),
        state,
        figure,
        checked: Some(found.at),
        proof: found.proofs.newest(&full).map(|p| p.entry),
        rule: full,
    }
}

fn erased_in_time(rows: &[&BoardRow]) -> Found {
    let live = Count(rows.iter().map(|row| unsigned(row.live)).sum());
    let overdue = Count(rows.iter().map(|row| unsigned(row.overdue)).sum());
    let erased = Count(rows.iter().map(|row| unsigned(row.erased_month)).sum());
    let latest = rows.iter().filter_map(|row| row.latest).max().unwrap_or_default();
    if !overdue.none() {
        let state = if latest > SWEEP_GRACE { State::Broken } else { State::AtRisk };
        return (state, format!("{overdue} of {live} past their time, the latest by {}", span(latest)));
    }
    let figure = match (live.none(), erased.none()) {
        (true, true) => "nothing is held under it".to_owned(),
        (true, false) => format!("nothing left, {erased} erased in 30 days"),
        (false, _) => format!("0 of {live} past their time"),
    };
    (State::Kept, figure)
}

/// Who else has data: no copy past its longest life. Where the document sets no length, nothing here can tell.
pub(super) fn processor(found: &Evidence<'_>, processor: &Processor) -> Standing {
    let late: u64 =
        found.overdue_copies.iter().filter(|(id, _)| *id == processor.id).map(|(_, n)| unsigned(*n)).sum();
    let full = format!("processor.{}", processor.id);
    let (promise, state, figure) = match processor.longest_life {
        Life::AsOurs => (
            "gone there as soon as it is gone here".to_owned(),
            State::Waiting,
            "no check of this runs yet".to_owned(),
        ),
        Life::AtMost(period) => {
            let (state, figure) = copies(late, period);
            (format!("nothing stays there longer than {period}"), state, figure)
        }
    };
    Standing {
        clause: processor.clause.clone(),
        kind: RuleKind::Processor,
        promise: format!("{}: {promise}", processor.name),
        checked: (state != State::Waiting).then_some(found.at),
        state,
        figure,
        proof: found.proofs.newest(&full).map(|p| p.entry),
        rule: full,
    }
}

fn copies(late: u64, period: Period) -> Found {
    if late == 0 {
        return (State::Kept, format!("no copy known there is older than {period}"));
    }
    let copies = Count(late).of("copy", "copies");
    (State::Broken, format!("{copies} not known to be gone after {period}"))
}

/// What people may ask: answered within the promised time.
pub(super) fn right(found: &Evidence<'_>, rule: &RightRule) -> Standing {
    let line = found.requests.iter().find(|line| line.right == rule.right);
    let full = format!("right.{}", rule.right);
    let within = rule.answer_within;
    let (state, figure) = match line {
        Some(line) if line.late > 0 => {
            (State::Broken, format!("{} of {} open past {within}", Count(line.late), Count(line.open)))
        }
        Some(line) if line.near > 0 => (
            State::AtRisk,
            format!("{} of {} open within 18 hours of the promise", Count(line.near), Count(line.open)),
        ),
        Some(line) if line.open > 0 => (State::Kept, format!("0 of {} open past {within}", Count(line.open))),
        Some(line) if line.answered > 0 => {
            (State::Kept, format!("none open, {} answered", Count(line.answered)))
        }
        _ => (State::Kept, "nobody has asked".to_owned()),
    };
    Standing {
        clause: rule.clause.clone(),
        kind: RuleKind::Right,
        promise: format!("answered within {within}"),
        state,
        figure,
        checked: Some(found.at),
        proof: found.proofs.newest(&full).map(|p| p.entry),
        rule: full,
    }
}

/// What the program checks: as its probe ended. A probe that is late by more than its own period is a risk; one that
/// never ran leaves the promise waiting.
pub(super) fn safeguard(found: &Evidence<'_>, rule: &Safeguard) -> Standing {
    let derived = derived(found, &rule.probe);
    let probed = derived.as_ref().or_else(|| found.probes.iter().find(|p| p.probe == rule.probe));
    let (state, figure) = match probed {
        None => (State::Waiting, "no check of this runs yet".to_owned()),
        Some(p) if !p.sound => (State::Broken, p.figure.clone()),
        Some(p) if late_by_a_period(p.at, rule.every, found.at) => {
            (State::AtRisk, format!("{}; the check is late", p.figure))
        }
        Some(p) => (State::Kept, p.figure.clone()),
    };
    Standing {
        clause: rule.clause.clone(),
        kind: RuleKind::Safeguard,
        rule: format!("safeguard.{}", rule.id),
        promise: rule.promises.clone(),
        state,
        figure,
        checked: probed.map(|p| p.at),
        proof: None,
    }
}

fn late_by_a_period(ran: Timestamp, every: Period, now: Timestamp) -> bool {
    every.after(every.after(ran)) < now
}

/// The probes that look at nothing but what is here already.
fn derived(found: &Evidence<'_>, probe: &str) -> Option<Probed> {
    let (sound, figure) = match probe {
        "retention-kept" => {
            let rows: Vec<&BoardRow> = found.board.iter().collect();
            let (state, figure) = erased_in_time(&rows);
            (state != State::Broken, figure)
        }
        "deadlines-kept" => {
            let late: u64 = found.requests.iter().map(|line| line.late).sum();
            let open: u64 = found.requests.iter().map(|line| line.open).sum();
            (late == 0, format!("{} of {} open past the promise", Count(late), Count(open)))
        }
        "provider-copies-removed" => {
            let late: u64 = found.overdue_copies.iter().map(|(_, n)| unsigned(*n)).sum();
            (late == 0, format!("{} past their time", Count(late).of("copy", "copies")))
        }
        _ => return None,
    };
    Some(Probed { probe: probe.to_owned(), sound, figure, at: found.at })
}

/// What people vouch for: fresh, due soon, overdue, or not due for the first time yet.
pub(super) fn attestation(found: &Evidence<'_>, rule: &Attestation) -> Standing {
    let full = format!("attestation.{}", rule.id);
    let made = found.proofs.newest(&full);
    let due = rule.every.after(made.map_or_else(|| begins(found.policy), |m| m.at));
    let day = Moment::from(due).day_words();
    let remind = rule
        .remind
        .map_or(TimeDelta::zero(), |p| TimeDelta::seconds(i64::try_from(p.rough_seconds()).unwrap_or(0)));
    let (state, figure) = match made {
        _ if due <= found.at => (State::Overdue, format!("{} owes it since {day}", rule.owner)),
        Some(_) if due.plus(-remind) <= found.at => (State::AtRisk, format!("due again on {day}")),
        Some(_) => (State::Attested, format!("by {}, due again on {day}", rule.owner)),
        None => (State::Waiting, format!("{} owes it by {day}", rule.owner)),
    };
    Standing {
        clause: rule.clause.clone(),
        kind: RuleKind::Attestation,
        promise: rule.what.clone(),
        state,
        figure,
        checked: made.map(|m| m.at),
        proof: made.map(|m| m.entry),
        rule: full,
    }
}

fn begins(policy: &Policy) -> Timestamp {
    Timestamp::from_utc(policy.effective().and_time(NaiveTime::MIN).and_utc())
}

/// When people are told: nothing looks at that yet.
pub(super) fn notice(rule: &Notice) -> Standing {
    Standing {
        clause: rule.clause.clone(),
        kind: RuleKind::Notice,
        rule: format!("notice.{}", rule.id),
        promise: rule.says.clone().unwrap_or_else(|| format!("people are told: {}", rule.when)),
        state: State::Waiting,
        figure: "no check of this runs yet".to_owned(),
        checked: None,
        proof: None,
    }
}
