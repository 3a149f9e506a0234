//! What goes in and what comes out.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::stream::BoxStream;
use futures_util::{Stream, StreamExt};

use super::error::Error;
use super::key::BlobKey;
use crate::base::Timestamp;

/// The body that a backend is given to store.
pub(super) type Source<'a> = BoxStream<'a, Result<Bytes, Error>>;

/// What the store says of a blob without sending it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Bytes.
    pub len: u64,
    /// When the store got it, by the store's clock.
    pub modified: Timestamp,
}

/// A line of a listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed {
    /// Its key.
    pub key: BlobKey,
    /// Bytes.
    pub len: u64,
    /// When the store got it, by the store's clock.
    pub modified: Timestamp,
}

/// The end of a deletion: the store holds nothing under the key, and was asked to make sure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deleted {
    /// Whether there was anything before.
    pub was_there: bool,
}

/// The end of a deletion of many.
#[derive(Debug, Default)]
pub struct DeletedMany {
    /// How many of the keys the store now holds nothing under, whether or not it did before.
    pub gone: usize,
    /// The others, and why; to be tried again.
    pub failed: Vec<(BlobKey, Error)>,
}

/// The bytes of a blob, streaming. Ends with an error if the store breaks off before the promised length, so that a cut
/// blob never passes for a whole one.
pub struct Body {
    /// Bytes this stream will give.
    pub len: u64,
    /// Bytes of the whole blob; more than `len` when a range was asked for.
    pub total: u64,
    left: u64,
    chunks: BoxStream<'static, Result<Bytes, Error>>,
}

impl Body {
    pub(super) fn new(len: u64, total: u64, chunks: BoxStream<'static, Result<Bytes, Error>>) -> Self {
        Self { len, total, left: len, chunks }
    }

    /// All of it in one piece of memory; [`Error::Mismatch`] if it is longer than `limit` bytes.
    pub async fn collect(mut self, limit: usize) -> Result<Bytes, Error> {
        let len = usize::try_from(self.len).unwrap_or(usize::MAX);
        if len > limit {
            return Err(Error::Mismatch("longer than the reader takes"));
        }
        let mut whole = Vec::with_capacity(len);
        while let Some(chunk) = self.next().await {
            whole.extend_from_slice(&chunk?);
        }
        Ok(whole.into())
    }
}

impl Stream for Body {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let item = std::task::ready!(self.chunks.poll_next_unpin(cx));
        Poll::Ready(match item {
            Some(Ok(chunk)) => match self.left.checked_sub(chunk.len() as u64) {
                Some(left) => {
                    self.left = left;
                    Some(Ok(chunk))
                }
                None => Some(Err(Error::Mismatch("it sent more than it promised"))),
            },
            None if self.left > 0 => {
                self.left = 0;
                Some(Err(Error::Mismatch("it sent less than it promised")))
            }
            end => end,
        })
    }
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Body").field("len", &self.len).field("total", &self.total).finish_non_exhaustive()
    }
}

/// Cuts a range to a blob of `total` bytes: its start and length.
pub(super) fn cut(range: Option<&std::ops::Range<u64>>, total: u64) -> Result<(u64, u64), Error> {
    let Some(range) = range else { return Ok((0, total)) };
    let end = range.end.min(total);
    if range.start >= end { Err(Error::OutOfRange) } else { Ok((range.start, end - range.start)) }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;

    fn body(promised: u64, sent: &'static [u8]) -> Body {
        Body::new(promised, promised, stream::iter([Ok(Bytes::from_static(sent))]).boxed())
    }

    #[tokio::test]
    async fn a_body_that_is_cut_or_grown_is_an_error() {
        assert_eq!(body(3, b"abc").collect(3).await.unwrap(), "abc");
        assert!(matches!(body(4, b"abc").collect(9).await, Err(Error::Mismatch(_))));
        assert!(matches!(body(2, b"abc").collect(9).await, Err(Error::Mismatch(_))));
        assert!(matches!(body(3, b"abc").collect(2).await, Err(Error::Mismatch(_))), "limit");
    }

    #[test]
    fn a_range_is_cut_to_the_blob() {
        assert_eq!(cut(None, 0).unwrap(), (0, 0));
        assert_eq!(cut(Some(&(2..5)), 10).unwrap(), (2, 3));
        assert_eq!(cut(Some(&(2..99)), 10).unwrap(), (2, 8));
        for outside in [10..11, 5..5, 0..0] {
            assert!(matches!(cut(Some(&outside), 10), Err(Error::OutOfRange)));
        }
    }
}
