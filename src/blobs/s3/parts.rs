//! Cuts a body into parts of exactly one length, the last excepted: what R2 asks of a multipart upload.

use bytes::Bytes;
use futures_util::StreamExt;

use crate::blobs::error::Error;
use crate::blobs::model::Source;

/// A piece of the body, in one stretch of memory.
pub(super) struct Part {
    pub(super) bytes: Bytes,
    /// Whether the body ends with it.
    pub(super) last: bool,
}

/// The body on its way into parts, measured as it goes. Holds one part and one chunk, no more.
pub(super) struct Parts<'a> {
    body: Source<'a>,
    size: usize,
    carry: Bytes,
    len: u64,
}

impl<'a> Parts<'a> {
    pub(super) fn new(body: Source<'a>, size: usize) -> Self {
        Self { body, size, carry: Bytes::new(), len: 0 }
    }

    /// The next chunk that is not empty.
    async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        if !self.carry.is_empty() {
            return Ok(Some(std::mem::take(&mut self.carry)));
        }
        while let Some(chunk) = self.body.next().await {
            let chunk = chunk?;
            if !chunk.is_empty() {
                return Ok(Some(chunk));
            }
        }
        Ok(None)
    }

    /// The next part. Ask no more after the last.
    pub(super) async fn next(&mut self) -> Result<Part, Error> {
        let mut part = Vec::new();
        let mut last = false;
        while part.len() < self.size {
            let Some(mut chunk) = self.chunk().await? else {
                last = true;
                break;
            };
            let take = chunk.len().min(self.size - part.len());
            if part.capacity() - part.len() < take {
                // Doubles, but never beyond a part: a small body must not take the memory of a large one.
                let want = (part.len() * 2).max(part.len() + take).min(self.size);
                part.reserve_exact(want - part.len());
            }
            part.extend_from_slice(&chunk.split_to(take));
            self.carry = chunk;
        }
        if !last {
            match self.chunk().await? {
                Some(chunk) => self.carry = chunk,
                None => last = true,
            }
        }
        let bytes = Bytes::from(part);
        self.len += bytes.len() as u64;
        Ok(Part { bytes, last })
    }

    /// Bytes in all parts so far.
    pub(super) fn len(&self) -> u64 {
        self.len
    }
}

#[cfg(test)]
mod tests {
    use futures_util::stream;
    use proptest::prelude::*;

    use super::*;

    async fn cut(chunks: Vec<Vec<u8>>, size: usize) -> (Vec<Bytes>, u64) {
        let body = stream::iter(chunks.into_iter().map(|c| Ok(Bytes::from(c)))).boxed();
        let mut parts = Parts::new(body, size);
        let mut out = Vec::new();
        loop {
            let part = parts.next().await.unwrap();
            out.push(part.bytes);
            if part.last {
                return (out, parts.len());
            }
        }
    }

    proptest! {
        #[test]
        fn parts_are_equal_but_the_last_and_together_the_body(
            chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..12),
            size in 1_usize..50,
        ) {
            let whole = chunks.concat();
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let (parts, len) = runtime.block_on(cut(chunks, size));
            prop_assert_eq!(parts.concat(), whole.clone());
            prop_assert_eq!(len, whole.len() as u64);
            let (last, full) = parts.split_last().unwrap();
            prop_assert!(full.iter().all(|p| p.len() == size));
            prop_assert!(last.len() <= size && (full.is_empty() || !last.is_empty()));
        }
    }
}
