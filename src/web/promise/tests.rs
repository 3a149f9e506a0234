use chrono::TimeDelta;

use super::*;

const DOCUMENT: &str = include_str!("../../../policies/flux-kontext/2026-11-01.md");

fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).unwrap()
}

fn row(rule: &str, live: i64, overdue: i64, latest: Option<TimeDelta>) -> BoardRow {
    BoardRow {
        category: rule.to_owned(),
        title: String::new(),
        rule: rule.to_owned(),
        period: "at most 48 hours after it was uploaded".to_owned(),
        live,
        overdue,
        held: 0,
        latest,
        next_due: None,
        oldest: None,
        erased_day: 0,
        erased_month: 0,
    }
}

struct Case {
    board: Vec<BoardRow>,
    copies: Vec<(String, i64)>,
    requests: Vec<RightLine>,
    probes: Vec<Probed>,
    at: &'static str,
}

impl Default for Case {
    fn default() -> Self {
        Self { board: vec![], copies: vec![], requests: vec![], probes: vec![], at: "2026-11-22T12:00:00Z" }
    }
}

fn stand(case: &Case, rule: &str) -> Standing {
    let policy = Policy::compile(DOCUMENT).unwrap();
    let all = standings(&Evidence {
        policy: &policy,
        at: at(case.at),
        board: &case.board,
        overdue_copies: &case.copies,
        requests: &case.requests,
        probes: &case.probes,
        proofs: &Proofs::default(),
    });
    all.into_iter().find(|s| s.rule == rule).unwrap()
}

#[test]
fn what_is_past_its_time_breaks_the_promise_and_its_sweep_has_ten_minutes() {
    let with = |overdue, minutes| {
        let latest = (overdue > 0).then(|| TimeDelta::minutes(minutes));
        let case = Case { board: vec![row("input-image", 214, overdue, latest)], ..Case::default() };
        stand(&case, "retention.input-image")
    };
    assert_eq!(with(0, 0).state, State::Kept);
    assert_eq!(with(0, 0).figure, "0 of 214 past their time");
    assert_eq!(with(3, 2).state, State::AtRisk);
    let broken = with(3, 11);
    assert_eq!(broken.state, State::Broken);
    assert_eq!(broken.figure, "3 of 214 past their time, the latest by 11 minutes");
}

#[test]
fn a_late_answer_breaks_the_promise_and_a_near_one_puts_it_at_risk() {
    let with = |near, late| {
        let line = RightLine { right: Right::Access, open: 4, near, late, answered: 9 };
        stand(&Case { requests: vec![line], ..Case::default() }, "right.access").state
    };
    assert_eq!(with(0, 0), State::Kept);
    assert_eq!(with(1, 0), State::AtRisk);
    assert_eq!(with(1, 1), State::Broken);
}

#[test]
fn what_nothing_has_checked_is_never_green() {
    for rule in ["safeguard.logs-clean", "safeguard.no-tracking", "processor.stripe", "notice.breach"] {
        let standing = stand(&Case::default(), rule);
        assert_eq!((standing.state, standing.checked), (State::Waiting, None), "{rule}");
    }
}

#[test]
fn a_probe_that_failed_or_is_late_is_told() {
    let with = |sound, ran: &str| {
        let probe =
            Probed { probe: "logs-clean".to_owned(), sound, figure: "0 of 12 lines".to_owned(), at: at(ran) };
        stand(&Case { probes: vec![probe], ..Case::default() }, "safeguard.logs-clean").state
    };
    assert_eq!(with(true, "2026-11-22T11:00:00Z"), State::Kept);
    assert_eq!(with(true, "2026-11-20T11:00:00Z"), State::AtRisk);
    assert_eq!(with(false, "2026-11-22T11:00:00Z"), State::Broken);
}

#[test]
fn a_copy_left_at_a_recipient_breaks_its_promise() {
    let case = Case { copies: vec![("fal-ai".to_owned(), 2)], ..Case::default() };
    assert_eq!(stand(&case, "processor.fal-ai").state, State::Broken);
    assert_eq!(stand(&case, "safeguard.provider-copies").state, State::Broken);
    assert_eq!(stand(&Case::default(), "processor.fal-ai").state, State::Kept);
}

#[test]
fn an_attestation_waits_for_its_first_day_and_is_overdue_after_it() {
    let on = |day| stand(&Case { at: day, ..Case::default() }, "attestation.disclosure-review").state;
    assert_eq!(on("2026-11-22T12:00:00Z"), State::Waiting);
    assert_eq!(on("2027-02-02T12:00:00Z"), State::Overdue);
}

#[test]
fn every_promise_of_a_clause_is_found_beside_it() {
    let policy = Policy::compile(DOCUMENT).unwrap();
    let proofs = Proofs::default();
    let found = Evidence {
        policy: &policy,
        at: at("2026-11-22T12:00:00Z"),
        board: &[],
        overdue_copies: &[],
        requests: &[],
        probes: &[],
        proofs: &proofs,
    };
    let all = standings(&found);
    let beside = |clause: &str| of_clause(&all, policy.clause(clause).unwrap()).count();
    assert_eq!(beside("input-images"), 1);
    assert_eq!(beside("what-we-hold"), 1, "the clause points at safeguard.declared");
    let counted: u64 = tally(&all).iter().map(|part| part.count.0).sum();
    assert_eq!(counted, all.len() as u64);
}
