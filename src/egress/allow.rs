//! Who may be called where: the allow-list, as data.

use url::{Host, Url};

use super::EgressError;
use super::address::is_loopback;
use super::names::Reach;

/// One named recipient (a processor that the document names, or the app's own webhook) and the places it is reached at.
/// Every place is HTTPS on a public address, unless the operator configured a base URL on this machine itself.
#[derive(Debug, Clone)]
pub struct Recipient {
    name: String,
    places: Vec<Place>,
}

#[derive(Debug, Clone)]
enum Place {
    /// This name and port, over HTTPS.
    Host(String, u16),
    /// Any name below this one, port 443.
    Under(String),
    /// Any public host, port 443: for URLs that users give.
    Anywhere,
    /// This name and port, over HTTPS, wherever it leads: the operator's own network too.
    Inside(String, u16),
    /// This host and port on this machine.
    Loopback(String, u16),
    /// This machine, on any port, over plain HTTP too: for development.
    ThisMachine,
}

impl Recipient {
    /// A recipient that may not be reached anywhere yet.
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), places: Vec::new() }
    }

    /// The name given.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Adds one host name, port 443.
    #[must_use]
    pub fn host(mut self, host: &str) -> Self {
        self.places.push(Place::Host(host.to_ascii_lowercase(), 443));
        self
    }

    /// Adds every name below `domain` (not `domain` itself), port 443.
    #[must_use]
    pub fn under(mut self, domain: &str) -> Self {
        self.places.push(Place::Under(format!(".{}", domain.to_ascii_lowercase())));
        self
    }

    /// Adds any public host, port 443. Only for recipients whose URLs users give.
    #[must_use]
    pub fn anywhere(mut self) -> Self {
        self.places.push(Place::Anywhere);
        self
    }

    /// Adds this machine, on any port, over plain HTTP too. For a service in development alone: whoever may name a URL then
    /// reaches everything that listens here.
    #[must_use]
    pub fn this_machine(mut self) -> Self {
        self.places.insert(0, Place::ThisMachine);
        self
    }

    /// Adds the host of a base URL that the operator configured. A loopback host (`localhost`, `127.0.0.1`, `[::1]`)
    /// may be plain HTTP and is then the only thing on this machine that can be reached; anything else must be HTTPS.
    pub fn base(mut self, base: &Url) -> Result<Self, EgressError> {
        let (host, port) = parts(base)?;
        let place = match (is_this_machine(&host), base.scheme()) {
            (true, _) => Place::Loopback(host.to_string(), port),
            (false, "https") => Place::Host(host.to_string(), port),
            _ => return Err(EgressError::BadUrl),
        };
        self.places.push(place);
        Ok(self)
    }

    /// Adds the host of a service of the operator's own that the operator configured, such as the one that keeps a key:
    /// over HTTPS wherever its name leads, a private network included, or on this machine. Never for a URL in which
    /// anybody else has a say.
    pub fn inside(mut self, base: &Url) -> Result<Self, EgressError> {
        let (host, port) = parts(base)?;
        let place = match (is_this_machine(&host), base.scheme()) {
            (true, _) => Place::Loopback(host.to_string(), port),
            (false, "https") => Place::Inside(host.to_string(), port),
            _ => return Err(EgressError::BadUrl),
        };
        self.places.push(place);
        Ok(self)
    }

    /// Decides on a URL before anything is resolved or dialled.
    pub(super) fn check(&self, url: &Url) -> Result<Reach, EgressError> {
        let (host, port) = parts(url)?;
        let text = host.to_string();
        let https = url.scheme() == "https";
        let reach = self.places.iter().find_map(|place| match place {
            Place::Host(h, p) => (https && *h == text && *p == port).then_some(Reach::Public),
            Place::Under(suffix) => {
                (https && port == 443 && text.ends_with(suffix.as_str()) && matches!(host, Host::Domain(_)))
                    .then_some(Reach::Public)
            }
            Place::Anywhere => (https && port == 443).then_some(Reach::Public),
            Place::Inside(h, p) => (https && *h == text && *p == port).then_some(Reach::Inside),
            Place::Loopback(h, p) => (*h == text && *p == port).then_some(Reach::Loopback),
            Place::ThisMachine => is_this_machine(&host).then_some(Reach::Loopback),
        });
        let reach = reach.ok_or(EgressError::NotAllowed)?;
        // The HTTP client dials an address literal without asking the resolver, so it is checked here.
        let literal = match host {
            Host::Domain(_) => None,
            Host::Ipv4(v4) => Some(v4.into()),
            Host::Ipv6(v6) => Some(v6.into()),
        };
        match literal {
            Some(address) if !reach.admits(address) => Err(EgressError::PrivateAddress),
            _ => Ok(reach),
        }
    }
}

/// Host and port of a URL that may be called at all.
fn parts(url: &Url) -> Result<(Host<&str>, u16), EgressError> {
    let plain =
        matches!(url.scheme(), "http" | "https") && url.username().is_empty() && url.password().is_none();
    match (url.host(), url.port_or_known_default()) {
        (Some(Host::Domain(name)), _) if name.is_empty() || name.ends_with('.') => Err(EgressError::BadUrl),
        (Some(host), Some(port)) if plain => Ok((host, port)),
        _ => Err(EgressError::BadUrl),
    }
}

fn is_this_machine(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(v4) => is_loopback((*v4).into()),
        Host::Ipv6(v6) => is_loopback((*v6).into()),
    }
}
