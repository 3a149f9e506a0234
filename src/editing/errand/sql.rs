use super::{Errand, ErrandState};
use crate::base::{EditId, TenantId, Timestamp};
use crate::editing::ProviderChoice;
use crate::store::{Error, Tx};
use crate::vault::Owner;
use crate::{change, on};

const INSERT: &str = "INSERT INTO errand (id, tenant, subject, edit, provider, state, hook, sealed, disclosure, made_at, \
    next_at, tries, link) VALUES ($1, $2, $3, $4, $5, 'intended', $6, $7, $8, $9, NULL, 0, $10)";
const GOES_OUT: &str = "UPDATE edit SET provider_ref = $1 WHERE tenant = $2 AND subject = $3 AND id = $4 \
    AND state IN ('queued', 'running')";
const OPEN_OF: &str = "SELECT id, tenant, edit, provider, state, hook, sealed, disclosure, made_at, next_at, tries, \
    refused_at FROM errand WHERE tenant = $1 AND edit = $2 AND state <> 'gone' ORDER BY id DESC LIMIT 1";
const BY_HOOK: &str = "SELECT id, tenant, edit, provider, state, hook, sealed, disclosure, made_at, next_at, tries, \
    refused_at FROM errand WHERE hook = $1";
// Counts a use as it looks: an address that is dead, used up or too old gives nothing. It is dead as soon as its edit is.
const USE_LINK: &str = "UPDATE errand SET link_uses = link_uses + 1 WHERE link = $1 AND made_at > $2 AND link_uses < $3 \
    AND state IN ('intended', 'taken') AND next_at IS NULL AND refused_at IS NULL AND EXISTS (SELECT 1 FROM edit e \
    WHERE e.tenant = errand.tenant AND e.subject = errand.subject AND e.id = errand.edit AND e.state = 'running') \
    RETURNING tenant, subject, edit";
// One that its provider had no time for was no try.
const TRIED: &str = "SELECT COUNT(*) FROM errand WHERE tenant = $1 AND edit = $2 AND refused_at IS NULL";
const SENT_SINCE: &str = "SELECT COUNT(*) FROM errand WHERE tenant = $1 AND provider = $2 AND made_at >= $3";
// One whose edit is over holds no place, though it may not be known for a day whether the provider took it; nor does one
// that is to be put again.
const UNDER_WAY: &str = "SELECT COUNT(*) FROM errand WHERE tenant = $1 AND provider = $2 AND state IN ('intended', 'taken') \
    AND next_at IS NULL AND refused_at IS NULL";
const KEEP: &str = "UPDATE errand SET sealed = $1, job = COALESCE($2, job), refused_at = NULL, state = CASE WHEN state = 'leaving' \
    OR next_at IS NOT NULL THEN 'leaving' ELSE 'taken' END WHERE tenant = $3 AND id = $4 AND state <> 'gone'";
// Of every tenant: they share the account there.
const KNOWN: &str =
    "SELECT job FROM errand WHERE provider = $1 AND made_at >= $2 AND made_at <= $3 AND job IS NOT NULL";
const RECALL: &str = "UPDATE errand SET next_at = $1, state = CASE WHEN state = 'taken' THEN 'leaving' ELSE state END \
    WHERE tenant = $2 AND edit = $3 AND state IN ('intended', 'taken')";
const PART: &str = "UPDATE errand SET edit = NULL, next_at = CASE WHEN state = 'gone' THEN NULL ELSE CAST($1 AS BIGINT) END, \
    state = CASE WHEN state = 'taken' THEN 'leaving' ELSE state END WHERE tenant = $2 AND subject = $3";
const FORGET: &str = "UPDATE errand SET subject = NULL WHERE tenant = $1 AND subject = $2";
const OF: &str = "SELECT COUNT(*) FROM errand WHERE tenant = $1 AND subject = $2 AND state <> 'gone'";
const DUE: &str = "SELECT id, tenant, edit, provider, state, hook, sealed, disclosure, made_at, next_at, tries, \
    refused_at FROM errand WHERE next_at <= $1 ORDER BY next_at, id LIMIT $2";
const CLAIM: &str = "UPDATE errand SET next_at = $1 WHERE tenant = $2 AND id = $3 AND next_at = $4";
const LATER: &str =
    "UPDATE errand SET next_at = $1, tries = $2 WHERE tenant = $3 AND id = $4 AND state <> 'gone'";
const GONE: &str = "UPDATE errand SET state = 'gone', sealed = NULL, next_at = NULL, gone_at = $1 WHERE tenant = $2 AND id = $3 \
    AND state <> 'gone'";
const REFUSED: &str =
    "UPDATE errand SET refused_at = $1 WHERE tenant = $2 AND id = $3 AND state = 'intended'";
const SET_OUT_AGAIN: &str = "UPDATE errand SET sealed = $1, link = $2, link_uses = 0, disclosure = $3, made_at = $4, refused_at = NULL \
    WHERE tenant = $5 AND id = $6 AND state = 'intended' AND refused_at IS NOT NULL AND next_at IS NULL";
const WITHDRAW: &str =
    "DELETE FROM errand WHERE tenant = $1 AND id = $2 AND state = 'intended' AND refused_at IS NOT NULL";
// Of every tenant: they share the account there.
const OTHERS_LOOK: &str = "SELECT COUNT(*) FROM errand WHERE provider = $1 AND state = 'intended' AND made_at >= $2 \
    AND made_at <= $3 AND id <> $4 AND refused_at IS NULL";
const LEFT: &str = "SELECT COUNT(*) FROM errand WHERE tenant = $1 AND state <> 'gone'";
const EXPIRE: &str = "DELETE FROM errand WHERE state = 'gone' AND gone_at < $1";

pub(super) async fn insert(tx: &mut Tx, owner: &Owner, errand: &Errand) -> Result<bool, Error> {
    change!(
        tx,
        INSERT,
        errand.id.to_string(),
        owner.tenant.as_str(),
        owner.subject.to_string(),
        errand.edit.map(|id| id.to_string()),
        errand.provider.as_str(),
        errand.hook.as_slice(),
        errand.sealed.as_deref(),
        errand.disclosure.as_deref(),
        errand.made_at.micros(),
        errand.link.as_deref()
    )?;
    Ok(change!(
        tx,
        GOES_OUT,
        errand.id.to_string(),
        owner.tenant.as_str(),
        owner.subject.to_string(),
        errand.edit.map(|id| id.to_string())
    )? == 1)
}

macro_rules! errand {
    ($row:expr) => {{
        let row = $row;
        macro_rules! get {
            ($column:literal) => {
                sqlx::Row::try_get(&row, $column)?
            };
        }
        let (id, tenant, provider, state): (String, String, String, String) =
            (get!("id"), get!("tenant"), get!("provider"), get!("state"));
        let edit: Option<String> = get!("edit");
        let (made_at, next_at): (i64, Option<i64>) = (get!("made_at"), get!("next_at"));
        let refused_at: Option<i64> = get!("refused_at");
        Ok::<Errand, Error>(Errand {
            id: parse(&id, "id")?,
            tenant: parse(&tenant, "tenant")?,
            edit: edit.map(|e| parse(&e, "edit")).transpose()?,
            provider: ProviderChoice::ALL
                .into_iter()
                .find(|p| p.as_str() == provider)
                .ok_or(Error::inconsistent("errand", "provider"))?,
            state: ErrandState::ALL
                .into_iter()
                .find(|s| s.as_str() == state)
                .ok_or(Error::inconsistent("errand", "state"))?,
            hook: get!("hook"),
            sealed: get!("sealed"),
            link: None,
            disclosure: get!("disclosure"),
            made_at: Timestamp::from_micros(made_at),
            next_at: next_at.map(Timestamp::from_micros),
            tries: get!("tries"),
            refused_at: refused_at.map(Timestamp::from_micros),
        })
    }};
}

fn parse<T: std::str::FromStr>(text: &str, column: &'static str) -> Result<T, Error> {
    text.parse().map_err(|_| Error::inconsistent("errand", column))
}

/// The errand of an edit that has not ended.
pub(super) async fn open_of(tx: &mut Tx, tenant: &TenantId, edit: EditId) -> Result<Option<Errand>, Error> {
    on!(tx, |c| sqlx::query(OPEN_OF)
        .bind(tenant.as_str())
        .bind(edit.to_string())
        .fetch_optional(c)
        .await?
        .map(|r| errand!(r))
        .transpose())
}

/// The errand whose webhook address ends in what has this hash: whose it is, only that tells.
pub(super) async fn by_hook(tx: &mut Tx, hook: &[u8]) -> Result<Option<Errand>, Error> {
    on!(tx, |c| sqlx::query(BY_HOOK).bind(hook).fetch_optional(c).await?.map(|r| errand!(r)).transpose())
}

/// Uses the address of an errand's pictures. Whose it is, only that tells: the person and the edit.
pub(super) async fn use_link(
    tx: &mut Tx,
    link: &[u8],
    (not_before, most): (Timestamp, i64),
) -> Result<Option<(Owner, EditId)>, Error> {
    let found: Option<(String, String, String)> = on!(tx, |c| sqlx::query_as(USE_LINK)
        .bind(link)
        .bind(not_before.micros())
        .bind(most)
        .fetch_optional(c)
        .await)?;
    let Some((tenant, subject, edit)) = found else { return Ok(None) };
    let owner = Owner { tenant: parse(&tenant, "tenant")?, subject: parse(&subject, "subject")? };
    Ok(Some((owner, parse(&edit, "edit")?)))
}

/// How often an edit has set out.
pub(super) async fn tried(tx: &mut Tx, tenant: &TenantId, edit: EditId) -> Result<i64, Error> {
    let (n,): (i64,) =
        on!(tx, |c| sqlx::query_as(TRIED).bind(tenant.as_str()).bind(edit.to_string()).fetch_one(c).await)?;
    Ok(n)
}

/// How many of a tenant's edits went to a provider since then.
pub(super) async fn sent_since(
    tx: &mut Tx,
    tenant: &TenantId,
    provider: ProviderChoice,
    since: Timestamp,
) -> Result<i64, Error> {
    let (n,): (i64,) = on!(tx, |c| sqlx::query_as(SENT_SINCE)
        .bind(tenant.as_str())
        .bind(provider.as_str())
        .bind(since.micros())
        .fetch_one(c)
        .await)?;
    Ok(n)
}

/// How many of a tenant's edits are at a provider.
pub(super) async fn under_way(
    tx: &mut Tx,
    tenant: &TenantId,
    provider: ProviderChoice,
) -> Result<i64, Error> {
    let (n,): (i64,) = on!(tx, |c| sqlx::query_as(UNDER_WAY)
        .bind(tenant.as_str())
        .bind(provider.as_str())
        .fetch_one(c)
        .await)?;
    Ok(n)
}

/// Writes the note of an errand that a provider has. One whose edit is over by now is on its way out.
pub(super) async fn keep(
    tx: &mut Tx,
    errand: &Errand,
    (sealed, job): (&[u8], Option<&[u8]>),
) -> Result<bool, Error> {
    Ok(change!(tx, KEEP, sealed, job, errand.tenant.as_str(), errand.id.to_string())? == 1)
}

/// The jobs at a provider that errands made in this time are known to be, as hashes of its ids.
pub(super) async fn known(
    tx: &mut Tx,
    provider: ProviderChoice,
    (from, to): (Timestamp, Timestamp),
) -> Result<Vec<Vec<u8>>, Error> {
    let rows: Vec<(Vec<u8>,)> = on!(tx, |c| sqlx::query_as(KNOWN)
        .bind(provider.as_str())
        .bind(from.micros())
        .bind(to.micros())
        .fetch_all(c)
        .await)?;
    Ok(rows.into_iter().map(|(job,)| job).collect())
}

pub(super) async fn recall(
    tx: &mut Tx,
    tenant: &TenantId,
    edit: EditId,
    now: Timestamp,
) -> Result<(), Error> {
    change!(tx, RECALL, now.micros(), tenant.as_str(), edit.to_string())?;
    Ok(())
}

/// How many errands of a person have not ended.
pub(super) async fn of(tx: &mut Tx, owner: &Owner) -> Result<i64, Error> {
    let (n,): (i64,) = on!(tx, |c| sqlx::query_as(OF)
        .bind(owner.tenant.as_str())
        .bind(owner.subject.to_string())
        .fetch_one(c)
        .await)?;
    Ok(n)
}

/// Blanks whose errands were.
pub(super) async fn forget(tx: &mut Tx, owner: &Owner) -> Result<(), Error> {
    change!(tx, FORGET, owner.tenant.as_str(), owner.subject.to_string())?;
    Ok(())
}

/// Sends all errands of a person on their way out, and cuts them from their edits.
pub(super) async fn part(tx: &mut Tx, owner: &Owner, now: Timestamp) -> Result<(), Error> {
    change!(tx, PART, now.micros(), owner.tenant.as_str(), owner.subject.to_string())?;
    Ok(())
}

/// Errands that the reconciler must look after by now.
pub(super) async fn due(tx: &mut Tx, now: Timestamp, most: i64) -> Result<Vec<Errand>, Error> {
    on!(tx, |c| sqlx::query(DUE)
        .bind(now.micros())
        .bind(most)
        .fetch_all(c)
        .await?
        .into_iter()
        .map(|r| errand!(r))
        .collect())
}

/// Takes an errand until `until`; another that read it at the same moment does not get it.
pub(super) async fn claim(tx: &mut Tx, errand: &Errand, until: Timestamp) -> Result<bool, Error> {
    Ok(change!(
        tx,
        CLAIM,
        until.micros(),
        errand.tenant.as_str(),
        errand.id.to_string(),
        errand.next_at.map(Timestamp::micros)
    )? == 1)
}

pub(super) async fn later(
    tx: &mut Tx,
    errand: &Errand,
    next_at: Option<Timestamp>,
    tries: i64,
) -> Result<(), Error> {
    change!(tx, LATER, next_at.map(Timestamp::micros), tries, errand.tenant.as_str(), errand.id.to_string())?;
    Ok(())
}

pub(super) async fn gone(tx: &mut Tx, errand: &Errand, now: Timestamp) -> Result<bool, Error> {
    Ok(change!(tx, GONE, now.micros(), errand.tenant.as_str(), errand.id.to_string())? == 1)
}

/// Whether another errand of this time is looked for at a provider as well.
pub(super) async fn others_look(
    tx: &mut Tx,
    errand: &Errand,
    (from, to): (Timestamp, Timestamp),
) -> Result<bool, Error> {
    let (n,): (i64,) = on!(tx, |c| sqlx::query_as(OTHERS_LOOK)
        .bind(errand.provider.as_str())
        .bind(from.micros())
        .bind(to.micros())
        .bind(errand.id.to_string())
        .fetch_one(c)
        .await)?;
    Ok(n > 0)
}

/// Notes that a provider had no time for an errand: it is certain that it was not taken.
pub(super) async fn refused(tx: &mut Tx, errand: &Errand, now: Timestamp) -> Result<bool, Error> {
    Ok(change!(tx, REFUSED, now.micros(), errand.tenant.as_str(), errand.id.to_string())? == 1)
}

/// Lets an errand that was refused set out once more, as it stands in `errand`. `false` when its edit is over.
pub(super) async fn again(tx: &mut Tx, errand: &Errand) -> Result<bool, Error> {
    Ok(change!(
        tx,
        SET_OUT_AGAIN,
        errand.sealed.as_deref(),
        errand.link.as_deref(),
        errand.disclosure.as_deref(),
        errand.made_at.micros(),
        errand.tenant.as_str(),
        errand.id.to_string()
    )? == 1)
}

/// Removes an errand that was refused and is not put again.
pub(super) async fn withdraw(tx: &mut Tx, errand: &Errand) -> Result<bool, Error> {
    Ok(change!(tx, WITHDRAW, errand.tenant.as_str(), errand.id.to_string())? == 1)
}

/// Removes errands that ended before then.
pub(super) async fn expire(tx: &mut Tx, before: Timestamp) -> Result<u64, Error> {
    Ok(change!(tx, EXPIRE, before.micros())?)
}

/// How many errands of a tenant have not ended.
pub(super) async fn left(tx: &mut Tx, tenant: &TenantId) -> Result<i64, Error> {
    let (n,): (i64,) = on!(tx, |c| sqlx::query_as(LEFT).bind(tenant.as_str()).fetch_one(c).await)?;
    Ok(n)
}
