//! Every right of a person as a workflow, from filing to proof.
//!
//! Promises: whatever is filed has a number and two clocks from the second it arrived, the promise's and the law's, and
//! neither moves the other; nothing is called done before it is done, and an erasure not before another way of looking
//! finds nothing left; a step that fails says why and is tried again; what is closed has a receipt that its owner can
//! check without us, after their erasure too. Must never: release anything on an address alone, write an archive to a
//! disk, or give a table the chance to be forgotten.

mod address;
mod answer;
mod by_hand;
mod copies;
mod desk;
mod erase;
mod error;
mod export;
mod filing;
mod fulfil;
mod gaps;
mod handover;
mod held;
mod identity;
mod model;
mod papers;
mod reasons;
mod receipts;
mod rectify;
mod sql;
mod standing;
mod take_home;
mod tick;
mod titles;

pub use address::AddressBy;
pub use by_hand::{Correction, Field};
pub use desk::{Counted, QueueFilter, RefusalReason, RefusalText, Said, remedy};
pub use erase::{ErasedAgain, Erasure, ErasureState, LastLetter, StaysByLaw};
pub use error::{Below, Error};
pub use export::Archive;
pub use filing::{Arrived, Ask, CATEGORY, Filed, Filing, MOST_WORDS, Way};
pub use fulfil::PURPOSE;
pub use gaps::missing_in_words;
pub use handover::{Handed, Handing, LONGEST_SILENCE, MOST_OF_HANDOVER};
pub use identity::TO_SHOW;
pub use model::{Alarm, BadStep, Due, Event, Lapsed, Prepared, Request, State};
pub use papers::{LONGEST_REMARK, Papers, Proposal, Remark};
pub use reasons::{LONGEST_REASON, SHORTEST_REASON};
pub use receipts::{ErasureProofs, Issued, IssuedKind};
pub use standing::{IN_ARCHIVES, Place};
pub use tick::Ticked;
pub use titles::title;

use chrono::TimeDelta;

use crate::archive::Signer;
use crate::base::{Clock, Entropy, EntryId, RequestId, TenantId, Timestamp};
use crate::billing::Credits;
use crate::consent::Consents;
use crate::disclosure::Disclosures;
use crate::editing::Editing;
use crate::elsewhere::Elsewhere;
use crate::keystore::Keystore;
use crate::ledger::{Entry, EntryKind, Ledger};
use crate::policy::{Fact, Facts, Library};
use crate::store::{Db, Tx};
use crate::subjects::Subjects;
use crate::vault::{Owner, Vault};
use crate::webhooks::Webhooks;

/// Every right as a workflow. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Requests {
    db: Db,
    keys: Keystore,
    vault: Vault,
    subjects: Subjects,
    consents: Consents,
    credits: Credits,
    editing: Editing,
    elsewhere: Elsewhere,
    disclosures: Disclosures,
    webhooks: Webhooks,
    ledger: Ledger,
    library: Library,
    signer: Signer,
    settings: Settings,
    clock: Clock,
    entropy: Entropy,
}

/// What a deployment may choose.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// How long an erasure can be taken back, if it is not asked for at once. Cut so that it is done within the
    /// promised time.
    pub grace: TimeDelta,
    /// How long a prepared archive can be had.
    pub archive_for: TimeDelta,
}

impl Default for Settings {
    fn default() -> Self {
        Self { grace: TimeDelta::hours(72), archive_for: TimeDelta::days(30) }
    }
}

/// What the room is made of.
#[derive(Debug)]
pub struct Parts {
    /// The main database.
    pub db: Db,
    /// The keys.
    pub keys: Keystore,
    /// The door to personal data.
    pub vault: Vault,
    /// Accounts.
    pub subjects: Subjects,
    /// People's words.
    pub consents: Consents,
    /// Credits.
    pub credits: Credits,
    /// Edits.
    pub editing: Editing,
    /// Accounts elsewhere.
    pub elsewhere: Elsewhere,
    /// The register of what left.
    pub disclosures: Disclosures,
    /// What the app's server is told.
    pub webhooks: Webhooks,
    /// Where what happened is written down.
    pub ledger: Ledger,
    /// The documents.
    pub library: Library,
    /// Signs archives.
    pub signer: Signer,
    /// What a deployment may choose.
    pub settings: Settings,
    /// What time it is.
    pub clock: Clock,
    /// Randomness.
    pub entropy: Entropy,
}

impl Requests {
    /// Over its parts.
    pub fn new(parts: Parts) -> Self {
        let Parts { db, keys, vault, subjects, consents, credits, editing, elsewhere, disclosures, .. } =
            parts;
        let Parts { webhooks, ledger, library, signer, settings, clock, entropy, .. } = parts;
        Self {
            db,
            keys,
            vault,
            subjects,
            consents,
            credits,
            editing,
            elsewhere,
            disclosures,
            webhooks,
            ledger,
            library,
            signer,
            settings,
            clock,
            entropy,
        }
    }

    /// The key that verifies the archives this room hands out.
    pub fn archive_key(&self) -> crate::archive::VerifyingKey {
        self.signer.verifying()
    }

    /// Writes a changed request. [`Error::Raced`] when somebody else changed it since it was read.
    async fn save(&self, tx: &mut Tx, mut request: Request) -> Result<Request, Error> {
        if !sql::request::update(tx, &request).await? {
            return Err(Error::Raced);
        }
        request.revision += 1;
        Ok(request)
    }

    /// Adds to a request's history.
    async fn note(
        &self,
        tx: &mut Tx,
        request: &Request,
        (role, kind): (&str, &str),
        note: Option<&str>,
        entry: Option<EntryId>,
    ) -> Result<(), Error> {
        let event = Event {
            at: self.clock.now(),
            role: role.to_owned(),
            kind: kind.to_owned(),
            note: note.map(ToOwned::to_owned),
            entry: entry.map(|e| e.to_string()),
        };
        let id = EntryId::new(&self.clock, &self.entropy).to_string();
        Ok(sql::request::insert_event(tx, &id, (&request.tenant, request.id), &event).await?)
    }

    /// The beginning of a ledger entry about a request.
    async fn entry(
        &self,
        kind: EntryKind,
        owner: &Owner,
        role: &str,
        request: &Request,
    ) -> Result<Entry, Error> {
        Ok(Entry::new(kind, self.clock.now(), &owner.tenant, role)
            .about(self.vault.subject_ref(owner).await?)
            .fact("right", request.right.as_str())
            .fact("request", request.id.to_string()))
    }

    /// When the row of a request that closes now must go, by the document.
    fn purge_at(&self, tenant: &TenantId, received_at: Timestamp) -> Result<Option<Timestamp>, Error> {
        let facts = Facts::new().with(Fact::Created, received_at).with(Fact::RequestClosed, self.clock.now());
        Ok(self.vault.policy(tenant)?.due(filing::CATEGORY, &facts).at())
    }

    /// A request of a person.
    pub async fn get(&self, owner: &Owner, id: RequestId) -> Result<Request, Error> {
        let found = self.find(&owner.tenant, id).await?;
        if found.subject == Some(owner.subject) { Ok(found) } else { Err(Error::NotFound) }
    }

    /// A request of a tenant: for staff, and for whoever has just erased themself.
    pub async fn find(&self, tenant: &TenantId, id: RequestId) -> Result<Request, Error> {
        let mut tx = self.db.read().await?;
        sql::request::get(&mut tx, tenant, id).await?.ok_or(Error::NotFound)
    }
}

fn owner_of(request: &Request) -> Result<Owner, Error> {
    request.subject.map(|id| Owner::new(&request.tenant, id)).ok_or(Error::NotFound)
}
