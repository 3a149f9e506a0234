//! AWS KMS as the seal, against a server that checks what KMS checks.

use std::sync::Arc;

use vouchsafe::base::{Entropy, Secret, Timestamp};
use vouchsafe::keystore::{Epochs, Error, SealFault, Seals};
use vouchsafe::seals::{KmsSettings, kms};

use crate::support::kms::{FakeKms, KEY, SECRET, Trouble};

fn now() -> Timestamp {
    Timestamp::parse_rfc3339("2026-05-05T12:00:00Z").unwrap()
}

async fn open(folder: &std::path::Path, settings: &KmsSettings, installation: &str) -> Result<Epochs, Error> {
    Epochs::open_with(folder, Seals::new(vec![kms(settings)]), installation, now(), &Entropy::system()).await
}

fn fault(opened: Result<Epochs, Error>) -> SealFault {
    match opened {
        Err(Error::Seal { seal, fault }) => {
            assert_eq!(seal, format!("aws-kms:{KEY}"));
            fault
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_epoch_is_wrapped_by_kms_and_given_back_by_it_alone() {
    let (dir, fake) = (tempfile::tempdir().unwrap(), FakeKms::start().await);
    open(dir.path(), &fake.settings(), "flux.example/ledger").await.unwrap();
    assert_eq!(
        fake.calls(),
        ["DescribeKey", "Encrypt", "Decrypt"],
        "the first start reads back what it wrote"
    );
    let again = open(dir.path(), &fake.settings(), "flux.example/ledger").await.unwrap();
    assert_eq!(again.alive().len(), 1);
    for context in fake.contexts() {
        let pairs: Vec<_> = context.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!(pairs, [("vouchsafe:epoch", "1"), ("vouchsafe:installation", "flux.example/ledger")]);
    }
    let text = std::fs::read_to_string(dir.path().join("00000001.epoch")).unwrap();
    assert!(text.contains(&format!("seal aws-kms:{KEY} ")), "{text}");
}

#[tokio::test]
async fn another_installation_cannot_open_it() {
    let (dir, fake) = (tempfile::tempdir().unwrap(), FakeKms::start().await);
    open(dir.path(), &fake.settings(), "flux.example/ledger").await.unwrap();
    assert_eq!(fault(open(dir.path(), &fake.settings(), "opus.example/ledger").await), SealFault::Foreign);
}

#[tokio::test]
async fn wrong_credentials_are_refused_and_named_as_such() {
    let (dir, fake) = (tempfile::tempdir().unwrap(), FakeKms::start().await);
    for settings in [
        KmsSettings { secret_access_key: Secret::new("another".to_owned()), ..fake.settings() },
        KmsSettings { access_key_id: "AKIDOTHER".to_owned(), ..fake.settings() },
        KmsSettings { region: "us-east-1".to_owned(), ..fake.settings() },
    ] {
        let refused = open(dir.path(), &settings, "i").await;
        let said = refused.as_ref().unwrap_err().to_string();
        assert_eq!(fault(refused), SealFault::Refused);
        assert!(!said.contains(SECRET) && !said.contains("in words"), "{said}");
    }
    assert!(fake.calls().is_empty(), "a call with a bad signature was taken");
    assert!(std::fs::read_dir(dir.path()).unwrap().next().is_none(), "a refused start left something");
}

#[tokio::test]
async fn what_passes_is_tried_again_and_what_does_not_is_told_at_once() {
    let (dir, fake) = (tempfile::tempdir().unwrap(), FakeKms::start().await);
    open(dir.path(), &fake.settings(), "i").await.unwrap();
    for passing in [
        Trouble::Says(500, "KMSInternalException"),
        Trouble::Says(503, "ServiceUnavailable"),
        Trouble::Says(400, "ThrottlingException"),
        Trouble::Silent,
    ] {
        fake.trouble(&[passing, passing]);
        assert!(open(dir.path(), &fake.settings(), "i").await.is_ok(), "{passing:?} twice");
    }
    for (lasting, expected) in [
        (Trouble::Says(400, "AccessDeniedException"), SealFault::Refused),
        (Trouble::Says(400, "ExpiredTokenException"), SealFault::Refused),
        (Trouble::Says(400, "NotFoundException"), SealFault::NoSuchKey),
        (Trouble::Says(400, "DisabledException"), SealFault::KeyOff),
        (Trouble::Says(400, "KMSInvalidStateException"), SealFault::KeyOff),
        (Trouble::Says(400, "IncorrectKeyException"), SealFault::Foreign),
        (Trouble::Says(400, "InvalidKeyUsageException"), SealFault::Unfit),
        (Trouble::Says(418, "Unheard"), SealFault::Answer),
    ] {
        fake.trouble(&[lasting]);
        let before = fake.calls().len();
        assert_eq!(fault(open(dir.path(), &fake.settings(), "i").await), expected, "{lasting:?}");
        assert_eq!(fake.calls().len(), before, "{lasting:?} was tried again");
    }
    for (more, expected) in [
        (Trouble::Says(500, "KMSInternalException"), SealFault::Unreachable),
        (Trouble::Says(400, "ThrottlingException"), SealFault::Throttled),
        (Trouble::Silent, SealFault::Unreachable),
    ] {
        fake.trouble(&[more; 3]);
        assert_eq!(fault(open(dir.path(), &fake.settings(), "i").await), expected, "{more:?} for ever");
    }
    fake.trouble(&[Trouble::Babbles; 3]);
    assert!(fault(open(dir.path(), &fake.settings(), "i").await) != SealFault::Foreign);
}

#[tokio::test]
async fn a_key_that_waits_for_its_deletion_or_is_another_one_opens_nothing() {
    let (dir, fake) = (tempfile::tempdir().unwrap(), FakeKms::start().await);
    open(dir.path(), &fake.settings(), "i").await.unwrap();
    for state in ["PendingDeletion", "Disabled"] {
        fake.set_state(state);
        assert_eq!(kms(&fake.settings()).look().await, Err(SealFault::KeyOff), "{state}");
        assert_eq!(fault(open(dir.path(), &fake.settings(), "i").await), SealFault::KeyOff, "{state}");
    }
    fake.set_state("Enabled");
    assert!(open(dir.path(), &fake.settings(), "i").await.is_ok());
    fake.set_usage("SIGN_VERIFY");
    assert_eq!(kms(&fake.settings()).look().await, Err(SealFault::Unfit));
    fake.replace_key();
    assert_eq!(fault(open(dir.path(), &fake.settings(), "i").await), SealFault::Foreign);
}

#[tokio::test]
async fn a_service_does_not_start_without_its_seal() {
    let (dir, fake) = (tempfile::tempdir().unwrap(), FakeKms::start().await);
    open(dir.path(), &fake.settings(), "i").await.unwrap();
    let (settings, kept) = (fake.settings(), Arc::new(fake));
    kept.stop();
    assert_eq!(fault(open(dir.path(), &settings, "i").await), SealFault::Unreachable);
    let none = Epochs::open_with(dir.path(), Seals::new(Vec::new()), "i", now(), &Entropy::system()).await;
    assert_eq!(fault(none), SealFault::NotConfigured);
}
