//! One provider's line: egress behind the breaker, and what may be repeated.

use std::time::Duration;

use serde::de::DeserializeOwned;

use super::gate::Gate;
use super::model::{Place, place, sniff};
use super::{Handle, Picture, ProviderError};
use crate::base::{Clock, Entropy, Timestamp};
use crate::egress::{Call, CallLog, Egress, EgressError, Method, Reply, Url};

/// How often a call that changes nothing is tried.
const TRIES: u32 = 3;
/// How long a call beside the queue may take: to a host of results, or of keys.
const ASIDE: Duration = Duration::from_secs(30);
/// The longest wait that a provider may ask of us.
const LONGEST_WAIT: u64 = 3600;

/// What is wanted of a result.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    /// How many pictures that are of use.
    pub(super) most: usize,
    /// The most bytes of each.
    pub(super) at_most: u64,
}

/// The line to one provider.
#[derive(Debug)]
pub(super) struct Line {
    egress: Egress,
    gate: Gate,
    entropy: Entropy,
    recipient: String,
    pause: Duration,
}

impl Line {
    /// `pause` is the wait before the first repetition; it doubles, with jitter.
    pub(super) fn new(
        egress: Egress,
        clock: Clock,
        entropy: Entropy,
        recipient: &str,
        pause: Duration,
    ) -> Self {
        Self { egress, gate: Gate::new(clock), entropy, recipient: recipient.to_owned(), pause }
    }

    /// Until when no job is put to the provider, if so.
    pub(super) fn rests_until(&self) -> Option<Timestamp> {
        self.gate.rests_until()
    }

    /// Takes note of how a job fared that was put: while the provider has no time, none is put to it.
    pub(super) fn noted<T>(&self, outcome: Result<T, ProviderError>) -> Result<T, ProviderError> {
        match outcome {
            Ok(_) => self.gate.taken(),
            Err(ProviderError::Busy { after }) => {
                self.gate.refused(after, u16::from_be_bytes(self.entropy.bytes()));
            }
            Err(_) => {}
        }
        outcome
    }

    /// A call on this line.
    pub(super) fn call(&self, method: Method, url: Url, path: &'static str) -> Call {
        Call::new(&self.recipient, method, url, path)
    }

    /// Makes a call once. A lost answer is [`ProviderError::Unknown`]; 401 and 429 are told apart; every other status
    /// is the caller's to read.
    pub(super) async fn once(&self, call: Call, log: &CallLog) -> Result<Reply, ProviderError> {
        let permit = self.gate.enter().map_err(|until| ProviderError::Resting { until })?;
        match self.egress.send(call, log).await {
            Ok(reply) => {
                if is_sick(&reply) {
                    permit.failed();
                } else if reply.status != 429 {
                    permit.healthy();
                }
                plain(reply)
            }
            Err(e) => {
                // A refusal of our own, or a picture that is too large, says nothing of the provider's health.
                if matches!(e, EgressError::NoConnection | EgressError::TimedOut | EgressError::Interrupted) {
                    permit.failed();
                }
                Err(from_egress(e))
            }
        }
    }

    /// Makes a call that may be repeated without harm, up to three times while the retry budget lasts.
    pub(super) async fn repeat(
        &self,
        make: impl Fn() -> Call,
        log: &CallLog,
    ) -> Result<Reply, ProviderError> {
        let mut turn = 1;
        loop {
            let outcome = match self.once(make(), log).await {
                Ok(reply) if is_sick(&reply) => Err(ProviderError::Unavailable),
                Err(ProviderError::Unknown) => Err(ProviderError::Unavailable),
                other => other,
            };
            let again = matches!(outcome, Err(ProviderError::Unavailable));
            if !again || turn >= TRIES || !self.gate.may_retry() {
                return outcome;
            }
            let jitter = f64::from(u32::from_be_bytes(self.entropy.bytes())) / f64::from(u32::MAX);
            tokio::time::sleep(self.pause.mul_f64(f64::from(1_u32 << turn) * jitter)).await;
            turn += 1;
        }
    }

    /// Makes a call that may be repeated without harm, once, and past the breaker: a host that stands beside the queue
    /// says nothing of the queue's health, and the queue's nothing of its.
    pub(super) async fn aside(&self, call: Call, log: &CallLog) -> Result<Reply, ProviderError> {
        match self.egress.send(call.within(ASIDE), log).await.map_err(from_egress) {
            Ok(reply) => plain(reply),
            Err(ProviderError::Unknown) => Err(ProviderError::Unavailable),
            Err(e) => Err(e),
        }
    }

    /// Whether a result's link leads to where a result may be fetched.
    pub(super) fn may_call(&self, url: &Url) -> bool {
        self.egress.check(&self.recipient, url).is_ok()
    }

    /// Takes in the results that an answer names, each `(where, flagged)`: as many as are wanted. Where they lie is noted in
    /// `handle` before any is fetched, for what cannot be fetched must be erased all the same; a link to anywhere else is
    /// neither noted nor called. What is wrong with one does not spoil the others.
    pub(super) async fn pictures(
        &self,
        results: &[(&str, bool)],
        handle: &mut Handle,
        Wanted { most, at_most }: Wanted,
        log: &CallLog,
    ) -> Result<(Vec<Picture>, Option<ProviderError>), ProviderError> {
        let places: Vec<_> = results.iter().map(|(url, flagged)| (place(url, at_most), *flagged)).collect();
        for link in
            places.iter().filter_map(|(p, _)| if let Ok(Place::At(link)) = p { Some(link) } else { None })
        {
            if self.may_call(link) && !handle.outputs.contains(link) {
                handle.outputs.push(link.clone());
            }
        }
        let (mut pictures, mut missing) = (Vec::<Picture>::new(), None);
        for (place, flagged) in places {
            if pictures.iter().filter(|p| !p.flagged).count() >= most {
                break;
            }
            let picture = match place {
                Ok(Place::Inline(bytes)) => inline(bytes),
                Ok(Place::At(link)) => self.picture(&link, at_most, log).await,
                Err(e) => Err(e),
            };
            match picture {
                Ok(picture) => pictures.push(Picture { flagged, ..picture }),
                // What may yet be had counts for more than what cannot be.
                Err(e) if e.is_passing() || missing.is_none() => missing = Some(e),
                Err(_) => {}
            }
        }
        match missing {
            Some(e) if pictures.is_empty() => Err(e),
            missing => Ok((pictures, missing)),
        }
    }

    /// Fetches a result picture, once. No key goes with it. The type is told from the bytes; anything that is not a picture
    /// (a page of HTML, nothing at all, more than `at_most` bytes) is refused.
    async fn picture(&self, url: &Url, at_most: u64, log: &CallLog) -> Result<Picture, ProviderError> {
        if !self.may_call(url) {
            return Err(ProviderError::Garbled("result link"));
        }
        let call = self.call(Method::GET, url.clone(), "/{result}").at_most(at_most);
        let reply = self.aside(call, log).await?;
        match reply.status {
            200 => {
                let format = sniff(&reply.body).ok_or(ProviderError::Garbled("result picture"))?;
                Ok(Picture { format, bytes: reply.body, flagged: false })
            }
            403 | 404 | 410 => Err(ProviderError::Gone),
            500.. => Err(ProviderError::Unavailable),
            _ => Err(ProviderError::Garbled("result status")),
        }
    }

    /// Whether a result's link still gives anything; `None` if that cannot be found out now. Reads no body.
    pub(super) async fn answers(&self, url: &Url, log: &CallLog) -> Option<bool> {
        let call = self.call(Method::GET, url.clone(), "/{result}").at_most(u64::MAX).within(ASIDE);
        match self.egress.open(call, log).await.ok()?.status() {
            200..300 => Some(true),
            403 | 404 | 410 => Some(false),
            _ => None,
        }
    }
}

fn inline(bytes: Vec<u8>) -> Result<Picture, ProviderError> {
    let format = sniff(&bytes).ok_or(ProviderError::Garbled("result picture"))?;
    Ok(Picture { format, bytes: bytes.into(), flagged: false })
}

fn plain(reply: Reply) -> Result<Reply, ProviderError> {
    match reply.status {
        401 => Err(ProviderError::Unauthorised),
        429 => {
            let asked = reply.header("retry-after").and_then(|v| v.trim().parse().ok());
            let after = asked.map(|asked: u64| Duration::from_secs(asked.min(LONGEST_WAIT)));
            Err(ProviderError::Busy { after })
        }
        300..=399 => Err(ProviderError::Garbled("redirect")),
        _ => Ok(reply),
    }
}

fn from_egress(error: EgressError) -> ProviderError {
    match error {
        EgressError::NoConnection => ProviderError::Unavailable,
        EgressError::TooLarge => ProviderError::Garbled("size"),
        EgressError::Build => ProviderError::Invalid("the request cannot be put together"),
        EgressError::TimedOut | EgressError::Interrupted => ProviderError::Unknown,
        EgressError::UnknownRecipient
        | EgressError::BadUrl
        | EgressError::NotAllowed
        | EgressError::PrivateAddress => ProviderError::Garbled("address"),
    }
}

/// A 5xx, unless it is a job's own: FAL.AI replays those from the result's place, with their type declared.
fn is_sick(reply: &Reply) -> bool {
    let declared = || {
        let body: serde_json::Value = serde_json::from_slice(&reply.body).unwrap_or_default();
        body.get("error_type").is_some_and(serde_json::Value::is_string)
            || body.get("detail").is_some_and(serde_json::Value::is_array)
    };
    reply.status >= 500 && !declared()
}

/// Reads an answer's body; the word names it in the error.
pub(super) fn read<T: DeserializeOwned>(reply: &Reply, what: &'static str) -> Result<T, ProviderError> {
    serde_json::from_slice(&reply.body).map_err(|_| ProviderError::Garbled(what))
}
