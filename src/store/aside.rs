//! Rows that a pass cannot read: each is left alone, so that the others go on, and stands among the jobs that wait for a
//! hand.

use serde_json::json;

use super::{Db, Error, sql};
use crate::base::{Clock, Entropy, JobId, TenantId};
use crate::change;

/// The kind of such a job. It has nothing to do itself: who released it has the row read again by the pass that it is of.
pub const UNREAD: &str = "unread-row";

/// A row that does not open, or is not what such a row holds.
#[derive(Debug, Clone, Copy)]
pub struct Unread<'a> {
    /// Whose tenant's it is.
    pub tenant: &'a TenantId,
    /// Its table.
    pub table: &'static str,
    /// Its id: never personal data, as all that lies in the queue.
    pub id: &'a str,
    /// What does not happen for want of it, in a fixed phrase.
    pub why: &'static str,
}

/// Says that a row cannot be read: once, however often it is met, until somebody releases the job.
pub async fn set_aside(db: &Db, clock: &Clock, entropy: &Entropy, row: Unread<'_>) -> Result<(), Error> {
    let Unread { tenant, table, id, why } = row;
    let (name, now) = (format!("{table}/{id}"), clock.now().micros());
    let mut tx = db.begin().await?;
    let n = change!(
        tx,
        sql::SET_ASIDE,
        JobId::new(clock, entropy).to_string(),
        UNREAD,
        json!({ "table": table, "row": id }).to_string(),
        tenant.as_str(),
        &name,
        now,
        why
    )?;
    tx.commit().await?;
    if n == 1 {
        tracing::error!(row = name, %tenant, why, "a row cannot be read, and waits for a hand");
    }
    Ok(())
}
