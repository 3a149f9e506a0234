//! The body of an age file: STREAM in chunks of 64 KiB (C2SP age.md, “Payload”), each sealed by ChaCha20-Poly1305 under
//! `HKDF-SHA-256(file key, salt = nonce, info = "payload")` with its number and whether it is the last for a nonce. The
//! format is age's and opens with any age; the cipher is ring's, which is twice as fast as the one the `age` crate brings.

use std::io::{self, BufRead, Read, Seek, SeekFrom};

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use zeroize::Zeroizing;

use super::{Error, expand};

/// Bytes of plaintext in every chunk but the last.
pub(super) const CHUNK: usize = 64 * 1024;
const TAG: usize = 16;
/// What age writes between header and body, to make the body's key.
pub(super) const SALT: usize = 16;

/// A key of ChaCha20-Poly1305. Ring does not wipe what it is given, so the key stays where it was first put, and is
/// written over when it is dropped.
pub(super) struct Cipher(Box<LessSafeKey>);

impl Cipher {
    pub(super) fn new(key: &[u8]) -> Option<Self> {
        UnboundKey::new(&CHACHA20_POLY1305, key).ok().map(|key| Self(Box::new(LessSafeKey::new(key))))
    }

    /// Seals `text` where it stands, and gives the tag that goes behind it.
    pub(super) fn seal(&self, nonce: [u8; 12], aad: &[u8], text: &mut [u8]) -> Option<[u8; TAG]> {
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = self.0.seal_in_place_separate_tag(nonce, Aad::from(aad), text).ok()?;
        tag.as_ref().try_into().ok()
    }

    /// Opens ciphertext and tag where they stand, and says how long the plaintext is. What does not open is noise after.
    pub(super) fn open(&self, nonce: [u8; 12], aad: &[u8], sealed: &mut [u8]) -> Option<usize> {
        let nonce = Nonce::assume_unique_for_key(nonce);
        self.0.open_in_place(nonce, Aad::from(aad), sealed).ok().map(|plain| plain.len())
    }
}

impl Drop for Cipher {
    fn drop(&mut self) {
        if let Ok(blank) = UnboundKey::new(&CHACHA20_POLY1305, &[0; 32]) {
            *self.0 = LessSafeKey::new(blank);
            // Nobody reads what was written, and a compiler could leave it out for that.
            std::hint::black_box(&self.0);
        }
    }
}

/// The cipher of one file, and which chunk is next.
struct Chunks {
    cipher: Cipher,
    next: u64,
}

impl Chunks {
    fn new(file_key: &[u8; 16], salt: &[u8; SALT]) -> Result<Self, Error> {
        let mut key = Zeroizing::new([0_u8; 32]);
        if !expand(file_key, Some(salt), b"payload", key.as_mut()) {
            return Err(Error::BadKey);
        }
        Ok(Self { cipher: Cipher::new(key.as_ref()).ok_or(Error::BadKey)?, next: 0 })
    }

    /// Eleven bytes of number and one that says whether it is the last: no two chunks of a file share one. None after
    /// 2^64 chunks, which is more than any disk holds.
    fn nonce(&mut self, last: bool) -> Option<[u8; 12]> {
        let mut nonce = [0; 12];
        let number = self.next.to_be_bytes();
        nonce.iter_mut().skip(3).zip(number).for_each(|(to, from)| *to = from);
        *nonce.last_mut()? = u8::from(last);
        self.next = self.next.checked_add(1)?;
        Some(nonce)
    }
}

/// Seals a body, piece by piece.
pub(super) struct Writer {
    chunks: Chunks,
    /// What came since the last chunk. A whole chunk waits here too, since it may be the last.
    waiting: Zeroizing<Vec<u8>>,
}

impl Writer {
    pub(super) fn new(file_key: &[u8; 16], salt: &[u8; SALT]) -> Result<Self, Error> {
        let waiting = Zeroizing::new(Vec::with_capacity(CHUNK));
        Ok(Self { chunks: Chunks::new(file_key, salt)?, waiting })
    }

    /// Room for what so much more plaintext will make: a buffer that grows is copied, and leaves behind what was in it.
    pub(super) fn make_room(&self, more: usize, out: &mut Vec<u8>) {
        out.reserve((self.waiting.len().saturating_add(more) / CHUNK + 1).saturating_mul(CHUNK + TAG));
    }

    /// Takes plaintext, and writes the chunks that are known not to be the last.
    pub(super) fn push(&mut self, mut plain: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
        while self.waiting.len() + plain.len() > CHUNK {
            let (head, rest) = plain.split_at_checked(CHUNK - self.waiting.len()).ok_or(Error::Damaged)?;
            self.chunk(head, false, out)?;
            plain = rest;
        }
        self.waiting.extend_from_slice(plain);
        Ok(())
    }

    /// Writes the last chunk, which of an empty file is empty.
    pub(super) fn finish(mut self, out: &mut Vec<u8>) -> Result<(), Error> {
        out.reserve(self.waiting.len() + TAG);
        self.chunk(&[], true, out)
    }

    /// A last chunk with nothing in it, whatever waits: what an honest writer never writes.
    #[cfg(test)]
    pub(super) fn empty_end(mut self) -> Vec<u8> {
        let mut out = Vec::new();
        self.waiting.clear();
        self.chunk(&[], true, &mut out).unwrap();
        out
    }

    fn chunk(&mut self, head: &[u8], last: bool, out: &mut Vec<u8>) -> Result<(), Error> {
        let at = out.len();
        out.extend_from_slice(&self.waiting);
        out.extend_from_slice(head);
        self.waiting.clear();
        let nonce = self.chunks.nonce(last).ok_or(Error::Damaged)?;
        let text = out.get_mut(at..).ok_or(Error::Damaged)?;
        let tag = self.chunks.cipher.seal(nonce, &[], text).ok_or(Error::Damaged)?;
        out.extend_from_slice(&tag);
        Ok(())
    }
}

/// Opens a body. Nothing of a chunk is given before its tag has been checked, and a body that ends before its last chunk
/// is an error.
pub(super) struct Reader<R> {
    input: R,
    chunks: Chunks,
    /// A chunk as it was read, and then as it was opened: one byte more than a chunk has, to see whether another follows.
    buffer: Zeroizing<Vec<u8>>,
    /// That byte, the first of the chunk after.
    ahead: Option<u8>,
    /// What of the buffer is plaintext that nobody has taken.
    ready: std::ops::Range<usize>,
    state: State,
    /// Where in the input the body begins.
    start: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    More,
    Ended,
    Failed,
}

impl<R: Read> Reader<R> {
    /// `input` stands at the body, `start` bytes from its own beginning.
    pub(super) fn new(input: R, start: u64, file_key: &[u8; 16], salt: &[u8; SALT]) -> Result<Self, Error> {
        let chunks = Chunks::new(file_key, salt)?;
        let buffer = Zeroizing::new(vec![0; CHUNK + TAG + 1]);
        Ok(Self { input, chunks, buffer, ahead: None, ready: 0..0, state: State::More, start })
    }

    fn next(&mut self) -> io::Result<()> {
        // Whoever asks again after a failure is told of it again, and not that the file has ended.
        self.state = State::Failed;
        let mut have = 0;
        if let (Some(byte), Some(first)) = (self.ahead.take(), self.buffer.first_mut()) {
            *first = byte;
            have = 1;
        }
        while let Some(room) = self.buffer.get_mut(have..).filter(|room| !room.is_empty()) {
            match self.input.read(room) {
                Ok(0) => break,
                Ok(n) => have += n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        let last = have <= CHUNK + TAG;
        if !last {
            self.ahead = self.buffer.last().copied();
        }
        let first = self.chunks.next == 0;
        let nonce = self.chunks.nonce(last).ok_or_else(damaged)?;
        let sealed = self.buffer.get_mut(..have.min(CHUNK + TAG)).ok_or_else(damaged)?;
        let plain = self.chunks.cipher.open(nonce, &[], sealed).ok_or_else(damaged)?;
        // Only an empty file has an empty chunk: one more at the end would be a second spelling of the same file.
        if plain == 0 && !first {
            return Err(damaged());
        }
        self.ready = 0..plain;
        self.state = if last { State::Ended } else { State::More };
        Ok(())
    }
}

fn damaged() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the file is not what was written")
}

impl<R: Read> BufRead for Reader<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.ready.is_empty() && self.state != State::Ended {
            self.next()?;
        }
        self.buffer.get(self.ready.clone()).ok_or_else(damaged)
    }

    fn consume(&mut self, n: usize) {
        self.ready.start = self.ready.start.saturating_add(n).min(self.ready.end);
    }
}

impl<R: Read> Read for Reader<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let n = self.fill_buf()?.read(out)?;
        self.consume(n);
        Ok(n)
    }
}

impl<R: Read + Seek> Reader<R> {
    /// Goes to a place in the plaintext, reading the one chunk it lies in.
    pub(super) fn skip_to(&mut self, at: u64) -> io::Result<()> {
        let (number, within) = (at / CHUNK as u64, usize::try_from(at % CHUNK as u64).unwrap_or(0));
        let sealed = number.checked_mul((CHUNK + TAG) as u64).and_then(|n| n.checked_add(self.start));
        self.input.seek(SeekFrom::Start(sealed.ok_or_else(damaged)?))?;
        self.chunks.next = number;
        self.ahead = None;
        self.ready = 0..0;
        self.next()?;
        if within > self.ready.end {
            self.ready = 0..0;
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.ready.start = within;
        Ok(())
    }
}
