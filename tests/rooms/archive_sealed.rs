//! An archive that only the person can open.

use std::io::{Cursor, Read as _};
use std::str::FromStr as _;
use std::sync::Arc;

use age::secrecy::SecretString;
use bytes::Bytes;
use futures_util::TryStreamExt as _;
use vouchsafe::archive::{EncryptTo, Error, Source, encrypt, verify};
use vouchsafe::base::Secret;

use super::archive_fixture::{laid_out, signer};

async fn sealed(to: EncryptTo) -> (Vec<u8>, u64) {
    let (layout, shelf) = laid_out(1000);
    let plain = layout.stream(0..layout.len(), shelf as Arc<dyn Source>).unwrap();
    let sealed = encrypt(to, layout.len(), plain).await.unwrap();
    let said = sealed.len;
    let pieces: Vec<Bytes> = sealed.stream.try_collect().await.unwrap();
    (pieces.concat(), said)
}

fn opened(sealed: &[u8], identity: &dyn age::Identity) -> Vec<u8> {
    let mut out = Vec::new();
    let decryptor = age::Decryptor::new(sealed).unwrap();
    decryptor.decrypt(std::iter::once(identity)).unwrap().read_to_end(&mut out).unwrap();
    out
}

#[tokio::test]
async fn an_archive_to_a_key_of_ones_own_opens_with_any_age() {
    let mine = age::x25519::Identity::generate();
    let (sealed, said) = sealed(EncryptTo::from_str(&mine.to_public().to_string()).unwrap()).await;
    assert_eq!(sealed.len() as u64, said);
    let plain = opened(&sealed, &mine);
    assert!(verify(Cursor::new(plain), Some(&signer().verifying())).is_whole());
    let other = age::x25519::Identity::generate();
    let decryptor = age::Decryptor::new(sealed.as_slice()).unwrap();
    assert!(decryptor.decrypt(std::iter::once(&other as &dyn age::Identity)).is_err());
}

#[tokio::test]
async fn an_archive_under_a_passphrase_opens_with_it() {
    let to = EncryptTo::passphrase(Secret::new("twelve letters and more".to_owned())).unwrap();
    assert!(!format!("{to:?}").contains("twelve"));
    let (sealed, said) = sealed(to).await;
    assert_eq!(sealed.len() as u64, said);
    let identity = age::scrypt::Identity::new(SecretString::from("twelve letters and more".to_owned()));
    assert!(verify(Cursor::new(opened(&sealed, &identity)), None).is_whole());
}

#[tokio::test]
async fn a_length_on_a_chunk_boundary_is_foretold_too() {
    let mine = age::x25519::Identity::generate();
    for len in [0_usize, 1, 65_535, 65_536, 65_537, 131_072] {
        let plain = futures_util::stream::iter([Ok(Bytes::from(vec![7; len]))]);
        let sealed = encrypt(mine.to_public().to_string().parse().unwrap(), len as u64, plain).await.unwrap();
        let said = sealed.len;
        let pieces: Vec<Bytes> = sealed.stream.try_collect().await.unwrap();
        assert_eq!(pieces.concat().len() as u64, said, "{len}");
        assert_eq!(opened(&pieces.concat(), &mine).len(), len);
    }
}

#[tokio::test]
async fn a_broken_source_leaves_a_file_that_does_not_open() {
    let mine = age::x25519::Identity::generate();
    let broken = || Error::Gone { path: "a.jpg".into() };
    let plain = futures_util::stream::iter([Ok(Bytes::from(vec![7; 200_000])), Err(broken())]);
    let sealed = encrypt(mine.to_public().to_string().parse().unwrap(), 300_000, plain).await.unwrap();
    let mut stream = sealed.stream;
    let mut got = Vec::new();
    let end = loop {
        match stream.try_next().await {
            Ok(Some(piece)) => got.extend_from_slice(&piece),
            other => break other,
        }
    };
    assert!(matches!(end, Err(Error::Gone { .. })));
    let mut out = Vec::new();
    let decryptor = age::Decryptor::new(got.as_slice()).unwrap();
    let cut = decryptor.decrypt(std::iter::once(&mine as &dyn age::Identity)).unwrap().read_to_end(&mut out);
    assert!(cut.is_err());
}

#[test]
fn a_short_passphrase_or_a_wrong_key_is_refused() {
    assert!(matches!(EncryptTo::passphrase(Secret::new("short".into())), Err(Error::BadRecipient(_))));
    for bad in ["", "age1", "ssh-ed25519 AAAA", "AGE-SECRET-KEY-1QQ"] {
        assert!(matches!(EncryptTo::from_str(bad), Err(Error::BadRecipient(_))), "{bad}");
    }
}
