//! The calls that the `OpenID` Connect library makes, over the one way out.

use std::pin::Pin;
use std::time::Duration;

use axum::http::{Response, header};
use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};

use super::oidc::RECIPIENT;
use crate::base::Secret;
use crate::egress::{Call, CallLog, Egress, EgressError, Method, Url};

/// The most bytes of an answer, and how long it may take.
const MOST: u64 = 256 << 10;
const WITHIN: Duration = Duration::from_secs(10);

/// Whoever asks the provider.
pub(super) struct Asking(pub(super) Egress);

impl<'c> AsyncHttpClient<'c> for Asking {
    type Error = EgressError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, EgressError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            let reply = self.0.send(call(request)?, &CallLog::new()).await?;
            let mut answer = Response::builder().status(reply.status);
            if let Some(kind) = reply.header("content-type") {
                answer = answer.header(header::CONTENT_TYPE, kind);
            }
            answer.body(reply.body.to_vec()).map_err(|_| EgressError::Build)
        })
    }
}

fn call(request: HttpRequest) -> Result<Call, EgressError> {
    let (parts, body) = request.into_parts();
    let url = Url::parse(&parts.uri.to_string()).map_err(|_| EgressError::BadUrl)?;
    let text = |name| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let (method, path) = match parts.method {
        Method::GET => (Method::GET, "/.well-known"),
        Method::POST => (Method::POST, "/token"),
        _ => return Err(EgressError::Build),
    };
    let mut call = Call::new(RECIPIENT, method, url, path).at_most(MOST).within(WITHIN);
    if let Some(accepted) = text(header::ACCEPT) {
        call = call.header("accept", accepted);
    }
    if let Some(key) = text(header::AUTHORIZATION) {
        call = call.secret_header("authorization", &Secret::new(key.to_owned()));
    }
    Ok(match text(header::CONTENT_TYPE) {
        Some(kind) => call.body(kind, body),
        None => call,
    })
}
