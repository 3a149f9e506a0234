//! A new document brought in by stages, so that no day destroys too much of what is held.

use std::collections::BTreeMap;

use chrono::{Days, NaiveDate};
use serde::Serialize;

/// No rollout takes longer: ten years.
const LONGEST: usize = 3660;

/// How fast a rollout may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// So that no day destroys more than this many of a hundred things held.
    Percent(u8),
    /// In so many days, each destroying as little as can be.
    Days(u16),
}

/// One day of a rollout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Stage {
    /// The day.
    pub on: NaiveDate,
    /// How many things go for the candidate's sake.
    pub staged: u64,
    /// How many go that day in any case.
    pub anyway: u64,
    /// The candidate's moment of the last that goes: what it would have had gone by this day is gone.
    pub through: NaiveDate,
    /// How much longer, in days, the clocks of an interim version must be to let go just this much.
    pub slack_days: i64,
    /// How many things still wait for a later stage.
    pub left: u64,
}

/// Why there are no stages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("at this pace the rollout would take more than ten years; allow more a day")]
pub struct TooSlow;

/// The stages by which the things of `sooner` go, oldest due first, beginning on `first`. `sooner` and `anyway` count
/// things by the day on which the candidate has them gone; `anyway` are those that the rules of today take by then too.
pub(super) fn stages(
    sooner: &BTreeMap<NaiveDate, u64>,
    anyway: &BTreeMap<NaiveDate, u64>,
    total: u64,
    first: NaiveDate,
    pace: Pace,
) -> Result<Vec<Stage>, TooSlow> {
    let walk = |most: u64, longest: usize| walk(sooner, anyway, first, most, longest);
    match pace {
        Pace::Percent(percent) => walk((total * u64::from(percent) / 100).max(1), LONGEST).ok_or(TooSlow),
        Pace::Days(days) => {
            // The least a day with which it is done in time.
            let (mut low, mut high) = (1, total.max(1));
            while low < high {
                let middle = low + (high - low) / 2;
                if walk(middle, days.into()).is_some() {
                    high = middle;
                } else {
                    low = middle + 1;
                }
            }
            walk(low, days.max(1).into()).ok_or(TooSlow)
        }
    }
}

/// The days on which at most `most` things go; `None` if that takes longer than `longest` days.
fn walk(
    sooner: &BTreeMap<NaiveDate, u64>,
    anyway: &BTreeMap<NaiveDate, u64>,
    first: NaiveDate,
    most: u64,
    longest: usize,
) -> Option<Vec<Stage>> {
    let before = anyway.range(..=first).map(|(_, n)| n).sum::<u64>();
    let mut queue = sooner.iter().map(|(day, n)| (*day, *n)).peekable();
    let mut all = Vec::new();
    let (mut on, mut taken_of_head) = (first, 0);
    loop {
        let waiting: u64 = sooner.range(..=on).map(|(_, n)| n).sum();
        let done: u64 = all.iter().map(|stage: &Stage| stage.staged).sum();
        let backlog = waiting - done.min(waiting);
        if backlog == 0 {
            return Some(all);
        }
        if all.len() >= longest {
            return None;
        }
        let here = if on == first { before } else { anyway.get(&on).copied().unwrap_or(0) };
        let staged = backlog.min(most.saturating_sub(here));
        let mut through = all.last().map_or(first, |stage| stage.through);
        let mut rest = staged;
        while rest > 0 {
            let (day, n) = *queue.peek()?;
            through = day;
            let takes = rest.min(n - taken_of_head);
            rest -= takes;
            taken_of_head += takes;
            if taken_of_head == n {
                taken_of_head = 0;
                queue.next();
            }
        }
        let left = backlog - staged;
        let slack_days = if left == 0 { 0 } else { (on - through).num_days().max(0) };
        all.push(Stage { on, staged, anyway: here, through, slack_days, left });
        on = on.checked_add_days(Days::new(1))?;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn day(n: u64) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 1, 1).unwrap() + Days::new(n)
    }

    fn counts(of: &[(u64, u64)]) -> BTreeMap<NaiveDate, u64> {
        of.iter().map(|(d, n)| (day(*d), *n)).collect()
    }

    #[test]
    fn the_oldest_go_first_and_no_day_takes_more_than_it_may() {
        let sooner = counts(&[(0, 30), (5, 30), (20, 40)]);
        let anyway = counts(&[(11, 8)]);
        let all = stages(&sooner, &anyway, 400, day(10), Pace::Percent(10)).unwrap();
        let told: Vec<_> =
            all.iter().map(|s| (s.staged, s.anyway, s.through, s.slack_days, s.left)).collect();
        assert_eq!(told, [(40, 0, day(5), 5, 20), (20, 8, day(5), 0, 0)]);
    }

    #[test]
    fn so_many_days_take_the_least_that_will_do() {
        let sooner = counts(&[(0, 90)]);
        let all = stages(&sooner, &BTreeMap::new(), 1000, day(10), Pace::Days(3)).unwrap();
        assert_eq!(all.iter().map(|s| s.staged).collect::<Vec<_>>(), [30, 30, 30]);
        let busy = counts(&[(9, 5_000), (10, 5_000)]);
        assert_eq!(stages(&sooner, &busy, 100, day(10), Pace::Percent(1)).map(|all| all[0].staged), Ok(0));
    }

    proptest! {
        #[test]
        fn whatever_waits_goes_and_each_day_keeps_its_bound(
            sooner in prop::collection::btree_map(0_u64..60, 1_u64..500, 0..20),
            anyway in prop::collection::btree_map(0_u64..80, 1_u64..20, 0..20),
            percent in 1_u8..=100,
        ) {
            let count = |of: &BTreeMap<u64, u64>| of.iter().map(|(d, n)| (day(*d), *n)).collect::<BTreeMap<_, _>>();
            let (sooner, anyway) = (count(&sooner), count(&anyway));
            let total = sooner.values().chain(anyway.values()).sum::<u64>().max(1) * 3;
            let most = (total * u64::from(percent) / 100).max(1);
            if let Ok(all) = stages(&sooner, &anyway, total, day(40), Pace::Percent(percent)) {
                prop_assert!(all.iter().all(|s| s.staged == 0 || s.staged + s.anyway <= most));
                prop_assert!(all.is_sorted_by_key(|s| (s.on, s.through)));
                let last = all.last().map_or(day(40), |s| s.on);
                let due: u64 = sooner.range(..=last).map(|(_, n)| n).sum();
                prop_assert_eq!(all.iter().map(|s| s.staged).sum::<u64>(), due);
                prop_assert_eq!(all.last().map_or(0, |s| s.left), 0);
            }
        }
    }
}
