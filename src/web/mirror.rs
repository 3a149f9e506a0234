//! The pages as a stranger's browser gets them, for the auditor.

use std::fmt;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, header};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tower::ServiceExt as _;

use super::router;
use crate::audit::{PageView, Pages};
use crate::base::TenantId;
use crate::edge::Edge;

/// What is asked for below a tenant's own address: pages for anybody, and both doors, which set a cookie.
const OF_A_TENANT: [&str; 5] = ["/policy", "/ledger", "/sign-in", "/sign-up", "/desk/sign-in"];
/// What is asked for of the house.
const OF_THE_HOUSE: [&str; 2] = ["/", "/docs/api"];
/// Most bytes of a page that are looked at.
const LONGEST: usize = 4 << 20;

/// The whole service as it is served, layers and all.
struct Served {
    router: Router,
    host: String,
}

impl fmt::Debug for Served {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Served({})", self.host)
    }
}

/// Lets the app's auditor see the pages, beside the API's routes, for as long as what is given back is kept.
#[must_use = "the auditor sees the pages for as long as this is kept"]
pub fn let_the_audit_see(edge: &Edge, api: Router) -> Arc<dyn Pages> {
    let url = &edge.app.config.server.public_url;
    let host = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest).trim_end_matches('/').to_owned();
    let served: Arc<dyn Pages> = Arc::new(Served { router: api.merge(router(edge.clone())), host });
    edge.app.audit.see_pages(&served);
    served
}

impl Served {
    async fn page(&self, path: String) -> Option<PageView> {
        let request =
            Request::get(&path).header(header::HOST, &self.host).header(header::ACCEPT, "text/html");
        let request = request.body(Body::empty()).ok()?;
        let Ok(response) = self.router.clone().oneshot(request).await;
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, LONGEST).await.ok()?;
        let body = String::from_utf8_lossy(&bytes).into_owned();
        Some(PageView { path, status: parts.status.as_u16(), headers: lines(&parts.headers), body })
    }
}

fn lines(headers: &HeaderMap) -> Vec<(String, String)> {
    let line = |(name, value): (&header::HeaderName, &header::HeaderValue)| {
        (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    headers.iter().map(line).collect()
}

impl Pages for Served {
    fn look<'a>(&'a self, tenant: &'a TenantId) -> BoxFuture<'a, Vec<PageView>> {
        async move {
            let own = OF_A_TENANT.iter().map(|path| format!("/{tenant}{path}"));
            let mut seen = Vec::new();
            for path in OF_THE_HOUSE.iter().map(|path| (*path).to_owned()).chain(own) {
                seen.extend(self.page(path).await);
            }
            seen
        }
        .boxed()
    }
}
