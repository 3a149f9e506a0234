//! What is held, looked through a page at a time: to compute due times anew when a version has come into force, and to
//! foresee what a version that is only proposed would do.

use super::{Error, Item, Vault, rows, sql};
use crate::base::{TenantId, Timestamp};
use crate::on;
use crate::policy::{Facts, Governed, governing_after};
use crate::store::{self, Tx};

/// The two shapes of things in the vault, as they are looked through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Images.
    Object,
    /// Records.
    Record,
}

/// Something held, without a word about whom or what.
#[derive(Debug, Clone)]
pub struct HeldItem {
    /// Its id.
    pub id: String,
    /// Its category.
    pub category: String,
    /// The version it was collected under.
    pub version: String,
    /// When its clocks started.
    pub facts: Facts,
    /// The rules that were carried out on it already.
    pub done: Vec<String>,
    /// When it goes by the versions in force so far.
    pub due_at: Option<Timestamp>,
    /// Whether a legal hold stops its erasure.
    pub on_hold: bool,
}

/// What one page of reckoning came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reckoned {
    /// Things looked at.
    pub looked: u64,
    /// Of them, things that go sooner now.
    pub moved: u64,
    /// The last id looked at; `None` when there was nothing more.
    pub reached: Option<String>,
}

type Row = (String, String, String, String, String, Option<i64>, i64);

impl Vault {
    /// Which version's rule ends a thing, and when, as of now.
    pub fn governing(&self, tenant: &TenantId, category: &str, item: &Item) -> Governed {
        self.governed(tenant, (category, &item.policy_version), &item.facts, &item.done)
    }

    pub(super) fn governed(
        &self,
        tenant: &TenantId,
        (category, version): (&str, &str),
        facts: &Facts,
        done: &[String],
    ) -> Governed {
        let done: Vec<&str> = done.iter().map(String::as_str).collect();
        governing_after(&self.library.since(tenant, version, self.clock.now()), category, facts, &done)
    }

    /// A page of what a tenant holds, in the order of ids.
    pub async fn held(
        &self,
        tx: &mut Tx,
        tenant: &TenantId,
        shape: Shape,
        (after, most): (&str, i64),
    ) -> Result<Vec<HeldItem>, Error> {
        let (statement, table) = match shape {
            Shape::Object => (sql::HELD_OBJECTS, "object"),
            Shape::Record => (sql::HELD_RECORDS, "record"),
        };
        let found: Vec<Row> = on!(tx, |c| sqlx::query_as(statement)
            .bind(tenant.as_str())
            .bind(after)
            .bind(most)
            .fetch_all(c)
            .await)?;
        let held = |(id, category, version, facts, done, due, on_hold): Row| {
            let facts = rows::facts(&facts, table)?;
            let due_at = due.map(Timestamp::from_micros);
            let done = rows::names(&done);
            Ok(HeldItem { id, category, version, facts, done, due_at, on_hold: on_hold != 0 })
        };
        Ok(found.into_iter().map(held).collect::<Result<_, store::Error>>()?)
    }

    /// Computes anew when things go that were collected under another version than `version`, a page in the caller's
    /// transaction. Due times only ever come nearer; what changed in between by another hand is left to that hand.
    pub async fn reckon(
        &self,
        tx: &mut Tx,
        tenant: &TenantId,
        version: &str,
        shape: Shape,
        (after, most): (&str, i64),
    ) -> Result<Reckoned, Error> {
        let page = self.held(tx, tenant, shape, (after, most)).await?;
        let statement = match shape {
            Shape::Object => sql::HASTEN_OBJECT,
            Shape::Record => sql::HASTEN_RECORD,
        };
        let mut moved = 0;
        for item in page.iter().filter(|item| item.version != version) {
            let due = self.governed(tenant, (&item.category, &item.version), &item.facts, &item.done).due;
            let Some(at) = due.at().filter(|at| item.due_at.is_none_or(|known| *at < known)) else {
                continue;
            };
            moved += on!(tx, |c| sqlx::query(statement)
                .bind(due.rule())
                .bind(at.micros())
                .bind(tenant.as_str())
                .bind(&item.id)
                .bind(rows::facts_text(&item.facts))
                .execute(c)
                .await
                .map(|r| r.rows_affected()))?;
        }
        Ok(Reckoned { looked: page.len() as u64, moved, reached: page.last().map(|item| item.id.clone()) })
    }
}
