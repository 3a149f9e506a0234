//! Bytes on their way in and out, no more than a few pieces of them in memory. Going in they are hashed and sealed on the
//! blocking pool, a piece at a time; going out they are opened where they arrive.

use std::ops::Range;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::{fmt, io};

use bytes::{Buf as _, Bytes, BytesMut};
use futures_util::stream::BoxStream;
use futures_util::{Stream, StreamExt as _};
use sha2::Digest as _;
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

/// The plaintext of an image, in pieces. Read as it is taken: nobody's thread waits for a slow reader.
pub struct PlainStream(BoxStream<'static, Result<Bytes, Error>>);

impl Stream for PlainStream {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_next_unpin(cx)
    }
}

impl fmt::Debug for PlainStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlainStream").finish_non_exhaustive()
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

/// Opens an image, or the bytes of a range of it; of a range, only the chunks it needs are fetched and decrypted. The first
/// of them at once: what cannot be had at all is an error, and no stream that breaks off.
pub(super) async fn open(sealed: Sealed, range: Option<Range<u64>>) -> Result<PlainStream, Error> {
    let ask = range.as_ref().map_or(sealed.cipher_len, asks);
    let left = range.as_ref().map_or(u64::MAX, |range| range.end.saturating_sub(range.start));
    let blob = Blob { sealed, ask, at: 0, upto: 0, body: None, have: BytesMut::new() };
    let from = range.map_or(0, |range| range.start);
    let mut outward = Outward { blob, opener: None, from, skip: 0, left };
    let first = outward.step().await?;
    let rest = futures_util::stream::try_unfold(outward, |mut outward| async move {
        Ok(outward.step().await?.map(|piece| (piece, outward)))
    });
    Ok(PlainStream(futures_util::stream::iter(first.map(Ok)).chain(rest).boxed()))
}

/// An image on its way out.
struct Outward {
    blob: Blob,
    /// Once the header was read.
    opener: Option<Opener>,
    /// The first byte of plaintext that is wanted.
    from: u64,
    /// How much of the next chunk's plaintext comes before what is wanted.
    skip: usize,
    /// How much is wanted still.
    left: u64,
}

impl Outward {
    /// The plaintext of the next chunk; `None` after what is wanted. Opening one takes microseconds, so it is not worth a
    /// hop to another thread.
    async fn step(&mut self) -> Result<Option<Bytes>, Error> {
        if self.left == 0 || (self.opener.is_some() && self.blob.is_over()) {
            return Ok(None);
        }
        let opener = if let Some(opener) = &mut self.opener {
            opener
        } else {
            let (opener, skip) = self.blob.header(self.from).await?;
            self.skip = skip;
            self.opener.insert(opener)
        };
        // One byte more than a chunk, to see whether another follows.
        self.blob.fill(Opener::SEALED + 1).await?;
        let last = self.blob.have.len() <= Opener::SEALED;
        let mut chunk = self.blob.have.split_to(self.blob.have.len().min(Opener::SEALED));
        let n = opener.open(&mut chunk, last)?;
        chunk.truncate(n);
        if self.skip > n {
            return Err(Error::Damaged);
        }
        chunk.advance(std::mem::take(&mut self.skip));
        chunk.truncate(usize::try_from(self.left).unwrap_or(usize::MAX));
        self.left -= chunk.len() as u64;
        Ok((!chunk.is_empty()).then(|| chunk.freeze()))
    }
}

/// The ciphertext of a blob, fetched as it is needed.
struct Blob {
    sealed: Sealed,
    /// How many bytes are asked for at once.
    ask: u64,
    /// How far it was read.
    at: u64,
    /// Where what was asked for ends.
    upto: u64,
    body: Option<Body>,
    /// What was read and not used.
    have: BytesMut,
}

impl Blob {
    /// Whether all of it was read and used.
    fn is_over(&self) -> bool {
        self.have.is_empty() && self.at >= self.sealed.cipher_len
    }

    /// Has this many bytes at hand, or all that are left.
    async fn fill(&mut self, want: usize) -> Result<(), Error> {
        let Sealed { blobs, key, cipher_len, .. } = &self.sealed;
        while self.have.len() < want && self.at < *cipher_len {
            let body = if let Some(body) = &mut self.body {
                body
            } else {
                self.upto = self.at.saturating_add(self.ask).min(*cipher_len);
                let asked = blobs.get(key, Some(self.at..self.upto)).await.map_err(of_store)?;
                self.body.insert(asked)
            };
            match body.next().await {
                Some(piece) => {
                    let piece = piece.map_err(of_store)?;
                    self.at += piece.len() as u64;
                    self.have.extend_from_slice(&piece);
                }
                // All that was asked for is read, and more is wanted.
                None if self.at == self.upto => self.body = None,
                None => return Err(Error::Damaged),
            }
        }
        Ok(())
    }

    /// Reads the header, and goes to the chunk in which this byte of plaintext lies.
    async fn header(&mut self, from: u64) -> Result<(Opener, usize), Error> {
        self.fill(Opener::HEADER).await?;
        let mut opener = Opener::new(&self.have, &self.sealed.context, &self.sealed.file_key)?;
        let (begins, skip) = opener.seek(from);
        if let Some(n) = usize::try_from(begins).ok().filter(|n| *n <= self.have.len()) {
            self.have.advance(n);
        } else {
            // A store is asked anew rather than for what nobody wants.
            self.have.clear();
            (self.at, self.body) = (begins, None);
        }
        Ok((opener, skip))
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
