//! What lies around a backup: nothing, or age v1 (C2SP age.md), so that any age tool takes it off.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek as _, Write};
use std::path::Path;

use age::secrecy::SecretString;
use age::{Decryptor, Identity};

use super::Error;
use crate::archive::{EncryptTo, encrypt_into};
use crate::base::Secret;

/// How every age file begins.
const AGE: &[u8] = b"age-encryption.org/";
/// Bytes read or written at once.
const AT_ONCE: usize = 256 << 10;

/// What opens an encrypted backup.
#[derive(Debug, Clone)]
pub enum Unlock {
    /// A file of identities, as `age-keygen` writes it.
    Identities(Secret<String>),
    /// A passphrase.
    Passphrase(Secret<String>),
}

impl Unlock {
    fn identities(&self) -> Result<Vec<Box<dyn Identity>>, Error> {
        Ok(match self {
            Self::Passphrase(text) => {
                let secret = SecretString::from(text.expose().clone());
                vec![Box::new(age::scrypt::Identity::new(secret)) as Box<dyn Identity>]
            }
            Self::Identities(text) => {
                let lines = text.expose().lines().map(str::trim);
                let keys = lines.filter(|l| !l.is_empty() && !l.starts_with('#'));
                let read = keys.map(str::parse::<age::x25519::Identity>);
                let read: Result<Vec<_>, _> = read.collect();
                let bad = |_| {
                    Error::Refused("the identity file holds a line that is not AGE-SECRET-KEY-1…".to_owned())
                };
                read.map_err(bad)?.into_iter().map(|i| Box::new(i) as Box<dyn Identity>).collect()
            }
        })
    }
}

/// The plaintext of a backup. Opened with whichever key opens it; one in clear needs none.
pub(super) fn open(path: &Path, keys: &[Unlock]) -> Result<Box<dyn Read + Send>, Error> {
    let fail = |e| Error::File(path.to_owned(), e);
    let mut file = File::open(path).map_err(fail)?;
    let mut start = Vec::with_capacity(AGE.len());
    Read::by_ref(&mut file).take(AGE.len() as u64).read_to_end(&mut start).map_err(fail)?;
    file.rewind().map_err(fail)?;
    if start != AGE {
        return Ok(Box::new(BufReader::with_capacity(AT_ONCE, file)));
    }
    let damaged = |_| Error::Unsound("its header is damaged");
    let header = Decryptor::new_buffered(BufReader::new(file)).map_err(damaged)?;
    let by_passphrase = header.is_scrypt();
    // One after another: a passphrase that is not the one ends the trying of all that are given together with it.
    for key in keys {
        let file = BufReader::with_capacity(AT_ONCE, File::open(path).map_err(fail)?);
        let decryptor = Decryptor::new_buffered(file).map_err(damaged)?;
        let identities = key.identities()?;
        match decryptor.decrypt(identities.iter().map(|i| i.as_ref() as &dyn Identity)) {
            Ok(plain) => return Ok(Box::new(plain)),
            Err(age::DecryptError::NoMatchingKeys | age::DecryptError::DecryptionFailed) => {}
            Err(age::DecryptError::ExcessiveWork { .. }) => {
                return Err(Error::Unsound("its passphrase asks for more work than this machine does"));
            }
            Err(_) => return Err(Error::Unsound("its header is damaged")),
        }
    }
    // A copy of the keystore lies under a word that is derived from its epoch, and nobody ever has that word.
    Err(Error::Unsound(if by_passphrase {
        "it lies under a passphrase, and nothing that was given opens it. A copy of the keystore is opened by the epoch it was \
         made in, and no epoch that is alive here opens this one: once that epoch is destroyed, nothing does, and a newer \
         copy is wanted. A backup of the data wants the passphrase it was made with"
    } else {
        "it is encrypted to a key, and nothing that was given opens it: it wants the file of its age identity"
    }))
}

/// Where a backup is written to.
pub(super) enum Sink {
    Plain(BufWriter<File>),
    Sealed(Box<age::stream::StreamWriter<BufWriter<File>>>),
}

impl Sink {
    pub(super) fn new(file: File, to: Option<&EncryptTo>) -> Result<Self, Error> {
        let file = BufWriter::with_capacity(AT_ONCE, file);
        Ok(match to {
            None => Self::Plain(file),
            Some(to) => Self::Sealed(Box::new(encrypt_into(to, file).map_err(Error::below)?)),
        })
    }

    /// Ends it. It is on the disk when this returns.
    pub(super) fn finish(self) -> io::Result<()> {
        let file = match self {
            Self::Plain(file) => file,
            Self::Sealed(sealed) => sealed.finish()?,
        };
        file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(file) => file.write(bytes),
            Self::Sealed(sealed) => sealed.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(file) => file.flush(),
            Self::Sealed(sealed) => sealed.flush(),
        }
    }
}
