//! From a host name to addresses, with the check that counts: what this gives is what is dialled, so that a name whose
//! answer changes between a look and a leap (DNS rebinding) gains nothing.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::address::{is_loopback, is_public};

/// Where addresses come from.
#[derive(Clone)]
pub enum Names {
    /// The machine's resolver.
    System,
    /// A table for tests: each look-up of a name takes its next answer; the last one stays.
    Table(Arc<Mutex<HashMap<String, VecDeque<Vec<IpAddr>>>>>),
}

impl Names {
    /// A table from names to successive answers.
    pub fn table(entries: &[(&str, &[&[IpAddr]])]) -> Self {
        let map = entries.iter().map(|(name, answers)| {
            ((*name).to_owned(), answers.iter().map(|answer| answer.to_vec()).collect::<VecDeque<_>>())
        });
        Self::Table(Arc::new(Mutex::new(map.collect())))
    }

    async fn look_up(&self, host: &str) -> std::io::Result<Vec<IpAddr>> {
        match self {
            Self::System => Ok(tokio::net::lookup_host((host, 0)).await?.map(|a| a.ip()).collect()),
            Self::Table(map) => {
                let mut map = map.lock().unwrap_or_else(PoisonError::into_inner);
                let answers = map.get_mut(host).ok_or(std::io::ErrorKind::NotFound)?;
                let next = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
                Ok(next.unwrap_or_default())
            }
        }
    }
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::System => "Names::System",
            Self::Table(_) => "Names::Table",
        })
    }
}

/// Which addresses a client may dial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// Public addresses only.
    Public,
    /// Loopback only: for base URLs that the operator configured to point at this machine.
    Loopback,
    /// Any address: for services of the operator's own network.
    Inside,
}

impl Reach {
    /// Whether `address` may be dialled.
    pub(super) fn admits(self, address: IpAddr) -> bool {
        match self {
            Self::Public => is_public(address),
            Self::Loopback => is_loopback(address),
            Self::Inside => true,
        }
    }
}

/// The resolver handed to the HTTP client.
#[derive(Debug, Clone)]
pub(super) struct Guarded {
    pub(super) names: Names,
    pub(super) reach: Reach,
}

/// A name led to an address out of reach. Found again in the client's error chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an address out of reach")]
pub(super) struct OutOfReach;

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let this = self.clone();
        Box::pin(async move {
            let addresses = this.names.look_up(name.as_str()).await?;
            // One bad answer among good ones is no accident of an honest zone: refuse them all.
            if addresses.iter().any(|a| !this.reach.admits(*a)) {
                return Err(OutOfReach.into());
            }
            let addresses: Addrs = Box::new(addresses.into_iter().map(|a| SocketAddr::new(a, 0)));
            Ok(addresses)
        })
    }
}
