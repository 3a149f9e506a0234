//! What only people can do: recorded when somebody vouches for it, red when nobody did in time.

use std::collections::BTreeMap;

use chrono::{NaiveTime, TimeDelta};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::task::spawn_blocking;

use super::sql::results;
use super::{Attached, Audit, Error, State, Vouched, Vouching};
use crate::base::{EntryId, StaffId, TenantId, Timestamp};
use crate::crypto::{self, Place};
use crate::ledger::{Entry, EntryKind, Opening};
use crate::policy::{Attestation, Policy};

/// Most characters of evidence.
const LONGEST: usize = 20_000;
/// Most bytes of a file: a signed report, not the recordings of an audit.
pub const LARGEST_FILE: usize = 5 << 20;
/// Most characters of a file's name.
const LONGEST_NAME: usize = 120;

const NO_EVIDENCE: &str = "say in 1 to 20,000 characters what was done and what shows it";
const BAD_FILE: &str = "a file of evidence has a name, and 1 byte to 5 MiB";

/// What somebody shows for an attestation. `Debug` shows no word of it.
#[derive(Clone, Default)]
pub struct Exhibit {
    /// What was done and what shows it: 1 to 20,000 characters.
    pub text: String,
    /// A report, a signed page: at most [`LARGEST_FILE`].
    pub file: Option<Attached>,
}

impl std::fmt::Debug for Exhibit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Exhibit({} characters, {:?})", self.text.chars().count(), self.file)
    }
}

impl Exhibit {
    /// Whether it can be filed. The file's name loses its folders and what no file name holds.
    fn checked(self) -> Result<Self, Error> {
        let text = self.text.trim().to_owned();
        if text.is_empty() || text.chars().count() > LONGEST {
            return Err(Error::Evidence(NO_EVIDENCE));
        }
        let file = self.file.map(|file| {
            let last = file.name.rsplit(['/', '\\']).next().unwrap_or_default();
            let plain = |c: &char| c.is_alphanumeric() || matches!(c, ' ' | '.' | '-' | '_' | '(' | ')');
            let name: String = last.chars().filter(plain).take(LONGEST_NAME).collect();
            Attached { name: name.trim().trim_start_matches('.').to_owned(), ..file }
        });
        if file
            .as_ref()
            .is_some_and(|f| f.name.is_empty() || f.bytes.is_empty() || f.bytes.len() > LARGEST_FILE)
        {
            return Err(Error::Evidence(BAD_FILE));
        }
        Ok(Self { text, file })
    }

    /// What the ledger commits to: the words, and of the file its name, its length and its SHA-256.
    fn details(&self) -> Value {
        let file = self.file.as_ref().map(|file| {
            let sha256 = hex::encode(Sha256::digest(&file.bytes));
            json!({"name": file.name, "bytes": file.bytes.len(), "sha256": sha256})
        });
        match file {
            Some(file) => json!({"evidence": self.text, "file": file}),
            None => json!({"evidence": self.text}),
        }
    }
}

/// What is known of a tenant's attestations: the newest word for each, and from when each was owed.
#[derive(Debug, Clone, Default)]
pub(super) struct Words {
    newest: BTreeMap<String, Vouched>,
    owed_since: BTreeMap<String, Timestamp>,
}

impl Words {
    #[cfg(test)]
    pub(super) fn of(newest: Vec<Vouched>) -> Self {
        let newest = newest.into_iter().map(|v| (v.attestation.clone(), v)).collect();
        Self { newest, owed_since: BTreeMap::new() }
    }

    /// How an attestation stands at `now`.
    pub(super) fn stand(&self, policy: &Policy, rule: &Attestation, now: Timestamp) -> Vouching {
        let made = self.newest.get(&rule.id);
        let start = self.owed_since.get(&rule.id).copied().unwrap_or_else(|| begins(policy));
        let due = rule.every.after(made.map_or(start, |m| m.at));
        let ahead = rule.remind.map_or(0, |p| i64::try_from(p.rough_seconds()).unwrap_or(0));
        let state = match made {
            _ if due <= now => State::Overdue,
            None => State::Waiting,
            Some(_) if due.plus(-TimeDelta::seconds(ahead)) <= now => State::AtRisk,
            Some(_) => State::Attested,
        };
        Vouching {
            attestation: rule.id.clone(),
            what: rule.what.clone(),
            owner: rule.owner.clone(),
            wanted: rule.evidence.clone(),
            made: made.map(|m| m.at),
            by: made.map(|m| m.staff),
            entry: made.map(|m| m.entry),
            due,
            state,
        }
    }
}

/// When a document's first day begins.
fn begins(policy: &Policy) -> Timestamp {
    Timestamp::from_utc(policy.effective().and_time(NaiveTime::MIN).and_utc())
}

fn place(tenant: &TenantId, entry: EntryId) -> Place {
    Place::new("attestation").with(tenant.as_str()).with(entry.to_string())
}

fn place_of_file(tenant: &TenantId, entry: EntryId) -> Place {
    Place::new("attestation-file").with(tenant.as_str()).with(entry.to_string())
}

impl Audit {
    /// Records that a member of staff vouches for an attestation of the document in force, with their evidence. The
    /// ledger holds who and when and commits to the evidence; the evidence itself is sealed.
    pub async fn attest(
        &self,
        tenant: &TenantId,
        attestation: &str,
        by: StaffId,
        shown: Exhibit,
    ) -> Result<EntryId, Error> {
        let policy = self.in_force(tenant)?;
        let rule = policy.attestation(attestation).ok_or(Error::Missing("attestation"))?;
        let shown = shown.checked()?;
        let key = self.keys.system(&format!("attestation/{tenant}")).await?;
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        let role = results::staff_role(&mut tx, tenant, by).await?.ok_or(Error::NotStaff)?;
        let entry = Entry::new(EntryKind::ATTESTATION_MADE, now, tenant, &role)
            .fact("attestation", rule.id.as_str())
            .fact("staff", by.to_string().as_str())
            .fact("version", policy.version())
            .details(shown.details());
        let appended = self.ledger.append(&mut tx, entry).await?;
        let id = appended.id;
        let opening = appended.opening.map(|o| o.to_bytes()).transpose()?.unwrap_or_default();
        let sealed = crypto::seal(&key, &place(tenant, id), &opening, &self.entropy);
        let file = shown.file.is_some();
        let vouched =
            Vouched { entry: id, attestation: rule.id.clone(), staff: by, at: now, file, place: None };
        results::insert_attestation(&mut tx, tenant, &vouched, &sealed).await?;
        if let Some(file) = shown.file {
            let (at, entropy) = (place_of_file(tenant, id), self.entropy.clone());
            let sealed = spawn_blocking(move || crypto::seal(&key, &at, &file.bytes, &entropy)).await;
            let sealed = sealed.map_err(|_| crate::store::Error::Unavailable)?;
            results::insert_file(&mut tx, tenant, id, &sealed).await?;
        }
        tx.commit().await?;
        Ok(id)
    }

    /// What was shown for an attestation, with the salt by which the ledger's commitment to it opens.
    pub async fn evidence(&self, tenant: &TenantId, entry: EntryId) -> Result<Opening, Error> {
        let sealed = {
            let mut tx = self.db.read().await?;
            results::evidence(&mut tx, tenant, entry).await?.ok_or(Error::Missing("attestation"))?
        };
        let key = self.keys.system(&format!("attestation/{tenant}")).await?;
        let plain = crypto::open(&key, &place(tenant, entry), &sealed)
            .map_err(|_| crate::store::Error::inconsistent("attestation", "sealed"))?;
        Ok(Opening::from_bytes(&plain)?)
    }

    /// The file that was shown with an attestation: the very bytes whose SHA-256 the ledger commits to.
    pub async fn attached(&self, tenant: &TenantId, entry: EntryId) -> Result<Attached, Error> {
        let opening = self.evidence(tenant, entry).await?;
        let sealed = {
            let mut tx = self.db.read().await?;
            results::file(&mut tx, tenant, entry).await?.ok_or(Error::Missing("file"))?
        };
        let key = self.keys.system(&format!("attestation/{tenant}")).await?;
        let damaged = || crate::store::Error::inconsistent("attestation_file", "sealed");
        let at = place_of_file(tenant, entry);
        let opened = spawn_blocking(move || crypto::open(&key, &at, &sealed).map(|plain| plain.to_vec()));
        let bytes = opened.await.map_err(|_| crate::store::Error::Unavailable)?.map_err(|_| damaged())?;
        let word = |name: &str| opening.details().pointer(name).and_then(Value::as_str);
        let (name, sha256) = word("/file/name").zip(word("/file/sha256")).ok_or_else(damaged)?;
        if hex::encode(Sha256::digest(&bytes)) != sha256 {
            return Err(damaged().into());
        }
        Ok(Attached { name: name.to_owned(), bytes })
    }

    /// The words that were given for an attestation, newest first.
    pub async fn vouched(
        &self,
        tenant: &TenantId,
        attestation: &str,
        most: u16,
    ) -> Result<Vec<Vouched>, Error> {
        let mut words = {
            let mut tx = self.db.read().await?;
            results::words(&mut tx, tenant, attestation, i64::from(most)).await?
        };
        let places = self.ledger.places(&words.iter().map(|w| w.entry).collect::<Vec<_>>()).await?;
        for word in &mut words {
            word.place = places.get(&word.entry).copied();
        }
        Ok(words)
    }

    /// How each attestation of the document in force stands.
    pub async fn attestations(&self, tenant: &TenantId) -> Result<Vec<Vouching>, Error> {
        let policy = self.in_force(tenant)?;
        let words = self.words(tenant).await?;
        let now = self.clock.now();
        Ok(policy.attestations().map(|rule| words.stand(&policy, rule, now)).collect())
    }

    /// The newest word for each attestation. One that was never made is owed from the first day of the first version
    /// that has it, or from its publication here if that was later.
    pub(super) async fn words(&self, tenant: &TenantId) -> Result<Words, Error> {
        let (newest, published) = {
            let mut tx = self.db.read().await?;
            (results::attestations(&mut tx, tenant).await?, results::published(&mut tx, tenant).await?)
        };
        let published: BTreeMap<String, Timestamp> = published.into_iter().collect();
        let mut owed_since: BTreeMap<String, Timestamp> = BTreeMap::new();
        for version in self.library.versions(tenant) {
            let first_day = begins(&version);
            let from = published.get(version.version()).map_or(first_day, |at| first_day.max(*at));
            for rule in version.attestations() {
                owed_since.entry(rule.id.clone()).and_modify(|t| *t = from.min(*t)).or_insert(from);
            }
        }
        let newest = newest.into_iter().map(|v| (v.attestation.clone(), v)).collect();
        Ok(Words { newest, owed_since })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(name: &str) -> Result<Exhibit, Error> {
        let file = Attached { name: name.to_owned(), bytes: vec![1] };
        Exhibit { text: "seen".to_owned(), file: Some(file) }.checked()
    }

    #[test]
    fn a_files_name_is_a_name_and_leads_nowhere() {
        for (given, kept) in [
            ("review.pdf", "review.pdf"),
            ("C:\\Users\\someone\\review.pdf", "review.pdf"),
            ("../../etc/passwd", "passwd"),
            ("..htaccess", "htaccess"),
            ("a\"; filename=b.html", "a filenameb.html"),
            ("Prüfung 2026 (final).pdf", "Prüfung 2026 (final).pdf"),
        ] {
            assert_eq!(shown(given).unwrap().file.unwrap().name, kept);
        }
        for nothing in ["", "   ", "/", "...", "\u{202e}"] {
            assert!(matches!(shown(nothing), Err(Error::Evidence(BAD_FILE))), "{nothing:?}");
        }
    }

    proptest! {
        #[test]
        fn no_name_breaks_out_of_a_header(name in any::<String>()) {
            if let Ok(shown) = shown(&name) {
                let kept = shown.file.unwrap().name;
                prop_assert!(!kept.is_empty() && kept.chars().count() <= LONGEST_NAME);
                prop_assert!(!kept.contains(['"', '/', '\\', ';', '\r', '\n', '\0']));
            }
        }
    }
}
