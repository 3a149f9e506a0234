//! The statutory clocks, as data: `policies/law/*.toml`.
//!
//! Promises: a due date is computed from a receipt, a pack and a place, and from nothing else, so that anybody can
//! compute it again. Must never: let a promise of a document move a date of the law.

mod calendar;
mod pack;

pub use calendar::{Holidays, Place};
pub use pack::{BadLaw, LawPack, Pause, PauseWhile, Statute, Term, WorkingTerm, pack, packs};

use chrono::{Days, NaiveDate};

use crate::base::{Period, Timestamp};

/// The dates the law sets for a request, each the last second of a day at the place of establishment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct LegalDue {
    /// By when it must be answered.
    pub due: Timestamp,
    /// By when it must be answered if it was extended; counted from receipt.
    pub extended: Timestamp,
    /// When it would have been due without any pause.
    pub unpaused: Timestamp,
    /// Seven days before `due`: when the house should be done.
    pub internal: Timestamp,
}

/// By when the law wants a request answered that was received at `received_at`. `None` if the pack has no clock for
/// answers. `paused` are the intervals during which the clock stood, whose whole days are added; the caller passes only
/// those that [`LawPack::pause`] allows.
pub fn legal_due(
    received_at: Timestamp,
    pack: &LawPack,
    place: &Place,
    paused: &[(Timestamp, Timestamp)],
) -> Option<LegalDue> {
    let answer = pack.answer.as_ref()?;
    let receipt = place.date_of(received_at);
    let days: u64 =
        paused.iter().map(|(from, to)| u64::try_from(to.since(*from).num_days()).unwrap_or(0)).sum();
    let end = |length: Period, more: u64| {
        let day = add(receipt, length).checked_add_days(Days::new(more)).unwrap_or(NaiveDate::MAX);
        place.end_of(if answer.rolls { place.next_working_day(day) } else { day })
    };
    let due = end(answer.length, days);
    let longest = pack.extension.as_ref().map_or(answer.length, |extension| extension.length);
    Some(LegalDue {
        due,
        extended: end(longest, days),
        unpaused: end(answer.length, 0),
        internal: due.plus(chrono::TimeDelta::days(-7)),
    })
}

/// The end of a number of working days after the day of receipt.
pub fn working_days_due(received_at: Timestamp, days: u16, place: &Place) -> Timestamp {
    let mut day = place.date_of(received_at);
    for _ in 0..days {
        day = place.next_working_day(day.succ_opt().unwrap_or(day));
    }
    place.end_of(day)
}

/// A date and a length in calendar units; a part of a day counts as nothing.
fn add(date: NaiveDate, length: Period) -> NaiveDate {
    let start = Timestamp::from_utc(date.and_time(chrono::NaiveTime::MIN).and_utc());
    length.after(start).to_utc().date_naive()
}

#[cfg(test)]
mod tests;
