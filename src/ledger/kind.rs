use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Error;

/// What happened: two to four words of `a-z -` with dots between, at most 48 characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct EntryKind(Cow<'static, str>);

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $text:literal),+ $(,)?) => {
        impl EntryKind {
            $($(#[$doc])* pub const $name: Self = Self(Cow::Borrowed($text));)+

            /// The kinds this program knows by name; callers may make others with `parse`.
            pub const KNOWN: &[Self] = &[$(Self::$name),+];
        }
    };
}

kinds! {
    /// A version of a policy was published. Facts: `version`, `sha256`, `effective`; `staff` if somebody said who they
    /// are, and `confirmed-by` if a second person had to agree.
    POLICY_PUBLISHED = "policy.published",
    /// A version waits for a second person. Facts: `version`, `sha256`, `staff`, `going`, `held`.
    POLICY_PROPOSED = "policy.proposed",
    /// A version that waited was turned down. Facts: `version`, `sha256`, `staff`.
    POLICY_REJECTED = "policy.rejected",
    /// Due times were computed anew under a version that came into force. Facts: `version`, `looked`, `moved`.
    POLICY_APPLIED = "policy.applied",
    /// Everybody who had to be told of a version was. Facts: `version`, `people`, `letters`.
    NOTICE_ANNOUNCED = "notice.announced",
    /// A person said that they had read of a version. Facts: `version`.
    NOTICE_ACKNOWLEDGED = "notice.acknowledged",
    /// A person came to be known.
    SUBJECT_CREATED = "subject.created",
    /// A person's account was closed.
    SUBJECT_CLOSED = "subject.closed",
    /// A person's address became another. Facts: `by` (`link`: opened in the new mailbox; `app`: its word).
    ADDRESS_MOVED = "subject.address-moved",
    /// A change of a person's address was stopped or undone out of the mailbox of the old one. Facts: `moved`.
    ADDRESS_UNDONE = "subject.address-undone",
    /// A person agreed to a purpose. Facts: `purpose`, `version`.
    CONSENT_GIVEN = "consent.given",
    /// A person took their agreement back. Facts: `purpose`.
    CONSENT_WITHDRAWN = "consent.withdrawn",
    /// A person objected to a purpose. Facts: `purpose`.
    OBJECTION_MADE = "objection.made",
    /// Processing of a person's data was restricted or freed again. Facts: `on`.
    RESTRICTION_SET = "restriction.set",
    /// An image or record was stored. Facts: `category`, `key` (fingerprint).
    OBJECT_STORED = "object.stored",
    /// An image or record was erased. Facts: `category`, `key`, `rule`.
    OBJECT_ERASED = "object.erased",
    /// A record was reduced to the fields that a rule lets stay. Facts: `category`, `rule`, `fields-gone`, `key`.
    OBJECT_REDUCED = "object.reduced",
    /// Records became a count over many people, and were erased. Facts: `category`, `rule`, `erased`.
    RETENTION_ANONYMISED = "retention.anonymised",
    /// The last record that a law kept of somebody erased is gone, and its keys. Facts: `key`.
    KEPT_ENDED = "kept.ended",
    /// Somebody was not let at data. Facts: `category`, `purpose`, `reason`.
    READ_REFUSED = "read.refused",
    /// A member of staff read a person's data. Facts: `category`, `purpose`, `staff`; `look` when the document asks for a
    /// reason.
    READ_STAFF = "read.staff",
    /// A member of staff wrote down why they look at somebody's data; the words are in the vault. Facts: `purpose`,
    /// `staff`, `look`.
    READ_REASONED = "read.reasoned",
    /// A second member of staff agreed to a look. Facts: `staff`, `look`.
    READ_APPROVED = "read.approved",
    /// A person's data were read for a collection that models learn from. Facts: `purpose`, `version`, `consent` (the entry of
    /// their word), `collection`.
    TRAINING_READ = "training.read",
    /// A collection that models learn from was made. Facts: `purpose`, `version`, `collection`, `people`, `images`,
    /// `records`, `left`, `sha256` (of its manifest).
    TRAINING_MADE = "training.made",
    /// Data went to a processor. Facts: `recipient`, `category`.
    DISCLOSURE_MADE = "disclosure.made",
    /// Nothing of what went to a processor is left there. Facts: `recipient`, `proof`.
    DISCLOSURE_ENDED = "disclosure.ended",
    /// A member of staff handed data to an authority, or to somebody to protect rights. Facts: `ground`, `category`, `staff`.
    /// It names the person only when they may be told.
    DISCLOSURE_HANDED = "disclosure.handed-over",
    /// A rights request arrived. Facts: `right`, `request`.
    REQUEST_FILED = "request.filed",
    /// A rights request was closed. Facts: `right`, `request`, `outcome`.
    REQUEST_CLOSED = "request.closed",
    /// A copy of a person's data was handed over. Facts: `manifest-sha256` (of its manifest, which fixes every other file;
    /// in some entries it is called `sha256`), `bytes` (of the whole).
    EXPORT_DELIVERED = "export.delivered",
    /// A person brought an archive of theirs from elsewhere. Facts: `sha256` (of its manifest), `images`, `records`.
    IMPORT_TAKEN = "import.taken",
    /// A person's data were corrected. Facts: `category`, `object` (the record), `key` (of the value that was replaced).
    RECTIFICATION_MADE = "rectification.made",
    /// A person's erasure began: nothing of theirs is read or written from here on. Facts: `key`, `request`.
    ERASURE_REQUESTED = "erasure.requested",
    /// The one write after which nothing of a person opens any more. Facts: `key` (fingerprint of what was destroyed),
    /// `epoch` (the newest then: with its end, copies of the keystore are dead too).
    ERASURE_UNREADABLE = "erasure.unreadable",
    /// A person's keys are destroyed and their data deleted. Facts: `images`, `records`, `key`; `open-copies`, if
    /// providers have not shown of so many copies that they are gone.
    ERASURE_COMPLETED = "erasure.completed",
    /// Retention rules erased what was due. Facts: `rule`, `erased`.
    RETENTION_SWEPT = "retention.swept",
    /// A legal hold was placed or lifted. Facts: `hold`, `on`.
    HOLD_SET = "hold.set",
    /// A key epoch was destroyed: what it wrapped is gone from every backup too. Facts: `epoch`.
    EPOCH_DESTROYED = "epoch.destroyed",
    /// The store of blobs was compared with the rows beside it, and keys that open nothing were destroyed. Facts: `listed`,
    /// `rows`, `orphans`, `missing`, `altered`, `keys`.
    BLOBS_COMPARED = "blobs.compared",
    /// Files of the published ledger that were missing or rotten were written anew. Facts: `files`.
    LEDGER_MENDED = "ledger.mended",
    /// A member of staff set up a second factor. Facts: `staff`, `replaced` (another was taken away before).
    FACTOR_ENROLLED = "staff.factor-enrolled",
    /// A member of staff proved themself by their second factor. Facts: `staff`, `by` (`app`, `recovery` with how many
    /// are `left`, or `provider`).
    FACTOR_PASSED = "staff.factor-passed",
    /// A code was not right, or had been used. Facts: `staff`, `failures` (in a row).
    FACTOR_REFUSED = "staff.factor-refused",
    /// A member of staff had new recovery codes made; those before are void. Facts: `staff`.
    CODES_RENEWED = "staff.codes-renewed",
    /// A member of staff's second factor was taken away, for another to be set up. Facts: `staff`.
    FACTOR_RESET = "staff.factor-reset",
    /// An app was given a key. Facts: `api-key`.
    API_KEY_MADE = "api-key.made",
    /// An app's key was revoked. Facts: `api-key`.
    API_KEY_REVOKED = "api-key.revoked",
    /// A person let an agent ask in their name. Facts: `mandate`, `rights`.
    MANDATE_GIVEN = "mandate.given",
    /// Such a mandate ended, by the person, by its last day or by staff. Facts: `mandate`; of staff `staff`.
    MANDATE_ENDED = "mandate.ended",
    /// A check of a promise was made. Facts: `probe`, `verdict`, `checked`, `found`; `staff` when one of them asked.
    PROBE_RECORDED = "probe.recorded",
    /// Somebody vouched for what only people can do. Facts: `attestation`, `staff`, `version`.
    ATTESTATION_MADE = "attestation.made",
    /// A backup was taken. Facts: `what` (data or keystore), `entries` (of the ledger, when it began), `bytes`, `sha256` (of what
    /// is in it).
    BACKUP_TAKEN = "backup.taken",
    /// The installation was restored from a backup and brought up to date from the ledger. Facts: `from`, `to`, and how
    /// many people, items, consents and so on were done again.
    RESTORE_COMPLETED = "restore.completed",
}

impl EntryKind {
    /// The dotted name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for EntryKind {
    type Err = Error;
    fn from_str(s: &str) -> Result<Self, Error> {
        let word = |w: &str| {
            w.starts_with(|c: char| c.is_ascii_lowercase())
                && w.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')
        };
        let words = s.split('.').count();
        if s.len() <= 48 && (2..=4).contains(&words) && s.split('.').all(word) {
            Ok(Self(Cow::Owned(s.to_owned())))
        } else {
            Err(Error::BadEntry("a kind is two to four words of a-z - with dots between"))
        }
    }
}

impl fmt::Display for EntryKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for EntryKind {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let s = Cow::<'de, str>::deserialize(d)?;
        s.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_kind_is_a_sound_kind() {
        for kind in EntryKind::KNOWN {
            assert_eq!(kind.as_str().parse::<EntryKind>().unwrap(), *kind);
        }
        for bad in ["", "one", "Two.words", "a..b", ".a", "a.", "a.b.c.d.e", "a.b c", "a.-b", "a.1"] {
            assert!(bad.parse::<EntryKind>().is_err(), "{bad}");
        }
    }
}
