//! What would be erased, when, and by which rule: for today's document or for one that is only proposed. Pure, and folded
//! thing by thing, so that a caller can stream what it holds: memory grows with rules and days, never with things.

mod compare;
mod explain;
mod stages;

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

pub use compare::{Beside, Comparer, Comparison, Conflict, ConflictKind, Shift};
pub use explain::{Said, explain};
pub use stages::{Pace, Stage, TooSlow};

use super::fill::cell;
use super::{Action, Due, Facts, GONE, Governed, Policy, governing_after};
use crate::base::Timestamp;

/// One thing that is held, or many alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Its category.
    pub category: String,
    /// Its facts.
    pub facts: Facts,
    /// The rules that were carried out on it already.
    pub done: Vec<String>,
    /// How many there are of it.
    pub count: u64,
    /// Whether a legal hold stops its erasure.
    pub on_hold: bool,
}

/// When a thing goes, and what says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fate {
    /// When, by which rule.
    pub due: Due,
    /// The version whose rule it is.
    pub version: String,
    /// What the rule does; empty where none fires.
    pub action: String,
}

impl Fate {
    /// What the strictest of some versions says of a thing.
    pub fn under(versions: &[&Policy], thing: &Held) -> Self {
        let done: Vec<&str> = thing.done.iter().map(String::as_str).collect();
        let Governed { version, due } = governing_after(versions, &thing.category, &thing.facts, &done);
        let decides = versions.iter().find(|policy| policy.version() == version);
        let rule = due.rule().and_then(|id| decides.and_then(|policy| policy.retention(id)));
        let action = match (rule, due.rule()) {
            (Some(rule), _) => rule.action,
            (None, Some(GONE)) => Action::Erase,
            (None, _) => return Self { due, version, action: String::new() },
        };
        Self { due, version, action: action.to_string() }
    }

    /// What becomes of it when it goes with a picture, if that goes sooner.
    #[must_use]
    pub fn or_with(self, picture: Self) -> Self {
        match picture.due {
            Due::At { at, rule, because } if self.due.at().is_none_or(|own| at < own) => {
                let because = format!("with the picture it belongs to, {because}");
                Self { due: Due::At { at, rule, because }, ..picture }
            }
            _ => self,
        }
    }
}

/// When things go, by category, rule and version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// The category.
    pub category: String,
    /// The rule; empty where no rule will fire.
    pub rule: String,
    /// The version whose rule it is.
    pub version: String,
    /// What the rule does.
    pub action: String,
    /// Why, in words.
    pub because: String,
    /// How many are due at the moment of the plan or were before.
    pub due: u64,
    /// How many of those a legal hold stops.
    pub held: u64,
    /// How many come later.
    pub later: u64,
    /// How many wait for a fact.
    pub waiting: u64,
    /// The first moment at which one of them goes.
    pub first: Option<Timestamp>,
    /// The last moment.
    pub last: Option<Timestamp>,
}

/// What one rule does to one category on one day (UTC).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Day {
    /// The day. What was due before the plan's moment counts on its first day.
    pub date: NaiveDate,
    /// The category.
    pub category: String,
    /// The rule.
    pub rule: String,
    /// What it does.
    pub action: String,
    /// How many things.
    pub count: u64,
    /// How many more a legal hold stops.
    pub held: u64,
}

/// A plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The version it is for.
    pub version: String,
    /// The moment it is for.
    pub at: Timestamp,
    /// The end of the days that are listed, if any are.
    pub until: Option<Timestamp>,
    /// The rows, by category, rule and version.
    pub rows: Vec<Row>,
    /// Day by day, from the moment to the end.
    pub days: Vec<Day>,
    /// How many things were looked at.
    pub total: u64,
    /// How many would go at the moment of the plan (holds left out).
    pub going: u64,
    /// Things of categories that the document does not declare: how many of each. They must go before it is in force.
    pub undeclared: BTreeMap<String, u64>,
}

/// How many of a hundred may go at once before a second person must confirm.
pub const ALONE: u64 = 1;

impl Plan {
    /// Whether it would erase more than [`ALONE`] in a hundred at once: then a second person must confirm.
    pub fn needs_second_person(&self) -> bool {
        too_many(self.going, self.total)
    }

    /// The plan as CSV (RFC 4180), with its tenant: a row a rule; with days, a row for each rule and day. `head` says
    /// whether the names of the columns come first.
    pub fn csv(&self, tenant: &str, head: bool) -> String {
        let mut out = csv::Writer::from_writer(Vec::new());
        // Writing into memory cannot fail.
        if self.until.is_some() {
            if head {
                let columns = ["tenant", "date", "category", "rule", "action", "goes", "held"];
                let _infallible = out.write_record(columns);
            }
            for day in &self.days {
                let texts = [&day.category, &day.rule, &day.action].map(|text| cell(text));
                let counts = [day.count, day.held].map(|n| n.to_string());
                let cells = [tenant.to_owned(), day.date.to_string()].into_iter().chain(texts).chain(counts);
                let _infallible = out.write_record(cells);
            }
        } else {
            if head {
                let _infallible = out.write_record([
                    "tenant", "category", "rule", "version", "action", "because", "due", "held", "later",
                    "waiting", "first", "last",
                ]);
            }
            let time = |at: Option<Timestamp>| at.map_or(String::new(), Timestamp::rfc3339);
            for row in &self.rows {
                let texts = [&row.category, &row.rule, &row.version, &row.action, &row.because];
                let counts = [row.due, row.held, row.later, row.waiting].map(|n| n.to_string());
                let texts = [tenant.to_owned()].into_iter().chain(texts.map(|text| cell(text)));
                let _infallible =
                    out.write_record(texts.chain(counts).chain([time(row.first), time(row.last)]));
            }
        }
        out.into_inner().ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default()
    }
}

fn too_many(going: u64, total: u64) -> bool {
    u128::from(going) * 100 > u128::from(total) * u128::from(ALONE)
}

/// The day of a moment (UTC).
pub(crate) fn day_of(at: Timestamp) -> NaiveDate {
    at.to_utc().date_naive()
}

/// Makes a plan, thing by thing.
#[derive(Debug)]
pub struct Planner {
    plan: Plan,
    rows: BTreeMap<(String, String, String), Row>,
    days: BTreeMap<(NaiveDate, String, String), Day>,
}

impl Planner {
    /// A plan for a moment, under a document's version; with `until`, day by day to then.
    pub fn new(version: &str, at: Timestamp, until: Option<Timestamp>) -> Self {
        let plan = Plan {
            version: version.to_owned(),
            at,
            until,
            rows: Vec::new(),
            days: Vec::new(),
            total: 0,
            going: 0,
            undeclared: BTreeMap::new(),
        };
        Self { plan, rows: BTreeMap::new(), days: BTreeMap::new() }
    }

    /// Says that a thing is of a category that the document does not declare.
    pub fn undeclared(&mut self, thing: &Held) {
        *self.plan.undeclared.entry(thing.category.clone()).or_default() += thing.count;
    }

    /// Takes a thing in, and what becomes of it.
    pub fn add(&mut self, thing: &Held, fate: &Fate) {
        self.plan.total += thing.count;
        let rule = fate.due.rule().unwrap_or_default().to_owned();
        let key = (thing.category.clone(), rule.clone(), fate.version.clone());
        let row = self.rows.entry(key).or_insert_with(|| Row::new(thing, &rule, fate));
        match &fate.due {
            Due::At { at: when, because, .. } => {
                row.because.clone_from(because);
                row.first = Some(row.first.map_or(*when, |first| first.min(*when)));
                row.last = Some(row.last.map_or(*when, |last| last.max(*when)));
                if *when > self.plan.at {
                    row.later += thing.count;
                } else {
                    row.due += thing.count;
                    if thing.on_hold {
                        row.held += thing.count;
                    } else {
                        self.plan.going += thing.count;
                    }
                }
                if self.plan.until.is_some_and(|until| *when <= until) {
                    self.on_a_day(thing, rule, &fate.action, *when);
                }
            }
            Due::Waiting { for_fact, .. } => {
                row.waiting += thing.count;
                if row.because.is_empty() {
                    row.because = format!("waits until {}", for_fact.in_words());
                }
            }
            Due::Never { why } => {
                row.waiting += thing.count;
                row.because.clone_from(why);
            }
        }
    }

    fn on_a_day(&mut self, thing: &Held, rule: String, action: &str, when: Timestamp) {
        let date = day_of(when.max(self.plan.at));
        let key = (date, thing.category.clone(), rule);
        let day = self.days.entry(key).or_insert_with_key(|(date, category, rule)| Day {
            date: *date,
            category: category.clone(),
            rule: rule.clone(),
            action: action.to_owned(),
            count: 0,
            held: 0,
        });
        if thing.on_hold {
            day.held += thing.count;
        } else {
            day.count += thing.count;
        }
    }

    /// The plan of all that was taken in.
    pub fn finish(mut self) -> Plan {
        self.plan.rows = self.rows.into_values().collect();
        self.plan.days = self.days.into_values().collect();
        self.plan
    }
}

/// What `policy` alone would do with `held` at `at`.
pub fn plan<'a>(policy: &Policy, held: impl IntoIterator<Item = &'a Held>, at: Timestamp) -> Plan {
    let mut planner = Planner::new(policy.version(), at, None);
    for thing in held {
        if policy.category(&thing.category).is_none() {
            planner.undeclared(thing);
        }
        planner.add(thing, &Fate::under(&[policy], thing));
    }
    planner.finish()
}

impl Row {
    fn new(thing: &Held, rule: &str, fate: &Fate) -> Self {
        Self {
            category: thing.category.clone(),
            rule: rule.to_owned(),
            version: fate.version.clone(),
            action: fate.action.clone(),
            because: String::new(),
            due: 0,
            held: 0,
            later: 0,
            waiting: 0,
            first: None,
            last: None,
        }
    }
}
