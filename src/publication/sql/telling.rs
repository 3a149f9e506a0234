use super::version::tenant_of;
use crate::base::{SubjectId, TenantId, Timestamp};
use crate::publication::Telling;
use crate::store::{Error, Tx};
use crate::vault::Owner;
use crate::{change, on};

const BEGIN_TELLING: &str =
    "INSERT INTO policy_telling (tenant, version, effective_at, reached) VALUES ($1, $2, $3, '')";
const TELLINGS: &str = "SELECT tenant, version, effective_at, reached, announced_at FROM policy_telling \
    WHERE closed_at IS NULL ORDER BY effective_at, tenant";
const TELLING_OF: &str = "SELECT tenant, version, effective_at, reached, announced_at FROM policy_telling \
    WHERE tenant = $1 AND version = $2";
const REACHED: &str =
    "UPDATE policy_telling SET reached = $1 WHERE tenant = $2 AND version = $3 AND reached < $1";
const ANNOUNCED: &str = "UPDATE policy_telling SET announced_at = $1, entry = $2 \
    WHERE tenant = $3 AND version = $4 AND announced_at IS NULL";
const CLOSE: &str =
    "UPDATE policy_telling SET closed_at = $1 WHERE tenant = $2 AND version = $3 AND closed_at IS NULL";
const NEXT_PEOPLE: &str = "SELECT id, created_at FROM subject WHERE tenant = $1 AND state = 'active' AND created_at < $2 \
    AND id > $3 ORDER BY id LIMIT $4";
const ENTER: &str = "INSERT INTO policy_notice (tenant, version, subject, posted_at, letter, tries, next_at) \
    SELECT s.tenant, $1, s.id, CAST($2 AS BIGINT), $3, 0, CAST($4 AS BIGINT) FROM subject s WHERE s.tenant = $5 \
    AND s.state = 'active' AND s.created_at < $6 AND s.id > $7 AND s.id <= $8 \
    ON CONFLICT (tenant, version, subject) DO NOTHING";
const OWED: &str = "SELECT subject FROM policy_notice WHERE tenant = $1 AND version = $2 AND letter = 'owed' \
    AND next_at <= $3 ORDER BY next_at, subject LIMIT $4";
const CLAIM: &str = "UPDATE policy_notice SET letter = 'sending', letter_at = $1, tries = tries + 1 \
    WHERE tenant = $2 AND version = $3 AND subject = $4 AND letter = 'owed'";
const SETTLE: &str = "UPDATE policy_notice SET letter = $1, letter_at = $2, next_at = $3 \
    WHERE tenant = $4 AND version = $5 AND subject = $6 AND letter = 'sending'";
const SPARE: &str = "UPDATE policy_notice SET letter = 'spared', posted_at = NULL \
    WHERE tenant = $1 AND version = $2 AND subject = $3";
const TRIES: &str = "SELECT tries FROM policy_notice WHERE tenant = $1 AND version = $2 AND subject = $3";
const UNSURE: &str = "UPDATE policy_notice SET letter = 'unsure' WHERE letter = 'sending' AND letter_at < $1";
const STANDING: &str =
    "SELECT letter, COUNT(*) FROM policy_notice WHERE tenant = $1 AND version = $2 GROUP BY letter";
const NOTICES: &str = "SELECT version, posted_at, letter, letter_at, acknowledged_at FROM policy_notice \
    WHERE tenant = $1 AND subject = $2 ORDER BY version";
const ACKNOWLEDGE: &str = "UPDATE policy_notice SET acknowledged_at = $1 WHERE tenant = $2 AND version = $3 \
    AND subject = $4 AND letter <> 'spared' AND acknowledged_at IS NULL";

pub(in crate::publication) async fn begin_telling(
    tx: &mut Tx,
    tenant: &TenantId,
    version: &str,
    effective: Timestamp,
) -> Result<(), Error> {
    change!(tx, BEGIN_TELLING, tenant.as_str(), version, effective.micros())?;
    Ok(())
}

type TellingRow = (String, String, i64, String, Option<i64>);

fn telling((tenant, version, effective, reached, announced): TellingRow) -> Result<Telling, Error> {
    Ok(Telling {
        tenant: tenant_of(&tenant, "policy_telling")?,
        version,
        effective: Timestamp::from_micros(effective),
        reached,
        announced_at: announced.map(Timestamp::from_micros),
    })
}

pub(in crate::publication) async fn tellings(tx: &mut Tx) -> Result<Vec<Telling>, Error> {
    let rows: Vec<TellingRow> = on!(tx, |c| sqlx::query_as(TELLINGS).fetch_all(c).await)?;
    rows.into_iter().map(telling).collect()
}

pub(in crate::publication) async fn telling_of(
    tx: &mut Tx,
    tenant: &TenantId,
    version: &str,
) -> Result<Option<Telling>, Error> {
    let row: Option<TellingRow> =
        on!(tx, |c| sqlx::query_as(TELLING_OF).bind(tenant.as_str()).bind(version).fetch_optional(c).await)?;
    row.map(telling).transpose()
}

pub(in crate::publication) async fn reached(tx: &mut Tx, telling: &Telling, to: &str) -> Result<(), Error> {
    change!(tx, REACHED, to, telling.tenant.as_str(), &telling.version)?;
    Ok(())
}

/// `false` when another was first.
pub(in crate::publication) async fn announced(
    tx: &mut Tx,
    telling: &Telling,
    at: Timestamp,
    entry: &str,
) -> Result<bool, Error> {
    Ok(change!(tx, ANNOUNCED, at.micros(), entry, telling.tenant.as_str(), &telling.version)? == 1)
}

pub(in crate::publication) async fn close(
    tx: &mut Tx,
    telling: &Telling,
    at: Timestamp,
) -> Result<(), Error> {
    change!(tx, CLOSE, at.micros(), telling.tenant.as_str(), &telling.version)?;
    Ok(())
}

/// The next people of a tenant who came before `until`, in the order in which they came.
pub(in crate::publication) async fn next_people(
    tx: &mut Tx,
    telling: &Telling,
    after: &str,
    most: i64,
) -> Result<Vec<(String, Timestamp)>, Error> {
    let rows: Vec<(String, i64)> = on!(tx, |c| sqlx::query_as(NEXT_PEOPLE)
        .bind(telling.tenant.as_str())
        .bind(telling.effective.micros())
        .bind(after)
        .bind(most)
        .fetch_all(c)
        .await)?;
    Ok(rows.into_iter().map(|(id, at)| (id, Timestamp::from_micros(at))).collect())
}

/// Enters the people after one id up to another as those who must be told. Who is entered already stays as they are.
pub(in crate::publication) async fn enter(
    tx: &mut Tx,
    telling: &Telling,
    (posted, letter): (Option<Timestamp>, &'static str),
    now: Timestamp,
    (after, to): (&str, &str),
) -> Result<u64, Error> {
    Ok(change!(
        tx,
        ENTER,
        &telling.version,
        posted.map(Timestamp::micros),
        letter,
        now.micros(),
        telling.tenant.as_str(),
        telling.effective.micros(),
        after,
        to
    )?)
}

pub(in crate::publication) async fn owed(
    tx: &mut Tx,
    telling: &Telling,
    now: Timestamp,
    most: i64,
) -> Result<Vec<Owner>, Error> {
    let rows: Vec<(String,)> = on!(tx, |c| sqlx::query_as(OWED)
        .bind(telling.tenant.as_str())
        .bind(&telling.version)
        .bind(now.micros())
        .bind(most)
        .fetch_all(c)
        .await)?;
    rows.into_iter()
        .map(|(id,)| {
            let subject: SubjectId =
                id.parse().map_err(|_| Error::inconsistent("policy_notice", "subject"))?;
            Ok(Owner::new(&telling.tenant, subject))
        })
        .collect()
}

/// Takes a letter in hand. `false` when somebody else has it, or it is not owed any more.
pub(in crate::publication) async fn claim(
    tx: &mut Tx,
    owner: &Owner,
    version: &str,
    now: Timestamp,
) -> Result<bool, Error> {
    Ok(change!(tx, CLAIM, now.micros(), owner.tenant.as_str(), version, owner.subject.to_string())? == 1)
}

/// What became of a letter in hand.
pub(in crate::publication) async fn settle(
    tx: &mut Tx,
    owner: &Owner,
    version: &str,
    (letter, at, next): (&'static str, Timestamp, Timestamp),
) -> Result<(), Error> {
    change!(
        tx,
        SETTLE,
        letter,
        at.micros(),
        next.micros(),
        owner.tenant.as_str(),
        version,
        owner.subject.to_string()
    )?;
    Ok(())
}

pub(in crate::publication) async fn spare(tx: &mut Tx, owner: &Owner, version: &str) -> Result<(), Error> {
    change!(tx, SPARE, owner.tenant.as_str(), version, owner.subject.to_string())?;
    Ok(())
}

pub(in crate::publication) async fn tries(tx: &mut Tx, owner: &Owner, version: &str) -> Result<i64, Error> {
    let row: Option<(i64,)> = on!(tx, |c| sqlx::query_as(TRIES)
        .bind(owner.tenant.as_str())
        .bind(version)
        .bind(owner.subject.to_string())
        .fetch_optional(c)
        .await)?;
    Ok(row.map_or(0, |(n,)| n))
}

/// Letters that were in hand when their sender ended: nobody knows whether they went.
pub(in crate::publication) async fn unsure(tx: &mut Tx, before: Timestamp) -> Result<u64, Error> {
    Ok(change!(tx, UNSURE, before.micros())?)
}

/// How many people stand how: by what became of their letter.
pub(in crate::publication) async fn standing(
    tx: &mut Tx,
    tenant: &TenantId,
    version: &str,
) -> Result<Vec<(String, i64)>, Error> {
    Ok(on!(tx, |c| sqlx::query_as(STANDING).bind(tenant.as_str()).bind(version).fetch_all(c).await)?)
}

/// How a person was told of a version.
#[derive(Debug, Clone)]
pub(in crate::publication) struct NoticeRow {
    pub(in crate::publication) version: String,
    pub(in crate::publication) posted_at: Option<Timestamp>,
    pub(in crate::publication) letter: String,
    pub(in crate::publication) letter_at: Option<Timestamp>,
    pub(in crate::publication) acknowledged_at: Option<Timestamp>,
}

pub(in crate::publication) async fn notices(tx: &mut Tx, owner: &Owner) -> Result<Vec<NoticeRow>, Error> {
    type Row = (String, Option<i64>, String, Option<i64>, Option<i64>);
    let rows: Vec<Row> = on!(tx, |c| sqlx::query_as(NOTICES)
        .bind(owner.tenant.as_str())
        .bind(owner.subject.to_string())
        .fetch_all(c)
        .await)?;
    Ok(rows
        .into_iter()
        .map(|(version, posted, letter, letter_at, acknowledged)| NoticeRow {
            version,
            posted_at: posted.map(Timestamp::from_micros),
            letter,
            letter_at: letter_at.map(Timestamp::from_micros),
            acknowledged_at: acknowledged.map(Timestamp::from_micros),
        })
        .collect())
}

/// `false` when there was nothing to acknowledge, or it was before.
pub(in crate::publication) async fn acknowledge(
    tx: &mut Tx,
    owner: &Owner,
    version: &str,
    now: Timestamp,
) -> Result<bool, Error> {
    Ok(change!(tx, ACKNOWLEDGE, now.micros(), owner.tenant.as_str(), version, owner.subject.to_string())?
        == 1)
}
