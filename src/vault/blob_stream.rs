//! Bytes on their way in and out. Ciphers run on the blocking pool, a piece at a time, and no more than a few pieces
//! are ever in memory.

use std::io::{self, BufRead as _, SeekFrom};
use std::ops::Range;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{Stream, StreamExt as _};
use sha2::Digest as _;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use super::Error;
use crate::blobs::{self, BlobKey, Blobs, Body};
use crate::crypto::{self, Opener, Sealer};

/// Plaintext is sealed in pieces of about this many bytes: enough to make the hop to the blocking pool cheap.
const PIECE: usize = 256 * 1024;

/// What was measured of the plaintext as it went by.
#[derive(Debug)]
pub(super) struct Measured {
    pub(super) len: u64,
    pub(super) crc32: u32,
    pub(super) sha256: String,
}

struct Inward<'s> {
    source: BoxStream<'s, Result<Bytes, Error>>,
    /// What came at once and is more than a piece.
    left: Bytes,
    sealer: Option<Sealer>,
    measure: Measure,
    most: u64,
    done: Option<tokio::sync::oneshot::Sender<Measured>>,
}

#[derive(Default)]
struct Measure {
    len: u64,
    crc32: crc32fast::Hasher,
    sha256: sha2::Sha256,
}

/// Seals `source` and stores it under `key`.
pub(super) async fn seal_into(
    blobs: &Blobs,
    key: &BlobKey,
    sealer: Sealer,
    source: BoxStream<'_, Result<Bytes, Error>>,
    most: u64,
) -> Result<(u64, Measured), Error> {
    let (done, measured) = tokio::sync::oneshot::channel();
    let (sealer, done) = (Some(sealer), Some(done));
    let state = Inward { source, left: Bytes::new(), sealer, measure: Measure::default(), most, done };
    // The vault's own error would be wrapped in the store's; it is carried beside the stream instead.
    let failed = std::sync::Arc::new(std::sync::Mutex::new(None));
    let slot = std::sync::Arc::clone(&failed);
    let ciphertext = futures_util::stream::unfold(Some(state), move |state| {
        let slot = std::sync::Arc::clone(&slot);
        async move {
            let mut state = state?;
            match state.step().await {
                Ok(Some(bytes)) => Some((Ok(bytes), Some(state))),
                Ok(None) => None,
                Err(e) => {
                    *slot.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(e);
                    Some((Err(io::Error::other("the body failed")), None))
                }
            }
        }
    });
    let put = blobs.put(key, ciphertext).await;
    if let Some(e) = failed.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take() {
        return Err(e);
    }
    Ok((put?, measured.await.map_err(|_| Error::Damaged)?))
}

impl Inward<'_> {
    /// The plaintext of a piece in the parts in which it came, and whether it was the last.
    async fn piece(&mut self) -> Result<(Vec<Bytes>, bool), Error> {
        let (mut parts, mut room) = (Vec::new(), PIECE);
        while room > 0 {
            if self.left.is_empty() {
                let Some(more) = self.source.next().await else { return Ok((parts, true)) };
                self.left = more?;
            }
            let part = self.left.split_to(room.min(self.left.len()));
            room -= part.len();
            parts.push(part);
        }
        Ok((parts, false))
    }

    /// The next piece of ciphertext; `None` after the last.
    async fn step(&mut self) -> Result<Option<Bytes>, Error> {
        let Some(mut sealer) = self.sealer.take() else { return Ok(None) };
        let (parts, ended) = self.piece().await?;
        let mut measure = std::mem::take(&mut self.measure);
        measure.len += parts.iter().map(|part| part.len() as u64).sum::<u64>();
        if measure.len > self.most {
            return Err(Error::TooLarge(self.most));
        }
        let (piece, sealer, measure) = spawn_blocking(move || {
            for part in &parts {
                measure.crc32.update(part);
                measure.sha256.update(part);
            }
            let mut out = sealer.push_all(parts.iter().map(AsRef::as_ref))?;
            let sealer = if ended {
                out.extend(sealer.finish()?);
                None
            } else {
                Some(sealer)
            };
            Ok::<_, crypto::Error>((out, sealer, measure))
        })
        .await
        .map_err(|_| Error::Damaged)??;
        self.sealer = sealer;
        self.measure = measure;
        if ended && let Some(done) = self.done.take() {
            let m = std::mem::take(&mut self.measure);
            let sha256 = hex::encode(m.sha256.finalize());
            let _ = done.send(Measured { len: m.len, crc32: m.crc32.finalize(), sha256 });
        }
        Ok(Some(piece.into()))
    }
}

/// The plaintext of an image, in pieces.
#[derive(Debug)]
pub struct PlainStream(mpsc::Receiver<Result<Bytes, Error>>);

impl Stream for PlainStream {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(cx)
    }
}

/// What to open.
pub(super) struct Sealed {
    pub(super) blobs: Blobs,
    pub(super) key: BlobKey,
    pub(super) cipher_len: u64,
    pub(super) context: crypto::Context,
    pub(super) file_key: zeroize::Zeroizing<[u8; 16]>,
}

/// Opens an image, or the bytes of a range of it; of a range, only the chunks it needs are fetched and decrypted.
pub(super) fn open(sealed: Sealed, range: Option<Range<u64>>) -> PlainStream {
    let (tx, rx) = mpsc::channel(4);
    let handle = Handle::current();
    // Runs until the image has been read or the receiver is dropped; there is nothing to wait for at a stop.
    drop(spawn_blocking(move || {
        if let Err(e) = pump(sealed, range, handle, &tx) {
            let _ = tx.blocking_send(Err(e));
        }
    }));
    PlainStream(rx)
}

fn pump(
    sealed: Sealed,
    range: Option<Range<u64>>,
    handle: Handle,
    tx: &mpsc::Sender<Result<Bytes, Error>>,
) -> Result<(), Error> {
    let Sealed { blobs, key, cipher_len, context, file_key } = sealed;
    let ask = range.as_ref().map_or(cipher_len, asks);
    // The cipher knows one kind of failure; what the store said is carried beside it.
    let failed = Failed::default();
    let why = failed.clone();
    let damaged =
        move || why.0.lock().unwrap_or_else(PoisonError::into_inner).take().map_or(Error::Damaged, of_store);
    let reader = BlobReader {
        blobs,
        key,
        len: cipher_len,
        ask,
        at: 0,
        upto: 0,
        body: None,
        left: Bytes::new(),
        handle,
        failed,
    };
    let mut opener = Opener::new(reader, &context, &file_key).map_err(|_| damaged())?;
    let mut left = u64::MAX;
    if let Some(range) = range {
        opener.skip_to(range.start).map_err(|_| damaged())?;
        left = range.end.saturating_sub(range.start);
    }
    while left > 0 {
        let chunk = opener.fill_buf().map_err(|_| damaged())?;
        let n = chunk.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let Some(piece) = chunk.get(..n).filter(|piece| !piece.is_empty()) else { return Ok(()) };
        let piece = Bytes::copy_from_slice(piece);
        opener.consume(n);
        left -= n as u64;
        if tx.blocking_send(Ok(piece)).is_err() {
            return Ok(());
        }
    }
    Ok(())
}

/// What the store failed with, for whoever asks after the cipher failed.
#[derive(Clone, Default)]
struct Failed(Arc<Mutex<Option<blobs::Error>>>);

impl Failed {
    fn keep(&self, e: blobs::Error) -> io::Error {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(e);
        io::Error::other("the store failed")
    }
}

/// Bytes that were erased meanwhile are gone, those that are not what was written are damaged; a store that is down is
/// neither, and says nothing about the image.
fn of_store(e: blobs::Error) -> Error {
    match e {
        blobs::Error::NotFound => Error::NotFound,
        blobs::Error::Mismatch(_) | blobs::Error::OutOfRange => Error::Damaged,
        e => Error::Blobs(e),
    }
}

/// How many bytes of ciphertext are asked for at once to give a range: as many as its chunks can have, with one more on
/// either side. A store is never asked for what nobody wants.
fn asks(range: &Range<u64>) -> u64 {
    const CHUNK: u64 = 64 * 1024 + 16;
    let wanted = range.end.saturating_sub(range.start);
    wanted.div_ceil(64 * 1024).saturating_add(2).saturating_mul(CHUNK)
}

/// A blob as a file: reads from where it stands, fetches anew after a seek.
struct BlobReader {
    blobs: Blobs,
    key: BlobKey,
    len: u64,
    /// How many bytes are asked for at once.
    ask: u64,
    at: u64,
    /// Where what was asked for ends.
    upto: u64,
    body: Option<Body>,
    left: Bytes,
    handle: Handle,
    failed: Failed,
}

impl io::Read for BlobReader {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        while self.left.is_empty() {
            if self.at >= self.len {
                return Ok(0);
            }
            let mut body = if let Some(body) = self.body.take() {
                body
            } else {
                self.upto = self.at.saturating_add(self.ask).min(self.len);
                let asked = self.blobs.get(&self.key, Some(self.at..self.upto));
                self.handle.block_on(asked).map_err(|e| self.failed.keep(e))?
            };
            match self.handle.block_on(body.next()) {
                Some(chunk) => {
                    self.left = chunk.map_err(|e| self.failed.keep(e))?;
                    self.body = Some(body);
                }
                // All that was asked for is read, and more is wanted.
                None if self.at == self.upto => {}
                None => return Err(io::ErrorKind::UnexpectedEof.into()),
            }
        }
        let n = buf.len().min(self.left.len());
        let head = self.left.split_to(n);
        buf.get_mut(..n).ok_or(io::ErrorKind::InvalidInput)?.copy_from_slice(&head);
        self.at += n as u64;
        Ok(n)
    }
}

impl io::Seek for BlobReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.len.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        let at = at.ok_or(io::ErrorKind::InvalidInput)?;
        if at != self.at {
            self.at = at;
            self.body = None;
            self.left = Bytes::new();
        }
        Ok(at)
    }
}
