//! What would be erased, when, and by which rule: for today's document or for one that is only proposed. Pure: the caller
//! brings what it holds, grouped as it likes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Due, Facts, Policy};
use crate::base::Timestamp;

/// One thing that is held, or many alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Its category.
    pub category: String,
    /// Its facts.
    pub facts: Facts,
    /// How many there are of it.
    pub count: u64,
    /// Whether a legal hold stops its erasure.
    pub on_hold: bool,
}

/// When things go, by rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// The category.
    pub category: String,
    /// The rule; empty where no rule will fire.
    pub rule: String,
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

/// A plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// The version it is for.
    pub version: String,
    /// The moment it is for.
    pub at: Timestamp,
    /// The rows, by category and rule.
    pub rows: Vec<Row>,
    /// How many things were looked at.
    pub total: u64,
    /// How many would go now (holds left out).
    pub going: u64,
    /// Categories of things that the document does not declare: they must be erased before it is in force.
    pub undeclared: Vec<String>,
}

impl Plan {
    /// Whether it would erase more than one in a hundred at once: then a second person must confirm.
    pub fn needs_second_person(&self) -> bool {
        u128::from(self.going) * 100 > u128::from(self.total)
    }

    /// The plan as CSV (RFC 4180), a row a rule.
    pub fn csv(&self) -> String {
        let mut out = csv::Writer::from_writer(Vec::new());
        let columns =
            ["category", "rule", "action", "because", "due", "held", "later", "waiting", "first", "last"];
        let time = |at: Option<Timestamp>| at.map_or(String::new(), Timestamp::rfc3339);
        // Writing into memory cannot fail.
        let _infallible = out.write_record(columns);
        for row in &self.rows {
            let counts = [row.due, row.held, row.later, row.waiting].map(|n| n.to_string());
            let texts = [row.category.clone(), row.rule.clone(), row.action.clone(), row.because.clone()];
            let cells = texts.into_iter().chain(counts).chain([time(row.first), time(row.last)]);
            let _infallible = out.write_record(cells);
        }
        out.into_inner().ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default()
    }
}

/// What `policy` would do with `held` at `at`.
pub fn plan<'a>(policy: &Policy, held: impl IntoIterator<Item = &'a Held>, at: Timestamp) -> Plan {
    let mut rows: BTreeMap<(String, String), Row> = BTreeMap::new();
    let mut plan = Plan {
        version: policy.version().to_owned(),
        at,
        rows: Vec::new(),
        total: 0,
        going: 0,
        undeclared: Vec::new(),
    };
    for thing in held {
        plan.total += thing.count;
        if policy.category(&thing.category).is_none() && !plan.undeclared.contains(&thing.category) {
            plan.undeclared.push(thing.category.clone());
        }
        let due = policy.due(&thing.category, &thing.facts);
        let rule = due.rule().unwrap_or("").to_owned();
        let row = rows
            .entry((thing.category.clone(), rule.clone()))
            .or_insert_with(|| Row::new(policy, thing, rule));
        match due {
            Due::At { at: when, because, .. } => {
                row.because = because;
                row.first = Some(row.first.map_or(when, |first| first.min(when)));
                row.last = Some(row.last.map_or(when, |last| last.max(when)));
                match (when <= at, thing.on_hold) {
                    (false, _) => row.later += thing.count,
                    (true, true) => row.held += thing.count,
                    (true, false) => plan.going += thing.count,
                }
                if when <= at {
                    row.due += thing.count;
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
                row.because = why;
            }
        }
    }
    plan.rows = rows.into_values().collect();
    plan
}

/// What one rule says of one thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Said {
    /// The rule's name.
    pub rule: String,
    /// The clause that promises it.
    pub clause: String,
    /// What it does when it fires.
    pub action: String,
    /// What it says: `48 hours after it was uploaded`.
    pub says: String,
    /// When that is, if its clock runs.
    pub at: Option<Timestamp>,
}

/// Why a thing with these facts is still here, or why it went: what each rule of its category says, the earliest first,
/// those whose clock has not started last.
pub fn explain(policy: &Policy, category: &str, facts: &Facts) -> Vec<Said> {
    let mut all = Vec::new();
    for rule in policy.retention_of(category) {
        let said = |says: String, at: Option<Timestamp>| Said {
            rule: rule.id.clone(),
            clause: rule.clause.clone(),
            action: rule.action.to_string(),
            says,
            at,
        };
        all.extend(
            rule.erase_when
                .iter()
                .map(|fact| said(format!("as soon as {}", fact.in_words()), facts.get(*fact))),
        );
        all.extend(rule.at_most.iter().map(|after| {
            said(format!("at most {after}"), facts.get(after.fact).map(|start| after.period.after(start)))
        }));
        all.extend(rule.keep.iter().map(|keep| {
            said(format!("not before {keep}"), facts.get(keep.fact).map(|start| keep.period.after(start)))
        }));
    }
    all.sort_by_key(|said| said.at.map_or(i64::MAX, Timestamp::micros));
    all
}

impl Row {
    fn new(policy: &Policy, thing: &Held, rule: String) -> Self {
        let action = policy.retention(&rule).map_or(String::new(), |rule| rule.action.to_string());
        let (first, last) = (None, None);
        let because = String::new();
        Self {
            category: thing.category.clone(),
            rule,
            action,
            because,
            due: 0,
            held: 0,
            later: 0,
            waiting: 0,
            first,
            last,
        }
    }
}
