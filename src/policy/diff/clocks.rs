//! Deadlines that moved.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use super::{Change, Direction, Meaning, Policy};
use crate::base::Period;
use crate::policy::fill::list;
use crate::policy::model::Retention;
use crate::policy::words::{Action, Fact};

/// How long after a fact, by which rule; no period is at once.
type Clock<'a> = (Option<Period>, &'a str);

/// The clocks of a category.
#[derive(Default)]
struct Clocks<'a> {
    /// For each fact, and whether it only reduces, the shortest.
    gone: BTreeMap<(Fact, bool), Clock<'a>>,
    /// The longest that a law keeps it.
    keep: Option<Clock<'a>>,
}

fn length(period: Option<Period>) -> u64 {
    period.map_or(0, Period::rough_seconds)
}

fn clocks<'a>(policy: &'a Policy, category: &'a str) -> Clocks<'a> {
    let mut clocks = Clocks::default();
    for rule in policy.retention_of(category) {
        let reduces = rule.action == Action::Reduce;
        for (fact, period) in endings(rule) {
            let slot = clocks.gone.entry((fact, reduces)).or_insert((period, &rule.id));
            if length(period) < length(slot.0) {
                *slot = (period, &rule.id);
            }
        }
        if let Some(keep) = rule.keep {
            let longer = clocks.keep.is_none_or(|(kept, _)| keep.period.rough_seconds() > length(kept));
            if longer {
                clocks.keep = Some((Some(keep.period), &rule.id));
            }
        }
    }
    clocks
}

fn endings(rule: &Retention) -> impl Iterator<Item = (Fact, Option<Period>)> + '_ {
    let at_once = rule.erase_when.iter().map(|fact| (*fact, None));
    at_once.chain(rule.at_most.iter().map(|after| (after.fact, Some(after.period))))
}

/// Moves that say the same of several categories are told once.
type Moves = BTreeMap<(String, String, Direction), BTreeSet<String>>;

pub(super) fn retention(old: &Policy, new: &Policy, out: &mut Vec<Change>) {
    let mut moves = Moves::new();
    for category in new.categories().filter(|category| old.category(&category.id).is_some()) {
        moved(&clocks(old, &category.id), &clocks(new, &category.id), &category.id, &mut moves);
    }
    for ((rule, says, direction), categories) in moves {
        let titles = categories.iter().filter_map(|id| new.category(id)).map(|c| c.title.clone());
        let says = format!("{}: {says}", list(titles));
        let rule = format!("retention.{rule}");
        out.push(Change::new(Meaning::DeadlineMoved, direction, rule, says).of(&categories));
    }
}

fn moved(was: &Clocks<'_>, is: &Clocks<'_>, category: &str, moves: &mut Moves) {
    let mut push = |rule: &str, says: String, direction| {
        moves.entry((rule.to_owned(), says, direction)).or_default().insert(category.to_owned());
    };
    for key @ (fact, reduces) in was.gone.keys().chain(is.gone.keys()).copied().collect::<BTreeSet<_>>() {
        let gone = if reduces { "reduced" } else { "gone" };
        let words = |period: Option<Period>| match period {
            None => format!("as soon as {}", fact.in_words()),
            Some(period) => format!("{period} after {}", fact.in_words()),
        };
        match (was.gone.get(&key), is.gone.get(&key)) {
            (Some((before, _)), Some((now, rule))) if before != now => {
                let says = format!("{gone} {} (before: {})", words(*now), words(*before));
                push(rule, says, direction(length(*now), length(*before)));
            }
            (None, Some((now, rule))) => {
                push(rule, format!("now also {gone} {}", words(*now)), Direction::Tightened);
            }
            (Some((before, rule)), None) => {
                push(rule, format!("no longer {gone} {}", words(*before)), Direction::Loosened);
            }
            _ => {}
        }
    }
    let period = |clock: Option<Clock<'_>>| clock.and_then(|(period, _)| period);
    let (kept, keeps) = (period(was.keep), period(is.keep));
    if kept != keeps {
        let say = |p: Option<Period>| p.map_or_else(|| "not at all".to_owned(), |p| format!("for {p}"));
        let rule = is.keep.or(was.keep).map_or("", |(_, rule)| rule);
        let says = format!("kept by law {} (before: {})", say(keeps), say(kept));
        push(rule, says, direction(length(keeps), length(kept)));
    }
}

fn direction(now: u64, before: u64) -> Direction {
    match now.cmp(&before) {
        Ordering::Greater => Direction::Loosened,
        Ordering::Less => Direction::Tightened,
        Ordering::Equal => Direction::Changed,
    }
}
