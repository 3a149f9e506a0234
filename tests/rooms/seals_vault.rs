//! Vault's transit engine as the seal, against a server that checks what Vault checks.

use vouchsafe::base::{Clock, Entropy, Secret, Timestamp};
use vouchsafe::keystore::{Epochs, Error, Seal, SealFault, Seals};
use vouchsafe::seals::{Login, VaultSettings, vault};

use crate::support::transit::{FakeVault, ROLE, TOKEN, Trouble};

fn now() -> Timestamp {
    Timestamp::parse_rfc3339("2026-05-05T12:00:00Z").unwrap()
}

fn seal(settings: VaultSettings) -> Seal {
    vault(settings, &Clock::system(), &Entropy::system()).unwrap()
}

async fn open(folder: &std::path::Path, settings: VaultSettings, name: &str) -> Result<Epochs, Error> {
    Epochs::open_with(folder, Seals::new(vec![seal(settings)]), name, now(), &Entropy::system()).await
}

fn fault(opened: Result<Epochs, Error>) -> SealFault {
    match opened {
        Err(Error::Seal { seal, fault }) => {
            assert_eq!(seal, "vault:transit/vouchsafe");
            fault
        }
        other => panic!("{other:?}"),
    }
}

fn role(secret: &str) -> Login {
    Login::AppRole {
        mount: "approle".to_owned(),
        role_id: Secret::new(ROLE.0.to_owned()),
        secret_id: Secret::new(secret.to_owned()),
    }
}

#[tokio::test]
async fn an_epoch_is_wrapped_by_transit_and_given_back_by_it_alone() {
    let (dir, fake) = (tempfile::tempdir().unwrap(), FakeVault::start().await);
    open(dir.path(), fake.with_token(), "flux.example/ledger").await.unwrap();
    assert_eq!(fake.calls(), ["keys", "encrypt", "decrypt"]);
    assert_eq!(open(dir.path(), fake.with_token(), "flux.example/ledger").await.unwrap().alive().len(), 1);
    assert_eq!(fault(open(dir.path(), fake.with_token(), "opus.example/ledger").await), SealFault::Foreign);
}

#[tokio::test]
async fn each_way_to_sign_in_works_and_a_wrong_one_is_refused() {
    let (dir, fake) = (tempfile::tempdir().unwrap(), FakeVault::start().await);
    let wrong = fake.settings(Login::Token(Secret::new("hvs.other".to_owned())));
    let refused = open(dir.path(), wrong, "i").await;
    assert!(!refused.as_ref().unwrap_err().to_string().contains("hvs."));
    assert_eq!(fault(refused), SealFault::Refused);
    assert_eq!(fault(open(dir.path(), fake.settings(role("wrong")), "i").await), SealFault::Refused);

    open(dir.path(), fake.settings(role(ROLE.1)), "i").await.unwrap();
    assert_eq!(fake.logins(), 1, "one token serves for many calls");

    let path = dir.path().join("token");
    std::fs::write(&path, format!("{TOKEN}\n")).unwrap();
    let from_file = seal(fake.settings(Login::TokenFile(path.clone())));
    from_file.look().await.unwrap();
    std::fs::write(&path, "hvs.run-out").unwrap();
    assert_eq!(from_file.look().await, Err(SealFault::Refused), "the file is read anew");
    std::fs::remove_file(&path).unwrap();
    assert_eq!(from_file.look().await, Err(SealFault::Refused));
}

#[tokio::test]
async fn a_role_whose_token_ran_out_fetches_another() {
    let fake = FakeVault::start().await;
    let seal = seal(fake.settings(role(ROLE.1)));
    seal.look().await.unwrap();
    fake.revoke_tokens();
    seal.look().await.unwrap();
    assert_eq!(fake.logins(), 2);
}

#[tokio::test]
async fn a_namespace_is_named_in_each_call() {
    let fake = FakeVault::start().await;
    fake.move_to_namespace("team/privacy");
    assert_eq!(seal(fake.with_token()).look().await, Err(SealFault::NoSuchKey));
    let mut inside = fake.settings(role(ROLE.1));
    inside.namespace = Some("team/privacy".to_owned());
    seal(inside).look().await.unwrap();
}

#[tokio::test]
async fn what_passes_is_tried_again_and_what_does_not_is_told_at_once() {
    let (dir, fake) = (tempfile::tempdir().unwrap(), FakeVault::start().await);
    open(dir.path(), fake.with_token(), "i").await.unwrap();
    for passing in [
        Trouble::Says(503, "Vault is sealed"),
        Trouble::Says(500, "internal error"),
        Trouble::Says(412, "required index state not present"),
        Trouble::Says(429, "request path \"transit\": rate limit quota exceeded"),
        Trouble::Silent,
    ] {
        fake.trouble(&[passing, passing]);
        assert!(open(dir.path(), fake.with_token(), "i").await.is_ok(), "{passing:?} twice");
    }
    for (lasting, expected) in [
        (Trouble::Says(403, "permission denied"), SealFault::Refused),
        (Trouble::Says(404, ""), SealFault::NoSuchKey),
        (Trouble::Says(400, "encryption key not found"), SealFault::NoSuchKey),
        (Trouble::Says(400, "invalid ciphertext: no prefix"), SealFault::Foreign),
        (Trouble::Says(400, "something else"), SealFault::Answer),
        (Trouble::Says(302, ""), SealFault::Answer),
        (Trouble::Babbles, SealFault::Answer),
    ] {
        fake.trouble(&[lasting]);
        let before = fake.calls().len();
        assert_eq!(fault(open(dir.path(), fake.with_token(), "i").await), expected, "{lasting:?}");
        assert_eq!(fake.calls().len(), before, "{lasting:?} was tried again");
    }
    fake.trouble(&[Trouble::Says(503, "Vault is sealed"); 3]);
    assert_eq!(fault(open(dir.path(), fake.with_token(), "i").await), SealFault::Unreachable);
    fake.trouble(&[Trouble::Says(429, ""); 3]);
    assert_eq!(fault(open(dir.path(), fake.with_token(), "i").await), SealFault::Throttled);
    let settings = fake.with_token();
    fake.stop();
    assert_eq!(fault(open(dir.path(), settings, "i").await), SealFault::Unreachable);
}

#[tokio::test]
async fn a_key_that_would_not_bind_or_not_encrypt_is_not_begun_with() {
    let dir = tempfile::tempdir().unwrap();
    let underived = FakeVault::start().await;
    underived.make_underived();
    assert_eq!(fault(open(dir.path(), underived.with_token(), "i").await), SealFault::Unfit);
    let signing = FakeVault::start().await;
    signing.make_for_signing();
    assert_eq!(fault(open(dir.path(), signing.with_token(), "i").await), SealFault::Unfit);
    let lost = FakeVault::start().await;
    lost.lose_key();
    assert_eq!(fault(open(dir.path(), lost.with_token(), "i").await), SealFault::NoSuchKey);
    assert!(std::fs::read_dir(dir.path()).unwrap().next().is_none(), "a refused start left something");
}

#[test]
fn an_address_that_is_no_good_is_refused_at_once() {
    let settings = |address: &str, key: &str| VaultSettings {
        address: address.to_owned(),
        mount: "transit".to_owned(),
        key: key.to_owned(),
        namespace: None,
        login: Login::Token(Secret::new(TOKEN.to_owned())),
        patience: vouchsafe::seals::Patience::default(),
    };
    for (address, key) in [
        ("vault.internal", "k"),
        ("http://vault.internal:8200", "k"),
        ("https://user:pw@vault.internal", "k"),
        ("https://vault.internal", "a b"),
        ("https://vault.internal", ""),
        ("https://vault.internal", "k?x"),
    ] {
        assert!(
            vault(settings(address, key), &Clock::system(), &Entropy::system()).is_err(),
            "{address} {key}"
        );
    }
    assert!(
        vault(settings("https://vault.internal:8200", "k"), &Clock::system(), &Entropy::system()).is_ok()
    );
}
