//! A form that was filled in. What cannot show the token of its session, or comes from another site, is refused before
//! anything is done.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::Uri;

use super::page::{session_at, tenant_of, token_holds};
use crate::base::Kind;
use crate::edge::{Edge, Fault};
use crate::speech::key;

/// The fields of a form (`application/x-www-form-urlencoded`), in the order in which they were sent.
#[derive(Debug, Default)]
pub(crate) struct Filled(Vec<(String, String)>);

impl Filled {
    /// The value of a field, trimmed; empty if it was not sent.
    pub(crate) fn one(&self, name: &str) -> &str {
        self.0.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v.trim())
    }

    /// Every value of a field.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// What an address carries behind its question mark.
    pub(crate) fn of_query(uri: &Uri) -> Self {
        let query = uri.query().unwrap_or_default();
        Self(url::form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }
}

/// A form's token does not hold.
pub(crate) fn stale() -> Fault {
    Fault::because(
        Kind::Forbidden,
        key("The form was not sent from a page of yours, or the page is too old."),
    )
}

impl FromRequest<Edge> for Filled {
    type Rejection = Fault;
    async fn from_request(request: Request, edge: &Edge) -> Result<Self, Fault> {
        let (mut parts, body) = request.into_parts();
        let tenant = tenant_of(&mut parts, edge).await?;
        let session = session_at(&mut parts, edge, &tenant).await?;
        let body = Bytes::from_request(Request::from_parts(parts, body), edge).await.map_err(|_| {
            Fault::because(Kind::TooLarge, key("What was sent is larger than a form can be."))
        })?;
        let fields = url::form_urlencoded::parse(&body).into_owned().collect();
        let filled = Self(fields);
        if token_holds(edge, session.as_ref(), filled.one("csrf")) { Ok(filled) } else { Err(stale()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_sent_twice_is_there_twice() {
        let fields = [("consent", " training "), ("consent", "analytics"), ("email", " a@b.example ")];
        let filled = Filled(fields.map(|(n, v)| (n.to_owned(), v.to_owned())).into());
        assert_eq!(filled.all("consent").count(), 2);
        assert_eq!(filled.one("email"), "a@b.example");
        assert_eq!(filled.one("none"), "");
    }
}
