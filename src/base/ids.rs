//! Typed ids. Each is a UUID version 7 (RFC 9562) under a three-letter prefix: time-ordered, so that an index grows at
//! its end; 74 random bits, so that one cannot be guessed from another.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Clock, Entropy, Timestamp};

/// Why a string is not an id. Says nothing of the string itself, which may be an attacker's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a valid {0} id")]
pub struct BadId(pub &'static str);

macro_rules! typed_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Uuid);

        impl $name {
            /// The prefix all ids of this type carry.
            pub const PREFIX: &'static str = $prefix;

            /// A fresh id: the clock's millisecond, then random bits.
            pub fn new(clock: &Clock, entropy: &Entropy) -> Self {
                let mut random = [0_u8; 10];
                entropy.fill(&mut random);
                Self::of(clock.now(), &random)
            }

            /// The id of this moment and these bits, which nobody else can know.
            pub fn of(at: Timestamp, random: &[u8; 10]) -> Self {
                let millis = u64::try_from(at.micros() / 1000).unwrap_or(0);
                Self(uuid::Builder::from_unix_timestamp_millis(millis, random).into_uuid())
            }

            /// The sixteen bytes, for binding a ciphertext to its place.
            pub fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "_{}"), self.0.simple())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = BadId;
            fn from_str(s: &str) -> Result<Self, BadId> {
                let hex = s.strip_prefix(concat!($prefix, "_")).ok_or(BadId($prefix))?;
                let lower = hex.len() == 32 && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
                if !lower {
                    return Err(BadId($prefix));
                }
                Uuid::try_parse(hex).map(Self).map_err(|_| BadId($prefix))
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let s = std::borrow::Cow::<'de, str>::deserialize(d)?;
                s.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

typed_id!(
    /// A data subject: the person the data are about.
    SubjectId, "sub"
);
typed_id!(
    /// An image at rest in the vault.
    ObjectId, "obj"
);
typed_id!(
    /// A sealed record of personal fields in the vault.
    RecordId, "rec"
);
typed_id!(
    /// A key of the keystore.
    KeyId, "key"
);
typed_id!(
    /// One edit of one image.
    EditId, "edt"
);
typed_id!(
    /// Edits that were asked for in one go.
    BatchId, "bat"
);
typed_id!(
    /// One edit's way to a provider and back.
    ErrandId, "err"
);
typed_id!(
    /// A rights request.
    RequestId, "req"
);
typed_id!(
    /// A letter that reached us and waits for its writer.
    MailId, "eml"
);
typed_id!(
    /// What a person lets somebody else ask for in their name.
    MandateId, "mnd"
);
typed_id!(
    /// A person's move to another address.
    AddressId, "adr"
);
typed_id!(
    /// A job of the queue.
    JobId, "job"
);
typed_id!(
    /// An entry of the ledger.
    EntryId, "ent"
);
typed_id!(
    /// A receipt.
    ReceiptId, "rct"
);
typed_id!(
    /// A legal hold.
    HoldId, "hld"
);
typed_id!(
    /// A document that waits for a second person.
    ProposalId, "ppl"
);
typed_id!(
    /// A member of a tenant's staff.
    StaffId, "stf"
);
typed_id!(
    /// A browser session.
    SessionId, "ses"
);
typed_id!(
    /// A collection that was made for training.
    CollectionId, "col"
);
typed_id!(
    /// An address of an app that is told of events.
    WebhookId, "whk"
);
typed_id!(
    /// An event as it is told: what `webhook-id` says, the same on every try.
    MessageId, "msg"
);
typed_id!(
    /// An event on its way to one address.
    DeliveryId, "dlv"
);

/// A tenant: one branded app with a policy of its own, a *controller* in the law's words. A short slug,
/// `[a-z0-9-]`, 2 to 40 characters, that starts with a letter.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct TenantId(String);

impl TenantId {
    /// The slug.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TenantId {
    type Err = BadId;
    fn from_str(s: &str) -> Result<Self, BadId> {
        let shape = s.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'));
        let start = s.as_bytes().first().is_some_and(u8::is_ascii_lowercase);
        if shape && start && (2..=40).contains(&s.len()) && !s.ends_with('-') {
            Ok(Self(s.to_owned()))
        } else {
            Err(BadId("tenant"))
        }
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for TenantId {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let s = std::borrow::Cow::<'de, str>::deserialize(d)?;
        s.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Timestamp;

    #[test]
    fn an_id_survives_a_round_trip_and_refuses_another_prefix() {
        let clock = Clock::manual(Timestamp::from_micros(1_700_000_000_000_000)).0;
        let id = ObjectId::new(&clock, &Entropy::seeded(1));
        let text = id.to_string();
        assert_eq!(text.parse::<ObjectId>().unwrap(), id);
        assert!(text.replace("obj", "sub").parse::<ObjectId>().is_err());
        assert!(text.to_uppercase().parse::<ObjectId>().is_err());
        assert!(format!("{text}0").parse::<ObjectId>().is_err());
        assert!(text.parse::<SubjectId>().is_err());
    }

    #[test]
    fn ids_made_later_sort_later() {
        let (clock, hand) = Clock::manual(Timestamp::from_micros(1_700_000_000_000_000));
        let entropy = Entropy::seeded(2);
        let first = EditId::new(&clock, &entropy).to_string();
        hand.advance(chrono::TimeDelta::milliseconds(1));
        assert!(first < EditId::new(&clock, &entropy).to_string());
    }

    #[test]
    fn a_tenant_is_a_slug_and_nothing_else() {
        assert!("flux-kontext".parse::<TenantId>().is_ok());
        for bad in ["", "a", "9lives", "a b", "a/../b", "Ä", "a-", &"x".repeat(41)] {
            assert!(bad.parse::<TenantId>().is_err(), "{bad}");
        }
    }
}
