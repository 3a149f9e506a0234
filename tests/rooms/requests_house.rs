//! A house with every room that a request goes through, two documents, and people in it.

use bytes::Bytes;
use chrono::TimeDelta;
use serde_json::json;
use vouchsafe::archive::Signer;
use vouchsafe::base::{Clock, Entropy, ManualClock, ObjectId, RequestId, Secret, TenantId, Timestamp};
use vouchsafe::billing::Credits;
use vouchsafe::blobs::{Blobs, FolderSettings, Settings as BlobSettings};
use vouchsafe::consent::Consents;
use vouchsafe::crypto::Key;
use vouchsafe::disclosure::Disclosures;
use vouchsafe::editing::{self, Editing, NewEdit};
use vouchsafe::egress::Names;
use vouchsafe::elsewhere::{self, Elsewhere};
use vouchsafe::imaging::{self, sample::Shot};
use vouchsafe::keystore::{Epochs, Keystore, SealKey};
use vouchsafe::ledger::{EntryKind, Filter, Ledger, Logged, SignerKey};
use vouchsafe::policy::{Channel, Facts, Library, Policy};
use vouchsafe::requests::{Ask, Filed, Filing, Parts, Request, Requests, Settings};
use vouchsafe::subjects::{NewAccount, Subjects};
use vouchsafe::vault::{self, Actor, NewRecord, Owner, Vault};
use vouchsafe::webhooks::{self, Webhooks};

use crate::support::{TestDb, source};

pub(super) struct House {
    pub(super) db: TestDb,
    pub(super) hand: ManualClock,
    pub(super) clock: Clock,
    pub(super) keys: Keystore,
    pub(super) ledger: Ledger,
    pub(super) ledger_key: SignerKey,
    pub(super) vault: Vault,
    pub(super) subjects: Subjects,
    pub(super) consents: Consents,
    pub(super) credits: Credits,
    pub(super) editing: Editing,
    pub(super) requests: Requests,
}

pub(super) fn flux() -> TenantId {
    "flux-kontext".parse().unwrap()
}

fn library() -> Library {
    let library = Library::new();
    for path in ["policies/flux-kontext/2026-11-01.md", "policies/opusflair/2026-05-05.md"] {
        let text = std::fs::read_to_string(source::root().join(path)).unwrap();
        library.add(Policy::compile(&text).unwrap()).unwrap();
    }
    library
}

impl House {
    pub(super) async fn new(db: TestDb) -> Self {
        let (clock, hand) = Clock::manual(Timestamp::parse_rfc3339("2026-12-01T09:00:00Z").unwrap());
        let (c, e) = (|| clock.clone(), Entropy::system);
        let seal = SealKey::from_hex(&Secret::new(hex::encode(Key::generate(&e()).expose()))).unwrap();
        let epochs = Epochs::open(&db.folder().join("epochs"), seal, clock.now(), &e()).unwrap();
        let keys = Keystore::new(db.keys.clone(), epochs, c(), e());
        let blobs = BlobSettings::Folder(FolderSettings::new(db.folder().join("blobs")));
        let blobs = Blobs::open(blobs, &clock, &e()).unwrap();
        let ledger_key = SignerKey::ledger("example.org/ledger", &Secret::new([42; 32])).unwrap();
        let head = db.folder().join("ledger.head");
        let main = || db.main.clone();
        let ledger = Ledger::open(main(), ledger_key.clone(), c(), e(), head).await.unwrap();
        let library = library();
        let vault = Vault::new(vault::Parts {
            db: main(),
            keys: keys.clone(),
            blobs,
            ledger: ledger.clone(),
            library: library.clone(),
            clock: c(),
            entropy: e(),
        });
        let subjects = Subjects::new(main(), keys.clone(), vault.clone(), ledger.clone(), c(), e());
        let consents = Consents::new(main(), vault.clone(), ledger.clone(), c(), e());
        let credits = Credits::new(main(), c(), e());
        let disclosures = Disclosures::new(main(), vault.clone(), ledger.clone(), c(), e());
        let webhooks = Webhooks::new(webhooks::Parts {
            db: main(),
            keys: keys.clone(),
            names: Names::System,
            development: false,
            clock: c(),
            entropy: e(),
        })
        .unwrap();
        let editing = Editing::new(editing::Parts {
            db: main(),
            keys: keys.clone(),
            ledger: ledger.clone(),
            vault: vault.clone(),
            credits: credits.clone(),
            disclosures: disclosures.clone(),
            webhooks: webhooks.clone(),
            outside: editing::Outside::default(),
            limits: imaging::Limits::default(),
            clock: c(),
            entropy: e(),
        });
        let elsewhere = Elsewhere::new(elsewhere::Parts {
            db: main(),
            keys: keys.clone(),
            vault: vault.clone(),
            ledger: ledger.clone(),
            disclosures: disclosures.clone(),
            invoices: vouchsafe::billing::Invoices::new(vault.clone()),
            recipients: Vec::new(),
            clock: c(),
            entropy: e(),
        });
        let requests = Requests::new(Parts {
            db: main(),
            keys: keys.clone(),
            vault: vault.clone(),
            subjects: subjects.clone(),
            consents: consents.clone(),
            credits: credits.clone(),
            editing: editing.clone(),
            elsewhere,
            disclosures,
            webhooks,
            ledger: ledger.clone(),
            library,
            signer: Signer::new("example.org/take-home", &Secret::new([7; 32])).unwrap(),
            settings: Settings::default(),
            clock: c(),
            entropy: e(),
        });
        let clock = clock.clone();
        Self {
            db,
            hand,
            clock,
            keys,
            ledger,
            ledger_key,
            vault,
            subjects,
            consents,
            credits,
            editing,
            requests,
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(super) fn wait(&self, hours: i64) {
        self.hand.advance(TimeDelta::hours(hours));
    }

    /// Somebody with an account and credits.
    pub(super) async fn person(&self, tenant: &TenantId, name: &str) -> Owner {
        let email = format!("{name}@example.org").parse().unwrap();
        let new = NewAccount { email, name: name.to_owned(), username: format!("{name}-user") };
        let owner = self.subjects.open(tenant, new).await.unwrap();
        self.credits.grant(&owner, 20, "granted").await.unwrap();
        owner
    }

    /// An upload, edited with these words. Gives the result.
    pub(super) async fn edit(&self, owner: &Owner, words: &str) -> ObjectId {
        let shot = Shot { width: 64, height: 48, ..Shot::default() };
        let picture = Bytes::from(imaging::sample::shoot(&shot).unwrap());
        let actor = Actor::Subject(owner.subject);
        let upload = self.editing.upload(owner, &actor, picture).await.unwrap();
        let new = NewEdit { inputs: vec![upload.id], prompt: words.to_owned(), ..NewEdit::default() };
        let edit = self.editing.create(owner, &actor, new).await.unwrap();
        self.editing.run(owner, edit.id).await.unwrap();
        self.editing.get(owner, edit.id).await.unwrap().output.unwrap()
    }

    /// An upload that nobody has edited.
    pub(super) async fn upload(&self, owner: &Owner) -> ObjectId {
        let shot = Shot { width: 64, height: 48, seed: 3, ..Shot::default() };
        let picture = Bytes::from(imaging::sample::shoot(&shot).unwrap());
        self.editing.upload(owner, &Actor::Subject(owner.subject), picture).await.unwrap().id
    }

    /// A record of a category that nothing else makes.
    pub(super) async fn record(&self, owner: &Owner, category: &str, value: serde_json::Value) {
        let new = NewRecord { category, name: "event", value, parent: None, facts: Facts::new() };
        self.vault.add_record(owner, new).await.unwrap();
    }

    pub(super) async fn page_view(&self, owner: &Owner) {
        self.record(owner, "analytics", json!({"page": "/", "duration": 12})).await;
    }

    pub(super) async fn ask(&self, owner: &Owner, ask: Ask) -> Filed {
        self.requests.file(owner, asked(owner, ask, None)).await.unwrap()
    }

    pub(super) async fn request(&self, tenant: &TenantId, id: RequestId) -> Request {
        self.requests.find(tenant, id).await.unwrap()
    }

    pub(super) async fn holds(&self, owner: &Owner, category: &str) -> i64 {
        let holdings = self.vault.holdings(owner).await.unwrap();
        holdings.iter().filter(|h| h.category == category).map(|h| h.images + h.records).sum()
    }

    /// The ledger's entries of a kind, newest first.
    pub(super) async fn logged(&self, tenant: &TenantId, kind: &str) -> Vec<Logged> {
        self.ledger.sequence().await.unwrap();
        let filter = Filter { kind: Some(kind.parse::<EntryKind>().unwrap()), subject: None };
        self.ledger
            .list(tenant, &filter, vouchsafe::base::PageSize::new(200).unwrap(), None)
            .await
            .unwrap()
            .items
    }

    pub(super) async fn kinds(&self, request: &Request) -> Vec<String> {
        let events = self.requests.timeline(&request.tenant, request.id).await.unwrap();
        events.into_iter().map(|e| e.kind).collect()
    }
}

pub(super) fn asked(owner: &Owner, ask: Ask, words: Option<&str>) -> Filing {
    Filing {
        ask,
        channel: Channel::Page,
        by: Actor::Subject(owner.subject),
        proved: true,
        words: words.map(|w| Secret::new(w.to_owned())),
    }
}
