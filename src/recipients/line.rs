//! The line to one recipient: what is repeated, and what an answer's status means for every call alike.

use std::time::Duration;

use serde::de::DeserializeOwned;

use super::RecipientError;
use crate::egress::{Call, CallLog, Egress, Method, Reply, Url};

/// How often a call that changes nothing is tried.
const TRIES: u32 = 3;
/// The longest wait that a recipient may ask of us, in seconds.
const LONGEST_WAIT: u64 = 3600;
/// The most bytes of one answer: a page of a hundred of the largest things there are.
const MOST: u64 = 32 << 20;

#[derive(Debug)]
pub(super) struct Line {
    egress: Egress,
    recipient: &'static str,
    pause: Duration,
}

impl Line {
    /// `pause` is the wait before the first repetition; it doubles.
    pub(super) fn new(egress: Egress, recipient: &'static str, pause: Duration) -> Self {
        Self { egress, recipient, pause }
    }

    pub(super) fn call(&self, method: Method, url: Url, path: &'static str) -> Call {
        Call::new(self.recipient, method, url, path).at_most(MOST)
    }

    /// Makes a call once.
    pub(super) async fn once(&self, call: Call, log: &CallLog) -> Result<Reply, RecipientError> {
        let reply = self.egress.send(call, log).await?;
        match reply.status {
            401 => Err(RecipientError::Unauthorised),
            429 => {
                let asked = reply.header("retry-after").and_then(|v| v.trim().parse().ok()).unwrap_or(2);
                Err(RecipientError::Busy { after: Duration::from_secs(u64::min(asked, LONGEST_WAIT)) })
            }
            300..=399 => Err(RecipientError::Garbled("redirect")),
            500.. => Err(RecipientError::Unavailable),
            _ => Ok(reply),
        }
    }

    /// Makes a call that changes nothing, up to three times.
    pub(super) async fn look(&self, make: impl Fn() -> Call, log: &CallLog) -> Result<Reply, RecipientError> {
        let mut turn = 1;
        loop {
            match self.once(make(), log).await {
                Err(RecipientError::Unavailable | RecipientError::Lost) if turn < TRIES => {
                    tokio::time::sleep(self.pause * (1 << turn)).await;
                    turn += 1;
                }
                Err(RecipientError::Lost) => return Err(RecipientError::Unavailable),
                other => return other,
            }
        }
    }
}

/// Reads an answer's body; the word names it in the error.
pub(super) fn read<T: DeserializeOwned>(reply: &Reply, what: &'static str) -> Result<T, RecipientError> {
    serde_json::from_slice(&reply.body).map_err(|_| RecipientError::Garbled(what))
}

/// `base` and path segments below it, each escaped.
pub(super) fn join(base: &Url, segments: &[&str]) -> Url {
    let mut url = base.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(segments);
    }
    url
}
