//! What a person agreed to, refused, took back or objected to.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::moment;
use super::ask::{Json, Named};
use crate::consent;
use crate::edge::{Edge, Fault, Problem, UserCaller};
use crate::subjects::Scope;

pub(super) fn routes() -> OpenApiRouter<Edge> {
    OpenApiRouter::new().routes(routes!(read)).routes(routes!(set)).routes(routes!(history))
}

/// How a person stands to everything they have a say in.
#[derive(Serialize, ToSchema)]
struct Choices {
    /// In the order of the document.
    items: Vec<Choice>,
}

/// How a person stands to a purpose.
#[derive(Serialize, ToSchema)]
struct Choice {
    /// The purpose.
    #[schema(example = "analytics")]
    purpose: String,
    /// What it is called.
    label: String,
    /// What it means, in plain words: what must be shown beside the switch.
    text: String,
    /// Off until a yes; otherwise on until an objection.
    needs_consent: bool,
    /// Whether it is on.
    on: bool,
    /// Their last word, if they gave one.
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<Word>,
}

/// A person's word.
#[derive(Serialize, ToSchema)]
struct Word {
    /// The purpose.
    purpose: String,
    /// `given`, `refused`, `withdrawn` or `objected`.
    state: String,
    /// When.
    #[schema(format = DateTime)]
    at: String,
    /// How: `privacy-centre`, `api`, `sign-up`, `request`.
    method: String,
    /// The version of the document that was in force.
    policy_version: String,
    /// The ledger entry that proves it.
    #[serde(skip_serializing_if = "Option::is_none")]
    entry: Option<String>,
}

/// Every word of a person.
#[derive(Serialize, ToSchema)]
struct Words {
    /// Newest first.
    items: Vec<Word>,
}

/// A switch.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Switch {
    /// On or off, by the person's own act.
    on: bool,
}

/// A word that was taken down.
#[derive(Serialize, ToSchema)]
struct Taken {
    /// The purpose.
    purpose: String,
    /// Whether it is on now.
    on: bool,
    /// The receipt, for `/v1/receipts/{id}`: it verifies offline.
    #[schema(example = "rct_019aab12c0007000800000000000000a")]
    receipt: String,
}

fn word(purpose: &str, word: consent::Word) -> Word {
    Word {
        purpose: purpose.to_owned(),
        state: word.state.as_str().to_owned(),
        at: moment(word.at),
        method: word.method,
        policy_version: word.policy_version,
        entry: word.entry.map(|id| id.to_string()),
    }
}

fn choice(choice: consent::Choice) -> Choice {
    let consent::Choice { purpose, label, text, needs_consent, on, last } = choice;
    let last = last.map(|w| word(&purpose, w));
    Choice { purpose, label, text, needs_consent, on, last }
}

/// How one stands to each purpose one has a say in
#[utoipa::path(get, path = "/v1/consents", tag = "consents",
    security(("token" = []), ("app-key" = ["rights"], "subject" = []), ("session" = [])),
    responses((status = 200, description = "The choices.", body = Choices)))]
async fn read(State(edge): State<Edge>, caller: UserCaller) -> Result<axum::Json<Choices>, Fault> {
    caller.allows(Scope::Rights)?;
    let choices = edge.app.consents.choices(&caller.owner).await?;
    Ok(axum::Json(Choices { items: choices.into_iter().map(choice).collect() }))
}

/// Turn a purpose on or off
///
/// Counts from the same second. Turning off what needs no consent is an objection (Art. 21 GDPR).
#[utoipa::path(put, path = "/v1/consents/{purpose}", tag = "consents", request_body = Switch,
    params(("purpose" = String, Path, example = "analytics")),
    security(("token" = []), ("app-key" = ["rights"], "subject" = []), ("session" = [])),
    responses((status = 200, description = "Taken down, with a receipt.", body = Taken),
        (status = 404, description = "The document has no such purpose.", body = Problem),
        (status = 409, description = "One has no say in this purpose.", body = Problem)))]
async fn set(
    State(edge): State<Edge>,
    caller: UserCaller,
    Named(purpose): Named<String>,
    body: Json<Switch>,
) -> Result<axum::Json<Taken>, Fault> {
    caller.allows(Scope::Rights)?;
    let on = body.value.on;
    let receipt = edge.app.requests.say(&caller.owner, &purpose, on, "api").await?;
    Ok(axum::Json(Taken { purpose, on, receipt: receipt.to_string() }))
}

/// Every word one gave
#[utoipa::path(get, path = "/v1/consents/history", tag = "consents",
    security(("token" = []), ("app-key" = ["rights"], "subject" = []), ("session" = [])),
    responses((status = 200, description = "The words, newest first.", body = Words)))]
async fn history(State(edge): State<Edge>, caller: UserCaller) -> Result<axum::Json<Words>, Fault> {
    caller.allows(Scope::Rights)?;
    let words = edge.app.consents.history(&caller.owner).await?;
    Ok(axum::Json(Words { items: words.into_iter().map(|(purpose, w)| word(&purpose, w)).collect() }))
}
