//! What an app's server is told of: Standard Webhooks 1.0, out of the house.
//!
//! Promises: what happened is put down in the transaction of the change, and told at least once; the id of a message is
//! the same on every try, so that a receiver can drop what it has; each message is signed with a secret that is sealed at
//! rest and shown once; ids alone are told; of an erased person nothing is told any more but, once, that they are gone.
//! Must never: follow a redirect, call an address that is not public (but this machine, in development), read an
//! answer's body, or let one receiver keep the others waiting.

mod deliver;
mod error;
mod model;
mod sign;
mod sql;
mod tell;

pub use error::Error;
pub use model::{Delivery, DeliveryState, Event, State, Webhook, Why};
pub use tell::LastWord;

use std::sync::Arc;

use chrono::TimeDelta;
use tokio::sync::Notify;

use crate::base::{
    Clock, DeliveryId, Entropy, MessageId, Page, PageSize, Secret, TenantId, Timestamp, WebhookId,
};
use crate::crypto::{self, Place};
use crate::egress::{Egress, EgressError, Names, Recipient, Url};
use crate::keystore::Keystore;
use crate::store::{Db, Tx};
use sign::Signing;

/// The service's key under which secrets, and whom a last word is about, are sealed.
const KEY: &str = "webhooks";
/// What the way out calls the app's servers.
const RECIPIENT: &str = "webhook";
/// Most webhooks of a tenant.
const MOST: usize = 10;
/// Most characters of an address.
const MOST_URL: usize = 2_000;
/// Most characters of a label.
const MOST_LABEL: usize = 80;
/// How long the secret before signs as well, after a change.
const OVERLAP: TimeDelta = TimeDelta::hours(24);

/// Webhooks. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Webhooks {
    db: Db,
    keys: Keystore,
    egress: Egress,
    nudge: Arc<Notify>,
    clock: Clock,
    entropy: Entropy,
}

/// What webhooks are made of.
#[derive(Debug)]
pub struct Parts {
    /// The database.
    pub db: Db,
    /// The keys.
    pub keys: Keystore,
    /// Where the addresses of names come from.
    pub names: Names,
    /// Whether this machine may be called, over plain HTTP too.
    pub development: bool,
    /// What time it is.
    pub clock: Clock,
    /// Randomness.
    pub entropy: Entropy,
}

/// A webhook to be, or what is to be changed of one.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// The address.
    pub url: Option<String>,
    /// What it is told of; of everything, if empty.
    pub events: Option<Vec<Event>>,
    /// What its owner calls it.
    pub label: Option<String>,
    /// Whether it is told of events.
    pub on: Option<bool>,
}

/// A webhook and its secret, which is shown this once.
#[derive(Debug)]
pub struct Minted {
    /// The webhook.
    pub webhook: Webhook,
    /// `whsec_…`.
    pub secret: Secret<String>,
}

fn secret_place(tenant: &TenantId, id: WebhookId) -> Place {
    Place::new("webhook").with(tenant.as_str()).with(id.as_bytes())
}

fn message_place(tenant: &TenantId, id: MessageId) -> Place {
    Place::new("webhook_message").with(tenant.as_str()).with(id.as_bytes())
}

impl Webhooks {
    /// Over its parts.
    pub fn new(parts: Parts) -> Result<Self, Error> {
        let Parts { db, keys, names, development, clock, entropy } = parts;
        let recipient = Recipient::named(RECIPIENT).anywhere();
        let recipient = if development { recipient.this_machine() } else { recipient };
        let egress = Egress::new(vec![recipient], &names, clock.clone()).map_err(|_| Error::Egress)?;
        Ok(Self { db, keys, egress, nudge: Arc::default(), clock, entropy })
    }

    /// Is notified when there is something to be told that need not wait for the next look.
    pub fn nudge(&self) -> &Notify {
        &self.nudge
    }

    /// Makes a webhook. Its secret is shown here and never again.
    pub async fn register(&self, tenant: &TenantId, change: Change) -> Result<Minted, Error> {
        let blank = Webhook {
            id: WebhookId::new(&self.clock, &self.entropy),
            tenant: tenant.clone(),
            url: String::new(),
            events: Vec::new(),
            label: String::new(),
            state: State::On,
            made_at: self.clock.now(),
            old_until: None,
            failing_since: None,
            failures: 0,
        };
        let webhook = self.changed(blank, change)?;
        let secret = Signing::generate(&self.entropy);
        let sealed = self.sealed(&webhook, &secret).await?;
        let mut tx = self.db.begin().await?;
        tx.take_turn(&format!("webhooks/{tenant}")).await?;
        if sql::webhook::list(&mut tx, tenant).await?.len() >= MOST {
            return Err(Error::TooMany(MOST));
        }
        sql::webhook::insert(&mut tx, &webhook, &sealed).await?;
        tx.commit().await?;
        Ok(Minted { webhook, secret: secret.text() })
    }

    /// A tenant's webhooks, oldest first.
    pub async fn list(&self, tenant: &TenantId) -> Result<Vec<Webhook>, Error> {
        let mut tx = self.db.read().await?;
        Ok(sql::webhook::list(&mut tx, tenant).await?)
    }

    /// A webhook of a tenant.
    pub async fn get(&self, tenant: &TenantId, id: WebhookId) -> Result<Webhook, Error> {
        let mut tx = self.db.read().await?;
        sql::webhook::get(&mut tx, tenant, id).await?.ok_or(Error::NotFound)
    }

    /// Changes a webhook. What waits for one that is turned on again is told now; what happened while it was off is not.
    pub async fn change(&self, tenant: &TenantId, id: WebhookId, change: Change) -> Result<Webhook, Error> {
        let mut tx = self.db.begin().await?;
        let found = sql::webhook::get(&mut tx, tenant, id).await?.ok_or(Error::NotFound)?;
        let changed = self.changed(found, change)?;
        sql::webhook::change(&mut tx, &changed).await?;
        tx.commit().await?;
        Ok(changed)
    }

    /// Removes a webhook with its secrets and its log. Nothing is told to it any more.
    pub async fn remove(&self, tenant: &TenantId, id: WebhookId) -> Result<(), Error> {
        let mut tx = self.db.begin().await?;
        if !sql::webhook::delete(&mut tx, tenant, id).await? {
            return Err(Error::NotFound);
        }
        Ok(tx.commit().await?)
    }

    /// Gives a webhook a new secret, shown here and never again. The one before signs as well for a day.
    pub async fn rotate(&self, tenant: &TenantId, id: WebhookId) -> Result<Minted, Error> {
        let found = self.get(tenant, id).await?;
        let secret = Signing::generate(&self.entropy);
        let sealed = self.sealed(&found, &secret).await?;
        let until = self.clock.now().plus(OVERLAP);
        let mut tx = self.db.begin().await?;
        if !sql::webhook::rotate(&mut tx, (tenant, id), &sealed, until).await? {
            return Err(Error::NotFound);
        }
        tx.commit().await?;
        Ok(Minted { webhook: Webhook { old_until: Some(until), ..found }, secret: secret.text() })
    }

    /// Tells a webhook that nothing happened, so that its owner sees whether it is heard. Gives the delivery.
    pub async fn test(&self, tenant: &TenantId, id: WebhookId) -> Result<Delivery, Error> {
        let mut tx = self.db.begin().await?;
        let found = sql::webhook::get(&mut tx, tenant, id).await?.ok_or(Error::NotFound)?;
        if found.state != State::On {
            return Err(Error::BadValue("the webhook is off; turn it on first"));
        }
        let message = self.message(tenant, Event::Test, (None, Some(id.to_string())));
        let delivery = DeliveryId::new(&self.clock, &self.entropy);
        sql::delivery::insert_message(&mut tx, &message, None).await?;
        sql::delivery::insert_delivery(&mut tx, delivery, id, &message).await?;
        let delivery = sql::delivery::one(&mut tx, tenant, delivery).await?.ok_or(Error::NotFound)?;
        tx.commit().await?;
        Ok(delivery)
    }

    /// A page of what a webhook was told, newest first.
    pub async fn log(
        &self,
        tenant: &TenantId,
        id: WebhookId,
        (before, size): (Option<&str>, PageSize),
    ) -> Result<Page<Delivery>, Error> {
        let most = i64::try_from(size.get()).unwrap_or(i64::MAX) + 1;
        let mut tx = self.db.read().await?;
        sql::webhook::get(&mut tx, tenant, id).await?.ok_or(Error::NotFound)?;
        let rows = sql::delivery::log(&mut tx, (tenant, id), before, most).await?;
        Ok(Page::cut(rows, size, |d| d.id.to_string()))
    }

    /// Tells something again, now, under the id it had: delivered before or given up.
    pub async fn again(&self, tenant: &TenantId, id: DeliveryId) -> Result<Delivery, Error> {
        let mut tx = self.db.begin().await?;
        sql::delivery::one(&mut tx, tenant, id).await?.ok_or(Error::NotFound)?;
        if !sql::delivery::again(&mut tx, tenant, id, self.clock.now()).await? {
            return Err(Error::Blanked);
        }
        let delivery = sql::delivery::one(&mut tx, tenant, id).await?.ok_or(Error::NotFound)?;
        tx.commit().await?;
        Ok(delivery)
    }

    /// How many webhooks of a tenant were stopped by us and wait for a hand.
    pub async fn stopped(&self, tenant: &TenantId) -> Result<u64, Error> {
        let mut tx = self.db.read().await?;
        Ok(u64::try_from(sql::webhook::count_stopped(&mut tx, tenant).await?).unwrap_or(0))
    }

    fn changed(&self, webhook: Webhook, change: Change) -> Result<Webhook, Error> {
        let mut changed = webhook;
        if let Some(url) = change.url {
            changed.url = self.address(&url)?;
        }
        if changed.url.is_empty() {
            return Err(Error::BadValue("url is missing"));
        }
        if let Some(mut events) = change.events {
            events.sort_unstable();
            events.dedup();
            changed.events = events;
        }
        if let Some(label) = change.label {
            if label.chars().count() > MOST_LABEL || label.chars().any(char::is_control) {
                return Err(Error::BadValue("label: at most 80 characters, on one line"));
            }
            changed.label = label;
        }
        match change.on {
            Some(true) => {
                (changed.state, changed.failing_since, changed.failures) = (State::On, None, 0);
            }
            Some(false) => changed.state = State::Off,
            None => {}
        }
        Ok(changed)
    }

    /// An address that may be called at all, as it will be called.
    fn address(&self, text: &str) -> Result<String, Error> {
        if text.chars().count() > MOST_URL {
            return Err(Error::BadValue("url: at most 2,000 characters"));
        }
        let mut url = Url::parse(text).map_err(|_| Error::BadValue("url is not one"))?;
        url.set_fragment(None);
        match self.egress.check(RECIPIENT, &url) {
            Ok(()) => Ok(url.to_string()),
            Err(EgressError::PrivateAddress) => {
                Err(Error::BadValue("url leads to an address that is not public"))
            }
            Err(_) => Err(Error::BadValue("url: https://, port 443, a public host, no user name in it")),
        }
    }

    async fn sealed(&self, webhook: &Webhook, secret: &Signing) -> Result<Vec<u8>, Error> {
        let key = self.keys.system(KEY).await?;
        let place = secret_place(&webhook.tenant, webhook.id);
        Ok(crypto::seal(&key, &place, secret.bytes(), &self.entropy))
    }

    /// The secrets that sign now, the newest first.
    async fn live(&self, webhook: &Webhook) -> Result<Vec<Signing>, Error> {
        let found = {
            let mut tx = self.db.read().await?;
            sql::webhook::secrets(&mut tx, &webhook.tenant, webhook.id).await?
        };
        let (secret, old, until) = found.ok_or(Error::NotFound)?;
        let old = old.filter(|_| until.is_some_and(|t| self.clock.now() < Timestamp::from_micros(t)));
        let key = self.keys.system(KEY).await?;
        let place = secret_place(&webhook.tenant, webhook.id);
        let open = |sealed: &Vec<u8>| {
            let plain = crypto::open(&key, &place, sealed).ok()?;
            Signing::from_slice(&plain)
        };
        let live: Option<Vec<_>> = std::iter::once(&secret).chain(&old).map(open).collect();
        live.ok_or(Error::Sealed)
    }

    /// Turns a webhook off, and says so where the operator sees it.
    async fn stop(&self, tx: &mut Tx, webhook: &Webhook, why: Why) -> Result<(), Error> {
        let (_, word) = State::Stopped(why).columns();
        let word = word.unwrap_or_default();
        if !sql::webhook::stop(tx, webhook, word).await? {
            return Ok(());
        }
        let (id, tenant) = (webhook.id, &webhook.tenant);
        tracing::error!(webhook = %id, %tenant, why = word, "a webhook was stopped; its app is told of nothing now");
        Ok(())
    }
}
