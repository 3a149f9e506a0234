//! The one way out over HTTP.
//!
//! Promises: a call goes only to a host on its recipient's list; only to a public address, judged on the address that
//! is dialled (to loopback, or into the operator's own network, only where the operator configured a base URL there);
//! no redirect is followed, no proxy taken from the environment, no request repeated; bytes and time are capped; each
//! call leaves a record without ids, queries or content. Must never: put a URL, header or body into an error, a `Debug` or a log line.

mod address;
mod allow;
mod call;
mod error;
mod names;

use std::collections::BTreeMap;
use std::error::Error as _;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use reqwest::Client;

pub use address::is_public;
pub use allow::Recipient;
pub use call::{Call, CallLog, CallRecord, Incoming, Reply};
pub use error::EgressError;
pub use names::Names;
pub use reqwest::Method;
pub use reqwest::header::HeaderMap;
pub use url::Url;

use crate::base::{Clock, Timestamp};
use call::Entry;
use names::{Guarded, OutOfReach, Reach};

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(10);
/// How long an answer may fall silent between two pieces.
const SILENCE: Duration = Duration::from_secs(75);
/// The most an answer's headers may take over HTTP/2 (HTTP/1 is capped by the client at about 400 KiB and 100 lines).
const HEADERS: u32 = 64 * 1024;

/// The outbound client. Cheap to clone.
#[derive(Clone)]
pub struct Egress(Arc<Inner>);

struct Inner {
    recipients: BTreeMap<String, Recipient>,
    public: Client,
    loopback: Client,
    inside: Client,
    clock: Clock,
}

impl Egress {
    /// A client that may call these recipients, of which each name should stand once (the last one counts).
    pub fn new(recipients: Vec<Recipient>, names: &Names, clock: Clock) -> Result<Self, EgressError> {
        // A second installation answers with an error, which is what a second `Egress` wants to hear.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = |reach| client(Guarded { names: names.clone(), reach });
        Ok(Self(Arc::new(Inner {
            recipients: recipients.into_iter().map(|r| (r.name().to_owned(), r)).collect(),
            public: client(Reach::Public)?,
            loopback: client(Reach::Loopback)?,
            inside: client(Reach::Inside)?,
            clock,
        })))
    }

    /// Makes a call and takes in the whole answer.
    pub async fn send(&self, call: Call, log: &CallLog) -> Result<Reply, EgressError> {
        let mut incoming = self.open(call, log).await?;
        let mut body = BytesMut::new();
        while let Some(piece) = incoming.chunk().await? {
            body.extend_from_slice(&piece);
        }
        let headers = incoming.headers().clone();
        Ok(Reply { status: incoming.status(), headers, body: body.freeze() })
    }

    /// Makes a call and gives the answer as it comes in. A declared length above the limit fails at once.
    pub async fn open(&self, call: Call, log: &CallLog) -> Result<Incoming, EgressError> {
        let mut entry = self.entry(&call, log);
        match self.attempt(call).await {
            Ok((response, at_most)) => {
                entry.record.status = Some(response.status().as_u16());
                if response.content_length().is_some_and(|n| n > at_most) {
                    return Err(entry.fail(EgressError::TooLarge));
                }
                // Stands until the body's end is seen.
                entry.record.failure = Some("dropped");
                Ok(Incoming { response, left: at_most, entry })
            }
            Err(e) => Err(entry.fail(e)),
        }
    }

    /// Whether `url` may be called for `recipient`, as far as can be said without a look-up.
    pub fn check(&self, recipient: &str, url: &Url) -> Result<(), EgressError> {
        self.0.recipients.get(recipient).ok_or(EgressError::UnknownRecipient)?.check(url).map(|_| ())
    }

    async fn attempt(&self, call: Call) -> Result<(reqwest::Response, u64), EgressError> {
        if call.broken {
            return Err(EgressError::Build);
        }
        let recipient = self.0.recipients.get(&call.recipient).ok_or(EgressError::UnknownRecipient)?;
        let client = match recipient.check(&call.url)? {
            Reach::Public => &self.0.public,
            Reach::Loopback => &self.0.loopback,
            Reach::Inside => &self.0.inside,
        };
        let request =
            client.request(call.method, call.url).headers(call.headers).timeout(call.within).body(call.body);
        let response = request.send().await.map_err(|e| before_the_head(&e))?;
        Ok((response, call.at_most))
    }

    fn entry(&self, call: &Call, log: &CallLog) -> Entry {
        let record = CallRecord {
            recipient: call.recipient.clone(),
            method: call.method.to_string(),
            host: call.url.host_str().unwrap_or_default().to_owned(),
            path: call.path,
            at: self.now(),
            millis: 0,
            status: None,
            failure: None,
            sent: call.body.len() as u64,
            received: 0,
        };
        Entry { record, log: log.clone(), clock: self.0.clock.clone() }
    }

    fn now(&self) -> Timestamp {
        self.0.clock.now()
    }
}

impl fmt::Debug for Egress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Egress").field(&self.0.recipients.keys().collect::<Vec<_>>()).finish()
    }
}

#[expect(clippy::disallowed_methods, reason = "the guarded client is made here and nowhere else")]
fn client(resolver: Guarded) -> Result<Client, EgressError> {
    Client::builder()
        .https_only(resolver.reach != Reach::Loopback)
        .dns_resolver(Arc::new(resolver))
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        // A proxy would dial in our stead, past the address check.
        .no_proxy()
        .referer(false)
        .user_agent("vouchsafe")
        .connect_timeout(CONNECT)
        .read_timeout(SILENCE)
        .http2_max_header_list_size(HEADERS)
        .build()
        .map_err(|_| EgressError::Build)
}

fn before_the_head(error: &reqwest::Error) -> EgressError {
    let mut cause = error.source();
    while let Some(e) = cause {
        if e.is::<OutOfReach>() {
            return EgressError::PrivateAddress;
        }
        cause = e.source();
    }
    if error.is_connect() {
        EgressError::NoConnection
    } else if error.is_timeout() {
        EgressError::TimedOut
    } else if error.is_builder() {
        EgressError::Build
    } else {
        EgressError::Interrupted
    }
}
