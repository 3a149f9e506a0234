//! A house to be audited: real rooms over a test's own databases, one person who uses it, and ways to break it behind
//! the rooms' backs.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use chrono::TimeDelta;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use sqlx::AssertSqlSafe;
use vouchsafe::audit::{Audit, LogWatch, PageView, Pages, Parts, Settings, State, Verdict};
use vouchsafe::base::{Clock, Entropy, ManualClock, ObjectId, RecordId, Secret, TenantId, Timestamp};
use vouchsafe::blobs::{self, BlobKey, Blobs};
use vouchsafe::config::{Config, TokenIssuer};
use vouchsafe::consent::Consents;
use vouchsafe::disclosure::{Disclosures, Sending};
use vouchsafe::imaging::sample::{Shot, shoot};
use vouchsafe::imaging::{self, Format, Limits};
use vouchsafe::keystore::{Epochs, Keystore, SealKey};
use vouchsafe::ledger::{Entry, EntryKind, Ledger, SignerKey};
use vouchsafe::on;
use vouchsafe::policy::{Fact, Facts, Library, Policy, Role};
use vouchsafe::store::Db;
use vouchsafe::subjects::{NewAccount, StaffMember, Subjects};
use vouchsafe::vault::{self, NewObject, NewRecord, Owner, Vault};

use crate::support::{TestDb, source};

const START: &str = "2026-11-22T12:00:00Z";
const SEAL: &str = "5ea15ea15ea15ea15ea15ea15ea15ea15ea15ea15ea15ea15ea15ea15ea15ea1";

pub(super) struct House {
    pub(super) db: TestDb,
    pub(super) hand: ManualClock,
    pub(super) clock: Clock,
    pub(super) ledger: Ledger,
    pub(super) blobs: Blobs,
    pub(super) keys: Keystore,
    pub(super) library: Library,
    pub(super) vault: Vault,
    pub(super) subjects: Subjects,
    pub(super) consents: Consents,
    pub(super) disclosures: Disclosures,
    pub(super) logs: LogWatch,
    pub(super) served: Arc<Served>,
    pub(super) audit: Audit,
    pub(super) tenant: TenantId,
    pub(super) owner: Owner,
}

/// Pages as a test wants them.
#[derive(Debug)]
pub(super) struct Served(Mutex<Vec<PageView>>);

impl Served {
    pub(super) fn sound() -> Arc<Self> {
        let headers = [
            ("strict-transport-security", "max-age=63072000; includeSubDomains"),
            ("content-security-policy", "default-src 'none'; style-src 'self'; form-action 'self'"),
            ("set-cookie", "__Host-ask=x; Path=/; Secure; HttpOnly; SameSite=Lax"),
        ];
        let headers = headers.map(|(n, v)| (n.to_owned(), v.to_owned())).to_vec();
        let body =
            r#"<link rel="stylesheet" href="/assets/style.css"><a href="https://example.org/">elsewhere</a>"#;
        let page = PageView { path: "/".to_owned(), status: 200, headers, body: body.to_owned() };
        Arc::new(Self(Mutex::new(vec![page])))
    }

    pub(super) fn change(&self, with: impl FnOnce(&mut PageView)) {
        with(&mut self.0.lock().unwrap()[0]);
    }
}

impl Pages for Served {
    fn look<'a>(&'a self, _: &'a TenantId) -> BoxFuture<'a, Vec<PageView>> {
        let pages = self.0.lock().unwrap().clone();
        async move { pages }.boxed()
    }
}

/// The shipped document.
pub(super) fn document() -> String {
    std::fs::read_to_string(source::root().join("policies/flux-kontext/2026-11-01.md")).unwrap()
}

/// The shipped document, but that it lets the service open pictures to look after safety.
pub(super) fn open_document() -> String {
    let text = document();
    let input = "purposes = [\"provide-edits\"]\nsubject-may = [\"read\", \"delete\", \"export\"]\nminimise = \"strip-metadata\"";
    let output = "form = \"object\"\npurposes = [\"provide-edits\", \"training\"]";
    let access = "[access.app]";
    for part in [input, output, access] {
        assert!(text.contains(part), "{part}");
    }
    text.replace(input, &input.replace("[\"provide-edits\"]", "[\"provide-edits\", \"security\"]"))
        .replace(output, &output.replace("\"training\"]", "\"training\", \"security\"]"))
        .replace(
            access,
            "[access.safety]\nwho = \"service\"\ncategories = [\"input-image\", \"output-image\"]\npurposes = [\"security\"]\n\n[access.app]",
        )
}

fn config(db: &TestDb, tenant: &TenantId) -> Config {
    let mut config = Config::throwaway(&db.folder().join("data"));
    config.server.development = false;
    config.server.public_url = "https://vouchsafe.test".to_owned();
    config.tokens = vec![TokenIssuer {
        tenant: tenant.clone(),
        issuer: "https://login.example".to_owned(),
        audience: "vouchsafe".to_owned(),
        hs256_secret: Some(Secret::new("a secret that an app and this service share".to_owned())),
        jwks_file: None,
        jwks_url: None,
        role: None,
    }];
    config
}

impl House {
    /// A house in which everything is as it should be: a person with a picture, a result, a prompt and an invoice; a
    /// member of staff who looked at an account; a request in time; a copy at a provider, gone in time.
    pub(super) async fn healthy(db: TestDb) -> Self {
        Self::under(db, &document()).await
    }

    pub(super) async fn under(db: TestDb, document: &str) -> Self {
        let (clock, hand) = Clock::manual(Timestamp::parse_rfc3339(START).unwrap());
        let entropy = Entropy::seeded(2026);
        let seal = SealKey::from_hex(&Secret::new(SEAL.to_owned())).unwrap();
        let epochs = Epochs::open(&db.folder().join("epochs"), seal, clock.now(), &entropy).unwrap();
        let keys = Keystore::new(db.keys.clone(), epochs, clock.clone(), entropy.clone());
        let blobs = Blobs::open(blobs::Settings::Memory, &clock, &entropy).unwrap();
        let signer = SignerKey::ledger("example.org/ledger", &Secret::new([42; 32])).unwrap();
        let (main, head) = (db.main.clone(), db.folder().join("head"));
        let ledger = Ledger::open(main.clone(), signer, clock.clone(), entropy.clone(), head).await.unwrap();
        let policy = Policy::compile(document).unwrap_or_else(|d| panic!("{d:?}"));
        let tenant = policy.tenant().clone();
        let library = Library::new();
        library.add(policy).unwrap();
        let vault = Vault::new(vault::Parts {
            db: main.clone(),
            keys: keys.clone(),
            blobs: blobs.clone(),
            ledger: ledger.clone(),
            library: library.clone(),
            clock: clock.clone(),
            entropy: entropy.clone(),
        });
        let (c, e) = (clock.clone(), entropy.clone());
        let subjects = Subjects::new(main.clone(), keys.clone(), vault.clone(), ledger.clone(), c, e);
        let (c, e) = (clock.clone(), entropy.clone());
        let consents = Consents::new(main.clone(), vault.clone(), ledger.clone(), c, e);
        let disclosures = Disclosures::new(main, vault.clone(), ledger.clone(), clock.clone(), entropy);
        let new = NewAccount {
            email: "one@example.org".parse().unwrap(),
            name: "One".to_owned(),
            username: "one".to_owned(),
        };
        let owner = subjects.open(&tenant, new).await.unwrap();
        let (logs, served) = (LogWatch::new(), Served::sound());
        logs.see(b"INFO reconciled task=\"retention\" changed=3\n");
        let audit = Audit::new(Parts {
            db: db.main.clone(),
            vault: vault.clone(),
            keys: keys.clone(),
            blobs: blobs.clone(),
            ledger: ledger.clone(),
            library: library.clone(),
            disclosures: disclosures.clone(),
            config: config(&db, &tenant),
            settings: Settings {
                temporary: vec![db.folder().join("incoming")],
                logs: Some(logs.clone()),
                ..Settings::default()
            },
            clock: clock.clone(),
            entropy: Entropy::seeded(7),
        });
        let pages: Arc<dyn Pages> = served.clone();
        audit.see_pages(&pages);
        let house = Self {
            db,
            hand,
            clock,
            ledger,
            blobs,
            keys,
            library,
            vault,
            subjects,
            consents,
            disclosures,
            logs,
            served,
            audit,
            tenant,
            owner,
        };
        house.furnish().await;
        house
    }

    async fn furnish(&self) {
        self.image("input-image", stripped(), Facts::new()).await;
        self.image("output-image", marked(), Facts::new()).await;
        self.record("prompt", json!({"text": "a red house on a hill in the evening"})).await;
        self.record("billing", json!({"invoice-number": "A-1", "amount": 1900, "method": "card 4242"})).await;
        let staff = self.staff(Role::Support).await;
        self.staff_read(&staff, "account", "support").await;
        self.sql("INSERT INTO request (id, reference, tenant, subject, asked, state, channel, received_at, promise_due, \
            internal_due, legal_due, extended_due, alarm, tries, revision) VALUES ('req_1', 'R-1', '{tenant}', '{subject}', \
            'access', 'working', 'page', {now} - 3600000000, {now} + 259200000000, 0, 0, 0, 0, 0, 1)")
            .await;
        self.letter("acknowledged", "{now} - 3590000000").await;
        let sent = self.send("fal-ai").await;
        let mut tx = self.db.main.begin().await.unwrap();
        self.disclosures.gone(&mut tx, &self.tenant, &sent, "api-confirmed").await.unwrap();
        tx.commit().await.unwrap();
        self.ledger.sequence().await.unwrap();
    }

    /// Another auditor of the same house.
    pub(super) fn auditor(&self, change: impl FnOnce(&mut Config, &mut Settings)) -> Audit {
        let mut config = config(&self.db, &self.tenant);
        let mut settings = Settings::default();
        change(&mut config, &mut settings);
        Audit::new(Parts {
            db: self.db.main.clone(),
            vault: self.vault.clone(),
            keys: self.keys.clone(),
            blobs: self.blobs.clone(),
            ledger: self.ledger.clone(),
            library: self.library.clone(),
            disclosures: self.disclosures.clone(),
            config,
            settings,
            clock: self.clock.clone(),
            entropy: Entropy::seeded(8),
        })
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Makes a check; gives its verdict and figure.
    pub(super) async fn verdict(&self, probe: &str) -> (Verdict, String) {
        self.ledger.sequence().await.unwrap();
        let ran = self.audit.run(&self.tenant, probe).await.unwrap();
        (ran.check.outcome.verdict, ran.check.outcome.figure)
    }

    #[track_caller]
    pub(super) fn passes<'a>(&'a self, probe: &'a str) -> BoxFuture<'a, ()> {
        async move {
            let (verdict, figure) = self.verdict(probe).await;
            assert_eq!(verdict, Verdict::Passed, "{probe}: {figure}");
        }
        .boxed()
    }

    /// The check fails, and `says` stands in its figure.
    pub(super) async fn fails(&self, probe: &str, says: &str) {
        let (verdict, figure) = self.verdict(probe).await;
        assert_eq!(verdict, Verdict::Failed, "{probe}: {figure}");
        assert!(figure.contains(says), "{probe}: {figure}");
    }

    /// How a rule stands on the promise board.
    pub(super) async fn state(&self, rule: &str) -> State {
        let board = self.audit.promises(&self.tenant).await.unwrap();
        board.rule(rule).unwrap_or_else(|| panic!("{rule}")).state
    }

    pub(super) async fn image(&self, category: &str, bytes: Vec<u8>, facts: Facts) -> ObjectId {
        let new = NewObject {
            category,
            media_type: "image/jpeg",
            parent: None,
            facts,
            size: Some((64, 48)),
            most_bytes: 1 << 20,
        };
        let body = futures_util::stream::iter([Ok::<_, vault::Error>(Bytes::from(bytes))]);
        self.vault.put_object(&self.owner, new, body).await.unwrap().id
    }

    pub(super) async fn record(&self, category: &str, value: Value) -> RecordId {
        let facts = Facts::new().with(Fact::Created, self.now());
        let new = NewRecord { category, name: "event", value, parent: None, facts };
        self.vault.add_record(&self.owner, new).await.unwrap()
    }

    pub(super) async fn staff(&self, role: Role) -> StaffMember {
        let email = format!("{role}@example.org").parse().unwrap();
        self.subjects.hire(&self.tenant, &email, role).await.unwrap()
    }

    /// An entry of a read, whether or not the door would have let it happen.
    pub(super) async fn staff_read(&self, staff: &StaffMember, category: &str, purpose: &str) {
        let entry = Entry::new(EntryKind::READ_STAFF, self.now(), &self.tenant, staff.role.as_str())
            .about(self.vault.subject_ref(&self.owner).await.unwrap())
            .fact("category", category)
            .fact("purpose", purpose)
            .fact("staff", staff.id.to_string().as_str());
        self.append(entry).await;
    }

    pub(super) async fn append(&self, entry: Entry) {
        let mut tx = self.db.main.begin().await.unwrap();
        self.ledger.append(&mut tx, entry).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// A disclosure as the register knows it.
    pub(super) async fn send(&self, processor: &str) -> String {
        let sending = Sending {
            processor,
            purpose: "provide-edits",
            categories: &["input-image", "prompt"],
            edit: None,
            bytes: 1000,
        };
        let mut tx = self.db.main.begin().await.unwrap();
        let id = self.disclosures.record(&mut tx, &self.owner, &sending).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        id
    }

    /// A row of the register that no room wrote, with no entry on the ledger.
    pub(super) async fn smuggle(&self, processor: &str, purpose: &str, subject: bool) {
        let subject = if subject { "'{subject}'" } else { "NULL" };
        let text = "INSERT INTO disclosure (id, tenant, subject, processor, purpose, categories, bytes_out, sent_at) VALUES \
            ('smuggled-PROCESSOR', '{tenant}', SUBJECT, 'PROCESSOR', 'PURPOSE', 'prompt', 1, {now})";
        let text =
            text.replace("PROCESSOR", processor).replace("PURPOSE", purpose).replace("SUBJECT", subject);
        self.sql(&text).await;
    }

    /// Behind the rooms' backs. `{tenant}`, `{subject}` and `{now}` are filled in.
    pub(super) async fn sql(&self, text: &str) {
        self.run(&self.db.main, text, None).await;
    }

    /// The same, with bytes for `$1`.
    pub(super) async fn sql_with(&self, text: &str, bytes: Vec<u8>) {
        self.run(&self.db.main, text, Some(bytes)).await;
    }

    pub(super) async fn sql_of_keys(&self, text: &str, bytes: Option<Vec<u8>>) {
        self.run(&self.db.keys, text, bytes).await;
    }

    async fn run(&self, db: &Db, text: &str, bytes: Option<Vec<u8>>) {
        let text = text
            .replace("{tenant}", self.tenant.as_str())
            .replace("{subject}", &self.owner.subject.to_string())
            .replace("{now}", &self.now().micros().to_string());
        let mut tx = db.begin().await.unwrap();
        on!(tx, |c| {
            let query = sqlx::query(AssertSqlSafe(text.clone()));
            let query = if let Some(bytes) = bytes.clone() { query.bind(bytes) } else { query };
            query.execute(c).await.map(|_| ())
        })
        .unwrap();
        tx.commit().await.unwrap();
    }

    /// The note of a version's publication; `at` is when.
    pub(super) async fn published(&self, version: &str, at: &str) {
        let text = "INSERT INTO policy_version (tenant, version, effective_at, hash, source, published_at, entry) \
            VALUES ('{tenant}', 'VERSION', 0, $1, '', AT, '')";
        self.sql_with(&text.replace("VERSION", version).replace("AT", at), vec![0; 32]).await;
    }

    /// The note of a letter about the request; `sent` is when the mail server took it, or `NULL`.
    pub(super) async fn letter(&self, kind: &str, sent: &str) {
        let text = "INSERT INTO letter (tenant, request, kind, at, sent_at) VALUES ('{tenant}', 'req_1', 'KIND', {now}, SENT)";
        self.sql(&text.replace("KIND", kind).replace("SENT", sent)).await;
    }

    /// Bytes in the store that no picture's row knew of until now.
    pub(super) async fn raw_blob(&self, bytes: Vec<u8>) -> BlobKey {
        let key = BlobKey::new(&Entropy::seeded(99));
        let body = futures_util::stream::iter([Ok::<_, blobs::Error>(Bytes::from(bytes))]);
        self.blobs.put(&key, body).await.unwrap();
        key
    }

    pub(super) fn advance(&self, by: TimeDelta) {
        self.hand.advance(by);
    }
}

/// A photograph as a camera wrote it.
pub(super) fn raw() -> Vec<u8> {
    shoot(&Shot { caption: "a caption", format: Format::Jpeg, width: 64, height: 48, ..Shot::default() })
        .unwrap()
}

/// The same after the intake.
pub(super) fn stripped() -> Vec<u8> {
    let raw = raw();
    let inspected = imaging::inspect(&raw, &Limits::default()).unwrap();
    imaging::strip(&raw, &inspected).unwrap()
}

/// The same after an edit.
pub(super) fn marked() -> Vec<u8> {
    imaging::mark(&raw(), imaging::DigitalSourceType::CompositeWithTrainedAlgorithmicMedia).unwrap()
}
