//! Accounts: an app's server opens them; their owners read and correct them.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use futures_util::FutureExt as _;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::moment;
use super::ask::Json;
use super::requests::{Request, is_another, request};
use crate::base::{Kind, TenantId, Timestamp};
use crate::edge::{ApiCaller, Closing, Edge, Fault, Idempotent, Once, Problem, Shape, UserCaller};
use crate::policy::Channel;
use crate::requests::{AddressBy, Ask, Filing};
use crate::subjects::{Email, NewAccount, Profile, Scope};
use crate::vault::Access;

const PURPOSE: &str = "account";

pub(super) fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new().routes(routes!(open)).routes(routes!(read, correct)).routes(routes!(close))
}

/// An account to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Opening {
    /// The person's address.
    #[schema(example = "ada@example.org")]
    email: String,
    /// Their name, as they wrote it.
    #[schema(example = "Ada Lovelace")]
    name: String,
    /// What they are called in the app.
    #[schema(example = "ada")]
    username: String,
    /// How the app's identity provider knows them.
    login: Option<Login>,
}

/// A person as an identity provider knows them.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Login {
    /// The `iss` claim of its tokens.
    #[schema(example = "https://login.example")]
    issuer: String,
    /// The `sub` claim of this person's tokens.
    #[schema(example = "user-1815")]
    subject: String,
}

/// An account that was opened.
#[derive(Serialize, ToSchema)]
struct Opened {
    /// The person's id, for `Vouchsafe-Subject`.
    #[schema(example = "sub_019aab12c0007000800000000000000a")]
    subject: String,
}

/// An account.
#[derive(Serialize, ToSchema)]
struct Account {
    /// The person's id.
    subject: String,
    /// Whose app it is.
    tenant: String,
    /// Their address.
    email: String,
    /// Their name.
    name: String,
    /// What they are called in the app.
    username: String,
    /// When the account was opened.
    #[schema(format = DateTime)]
    created_at: String,
    /// Since when the person's data may only be kept.
    #[schema(format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    restricted_at: Option<String>,
    /// Since when the account is closed.
    #[schema(format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    closed_at: Option<String>,
}

/// An account that is closed, or is being closed.
#[derive(Serialize, ToSchema)]
struct Ending {
    /// Since when it is closed, on the word of its app.
    #[schema(format = DateTime)]
    #[serde(skip_serializing_if = "Option::is_none")]
    closed_at: Option<String>,
    /// The erasure that closes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<Request>,
}

/// What to correct. What is left out stays as it is.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Correction {
    /// The address.
    email: Option<String>,
    /// The name.
    name: Option<String>,
    /// What they are called in the app.
    username: Option<String>,
}

/// Open an account for a person
#[utoipa::path(post, path = "/v1/accounts", tag = "accounts", request_body = Opening,
    security(("app-key" = ["accounts"])),
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key gives the first answer again.")),
    responses((status = 201, description = "Opened.", body = Opened),
        (status = 409, description = "The address, or the login, has an account.", body = Problem)))]
async fn open(
    State(edge): State<Edge>,
    caller: ApiCaller,
    key: Idempotent,
    body: Json<Opening>,
) -> Result<Response, Fault> {
    caller.allows(Scope::Accounts)?;
    let tenant = &caller.key.tenant;
    let once =
        Once { tenant, caller: &caller.key.id, route: "POST /v1/accounts", key: &key, body: &body.raw };
    let shape = Shape { status: StatusCode::CREATED, of: |made: &String| Opened { subject: made.clone() } };
    let (edge_, tenant_) = (edge.clone(), tenant.clone());
    let work = move |closing: Closing<String>| {
        async move { open_for(&edge_, &tenant_, body.value, closing.cut_off()).await }.boxed()
    };
    edge.once(once, shape, work).await
}

/// Opens it, or goes on with one that this call had begun to open when it was cut off. The id of the person.
async fn open_for(
    edge: &Edge,
    tenant: &TenantId,
    asked: Opening,
    cut_off: Option<Timestamp>,
) -> Result<String, Fault> {
    let subjects = &edge.app.subjects;
    let email: Email = asked.email.parse()?;
    let begun = match cut_off {
        Some(since) => subjects.opened_since(tenant, &email, since).await?,
        None => None,
    };
    let new = NewAccount { email, name: asked.name, username: asked.username };
    let Some(login) = asked.login else {
        let owner = if let Some(owner) = begun { owner } else { subjects.open(tenant, new).await? };
        return Ok(owner.subject.to_string());
    };
    // Asked first, so that a login that is taken leaves no account behind.
    let known = subjects.by_login(tenant, &login.issuer, &login.subject).await?;
    if known.is_some() && known != begun {
        return Err(Fault::because(Kind::Conflict, "there is an account with this login already"));
    }
    let owner = match begun {
        Some(owner) => {
            // Opened meanwhile by its person at the door.
            if known.is_none() {
                subjects.add_login(&owner, &login.issuer, &login.subject).await?;
            }
            owner
        }
        None => subjects.open_for(tenant, new, (&login.issuer, &login.subject)).await?,
    };
    edge.app.elsewhere.link_login(&owner, &login.issuer, &login.subject).await?;
    Ok(owner.subject.to_string())
}

/// Read one's account
#[utoipa::path(get, path = "/v1/account", tag = "accounts",
    security(("token" = []), ("app-key" = ["accounts"], "subject" = []), ("session" = [])),
    responses((status = 200, description = "The account.", body = Account)))]
async fn read(State(edge): State<Edge>, caller: UserCaller) -> Result<axum::Json<Account>, Fault> {
    caller.allows(Scope::Accounts)?;
    account(&edge, &caller).await
}

/// Correct one's account
///
/// A new address counts once the link in the letter to it was opened, which works for a day; the account is told as it is
/// until then, and the answer is the same whether the address can be had or not. It needs a proof of who asks that is less
/// than an hour old. An app's key with `accounts` vouches for the addresses of its own users: those count at once, and all
/// sessions end.
#[utoipa::path(patch, path = "/v1/account", tag = "accounts", request_body = Correction,
    security(("token" = []), ("app-key" = ["accounts"], "subject" = []), ("session" = [])),
    responses((status = 200, description = "The account as it is now.", body = Account),
        (status = 401, description = "`step-up`: sign in again first.", body = Problem),
        (status = 409, description = "Said to an app's key: the address has an account. To a person: the address was changed not long ago.", body = Problem)))]
async fn correct(
    State(edge): State<Edge>,
    caller: UserCaller,
    body: Json<Correction>,
) -> Result<axum::Json<Account>, Fault> {
    caller.allows(Scope::Accounts)?;
    let access = Access { actor: &caller.actor, purpose: PURPOSE };
    let known = edge.app.subjects.profile(&caller.owner, &access).await?;
    let Correction { email, name, username } = body.value;
    let new = Profile {
        email: email.unwrap_or(known.email),
        name: name.unwrap_or(known.name),
        username: username.unwrap_or(known.username),
    };
    let address = if caller.vouched() { AddressBy::Link } else { AddressBy::App };
    if address == AddressBy::Link && is_another(&edge, &caller, &new.email).await? {
        caller.proved_lately(&edge)?;
    }
    edge.app.requests.correct(&caller.owner, &caller.actor, &new, address).await?;
    account(&edge, &caller).await
}

/// Close one's account
///
/// Asked for by the person, it is an erasure: everything goes when the time is over in which it can be taken back, with
/// `POST /v1/requests/{id}/cancel`. It needs a proof of who they are that is less than an hour old. An app's key with
/// `accounts` closes an account of its own users on its own word, at once: every session ends, and what the policy ties to
/// the closing goes by its clocks. Neither while the address is new.
#[utoipa::path(post, path = "/v1/account/close", tag = "accounts",
    security(("token" = []), ("app-key" = ["accounts"], "subject" = []), ("session" = [])),
    responses((status = 200, description = "Closed, or being closed; now or before.", body = Ending),
        (status = 401, description = "`step-up`: sign in again first.", body = Problem),
        (status = 409, description = "The address was changed not long ago.", body = Problem)))]
async fn close(State(edge): State<Edge>, caller: UserCaller) -> Result<axum::Json<Ending>, Fault> {
    caller.allows(Scope::Accounts)?;
    let (app, owner) = (&edge.app, &caller.owner);
    app.subjects.may_take_out(owner).await?;
    if !caller.vouched() {
        let at = app.subjects.close(owner, &caller.actor).await?;
        return Ok(axum::Json(Ending { closed_at: Some(moment(at)), request: None }));
    }
    caller.proved_lately(&edge)?;
    let filing = Filing {
        ask: Ask::Erasure { at_once: false },
        channel: Channel::Api,
        by: caller.actor.clone(),
        proved: true,
        words: None,
    };
    let filed = app.requests.file(owner, filing).await?.request;
    Ok(axum::Json(Ending { closed_at: None, request: Some(request(filed)) }))
}

async fn account(edge: &Edge, caller: &UserCaller) -> Result<axum::Json<Account>, Fault> {
    let access = Access { actor: &caller.actor, purpose: PURPOSE };
    let profile = edge.app.subjects.profile(&caller.owner, &access).await?;
    let subject = edge.app.subjects.get(&caller.owner).await?;
    Ok(axum::Json(Account {
        subject: subject.id.to_string(),
        tenant: subject.tenant.to_string(),
        email: profile.email,
        name: profile.name,
        username: profile.username,
        created_at: moment(subject.created_at),
        restricted_at: subject.restricted_at.map(moment),
        closed_at: subject.closed_at.map(moment),
    }))
}
