//! Making anonymous by counting: of a month's records remains how many there were, and of how many people, if they were
//! at least [`FEWEST`]; else nothing remains.
//!
//! A month is counted once, when the first of it is about to go, with all that is still there. Nothing in a count leads
//! to a record or a person: nobody is singled out among twenty, no two counts can be joined by a person, and what is
//! told of a group says nothing of one of it.

use std::collections::BTreeSet;

use chrono::{DateTime, Datelike, Months, NaiveDate, NaiveTime, Utc};

use super::{Doomed, Error, Vault, sql};
use crate::base::{TenantId, Timestamp};
use crate::on;
use crate::store::{self, padding, with_list};

/// The fewest people that a count may be about.
pub const FEWEST: i64 = 20;

/// What is left of a month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MonthCount {
    /// The category.
    pub category: String,
    /// The month, `2026-11`, UTC.
    pub month: String,
    /// How many records there were.
    pub things: i64,
    /// Of how many people.
    pub people: i64,
}

impl Vault {
    /// Counts the months in which these things were stored, each once. Durable when this returns; the things themselves
    /// are then to be erased. Again is harmless.
    pub async fn count_months(&self, tenant: &TenantId, doomed: &[Doomed]) -> Result<(), Error> {
        for (category, month) in self.months(tenant, doomed).await? {
            let Some((from, to)) = bounds(month) else { continue };
            let name = month.format("%Y-%m").to_string();
            let mut tx = self.db.begin().await?;
            let (counted,): (i64,) = on!(tx, |c| sqlx::query_as(sql::COUNTED)
                .bind(tenant.as_str())
                .bind(&category)
                .bind(&name)
                .fetch_one(c)
                .await)?;
            if counted > 0 {
                continue;
            }
            let (things, people): (i64, i64) = on!(tx, |c| sqlx::query_as(sql::COUNT_MONTH)
                .bind(tenant.as_str())
                .bind(&category)
                .bind(from.micros())
                .bind(to.micros())
                .fetch_one(c)
                .await)?;
            // A month of few is written down as nothing, so that a later look cannot count what is left of it.
            let (things, people) = if people >= FEWEST { (things, people) } else { (0, 0) };
            on!(tx, |c| sqlx::query(sql::INSERT_COUNT)
                .bind(tenant.as_str())
                .bind(&category)
                .bind(&name)
                .bind(things)
                .bind(people)
                .bind(self.clock.now().micros())
                .execute(c)
                .await
                .map(|_| ()))?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// What is left of records that were made anonymous, by category and month. Months of too few people are left out.
    pub async fn anonymous_counts(&self, tenant: &TenantId) -> Result<Vec<MonthCount>, Error> {
        let mut tx = self.db.read().await?;
        let found: Vec<(String, String, i64, i64)> =
            on!(tx, |c| sqlx::query_as(sql::ANONYMOUS_COUNTS).bind(tenant.as_str()).fetch_all(c).await)?;
        Ok(found
            .into_iter()
            .filter(|(.., people)| *people >= FEWEST)
            .map(|(category, month, things, people)| MonthCount { category, month, things, people })
            .collect())
    }

    async fn months(
        &self,
        tenant: &TenantId,
        doomed: &[Doomed],
    ) -> Result<BTreeSet<(String, NaiveDate)>, Error> {
        let mut months = BTreeSet::new();
        let mut tx = self.db.read().await?;
        for some in doomed.chunks(store::MOST_IN) {
            let found: Vec<(String, i64)> = on!(tx, |c| {
                let mut query = sqlx::query_as(with_list(sql::CREATED_OF, some.len()));
                query = query.bind(tenant.as_str().to_owned());
                for d in padding(some) {
                    query = query.bind(d.id.clone());
                }
                query.fetch_all(c).await
            })?;
            for (id, created) in found {
                let day = Timestamp::from_micros(created).to_utc().date_naive();
                let first = day.with_day(1).unwrap_or(day);
                months.extend(some.iter().filter(|d| d.id == id).map(|d| (d.category.clone(), first)));
            }
        }
        Ok(months)
    }
}

/// The first moment of a month, and the first after it.
fn bounds(first: NaiveDate) -> Option<(Timestamp, Timestamp)> {
    let start = |day: NaiveDate| {
        Timestamp::from_utc(DateTime::<Utc>::from_naive_utc_and_offset(day.and_time(NaiveTime::MIN), Utc))
    };
    Some((start(first), start(first.checked_add_months(Months::new(1))?)))
}
