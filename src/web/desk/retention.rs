//! What must go when, rule by rule.

use axum::http::Uri;

use super::found::Found;
use super::seat::Seat;
use super::shell::{Answer, count, desk, moment, page};
use crate::audit::SWEEP;
use crate::base::{PageSize, Timestamp};
use crate::edge::Fault;
use crate::ledger::{EntryKind, Fact, Filter, Logged};
use crate::retention::BoardRow;
use crate::web::view::{Bars, Count, RetentionBoard, RetentionRow, State, span};
use chrono::TimeDelta;

/// Days of the small chart.
const DAYS: i64 = 30;
/// Pages of 200 sweeps read for it.
const MOST_READS: usize = 20;
/// A sweep is woken this often.
const SWEEP_EVERY: TimeDelta = TimeDelta::seconds(10);

/// `GET /desk/retention`
pub(super) async fn show(seat: Seat, uri: Uri) -> Answer {
    let found = Found::at_seat(&seat).await?;
    let board = seat.edge.app.retention.board(&seat.tenant).await?;
    let sweeps = sweeps(&seat, found.at).await?;
    let last = sweeps.first().map(|s| s.leaf.at);
    let next = board.iter().filter_map(|row| row.next_due).min();
    page(&RetentionBoard {
        counted: found.at.into(),
        last_run: moment(last),
        next_run: moment(next.filter(|at| *at > found.at).map(|at| at.plus(SWEEP_EVERY))),
        rules: board.iter().map(|line| row(line, &sweeps, found.at)).collect(),
        desk: desk(&seat, &found, &uri).await?,
    })
}

/// How many things live under a rule, and how many are past their time.
pub(super) fn totals(board: &[BoardRow]) -> (Count, Count) {
    let live: i64 = board.iter().map(|row| row.live).sum();
    let overdue: i64 = board.iter().map(|row| row.overdue).sum();
    (count(live), count(overdue))
}

/// The sweeps of the last thirty days that erased something, newest first.
async fn sweeps(seat: &Seat, now: Timestamp) -> Result<Vec<Logged>, Fault> {
    let filter = Filter { kind: Some(EntryKind::RETENTION_SWEPT), subject: None };
    let since = now.plus(-TimeDelta::days(DAYS));
    let size = PageSize::new(200).unwrap_or_default();
    let mut all: Vec<Logged> = Vec::new();
    let mut after = None;
    for _ in 0..MOST_READS {
        let found = seat.edge.app.ledger.list(&seat.tenant, &filter, size, after.as_deref()).await?;
        all.extend(found.items);
        after = found.next;
        if after.is_none() || all.last().is_none_or(|s| s.leaf.at < since) {
            break;
        }
    }
    Ok(all)
}

fn row(board: &BoardRow, sweeps: &[Logged], now: Timestamp) -> RetentionRow {
    let late = board.latest.unwrap_or_default() > SWEEP;
    let (due, overdue) = if late { (0, board.overdue) } else { (board.overdue, 0) };
    let state = match (due, overdue) {
        (0, 0) => State::Kept,
        (_, 0) => State::AtRisk,
        _ => State::Broken,
    };
    RetentionRow {
        rule: format!("retention.{}", board.rule),
        category: board.category.clone(),
        period: period(board),
        state,
        live: count(board.live),
        due: count(due),
        overdue: count(overdue),
        held: count(board.held),
        oldest: board.oldest.map(|at| span(now.since(at))).unwrap_or_default(),
        erased_day: count(board.erased_day),
        erased_month: count(board.erased_month),
        daily: daily(board, sweeps, now),
        next: moment(board.next_due),
    }
}

fn period(board: &BoardRow) -> String {
    if board.rule.is_empty() {
        return "no day of their own is set for these".to_owned();
    }
    board.period.clone()
}

/// Erased each day, oldest first.
fn daily(board: &BoardRow, sweeps: &[Logged], now: Timestamp) -> Bars {
    let mut values = vec![0_u64; 30];
    for sweep in sweeps {
        let is = |name: &str, value: &str| sweep.leaf.facts.get(name) == Some(&Fact::from(value));
        let Some(Fact::Number(n)) = sweep.leaf.facts.get("erased") else { continue };
        let ago = usize::try_from(now.since(sweep.leaf.at).num_days()).unwrap_or(usize::MAX);
        if is("rule", &board.rule)
            && is("category", &board.category)
            && let Some(day) = values.iter_mut().rev().nth(ago)
        {
            *day += u64::try_from(*n).unwrap_or(0);
        }
    }
    Bars { what: format!("{} swept each day, last 30 days", board.category), values }
}
