pub(super) mod address;
pub(super) mod again;
pub(super) mod asked;
mod closing;
pub(super) mod factor;
mod reading;
mod sessions;

pub(super) use closing::{close, closed};
pub(super) use reading::set_locale;
pub(super) use sessions::{
    end_links, end_session, end_sessions, end_staff_sessions, expire, insert_session, lapsed, seen, session,
};

use super::{ApiKey, Error as RoomError, Scope, StaffMember, Subject};
use crate::base::{StaffId, SubjectId, TenantId, Timestamp};
use crate::on;
use crate::policy::Role;
use crate::speech::Tongue;
use crate::store::{Error, Tx};
use crate::vault::Owner;

const INSERT_SUBJECT: &str = "INSERT INTO subject (id, tenant, state, generation, email_index, policy_version, created_at, \
    last_active_at, warnings) VALUES ($1, $2, 'active', 1, $3, $4, $5, $5, 0)";
const SUBJECT: &str = "SELECT state, policy_version, created_at, last_active_at, restricted_at, closed_at, \
    address_changed_at, locale, address_confirmed FROM subject WHERE tenant = $1 AND id = $2";
const SUBJECT_BY_EMAIL: &str =
    "SELECT id FROM subject WHERE tenant = $1 AND email_index = $2 AND state = 'active'";
const INSERT_LOGIN: &str =
    "INSERT INTO subject_login (tenant, issuer, login_index, subject) VALUES ($1, $2, $3, $4)";
const BY_LOGIN: &str = "SELECT l.subject FROM subject_login l JOIN subject s ON s.id = l.subject AND s.tenant = l.tenant \
    WHERE l.tenant = $1 AND l.issuer = $2 AND l.login_index = $3 AND s.state = 'active'";
const TOUCH: &str = "UPDATE subject SET last_active_at = $1, warnings = 0, warned_at = NULL \
    WHERE tenant = $2 AND id = $3 AND last_active_at < $4";
const SET_RESTRICTED: &str =
    "UPDATE subject SET restricted_at = $1 WHERE tenant = $2 AND id = $3 AND state = 'active'";

const LINKS_SINCE: &str =
    "SELECT COUNT(*) FROM sign_in WHERE tenant = $1 AND email_index = $2 AND created_at > $3";
const INSERT_LINK: &str = "INSERT INTO sign_in (token_hash, tenant, email_index, subject, staff, browser_hash, created_at, \
    expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
const USE_LINK: &str = "UPDATE sign_in SET used_at = $1 WHERE token_hash = $2 AND tenant = $3 AND used_at IS NULL \
    AND expires_at > $1 RETURNING subject, staff, browser_hash";

const INSERT_STAFF: &str =
    "INSERT INTO staff (id, tenant, role, email_index, sealed, created_at) VALUES ($1, $2, $3, $4, $5, $6)";
const STAFF: &str = "SELECT role FROM staff WHERE tenant = $1 AND id = $2 AND disabled_at IS NULL";
const STAFF_BY_EMAIL: &str =
    "SELECT id FROM staff WHERE tenant = $1 AND email_index = $2 AND disabled_at IS NULL";
const STAFF_SEALED: &str = "SELECT sealed FROM staff WHERE tenant = $1 AND id = $2 AND disabled_at IS NULL";

const INSERT_API_KEY: &str = "INSERT INTO api_key (id, tenant, secret_hash, label, scopes, created_at, expires_at) \
    VALUES ($1, $2, $3, $4, $5, $6, $7)";
const API_KEY: &str = "SELECT id, tenant, label, scopes, created_at, expires_at, secret_hash, revoked_at FROM api_key \
    WHERE id = $1";
const API_KEYS: &str = "SELECT id, tenant, label, scopes, created_at, expires_at, secret_hash, revoked_at FROM api_key \
    WHERE tenant = $1 AND revoked_at IS NULL ORDER BY created_at";
const REVOKE_API_KEY: &str =
    "UPDATE api_key SET revoked_at = $1 WHERE tenant = $2 AND id = $3 AND revoked_at IS NULL";

pub(super) async fn insert_subject(
    tx: &mut Tx,
    owner: &Owner,
    email_index: Option<&[u8]>,
    policy_version: &str,
    now: Timestamp,
) -> Result<(), Error> {
    on!(tx, |c| sqlx::query(INSERT_SUBJECT)
        .bind(owner.subject.to_string())
        .bind(owner.tenant.as_str())
        .bind(email_index)
        .bind(policy_version)
        .bind(now.micros())
        .execute(c)
        .await
        .map(|_| ()))?;
    Ok(())
}

/// State, version of the policy, when they came, when they were last here, since when restricted, when closed, when their
/// address was changed, language, whether the address was confirmed.
type SubjectRow = (String, String, i64, i64, Option<i64>, Option<i64>, Option<i64>, Option<String>, i64);

pub(super) async fn subject(tx: &mut Tx, owner: &Owner) -> Result<Option<Subject>, Error> {
    let row: Option<SubjectRow> = on!(tx, |c| sqlx::query_as(SUBJECT)
        .bind(owner.tenant.as_str())
        .bind(owner.subject.to_string())
        .fetch_optional(c)
        .await)?;
    Ok(row.map(|(state, policy_version, created, active, restricted, closed, address, locale, confirmed)| {
        Subject {
            id: owner.subject,
            tenant: owner.tenant.clone(),
            policy_version,
            created_at: Timestamp::from_micros(created),
            last_active_at: Timestamp::from_micros(active),
            restricted_at: restricted.map(Timestamp::from_micros),
            closed_at: closed.map(Timestamp::from_micros),
            address_changed_at: address.map(Timestamp::from_micros),
            address_confirmed: confirmed == 1,
            erasing: state != "active",
            tongue: locale.and_then(|tag| Tongue::of_tag(&tag)).unwrap_or_default(),
        }
    }))
}

pub(super) async fn subject_by_email(
    tx: &mut Tx,
    tenant: &TenantId,
    index: &[u8],
) -> Result<Option<SubjectId>, Error> {
    let row: Option<(String,)> = on!(tx, |c| sqlx::query_as(SUBJECT_BY_EMAIL)
        .bind(tenant.as_str())
        .bind(index)
        .fetch_optional(c)
        .await)?;
    row.map(|(id,)| id.parse().map_err(|_| Error::inconsistent("subject", "id"))).transpose()
}

pub(super) async fn insert_login(
    tx: &mut Tx,
    owner: &Owner,
    issuer: &str,
    index: &[u8],
) -> Result<(), Error> {
    on!(tx, |c| sqlx::query(INSERT_LOGIN)
        .bind(owner.tenant.as_str())
        .bind(issuer)
        .bind(index)
        .bind(owner.subject.to_string())
        .execute(c)
        .await
        .map(|_| ()))?;
    Ok(())
}

pub(super) async fn by_login(
    tx: &mut Tx,
    tenant: &TenantId,
    issuer: &str,
    index: &[u8],
) -> Result<Option<SubjectId>, Error> {
    let row: Option<(String,)> = on!(tx, |c| sqlx::query_as(BY_LOGIN)
        .bind(tenant.as_str())
        .bind(issuer)
        .bind(index)
        .fetch_optional(c)
        .await)?;
    row.map(|(id,)| id.parse().map_err(|_| Error::inconsistent("subject_login", "subject"))).transpose()
}

pub(super) async fn touch(
    tx: &mut Tx,
    owner: &Owner,
    now: Timestamp,
    before: Timestamp,
) -> Result<(), Error> {
    on!(tx, |c| sqlx::query(TOUCH)
        .bind(now.micros())
        .bind(owner.tenant.as_str())
        .bind(owner.subject.to_string())
        .bind(before.micros())
        .execute(c)
        .await
        .map(|_| ()))?;
    Ok(())
}

pub(super) async fn set_restricted(tx: &mut Tx, owner: &Owner, at: Option<Timestamp>) -> Result<bool, Error> {
    let n = on!(tx, |c| sqlx::query(SET_RESTRICTED)
        .bind(at.map(Timestamp::micros))
        .bind(owner.tenant.as_str())
        .bind(owner.subject.to_string())
        .execute(c)
        .await
        .map(|r| r.rows_affected()))?;
    Ok(n == 1)
}

pub(super) struct NewLink {
    pub(super) token_hash: Vec<u8>,
    pub(super) email_index: Vec<u8>,
    pub(super) subject: Option<SubjectId>,
    pub(super) staff: Option<StaffId>,
    pub(super) browser_hash: Option<Vec<u8>>,
    pub(super) created_at: Timestamp,
    pub(super) expires_at: Timestamp,
}

pub(super) struct UsedLink {
    pub(super) subject: Option<SubjectId>,
    pub(super) staff: Option<StaffId>,
    pub(super) browser_hash: Option<Vec<u8>>,
}

pub(super) async fn links_since(
    tx: &mut Tx,
    tenant: &TenantId,
    index: &[u8],
    since: Timestamp,
) -> Result<i64, Error> {
    let (n,): (i64,) = on!(tx, |c| sqlx::query_as(LINKS_SINCE)
        .bind(tenant.as_str())
        .bind(index)
        .bind(since.micros())
        .fetch_one(c)
        .await)?;
    Ok(n)
}

pub(super) async fn insert_link(tx: &mut Tx, tenant: &TenantId, link: &NewLink) -> Result<(), Error> {
    on!(tx, |c| sqlx::query(INSERT_LINK)
        .bind(&link.token_hash)
        .bind(tenant.as_str())
        .bind(&link.email_index)
        .bind(link.subject.map(|id| id.to_string()))
        .bind(link.staff.map(|id| id.to_string()))
        .bind(&link.browser_hash)
        .bind(link.created_at.micros())
        .bind(link.expires_at.micros())
        .execute(c)
        .await
        .map(|_| ()))?;
    Ok(())
}

type LinkRow = (Option<String>, Option<String>, Option<Vec<u8>>);

pub(super) async fn use_link(
    tx: &mut Tx,
    tenant: &TenantId,
    hash: &[u8],
    now: Timestamp,
) -> Result<Option<UsedLink>, Error> {
    let row: Option<LinkRow> = on!(tx, |c| sqlx::query_as(USE_LINK)
        .bind(now.micros())
        .bind(hash)
        .bind(tenant.as_str())
        .fetch_optional(c)
        .await)?;
    row.map(|(subject, staff, browser_hash)| {
        Ok(UsedLink {
            subject: parse(subject.as_deref(), "sign_in", "subject")?,
            staff: parse(staff.as_deref(), "sign_in", "staff")?,
            browser_hash,
        })
    })
    .transpose()
}

fn parse<T: std::str::FromStr>(
    text: Option<&str>,
    table: &'static str,
    column: &'static str,
) -> Result<Option<T>, Error> {
    text.map(|t| t.parse().map_err(|_| Error::inconsistent(table, column))).transpose()
}

pub(super) struct NewStaff {
    pub(super) id: StaffId,
    pub(super) role: Role,
    pub(super) email_index: Vec<u8>,
    pub(super) sealed: Vec<u8>,
    pub(super) created_at: Timestamp,
}

pub(super) async fn insert_staff(tx: &mut Tx, tenant: &TenantId, row: &NewStaff) -> Result<(), Error> {
    on!(tx, |c| sqlx::query(INSERT_STAFF)
        .bind(row.id.to_string())
        .bind(tenant.as_str())
        .bind(row.role.as_str())
        .bind(&row.email_index)
        .bind(&row.sealed)
        .bind(row.created_at.micros())
        .execute(c)
        .await
        .map(|_| ()))?;
    Ok(())
}

pub(super) async fn staff(tx: &mut Tx, tenant: &TenantId, id: StaffId) -> Result<Option<StaffMember>, Error> {
    let row: Option<(String,)> = on!(tx, |c| sqlx::query_as(STAFF)
        .bind(tenant.as_str())
        .bind(id.to_string())
        .fetch_optional(c)
        .await)?;
    row.map(|(role,)| {
        let role = role.parse().map_err(|_| Error::inconsistent("staff", "role"))?;
        Ok(StaffMember { id, tenant: tenant.clone(), role })
    })
    .transpose()
}

pub(super) async fn staff_by_email(
    tx: &mut Tx,
    tenant: &TenantId,
    index: &[u8],
) -> Result<Option<StaffId>, Error> {
    let row: Option<(String,)> = on!(tx, |c| sqlx::query_as(STAFF_BY_EMAIL)
        .bind(tenant.as_str())
        .bind(index)
        .fetch_optional(c)
        .await)?;
    row.map(|(id,)| id.parse().map_err(|_| Error::inconsistent("staff", "id"))).transpose()
}

pub(super) async fn staff_sealed(
    tx: &mut Tx,
    tenant: &TenantId,
    id: StaffId,
) -> Result<Option<Vec<u8>>, Error> {
    let row: Option<(Vec<u8>,)> = on!(tx, |c| sqlx::query_as(STAFF_SEALED)
        .bind(tenant.as_str())
        .bind(id.to_string())
        .fetch_optional(c)
        .await)?;
    Ok(row.map(|(sealed,)| sealed))
}

pub(super) async fn insert_api_key(tx: &mut Tx, key: &ApiKey, secret_hash: &[u8]) -> Result<(), Error> {
    let scopes: Vec<_> = key.scopes.iter().map(|s| s.as_str()).collect();
    on!(tx, |c| sqlx::query(INSERT_API_KEY)
        .bind(&key.id)
        .bind(key.tenant.as_str())
        .bind(secret_hash)
        .bind(&key.label)
        .bind(scopes.join(" "))
        .bind(key.created_at.micros())
        .bind(key.expires_at.map(Timestamp::micros))
        .execute(c)
        .await
        .map(|_| ()))?;
    Ok(())
}

type KeyRow = (String, String, String, String, i64, Option<i64>, Vec<u8>, Option<i64>);

fn key_of(row: KeyRow) -> Result<(ApiKey, Vec<u8>, Option<Timestamp>), Error> {
    let (id, tenant, label, scopes, created, expires, hash, revoked) = row;
    let scopes: Result<Vec<Scope>, RoomError> = scopes.split_whitespace().map(str::parse).collect();
    let key = ApiKey {
        id,
        tenant: tenant.parse().map_err(|_| Error::inconsistent("api_key", "tenant"))?,
        scopes: scopes.map_err(|_| Error::inconsistent("api_key", "scopes"))?,
        label,
        created_at: Timestamp::from_micros(created),
        expires_at: expires.map(Timestamp::from_micros),
    };
    Ok((key, hash, revoked.map(Timestamp::from_micros)))
}

/// A key by its public id: the key, the hash of its secret, and when it was revoked. The one query that finds a tenant
/// instead of being within one.
pub(super) async fn api_key(
    tx: &mut Tx,
    id: &str,
) -> Result<Option<(ApiKey, Vec<u8>, Option<Timestamp>)>, Error> {
    let row: Option<KeyRow> = on!(tx, |c| sqlx::query_as(API_KEY).bind(id).fetch_optional(c).await)?;
    row.map(key_of).transpose()
}

pub(super) async fn api_keys(tx: &mut Tx, tenant: &TenantId) -> Result<Vec<ApiKey>, Error> {
    let rows: Vec<KeyRow> = on!(tx, |c| sqlx::query_as(API_KEYS).bind(tenant.as_str()).fetch_all(c).await)?;
    rows.into_iter().map(|row| key_of(row).map(|(key, ..)| key)).collect()
}

pub(super) async fn revoke_api_key(
    tx: &mut Tx,
    tenant: &TenantId,
    id: &str,
    now: Timestamp,
) -> Result<bool, Error> {
    let n = on!(tx, |c| sqlx::query(REVOKE_API_KEY)
        .bind(now.micros())
        .bind(tenant.as_str())
        .bind(id)
        .execute(c)
        .await
        .map(|r| r.rows_affected()))?;
    Ok(n == 1)
}
