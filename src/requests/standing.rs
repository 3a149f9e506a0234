//! What tables beside the vault hold of a person, taken down once for a request: it changes with every visit, and an archive
//! that is fetched in two goes must be one. Lies sealed with the request until the archive can no longer be had.

use serde_json::{Value, json};

use super::filing::{CATEGORY, UNREADABLE};
use super::fulfil::{PURPOSE, object};
use super::{Error, Request, Requests, sql};
use crate::archive::Record;
use crate::base::Timestamp;
use crate::policy::Facts;
use crate::vault::{self, Access, Actor, NewRecord, Owner};

/// The name of such a record.
pub(super) const STANDING: &str = "standing";

/// Tables that keep something about people beside the vault, and where it is in an archive, or why it is in none.
pub const IN_ARCHIVES: &[(&str, Place)] = &[
    ("consent_event", Place::In("consents.json")),
    ("credit_entry", Place::In("data/credits.json")),
    ("edit", Place::In("data/edit-history.json")),
    ("request", Place::In("data/rights-request.json")),
    ("request_event", Place::In("data/rights-request.json")),
    ("drp_request", Place::In("data/rights-request.json")),
    ("subject", Place::In("data/account.json")),
    ("session", Place::In("data/account.json")),
    ("subject_login", Place::In("data/account.json")),
    ("elsewhere", Place::In("data/account.json")),
    (
        "address_move",
        Place::Out("hashes of links, and a sealed address that is theirs to undo by; gone three days after"),
    ),
    ("sign_in", Place::Out("a hash of a link that was mailed to them, gone within a day")),
    (
        "look",
        Place::Out(
            "the words of each look are a record of theirs, and the look itself is among their readers",
        ),
    ),
    ("mail", Place::Out("nobody knows that a letter is theirs before they confirm it; then it is a request")),
    (
        "mandate",
        Place::Out("what they gave is a record of theirs; what they have not given is another's wish"),
    ),
    ("request_task", Place::Out("nothing is written into it any more")),
];

/// Where an archive has what a table keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In this file.
    In(&'static str),
    /// In none, and why.
    Out(&'static str),
}

impl Requests {
    /// Takes down how things stand for an archive, unless a try before this one did.
    pub(super) async fn take_down(&self, owner: &Owner, request: &Request) -> Result<(), Error> {
        if self.taken_down(owner, request).await?.is_some() {
            return Ok(());
        }
        let value = {
            let mut tx = self.db.read().await?;
            json!({
                "account": sql::standing::account(&mut tx, owner).await?,
                "beside": sql::standing::beside(&mut tx, owner).await?,
                "requests": sql::standing::of_requests(&mut tx, owner).await?,
            })
        };
        let parent = Some(request.id.to_string());
        let record = NewRecord { category: CATEGORY, name: STANDING, value, parent, facts: Facts::new() };
        let sealed = self.vault.seal_records(owner, vec![record]).await?;
        self.keep_once(owner, request, STANDING, &sealed).await
    }

    /// What was taken down for a request.
    pub(super) async fn taken_down(&self, owner: &Owner, request: &Request) -> Result<Option<Value>, Error> {
        let access = Access { actor: &Actor::Service, purpose: PURPOSE };
        let found = self.vault.records_of(owner, &access, &request.id.to_string()).await?;
        let mine = |r: &vault::Record| r.name == STANDING && request.gathered(r.item.created_at);
        Ok(found.into_iter().find(mine).map(|record| record.value))
    }
}

/// The records of one part of what was taken down. Whatever has no time of its own is as of `otherwise`.
pub(super) fn records(taken: &Value, part: &str, otherwise: Timestamp) -> Result<Vec<Record>, Error> {
    let of = |value: &Value| match value {
        Value::Array(all) => all.clone(),
        Value::Null => Vec::new(),
        one => vec![one.clone()],
    };
    let all = taken.get(part).map(of).unwrap_or_default();
    all.into_iter().enumerate().map(|(n, value)| record(part, n, value, otherwise)).collect()
}

fn record(part: &str, n: usize, value: Value, otherwise: Timestamp) -> Result<Record, Error> {
    let mut values = object(value);
    let at = match values.remove("at") {
        Some(Value::String(at)) => Timestamp::parse_rfc3339(&at).ok_or(UNREADABLE)?,
        _ => otherwise,
    };
    let id = match values.remove("id") {
        Some(Value::String(id)) => id,
        _ => format!("{part}-{n}"),
    };
    Ok(Record { id, at, ends: None, values })
}
