//! The register of disclosures: whole, and without copies past their time.

use std::collections::BTreeSet;

use chrono::TimeDelta;

use super::Look;
use super::access::entries_since;
use crate::audit::model::{count, grouped, unsigned};
use crate::audit::sql::register as sql;
use crate::audit::{Error, Outcome, Part, State};
use crate::ledger::EntryKind;
use crate::policy::Life;

const A_QUARTER: TimeDelta = TimeDelta::days(90);

/// Compares three accounts of 90 days that are written apart: the register (what was sent, and what people handed over),
/// the ledger, and the edits that went to a provider. What stands in one must stand in the others.
pub(super) async fn none_unrecorded(look: &Look<'_>) -> Result<Outcome, Error> {
    let since = look.now.plus(-A_QUARTER);
    let mut entries = entries_since(look, EntryKind::DISCLOSURE_MADE, since).await?;
    entries.extend(entries_since(look, EntryKind::DISCLOSURE_HANDED, since).await?);
    let ids: Vec<String> = entries.iter().map(|leaf| leaf.id.to_string()).collect();
    let mut tx = look.audit.db.read().await?;
    let mut registered = BTreeSet::new();
    for some in ids.chunks(crate::store::MOST_IN) {
        registered.extend(sql::registered(&mut tx, look.tenant, some).await?);
    }
    let unregistered = ids.iter().filter(|id| !registered.contains(*id)).count() as u64;
    let unlogged = unsigned(sql::without_entry(&mut tx, look.tenant, since).await?);
    let edits = sql::edits_without(&mut tx, look.tenant, since).await?;
    let outside = |id: &str| look.policy.processor(id).is_none_or(crate::policy::Processor::is_recipient);
    let unsaid: u64 = edits.iter().filter(|(p, _)| outside(p)).map(|(_, n)| unsigned(*n)).sum();
    let found = unregistered + unlogged + unsaid;
    let checked = ids.len() as u64 + unlogged + unsaid;
    let figure = format!(
        "{} of {} in 90 days missing from the register or the ledger",
        grouped(found),
        count(checked, "disclosure", "disclosures")
    );
    Ok(Outcome::counted(checked, found, figure))
}

/// Looks for copies at recipients that are not known to be gone though their time there is over, by recipient.
pub(super) async fn copies_removed(look: &Look<'_>) -> Result<Outcome, Error> {
    let overdue = look.audit.disclosures.overdue(look.tenant, look.now).await?;
    let there = {
        let mut tx = look.audit.db.read().await?;
        sql::held_there(&mut tx, look.tenant, look.now).await?
    };
    let held = |id: &str| there.iter().find(|(p, ..)| p == id).map_or(0, |(_, n, _)| unsigned(*n));
    let late = |id: &str| overdue.iter().find(|(p, _)| p == id).map_or(0, |(_, n)| unsigned(*n));
    let recipients = look.policy.processors().filter(|p| p.is_recipient());
    let parts = recipients.map(|p| {
        let (n, past) = (held(&p.id), late(&p.id));
        let (state, figure) = match p.longest_life {
            Life::AtMost(period) if past > 0 => (
                State::Broken,
                format!("{} not known to be gone after {period}", count(past, "copy", "copies")),
            ),
            Life::AtMost(period) => {
                (State::Kept, format!("0 of {} there past {period}", count(n, "copy", "copies")))
            }
            Life::AsOurs if past > 0 => (
                State::Broken,
                format!("{} not known to be gone, of people who are", count(past, "copy", "copies")),
            ),
            Life::AsOurs => {
                (State::Kept, format!("{} there, held as long as ours", count(n, "copy", "copies")))
            }
        };
        Part { rule: format!("processor.{}", p.id), state, figure }
    });
    let parts: Vec<Part> = parts.collect();
    let checked: u64 = there.iter().map(|(_, n, _)| unsigned(*n)).sum();
    let found: u64 = overdue.iter().map(|(_, n)| unsigned(*n)).sum();
    let figure =
        format!("{} of {} at recipients past their time", grouped(found), count(checked, "copy", "copies"));
    Ok(Outcome::counted(checked, found, figure).with(parts))
}
