//! Where an archive lies while it is looked at: a file without a name, gone with the last handle, sealed piece by piece
//! under a key that lives in memory alone. Reading it back needs one piece in memory.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use zeroize::Zeroizing;

use super::{Error, Imports};
use crate::base::Entropy;
use crate::crypto::{self, Key, Place};

/// Plaintext bytes of a piece.
const PIECE: usize = 64 * 1024;
/// What sealing adds: nonce and tag.
const SEALING: u64 = 24 + 16;

/// An archive that was put down.
#[derive(Debug, Clone)]
pub struct Spool(Arc<Put>);

#[derive(Debug)]
struct Put {
    file: File,
    key: Key,
    len: u64,
}

impl Imports {
    /// Puts an archive down as it arrives, at most as long as is looked at.
    pub async fn receive<E>(
        &self,
        mut body: impl Stream<Item = Result<Bytes, E>> + Unpin,
    ) -> Result<Spool, Error> {
        let folder = self.folder.clone();
        let made = tokio::task::spawn_blocking(move || tempfile::tempfile_in(folder)).await;
        let file = made.map_err(io::Error::other).and_then(|f| f).map_err(Error::Disk)?;
        let mut put = Put { file, key: Key::generate(&self.entropy), len: 0 };
        let mut waiting = Zeroizing::new(Vec::with_capacity(PIECE));
        let mut number = 0;
        while let Some(piece) = body.next().await {
            let piece = piece.map_err(|_| Error::BrokenOff)?;
            put.len = put.len.saturating_add(piece.len() as u64);
            if put.len > self.settings.most_bytes {
                return Err(Error::TooLarge(self.settings.most_bytes));
            }
            let mut rest = piece.as_ref();
            while !rest.is_empty() {
                let (now, later) = rest.split_at(rest.len().min(PIECE - waiting.len()));
                waiting.extend_from_slice(now);
                rest = later;
                if waiting.len() == PIECE {
                    (put, waiting) = put.write(number, waiting, &self.entropy).await?;
                    number += 1;
                }
            }
        }
        if !waiting.is_empty() {
            (put, _) = put.write(number, waiting, &self.entropy).await?;
        }
        Ok(Spool(Arc::new(put)))
    }
}

fn place(number: u64) -> Place {
    Place::new("import").number(i64::try_from(number).unwrap_or(i64::MAX))
}

fn offset(number: u64) -> u64 {
    number.saturating_mul(PIECE as u64 + SEALING)
}

impl Put {
    async fn write(
        self,
        number: u64,
        mut plain: Zeroizing<Vec<u8>>,
        entropy: &Entropy,
    ) -> Result<(Self, Zeroizing<Vec<u8>>), Error> {
        let entropy = entropy.clone();
        let written = tokio::task::spawn_blocking(move || {
            let sealed = crypto::seal(&self.key, &place(number), &plain, &entropy);
            self.file.write_all_at(&sealed, offset(number))?;
            plain.clear();
            Ok((self, plain))
        });
        written.await.map_err(io::Error::other).and_then(|w| w).map_err(Error::Disk)
    }

    fn piece(&self, number: u64) -> io::Result<Zeroizing<Vec<u8>>> {
        let begins = number.saturating_mul(PIECE as u64);
        let len = self.len.saturating_sub(begins).min(PIECE as u64).saturating_add(SEALING);
        let mut sealed = vec![0; usize::try_from(len).map_err(io::Error::other)?];
        self.file.read_exact_at(&mut sealed, offset(number))?;
        crypto::open(&self.key, &place(number), &sealed).map_err(io::Error::other)
    }
}

impl Spool {
    /// Reads it from its beginning. Any number of readers may be at work.
    pub(super) fn reader(&self) -> Reader {
        Reader { put: Arc::clone(&self.0), at: 0, held: None }
    }
}

/// Reads an archive that was put down.
pub(super) struct Reader {
    put: Arc<Put>,
    at: u64,
    /// The piece that was read last.
    held: Option<(u64, Zeroizing<Vec<u8>>)>,
}

impl Read for Reader {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if self.at >= self.put.len || to.is_empty() {
            return Ok(0);
        }
        let number = self.at / PIECE as u64;
        let piece = match self.held.take() {
            Some((held, piece)) if held == number => piece,
            _ => self.put.piece(number)?,
        };
        let within = usize::try_from(self.at % PIECE as u64).map_err(io::Error::other)?;
        let from = piece.get(within..).unwrap_or_default();
        let n = from.len().min(to.len());
        if let (Some(to), Some(from)) = (to.get_mut(..n), from.get(..n)) {
            to.copy_from_slice(from);
        }
        self.at = self.at.saturating_add(n as u64);
        self.held = Some((number, piece));
        Ok(n)
    }
}

impl Seek for Reader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.put.len.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.at)
    }
}
