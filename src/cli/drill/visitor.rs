//! Somebody with a browser, or a program with somebody's session: what comes to the service comes through its routes.

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use serde_json::Value;
use tower::ServiceExt as _;
use url::form_urlencoded;

/// The longest answer that is read.
const MOST: usize = 16 << 20;

/// A browser, with the cookies that it was given.
pub(super) struct Visitor {
    routes: Router,
    cookies: Vec<(String, String)>,
}

/// What came back.
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Reply {
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(super) fn json(&self) -> anyhow::Result<Value> {
        serde_json::from_slice(&self.body)
            .map_err(|e| anyhow::anyhow!("{}: {e}: {}", self.status, self.text()))
    }

    /// Where it leads, without what stands behind a question mark.
    pub(super) fn leads_to(&self) -> &str {
        let to = self.headers.get(header::LOCATION).and_then(|v| v.to_str().ok()).unwrap_or_default();
        to.split('?').next().unwrap_or_default()
    }

    /// What stands between two marks of the page, first of all.
    pub(super) fn between(&self, before: &str, after: &str) -> Option<String> {
        let text = self.text();
        let (_, rest) = text.split_once(before)?;
        rest.split_once(after).map(|(found, _)| found.replace("&amp;", "&").replace("&#38;", "&"))
    }
}

impl Visitor {
    pub(super) fn new(routes: &Router) -> Self {
        Self { routes: routes.clone(), cookies: Vec::new() }
    }

    /// As a browser that has this cookie already.
    pub(super) fn with_cookie(mut self, name: &str, value: &str) -> Self {
        self.cookies.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(super) async fn get(&mut self, path: &str) -> anyhow::Result<Reply> {
        self.call(Method::GET, path, &[("accept", "text/html")], Body::empty()).await
    }

    /// Opens a page and sends a form with the token that the page has.
    pub(super) async fn send(
        &mut self,
        page: &str,
        action: &str,
        fields: &[(&str, &str)],
    ) -> anyhow::Result<Reply> {
        let opened = self.get(page).await?;
        let token = opened
            .between("name=\"csrf\" value=\"", "\"")
            .ok_or_else(|| anyhow::anyhow!("{page} has no form: {}", opened.status))?;
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("csrf", &token).extend_pairs(fields);
        let dress = [("accept", "text/html"), ("content-type", "application/x-www-form-urlencoded")];
        self.call(Method::POST, action, &dress, Body::from(form.finish())).await
    }

    /// Calls the API as a page of the site does.
    pub(super) async fn api(
        &mut self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Reply> {
        let dress: &[_] = if body.is_some() {
            &[("content-type", "application/json")]
        } else {
            &[("accept", "application/json")]
        };
        let body = body.map_or_else(Body::empty, |value| Body::from(value.to_string()));
        self.call(method, path, dress, body).await
    }

    /// Calls the API with these headers besides.
    pub(super) async fn call(
        &mut self,
        method: Method,
        path: &str,
        dress: &[(&str, &str)],
        body: Body,
    ) -> anyhow::Result<Reply> {
        let mut request = Request::builder().method(method).uri(path).header("host", "localhost");
        request = request.header("sec-fetch-site", "same-origin");
        for (name, value) in dress {
            request = request.header(*name, *value);
        }
        if !self.cookies.is_empty() {
            let all: Vec<String> = self.cookies.iter().map(|(n, v)| format!("{n}={v}")).collect();
            request = request.header(header::COOKIE, all.join("; "));
        }
        let (parts, body) = self.routes.clone().oneshot(request.body(body)?).await?.into_parts();
        let body = http_body_util::Limited::new(body, MOST).collect().await;
        let body = body.map_err(|e| anyhow::anyhow!("{path}: {e}"))?.to_bytes().to_vec();
        for cookie in parts.headers.get_all(header::SET_COOKIE) {
            let first = cookie.to_str()?.split(';').next().unwrap_or_default();
            if let Some((name, value)) = first.split_once('=') {
                self.cookies.retain(|(n, _)| n != name);
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
        Ok(Reply { status: parts.status, headers: parts.headers, body })
    }
}
