//! A sign-in at somebody else's counts only with a token that their published keys have signed, for us, now.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use ed25519_dalek::SigningKey;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use vouchsafe::base::RequestId;
use vouchsafe::config::TokenIssuer;
use vouchsafe::policy::Proof;
use vouchsafe::subjects::{NewAccount, Scope};

use super::{broken, count, document, entries, fact, found, kept, probed};
use crate::support::app::OTHER_TENANT;
use crate::support::call::Sender;
use crate::support::elsewhere::{BUCKET, There};
use crate::support::{Backend, TestApp};

const ISSUER: &str = "https://project.supabase.co/auth/v1";
const AUDIENCE: &str = "authenticated";
const KEY_ID: &str = "key-2026";

/// A key pair of the identity provider.
struct Pair(SigningKey);

impl Pair {
    fn new(seed: u8) -> Self {
        Self(SigningKey::from_bytes(&[seed; 32]))
    }

    fn public(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0.verifying_key().as_bytes())
    }

    /// What it publishes.
    fn set(&self) -> Value {
        let key = json!({ "kty": "OKP", "crv": "Ed25519", "kid": KEY_ID, "alg": "EdDSA", "use": "sig", "x": self.public() });
        json!({ "keys": [key] })
    }

    /// A token that it signs (the key as PKCS #8, RFC 8410).
    fn token(&self, claims: &Value) -> String {
        let mut der = hex::decode("302e020100300506032b657004220420").unwrap();
        der.extend_from_slice(self.0.as_bytes());
        let mut header = Header::new(Algorithm::EdDSA);
        header.kid = Some(KEY_ID.to_owned());
        encode(&header, claims, &EncodingKey::from_ed_der(&der)).unwrap()
    }
}

fn claims(app: &TestApp, change: impl FnOnce(&mut Value)) -> Value {
    let now = app.now().micros() / 1_000_000;
    let mut claims =
        json!({ "iss": ISSUER, "aud": AUDIENCE, "sub": "user-1815", "iat": now, "exp": now + 300 });
    change(&mut claims);
    claims
}

/// The service, with what the provider publishes in a file.
async fn service(backend: Backend, set: &Value) -> Option<(TestApp, tempfile::TempDir)> {
    let folder = tempfile::tempdir().unwrap();
    let file: &Path = &folder.path().join("jwks.json");
    std::fs::write(file, set.to_string()).unwrap();
    let app = TestApp::open_with(backend, |config| {
        config.tokens = vec![TokenIssuer {
            tenant: OTHER_TENANT.parse().unwrap(),
            issuer: ISSUER.to_owned(),
            audience: AUDIENCE.to_owned(),
            hs256_secret: None,
            jwks_file: Some(file.to_owned()),
            jwks_url: None,
            role: None,
        }];
    })
    .await?;
    Some((app, folder))
}

#[test]
fn the_document_says_who_signs_people_in_and_what_it_gets() {
    let policy = document(OTHER_TENANT);
    let supabase = policy.processor("supabase").unwrap();
    assert!(
        supabase.receives.iter().any(|c| c == "account") && !supabase.receives.iter().any(|c| c == "prompt")
    );
    assert!(policy.safeguards().any(|s| s.probe == "tokens-verified"));
    assert!(policy.rights().all(|r| r.proof.contains(&Proof::Session)));
}

async fn tokens_are_verified(backend: Backend) {
    let (theirs, strangers) = (Pair::new(7), Pair::new(8));
    let Some((app, _folder)) = service(backend, &theirs.set()).await else { return };
    let tenant = OTHER_TENANT.parse().unwrap();
    let new =
        NewAccount { email: "ada@example.org".parse().unwrap(), name: "Ada".into(), username: "ada".into() };
    let owner = app.app.subjects.open(&tenant, new).await.unwrap();
    app.app.subjects.add_login(&owner, ISSUER, "user-1815").await.unwrap();
    let asked = async |token: &str| app.get("/v1/account").by(Sender::bearer(token)).send().await;

    let good = asked(&theirs.token(&claims(&app, |_| {}))).await;
    assert_eq!((good.status, &good.json()["email"]), (200, &json!("ada@example.org")), "{}", good.text());

    // The public key taken for a shared secret, as a library that asks the token how to check it would.
    let mut header = Header::new(Algorithm::HS256);
    header.kid = Some(KEY_ID.to_owned());
    let confused =
        encode(&header, &claims(&app, |_| {}), &EncodingKey::from_secret(theirs.public().as_bytes()))
            .unwrap();
    let none = {
        let part = |v: &Value| URL_SAFE_NO_PAD.encode(v.to_string());
        format!("{}.{}.", part(&json!({ "alg": "none", "typ": "JWT" })), part(&claims(&app, |_| {})))
    };
    let valid = theirs.token(&claims(&app, |_| {}));
    let (body, signature) = valid.rsplit_once('.').unwrap();
    let mut other = body.split('.').map(ToOwned::to_owned).collect::<Vec<_>>();
    other[1] = URL_SAFE_NO_PAD.encode(claims(&app, |c| c["sub"] = json!("somebody-else")).to_string());
    let exchanged = format!("{}.{}.{signature}", other[0], other[1]);
    let late = app.now().plus(TimeDelta::minutes(-10)).micros() / 1_000_000;
    for (what, token) in [
        ("another's key", strangers.token(&claims(&app, |_| {}))),
        ("another's algorithm", confused),
        ("no signature", none),
        ("another's words under a true signature", exchanged),
        ("too late", theirs.token(&claims(&app, |c| c["exp"] = json!(late)))),
        ("for somebody else", theirs.token(&claims(&app, |c| c["aud"] = json!("other-app")))),
        ("from somebody else", theirs.token(&claims(&app, |c| c["iss"] = json!("https://evil.example")))),
        ("of nobody we know", theirs.token(&claims(&app, |c| c["sub"] = json!("user-1")))),
        ("without an end", theirs.token(&claims(&app, |c| drop(c.as_object_mut().unwrap().remove("exp"))))),
        ("no token", "nonsense".to_owned()),
    ] {
        assert_eq!(asked(&token).await.problem(401), "unauthenticated", "{what}");
    }
    let ran = probed(&app, OTHER_TENANT, "tokens-verified").await;
    assert_eq!(ran.check.outcome.found, 0, "{}", ran.check.outcome.figure);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_token_counts_by_its_published_key_sqlite() {
    tokens_are_verified(Backend::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_token_counts_by_its_published_key_postgres() {
    tokens_are_verified(Backend::Postgres).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_key_set_that_cannot_be_read_lets_nobody_in() {
    let theirs = Pair::new(7);
    let (app, _folder) = service(Backend::Sqlite, &json!({ "keys": "none" })).await.unwrap();
    let token = theirs.token(&claims(&app, |_| {}));
    assert_eq!(
        app.get("/v1/account").by(Sender::bearer(&token)).send().await.problem(401),
        "unauthenticated"
    );
}

/// The service, with a project whose keys are fetched from where it publishes them.
async fn with_project(backend: Backend) -> Option<(TestApp, There)> {
    let there = There::start().await;
    let app = TestApp::open_with(backend, |config| {
        there.configure(config);
        config.tokens = vec![TokenIssuer {
            tenant: OTHER_TENANT.parse().unwrap(),
            issuer: format!("{}/auth/v1", there.supabase.base()),
            audience: AUDIENCE.to_owned(),
            hs256_secret: None,
            jwks_file: None,
            jwks_url: Some(format!("{}/auth/v1/.well-known/jwks.json", there.supabase.base())),
            role: Some("authenticated".to_owned()),
        }];
    })
    .await?;
    Some((app, there))
}

/// What Supabase says of one of its users.
fn of_user(app: &TestApp, there: &There, user: &str, change: impl FnOnce(&mut Value)) -> Value {
    claims(app, |c| {
        c["iss"] = json!(format!("{}/auth/v1", there.supabase.base()));
        c["sub"] = json!(user);
        c["role"] = json!("authenticated");
        c["is_anonymous"] = json!(false);
        change(c);
    })
}

async fn keys_are_fetched(backend: Backend) {
    let Some((app, there)) = with_project(backend).await else { return };
    let (first, second) = (Pair::new(7), Pair::new(8));
    let user = there.supabase.add_user("ada@example.org");
    let ada = app.person_of(OTHER_TENANT, "ada@example.org").await;
    let issuer = format!("{}/auth/v1", there.supabase.base());
    app.app.subjects.add_login(&ada.owner, &issuer, &user).await.unwrap();
    let asked = async |token: &str| app.get("/v1/account").by(Sender::bearer(token)).send().await;
    let good = first.token(&of_user(&app, &there, &user, |_| {}));

    // A project with a shared secret publishes no keys: that lets nobody in.
    assert_eq!(asked(&good).await.problem(401), "unauthenticated");
    there.supabase.publish(&first.set());
    app.advance(TimeDelta::seconds(11));
    assert_eq!(asked(&good).await.status, 200);
    for (what, token) in [
        (
            "the service's own",
            first.token(&of_user(&app, &there, &user, |c| c["role"] = json!("service_role"))),
        ),
        ("nobody's", first.token(&of_user(&app, &there, &user, |c| c["is_anonymous"] = json!(true)))),
        ("for somebody else", first.token(&of_user(&app, &there, &user, |c| c["aud"] = json!(["other"])))),
    ] {
        assert_eq!(asked(&token).await.problem(401), "unauthenticated", "{what}");
    }
    let several = first.token(&of_user(&app, &there, &user, |c| c["aud"] = json!(["x", AUDIENCE])));
    assert_eq!(asked(&several).await.status, 200, "an audience may be one of several");
    let fetched = there.supabase.key_fetches();
    for _ in 0..20 {
        assert_eq!(asked(&good).await.status, 200);
    }
    assert_eq!(there.supabase.key_fetches(), fetched, "kept for ten minutes");

    // Another key under the same name: taken up when the old set has had its time, and not a minute later.
    there.supabase.publish(&second.set());
    app.advance(TimeDelta::minutes(11));
    let old = first.token(&of_user(&app, &there, &user, |_| {}));
    assert_eq!(asked(&old).await.problem(401), "unauthenticated");
    let new = second.token(&of_user(&app, &there, &user, |_| {}));
    assert_eq!(asked(&new).await.status, 200);
    kept(&app, OTHER_TENANT, "tokens-verified").await;
    there.supabase.publish(&json!({ "keys": [] }));
    broken(&app, OTHER_TENANT, "tokens-verified").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn keys_are_fetched_from_where_they_are_published_sqlite() {
    keys_are_fetched(Backend::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn keys_are_fetched_from_where_they_are_published_postgres() {
    keys_are_fetched(Backend::Postgres).await;
}

async fn a_login_is_looked_after(backend: Backend) {
    let Some((app, there)) = with_project(backend).await else { return };
    let theirs = Pair::new(7);
    there.supabase.publish(&theirs.set());
    let user = there.supabase.add_user("ada-canary@example.org");
    there.supabase.add_file(BUCKET, &format!("{user}/face.png"));
    let key = app.api_key_of(OTHER_TENANT, &[Scope::Accounts]).await;
    let login = json!({ "issuer": format!("{}/auth/v1", there.supabase.base()), "subject": user });
    let opening =
        json!({ "email": "ada-canary@example.org", "name": "Ada", "username": "ada", "login": login });
    let opened = app.post("/v1/accounts").by(key.clone()).json(&opening).send().await;
    assert_eq!(opened.status, 201);
    let ada = Sender::bearer(&theirs.token(&of_user(&app, &there, &user, |_| {})));

    // What is corrected here is corrected there; her app vouches for the new address, so that it counts at once.
    let new = json!({ "email": "ada-canary@new.example" });
    let key = key.on_behalf_of(opened.json()["subject"].as_str().unwrap());
    assert_eq!(app.patch("/v1/account").by(key).json(&new).send().await.status, 200);
    app.settle().await;
    assert_eq!(there.supabase.user(&user).unwrap()["email"], "ada-canary@new.example");

    // What is held there comes home.
    let asked = app.post("/v1/requests").by(ada.clone()).json(&json!({ "right": "access" })).send().await;
    let path = format!("/v1/requests/{}/archive", asked.json()["id"].as_str().unwrap());
    let zip = app.get(&path).by(ada.clone()).send().await;
    assert_eq!(zip.status, 200, "{}", zip.text());
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(zip.body)).unwrap();
    let mut text = String::new();
    std::io::Read::read_to_string(&mut zip.by_name("recipients/supabase.json").unwrap(), &mut text).unwrap();
    let held: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(held["tables"]["user"][0]["id"], *user);
    assert!(held["tables"]["files"][0]["path"].as_str().unwrap().ends_with("face.png"));

    // What is erased here is erased there, log and files and all, before it is called done.
    let erase = json!({ "right": "erasure", "at_once": true });
    let asked = app.post("/v1/requests").by(ada.clone()).json(&erase).send().await.json();
    assert_eq!(entries(&app, "erasure.completed").await.len(), 0, "not before Supabase has proved it");
    app.settle().await;
    app.advance(TimeDelta::minutes(1));
    app.settle().await;
    let id: RequestId = asked["id"].as_str().unwrap().parse().unwrap();
    let tenant = OTHER_TENANT.parse().unwrap();
    assert_eq!(app.app.requests.find(&tenant, id).await.unwrap().outcome.as_deref(), Some("fulfilled"));
    assert!(there.supabase.user(&user).is_none() && there.supabase.files().is_empty());
    assert!(!there.supabase.log_holds("ada-canary") && !there.supabase.log_holds(&user));
    assert_eq!(found(&app, &[user.as_str(), "ada-canary"]).await, [""; 0]);
    let done = entries(&app, "erasure.completed").await;
    assert_eq!(fact(&done[0], "at-supabase"), "files-gone+log-clean+read-back-deleted");
    let open = "SELECT COUNT(*) FROM disclosure WHERE processor = 'supabase' AND deleted_at IS NULL";
    assert_eq!(count(&app, open).await, 0);
    // A token outlives its user there for an hour; here it is nobody's at once.
    assert_eq!(app.get("/v1/account").by(ada).send().await.problem(401), "unauthenticated");
    there.is_content();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_login_is_shown_corrected_and_erased_at_supabase_sqlite() {
    a_login_is_looked_after(Backend::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_login_is_shown_corrected_and_erased_at_supabase_postgres() {
    a_login_is_looked_after(Backend::Postgres).await;
}
