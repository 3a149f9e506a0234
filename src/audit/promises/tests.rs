use super::*;
use crate::audit::attest::Words;
use crate::audit::{Outcome, Part, Vouched};
use crate::base::{Clock, Entropy, StaffId};

const DOCUMENT: &str = include_str!("../../../policies/flux-kontext/2026-11-01.md");
const NOW: &str = "2026-11-22T12:00:00Z";

fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).unwrap()
}

fn entry() -> EntryId {
    EntryId::new(&Clock::manual(at(NOW)).0, &Entropy::seeded(1))
}

fn check(probe: &str, outcome: Outcome, ran: &str) -> Check {
    let ran = at(ran);
    Check {
        probe: probe.to_owned(),
        outcome,
        at: ran,
        since: ran,
        entry: Some(entry()),
        recorded_at: Some(ran),
    }
}

fn stand(checks: &[Check], words: &Words, now: &str) -> Vec<ClauseState> {
    let policy = Policy::compile(DOCUMENT).unwrap();
    clauses(&Known { policy: &policy, checks, words, now: at(now) })
}

fn rule(all: &[ClauseState], name: &str) -> RuleState {
    all.iter().flat_map(|c| &c.rules).find(|r| r.rule == name).unwrap().clone()
}

#[test]
fn what_nothing_has_checked_is_never_green() {
    for clause in stand(&[], &Words::default(), NOW) {
        for rule in &clause.rules {
            assert_eq!((rule.state, rule.checked), (State::Waiting, None), "{}", rule.rule);
        }
        assert_ne!(clause.state, Some(State::Kept), "{}", clause.clause);
    }
}

#[test]
fn a_check_that_could_not_run_leaves_its_promise_waiting_with_the_reason() {
    let unseen = check("logs-clean", Outcome::cannot_run("this process does not see its log"), NOW);
    let found = rule(&stand(&[unseen], &Words::default(), NOW), "safeguard.logs-clean");
    assert_eq!(found.state, State::Waiting);
    assert_eq!(found.figure, "this process does not see its log");
    assert_eq!(found.checked, Some(at(NOW)));
}

#[test]
fn a_check_that_failed_or_is_late_is_told() {
    let with = |found, ran| {
        let probe = check("logs-clean", Outcome::counted(9, found, "so many"), ran);
        rule(&stand(&[probe], &Words::default(), NOW), "safeguard.logs-clean").state
    };
    assert_eq!(with(0, "2026-11-22T11:00:00Z"), State::Kept);
    assert_eq!(with(0, "2026-11-21T11:59:59Z"), State::AtRisk, "older than its period is not green");
    assert_eq!(with(1, "2026-11-22T11:00:00Z"), State::Broken);
    assert_eq!(with(1, "2026-10-22T11:00:00Z"), State::Broken, "lateness mends nothing");
}

#[test]
fn a_rule_stands_as_its_part_of_a_check_does() {
    let part = |rule: &str, state| Part { rule: rule.to_owned(), state, figure: "0 of 3".to_owned() };
    let parts = vec![part("retention.input-image", State::Broken), part("retention.prompt", State::Kept)];
    let checks = [check("retention-kept", Outcome::counted(3, 1, "1 of 3").with(parts), NOW)];
    let all = stand(&checks, &Words::default(), NOW);
    assert_eq!(rule(&all, "retention.input-image").state, State::Broken);
    assert_eq!(rule(&all, "retention.prompt").state, State::Kept);
    assert_eq!(rule(&all, "retention.usage").state, State::Waiting, "a rule the check did not look at");
    let clause = all.iter().find(|c| c.clause == "input-images").unwrap();
    assert_eq!(clause.state, Some(State::Broken), "a clause is as bad as the worst of its rules");
    assert_eq!(clause.entry, Some(entry()));
    assert_eq!(clause.rules.first().unwrap().rule, "retention.input-image");
}

#[test]
fn every_rule_of_the_document_stands_somewhere_and_a_clause_without_any_promises_nothing() {
    let policy = Policy::compile(DOCUMENT).unwrap();
    let all = stand(&[], &Words::default(), NOW);
    assert_eq!(all.len(), policy.clauses().len());
    for (clause, found) in policy.clauses().iter().zip(&all) {
        assert_eq!(found.rules.len(), clause.rules.len(), "{}", clause.id);
        assert_eq!(found.state.is_none(), clause.rules.is_empty(), "{}", clause.id);
    }
}

#[test]
fn an_attestation_waits_for_its_first_day_and_is_overdue_after_it() {
    let on = |words: &Words, now| rule(&stand(&[], words, now), "attestation.disclosure-review").state;
    let none = Words::default();
    assert_eq!(on(&none, NOW), State::Waiting);
    assert_eq!(on(&none, "2027-02-02T12:00:00Z"), State::Overdue);
    let made = Words::of(vec![Vouched {
        entry: entry(),
        attestation: "disclosure-review".to_owned(),
        staff: StaffId::new(&Clock::manual(at(NOW)).0, &Entropy::seeded(2)),
        at: at("2027-02-03T12:00:00Z"),
        file: false,
        place: None,
    }]);
    assert_eq!(on(&made, "2027-02-04T12:00:00Z"), State::Attested);
    assert_eq!(
        on(&made, "2027-04-25T12:00:00Z"),
        State::AtRisk,
        "within the time in which its owner is reminded"
    );
    assert_eq!(on(&made, "2027-05-03T12:00:01Z"), State::Overdue);
}

#[test]
fn the_states_are_shown_in_json_as_words() {
    let all = stand(&[], &Words::default(), NOW);
    let clause = all.iter().find(|c| c.clause == "audits").unwrap();
    let json = serde_json::to_value(clause).unwrap();
    assert_eq!(json["state"], "waiting");
    assert_eq!(json["rules"][0]["kind"], "safeguard");
}
