//! From where and with what somebody signed in: as little of it as still serves to see an abuse or to help.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};
use woothee::parser::{Parser, WootheeResult};

use super::{Error, Subjects};
use crate::policy::Facts;
use crate::vault::{self, NewRecord, Owner};

const CATEGORY: &str = "device";
/// The purpose it is noted for.
const PURPOSE: &str = "security";
/// No browser sends more.
const LONGEST: usize = 1024;

/// What is noted of a device. Made from a user agent and an address, of which nothing else is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// `desktop`, `phone`, `program` or `other`.
    pub device: String,
    /// The family of the browser, without its version.
    pub browser: String,
    /// The family of the system, without its version.
    pub system: String,
    /// The network: the first 24 bits of an IPv4 address, the first 48 of an IPv6 address. Empty when it is not known.
    pub network: String,
}

impl Device {
    /// Takes away all that is not to be kept.
    pub fn minimised(user_agent: &str, address: Option<IpAddr>) -> Self {
        let short: String = user_agent.chars().take(LONGEST).collect();
        let parser = Parser::new();
        let found: Option<WootheeResult<'_>> = parser.parse(&short);
        let family = |name: Option<&str>| match name {
            Some(name) if !name.is_empty() && name != "UNKNOWN" => name.to_owned(),
            _ => "other".to_owned(),
        };
        let device = match found.as_ref().map_or("", |f| f.category) {
            "pc" => "desktop",
            "smartphone" | "mobilephone" => "phone",
            "crawler" | "misc" => "program",
            _ => "other",
        };
        Self {
            device: device.to_owned(),
            browser: family(found.as_ref().map(|f| f.name)),
            system: family(found.as_ref().map(|f| f.os)),
            network: address.map(network).unwrap_or_default(),
        }
    }
}

/// The network of an address: the part that says where, not who.
fn network(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            format!("{}/24", Ipv4Addr::new(a, b, c, 0))
        }
        IpAddr::V6(v6) => {
            let [a, b, c, ..] = v6.segments();
            format!("{}/48", Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0))
        }
    }
}

impl Subjects {
    /// Notes the device of somebody who signed in. Nothing is noted when the document does not declare it, when its owner
    /// objected to the purpose, or when their data may only be kept.
    pub async fn note_device(&self, owner: &Owner, event: &str, device: &Device) -> Result<(), Error> {
        if !self.may_note(owner).await? {
            return Ok(());
        }
        let value = serde_json::json!({
            "device": device.device, "browser": device.browser, "system": device.system,
            "network": device.network, "at": self.clock.now().rfc3339(), "event": event,
        });
        let record =
            NewRecord { category: CATEGORY, name: "event", value, parent: None, facts: Facts::new() };
        let sealed = self.vault.seal_records(owner, vec![record]).await?;
        let written = async {
            let policy = self.vault.policy(&owner.tenant)?;
            let mut tx = self.db.begin().await?;
            // Asked once more, for the word that came in between.
            if !self.vault.agreed(&mut tx, owner, &policy, PURPOSE).await? {
                return Ok(false);
            }
            self.vault.insert(&mut tx, owner, &sealed).await?;
            tx.commit().await?;
            Ok::<_, vault::Error>(true)
        };
        let written = written.await;
        if !matches!(written, Ok(true)) {
            self.vault.discard(owner, &sealed).await;
        }
        Ok(written.map(|_| ())?)
    }

    async fn may_note(&self, owner: &Owner) -> Result<bool, Error> {
        let policy = self.vault.policy(&owner.tenant)?;
        if policy.category(CATEGORY).is_none() {
            return Ok(false);
        }
        let mut tx = self.db.read().await?;
        let standing = self.vault.standing(&mut tx, owner).await?;
        let free = standing.restricted_at.is_none() && !standing.erasing;
        Ok(free && self.vault.agreed(&mut tx, owner, &policy, PURPOSE).await?)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
    const PHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 \
        (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1";

    #[test]
    fn families_stay_and_versions_go() {
        let seen = Device::minimised(FIREFOX, "203.0.113.77".parse().ok());
        let expected = ("desktop", "Firefox", "Linux", "203.0.113.0/24");
        assert_eq!((&*seen.device, &*seen.browser, &*seen.system, &*seen.network), expected);
        let seen = Device::minimised(PHONE, "2001:db8:77:1:2:3:4:5".parse().ok());
        assert_eq!((&*seen.device, &*seen.network), ("phone", "2001:db8:77::/48"));
        let mapped = Device::minimised("", "::ffff:203.0.113.77".parse().ok());
        assert_eq!((&*mapped.browser, &*mapped.network), ("other", "203.0.113.0/24"));
    }

    proptest! {
        #[test]
        fn no_user_agent_gets_in_as_it_is(agent in "\\PC{0,300}", address in any::<u32>()) {
            let address = Ipv4Addr::from(address);
            let seen = Device::minimised(&agent, Some(address.into()));
            prop_assert!(seen.network.ends_with(".0/24"));
            for kept in [&seen.browser, &seen.system] {
                prop_assert!(kept.len() <= 40);
                prop_assert!(!kept.chars().any(char::is_control));
            }
        }
    }
}
