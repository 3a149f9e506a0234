//! An installation with people in it, and what is known of it by somebody who does not ask it.

use std::fs;
use std::path::{Path, PathBuf};

use age::secrecy::ExposeSecret as _;
use bytes::Bytes;
use chrono::TimeDelta;

use crate::app::{App, Setup, Standby};
use crate::archive::EncryptTo;
use crate::backup::{self, How, Order, Unlock, What};
use crate::base::{Clock, Entropy, ManualClock, ObjectId, Secret, TenantId, Timestamp};
use crate::config::Config;
use crate::crypto;
use crate::imaging::sample::{self, Shot};
use crate::jobs::{Jobs, Task};
use crate::keystore::Owner as KeyOwner;
use crate::mail;
use crate::policy::{Facts, Policy, Role};
use crate::subjects::{NewAccount, Scope};
use crate::vault::{self, Access, Actor, NewObject, Owner};

/// The document that the people of the drill live under.
const DOCUMENT: &str = include_str!("../../../policies/flux-kontext/2026-11-01.md");
pub(super) const TENANT: &str = "flux-kontext";
/// A consent that is given and taken back.
pub(super) const TRAINING: &str = "training";
/// The morning on which it begins.
const MORNING: &str = "2026-11-22T09:00:00Z";

/// A picture, as somebody remembers it who saw it stored.
pub(super) struct Picture {
    pub(super) id: ObjectId,
    pub(super) sha256: [u8; 32],
    /// The step at which it was stored, and at which it was erased.
    pub(super) came: usize,
    pub(super) gone: Option<usize>,
}

/// A person, as somebody remembers them.
pub(super) struct Person {
    pub(super) owner: Owner,
    /// A word that stands in their name, their address and their pictures, and nowhere else.
    pub(super) word: String,
    pub(super) came: usize,
    pub(super) gone: Option<usize>,
    pub(super) withdrew: bool,
    /// Their wrapped keys, as they lay in the keystore in each epoch.
    pub(super) wrapped: Vec<Vec<u8>>,
    pub(super) pictures: Vec<Picture>,
}

/// A backup that was taken.
pub(super) struct Backup {
    pub(super) what: What,
    pub(super) file: PathBuf,
    pub(super) keys: Vec<Unlock>,
    /// The step at which it was taken.
    pub(super) at: usize,
    /// The epoch of then.
    pub(super) epoch: i64,
}

/// A whole service on a folder of its own, and everything that is remembered of it.
pub(super) struct Town {
    pub(super) app: App,
    /// The data folder.
    pub(super) data: PathBuf,
    /// Where backups are kept.
    pub(super) kept: PathBuf,
    pub(super) people: Vec<Person>,
    pub(super) backups: Vec<Backup>,
    /// An app's key that was revoked, as the app has it.
    pub(super) revoked: Option<String>,
    pub(super) step: usize,
    config: Config,
    clock: Clock,
    hand: ManualClock,
    chance: Entropy,
    identity: age::x25519::Identity,
}

fn tenant() -> anyhow::Result<TenantId> {
    Ok(TENANT.parse()?)
}

impl Town {
    pub(super) async fn found(home: &Path, seed: u64) -> anyhow::Result<Self> {
        let (data, kept) = (home.join("data"), home.join("backups"));
        fs::create_dir_all(&kept)?;
        let start = Timestamp::parse_rfc3339(MORNING).unwrap_or(Timestamp::from_micros(0));
        let (clock, hand) = Clock::manual(start);
        let config = Config::throwaway(&data);
        let app = open(&config, &clock).await?;
        let chance = Entropy::seeded(seed);
        let identity = age::x25519::Identity::generate();
        let (people, backups) = (Vec::new(), Vec::new());
        Ok(Self {
            app,
            data,
            kept,
            people,
            backups,
            revoked: None,
            step: 0,
            config,
            clock,
            hand,
            chance,
            identity,
        })
    }

    /// A number below `n`, by the seed.
    pub(super) fn pick(&self, n: usize) -> usize {
        let [a, b] = self.chance.bytes::<2>();
        usize::from(u16::from_be_bytes([a, b])) % n.max(1)
    }

    /// The service stopped.
    pub(super) async fn stop(&self) {
        self.app.close().await;
    }

    /// The service started again.
    pub(super) async fn start(&mut self) -> anyhow::Result<()> {
        self.app = open(&self.config, &self.clock).await?;
        Ok(())
    }

    /// What is left of it when it is stopped.
    pub(super) async fn standby(&self) -> anyhow::Result<Standby> {
        Ok(Standby::of(&self.config, self.clock.clone(), Entropy::system()).await?)
    }

    /// The next thing happens; a minute passes.
    fn next(&mut self) -> usize {
        self.hand.advance(TimeDelta::minutes(1));
        self.step += 1;
        self.step
    }

    /// Time passes until then, if it has not.
    pub(super) fn pass_until(&self, then: Timestamp) {
        self.hand.advance(then.since(self.clock.now()).max(TimeDelta::zero()));
    }

    /// Those who are still there.
    pub(super) fn living(&self) -> Vec<usize> {
        let there = self.people.iter().enumerate().filter(|(_, p)| p.gone.is_none());
        there.map(|(n, _)| n).collect()
    }

    fn somebody(&self) -> Option<usize> {
        let living = self.living();
        living.get(self.pick(living.len())).copied()
    }

    /// Something happens, by the seed.
    pub(super) async fn live(&mut self) -> anyhow::Result<()> {
        match self.pick(12) {
            0 | 1 => self.arrive().await?,
            2..=4 => self.photograph().await?,
            5 | 6 => self.erase_picture().await?,
            7 => self.erase_somebody().await?,
            8 => self.withdraw().await?,
            9 => self.rotate().await?,
            10 => self.back_up(What::Data).await?,
            _ => self.back_up(What::Keystore).await?,
        }
        // Not after each: a backup may be taken while entries wait.
        if self.pick(2) == 0 {
            self.app.ledger.sequence().await?;
        }
        Ok(())
    }

    /// Somebody comes, agrees to something, and stores a picture.
    pub(super) async fn arrive(&mut self) -> anyhow::Result<()> {
        let came = self.next();
        let word = format!("heron{}", hex::encode(self.chance.bytes::<6>()));
        let email = format!("{word}@example.org").parse()?;
        let account = NewAccount { email, name: word.clone(), username: word.clone() };
        let owner = self.app.subjects.open(&tenant()?, account).await?;
        self.app.consents.set(&owner, TRAINING, true, "sign-up").await?;
        let (wrapped, pictures) = (Vec::new(), Vec::new());
        self.people.push(Person { owner, word, came, gone: None, withdrew: false, wrapped, pictures });
        self.photograph_of(self.people.len() - 1).await
    }

    async fn photograph(&mut self) -> anyhow::Result<()> {
        match self.somebody() {
            Some(n) => self.photograph_of(n).await,
            None => Ok(()),
        }
    }

    async fn photograph_of(&mut self, n: usize) -> anyhow::Result<()> {
        let (came, seed) = (self.next(), self.pick(1000) as u64);
        let Some(person) = self.people.get_mut(n) else { return Ok(()) };
        let shot = Shot { seed, caption: &person.word, width: 96, height: 64, ..Shot::default() };
        let picture = sample::shoot(&shot)?;
        let sha256 = crypto::sha256(&picture);
        let new = NewObject {
            category: "output-image",
            media_type: "image/jpeg",
            parent: None,
            facts: Facts::new(),
            size: Some((96, 64)),
            most_bytes: 1 << 20,
        };
        let body = futures_util::stream::iter([Ok::<_, vault::Error>(Bytes::from(picture))]);
        let stored = self.app.vault.put_object(&person.owner, new, body).await?;
        person.pictures.push(Picture { id: stored.id, sha256, came, gone: None });
        Ok(())
    }

    async fn remember_keys(&mut self, n: usize) -> anyhow::Result<()> {
        if let Some(person) = self.people.get_mut(n) {
            let owner = KeyOwner { tenant: &person.owner.tenant, subject: person.owner.subject };
            person.wrapped.extend(self.app.keys.wrapped_of(owner).await?);
        }
        Ok(())
    }

    pub(super) async fn erase_picture(&mut self) -> anyhow::Result<()> {
        let step = self.next();
        let Some(n) = self.somebody() else { return Ok(()) };
        let chosen = self.pick(8);
        let Some(person) = self.people.get_mut(n) else { return Ok(()) };
        let mut there: Vec<&mut Picture> = person.pictures.iter_mut().filter(|p| p.gone.is_none()).collect();
        let len = there.len().max(1);
        let Some(picture) = there.get_mut(chosen % len) else { return Ok(()) };
        self.app.vault.erase_object(&person.owner, picture.id, Role::Service).await?;
        picture.gone = Some(step);
        Ok(())
    }

    pub(super) async fn erase_somebody(&mut self) -> anyhow::Result<()> {
        let step = self.next();
        // Somebody always stays, so that there is somebody to compare with.
        if self.living().len() < 3 {
            return Ok(());
        }
        let Some(n) = self.somebody() else { return Ok(()) };
        self.remember_keys(n).await?;
        let Some(person) = self.people.get_mut(n) else { return Ok(()) };
        let erased = self.app.requests.erase(&person.owner, Role::Service).await?;
        anyhow::ensure!(erased.is_some(), "an erasure was not made");
        person.gone = Some(step);
        Ok(())
    }

    async fn withdraw(&mut self) -> anyhow::Result<()> {
        self.next();
        let Some(n) = self.somebody() else { return Ok(()) };
        let Some(person) = self.people.get_mut(n) else { return Ok(()) };
        if !person.withdrew {
            self.app.consents.set(&person.owner, TRAINING, false, "privacy-centre").await?;
            person.withdrew = true;
        }
        Ok(())
    }

    /// An app is given a key, and it is revoked.
    pub(super) async fn revoke_a_key(&mut self, mint: bool) -> anyhow::Result<()> {
        self.next();
        if mint {
            let minted = self.app.subjects.mint_api_key(&tenant()?, "app", &[Scope::Metrics], None).await?;
            self.revoked = Some(minted.text.expose().clone());
        } else if let Some(id) = self.revoked.as_deref().and_then(|key| key.split('_').nth(1)) {
            self.app.subjects.revoke_api_key(&tenant()?, id).await?;
        }
        Ok(())
    }

    /// A new key epoch begins, and the one before the last is destroyed; the ledger is told.
    async fn rotate(&mut self) -> anyhow::Result<()> {
        self.next();
        // What the keys of those who will be erased looked like under the epoch that ends here.
        for n in self.living() {
            self.remember_keys(n).await?;
        }
        self.app.keys.rotate().await?;
        Jobs::new(self.app.clone()).reconcile(Task::Epochs, &|| false).await?;
        Ok(())
    }

    /// A backup is taken beside the service: of the data in clear, to a recipient or under a passphrase.
    pub(super) async fn back_up(&mut self, what: What) -> anyhow::Result<()> {
        let at = self.next();
        let file = self.kept.join(format!("{at}-{}", what.as_str()));
        let (to, keys) = match (what, self.pick(3)) {
            (What::Data, 1) => {
                let secret = Secret::new(self.identity.to_string().expose_secret().to_owned());
                let to = self.identity.to_public().to_string().parse()?;
                (Some(to), vec![Unlock::Identities(secret)])
            }
            (What::Data, 2) => {
                let secret = Secret::new(hex::encode(self.chance.bytes::<12>()));
                (Some(EncryptTo::passphrase(secret.clone())?), vec![Unlock::Passphrase(secret)])
            }
            _ => (None, Vec::new()),
        };
        let epoch = self.app.keys.epochs().last().map_or(0, |e| e.number);
        backup::take(&self.app, Order { what, to, without_blobs: false }, &file).await?;
        self.backups.push(Backup { what, file, keys, at, epoch });
        Ok(())
    }

    /// Puts a backup back, the service being stopped.
    pub(super) async fn put_back(&self, n: usize) -> anyhow::Result<()> {
        let Some(taken) = self.backups.get(n) else { return Ok(()) };
        let how = How { keys: taken.keys.clone(), replace: true };
        backup::put_back(&self.standby().await?, &taken.file, how).await?;
        Ok(())
    }

    /// A picture as its owner gets it.
    pub(super) async fn read(&self, owner: &Owner, id: ObjectId) -> Result<Vec<u8>, vault::Error> {
        let actor = Actor::Subject(owner.subject);
        let access = Access { actor: &actor, purpose: "provide-edits" };
        let open = self.app.vault.open_object(owner, &access, id, None).await?;
        Ok(open.read(1 << 20).await?.expose().clone())
    }
}

async fn open(config: &Config, clock: &Clock) -> anyhow::Result<App> {
    let document = Policy::compile(DOCUMENT)
        .map_err(|found| anyhow::anyhow!("the document has {} errors", found.len()))?;
    let setup = Setup {
        config: config.clone(),
        clock: clock.clone(),
        entropy: Entropy::system(),
        documents: vec![document],
        mail: Some(mail::Settings::Recorded),
        blobs: None,
        redrawer: None,
        logs: None,
    };
    Ok(Box::pin(App::open(setup)).await?)
}
