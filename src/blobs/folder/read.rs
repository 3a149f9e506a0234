//! Reading a file as a stream of chunks, without holding it.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::PathBuf;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::blocking;
use crate::blobs::error::Error;
use crate::blobs::model::{Body, cut};

/// Bytes a visit to the disk brings back.
const CHUNK: u64 = 256 << 10;

/// Reads the next chunk. A file cut short behind our back gives fewer bytes, which [`Body`] reports.
fn next_chunk(file: &mut File, left: u64) -> Result<Bytes, Error> {
    let want = left.min(CHUNK);
    let mut chunk = Vec::with_capacity(usize::try_from(want).unwrap_or(0));
    file.take(want).read_to_end(&mut chunk).map_err(|e| Error::io("read", &e))?;
    Ok(chunk.into())
}

/// Opens `path` and streams it, or the range of it. The first chunk is read in the visit that opens the file.
pub(super) async fn get(path: PathBuf, range: Option<Range<u64>>) -> Result<Body, Error> {
    let open = blocking(move || {
        let mut file = File::open(path).map_err(|e| Error::io("open", &e))?;
        let total = file.metadata().map_err(|e| Error::io("open", &e))?.len();
        let (start, len) = cut(range.as_ref(), total)?;
        if start > 0 {
            file.seek(SeekFrom::Start(start)).map_err(|e| Error::io("seek", &e))?;
        }
        let first = next_chunk(&mut file, len)?;
        Ok((file, first, len, total))
    });
    let (file, first, len, total) = open.await?;
    let left = len - first.len() as u64;
    let rest = stream::try_unfold((file, left), |(mut file, left)| async move {
        if left == 0 {
            return Ok(None);
        }
        let read = blocking(move || Ok((next_chunk(&mut file, left)?, file)));
        let (chunk, file) = read.await?;
        if chunk.is_empty() {
            return Ok(None);
        }
        let left = left - chunk.len() as u64;
        Ok(Some((chunk, (file, left))))
    });
    let first = stream::iter((!first.is_empty()).then_some(Ok(first)));
    Ok(Body::new(len, total, first.chain(rest.into_stream()).boxed()))
}
