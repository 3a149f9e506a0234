use super::{Edit, EditState, Filter, ModelChoice, ProviderChoice};
use crate::base::{EditId, ObjectId, TenantId, Timestamp};
use crate::store::{Error, Tx};
use crate::vault::Owner;
use crate::{change, on};

const INSERT: &str = "INSERT INTO edit (id, tenant, subject, state, provider, model, inputs, prompt, settings, progress, cost, \
    created_at, images, batch) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
const UPDATE: &str = "UPDATE edit SET state = $1, output = $2, progress = $3, error = $4, started_at = $5, ended_at = $6, \
    more_outputs = $7, cost = $8 WHERE tenant = $9 AND subject = $10 AND id = $11 AND state IN ('queued', 'running')";
const GET: &str = "SELECT id, state, provider, model, inputs, output, prompt, settings, progress, cost, error, created_at, \
    started_at, ended_at, images, more_outputs, batch, put_off_since FROM edit WHERE tenant = $1 AND subject = $2 AND id = $3";
const PAGE: &str = "SELECT id, state, provider, model, inputs, output, prompt, settings, progress, cost, error, created_at, \
    started_at, ended_at, images, more_outputs, batch, put_off_since FROM edit WHERE tenant = $1 AND subject = $2 \
    AND (CAST($3 AS TEXT) IS NULL OR id < $3) AND ($4 = '' OR state = $4) AND ($5 = '' OR model = $5) AND ($6 = '' OR provider = $6) AND ($7 = '' OR batch = $7) \
    AND created_at >= $8 AND created_at < $9 ORDER BY id DESC LIMIT $10";
// What was put counts by its errand; what was begun and turned away waits on.
const WAITING: &str = "SELECT COUNT(*) FROM edit WHERE tenant = $1 AND provider = $2 AND state IN ('queued', 'running') \
    AND provider_ref IS NULL";
const PUT_OFF: &str = "UPDATE edit SET put_off_since = COALESCE(put_off_since, $1) WHERE tenant = $2 AND subject = $3 \
    AND id = $4 AND state IN ('queued', 'running')";
const NOT_PUT_OFF: &str =
    "UPDATE edit SET put_off_since = NULL WHERE tenant = $1 AND subject = $2 AND id = $3";
const DELETE: &str = "DELETE FROM edit WHERE tenant = $1 AND subject = $2 AND id = $3";
const FORGET: &str = "DELETE FROM edit WHERE tenant = $1 AND subject = $2";

fn list(ids: &[ObjectId]) -> String {
    ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

pub(super) async fn insert(tx: &mut Tx, edit: &Edit) -> Result<(), Error> {
    change!(
        tx,
        INSERT,
        edit.id.to_string(),
        edit.owner.tenant.as_str(),
        edit.owner.subject.to_string(),
        edit.state.as_str(),
        &edit.provider,
        &edit.model,
        list(&edit.inputs),
        edit.prompt.map(|id| id.to_string()),
        edit.settings.map(|id| id.to_string()),
        edit.progress,
        edit.cost,
        edit.created_at.micros(),
        edit.images,
        edit.batch.map(|id| id.to_string())
    )?;
    Ok(())
}

/// Writes how an edit stands, unless it is over: that can be said once only. Gives whether it was written.
pub(super) async fn update(tx: &mut Tx, edit: &Edit) -> Result<bool, Error> {
    Ok(change!(
        tx,
        UPDATE,
        edit.state.as_str(),
        edit.output.map(|id| id.to_string()),
        edit.progress,
        &edit.error,
        edit.started_at.map(Timestamp::micros),
        edit.ended_at.map(Timestamp::micros),
        list(&edit.more_outputs),
        edit.cost,
        edit.owner.tenant.as_str(),
        edit.owner.subject.to_string(),
        edit.id.to_string()
    )? == 1)
}

/// Notes that an edit waits for a provider that has no time, if that is not noted yet.
pub(super) async fn put_off(tx: &mut Tx, edit: &Edit, now: Timestamp) -> Result<(), Error> {
    change!(
        tx,
        PUT_OFF,
        now.micros(),
        edit.owner.tenant.as_str(),
        edit.owner.subject.to_string(),
        edit.id.to_string()
    )?;
    Ok(())
}

/// Notes that it waits for that no longer.
pub(super) async fn not_put_off(tx: &mut Tx, edit: &Edit) -> Result<(), Error> {
    change!(
        tx,
        NOT_PUT_OFF,
        edit.owner.tenant.as_str(),
        edit.owner.subject.to_string(),
        edit.id.to_string()
    )?;
    Ok(())
}

macro_rules! edit {
    ($row:expr, $owner:expr) => {{
        let row = $row;
        macro_rules! get {
            ($column:literal) => {
                sqlx::Row::try_get(&row, $column)?
            };
        }
        let (id, state, inputs): (String, String, String) = (get!("id"), get!("state"), get!("inputs"));
        let ids: (Option<String>, Option<String>, Option<String>) =
            (get!("output"), get!("prompt"), get!("settings"));
        let (more, batch): (String, Option<String>) = (get!("more_outputs"), get!("batch"));
        let times: (i64, Option<i64>, Option<i64>) =
            (get!("created_at"), get!("started_at"), get!("ended_at"));
        let put_off_since: Option<i64> = get!("put_off_since");
        Ok::<Edit, Error>(Edit {
            id: parse(&id, "id")?,
            owner: $owner.clone(),
            state: EditState::ALL
                .into_iter()
                .find(|s| s.as_str() == state)
                .ok_or(Error::inconsistent("edit", "state"))?,
            provider: get!("provider"),
            model: get!("model"),
            inputs: inputs.split_whitespace().map(|i| parse(i, "inputs")).collect::<Result<_, _>>()?,
            output: ids.0.map(|i| parse(&i, "output")).transpose()?,
            more_outputs: more
                .split_whitespace()
                .map(|i| parse(i, "more_outputs"))
                .collect::<Result<_, _>>()?,
            images: get!("images"),
            batch: batch.map(|i| parse(&i, "batch")).transpose()?,
            prompt: ids.1.map(|i| parse(&i, "prompt")).transpose()?,
            settings: ids.2.map(|i| parse(&i, "settings")).transpose()?,
            progress: get!("progress"),
            cost: get!("cost"),
            error: get!("error"),
            created_at: Timestamp::from_micros(times.0),
            started_at: times.1.map(Timestamp::from_micros),
            ended_at: times.2.map(Timestamp::from_micros),
            put_off_since: put_off_since.map(Timestamp::from_micros),
        })
    }};
}

fn parse<T: std::str::FromStr>(text: &str, column: &'static str) -> Result<T, Error> {
    text.parse().map_err(|_| Error::inconsistent("edit", column))
}

pub(super) async fn get(tx: &mut Tx, owner: &Owner, id: EditId) -> Result<Option<Edit>, Error> {
    on!(tx, |c| sqlx::query(GET)
        .bind(owner.tenant.as_str())
        .bind(owner.subject.to_string())
        .bind(id.to_string())
        .fetch_optional(c)
        .await?
        .map(|r| edit!(r, owner))
        .transpose())
}

pub(super) async fn page(
    tx: &mut Tx,
    owner: &Owner,
    filter: &Filter,
    (before, most): (Option<&str>, i64),
) -> Result<Vec<Edit>, Error> {
    on!(tx, |c| sqlx::query(PAGE)
        .bind(owner.tenant.as_str())
        .bind(owner.subject.to_string())
        .bind(before)
        .bind(filter.state.map_or("", EditState::as_str))
        .bind(filter.model.map_or("", ModelChoice::as_str))
        .bind(filter.provider.map_or("", ProviderChoice::as_str))
        .bind(filter.batch.map_or_else(String::new, |id| id.to_string()))
        .bind(filter.since.map_or(i64::MIN, Timestamp::micros))
        .bind(filter.until.map_or(i64::MAX, Timestamp::micros))
        .bind(most)
        .fetch_all(c)
        .await?
        .into_iter()
        .map(|r| edit!(r, owner))
        .collect())
}

/// How many of a tenant's edits wait for their turn with a provider.
pub(super) async fn waiting(tx: &mut Tx, tenant: &TenantId, provider: ProviderChoice) -> Result<i64, Error> {
    let (n,): (i64,) = on!(tx, |c| sqlx::query_as(WAITING)
        .bind(tenant.as_str())
        .bind(provider.as_str())
        .fetch_one(c)
        .await)?;
    Ok(n)
}

pub(super) async fn delete(tx: &mut Tx, owner: &Owner, id: EditId) -> Result<u64, Error> {
    Ok(change!(tx, DELETE, owner.tenant.as_str(), owner.subject.to_string(), id.to_string())?)
}

pub(super) async fn forget(tx: &mut Tx, owner: &Owner) -> Result<u64, Error> {
    Ok(change!(tx, FORGET, owner.tenant.as_str(), owner.subject.to_string())?)
}
