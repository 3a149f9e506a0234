//! What tables beside the vault hold of a person, read for their archive.

use serde_json::{Value, json};

use crate::base::Timestamp;
use crate::on;
use crate::store::{Error, Tx};
use crate::vault::Owner;

const SUBJECT: &str = "SELECT created_at, last_active_at, restricted_at, closed_at, address_changed_at, warned_at, warnings, \
    policy_version, locale FROM subject WHERE tenant = $1 AND id = $2";
const SESSIONS: &str = "SELECT id, created_at, proved_at, last_seen_at, expires_at FROM session \
    WHERE tenant = $1 AND subject = $2 ORDER BY created_at, id";
const LOGINS: &str = "SELECT issuer, CAST(NULL AS BIGINT) AS since FROM subject_login WHERE tenant = $1 AND subject = $2 ORDER BY issuer, login_index";
const LINKED: &str = "SELECT id, processor, linked_at FROM elsewhere WHERE tenant = $1 AND subject = $2 ORDER BY linked_at, id";
const NOTICES: &str = "SELECT version, posted_at, letter_at, acknowledged_at FROM policy_notice \
    WHERE tenant = $1 AND subject = $2 ORDER BY version";
const WARNINGS: &str = "SELECT rule, goes_at, number, told_at FROM notice WHERE tenant = $1 AND subject = $2 \
    ORDER BY told_at, rule, after_at";
const HOLDS: &str = "SELECT id, category, matter, reason, placed_at, review_at, told_at FROM hold WHERE tenant = $1 \
    AND subject = $2 AND released_at IS NULL AND untold IS NULL ORDER BY placed_at, id";
const AGENTS: &str = "SELECT id, agent, exercise, answer, received_at FROM drp_request WHERE tenant = $1 AND subject = $2 \
    ORDER BY received_at, id";
const STEPS: &str = "SELECT e.request, e.seq, e.at, e.role, e.kind FROM request_event e JOIN request r ON r.tenant = e.tenant \
    AND r.id = e.request WHERE e.tenant = $1 AND r.subject = $2 ORDER BY e.request, e.seq, e.at LIMIT 10000";

fn time(at: Option<i64>) -> Option<String> {
    at.map(|at| Timestamp::from_micros(at).rfc3339())
}

/// Runs a statement about a person and gives each row as an object: names of values with what is read of the row.
macro_rules! all {
    ($tx:expr, $owner:expr, $statement:expr, |$get:ident, $at:ident| $value:expr) => {{
        let (tenant, subject) = ($owner.tenant.as_str(), $owner.subject.to_string());
        let found: Result<Vec<Value>, Error> = on!($tx, |c| sqlx::query($statement)
            .bind(tenant)
            .bind(&subject)
            .fetch_all(c)
            .await?
            .into_iter()
            .map(|row| {
                macro_rules! $get {
                    ($column:literal, $type:ty) => {
                        sqlx::Row::try_get::<$type, _>(&row, $column)?
                    };
                }
                macro_rules! $at {
                    ($column:literal) => {
                        time(sqlx::Row::try_get::<Option<i64>, _>(&row, $column)?)
                    };
                }
                Ok($value)
            })
            .collect());
        found?
    }};
}

/// The account's own times and counts; nothing for somebody who is not there.
pub(in crate::requests) async fn account(tx: &mut Tx, owner: &Owner) -> Result<Option<Value>, Error> {
    let mut found = all!(tx, owner, SUBJECT, |get, at| json!({
        "at": at!("created_at"), "account-opened": at!("created_at"), "last-active": at!("last_active_at"),
        "restricted-since": at!("restricted_at"), "closed": at!("closed_at"),
        "address-changed": at!("address_changed_at"), "warned": at!("warned_at"), "warnings": get!("warnings", i64),
        "policy-version": get!("policy_version", String), "language": get!("locale", Option<String>),
    }));
    Ok(found.pop())
}

/// What hangs on the account: where they are signed in, how else they sign in, what they were told of, what keeps their data.
pub(in crate::requests) async fn beside(tx: &mut Tx, owner: &Owner) -> Result<Vec<Value>, Error> {
    let mut found = all!(tx, owner, SESSIONS, |get, at| json!({
        "what": "session", "id": get!("id", String), "at": at!("created_at"), "signed-in": at!("created_at"),
        "proved": at!("proved_at"), "last-seen": at!("last_seen_at"), "ends": at!("expires_at"),
    }));
    found.extend(all!(tx, owner, LOGINS, |get, at| json!({
        "what": "login", "issuer": get!("issuer", String), "since": at!("since"),
    })));
    found.extend(all!(tx, owner, LINKED, |get, at| json!({
        "what": "account-elsewhere", "id": get!("id", String), "at": at!("linked_at"),
        "recipient": get!("processor", String),
    })));
    found.extend(all!(tx, owner, NOTICES, |get, at| json!({
        "what": "policy-notice", "version": get!("version", String), "shown": at!("posted_at"),
        "letter": at!("letter_at"), "acknowledged": at!("acknowledged_at"),
    })));
    found.extend(all!(tx, owner, WARNINGS, |get, at| json!({
        "what": "warning", "at": at!("told_at"), "rule": get!("rule", String), "goes": at!("goes_at"),
        "number": get!("number", i64),
    })));
    found.extend(all!(tx, owner, HOLDS, |get, at| json!({
        "what": "legal-hold", "id": get!("id", String), "at": at!("placed_at"),
        "category": get!("category", Option<String>), "matter": get!("matter", String),
        "reason": get!("reason", String), "review": at!("review_at"), "told": at!("told_at"),
    })));
    Ok(found)
}

/// What hangs on requests: their steps, and what agents asked for.
pub(in crate::requests) async fn of_requests(tx: &mut Tx, owner: &Owner) -> Result<Vec<Value>, Error> {
    let mut found = all!(tx, owner, STEPS, |get, at| json!({
        "what": "step", "request": get!("request", String), "number": get!("seq", i64), "at": at!("at"),
        "by": get!("role", String), "step": get!("kind", String),
    }));
    found.extend(all!(tx, owner, AGENTS, |get, at| json!({
        "what": "agent", "id": get!("id", String), "at": at!("received_at"), "agent": get!("agent", String),
        "exercise": get!("exercise", String), "answer": get!("answer", Option<String>),
    })));
    Ok(found)
}
