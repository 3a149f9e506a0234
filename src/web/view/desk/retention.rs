//! What must go when, whether it went, and what is kept by a duty.

use askama::Template;

use crate::web::view::{Bars, Choice, Count, Desk, Mark, Mistakes, Moment, State, Viewer};

/// The retention board.
#[derive(Template, Debug, Clone)]
#[template(path = "desk/retention.html", config = "src/web/askama.toml")]
pub struct RetentionBoard {
    /// What every page of the desk is given.
    pub desk: Desk,
    /// When the board was made.
    pub counted: Moment,
    /// When a sweep last erased something.
    pub last_run: Option<Moment>,
    /// When it will next be woken.
    pub next_run: Option<Moment>,
    /// One row a rule.
    pub rules: Vec<RetentionRow>,
}

/// A retention rule and how it is kept.
#[derive(Debug, Clone)]
pub struct RetentionRow {
    /// The rule's name: `retention.input-image`.
    pub rule: String,
    /// The category.
    pub category: String,
    /// The rule in words: `when the edit succeeded, at most 48 hours after upload`.
    pub period: String,
    /// How it is kept.
    pub state: State,
    /// Items under it now.
    pub live: Count,
    /// Items whose time has come and that are being erased.
    pub due: Count,
    /// Items past their time.
    pub overdue: Count,
    /// Items kept by a legal hold.
    pub held: Count,
    /// The age of the oldest item, in words; empty when there is none.
    pub oldest: String,
    /// Swept in the last day.
    pub erased_day: Count,
    /// Swept in the last thirty days.
    pub erased_month: Count,
    /// Swept each day, oldest first.
    pub daily: Bars,
    /// When the next item is due.
    pub next: Option<Moment>,
}

/// Legal holds.
#[derive(Template, Debug, Clone)]
#[template(path = "desk/holds.html", config = "src/web/askama.toml")]
pub struct Holds {
    /// What every page of the desk is given.
    pub desk: Desk,
    /// Holds in force, oldest first.
    pub holds: Vec<HoldRow>,
    /// Holds that were lifted.
    pub lifted: Vec<HoldRow>,
    /// The categories a hold can be on.
    pub categories: Vec<Choice>,
    /// What was typed before: the subject id or reference.
    pub whom: String,
    /// What was typed before: the reason.
    pub reason: String,
    /// What was typed before: the law.
    pub law: String,
    /// What was typed before: the day it is looked at again, `2026-11-05`.
    pub review: String,
    /// What was typed before: why the person must not be told.
    pub untold: String,
    /// What was wrong.
    pub mistakes: Mistakes,
}

/// A legal hold.
#[derive(Debug, Clone)]
pub struct HoldRow {
    /// Its id.
    pub id: String,
    /// What it is on: a subject id, or a category.
    pub on: String,
    /// Why.
    pub reason: String,
    /// The law behind it.
    pub law: String,
    /// Who placed it.
    pub by: String,
    /// When.
    pub since: Moment,
    /// When it must be looked at again.
    pub review: Moment,
    /// Items it keeps.
    pub items: Count,
    /// When it was lifted.
    pub lifted: Option<Moment>,
    /// When a second person answered for it.
    pub approved: Option<Moment>,
    /// Whether whoever looks at the page may be that person.
    pub may_approve: bool,
    /// Whether its review is overdue.
    pub review_over: bool,
    /// Whether the person it concerns was told, in a sentence.
    pub told: String,
}
