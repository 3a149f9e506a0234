//! Deadlines that moved.

use std::collections::{BTreeMap, BTreeSet};

use super::{Change, Direction, Meaning, Policy};
use crate::base::Period;
use crate::policy::words::{Action, Fact};

/// The clocks that erase a category: for each fact the shortest length, `None` at once; and the longest that the law keeps.
type Clocks = (BTreeMap<Fact, Option<Period>>, Option<Period>);

fn clocks(policy: &Policy, category: &str) -> Clocks {
    let mut clocks: BTreeMap<Fact, Option<Period>> = BTreeMap::new();
    let mut keep: Option<Period> = None;
    let length = |p: Option<Period>| p.map_or(0, Period::rough_seconds);
    for rule in policy.retention_of(category) {
        let at_once = rule.erase_when.iter().map(|fact| (*fact, None));
        let later = rule.at_most.iter().map(|after| (after.fact, Some(after.period)));
        for (fact, period) in at_once.chain(later).filter(|_| rule.action != Action::Reduce) {
            let slot = clocks.entry(fact).or_insert(period);
            if length(period) < length(*slot) {
                *slot = period;
            }
        }
        let longer = keep.into_iter().chain(rule.keep.map(|keep| keep.period));
        keep = longer.max_by_key(|period| period.rough_seconds());
    }
    (clocks, keep)
}

pub(super) fn retention(old: &Policy, new: &Policy, out: &mut Vec<Change>) {
    for category in new.categories().filter(|category| old.category(&category.id).is_some()) {
        let (was, kept) = clocks(old, &category.id);
        let (is, keeps) = clocks(new, &category.id);
        let name = new
            .retention_of(&category.id)
            .next()
            .map_or(String::new(), |rule| format!("retention.{}", rule.id));
        let mut push = |direction, says: String| {
            let says = format!("{}: {says}", category.title);
            out.push(Change::new(Meaning::DeadlineMoved, direction, name.clone(), says).of([&category.id]));
        };
        let words = |p: Option<Period>, fact: Fact| match p {
            None => format!("as soon as {}", fact.in_words()),
            Some(period) => format!("{period} after {}", fact.in_words()),
        };
        for fact in was.keys().chain(is.keys()).collect::<BTreeSet<_>>() {
            match (was.get(fact), is.get(fact)) {
                (Some(before), Some(now)) if before != now => {
                    let length = |p: Option<Period>| p.map_or(0, Period::rough_seconds);
                    let longer = length(*now) > length(*before);
                    let direction = if longer { Direction::Loosened } else { Direction::Tightened };
                    push(
                        direction,
                        format!("gone {} (before: {})", words(*now, *fact), words(*before, *fact)),
                    );
                }
                (None, Some(now)) => {
                    push(Direction::Tightened, format!("now also gone {}", words(*now, *fact)));
                }
                (Some(before), None) => {
                    push(Direction::Loosened, format!("no longer gone {}", words(*before, *fact)));
                }
                _ => {}
            }
        }
        if kept != keeps {
            let length = |p: Option<Period>| p.map_or(0, Period::rough_seconds);
            let direction =
                if length(keeps) > length(kept) { Direction::Loosened } else { Direction::Tightened };
            let say = |p: Option<Period>| p.map_or_else(|| "not at all".to_owned(), |p| format!("for {p}"));
            push(direction, format!("kept by law {} (before: {})", say(keeps), say(kept)));
        }
    }
}
