use super::*;

const DOCUMENT: &str = include_str!("../../../policies/flux-kontext/2026-11-01.md");

fn policy() -> Policy {
    Policy::compile(DOCUMENT).unwrap()
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).unwrap()
}

fn quiet() -> Figures {
    Figures {
        at: at("2026-11-22T14:00:00Z"),
        board: Vec::new(),
        owed: Vec::new(),
        counts: Vec::new(),
        late: Vec::new(),
        ledger_stands: true,
        swept: None,
        development: false,
    }
}

fn row(overdue: i64, latest: Option<TimeDelta>) -> BoardRow {
    BoardRow {
        category: "input-image".into(),
        title: "Uploaded pictures".into(),
        rule: "input-image".into(),
        period: String::new(),
        live: 48,
        overdue,
        latest,
        next_due: None,
        oldest: None,
        erased_day: 0,
        erased_month: 0,
    }
}

fn of(rule: &str, figures: &Figures) -> MarginNote {
    note(&policy(), rule, figures).unwrap()
}

#[test]
fn a_retention_rule_stands_as_its_figures_say() {
    let kept = of("retention.input-image", &Figures { board: vec![row(0, None)], ..quiet() });
    assert_eq!((kept.state, kept.figure.as_str()), (State::Kept, "0 of 48 older than 48 hours"));
    let sweeping = vec![row(1, Some(TimeDelta::minutes(1)))];
    assert_eq!(of("retention.input-image", &Figures { board: sweeping, ..quiet() }).state, State::AtRisk);
    let broken = vec![row(2, Some(TimeDelta::hours(3)))];
    assert_eq!(of("retention.input-image", &Figures { board: broken, ..quiet() }).state, State::Broken);
}

#[test]
fn a_check_that_was_not_made_is_never_green() {
    for standing in standings(&policy(), &quiet()) {
        if standing.rule.starts_with("safeguard.") && standing.note.checked.is_none() {
            assert_eq!(standing.note.state, State::Waiting, "{}", standing.rule);
        }
        if standing.rule.starts_with("attestation.") {
            assert!(matches!(standing.note.state, State::Waiting | State::Overdue), "{}", standing.rule);
        }
    }
    assert_eq!(of("safeguard.sealed", &quiet()).state, State::Waiting);
}

#[test]
fn a_promise_stands_once_and_in_its_own_clause() {
    let all = standings(&policy(), &quiet());
    assert!(all.len() > 20, "{}", all.len());
    let mut rules: Vec<_> = all.iter().map(|s| s.rule.as_str()).collect();
    rules.sort_unstable();
    let before = rules.len();
    rules.dedup();
    assert_eq!(rules.len(), before);
}

#[test]
fn copies_that_are_owed_and_late_answers_break_a_promise() {
    let owed = Figures { owed: vec![("fal-ai".into(), 2)], ..quiet() };
    assert_eq!(of("processor.fal-ai", &owed).state, State::Broken);
    assert_eq!(of("processor.fal-ai", &quiet()).state, State::Kept);
    let right = crate::policy::Right::Access;
    let counts = vec![Counted { right, state: crate::requests::State::Working, n: 1 }];
    let late = Figures { counts: counts.clone(), late: vec![right], ..quiet() };
    assert_eq!(of("right.access", &late).state, State::Broken);
    assert_eq!(of("right.access", &Figures { counts, ..quiet() }).state, State::Kept);
    assert_eq!(of("right.access", &quiet()).state, State::Waiting);
}

#[test]
fn an_attestation_without_evidence_goes_overdue_in_its_time() {
    let later = Figures { at: at("2027-03-01T00:00:00Z"), ..quiet() };
    assert_eq!(of("attestation.access-review", &quiet()).state, State::Waiting);
    assert_eq!(of("attestation.access-review", &later).state, State::Overdue);
}
