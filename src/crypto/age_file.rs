//! Images at rest: age v1 files (C2SP age.md) with one stanza of the project's own,
//! `-> vouchsafe.dev/ks <tenant> <subject> <object> <kind> <revision>`, and an empty body. The file key is not in the
//! file at all; it lies wrapped in the keystore. The stanza's arguments say where the file belongs, and the header MAC
//! covers them, so a file that was swapped, moved or rolled back does not open.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use age::secrecy::ExposeSecret as _;
use age::{DecryptError, Decryptor, EncryptError, Encryptor, Identity, Recipient};
use age_core::format::{FileKey, Stanza};
use zeroize::Zeroizing;

use super::Error;
use super::stream::{self, SALT};

const TAG: &str = "vouchsafe.dev/ks";

/// Where a file belongs. Every part is printable ASCII without spaces, as ids, slugs and category names are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// The tenant.
    pub tenant: String,
    /// The person.
    pub subject: String,
    /// The object.
    pub object: String,
    /// Its category.
    pub kind: String,
    /// Its revision.
    pub revision: u32,
}

impl Context {
    /// What a file says of itself, from its first bytes; none when they say nothing. Not to be believed before the file
    /// has opened: only its key proves the header.
    pub fn of_header(bytes: &[u8]) -> Option<Self> {
        let mut lines = bytes.split(|b| *b == b'\n').take(16).filter_map(|l| std::str::from_utf8(l).ok());
        let line = lines.find_map(|l| l.strip_prefix("-> ")?.strip_prefix(TAG)?.strip_prefix(' '))?;
        let parts: Vec<&str> = line.split(' ').collect();
        let [tenant, subject, object, kind, revision] = parts.as_slice() else { return None };
        Some(Self {
            tenant: (*tenant).to_owned(),
            subject: (*subject).to_owned(),
            object: (*object).to_owned(),
            kind: (*kind).to_owned(),
            revision: revision.parse().ok()?,
        })
    }

    fn stanza(&self) -> Stanza {
        let args = vec![
            self.tenant.clone(),
            self.subject.clone(),
            self.object.clone(),
            self.kind.clone(),
            self.revision.to_string(),
        ];
        Stanza { tag: TAG.to_owned(), args, body: Vec::new() }
    }
}

/// Takes the file key that age made, and leaves only the context in the header.
struct Capture<'a> {
    context: &'a Context,
    key: Mutex<Zeroizing<[u8; 16]>>,
}

impl Recipient for Capture<'_> {
    fn wrap_file_key(&self, file_key: &FileKey) -> Result<(Vec<Stanza>, HashSet<String>), EncryptError> {
        **self.key.lock().unwrap_or_else(PoisonError::into_inner) = *file_key.expose_secret();
        Ok((vec![self.context.stanza()], HashSet::new()))
    }
}

/// Gives the file key back, if the header says just what is expected.
struct Expect<'a> {
    context: &'a Context,
    key: &'a [u8; 16],
}

impl Identity for Expect<'_> {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Option<Result<FileKey, DecryptError>> {
        (*stanza == self.context.stanza()).then(|| Ok(FileKey::new(Box::new(*self.key))))
    }
}

/// Turns plaintext into an age file, piece by piece, holding no more than a chunk (64 KiB).
pub struct Sealer {
    /// What was written and not given away: the header, at the beginning.
    header: Vec<u8>,
    body: stream::Writer,
}

impl Sealer {
    /// Begins a file for `context`. Gives the file key, which must be in the keystore before the first byte under it
    /// is acknowledged.
    pub fn new(context: &Context) -> Result<(Self, Zeroizing<[u8; 16]>), Error> {
        let capture = Capture { context, key: Mutex::default() };
        let encryptor = Encryptor::with_recipients(std::iter::once(&capture as &dyn Recipient))
            .map_err(|_| Error::BadKey)?;
        // The header is age's, with its MAC and its salt. The body is begun by us.
        let mut header = Vec::new();
        drop(encryptor.wrap_output(&mut header).map_err(|_| Error::Damaged)?);
        let key = capture.key.into_inner().unwrap_or_else(PoisonError::into_inner);
        let salt = header.last_chunk::<SALT>().ok_or(Error::Damaged)?;
        let body = stream::Writer::new(&key, salt)?;
        Ok((Self { header, body }, key))
    }

    /// Takes plaintext, gives what ciphertext is ready.
    pub fn push(&mut self, plain: &[u8]) -> Result<Vec<u8>, Error> {
        self.push_all(std::iter::once(plain))
    }

    /// The same for plaintext that comes in several parts.
    pub fn push_all<'p>(&mut self, parts: impl Iterator<Item = &'p [u8]> + Clone) -> Result<Vec<u8>, Error> {
        let mut out = std::mem::take(&mut self.header);
        self.body.make_room(parts.clone().map(<[u8]>::len).sum(), &mut out);
        for plain in parts {
            self.body.push(plain, &mut out)?;
        }
        Ok(out)
    }

    /// Ends the file. A file that was not ended does not open.
    pub fn finish(self) -> Result<Vec<u8>, Error> {
        let mut out = self.header;
        self.body.finish(&mut out)?;
        Ok(out)
    }
}

/// Reads an age file back, chunk by chunk. The bytes are brought by whoever has them, so that nobody waits in here.
pub struct Opener {
    chunks: stream::Chunks,
    body: usize,
}

impl Opener {
    /// No header of ours is longer. Whoever can write where files lie could write one that never ends.
    pub const HEADER: usize = 4096;
    /// Bytes of a sealed chunk, but the last, which is shorter or as long.
    pub const SEALED: usize = stream::CHUNK + stream::TAG;

    /// Opens the file that begins with `first`, with its file key, if it is the file that `context` says. Of `first`,
    /// [`Opener::HEADER`] bytes are enough, or all there are.
    pub fn new(first: &[u8], context: &Context, key: &[u8; 16]) -> Result<Self, Error> {
        let mut rest = first.get(..Self::HEADER).unwrap_or(first);
        let most = rest.len();
        // Reads just the header and the salt; decrypting checks the header's MAC and reads nothing.
        let decryptor = Decryptor::new_buffered(&mut rest).map_err(|_| Error::Damaged)?;
        let identity = Expect { context, key };
        drop(decryptor.decrypt(std::iter::once(&identity as &dyn Identity)).map_err(|e| match e {
            DecryptError::NoMatchingKeys => Error::WrongKey,
            _ => Error::Damaged,
        })?);
        let header = most - rest.len();
        let salt = first.get(..header).and_then(<[u8]>::last_chunk::<SALT>).ok_or(Error::Damaged)?;
        Ok(Self { chunks: stream::Chunks::new(key, salt)?, body: header })
    }

    /// Where in the file its body begins.
    pub fn body(&self) -> usize {
        self.body
    }

    /// Goes to the chunk in which this byte of plaintext lies. Says where in the file that chunk begins, and how many
    /// bytes of its plaintext come before.
    pub fn seek(&mut self, at: u64) -> (u64, usize) {
        let number = at / stream::CHUNK as u64;
        self.chunks.seek(number);
        let within = usize::try_from(at % stream::CHUNK as u64).unwrap_or(0);
        (number.saturating_mul(Self::SEALED as u64).saturating_add(self.body as u64), within)
    }

    /// Opens the next chunk where it stands, and says how long its plaintext is; `last`, if the file ends with it. After
    /// one that does not open, and after the last, nothing opens any more.
    pub fn open(&mut self, sealed: &mut [u8], last: bool) -> Result<usize, Error> {
        self.chunks.open(sealed, last)
    }
}

/// The plaintext of a file that is in memory whole: for whoever checks one.
pub fn open_file(file: &[u8], context: &Context, key: &[u8; 16]) -> Result<Vec<u8>, Error> {
    let mut opener = Opener::new(file, context, key)?;
    let mut left = file.get(opener.body()..).ok_or(Error::Damaged)?;
    let mut plain = Vec::with_capacity(left.len());
    loop {
        let (chunk, rest) = left.split_at_checked(Opener::SEALED).unwrap_or((left, &[]));
        let at = plain.len();
        plain.extend_from_slice(chunk);
        let n = opener.open(plain.get_mut(at..).ok_or(Error::Damaged)?, rest.is_empty())?;
        plain.truncate(at + n);
        if rest.is_empty() {
            return Ok(plain);
        }
        left = rest;
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};

    use super::*;

    fn context() -> Context {
        Context {
            tenant: "flux-kontext".into(),
            subject: "sub_1".into(),
            object: "obj_1".into(),
            kind: "output-image".into(),
            revision: 1,
        }
    }

    fn file(context: &Context, plain: &[u8]) -> (Vec<u8>, Zeroizing<[u8; 16]>) {
        let (mut sealer, key) = Sealer::new(context).unwrap();
        let mut out = sealer.push(plain).unwrap();
        out.extend(sealer.finish().unwrap());
        (out, key)
    }

    use super::open_file as read;

    #[test]
    fn a_file_opens_with_its_key_at_its_place_only() {
        let plain = vec![7; 200_000];
        let (sealed, key) = file(&context(), &plain);
        assert_eq!(read(&sealed, &context(), &key).unwrap(), plain);
        let base = context();
        for other in [
            Context { tenant: "opusflair".into(), ..base.clone() },
            Context { subject: "sub_2".into(), ..base.clone() },
            Context { object: "obj_2".into(), ..base.clone() },
            Context { kind: "input-image".into(), ..base.clone() },
            Context { revision: 2, ..base },
        ] {
            assert_eq!(read(&sealed, &other, &key), Err(Error::WrongKey), "{other:?}");
        }
        assert_eq!(read(&sealed, &context(), &[0; 16]), Err(Error::Damaged));
    }

    /// The `age` crate as it reads and writes by itself, told only whose stanza it is.
    fn by_age(file: &[u8], context: &Context, key: &[u8; 16]) -> Vec<u8> {
        let identity = Expect { context, key };
        let opened = Decryptor::new(file).unwrap().decrypt(std::iter::once(&identity as &dyn Identity));
        let mut plain = Vec::new();
        opened.unwrap().read_to_end(&mut plain).unwrap();
        plain
    }

    fn sealed_by_age(context: &Context, plain: &[u8]) -> (Vec<u8>, Zeroizing<[u8; 16]>) {
        let capture = Capture { context, key: Mutex::default() };
        let encryptor = Encryptor::with_recipients(std::iter::once(&capture as &dyn Recipient)).unwrap();
        let mut file = Vec::new();
        let mut writer = encryptor.wrap_output(&mut file).unwrap();
        writer.write_all(plain).unwrap();
        writer.finish().unwrap();
        (file, capture.key.into_inner().unwrap())
    }

    #[test]
    fn what_we_write_age_reads_and_what_age_writes_we_read() {
        const CHUNK: usize = 64 * 1024;
        for len in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 1, 5 * CHUNK, 5 * CHUNK + 7] {
            let plain: Vec<u8> = (0..=250).cycle().take(len).collect();
            let (ours, key) = file(&context(), &plain);
            assert!(by_age(&ours, &context(), &key) == plain, "{len} of ours");
            let (theirs, key) = sealed_by_age(&context(), &plain);
            assert!(read(&theirs, &context(), &key).unwrap() == plain, "{len} of theirs");
        }
    }

    proptest::proptest! {
        #[test]
        fn in_whatever_pieces_it_comes_and_wherever_it_is_read(
            pieces in proptest::collection::vec(0_usize..150_000, 0..6),
            at in proptest::prelude::any::<proptest::sample::Index>(),
        ) {
            let plain: Vec<u8> = (0..=252).cycle().take(pieces.iter().sum()).collect();
            let (mut sealer, key) = Sealer::new(&context()).unwrap();
            let (mut out, mut from) = (Vec::new(), 0);
            for n in pieces {
                out.extend(sealer.push(&plain[from..from + n]).unwrap());
                from += n;
            }
            out.extend(sealer.finish().unwrap());
            proptest::prop_assert!(by_age(&out, &context(), &key) == plain);
            let at = at.index(plain.len().max(1));
            let mut opener = Opener::new(&out, &context(), &key).unwrap();
            let (from, within) = opener.seek(at as u64);
            let mut rest = Vec::new();
            let from = usize::try_from(from).unwrap();
            let mut chunks = out[from..].chunks(Opener::SEALED).peekable();
            while let Some(chunk) = chunks.next() {
                let mut chunk = chunk.to_vec();
                let n = opener.open(&mut chunk, chunks.peek().is_none()).unwrap();
                rest.extend_from_slice(&chunk[..n]);
            }
            proptest::prop_assert!(rest[within..] == plain[at..]);
        }
    }

    #[test]
    fn a_second_spelling_of_a_file_is_refused() {
        const CHUNK: usize = stream::CHUNK;
        let (sealed, key) = file(&context(), &vec![1; CHUNK]);
        let header = sealed.len() - Opener::SEALED;
        let salt = sealed[..header].last_chunk::<SALT>().unwrap();
        // The same plaintext as a chunk that is not the last, and an empty last one behind it.
        let mut body = stream::Writer::new(&key, salt).unwrap();
        let mut spelt = sealed[..header].to_vec();
        body.push(&vec![1; CHUNK + 1], &mut spelt).unwrap();
        spelt.extend(body.empty_end());
        assert_eq!(read(&spelt, &context(), &key), Err(Error::Damaged));
        // A short chunk that says it is not the last, and one after it.
        let short = stream::short_chunk(&key, salt, b"short");
        let mut opener = Opener::new(&sealed, &context(), &key).unwrap();
        assert_eq!(opener.open(&mut short.clone(), false), Err(Error::Damaged));
    }

    #[test]
    fn nothing_is_read_after_what_does_not_open_nor_after_the_end() {
        let (sealed, key) = file(&context(), &vec![1; 3 * stream::CHUNK]);
        let mut opener = Opener::new(&sealed, &context(), &key).unwrap();
        let body = sealed[opener.body()..].to_vec();
        let mut chunks: Vec<Vec<u8>> = body.chunks(Opener::SEALED).map(<[u8]>::to_vec).collect();
        chunks[1][7] ^= 1;
        assert_eq!(opener.open(&mut chunks[0].clone(), false), Ok(stream::CHUNK));
        assert_eq!(opener.open(&mut chunks[1].clone(), false), Err(Error::Damaged));
        assert_eq!(opener.open(&mut chunks[2].clone(), true), Err(Error::Damaged), "a hole is no file");
        let (at, _) = opener.seek(2 * stream::CHUNK as u64 + 5);
        assert_eq!(at, (opener.body() + 2 * Opener::SEALED) as u64);
        assert_eq!(opener.open(&mut chunks[2].clone(), true), Ok(stream::CHUNK), "but it can be asked for");
        assert_eq!(opener.open(&mut chunks[2].clone(), true), Err(Error::Damaged));
    }

    #[test]
    fn a_header_that_never_ends_is_not_read_to_its_end() {
        let endless = b"age-encryption.org/v1\n".iter().chain(b"-> x\n\n".iter().cycle().take(64 << 20));
        let endless: Vec<u8> = endless.copied().collect();
        assert_eq!(Opener::new(&endless, &context(), &[1; 16]).err(), Some(Error::Damaged));
    }

    #[test]
    fn the_header_carries_no_key_at_all() {
        let (sealed, key) = file(&context(), b"x");
        assert!(!sealed.windows(16).any(|w| w == *key));
        // The grease stanza makes a header longer or shorter by chance, so its end is looked for and not counted.
        let header = String::from_utf8_lossy(&sealed).split("\n---").next().unwrap().to_owned();
        assert!(header.contains("-> vouchsafe.dev/ks flux-kontext sub_1 obj_1 output-image 1"), "{header}");
        assert!(!header.contains("X25519"));
    }

    #[test]
    fn a_file_says_where_it_belongs_and_noise_says_nothing() {
        let (sealed, _) = file(&context(), b"x");
        assert_eq!(Context::of_header(&sealed), Some(context()));
        for cut in 0..60 {
            assert_eq!(Context::of_header(&sealed[..cut]), None, "{cut}");
        }
        for noise in [&b""[..], b"-> vouchsafe.dev/ks a b", b"-> vouchsafe.dev/ks a b c d e\n", &[0xff; 300]]
        {
            assert_eq!(Context::of_header(noise), None);
        }
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_refused() {
        let (sealed, key) = file(&context(), b"a small picture");
        for i in 0..sealed.len() {
            let mut bad = sealed.clone();
            bad[i] ^= 1;
            assert!(read(&bad, &context(), &key).is_err(), "byte {i}");
            assert!(read(&sealed[..i], &context(), &key).is_err(), "cut at {i}");
        }
        let mut longer = sealed;
        longer.push(0);
        assert!(read(&longer, &context(), &key).is_err());
    }
}
