//! The circuit breaker, the pauses of a provider without time, and the retry budget of one provider.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chrono::TimeDelta;

use crate::base::{Clock, Timestamp};

/// Failures in a row after which the provider is left alone.
const TRIP: u32 = 5;
/// For how long at first; doubled each time a probe fails, up to [`LONGEST`].
const REST: TimeDelta = TimeDelta::seconds(10);
const LONGEST: TimeDelta = TimeDelta::minutes(5);
/// The first pause of a provider that has no time for a job and does not say for how long; doubled each time, up to
/// [`BUSIEST`]. Of it a random part between half and all is waited.
const BUSY: TimeDelta = TimeDelta::seconds(4);
const BUSIEST: TimeDelta = TimeDelta::minutes(1);
/// What is waited at least, whatever the provider says.
const SHORTEST: TimeDelta = TimeDelta::seconds(2);
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
    /// Jobs in a row that it had no time for.
    refusals: u32,
    busy_until: Option<Timestamp>,
    budget: u32,
}

/// Leave for one call. Unless told otherwise by [`Permit::healthy`] or [`Permit::failed`], it leaves no trace.
#[derive(Debug)]
pub(super) struct Permit<'a>(&'a Gate);

impl Gate {
    pub(super) fn new(clock: Clock) -> Self {
        let state = State {
            failures: 0,
            rest: REST,
            closed_until: None,
            probing: false,
            refusals: 0,
            busy_until: None,
            budget: SAVED,
        };
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

    /// Until when no job should be put, if so: no call would be let through, or it has no time for one.
    pub(super) fn rests_until(&self) -> Option<Timestamp> {
        let now = self.clock.now();
        self.with(|s| s.closed_until.max(s.busy_until).filter(|until| now < *until))
    }

    /// A job was put that it has no time for. It says for how long, or is waited for a little longer each time; `chance` is
    /// drawn at random.
    pub(super) fn refused(&self, asked: Option<Duration>, chance: u16) {
        let now = self.clock.now();
        self.with(|s| {
            // Those that were on their way at the same moment are one refusal.
            if s.busy_until.is_none_or(|until| until <= now) {
                s.refusals = s.refusals.saturating_add(1);
            }
            let pause = match asked.and_then(|asked| TimeDelta::from_std(asked).ok()) {
                Some(asked) => asked,
                None => grown(s.refusals, chance),
            };
            s.busy_until = s.busy_until.max(Some(now.plus(pause.max(SHORTEST))));
        });
    }

    /// A job was taken: it has time.
    pub(super) fn taken(&self) {
        self.with(|s| {
            s.refusals = 0;
            s.busy_until = None;
        });
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

fn grown(refusals: u32, chance: u16) -> TimeDelta {
    let doublings = refusals.clamp(1, 10) - 1;
    let half = BUSIEST.min(BUSY * 2_i32.saturating_pow(doublings)) / 2;
    half + half * i32::from(chance) / i32::from(u16::MAX)
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
    fn a_provider_without_time_is_left_alone_for_longer_each_time() {
        let (gate, hand) = gate();
        let wait = |gate: &Gate| gate.rests_until().map(|until| until.since(gate.clock.now()));
        assert_eq!(wait(&gate), None);
        for full in [4, 8, 16, 32, 60, 60] {
            for chance in [0, u16::MAX, 7] {
                // Several at once are one refusal, and the longest pause counts.
                gate.refused(None, chance);
            }
            assert_eq!(wait(&gate), Some(TimeDelta::seconds(full)));
            hand.advance(TimeDelta::seconds(full));
            assert_eq!(wait(&gate), None);
        }
        gate.refused(None, 0);
        assert_eq!(wait(&gate), Some(TimeDelta::seconds(30)), "chance takes up to half of it away");
        gate.taken();
        assert_eq!(wait(&gate), None);
        gate.refused(Some(Duration::from_secs(7)), 0);
        assert_eq!(wait(&gate), Some(TimeDelta::seconds(7)), "what it says counts");
        assert!(gate.enter().is_ok(), "what is under way there is followed all the same");
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
