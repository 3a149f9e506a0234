//! Answers that several resources give: a page of a list, a file or a part of it, a problem of HTTP itself.

use std::ops::Range;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures_util::Stream;
use serde::Serialize;
use utoipa::ToSchema;

use crate::base::{Kind, Page, Timestamp};
use crate::edge::{Edge, Fault, Problem, RoomError, sentence, watched};

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Listing<T> {
    /// The rows.
    pub(super) items: Vec<T>,
    /// Where the next page begins: hand it back as `cursor`. Absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next: Option<String>,
}

impl<T> Listing<T> {
    /// A page of `list` as it is sent.
    pub(super) fn of<R>(edge: &Edge, list: &str, page: Page<R>, shape: impl FnMut(R) -> T) -> Self {
        let next = page.next.map(|place| edge.cursors.write(list, &place));
        Self { items: page.items.into_iter().map(shape).collect(), next }
    }
}

/// A moment as it is sent.
pub(super) fn moment(at: Timestamp) -> String {
    at.rfc3339()
}

/// A file to be handed out.
pub(super) struct File<'a> {
    /// Its media type.
    pub(super) media_type: &'a str,
    /// What it is called when it is kept.
    pub(super) name: &'a str,
    /// Its length.
    pub(super) len: u64,
    /// What changes when its bytes do, quoted.
    pub(super) etag: &'a str,
}

/// Which bytes of a file are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wanted {
    /// All of them.
    All,
    /// These.
    Part(Range<u64>),
}

impl Wanted {
    /// The range, if it is a part.
    pub(super) fn range(&self) -> Option<Range<u64>> {
        match self {
            Self::All => None,
            Self::Part(range) => Some(range.clone()),
        }
    }
}

impl File<'_> {
    /// What a request asks of this file (RFC 9110, 14.2). Several ranges, or what is none, is all of it; a range with
    /// nothing in it is an answer of its own.
    pub(super) fn wanted(&self, headers: &HeaderMap) -> Result<Wanted, Box<Response>> {
        let text = |name| headers.get(name).and_then(|v: &HeaderValue| v.to_str().ok());
        let changed = text(header::IF_RANGE).is_some_and(|tag| tag != self.etag);
        let Some(asked) = text(header::RANGE).filter(|_| !changed) else { return Ok(Wanted::All) };
        match range(asked, self.len) {
            Some(range) if range.start < range.end => Ok(Wanted::Part(range)),
            Some(_) => {
                let mut response = problem(StatusCode::RANGE_NOT_SATISFIABLE);
                set(response.headers_mut(), header::CONTENT_RANGE, &format!("bytes */{}", self.len));
                Err(Box::new(response))
            }
            None => Ok(Wanted::All),
        }
    }

    /// The answer that carries `bytes`, which are those that were wanted. Should they break off, the log says so.
    pub(super) fn carry<S, E>(&self, wanted: &Wanted, bytes: S) -> Response
    where
        S: Stream<Item = Result<Bytes, E>> + Send + 'static,
        E: RoomError + Into<axum::BoxError> + 'static,
    {
        self.head(wanted, Body::from_stream(watched(bytes)))
    }

    /// The answer with any body: for a question about a file that wants none of it.
    pub(super) fn head(&self, wanted: &Wanted, body: Body) -> Response {
        let mut response = Response::new(body);
        let headers = response.headers_mut();
        let len = match wanted {
            Wanted::All => self.len,
            Wanted::Part(part) => {
                let range = format!("bytes {}-{}/{}", part.start, part.end - 1, self.len);
                set(headers, header::CONTENT_RANGE, &range);
                part.end - part.start
            }
        };
        set(headers, header::CONTENT_TYPE, self.media_type);
        set(headers, header::CONTENT_LENGTH, &len.to_string());
        set(headers, header::ACCEPT_RANGES, "bytes");
        set(headers, header::ETAG, self.etag);
        set(headers, header::CONTENT_DISPOSITION, &format!("attachment; filename=\"{}\"", self.name));
        set(headers, header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox");
        if matches!(wanted, Wanted::Part(_)) {
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        }
        response
    }
}

/// Sets a header of our own making: one that cannot be one is left out.
fn set(headers: &mut HeaderMap, name: header::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// One range of bytes, cut to the length; empty when it lies beyond. `None` for what is not one range.
fn range(asked: &str, len: u64) -> Option<Range<u64>> {
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| text.parse::<u64>().unwrap_or(u64::MAX))
    };
    let (first, last) = asked.strip_prefix("bytes=")?.trim().split_once('-')?;
    if first.is_empty() {
        return number(last).map(|n| len.saturating_sub(n)..len);
    }
    let first = number(first)?;
    let end = if last.is_empty() { len } else { number(last)?.saturating_add(1) };
    if end <= first && first < len {
        return None;
    }
    let start = first.min(len);
    Some(start..end.min(len).max(start))
}

/// A problem that has a status and no kind: what is wrong with the request as HTTP.
pub(super) fn problem(status: StatusCode) -> Response {
    let (word, title) = match status {
        StatusCode::METHOD_NOT_ALLOWED => ("method-not-allowed", "This address does not take this method."),
        StatusCode::RANGE_NOT_SATISFIABLE => ("range", "There are no bytes in that range."),
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => ("headers-too-large", "The headers are too large."),
        StatusCode::NOT_FOUND => sentence(Kind::NotFound),
        s if s.is_server_error() => sentence(Kind::Internal),
        _ => sentence(Kind::Malformed),
    };
    let body = Problem {
        kind: format!("urn:vouchsafe:{word}"),
        title: title.to_owned(),
        status: status.as_u16(),
        detail: None,
        reference: None,
    };
    let bytes = serde_json::to_vec(&body).unwrap_or_default();
    let json = HeaderValue::from_static("application/problem+json");
    (status, [(header::CONTENT_TYPE, json)], bytes).into_response()
}

/// Refuses with a sentence about a value.
pub(super) fn invalid(why: &str) -> Fault {
    Fault::because(Kind::Invalid, why)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ranges_are_cut_to_the_file() {
        for (asked, expected) in [
            ("bytes=0-0", Some(0..1)),
            ("bytes=0-", Some(0..10)),
            ("bytes=3-100", Some(3..10)),
            ("bytes=-4", Some(6..10)),
            ("bytes=-100", Some(0..10)),
            ("bytes=-0", Some(10..10)),
            ("bytes=10-", Some(10..10)),
            ("bytes=99999999999999999999-", Some(10..10)),
            ("bytes=5-3", None),
            ("bytes=0-1,3-4", None),
            ("bytes=-", None),
            ("bytes=+1-2", None),
            ("items=0-1", None),
            ("bytes=a-b", None),
        ] {
            assert_eq!(range(asked, 10), expected, "{asked}");
        }
    }

    proptest! {
        #[test]
        fn a_range_lies_within_the_file(asked in "bytes=[0-9]{0,20}-[0-9]{0,20}", len in any::<u64>()) {
            if let Some(range) = range(&asked, len) {
                prop_assert!(range.start <= range.end && range.end <= len);
            }
        }
    }
}
