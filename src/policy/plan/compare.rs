//! A document that is only proposed, held against the one in force: what would go sooner, what later, what contradicts.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::Serialize;

use super::stages::stages;
use super::{Fate, Held, Pace, Plan, Planner, Stage, TooSlow, day_of, too_many};
use crate::base::Timestamp;
use crate::policy::Policy;

/// How one category fares.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Shift {
    /// The category.
    pub category: String,
    /// How many things are held.
    pub held: u64,
    /// How many of them go sooner.
    pub sooner: u64,
    /// How many go later.
    pub later: u64,
    /// How many go when they would have gone.
    pub same: u64,
    /// How many go at once, on the first day, that would have stayed longer.
    pub at_once: u64,
    /// How many keep the stricter rule of an earlier version, under which they were collected.
    pub kept_strict: u64,
}

/// What stands in a candidate's way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConflictKind {
    /// Things of a category that the candidate does not declare are held.
    Undeclared,
    /// The candidate would have things gone that a law keeps, as the version says under which they were collected.
    LawKeeps,
    /// Two rules of the candidate pull at one thing: one would have it gone, the other keeps it for a law. The law wins.
    Contradiction,
    /// A legal hold keeps what would go at once.
    OnHold,
}

/// One of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Conflict {
    /// What kind.
    pub kind: ConflictKind,
    /// The category.
    pub category: String,
    /// The rule that is in the way, if one is.
    pub rule: String,
    /// How many things.
    pub count: u64,
}

impl ConflictKind {
    /// Whether the candidate must not come into force as it is.
    pub fn forbids(self) -> bool {
        matches!(self, Self::Undeclared | Self::LawKeeps)
    }
}

impl Conflict {
    /// In one sentence.
    pub fn says(&self) -> String {
        let Self { category, rule, count, .. } = self;
        match self.kind {
            ConflictKind::Undeclared => format!(
                "{count} of {category} are held, and the candidate does not declare it: they must be erased first"
            ),
            ConflictKind::LawKeeps => format!(
                "{count} of {category} would go while retention.{rule}, under which they were collected, keeps them for a law"
            ),
            ConflictKind::Contradiction => {
                format!(
                    "{count} of {category} would be gone by retention.{rule}, but another rule keeps them for a law"
                )
            }
            ConflictKind::OnHold => {
                format!("{count} of {category} would go at once, and a legal hold keeps them")
            }
        }
    }
}

/// A candidate held against today.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Comparison {
    /// The first day of the candidate, or the moment that was asked for.
    pub from: Timestamp,
    /// What today's rules do by that moment.
    pub today: Plan,
    /// What the candidate does then.
    pub candidate: Plan,
    /// Category by category.
    pub shifts: Vec<Shift>,
    /// What is in the way.
    pub conflicts: Vec<Conflict>,
    /// How many things go at once that would have stayed.
    pub at_once: u64,
    /// Whether a second person must confirm it.
    pub second_person: bool,
}

/// The picture that a thing is kept beside, and goes with.
#[derive(Debug, Clone, Copy)]
pub struct Beside<'a> {
    /// The picture.
    pub thing: &'a Held,
    /// The version that the picture was collected under.
    pub collected: Option<&'a Policy>,
}

/// Makes a comparison, thing by thing.
#[derive(Debug)]
pub struct Comparer<'a> {
    candidate: &'a Policy,
    from: Timestamp,
    today: Planner,
    planned: Planner,
    shifts: BTreeMap<String, Shift>,
    conflicts: BTreeMap<(ConflictKind, String, String), u64>,
    sooner: BTreeMap<NaiveDate, u64>,
    anyway: BTreeMap<NaiveDate, u64>,
}

impl<'a> Comparer<'a> {
    /// For a candidate that would be in force from a moment, beside a version that is in force now.
    pub fn new(candidate: &'a Policy, in_force: &str, from: Timestamp, until: Option<Timestamp>) -> Self {
        Self {
            candidate,
            from,
            today: Planner::new(in_force, from, until),
            planned: Planner::new(candidate.version(), from, until),
            shifts: BTreeMap::new(),
            conflicts: BTreeMap::new(),
            sooner: BTreeMap::new(),
            anyway: BTreeMap::new(),
        }
    }

    /// Takes a thing in: what becomes of it as things are, the version that it was collected under, and the picture that it
    /// goes with.
    pub fn add(
        &mut self,
        thing: &Held,
        today: &Fate,
        collected: Option<&Policy>,
        beside: Option<Beside<'_>>,
    ) {
        let mut then = self.then(thing, collected);
        if let Some(picture) = beside {
            then = then.or_with(self.then(picture.thing, picture.collected));
        }
        self.today.add(thing, today);
        self.planned.add(thing, &then);
        if self.candidate.category(&thing.category).is_none() {
            self.planned.undeclared(thing);
            self.conflict(ConflictKind::Undeclared, thing, String::new());
        }
        self.shift(thing, today, &then);
        self.contradictions(thing, &then, collected);
    }

    fn then(&self, thing: &Held, collected: Option<&Policy>) -> Fate {
        // Each by itself: the candidate is tried as if it were in force at the moment of the plan.
        let fates = collected.into_iter().chain([self.candidate]).map(|policy| Fate::under(&[policy], thing));
        let strictest = fates.min_by_key(|fate| fate.due.at().map_or((1, i64::MAX), |at| (0, at.micros())));
        strictest.unwrap_or_else(|| Fate::under(&[self.candidate], thing))
    }

    fn shift(&mut self, thing: &Held, today: &Fate, then: &Fate) {
        let never = Timestamp::from_micros(i64::MAX);
        let (was, is) = (today.due.at().unwrap_or(never), then.due.at().unwrap_or(never));
        let shift = self.shifts.entry(thing.category.clone()).or_default();
        shift.category.clone_from(&thing.category);
        shift.held += thing.count;
        match is.cmp(&was) {
            std::cmp::Ordering::Less => shift.sooner += thing.count,
            std::cmp::Ordering::Equal => shift.same += thing.count,
            std::cmp::Ordering::Greater => shift.later += thing.count,
        }
        if then.version != self.candidate.version() && then.due.at().is_some() {
            shift.kept_strict += thing.count;
        }
        if is == never {
            return;
        }
        if is <= self.from && was > self.from && thing.on_hold {
            self.conflict(ConflictKind::OnHold, thing, String::new());
            return;
        }
        if thing.on_hold {
            return;
        }
        if is <= self.from && was > self.from {
            shift.at_once += thing.count;
        }
        let days = if is < was { &mut self.sooner } else { &mut self.anyway };
        *days.entry(day_of(is)).or_default() += thing.count;
    }

    fn contradictions(&mut self, thing: &Held, then: &Fate, collected: Option<&Policy>) {
        let (category, facts) = (thing.category.as_str(), &thing.facts);
        if let Some(rule) = self.candidate.postponed(category, facts) {
            self.conflict(ConflictKind::Contradiction, thing, rule);
        }
        let kept = collected.and_then(|policy| policy.kept_until(category, facts));
        if let (Some((until, rule)), Some(at)) = (kept, then.due.at())
            && at < until
            && then.action != crate::policy::Action::Reduce.as_str()
        {
            self.conflict(ConflictKind::LawKeeps, thing, rule);
        }
    }

    fn conflict(&mut self, kind: ConflictKind, thing: &Held, rule: String) {
        *self.conflicts.entry((kind, thing.category.clone(), rule)).or_default() += thing.count;
    }

    /// The stages by which the candidate could come into force at a pace.
    pub fn stages(&self, pace: Pace) -> Result<Vec<Stage>, TooSlow> {
        let total = self.shifts.values().map(|shift| shift.held).sum();
        stages(&self.sooner, &self.anyway, total, day_of(self.from), pace)
    }

    /// The comparison of all that was taken in.
    pub fn finish(self) -> Comparison {
        let shifts: Vec<Shift> = self.shifts.into_values().collect();
        let at_once = shifts.iter().map(|shift| shift.at_once).sum();
        let candidate = self.planned.finish();
        let conflicts = self.conflicts.into_iter().map(|((kind, category, rule), count)| Conflict {
            kind,
            category,
            rule,
            count,
        });
        Comparison {
            from: self.from,
            second_person: too_many(at_once, candidate.total),
            today: self.today.finish(),
            conflicts: conflicts.collect(),
            candidate,
            shifts,
            at_once,
        }
    }
}
