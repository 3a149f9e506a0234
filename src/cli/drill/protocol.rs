//! An agent that speaks the Data Rights Protocol 1.0: written from the text of the protocol, with none of the code that
//! reads its messages.

use anyhow::Context as _;
use axum::body::Body;
use axum::http::Method;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};

use super::between::{ALONE, Between, Hears, text};
use super::case::{Case, Filed, path_in};
use super::claims::Claims;
use super::town::TENANT;
use super::visitor::{Reply, Visitor};
use crate::drp;

const NAME: &str = "Permission Slip";
const SITE: &str = "https://agent.example";

/// An agent with its key.
struct Agent<'a> {
    case: &'a Case<'a>,
    id: String,
    key: SigningKey,
}

impl Agent<'_> {
    /// What stands in every message.
    fn bounds(&self) -> Value {
        let now = self.case.app().clock.now();
        json!({
            "agent-id": self.id, "business-id": TENANT, "issued-at": now.rfc3339(),
            "expires-at": now.plus(TimeDelta::minutes(10)).rfc3339(), "drp.version": "1.0",
        })
    }

    /// Sends a message, signed: the signature, then what was signed, in base 64.
    async fn call(&self, path: &str, token: Option<&str>, message: &Value) -> anyhow::Result<Reply> {
        let json = message.to_string();
        let signature = self.key.sign(json.as_bytes()).to_bytes();
        let body = STANDARD.encode([&signature, json.as_bytes()].concat());
        let bearer = format!("Bearer {}", token.unwrap_or_default());
        let dress = [("content-type", "text/plain"), ("authorization", bearer.as_str())];
        let dress = dress.get(..if token.is_some() { 2 } else { 1 }).unwrap_or_default();
        let path = format!("/drp/{TENANT}/v1{path}");
        Visitor::new(self.case.routes).call(Method::POST, &path, dress, Body::from(body)).await
    }
}

/// Has an agent entered, which pairs and asks, and says yes as the person, signed in by a letter.
pub(super) async fn by_protocol(
    case: &Case<'_>,
    visitor: &mut Visitor,
    claims: &mut Claims,
) -> anyhow::Result<Filed> {
    let exercise = drp::exercise_of(case.right).context("the protocol does not know this right")?;
    let key = SigningKey::from_bytes(&case.app().entropy.bytes::<32>());
    let agent = Agent { case, id: format!("slip{}", case.town.step), key };
    let public = STANDARD.encode(agent.key.verifying_key().as_bytes());
    case.app().drp.add_agent(case.tenant(), (&agent.id, NAME), &public, SITE).await?;
    let paired = agent.call(&format!("/agent/{}", agent.id), None, &agent.bounds()).await?.json()?;
    let token = text(&paired, "token")?;
    let mut message = agent.bounds();
    if let Some(message) = message.as_object_mut() {
        message.insert("exercise".to_owned(), json!(exercise));
        message.insert("email".to_owned(), json!(case.email()));
        message.insert("regime".to_owned(), json!("voluntary"));
        message.insert("agent-request-id".to_owned(), json!(format!("case-{}", case.town.step)));
    }
    let told = agent.call("/data-rights-request", Some(token), &message).await?.json()?;
    anyhow::ensure!(text(&told, "reason")? == "need_user_verification", "not asked to confirm: {told}");
    claims.look(ALONE, case.untouched().await?, || format!("{}, over DRP 1.0", case.right));
    let (id, url) = (text(&told, "request_id")?, text(&told, "user_verification_url")?);
    let page = path_in(url, &format!("/{TENANT}/")).context("the address to confirm at is not ours")?;
    let said = visitor.send(&format!("{page}?request_id={id}"), &page, &[("sure", "yes")]).await?;
    anyhow::ensure!(said.status.is_redirection(), "a yes is not taken: {}", said.status);
    let reference = said.leads_to().rsplit('/').next().unwrap_or_default();
    let request = case.numbered(reference).await?;
    let between = Some(Between::holding(token, Hears::Protocol(id.to_owned())));
    Ok(Filed { request, between })
}
