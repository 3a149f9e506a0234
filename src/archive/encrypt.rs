//! An archive that only the person can open: the same bytes as an age v1 file (C2SP age.md), to their own `age1…`
//! recipient or under a passphrase of theirs, so that any age tool opens it.

use std::fmt;
use std::io::Write;
use std::pin::Pin;
use std::str::FromStr;

use age::Encryptor;
use age::secrecy::SecretString;
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, stream};

use super::Error;
use crate::base::Secret;
use crate::crypto::Buffer;

/// Shortest passphrase taken, in characters.
const SHORTEST: usize = 12;
/// scrypt with N = 2^16, r = 8, p = 1: 64 MiB and a tenth of a second, once an archive. age's own choice would measure
/// this machine and take up to 256 MiB.
const WORK_FACTOR: u8 = 16;
/// The age payload: 64 KiB chunks, each with a 16-byte tag.
const CHUNK: u64 = 64 * 1024;
const TAG: u64 = 16;
/// Plaintext is turned into ciphertext in steps of this many bytes at most, so that no other task waits long.
const STEP: usize = 64 * 1024;

/// To whom an archive is encrypted.
#[derive(Clone)]
pub enum Recipient {
    /// The person's own key. Nobody else opens the file, we neither.
    Key(age::x25519::Recipient),
    /// A passphrase that the person chose.
    Passphrase(Secret<String>),
}

impl Recipient {
    /// A passphrase of at least twelve characters.
    pub fn passphrase(text: Secret<String>) -> Result<Self, Error> {
        if text.expose().chars().count() < SHORTEST {
            return Err(Error::BadRecipient("the passphrase has fewer than 12 characters"));
        }
        Ok(Self::Passphrase(text))
    }
}

impl FromStr for Recipient {
    type Err = Error;
    /// Reads an `age1…` recipient.
    fn from_str(s: &str) -> Result<Self, Error> {
        s.trim().parse().map(Self::Key).map_err(|_| Error::BadRecipient("not an age1… recipient"))
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Key(_) => "Recipient(key)",
            Self::Passphrase(_) => "Recipient(passphrase)",
        })
    }
}

/// An encrypted archive on its way.
pub struct Encrypted {
    /// Its exact length.
    pub len: u64,
    /// Its bytes. Not the same twice, so it cannot be resumed; it must be asked for again.
    pub stream: Pin<Box<dyn Stream<Item = Result<Bytes, Error>> + Send>>,
}

impl fmt::Debug for Encrypted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Encrypted({} bytes)", self.len)
    }
}

/// Encrypts the `len` bytes of `plain` to `to`. An error in `plain` comes out as it is, and what was given until then
/// does not open as an age file.
pub async fn encrypt<S>(to: Recipient, len: u64, plain: S) -> Result<Encrypted, Error>
where
    S: Stream<Item = Result<Bytes, Error>> + Send + 'static,
{
    let begun = tokio::task::spawn_blocking(move || begin(&to)).await;
    let (writer, out) = begun.map_err(|_| Error::Unwritable("the encryption"))??;
    let header = out.take();
    // An empty payload still has one chunk.
    let chunks = len.div_ceil(CHUNK).max(1);
    let sealed_len = header.len() as u64 + len + chunks * TAG;
    let sealing = Sealing { plain: Box::pin(plain), rest: Bytes::new(), writer: Some(writer), out };
    let body = stream::try_unfold(sealing, |mut sealing| async move {
        let piece = sealing.piece().await?;
        Ok((!piece.is_empty()).then_some((piece, sealing)))
    });
    let stream = stream::iter([Ok(Bytes::from(header))]).chain(body).boxed();
    Ok(Encrypted { len: sealed_len, stream })
}

type Writer = age::stream::StreamWriter<Buffer>;

fn begin(to: &Recipient) -> Result<(Writer, Buffer), Error> {
    let out = Buffer::default();
    Ok((encrypt_into(to, out.clone())?, out))
}

/// What is written to it comes out of `out` as an age file to `to`. Must be ended by its `finish`: a file that was not
/// ended does not open.
pub fn encrypt_into<W: Write>(to: &Recipient, out: W) -> Result<age::stream::StreamWriter<W>, Error> {
    let encryptor = match to {
        Recipient::Key(key) => Encryptor::with_recipients(std::iter::once(key as &dyn age::Recipient)),
        Recipient::Passphrase(text) => {
            let mut recipient = age::scrypt::Recipient::new(SecretString::from(text.expose().clone()));
            recipient.set_work_factor(WORK_FACTOR);
            Encryptor::with_recipients(std::iter::once(&recipient as &dyn age::Recipient))
        }
    };
    encryptor
        .map_err(|_| Error::BadRecipient("age does not take this recipient"))?
        .wrap_output(out)
        .map_err(|_| Error::Unwritable("the encryption"))
}

struct Sealing<S> {
    plain: Pin<Box<S>>,
    rest: Bytes,
    writer: Option<Writer>,
    out: Buffer,
}

impl<S: Stream<Item = Result<Bytes, Error>>> Sealing<S> {
    /// The next piece of ciphertext; an empty one at the end.
    async fn piece(&mut self) -> Result<Bytes, Error> {
        let unwritable = |_| Error::Unwritable("the encryption");
        while let Some(writer) = &mut self.writer {
            if self.rest.is_empty() {
                let Some(piece) = self.plain.next().await else {
                    break;
                };
                self.rest = piece?;
            }
            let step = self.rest.split_to(self.rest.len().min(STEP));
            writer.write_all(&step).map_err(unwritable)?;
            let ready = self.out.take();
            if !ready.is_empty() {
                return Ok(ready.into());
            }
        }
        if let Some(writer) = self.writer.take() {
            writer.finish().map_err(unwritable)?;
        }
        Ok(self.out.take().into())
    }
}
