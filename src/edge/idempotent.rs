//! `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): a call that is sent twice has its effect once, and its
//! second answer is the first.

use std::future::Future;

use axum::body::Bytes;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::Serialize;

use super::{Edge, Fault};
use crate::base::{Kind, TenantId};
use crate::crypto::{self, Place};
use crate::store::idempotency::{self, Call, Found};

/// The key of a call, if it has one: 1 to 255 printable ASCII characters.
#[derive(Debug, Clone)]
pub struct Idempotent(Option<[u8; 32]>);

impl FromRequestParts<Edge> for Idempotent {
    type Rejection = Fault;
    async fn from_request_parts(parts: &mut Parts, _edge: &Edge) -> Result<Self, Fault> {
        let mut all = parts.headers.get_all("idempotency-key").iter();
        let Some(value) = all.next() else { return Ok(Self(None)) };
        let text = value.to_str().unwrap_or_default();
        let sound = (1..=255).contains(&text.len()) && text.bytes().all(|b| (0x21..=0x7e).contains(&b));
        if !sound || all.next().is_some() {
            let why = "Idempotency-Key is one key of 1 to 255 printable characters without spaces";
            return Err(Fault::because(Kind::Invalid, why));
        }
        Ok(Self(Some(crypto::sha256(text.as_bytes()))))
    }
}

/// A call that shall have its effect once.
#[derive(Debug)]
pub struct Once<'a> {
    /// The tenant.
    pub tenant: &'a TenantId,
    /// Whose call.
    pub caller: &'a str,
    /// Method and route template.
    pub route: &'static str,
    /// Its key.
    pub key: &'a Idempotent,
    /// What was sent: another request under the same key is refused.
    pub body: &'a [u8],
}

fn place(call: &Call<'_>) -> Place {
    Place::new("idempotency")
        .with(call.tenant.as_str())
        .with(call.caller)
        .with(call.route)
        .with(call.key_hash)
}

fn answer(status: u16, body: Vec<u8>) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let json = HeaderValue::from_static("application/json");
    (status, [(header::CONTENT_TYPE, json)], Bytes::from(body)).into_response()
}

impl Edge {
    /// Does `work` once, and answers its JSON with `status`. Without a key, just does it.
    pub async fn once<T, F>(&self, once: Once<'_>, status: StatusCode, work: F) -> Result<Response, Fault>
    where
        T: Serialize,
        F: Future<Output = Result<T, Fault>>,
    {
        let Some(key_hash) = &once.key.0 else {
            return Ok((status, axum::Json(work.await?)).into_response());
        };
        let call = Call { tenant: once.tenant, caller: once.caller, route: once.route, key_hash };
        let seal = self.app.keys.system("answers").await?;
        let found = {
            let mut tx = self.app.db.begin().await?;
            let hash = crypto::sha256(once.body);
            let found = idempotency::begin(&mut tx, &call, &hash, self.app.clock.now()).await?;
            tx.commit().await?;
            found
        };
        match found {
            Found::New => {}
            Found::Running => return Err(Fault::because(Kind::Conflict, "a call with this key is running")),
            Found::Different => {
                return Err(Fault::because(Kind::Invalid, "this key was used for another request"));
            }
            Found::Answered(status, sealed) => {
                let body =
                    crypto::open(&seal, &place(&call), &sealed).map_err(|_| Fault::new(Kind::Internal))?;
                return Ok(answer(status, body.to_vec()));
            }
        }
        let done = work.await;
        let mut tx = self.app.db.begin().await?;
        match done {
            Ok(value) => {
                let body = serde_json::to_vec(&value).map_err(|_| Fault::new(Kind::Internal))?;
                let sealed = crypto::seal(&seal, &place(&call), &body, &self.app.entropy);
                idempotency::finish(&mut tx, &call, status.as_u16(), &sealed).await?;
                tx.commit().await?;
                Ok(answer(status.as_u16(), body))
            }
            Err(fault) => {
                idempotency::abandon(&mut tx, &call).await?;
                tx.commit().await?;
                Err(fault)
            }
        }
    }
}
