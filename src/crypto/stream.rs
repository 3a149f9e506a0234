//! The body of an age file: STREAM in chunks of 64 KiB (C2SP age.md, “Payload”), each sealed by ChaCha20-Poly1305 under
//! `HKDF-SHA-256(file key, salt = nonce, info = "payload")` with its number and whether it is the last for a nonce. The
//! format is age's and opens with any age; the cipher is ring's, which is faster than the one the `age` crate brings.

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use zeroize::Zeroizing;

use super::{Error, expand};

/// Bytes of plaintext in every chunk but the last.
pub(super) const CHUNK: usize = 64 * 1024;
pub(super) const TAG: usize = 16;
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
pub(super) struct Chunks {
    cipher: Cipher,
    next: u64,
    /// Nothing is read after what did not open, or after the end.
    over: bool,
}

impl Chunks {
    pub(super) fn new(file_key: &[u8; 16], salt: &[u8; SALT]) -> Result<Self, Error> {
        let mut key = Zeroizing::new([0_u8; 32]);
        if !expand(file_key, Some(salt), b"payload", key.as_mut()) {
            return Err(Error::BadKey);
        }
        Ok(Self { cipher: Cipher::new(key.as_ref()).ok_or(Error::BadKey)?, next: 0, over: false })
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

    fn seal(&mut self, last: bool, text: &mut [u8]) -> Option<[u8; TAG]> {
        let nonce = self.nonce(last)?;
        self.cipher.seal(nonce, &[], text)
    }

    /// Opens the next chunk where it stands, and says how long its plaintext is. Only whoever knows where the file ends
    /// knows which chunk is the last, and a wrong word on that does not open.
    pub(super) fn open(&mut self, sealed: &mut [u8], last: bool) -> Result<usize, Error> {
        if std::mem::replace(&mut self.over, true) {
            return Err(Error::Damaged);
        }
        let first = self.next == 0;
        let nonce = self.nonce(last).ok_or(Error::Damaged)?;
        let plain = self.cipher.open(nonce, &[], sealed).ok_or(Error::Damaged)?;
        // Only an empty file has an empty chunk: one more at the end would be a second spelling of the same file. And a
        // chunk that is not the last is full.
        if (plain == 0 && !first) || (plain < CHUNK && !last) {
            return Err(Error::Damaged);
        }
        self.over = last;
        Ok(plain)
    }

    /// Goes to the chunk of this number.
    pub(super) fn seek(&mut self, number: u64) {
        self.next = number;
        self.over = false;
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
        let text = out.get_mut(at..).ok_or(Error::Damaged)?;
        let tag = self.chunks.seal(last, text).ok_or(Error::Damaged)?;
        out.extend_from_slice(&tag);
        Ok(())
    }
}

/// A chunk that is short and says that it is not the last: what an honest writer never writes.
#[cfg(test)]
pub(super) fn short_chunk(file_key: &[u8; 16], salt: &[u8; SALT], text: &[u8]) -> Vec<u8> {
    let mut out = text.to_vec();
    let tag = Chunks::new(file_key, salt).unwrap().seal(false, &mut out).unwrap();
    out.extend_from_slice(&tag);
    out
}
