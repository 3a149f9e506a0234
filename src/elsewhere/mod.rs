//! A person's accounts elsewhere: what is held of them at Stripe and at Supabase is shown, corrected and seen to be gone,
//! as what lies here is.
//!
//! Promises: an account is known by the name that the app or its identity provider gave it, never found by an address; a
//! task is written down with the change that asks for it, has a time of its own, is tried until it is proved, and says
//! why it is not done yet; what stays there is told, with its reason and its end. Must never: call anything done because
//! a call was taken.

mod books;
mod error;
mod hear;
mod model;
mod sql;
mod tasks;
mod turn;

pub use error::Error;
pub use hear::Heard;
pub use model::{Account, Stays, Task, TaskKind, TaskState};

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::base::{Clock, Entropy, EntryId, TenantId};
use crate::billing::Invoices;
use crate::crypto::{self, Key, Place};
use crate::disclosure::{Disclosures, Sending};
use crate::egress::CallLog;
use crate::keystore::Keystore;
use crate::ledger::Ledger;
use crate::recipients::{Export, Memory, Recipient, RecipientError};
use crate::store::{self, Db};
use crate::vault::{Owner, Vault};

/// The service's key under which names and memories are sealed.
const KEY: &str = "elsewhere";
/// What a recipient knows of somebody who has an account there.
const SENT: &str = "account";

/// People's accounts elsewhere. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Elsewhere {
    db: Db,
    keys: Keystore,
    vault: Vault,
    ledger: Ledger,
    disclosures: Disclosures,
    invoices: Invoices,
    recipients: Arc<Vec<(TenantId, Recipient)>>,
    clock: Clock,
    entropy: Entropy,
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
    /// Where what happened is written down.
    pub ledger: Ledger,
    /// The register of what left.
    pub disclosures: Disclosures,
    /// Invoices.
    pub invoices: Invoices,
    /// Who is set up, for which tenant.
    pub recipients: Vec<(TenantId, Recipient)>,
    /// What time it is.
    pub clock: Clock,
    /// Randomness.
    pub entropy: Entropy,
}

/// What must be known to go on with a task. Sealed.
#[derive(Clone, Serialize, Deserialize)]
struct Note {
    /// What the account is called there.
    name: String,
    /// What the recipient's own steps remember.
    memory: Memory,
    /// Rows of the register that end with the task.
    disclosures: Vec<String>,
}

/// Where what somebody is called there belongs.
fn account_place(id: &str, tenant: &TenantId) -> Place {
    Place::new("elsewhere").with(id).with(tenant.as_str())
}

/// Where what a task has found out belongs.
fn task_place(id: &str, tenant: &TenantId) -> Place {
    Place::new("elsewhere-task").with(id).with(tenant.as_str())
}

/// For what a recipient is given what it holds.
fn purpose(processor: &str) -> &'static str {
    if processor == "stripe" { "billing" } else { "account" }
}

impl Elsewhere {
    /// Over its parts.
    pub fn new(parts: Parts) -> Self {
        let Parts { db, keys, vault, ledger, disclosures, invoices, recipients, clock, entropy } = parts;
        let recipients = Arc::new(recipients);
        Self { db, keys, vault, ledger, disclosures, invoices, recipients, clock, entropy }
    }

    fn recipient(&self, tenant: &TenantId, processor: &str) -> Option<&Recipient> {
        self.recipients.iter().find(|(t, r)| t == tenant && r.name() == processor).map(|(_, r)| r)
    }

    /// The names of the recipients that are set up for a tenant.
    pub fn set_up(&self, tenant: &TenantId) -> Vec<&'static str> {
        self.recipients.iter().filter(|(t, _)| t == tenant).map(|(_, r)| r.name()).collect()
    }

    /// Asks each recipient whether it takes our key.
    pub async fn greet(&self) -> Vec<(TenantId, &'static str, Result<(), RecipientError>)> {
        let mut all = Vec::new();
        for (tenant, recipient) in self.recipients.iter() {
            let answer = recipient.greet(&CallLog::new()).await;
            all.push((tenant.clone(), recipient.name(), answer));
        }
        all
    }

    /// Notes what a person's account is called at a recipient, and that the recipient therefore holds something of them.
    /// Again is harmless. [`Error::Taken`] when it is somebody else's: nobody gets at another's payments by naming them.
    pub async fn link(&self, owner: &Owner, processor: &str, name: &str) -> Result<(), Error> {
        let recipient = self.recipient(&owner.tenant, processor).ok_or(Error::NotSetUp)?;
        if !recipient.is_account(name) {
            return Err(Error::BadName);
        }
        let index = self.index(&owner.tenant, processor, name).await?;
        if let Some(known) = self.by_name(&owner.tenant, processor, name).await? {
            return if known == *owner { Ok(()) } else { Err(Error::Taken) };
        }
        let id = EntryId::new(&self.clock, &self.entropy).to_string();
        let sealed = self.seal(&account_place(&id, &owner.tenant), name.as_bytes()).await?;
        let (purpose, categories) = (purpose(processor), [SENT]);
        let sending = Sending { processor, purpose, categories: &categories, edit: None, bytes: 0 };
        let mut tx = self.db.begin().await?;
        self.vault.standing_to_write(&mut tx, owner).await?;
        let row =
            sql::NewAccount { id: &id, processor, index: &index, sealed: &sealed, at: self.clock.now() };
        match sql::link(&mut tx, owner, &row).await {
            // Somebody was quicker; whose it is now, the next call tells.
            Err(store::Error::Duplicate) => return Err(Error::Taken),
            other => other?,
        }
        self.disclosures.record(&mut tx, owner, &sending).await?;
        tx.commit().await?;
        Ok(())
    }

    /// The same for a login of an identity provider that is a recipient as well; nothing for any other.
    pub async fn link_login(&self, owner: &Owner, issuer: &str, login: &str) -> Result<(), Error> {
        let is_its = |r: &Recipient| matches!(r, Recipient::Supabase(s) if s.issuer() == issuer);
        let found = self.recipients.iter().find(|(t, r)| *t == owner.tenant && is_its(r));
        let Some((_, recipient)) = found else { return Ok(()) };
        match self.link(owner, recipient.name(), login).await {
            // Whether somebody is let in does not hang on it.
            Err(why @ (Error::Taken | Error::BadName | Error::Disclosure(_))) => {
                tracing::warn!(error = %why, "a login is not noted as an account elsewhere");
                Ok(())
            }
            other => other,
        }
    }

    /// A person's accounts elsewhere, oldest first.
    pub async fn accounts(&self, owner: &Owner) -> Result<Vec<Account>, Error> {
        let mut tx = self.db.read().await?;
        Ok(sql::accounts(&mut tx, owner).await?)
    }

    /// Whose account it is that a recipient calls by this name.
    pub async fn by_name(
        &self,
        tenant: &TenantId,
        processor: &str,
        name: &str,
    ) -> Result<Option<Owner>, Error> {
        let index = self.index(tenant, processor, name).await?;
        let mut tx = self.db.read().await?;
        let found = sql::by_name(&mut tx, tenant, processor, &index).await?;
        Ok(found.map(|subject| Owner::new(tenant, subject)))
    }

    /// Everything that recipients hold of a person, by account.
    pub async fn export(&self, owner: &Owner) -> Result<Vec<(String, Export)>, Error> {
        let mut all = Vec::new();
        for account in self.accounts(owner).await? {
            let tenant = &owner.tenant;
            let recipient = self.recipient(tenant, &account.processor).ok_or(Error::NotSetUp)?;
            let name = self.name(tenant, &account).await?;
            let export = recipient.export(&name, &CallLog::new()).await;
            let export = export.map_err(|why| Error::Recipient(recipient.name(), why))?;
            all.push((account.processor, export));
        }
        Ok(all)
    }

    async fn index(&self, tenant: &TenantId, processor: &str, name: &str) -> Result<Vec<u8>, Error> {
        Ok(self.vault.blind_index(tenant, "elsewhere", &format!("{processor}\0{name}")).await?)
    }

    async fn name(&self, tenant: &TenantId, account: &Account) -> Result<String, Error> {
        let sealed = account.sealed.as_deref().ok_or(Error::NotFound)?;
        let plain = self.open(&account_place(&account.id, tenant), sealed).await?;
        let name =
            std::str::from_utf8(&plain).map_err(|_| store::Error::inconsistent("elsewhere", "sealed"))?;
        Ok(name.to_owned())
    }

    async fn note(&self, task: &Task) -> Result<Note, Error> {
        let sealed = task.sealed.as_deref().ok_or(Error::NotFound)?;
        Ok(self.keys.open_note(KEY, &task_place(&task.id, &task.tenant), sealed).await?)
    }

    async fn seal_note(&self, id: &str, tenant: &TenantId, note: &Note) -> Result<Vec<u8>, Error> {
        Ok(self.keys.seal_note(KEY, &task_place(id, tenant), note).await?)
    }

    async fn key(&self) -> Result<Key, Error> {
        Ok(self.keys.system(KEY).await?)
    }

    async fn seal(&self, place: &Place, plain: &[u8]) -> Result<Vec<u8>, Error> {
        Ok(crypto::seal(&self.key().await?, place, plain, &self.entropy))
    }

    async fn open(&self, place: &Place, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
        let plain = crypto::open(&self.key().await?, place, sealed);
        Ok(plain.map_err(|_| store::Error::inconsistent("elsewhere", "sealed"))?)
    }
}
