use proptest::prelude::*;

use super::*;
use crate::base::{Clock, Entropy};

fn at(hours: i64) -> Timestamp {
    Timestamp::from_micros(1_770_000_000_000_000).plus(chrono::TimeDelta::hours(hours))
}

fn request(right: Right) -> Request {
    let clock = Clock::manual(at(0)).0;
    let entropy = Entropy::seeded(1);
    Request {
        id: RequestId::new(&clock, &entropy),
        reference: "PR-00000-00000".to_owned(),
        tenant: "flux-kontext".parse().unwrap(),
        subject: Some(SubjectId::new(&clock, &entropy)),
        right,
        about: None,
        state: State::Received,
        channel: Channel::Page,
        detail: None,
        received_at: at(0),
        due: Due { promise: at(72), internal: at(23 * 24), legal: at(30 * 24), extended: at(91 * 24) },
        grace_until: None,
        extended_at: None,
        answered_at: None,
        closed_at: None,
        purge_at: None,
        outcome: None,
        receipt: None,
        archive: None,
        alarm: Alarm::Quiet,
        tries: 0,
        problem: None,
        next_at: None,
        proved_at: None,
        reopened_at: None,
        round: 0,
        before: None,
        revision: 0,
    }
}

/// Every step there is, by number.
fn take(request: Request, step: u8, now: Timestamp) -> Result<Request, BadStep> {
    let due = |from: Timestamp| Due {
        promise: from.plus(chrono::TimeDelta::hours(72)),
        internal: from.plus(chrono::TimeDelta::days(23)),
        legal: from.plus(chrono::TimeDelta::days(30)),
        extended: from.plus(chrono::TimeDelta::days(91)),
    };
    match step % 14 {
        0 => request.acknowledge(),
        1 => request.ask_identity(now.plus(chrono::TimeDelta::days(30))),
        2 => request.cool_off(now),
        3 => request.start(now),
        4 => request.answer(State::Fulfilled, "fulfilled", now),
        5 => request.answer(State::PartlyFulfilled, "partly-fulfilled", now),
        6 => request.answer(State::Refused, "refused", now),
        7 => request.answer(State::NoData, "no-data", now),
        8 => request.close(now, None),
        9 => request.withdraw(now, None),
        10 => request.prove(now, due(now)),
        11 => request.lapse(Lapsed::Unconfirmed, now, None),
        12 => request.reopen(now, due(now)),
        _ => request.extend(now),
    }
}

proptest! {
    #[test]
    fn no_sequence_of_steps_leads_astray(
        right in prop::sample::select(Right::ALL.to_vec()),
        steps in prop::collection::vec((any::<u8>(), 0_i64..300), 0..40),
    ) {
        let mut request = request(right);
        let mut now = at(0);
        for (step, hours) in steps {
            now = now.plus(chrono::TimeDelta::hours(hours));
            let before = request.clone();
            let Ok(after) = take(request.clone(), step, now) else { continue };
            if after.state != before.state {
                prop_assert!(before.state.leads_to(after.state, right));
            }
            prop_assert_ne!(before.state, State::Withdrawn, "what was taken back stays so");
            if before.state == State::Closed {
                prop_assert_eq!(after.state, State::Working, "closed is final but for reopening");
            }
            if after.state == State::Closed && before.state != State::Closed {
                prop_assert!(before.state.is_answer(), "nothing closes unanswered");
            }
            prop_assert!(after.state != State::Grace || right == Right::Erasure);
            if after.state == State::Withdrawn && right == Right::Erasure {
                prop_assert_ne!(before.state, State::Working, "an erasure that began cannot be taken back");
            }
            if after.state.is_answer() {
                prop_assert!(after.answered_at.is_some());
            }
            prop_assert_eq!(after.closed_at.is_some(), after.state.is_over());
            let anew = after.round > before.round;
            if !anew && after.proved_at == before.proved_at {
                prop_assert_eq!(after.due, before.due, "no other step moves a clock");
            }
            if anew {
                prop_assert_eq!(after.answered_at, None, "a second round waits for a second answer");
                let late = before.answered_at.is_some_and(|at| at > before.due.promise);
                prop_assert!(!late || after.before.is_some_and(|(at, promise)| at > promise), "what was late stays so");
            }
            if before.extended_at.is_some() && !anew {
                prop_assert_eq!(after.extended_at, before.extended_at, "extended once only");
            }
            request = after;
        }
    }
}

#[test]
fn every_state_has_a_way_to_an_end() {
    for right in Right::ALL {
        for from in State::ALL {
            let mut reached = vec![*from];
            let mut at = 0;
            while let Some(here) = reached.get(at).copied() {
                let next = State::ALL.iter().filter(|to| here.leads_to(**to, *right));
                let fresh: Vec<State> = next.copied().filter(|s| !reached.contains(s)).collect();
                reached.extend(fresh);
                at += 1;
            }
            assert!(reached.iter().any(|s| s.is_over()), "{from:?} leads nowhere for {right}");
        }
    }
}

#[test]
fn clocks_call_ever_louder_until_they_are_answered() {
    let open = request(Right::Access).acknowledge().unwrap().start(at(0)).unwrap();
    let levels = [1, 60, 73, 24 * 24, 31 * 24].map(|h| open.alarm_at(at(h)));
    assert_eq!(
        levels,
        [Alarm::Quiet, Alarm::PromiseNear, Alarm::PromiseMissed, Alarm::LawNear, Alarm::LawMissed]
    );
    assert!(levels.is_sorted());
    let extended = open.clone().extend(at(24 * 24)).unwrap();
    assert_eq!(
        extended.alarm_at(at(31 * 24)),
        Alarm::PromiseMissed,
        "an extension moves the law, not the promise"
    );
    assert!(extended.extend(at(25 * 24)).is_err());
    assert!(open.clone().extend(at(31 * 24)).is_err(), "too late to extend");
    let answered = open.answer(State::Fulfilled, "fulfilled", at(2)).unwrap();
    assert_eq!(answered.alarm_at(at(31 * 24)), Alarm::Quiet);
}

#[test]
fn a_stuck_request_is_tried_again_for_ever() {
    let mut request = request(Right::Access).acknowledge().unwrap().start(at(0)).unwrap();
    for n in 0..40 {
        request = request.stuck("the store was full", at(0));
        let wait = request.next_at.unwrap().since(at(0));
        assert!(wait >= chrono::TimeDelta::minutes(1) && wait <= chrono::TimeDelta::hours(6), "{n}: {wait}");
    }
    assert_eq!(request.problem.as_deref(), Some("the store was full"));
    assert_eq!(request.answer(State::Fulfilled, "fulfilled", at(1)).unwrap().problem, None);
}
