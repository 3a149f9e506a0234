//! The circuit breaker and the retry budget of one provider.

use std::sync::{Mutex, PoisonError};

use chrono::TimeDelta;

use crate::base::{Clock, Timestamp};

/// Failures in a row after which the provider is left alone.
const TRIP: u32 = 5;
/// For how long at first; doubled each time a probe fails, up to [`LONGEST`].
const REST: TimeDelta = TimeDelta::seconds(10);
const LONGEST: TimeDelta = TimeDelta::minutes(5);
/// A tenth of a retry is earned by each call, and up to ten can be saved: in an outage, calls grow by 10 % and not
/// by a multiple.
const EARNED: u32 = 1;
const COST: u32 = 10;
const SAVED: u32 = 100;

/// Stands before every call to a provider.
#[derive(Debug)]
pub(super) struct Gate {
    clock: Clock,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    failures: u32,
    rest: TimeDelta,
    closed_until: Option<Timestamp>,
    probing: bool,
    budget: u32,
}

/// Leave for one call. Unless told otherwise by [`Permit::healthy`] or [`Permit::failed`], it leaves no trace.
#[derive(Debug)]
pub(super) struct Permit<'a>(&'a Gate);

impl Gate {
    pub(super) fn new(clock: Clock) -> Self {
        let state = State { failures: 0, rest: REST, closed_until: None, probing: false, budget: SAVED };
        Self { clock, state: Mutex::new(state) }
    }

    /// Lets a call through, or says when to come back. After a rest one call at a time goes through, as a probe.
    pub(super) fn enter(&self) -> Result<Permit<'_>, Timestamp> {
        let now = self.clock.now();
        self.with(|s| {
            match s.closed_until {
                Some(until) if now < until => return Err(until),
                Some(_) if s.probing => return Err(now.plus(REST)),
                Some(_) => s.probing = true,
                None => {}
            }
            s.budget = (s.budget + EARNED).min(SAVED);
            Ok(Permit(self))
        })
    }

    /// Until when no call would be let through, if so.
    pub(super) fn rests_until(&self) -> Option<Timestamp> {
        let now = self.clock.now();
        self.with(|s| s.closed_until.filter(|until| now < *until))
    }

    /// Takes one retry from the budget; false if there is none left.
    pub(super) fn may_retry(&self) -> bool {
        self.with(|s| match s.budget.checked_sub(COST) {
            Some(rest) => {
                s.budget = rest;
                true
            }
            None => false,
        })
    }

    fn with<T>(&self, f: impl FnOnce(&mut State) -> T) -> T {
        f(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Permit<'_> {
    /// The provider answered as one that is well.
    pub(super) fn healthy(self) {
        self.0.with(|s| {
            s.failures = 0;
            s.rest = REST;
            s.closed_until = None;
        });
    }

    /// It did not.
    pub(super) fn failed(self) {
        let now = self.0.clock.now();
        self.0.with(|s| {
            s.failures += 1;
            if s.probing {
                s.rest = (s.rest * 2).min(LONGEST);
            }
            if s.probing || s.failures >= TRIP {
                s.closed_until = Some(now.plus(s.rest));
            }
        });
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.0.with(|s| s.probing = false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate() -> (Gate, crate::base::ManualClock) {
        let (clock, hand) = Clock::manual(Timestamp::from_micros(0));
        (Gate::new(clock), hand)
    }

    #[test]
    fn five_failures_in_a_row_close_it_and_a_good_probe_opens_it() {
        let (gate, hand) = gate();
        for _ in 0..5 {
            gate.enter().unwrap().failed();
        }
        let until = gate.enter().unwrap_err();
        assert_eq!(until, Timestamp::from_micros(0).plus(REST));
        hand.advance(REST);
        let probe = gate.enter().unwrap();
        assert!(gate.enter().is_err(), "one probe at a time");
        probe.healthy();
        assert!(gate.enter().is_ok());
    }

    #[test]
    fn a_failed_probe_doubles_the_rest_and_a_dropped_one_frees_the_place() {
        let (gate, hand) = gate();
        for _ in 0..5 {
            gate.enter().unwrap().failed();
        }
        hand.advance(REST);
        drop(gate.enter().unwrap());
        gate.enter().unwrap().failed();
        hand.advance(REST);
        assert!(gate.enter().is_err());
        hand.advance(REST);
        assert!(gate.enter().is_ok());
    }

    #[test]
    fn a_success_between_failures_starts_the_count_again() {
        let (gate, _) = gate();
        for _ in 0..4 {
            gate.enter().unwrap().failed();
        }
        gate.enter().unwrap().healthy();
        gate.enter().unwrap().failed();
        assert!(gate.enter().is_ok());
    }

    #[test]
    fn retries_run_out_and_are_earned_back_slowly() {
        let (gate, _) = gate();
        assert_eq!((0..100).filter(|_| gate.may_retry()).count(), 10);
        for _ in 0..9 {
            gate.enter().unwrap().healthy();
        }
        assert!(!gate.may_retry());
        gate.enter().unwrap().healthy();
        assert!(gate.may_retry());
    }
}
