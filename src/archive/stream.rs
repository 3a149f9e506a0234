//! The bytes of a layout, from any offset, with memory for one piece at a time.

use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures_util::future::BoxFuture;
use futures_util::{Stream, StreamExt as _, stream};
use sha2::{Digest as _, Sha256};

use super::layout::{Layout, Part};
use super::{Error, Stored};
use crate::base::ObjectId;

/// Headers and small files are gathered into pieces of about this many bytes.
const PIECE: usize = 64 * 1024;
/// A piece of a stored file below this is gathered as well, rather than sent alone.
const SMALL: usize = 16 * 1024;

/// Plaintext, piece by piece.
pub type Plaintext = Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>;

/// Where stored files are read from: the vault, as far as this room knows.
pub trait Source: Send + Sync + 'static {
    /// Opens an object's plaintext from its first byte. [`io::ErrorKind::NotFound`], at once or from the stream, says
    /// that the object has been erased.
    fn open(&self, object: ObjectId) -> BoxFuture<'static, io::Result<Plaintext>>;

    /// Whether every piece that the source gives has been authenticated against the object it was asked for, as an
    /// AEAD with place-bound keys does. Then length and CRC-32 are compared, and SHA-256, which would cost as much as
    /// the decryption, is not computed a second time. Defaults to no.
    fn authenticates(&self) -> bool {
        false
    }
}

/// A stored file on its way.
struct Open {
    file: usize,
    plain: Plaintext,
    seen: u64,
    crc32: crc32fast::Hasher,
    sha256: Option<Sha256>,
}

struct Run {
    layout: Layout,
    source: Arc<dyn Source>,
    at: u64,
    end: u64,
    open: Option<Open>,
    gathered: BytesMut,
    next: Option<Bytes>,
}

/// The stream of [`Layout::stream`]; `range` is within the layout.
pub(super) fn run(
    layout: Layout,
    range: Range<u64>,
    source: Arc<dyn Source>,
) -> impl Stream<Item = Result<Bytes, Error>> + Send + 'static {
    let run = Run {
        layout,
        source,
        at: range.start,
        end: range.end,
        open: None,
        gathered: BytesMut::new(),
        next: None,
    };
    stream::try_unfold(run, |mut run| async move {
        let piece = run.piece().await?;
        Ok((!piece.is_empty()).then_some((piece, run)))
    })
}

impl Run {
    /// The next piece; an empty one at the end of the range.
    async fn piece(&mut self) -> Result<Bytes, Error> {
        if let Some(next) = self.next.take() {
            return Ok(next);
        }
        while self.at < self.end {
            let bytes = self.step().await?;
            if bytes.is_empty() {
                break;
            }
            self.at += bytes.len() as u64;
            if self.gathered.is_empty() && bytes.len() >= SMALL {
                return Ok(bytes);
            }
            if bytes.len() >= SMALL {
                self.next = Some(bytes);
                break;
            }
            self.gathered.extend_from_slice(&bytes);
            if self.gathered.len() >= PIECE {
                break;
            }
        }
        Ok(self.gathered.split().freeze())
    }

    /// At least one byte from `at` on, and none beyond the end.
    async fn step(&mut self) -> Result<Bytes, Error> {
        let layout = self.layout.clone();
        match layout.part(self.at) {
            Part::Ready(begins, bytes) => {
                let skip = length(self.at.saturating_sub(begins));
                let upto =
                    bytes.len().min(length(self.end.saturating_sub(begins))).min(skip.saturating_add(PIECE));
                Ok(bytes.slice(skip.min(upto)..upto))
            }
            Part::Stored(begins, file, stored) => self.stored(begins, file, stored).await,
        }
    }

    async fn stored(&mut self, begins: u64, file: usize, stored: &Stored) -> Result<Bytes, Error> {
        let wanted = self.at.saturating_sub(begins);
        let left = length(self.end - self.at);
        let mut open = match self.open.take().filter(|o| o.file == file) {
            Some(open) => open,
            None => begin(&self.layout, &self.source, file, stored).await?,
        };
        loop {
            let from = open.seen;
            let piece = open.advance(stored).await.map_err(|e| e.named(&self.layout, file))?;
            if open.seen <= wanted {
                continue;
            }
            let skip = length(wanted.saturating_sub(from));
            let piece = piece.slice(skip.min(piece.len())..);
            if open.seen < stored.len {
                self.open = Some(open);
            }
            return Ok(piece.slice(..piece.len().min(left)));
        }
    }
}

async fn begin(
    layout: &Layout,
    source: &Arc<dyn Source>,
    file: usize,
    stored: &Stored,
) -> Result<Open, Error> {
    let plain = source.open(stored.object).await.map_err(|e| Broken::Io(e).named(layout, file))?;
    let sha256 = (!source.authenticates()).then(Sha256::new);
    Ok(Open { file, plain, seen: 0, crc32: crc32fast::Hasher::new(), sha256 })
}

/// What is wrong with a stored file, before it has a name.
enum Broken {
    Io(io::Error),
    Changed(&'static str),
}

impl Broken {
    fn named(self, layout: &Layout, file: usize) -> Error {
        let path = layout.path(file);
        match self {
            Self::Io(e) if e.kind() == io::ErrorKind::NotFound => Error::Gone { path },
            Self::Io(source) => Error::Unreadable { path, source },
            Self::Changed(why) => Error::Changed { path, why },
        }
    }
}

impl Open {
    /// The next piece; the last one only once the whole file was seen to be right.
    async fn advance(&mut self, stored: &Stored) -> Result<Bytes, Broken> {
        let piece = self.pull().await?.ok_or(Broken::Changed("it is shorter"))?;
        self.seen += piece.len() as u64;
        if self.seen > stored.len {
            return Err(Broken::Changed("it is longer"));
        }
        self.crc32.update(&piece);
        if let Some(sha256) = &mut self.sha256 {
            sha256.update(&piece);
        }
        if self.seen == stored.len {
            if self.pull().await?.is_some() {
                return Err(Broken::Changed("it is longer"));
            }
            if self.crc32.clone().finalize() != stored.crc32 {
                return Err(Broken::Changed("its CRC-32 is another"));
            }
            if self.sha256.take().is_some_and(|h| h.finalize().as_slice() != stored.sha256) {
                return Err(Broken::Changed("its SHA-256 is another"));
            }
        }
        Ok(piece)
    }

    /// The next piece that has bytes in it.
    async fn pull(&mut self) -> Result<Option<Bytes>, Broken> {
        while let Some(piece) = self.plain.next().await {
            let piece = piece.map_err(Broken::Io)?;
            if !piece.is_empty() {
                return Ok(Some(piece));
            }
        }
        Ok(None)
    }
}

/// A distance within one piece or file in memory. One that does not fit a `usize` is beyond any of them.
fn length(n: u64) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}
