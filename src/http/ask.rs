//! What callers send, read strictly: what is unknown, twice there, or not quite what it should be is refused with a
//! sentence, never guessed at.

use std::fmt;
use std::str::FromStr;

use axum::RequestPartsExt as _;
use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use bytes::Bytes;
use serde::de::{DeserializeOwned, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::base::{Kind, PageSize};
use crate::edge::{Cursor, Edge, Fault};

/// Most bytes of a JSON body.
const MOST_JSON: usize = 64 * 1024;

/// What the path names: an id, a tenant, a purpose. What cannot be one is not there, like one that nobody has.
pub(super) struct Named<T>(pub(super) T);

impl<T: FromStr> FromRequestParts<Edge> for Named<T> {
    type Rejection = Fault;
    async fn from_request_parts(parts: &mut Parts, _edge: &Edge) -> Result<Self, Fault> {
        let found = parts.extract::<Path<String>>().await.ok().and_then(|Path(text)| text.parse().ok());
        found.map(Self).ok_or_else(|| Fault::new(Kind::NotFound))
    }
}

/// The query. A parameter that is unknown, or there twice, is refused.
pub(super) struct Query<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequestParts<Edge> for Query<T> {
    type Rejection = Fault;
    async fn from_request_parts(parts: &mut Parts, _edge: &Edge) -> Result<Self, Fault> {
        let mut names = std::collections::BTreeSet::new();
        for (name, _) in url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes()) {
            if !names.insert(name) {
                return Err(Fault::because(Kind::Malformed, "a query parameter is there twice"));
            }
        }
        let why = "a query parameter is unknown here, or its value is none that it takes";
        let read = axum::extract::Query::<T>::try_from_uri(&parts.uri);
        read.map(|query| Self(query.0)).map_err(|_| Fault::because(Kind::Invalid, why))
    }
}

/// Which page of a list.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Paging {
    cursor: Option<String>,
    limit: Option<u32>,
}

impl Paging {
    pub(super) fn new(cursor: Option<String>, limit: Option<u32>) -> Self {
        Self { cursor, limit }
    }

    /// The place in `list` where the page begins, and its size.
    pub(super) fn of(&self, edge: &Edge, list: &str) -> Result<(Option<String>, PageSize), Fault> {
        let place = self.cursor.as_deref().map(|c| edge.cursors.read(list, c)).transpose()?;
        Ok((place, Cursor::size(self.limit)?))
    }
}

/// A JSON body, and its bytes as they came.
pub(super) struct Json<T> {
    pub(super) value: T,
    pub(super) raw: Bytes,
}

impl<T: DeserializeOwned> FromRequest<Edge> for Json<T> {
    type Rejection = Fault;
    async fn from_request(request: Request, _edge: &Edge) -> Result<Self, Fault> {
        let (parts, body) = request.into_parts();
        if media_type(&parts.headers) != Some("application/json") || is_encoded(&parts.headers) {
            return Err(Fault::because(Kind::Unsupported, "send application/json, not compressed"));
        }
        let raw = read(&parts.headers, body, MOST_JSON).await?;
        Ok(Self { value: strict(&raw)?, raw })
    }
}

/// An image's bytes, all of them, within `most`.
pub(super) async fn picture(headers: &HeaderMap, body: Body, most: usize) -> Result<Bytes, Fault> {
    let fits = matches!(
        media_type(headers),
        Some("image/jpeg" | "image/png" | "image/webp" | "application/octet-stream")
    );
    if !fits || is_encoded(headers) {
        let why = "send the picture itself as the body: image/jpeg, image/png or image/webp, not compressed";
        return Err(Fault::because(Kind::Unsupported, why));
    }
    read(headers, body, most).await
}

/// A letter's bytes, all of them, within `most`.
pub(super) async fn letter(headers: &HeaderMap, body: Body, most: usize) -> Result<Bytes, Fault> {
    if media_type(headers) != Some("message/rfc822") || is_encoded(headers) {
        let why = "send the letter itself as the body: message/rfc822, not compressed";
        return Err(Fault::because(Kind::Unsupported, why));
    }
    read(headers, body, most).await
}

fn media_type(headers: &HeaderMap) -> Option<&str> {
    let mut all = headers.get_all(header::CONTENT_TYPE).iter();
    let value = all.next()?.to_str().ok()?;
    if all.next().is_some() {
        return None;
    }
    value.split(';').next().map(str::trim)
}

fn is_encoded(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_ENCODING).is_some_and(|e| !e.as_bytes().eq_ignore_ascii_case(b"identity"))
}

async fn read(headers: &HeaderMap, body: Body, most: usize) -> Result<Bytes, Fault> {
    let too_large = || Fault::because(Kind::TooLarge, format!("at most {most} bytes are taken here"));
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|n| n > most as u64) {
        return Err(too_large());
    }
    axum::body::to_bytes(body, most).await.map_err(|e| {
        let source = std::error::Error::source(&e);
        if source.is_some_and(<dyn std::error::Error>::is::<http_body_util::LengthLimitError>) {
            too_large()
        } else {
            Fault::because(Kind::Malformed, "the body broke off")
        }
    })
}

fn strict<T: DeserializeOwned>(raw: &[u8]) -> Result<T, Fault> {
    let Strict(value) = serde_json::from_slice(raw).map_err(|e| {
        // A number that no number type can hold reads well as JSON; it is the value that cannot be used.
        let beyond = e.to_string().starts_with("number out of range");
        let kind = if beyond { Kind::Invalid } else { Kind::Malformed };
        Fault::because(kind, format!("the body is not JSON that we take: {e}"))
    })?;
    serde_json::from_value(value).map_err(|e| {
        let mut why = e.to_string();
        why.truncate(why.char_indices().nth(200).map_or(why.len(), |(at, _)| at));
        Fault::because(Kind::Invalid, why)
    })
}

/// JSON in which no object has a name twice. `serde_json` itself stops at 128 levels.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Self)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut all = Vec::new();
        while let Some(Strict(value)) = seq.next_element()? {
            all.push(value);
        }
        Ok(Value::Array(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut all = Map::new();
        while let Some(name) = map.next_key::<String>()? {
            if all.contains_key(&name) {
                return Err(serde::de::Error::custom("a name is there twice in one object"));
            }
            let Strict(value) = map.next_value()?;
            all.insert(name, value);
        }
        Ok(Value::Object(all))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sent {
        #[expect(dead_code, reason = "only whether it reads is asked")]
        amount: i64,
    }

    fn kind(text: &[u8]) -> Option<Kind> {
        strict::<Sent>(text).err().map(|fault| fault.kind)
    }

    #[test]
    fn json_is_taken_or_refused_for_the_right_reason() {
        assert_eq!(kind(br#"{"amount": 9007199254740993}"#), None);
        let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
        let malformed: [&[u8]; 8] = [
            b"",
            b"{",
            br#"{"amount": NaN}"#,
            br#"{"amount": 1, "amount": 2}"#,
            deep.as_bytes(),
            b"\xef\xbb\xbf{\"amount\": 1}",
            br#"{"amount": 1, "x": "\ud800"}"#,
            b"{\"\xc0\xaf\": 1}",
        ];
        for bad in malformed {
            assert_eq!(kind(bad), Some(Kind::Malformed), "{}", String::from_utf8_lossy(bad));
        }
        let invalid: [&[u8]; 6] = [
            br#"{"amount": 1, "owner_id": "x"}"#,
            br#"{"amount": 1e400}"#,
            br#"{"amount": 9223372036854775808}"#,
            br#"{"amount": -0}"#,
            br#"{"amount": "1"}"#,
            b"[]",
        ];
        for bad in invalid {
            assert_eq!(kind(bad), Some(Kind::Invalid), "{}", String::from_utf8_lossy(bad));
        }
    }

    proptest! {
        #[test]
        fn no_body_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = kind(&bytes);
        }

        #[test]
        fn what_reads_strictly_reads_the_same_loosely(text in r#"[\[\]{}",:0-9a-z. -]{0,40}"#) {
            if let Ok(Strict(value)) = serde_json::from_str(&text) {
                prop_assert_eq!(value, serde_json::from_str::<Value>(&text).unwrap());
            }
        }
    }
}
