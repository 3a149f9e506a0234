//! A sign-in at somebody else's counts only with a token that their published keys have signed, for us, now.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use ed25519_dalek::SigningKey;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};
use vouchsafe::config::TokenIssuer;
use vouchsafe::policy::Proof;
use vouchsafe::subjects::NewAccount;

use super::{document, probed};
use crate::support::app::OTHER_TENANT;
use crate::support::call::Sender;
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
    let until = app.now().plus(TimeDelta::minutes(5)).micros() / 1_000_000;
    let mut claims = json!({ "iss": ISSUER, "aud": AUDIENCE, "sub": "user-1815", "exp": until });
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
