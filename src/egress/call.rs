//! One outbound call, and the record that it leaves.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde::Serialize;
use url::Url;

use super::EgressError;
use crate::base::{Secret, Timestamp};

/// A call to be made. Its `Debug` shows neither headers, query, path nor body.
pub struct Call {
    pub(super) recipient: String,
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) path: &'static str,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    pub(super) within: Duration,
    pub(super) at_most: u64,
    pub(super) broken: bool,
}

impl Call {
    /// A call to `recipient`. `path` is the pattern that records show in place of the URL's own path, such as
    /// `/predictions/{id}`: ids and queries never reach a record. Unless said otherwise the answer may take 30 seconds
    /// and have 1 MiB.
    pub fn new(recipient: &str, method: Method, url: Url, path: &'static str) -> Self {
        Self {
            recipient: recipient.to_owned(),
            method,
            url,
            path,
            headers: HeaderMap::new(),
            body: Bytes::new(),
            within: Duration::from_secs(30),
            at_most: 1 << 20,
            broken: false,
        }
    }

    /// Adds a header; a value that no header can carry makes the call fail with [`EgressError::Build`].
    #[must_use]
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        match (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value)) {
            (Ok(name), Ok(value)) => {
                self.headers.append(name, value);
            }
            _ => self.broken = true,
        }
        self
    }

    /// Adds `Authorization: <scheme> <key>`, marked so that nothing prints or indexes it.
    #[must_use]
    pub fn authorization(mut self, scheme: &str, key: &Secret<String>) -> Self {
        match HeaderValue::from_str(&format!("{scheme} {}", key.expose())) {
            Ok(mut value) => {
                value.set_sensitive(true);
                self.headers.insert(reqwest::header::AUTHORIZATION, value);
            }
            Err(_) => self.broken = true,
        }
        self
    }

    /// Adds a header that holds a secret, marked so that nothing prints or indexes it.
    #[must_use]
    pub fn secret_header(mut self, name: &'static str, secret: &Secret<String>) -> Self {
        match (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(secret.expose())) {
            (Ok(name), Ok(mut value)) => {
                value.set_sensitive(true);
                self.headers.insert(name, value);
            }
            _ => self.broken = true,
        }
        self
    }

    /// Sets the body and its content type.
    #[must_use]
    pub fn body(self, content_type: &str, body: impl Into<Bytes>) -> Self {
        let mut call = self.header("content-type", content_type);
        call.body = body.into();
        call
    }

    /// Sets a JSON body.
    #[must_use]
    pub fn json<T: Serialize>(self, value: &T) -> Self {
        match serde_json::to_vec(value) {
            Ok(bytes) => self.body("application/json", bytes),
            Err(_) => Self { broken: true, ..self },
        }
    }

    /// The longest the whole call may take, from the first look-up to the last byte.
    #[must_use]
    pub fn within(mut self, limit: Duration) -> Self {
        self.within = limit;
        self
    }

    /// The most bytes the answer's body may have.
    #[must_use]
    pub fn at_most(mut self, bytes: u64) -> Self {
        self.at_most = bytes;
        self
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Call({} {} {})", self.recipient, self.method, self.path)
    }
}

/// What is kept of one call, for the ledger and the register of disclosures: no id, no query, no content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CallRecord {
    /// The recipient's registered name.
    pub recipient: String,
    /// HTTP method.
    pub method: String,
    /// The host called.
    pub host: String,
    /// The pattern of the path.
    pub path: &'static str,
    /// When the call began.
    pub at: Timestamp,
    /// How long it took, in milliseconds.
    pub millis: i64,
    /// The status of the answer, if one came.
    pub status: Option<u16>,
    /// Why it failed, if it did: a word of [`EgressError::word`], or `dropped` when the rest was not wanted.
    pub failure: Option<&'static str>,
    /// Bytes of the body sent.
    pub sent: u64,
    /// Bytes of the body received.
    pub received: u64,
}

/// The list that the calls of one piece of work are recorded in. Cheap to clone; clones share the list.
#[derive(Debug, Clone, Default)]
pub struct CallLog(Arc<Mutex<Vec<CallRecord>>>);

impl CallLog {
    /// An empty list.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the records out.
    pub fn take(&self) -> Vec<CallRecord> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn push(&self, record: CallRecord) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(record);
    }
}

/// A whole answer.
pub struct Reply {
    /// The status code. A redirect is given as it is: none is ever followed.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Reply {
    /// A header as text, if it is there and readable.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|v| v.to_str().ok())
    }

    /// True for 200 to 299.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Reply({}, {} bytes)", self.status, self.body.len())
    }
}

/// An answer whose body is still on its way. Its record is written when it is dropped.
pub struct Incoming {
    pub(super) response: reqwest::Response,
    pub(super) left: u64,
    pub(super) entry: Entry,
}

impl Incoming {
    /// The status code.
    pub fn status(&self) -> u16 {
        self.response.status().as_u16()
    }

    /// The headers.
    pub fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    /// The next piece of the body; `None` at its end. Fails as soon as the limit is passed.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, EgressError> {
        match self.response.chunk().await {
            Ok(Some(piece)) => {
                let size = piece.len() as u64;
                self.entry.record.received += size;
                self.left =
                    self.left.checked_sub(size).ok_or_else(|| self.entry.fail(EgressError::TooLarge))?;
                Ok(Some(piece))
            }
            Ok(None) => {
                self.entry.record.failure = None;
                Ok(None)
            }
            Err(e) => Err(self.entry.fail(after_the_head(&e))),
        }
    }
}

impl fmt::Debug for Incoming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Incoming({})", self.status())
    }
}

fn after_the_head(error: &reqwest::Error) -> EgressError {
    if error.is_timeout() { EgressError::TimedOut } else { EgressError::Interrupted }
}

/// A record in the making; written to its log on drop, whatever became of the call.
pub(super) struct Entry {
    pub(super) record: CallRecord,
    pub(super) log: CallLog,
    pub(super) clock: crate::base::Clock,
}

impl Entry {
    pub(super) fn fail(&mut self, error: EgressError) -> EgressError {
        self.record.failure = Some(error.word());
        error
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.record.millis = self.clock.now().since(self.record.at).num_milliseconds();
        self.log.push(self.record.clone());
    }
}
