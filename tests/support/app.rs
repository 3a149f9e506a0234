//! The whole service, as a test has it: real rooms, real SQL, real routes; a clock whose hand the test holds, seeded
//! randomness, letters that are kept, and a look at everything that was left behind.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::TimeDelta;
use futures_util::TryStreamExt as _;
use serde_json::json;
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};
use vouchsafe::app::{App, Setup, load_documents};
use vouchsafe::audit::LogWatch;
use vouchsafe::base::{Clock, Entropy, ManualClock, PageSize, RequestId, Secret, TenantId, Timestamp};
use vouchsafe::blobs::KeyPrefix;
use vouchsafe::config::{Config, SecondFactor, TokenIssuer};
use vouchsafe::edge::Edge;
use vouchsafe::http::{Certificate, serve};
use vouchsafe::imaging::{Format, sample};
use vouchsafe::jobs::Jobs;
use vouchsafe::ledger::Logged;
use vouchsafe::mail;
use vouchsafe::policy::{Policy, Role};
use vouchsafe::store::jobs;
use vouchsafe::subjects::{NewAccount, Scope, SignedIn, StaffMember};
use vouchsafe::vault::Owner;

use super::call::{Call, Sender};
use super::{Backend, TestDb, source};

/// The tenant of whoever is not said to be another's.
pub(crate) const TENANT: &str = "flux-kontext";
/// The other one.
pub(crate) const OTHER_TENANT: &str = "opusflair";
/// When every test begins.
pub(crate) const START: &str = "2026-11-22T12:00:00Z";

const ISSUER: &str = "https://login.example";
const SHARED: &str = "a secret that an app and this service share";

/// The service, of one test alone. Dropped, it makes sure that no job was left in the queue.
pub(crate) struct TestApp {
    /// One handle of each room.
    pub(crate) app: App,
    /// What handlers are given.
    pub(crate) edge: Edge,
    /// The watch on the service's log; a test writes what it wants seen into it.
    pub(crate) logs: LogWatch,
    hand: ManualClock,
    router: axum::Router,
    leftover: AtomicBool,
    // Last, so that it goes last.
    ground: TestDb,
}

/// Somebody who is signed in.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    /// Who.
    pub(crate) owner: Owner,
    /// The value of their session's cookie.
    pub(crate) cookie: String,
}

/// A member of staff who is signed in.
#[derive(Debug, Clone)]
pub(crate) struct Staff {
    /// Who.
    pub(crate) member: StaffMember,
    /// The value of their session's cookie.
    pub(crate) cookie: String,
}

impl TestApp {
    /// A fresh service; `None`, and a word about it, when there is no such database to test on.
    pub(crate) async fn open(backend: Backend) -> Option<Self> {
        Self::open_with(backend, |_| {}).await
    }

    /// A fresh service under another configuration.
    pub(crate) async fn open_with(backend: Backend, change: impl FnOnce(&mut Config)) -> Option<Self> {
        Self::open_over(backend, None, change).await
    }

    /// A fresh service in development.
    pub(crate) async fn open_in_development(backend: Backend) -> Option<Self> {
        Self::open_with(backend, |config| config.server.development = true).await
    }

    /// A fresh service over this store of blobs.
    pub(crate) async fn open_over(
        backend: Backend,
        blobs: Option<vouchsafe::blobs::Settings>,
        change: impl FnOnce(&mut Config),
    ) -> Option<Self> {
        Self::open_as(backend, change, (documents(), blobs), None).await
    }

    /// A fresh service in which another program makes results anew.
    pub(crate) async fn open_redrawn_by(
        backend: Backend,
        redrawer: PathBuf,
        change: impl FnOnce(&mut Config),
    ) -> Option<Self> {
        Self::open_as(backend, change, (documents(), None), Some(redrawer)).await
    }

    /// A fresh service under other documents.
    pub(crate) async fn open_under(
        backend: Backend,
        change: impl FnOnce(&mut Config),
        documents: Vec<Policy>,
    ) -> Option<Self> {
        Self::open_as(backend, change, (documents, None), None).await
    }

    async fn open_as(
        backend: Backend,
        change: impl FnOnce(&mut Config),
        (documents, blobs): (Vec<Policy>, Option<vouchsafe::blobs::Settings>),
        redrawer: Option<PathBuf>,
    ) -> Option<Self> {
        let ground = TestDb::open(backend).await?;
        ground.main.close().await;
        ground.keys.close().await;
        let mut config = Config::throwaway(&ground.folder().join("data"));
        config.server.development = false;
        config.server.public_url = "https://vouchsafe.test".to_owned();
        // What staff must prove besides is for the tests that are about it; they switch it on.
        config.staff.second_factor = Some(SecondFactor::Off);
        config.tokens = vec![TokenIssuer {
            tenant: TENANT.parse().unwrap(),
            issuer: ISSUER.to_owned(),
            audience: "vouchsafe".to_owned(),
            hs256_secret: Some(Secret::new(SHARED.to_owned())),
            jwks_file: None,
            jwks_url: None,
            role: None,
        }];
        if let Some((main, keys)) = ground.addresses() {
            config.store.postgres = Some(Secret::new(main));
            config.store.keystore_postgres = Some(Secret::new(keys));
        }
        change(&mut config);
        let (clock, hand) = Clock::manual(Timestamp::parse_rfc3339(START).unwrap());
        let logs = LogWatch::new();
        let setup = Setup {
            config,
            clock,
            entropy: Entropy::seeded(2026),
            documents,
            mail: Some(mail::Settings::Recorded),
            blobs,
            redrawer: Some(redrawer.unwrap_or_else(|| env!("CARGO_BIN_EXE_vouchsafe").into())),
            logs: Some(logs.clone()),
        };
        let app = App::open(setup).await.unwrap();
        let edge = Edge::new(app.clone()).await.unwrap();
        let router = vouchsafe::http::router(edge.clone());
        Some(Self { app, edge, logs, hand, router, leftover: AtomicBool::new(false), ground })
    }

    /// The same, with other routes: the pages, or all of them.
    pub(crate) fn with_router(mut self, router: axum::Router) -> Self {
        self.router = router;
        self
    }

    /// The data folder: every file that the service keeps, but for PostgreSQL's own.
    pub(crate) fn data(&self) -> PathBuf {
        self.ground.folder().join("data")
    }

    /// A folder of this test's own, beside the data.
    pub(crate) fn folder(&self) -> &Path {
        self.ground.folder()
    }

    /// What time it is.
    pub(crate) fn now(&self) -> Timestamp {
        self.app.clock.now()
    }

    /// Moves the clock.
    pub(crate) fn advance(&self, by: TimeDelta) {
        self.hand.advance(by);
    }

    /// From here on no two readings of the clock are the same, as with a real one.
    pub(crate) fn let_the_clock_tick(&self) {
        self.hand.tick_by(TimeDelta::microseconds(7));
    }

    /// Does everything that is due now, the queue and every reconciler.
    pub(crate) async fn settle(&self) {
        Jobs::new(self.app.clone()).settle().await.unwrap();
    }

    /// Works the queue alone: what was asked for at a door is written, and edits are made.
    pub(crate) async fn work(&self) {
        while Jobs::new(self.app.clone()).work().await.unwrap() > 0 {}
    }

    /// The first tenant.
    pub(crate) fn tenant(&self) -> TenantId {
        TENANT.parse().unwrap()
    }

    /// Opens an account, with a hundred credits, and signs its owner in.
    pub(crate) async fn person(&self, email: &str) -> Person {
        self.person_of(TENANT, email).await
    }

    /// The same in a tenant.
    pub(crate) async fn person_of(&self, tenant: &str, email: &str) -> Person {
        let tenant: TenantId = tenant.parse().unwrap();
        let local = email.split('@').next().unwrap_or("nobody");
        let new = NewAccount {
            email: email.parse().unwrap(),
            name: format!("{local} of {tenant}"),
            username: local.to_owned(),
        };
        let owner = self.app.subjects.open(&tenant, new).await.unwrap();
        self.app.credits.grant(&owner, 100, "granted").await.unwrap();
        let cookie = self.sign_in(&SignedIn::Subject(owner.clone())).await;
        Person { owner, cookie }
    }

    /// Takes somebody on and signs them in.
    pub(crate) async fn staff(&self, role: Role) -> Staff {
        self.staff_of(TENANT, role).await
    }

    /// The same in a tenant.
    pub(crate) async fn staff_of(&self, tenant: &str, role: Role) -> Staff {
        let email = format!("{}@{tenant}.example", role.as_str()).parse().unwrap();
        let member = self.app.subjects.hire(&tenant.parse().unwrap(), &email, role).await.unwrap();
        let cookie = self.sign_in(&SignedIn::Staff(member.clone())).await;
        Staff { member, cookie }
    }

    /// Signs somebody in, and gives the value of their session's cookie.
    pub(crate) async fn sign_in(&self, who: &SignedIn) -> String {
        let link = self.app.subjects.direct_link(who, TimeDelta::minutes(1)).await.unwrap();
        let redeemed = self.app.subjects.redeem(who.tenant(), link.token.expose(), None).await.unwrap();
        redeemed.cookie.expose().clone()
    }

    /// Makes a key for the first tenant's app.
    pub(crate) async fn api_key(&self, scopes: &[Scope]) -> Sender {
        self.api_key_of(TENANT, scopes).await
    }

    /// Makes a key for a tenant's app.
    pub(crate) async fn api_key_of(&self, tenant: &str, scopes: &[Scope]) -> Sender {
        let tenant = tenant.parse().unwrap();
        let minted = self.app.subjects.mint_api_key(&tenant, "a test's", scopes, None).await.unwrap();
        Sender::bearer(minted.text.expose())
    }

    /// A token of the first tenant's identity provider for the one it calls `login`, good for five minutes. Who that is,
    /// [`vouchsafe::subjects::Subjects::add_login`] says.
    pub(crate) fn token(&self, login: &str) -> Sender {
        let now = self.now().micros() / 1_000_000;
        self.token_with(login, json!({ "iat": now }))
    }

    /// The same, with more claims and no `iat` of its own.
    pub(crate) fn token_with(&self, login: &str, more: serde_json::Value) -> Sender {
        let until = self.now().plus(TimeDelta::minutes(5)).micros() / 1_000_000;
        let mut claims = json!({ "iss": ISSUER, "aud": "vouchsafe", "sub": login, "exp": until });
        claims.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let key = jsonwebtoken::EncodingKey::from_secret(SHARED.as_bytes());
        Sender::bearer(&jsonwebtoken::encode(&jsonwebtoken::Header::default(), &claims, &key).unwrap())
    }

    /// Who [`TestApp::token`] is from.
    pub(crate) fn issuer(&self) -> &'static str {
        ISSUER
    }

    /// A call. `method` and `path` as in `app.call("GET", "/v1/account").by(&ada).send()`.
    pub(crate) fn call(&self, method: &str, path: &str) -> Call {
        Call::new(self.router.clone(), method, path)
    }

    pub(crate) fn get(&self, path: &str) -> Call {
        self.call("GET", path)
    }

    pub(crate) fn post(&self, path: &str) -> Call {
        self.call("POST", path)
    }

    pub(crate) fn put(&self, path: &str) -> Call {
        self.call("PUT", path)
    }

    pub(crate) fn patch(&self, path: &str) -> Call {
        self.call("PATCH", path)
    }

    pub(crate) fn delete(&self, path: &str) -> Call {
        self.call("DELETE", path)
    }

    /// Uploads a photograph and gives the image's id.
    pub(crate) async fn upload(&self, person: &Person, seed: u64) -> String {
        let call = self.post("/v1/images").by(person).body("image/jpeg", photograph(seed));
        let answer = call.send().await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        answer.json()["id"].as_str().unwrap().to_owned()
    }

    /// Asks for an edit of an image, and gives its id. It is done with the next [`TestApp::settle`].
    pub(crate) async fn edit(&self, person: &Person, image: &str) -> String {
        let asked = json!({ "inputs": [image], "prompt": "make it warmer" });
        let answer = self.post("/v1/edits").by(person).json(&asked).send().await;
        assert_eq!(answer.status, 201, "{}", answer.text());
        answer.json()["id"].as_str().unwrap().to_owned()
    }

    /// A question of theirs that waits for an answer by people, and its id.
    pub(crate) async fn question(&self, person: &Person) -> RequestId {
        let filed =
            self.app.requests.file(&person.owner, super::house::question(&person.owner)).await.unwrap();
        filed.request.id
    }

    /// Every letter that was sent, oldest first.
    pub(crate) fn mails(&self) -> Vec<mail::Sent> {
        self.app.post.sent()
    }

    /// The token of the newest link to `path` in a letter to this address.
    pub(crate) fn mailed_token(&self, to: &str, path: &str) -> Option<String> {
        let part = format!("{path}?token=");
        self.mails().iter().rev().filter(|sent| sent.to == to).find_map(|sent| {
            let (_, rest) = sent.letter.text.split_once(&part)?;
            rest.split_whitespace().next().map(ToOwned::to_owned)
        })
    }

    /// Has a person's address changed, by the link in the letter to the new one.
    pub(crate) async fn move_to(&self, person: &Person, to: &str) {
        let asked = json!({ "email": to });
        assert_eq!(self.patch("/v1/account").by(person).json(&asked).send().await.status, 200);
        self.settle().await;
        let token = self.mailed_token(to, "/address/confirm").expect("a letter to the new address");
        self.app.requests.confirm_address(&person.owner.tenant, &token, None).await.unwrap();
    }

    /// The same person, who signed in again just now.
    pub(crate) async fn again(&self, person: &Person) -> Person {
        let cookie = self.sign_in(&SignedIn::Subject(person.owner.clone())).await;
        Person { owner: person.owner.clone(), cookie }
    }

    /// Every entry of the ledger, oldest first.
    pub(crate) async fn ledger_entries(&self) -> Vec<Logged> {
        self.app.ledger.sequence().await.unwrap();
        let (mut all, mut after) = (Vec::new(), None::<String>);
        loop {
            let size = PageSize::new(200).unwrap();
            let page = self.app.ledger.tail(size, after.as_deref()).await.unwrap();
            all.extend(page.items);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        all.sort_by_key(|logged| logged.index);
        all
    }

    /// The kinds of the ledger's entries, oldest first.
    pub(crate) async fn ledger_kinds(&self) -> Vec<String> {
        self.ledger_entries().await.iter().map(|logged| logged.leaf.kind.to_string()).collect()
    }

    /// The keys of every blob that lies in the store.
    pub(crate) async fn blobs(&self) -> Vec<String> {
        let listed: Vec<_> = self.app.blobs.list(KeyPrefix::all(), None).try_collect().await.unwrap();
        listed.iter().map(|blob| blob.key.to_string()).collect()
    }

    /// Jobs that wait, and jobs that were set aside.
    pub(crate) async fn queue(&self) -> (i64, i64) {
        let mut tx = self.app.db.read().await.unwrap();
        jobs::counts(&mut tx).await.unwrap()
    }

    /// This test ends with work in the queue, and means to.
    pub(crate) fn leave_the_queue(&self) {
        self.leftover.store(true, Ordering::SeqCst);
    }

    /// Serves the routes on a port of this machine until what is given back is dropped.
    pub(crate) async fn listen(&self) -> (SocketAddr, DropGuard) {
        self.listen_with(None).await
    }

    /// As [`TestApp::listen`]; with a certificate, over TLS.
    pub(crate) async fn listen_with(&self, certificate: Option<Certificate>) -> (SocketAddr, DropGuard) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        (address, self.serve_on(listener, certificate))
    }

    /// As [`TestApp::listen`] on a port that is taken already.
    pub(crate) fn listen_on(&self, listener: TcpListener) -> DropGuard {
        self.serve_on(listener, None)
    }

    fn serve_on(&self, listener: TcpListener, certificate: Option<Certificate>) -> DropGuard {
        let stop = CancellationToken::new();
        let stopped = stop.clone().cancelled_owned();
        let served = serve(self.edge.clone(), (listener, certificate), axum::Router::new(), stopped);
        #[expect(clippy::disallowed_methods, reason = "a test's server ends with the test")]
        tokio::spawn(served);
        stop.drop_guard()
    }
}

/// The shipped documents, compiled once.
pub(crate) fn documents() -> Vec<Policy> {
    static COMPILED: OnceLock<Vec<Policy>> = OnceLock::new();
    COMPILED.get_or_init(|| load_documents(&source::root().join("policies")).unwrap()).clone()
}

/// A picture as a camera writes it, with EXIF and a place in it.
pub(crate) fn photograph(seed: u64) -> Vec<u8> {
    sample::photograph(seed, "a test's", Format::Jpeg).unwrap()
}

impl Drop for TestApp {
    fn drop(&mut self) {
        let handle = tokio::runtime::Handle::current();
        let many = handle.runtime_flavor() == tokio::runtime::RuntimeFlavor::MultiThread;
        if std::thread::panicking() || !many {
            return;
        }
        let left = tokio::task::block_in_place(|| {
            handle.block_on(async {
                let left = self.queue().await;
                self.app.close().await;
                left
            })
        });
        assert!(left == (0, 0) || self.leftover.load(Ordering::SeqCst), "jobs left in the queue: {left:?}");
    }
}
