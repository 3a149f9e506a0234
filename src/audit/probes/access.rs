//! Who has looked, by what the ledger says of it.

use chrono::TimeDelta;

use super::Look;
use crate::audit::model::{count, grouped};
use crate::audit::sql::{look as sql, register};
use crate::audit::{Error, Outcome};
use crate::base::{PageSize, Timestamp};
use crate::ledger::{Entry, EntryKind, Fact, Filter, Leaf};
use crate::policy::{Form, Role};

const A_MONTH: TimeDelta = TimeDelta::days(30);
/// Entries looked at, the newest first.
const MOST: usize = 10_000;

/// A tenant's entries of one kind since a moment, the newest first, [`MOST`] at most.
pub(super) async fn entries_since(
    look: &Look<'_>,
    kind: EntryKind,
    since: Timestamp,
) -> Result<Vec<Leaf>, Error> {
    let filter = Filter { kind: Some(kind), subject: None };
    let size = PageSize::new(200).unwrap_or_default();
    let mut found: Vec<Leaf> = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let page = look.audit.ledger.list(look.tenant, &filter, size, after.as_deref()).await?;
        let (all, before) = (page.items.len(), found.len());
        found.extend(page.items.into_iter().map(|e| e.leaf).filter(|leaf| leaf.at >= since));
        after = page.next;
        // Entries lie in the order in which they were written, so a page with an older one is the last that matters.
        if after.is_none() || found.len() >= MOST || found.len() - before < all {
            return Ok(found);
        }
    }
}

fn word<'a>(leaf: &'a Leaf, name: &str) -> Option<&'a str> {
    match leaf.facts.get(name) {
        Some(Fact::Word(word)) => Some(word),
        _ => None,
    }
}

/// Whether the document in force at the time let that role read that category for that purpose.
fn was_allowed(look: &Look<'_>, leaf: &Leaf) -> bool {
    let Some(policy) = look.audit.library.in_force(look.tenant, leaf.at) else { return false };
    let role: Option<Role> = leaf.actor.parse().ok();
    match (role, word(leaf, "category"), word(leaf, "purpose")) {
        (Some(role), Some(category), Some(purpose)) => policy.may_read(category, role, purpose).is_ok(),
        _ => false,
    }
}

/// Looks at every read by staff in 30 days: was any of a picture, and did the document let them.
pub(super) async fn own_images_only(look: &Look<'_>) -> Result<Outcome, Error> {
    let since = look.now.plus(-A_MONTH);
    let reads = entries_since(look, EntryKind::READ_STAFF, since).await?;
    let refused = entries_since(look, EntryKind::READ_REFUSED, since).await?;
    let is_picture = |leaf: &&Leaf| {
        let category = word(leaf, "category").and_then(|c| look.policy.category(c));
        category.is_none_or(|c| c.form == Form::Object)
    };
    let pictures: Vec<&Leaf> = reads.iter().filter(is_picture).collect();
    let found = pictures.iter().filter(|leaf| !was_allowed(look, leaf)).count() as u64;
    let kept_out = refused.iter().filter(is_picture).count() as u64;
    let allowed = pictures.len() as u64 - found;
    let mut figure = format!(
        "{} of {} by staff in 30 days {} at a picture of somebody else\u{2019}s",
        grouped(found),
        count(reads.len() as u64, "look", "looks"),
        if found == 1 { "was" } else { "were" },
    );
    if allowed > 0 {
        figure = format!("{figure}; {} more as the document allows", grouped(allowed));
    }
    if kept_out > 0 {
        figure = format!("{figure}; {} refused", count(kept_out, "attempt was", "attempts were"));
    }
    Ok(Outcome::counted(reads.len() as u64 + kept_out, found, figure))
}

/// Rehearses the entry that the door writes before it lets staff read, in a transaction that is then undone; and looks
/// whether each read on the ledger was by a member of staff, in their role, for what the document allows.
pub(super) async fn staff_reads_recorded(look: &Look<'_>) -> Result<Outcome, Error> {
    let taken = rehearse(look).await?;
    let reads = entries_since(look, EntryKind::READ_STAFF, look.now.plus(-A_MONTH)).await?;
    let staff = {
        let mut tx = look.audit.db.read().await?;
        sql::staff(&mut tx, look.tenant).await?
    };
    let known = |leaf: &Leaf| {
        let by = word(leaf, "staff");
        staff.iter().any(|(id, role)| Some(id.as_str()) == by && *role == leaf.actor)
    };
    let strange = reads.iter().filter(|leaf| !known(leaf) || !was_allowed(look, leaf)).count() as u64;
    let found = strange + u64::from(!taken);
    let reads = reads.len() as u64;
    let figure = match (taken, strange) {
        (false, _) => "the ledger did not take the entry of a read".to_owned(),
        (true, 0) => {
            format!("{} by staff in 30 days, each with name, role and purpose", count(reads, "look", "looks"))
        }
        (true, n) => format!(
            "{} of {} by staff in 30 days are by nobody known, or for what no rule allows",
            grouped(n),
            count(reads, "look", "looks")
        ),
    };
    Ok(Outcome::counted(reads + 1, found, figure))
}

/// Whether an entry of a staff read, once written, is there. Nothing of it remains.
async fn rehearse(look: &Look<'_>) -> Result<bool, Error> {
    let entry = Entry::new(EntryKind::READ_STAFF, look.now, look.tenant, Role::Service.as_str())
        .fact("reason", "rehearsal");
    let mut tx = look.audit.db.begin().await?;
    let appended = look.audit.ledger.append(&mut tx, entry).await?;
    let there = register::written(&mut tx, appended.id).await?;
    drop(tx);
    Ok(there)
}
