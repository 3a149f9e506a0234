//! `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): a call that is sent twice has its effect once, and its
//! second answer is the first.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::body::Bytes;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde::Serialize;

use super::{Edge, Fault};
use crate::base::{Entropy, Kind, TenantId, Timestamp};
use crate::crypto::{self, Key, Place};
use crate::store;
use crate::store::idempotency::{self, Call, Closing, Found};

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

fn place(call: &Call) -> Place {
    Place::new("idempotency")
        .with(call.tenant.as_str())
        .with(&call.caller)
        .with(call.route)
        .with(call.key_hash)
}

fn answer(status: u16, body: Vec<u8>) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let json = HeaderValue::from_static("application/json");
    (status, [(header::CONTENT_TYPE, json)], Bytes::from(body)).into_response()
}

/// How what was made is told: its status, and its JSON.
#[derive(Debug)]
pub struct Shape<M, T> {
    /// The status.
    pub status: StatusCode,
    /// What the JSON is of.
    pub of: fn(&M) -> T,
}

impl<M, T: Serialize> Shape<M, T> {
    fn json(&self, made: &M) -> Result<Vec<u8>, Fault> {
        serde_json::to_vec(&(self.of)(made)).map_err(|_| Fault::new(Kind::Internal))
    }
}

/// What is known of a call when it comes in.
enum Begun {
    /// It is to be run; when it was first begun, and whether that run was cut off.
    Now(Timestamp, bool),
    /// It was answered.
    Before(Response),
}

/// A call that is being run: what is needed to keep its answer.
struct Run {
    call: Call,
    seal: Key,
    names: Key,
}

impl Run {
    fn sealed(&self, body: &[u8], entropy: &Entropy) -> Vec<u8> {
        crypto::seal(&self.seal, &place(&self.call), body, entropy)
    }

    /// Bits of the call that was first begun at this time: of a call under the same key after the first is forgotten they
    /// are others.
    fn bits(&self, begun: Timestamp) -> [u8; 10] {
        let mac = crypto::mac(&self.names, place(&self.call).number(begun.micros()).as_bytes());
        let mut bits = [0; 10];
        bits.iter_mut().zip(mac).for_each(|(bit, of)| *bit = of);
        bits
    }
}

impl Edge {
    /// Does `work` once, and answers with what it made. Without a key, just does it. What was begun under a key is brought
    /// to its end whether or not the caller waits for it: who asks again is told what came of it.
    ///
    /// `work` is given what writes the answer in the transaction of its change; where it does, a process that is killed
    /// leaves both or neither.
    pub async fn once<M, T, W>(&self, once: Once<'_>, shape: Shape<M, T>, work: W) -> Result<Response, Fault>
    where
        M: Send + Sync + 'static,
        T: Serialize + 'static,
        W: FnOnce(Closing<M>) -> BoxFuture<'static, Result<M, Fault>> + Send + 'static,
    {
        let Some(key_hash) = once.key.0 else {
            let made = work(Closing::none()).await?;
            return Ok((shape.status, axum::Json((shape.of)(&made))).into_response());
        };
        let Once { tenant, caller, route, .. } = once;
        let (tenant, caller, owner) = (tenant.clone(), caller.to_owned(), self.app.entropy.bytes());
        let call = Call { tenant, caller, route, key_hash, owner };
        let keys = &self.app.keys;
        let run = Run { call, seal: keys.system("answers").await?, names: keys.system("call-names").await? };
        let (edge, hash) = (self.clone(), crypto::sha256(once.body));
        // From the mark to the answer in one go: a caller who hangs up in between must not leave the key taken.
        let running = self.running.spawn(async move {
            let (at, cut_off) = match edge.begin(&run, &hash).await? {
                Begun::Now(at, cut_off) => (at, cut_off.then_some(at)),
                Begun::Before(answered) => return Ok(answered),
            };
            let bits = run.bits(at);
            edge.run(run, shape, move |closing: Closing<M>| work(closing.after(cut_off).named(at, bits)))
                .await
        });
        running.await.map_err(|_| Fault::new(Kind::Internal))?
    }

    /// Marks a call as running, unless it has its answer already.
    async fn begin(&self, run: &Run, hash: &[u8]) -> Result<Begun, Fault> {
        let mut tx = self.app.db.begin().await?;
        let now = self.app.clock.now();
        let found = idempotency::begin(&mut tx, &run.call, hash, now).await?;
        tx.commit().await?;
        match found {
            Found::New => Ok(Begun::Now(now, false)),
            Found::CutOff(at) => Ok(Begun::Now(at, true)),
            Found::Running => Err(Fault::because(Kind::Conflict, "a call with this key is running")),
            Found::Different => Err(Fault::because(Kind::Invalid, "this key was used for another request")),
            Found::Answered(status, sealed) => {
                let body = crypto::open(&run.seal, &place(&run.call), &sealed);
                let body = body.map_err(|_| Fault::new(Kind::Internal))?;
                Ok(Begun::Before(answer(status, body.to_vec())))
            }
        }
    }

    async fn run<M, T, W>(&self, run: Run, shape: Shape<M, T>, work: W) -> Result<Response, Fault>
    where
        M: Send + Sync + 'static,
        T: Serialize + 'static,
        W: FnOnce(Closing<M>) -> BoxFuture<'static, Result<M, Fault>> + Send + 'static,
    {
        let (run, shape) = (Arc::new(run), Arc::new(shape));
        let status = shape.status.as_u16();
        let closing = {
            let (run, shape, entropy) = (Arc::clone(&run), Arc::clone(&shape), self.app.entropy.clone());
            Closing::new(run.call.clone(), move |made: &M| {
                let body = shape.json(made).map_err(|_| store::Error::inconsistent("idempotency", "body"))?;
                Ok((status, run.sealed(&body, &entropy)))
            })
        };
        let written = closing.written();
        // A panic is answered for here: the key must not stay taken.
        let done = match AssertUnwindSafe(work(closing)).catch_unwind().await {
            Ok(Ok(made)) => shape.json(&made),
            Ok(Err(fault)) => Err(fault),
            Err(_) => {
                tracing::error!(route = run.call.route, "a handler panicked");
                Err(Fault::new(Kind::Internal))
            }
        };
        if done.is_ok() && written.load(Ordering::Relaxed) {
            return done.map(|body| answer(status, body));
        }
        let mut tx = self.app.db.begin().await?;
        match &done {
            Ok(body) => {
                let sealed = run.sealed(body, &self.app.entropy);
                let ours = idempotency::finish(&mut tx, &run.call, status, &sealed).await?;
                if !ours {
                    tracing::warn!(
                        route = run.call.route,
                        "a call took so long that another run has its key"
                    );
                }
            }
            // A part of it may be done: whoever asks again goes on with that.
            Err(fault) if matches!(fault.kind, Kind::Unavailable | Kind::Full) => {
                idempotency::break_off(&mut tx, &run.call).await?;
            }
            Err(_) => idempotency::abandon(&mut tx, &run.call).await?,
        }
        tx.commit().await?;
        done.map(|body| answer(status, body))
    }

    /// Waits for the calls that were begun under a key and whose callers may be gone.
    pub async fn finish(&self) {
        self.running.close();
        self.running.wait().await;
    }
}
