//! The pages as a stranger's browser gets them, handed in by whoever serves them.

use std::fmt::Debug;

use futures_util::future::BoxFuture;

use crate::base::TenantId;

/// One answer, as it goes over the wire.
#[derive(Debug, Clone, Default)]
pub struct PageView {
    /// The path that was asked for.
    pub path: String,
    /// The status.
    pub status: u16,
    /// Header lines, names in lower case, in their order.
    pub headers: Vec<(String, String)>,
    /// The body, if it is a page.
    pub body: String,
}

impl PageView {
    /// The values of a header.
    pub fn header<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> + 'a {
        self.headers
            .iter()
            .filter(move |(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

/// Whoever serves pages lets the auditor look at them, through the whole stack of layers that a browser's request passes.
/// It keeps hold of them itself: an auditor sees them for as long as they are served.
pub trait Pages: Debug + Send + Sync {
    /// Asks for a tenant's public pages, and for one that sets a cookie.
    fn look<'a>(&'a self, tenant: &'a TenantId) -> BoxFuture<'a, Vec<PageView>>;
}
