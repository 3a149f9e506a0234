//! The two clocks that people can see: when data go, and when requests are answered.

use chrono::TimeDelta;

use super::Look;
use super::notices::disuse;
use crate::audit::model::{count, grouped, unsigned};
use crate::audit::sql::look as sql;
use crate::audit::{Error, Outcome, Part, State};
use crate::base::Timestamp;
use crate::policy::Retention;
use crate::store::Tx;

/// The sweep runs every few seconds; what is past its time for longer than this was not erased in time.
pub const SWEEP: TimeDelta = TimeDelta::minutes(10);
/// Accounts are looked at each hour, and months differ in length.
const UNUSED: TimeDelta = TimeDelta::days(1);
/// A request with less time left than this is near its promise.
const NEAR: TimeDelta = TimeDelta::hours(18);
const A_MONTH: TimeDelta = TimeDelta::days(30);

/// Looks for what is past its time and under no hold, by rule; for what belongs to nobody who has an account; and for
/// accounts that were left unused for longer than a rule allows.
pub(super) async fn retention_kept(look: &Look<'_>) -> Result<Outcome, Error> {
    let counts = look.audit.vault.counts(look.tenant, look.now).await?;
    let mut tx = look.audit.db.read().await?;
    let overdue = sql::overdue(&mut tx, look.tenant, look.now).await?;
    let nobodys = unsigned(sql::nobodys(&mut tx, look.tenant).await?);
    let (mut parts, mut unused) = (Vec::new(), 0);
    for rule in look.policy.retention_rules() {
        let governs = |category: &String| rule.categories.contains(category);
        let live: i64 = counts.iter().filter(|c| governs(&c.category)).map(|c| c.live).sum();
        let past = overdue.iter().filter(|(_, r, ..)| *r == rule.id);
        let (n, since) = past.fold((0, None), |(n, since), (_, _, more, due)| {
            (n + more, [since, *due].into_iter().flatten().min())
        });
        let mut found = told(unsigned(live), unsigned(n), since.map(Timestamp::from_micros), look.now);
        if let Some(left) = left_unused(look, &mut tx, rule).await? {
            unused += left.past;
            found = left.told(found);
        }
        parts.push(Part { rule: format!("retention.{}", rule.id), state: found.0, figure: found.1 });
    }
    let late = |due: Option<i64>| due.is_some_and(|d| look.now.since(Timestamp::from_micros(d)) > SWEEP);
    let past: i64 = overdue.iter().filter(|(.., due)| late(*due)).map(|(_, _, n, _)| n).sum();
    let all: i64 = counts.iter().map(|c| c.live).sum();
    let (all, past) = (unsigned(all), unsigned(past));
    let mut figure = format!("{} of {} things stored are past their time", grouped(past), grouped(all));
    if nobodys > 0 {
        figure = format!("{figure}; {} to nobody who has an account", count(nobodys, "belongs", "belong"));
    }
    if unused > 0 {
        let accounts = count(unused, "account was", "accounts were");
        figure = format!("{figure}; {accounts} left unused for longer than promised");
    }
    Ok(Outcome::counted(all, past + nobodys + unused, figure).with(parts))
}

/// Accounts that nobody used for as long as a rule allows: those that should be gone, and those that wait until their
/// owners have been warned as long ahead as the document says.
struct LeftUnused {
    past: u64,
    warned_late: u64,
}

impl LeftUnused {
    fn told(&self, before: (State, String)) -> (State, String) {
        match self {
            Self { past: 1.., .. } => {
                let accounts = count(self.past, "account", "accounts");
                (State::Broken, format!("{accounts} unused for longer than promised"))
            }
            Self { warned_late: 1.., .. } if before.0 == State::Kept => {
                let accounts = count(self.warned_late, "account stays", "accounts stay");
                (State::AtRisk, format!("{accounts} longer, until a warning that was late has had its time"))
            }
            _ => before,
        }
    }
}

async fn left_unused(look: &Look<'_>, tx: &mut Tx, rule: &Retention) -> Result<Option<LeftUnused>, Error> {
    let Some(allowed) = disuse(rule) else { return Ok(None) };
    let since = allowed.before(look.now.plus(-UNUSED));
    // Without a warning nobody waits for one.
    let warned = rule
        .warn
        .last()
        .map_or(Timestamp::from_micros(i64::MAX), |shortest| shortest.before(look.now.plus(-UNUSED)));
    let (all, in_time) = sql::unused(tx, look.tenant, since, warned).await?;
    let past = if rule.warn.is_empty() { all } else { in_time };
    Ok(Some(LeftUnused { past: unsigned(past), warned_late: unsigned(all - past) }))
}

fn told(live: u64, past: u64, since: Option<Timestamp>, now: Timestamp) -> (State, String) {
    let Some(since) = since.filter(|_| past > 0) else {
        let figure = if live == 0 {
            "nothing is held under it".to_owned()
        } else {
            format!("0 of {} past their time", grouped(live))
        };
        return (State::Kept, figure);
    };
    let late = now.since(since);
    let state = if late > SWEEP { State::Broken } else { State::AtRisk };
    let figure =
        format!("{} of {} past their time, the latest by {}", grouped(past), grouped(live), span(late));
    (state, figure)
}

/// A length of time in its largest unit: `11 minutes`, `3 days`.
fn span(length: TimeDelta) -> String {
    let (n, one, many) = match (length.num_days(), length.num_hours(), length.num_minutes()) {
        (days, ..) if days >= 2 => (days, "day", "days"),
        (_, hours, _) if hours >= 2 => (hours, "hour", "hours"),
        (.., minutes) => (minutes.max(1), "minute", "minutes"),
    };
    count(unsigned(n), one, many)
}

/// Looks for requests that have waited longer than promised, by right.
pub(super) async fn deadlines_kept(look: &Look<'_>) -> Result<Outcome, Error> {
    let asked = {
        let mut tx = look.audit.db.read().await?;
        let times = (look.now, look.now.plus(NEAR), look.now.plus(-A_MONTH));
        sql::requests(&mut tx, look.tenant, times).await?
    };
    let parts = look.policy.rights().map(|rule| {
        let line = asked.iter().find(|a| a.right == rule.right.as_str());
        let (state, figure) = line.map_or_else(|| (State::Kept, "nobody has asked".to_owned()), answered);
        Part { rule: format!("right.{}", rule.right), state, figure }
    });
    let parts: Vec<Part> = parts.collect();
    let sum = |of: fn(&sql::Asked) -> i64| unsigned(asked.iter().map(of).sum());
    let (open, late, slow) = (sum(|a| a.open), sum(|a| a.late), sum(|a| a.answered_late));
    let mut figure = format!(
        "{} of {} waiting longer than promised",
        grouped(late),
        count(open, "open request", "open requests")
    );
    if slow > 0 {
        figure = format!("{figure}; {} answered late in 30 days", grouped(slow));
    }
    // What was answered late did wait longer than promised; for 30 days the answer mends nothing.
    Ok(Outcome::counted(open + sum(|a| a.answered), late + slow, figure).with(parts))
}

fn answered(line: &sql::Asked) -> (State, String) {
    let [open, late, near, done, slow] =
        [line.open, line.late, line.near, line.answered, line.answered_late].map(unsigned);
    if late > 0 {
        return (
            State::Broken,
            format!("{} of {} open past the promised time", grouped(late), grouped(open)),
        );
    }
    if slow > 0 {
        let figure = format!("{} of {} answered late in 30 days", grouped(slow), grouped(done));
        return (State::Broken, figure);
    }
    if near > 0 {
        let figure =
            format!("{} of {} open within 18 hours of the promised time", grouped(near), grouped(open));
        return (State::AtRisk, figure);
    }
    (
        State::Kept,
        format!("0 of {} open past the promised time, {} answered in 30 days", grouped(open), grouped(done)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_micros(minute * 60_000_000)
    }

    #[test]
    fn the_sweep_has_ten_minutes_before_a_promise_is_broken() {
        assert_eq!(told(214, 0, None, at(60)), (State::Kept, "0 of 214 past their time".to_owned()));
        assert_eq!(told(214, 3, Some(at(58)), at(60)).0, State::AtRisk);
        let broken = told(214, 3, Some(at(49)), at(60));
        assert_eq!(broken, (State::Broken, "3 of 214 past their time, the latest by 11 minutes".to_owned()));
    }

    #[test]
    fn a_late_answer_breaks_the_promise_and_a_near_one_puts_it_at_risk() {
        let line = |near, late, answered_late| sql::Asked {
            right: "access".to_owned(),
            open: 4,
            late,
            near,
            answered: 9,
            answered_late,
        };
        assert_eq!(answered(&line(0, 0, 0)).0, State::Kept);
        assert_eq!(answered(&line(1, 0, 0)).0, State::AtRisk);
        assert_eq!(answered(&line(0, 0, 1)).0, State::Broken, "the answer mends nothing");
        assert_eq!(answered(&line(1, 1, 0)).0, State::Broken);
    }
}
