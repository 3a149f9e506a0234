//! What is held, looked at from outside: categories, clocks and counts. No key is touched, nothing is opened, and nothing
//! here names a person's own words.

use super::{Error, Item, Vault, rows, sql};
use crate::base::{ObjectId, RecordId, SubjectId, TenantId, Timestamp};
use crate::on;
use crate::policy::Facts;
use crate::store::{self, padding, with_list};

/// Things read in one go.
const BATCH: i64 = 1000;

/// Images first, then records.
const STOCK: &[&str] = &[sql::STOCK_OBJECTS, sql::STOCK_RECORDS];

/// One thing that is held, as far as its clocks go.
#[derive(Debug, Clone)]
pub struct Stocked {
    /// Its category.
    pub category: String,
    /// When its clocks started.
    pub facts: Facts,
    /// The rules that were carried out on it already: it was reduced.
    pub done: Vec<String>,
    /// The document's version it was collected under.
    pub policy_version: String,
    /// The retention rule that will end it, as it was reckoned last.
    pub rule: Option<String>,
    /// When it goes, as it was reckoned last.
    pub due_at: Option<Timestamp>,
    /// Whether a legal hold keeps it.
    pub on_hold: bool,
    /// The image that it is kept beside: it goes with that, unless a hold of its own keeps it.
    pub beside: Option<Box<Self>>,
}

/// How much there is of some categories, and of how many people.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Reach {
    /// Images and records.
    pub things: u64,
    /// People.
    pub people: u64,
}

/// The id of a thing in the vault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemId {
    /// An image's.
    Object(ObjectId),
    /// A record's.
    Record(RecordId),
}

impl std::fmt::Display for ItemId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Object(id) => id.fmt(f),
            Self::Record(id) => id.fmt(f),
        }
    }
}

impl std::str::FromStr for ItemId {
    type Err = crate::base::BadId;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // By its prefix, so that what is wrong is said of the sort that was meant.
        match text.split_once('_') {
            Some((ObjectId::PREFIX, _)) => text.parse().map(Self::Object),
            Some((RecordId::PREFIX, _)) => text.parse().map(Self::Record),
            _ => Err(crate::base::BadId("obj or rec")),
        }
    }
}

/// Where a thing is, and how it stands.
#[derive(Debug, Clone)]
pub struct Trace {
    /// Whose it is.
    pub subject: SubjectId,
    /// Its category.
    pub category: String,
    /// `arriving`, `live` or `deleting`; a record is always live.
    pub state: String,
    /// Its clocks.
    pub item: Item,
}

/// A walk over everything a tenant holds, in batches: memory stays flat however much there is.
#[derive(Debug)]
pub struct StockWalk<'a> {
    vault: &'a Vault,
    tenant: &'a TenantId,
    kinds: std::slice::Iter<'static, &'static str>,
    statement: Option<&'static str>,
    after: String,
}

/// A thing without its id, and the image it is kept beside.
type Row = (
    String,
    String,
    String,
    String,
    Option<String>,
    Option<i64>,
    i64,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<i64>,
    i64,
    String,
);

impl StockWalk<'_> {
    /// The next batch; `None` when everything was seen. What is stored or goes while one walks may be seen or not.
    pub async fn batch(&mut self) -> Result<Option<Vec<Stocked>>, Error> {
        while let Some(statement) = self.statement {
            let mut tx = self.vault.db.read().await?;
            let found: Vec<Row> = on!(tx, |c| sqlx::query_as(statement)
                .bind(self.tenant.as_str())
                .bind(&self.after)
                .bind(BATCH)
                .fetch_all(c)
                .await)?;
            if let Some((last, ..)) = found.last() {
                self.after.clone_from(last);
                return found.into_iter().map(stocked).collect::<Result<_, _>>().map(Some);
            }
            self.statement = self.kinds.next().copied();
            self.after.clear();
        }
        Ok(None)
    }
}

fn stocked(row: Row) -> Result<Stocked, Error> {
    let (
        _,
        category,
        facts,
        policy_version,
        rule,
        due,
        held,
        kind,
        its_facts,
        its_version,
        its_rule,
        its_due,
        its_hold,
        done,
    ) = row;
    let beside = match (kind, its_facts, its_version) {
        (Some(category), Some(facts), Some(policy_version)) => Some(Box::new(Stocked {
            category,
            facts: rows::facts(&facts, "object")?,
            done: Vec::new(),
            policy_version,
            rule: its_rule,
            due_at: its_due.map(Timestamp::from_micros),
            on_hold: its_hold != 0,
            beside: None,
        })),
        _ => None,
    };
    Ok(Stocked {
        category,
        facts: rows::facts(&facts, "record")?,
        done: rows::names(&done),
        policy_version,
        rule,
        due_at: due.map(Timestamp::from_micros),
        on_hold: held != 0,
        beside,
    })
}

impl Vault {
    /// A walk over everything a tenant holds.
    pub fn stock<'a>(&'a self, tenant: &'a TenantId) -> StockWalk<'a> {
        let mut kinds = STOCK.iter();
        let statement = kinds.next().copied();
        StockWalk { vault: self, tenant, kinds, statement, after: String::new() }
    }

    /// How much a tenant holds of some categories together, and of how many people.
    pub async fn reach(&self, tenant: &TenantId, categories: &[&str]) -> Result<Reach, Error> {
        if categories.is_empty() {
            return Ok(Reach::default());
        }
        let mut tx = self.db.read().await?;
        let (things, people): (i64, i64) = on!(tx, |c| {
            let mut query = sqlx::query_as(with_list(sql::REACH, categories.len()));
            query = query.bind(tenant.as_str().to_owned());
            for category in padding(categories) {
                query = query.bind((*category).to_owned());
            }
            query.fetch_one(c).await
        })?;
        let count = |n: i64| u64::try_from(n).unwrap_or(0);
        Ok(Reach { things: count(things), people: count(people) })
    }

    /// Where a thing is: found by its id alone within a tenant. `None` if it is not there, or no more.
    pub async fn trace(&self, tenant: &TenantId, id: ItemId) -> Result<Option<Trace>, Error> {
        type Found = (
            String,
            String,
            String,
            Option<String>,
            String,
            String,
            String,
            Option<String>,
            i64,
            Option<i64>,
        );
        let statement = match id {
            ItemId::Object(_) => sql::TRACE_OBJECT,
            ItemId::Record(_) => sql::TRACE_RECORD,
        };
        let mut tx = self.db.read().await?;
        let found: Option<Found> = on!(tx, |c| sqlx::query_as(statement)
            .bind(tenant.as_str())
            .bind(id.to_string())
            .fetch_optional(c)
            .await)?;
        let Some((subject, category, state, parent, facts, done, policy_version, rule, created, due)) = found
        else {
            return Ok(None);
        };
        let item = Item {
            parent,
            facts: rows::facts(&facts, "object")?,
            done: rows::names(&done),
            policy_version,
            rule,
            created_at: Timestamp::from_micros(created),
            due_at: due.map(Timestamp::from_micros),
        };
        let subject = subject.parse().map_err(|_| store::Error::inconsistent("object", "subject"))?;
        Ok(Some(Trace { subject, category, state, item }))
    }
}
