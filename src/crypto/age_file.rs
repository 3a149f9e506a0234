//! Images at rest: age v1 files (C2SP age.md) with one stanza of the project's own,
//! `-> vouchsafe.dev/ks <tenant> <subject> <object> <kind> <revision>`, and an empty body. The file key is not in the
//! file at all; it lies wrapped in the keystore. The stanza's arguments say where the file belongs, and the header MAC
//! covers them, so a file that was swapped, moved or rolled back does not open.

use std::collections::HashSet;
use std::io::{self, BufRead, Read, Seek};
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

/// Reads an age file back. Buffered: a chunk is opened at once.
pub struct Opener<R>(stream::Reader<R>);

impl<R: Read> Opener<R> {
    /// Opens `input`, from its first byte on, with its file key, if it is the file that `context` says.
    pub fn new(mut input: R, context: &Context, key: &[u8; 16]) -> Result<Self, Error> {
        let mut header = Seen { input: &mut input, bytes: Vec::new() };
        // Reads just the header and the salt; decrypting checks the header's MAC and reads nothing.
        let decryptor = Decryptor::new(&mut header).map_err(|_| Error::Damaged)?;
        let identity = Expect { context, key };
        drop(decryptor.decrypt(std::iter::once(&identity as &dyn Identity)).map_err(|e| match e {
            DecryptError::NoMatchingKeys => Error::WrongKey,
            _ => Error::Damaged,
        })?);
        let header = header.bytes;
        let salt = header.last_chunk::<SALT>().ok_or(Error::Damaged)?;
        stream::Reader::new(input, header.len() as u64, key, salt).map(Self)
    }
}

impl<R: Read + Seek> Opener<R> {
    /// Goes to a place in the plaintext. Reads the one chunk it lies in, and no other.
    pub fn skip_to(&mut self, at: u64) -> io::Result<()> {
        self.0.skip_to(at)
    }
}

impl<R: Read> BufRead for Opener<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.0.fill_buf()
    }

    fn consume(&mut self, n: usize) {
        self.0.consume(n);
    }
}

impl<R: Read> Read for Opener<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.0.read(out)
    }
}

/// An input, and what was read of it.
struct Seen<'a, R> {
    input: &'a mut R,
    bytes: Vec<u8>,
}

impl<R: Read> Read for Seen<'_, R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let n = self.input.read(out)?;
        self.bytes.extend_from_slice(out.get(..n).unwrap_or_default());
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

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

    fn read(file: &[u8], context: &Context, key: &[u8; 16]) -> Result<Vec<u8>, Error> {
        let mut plain = Vec::new();
        Opener::new(file, context, key)?.read_to_end(&mut plain).map_err(|_| Error::Damaged)?;
        Ok(plain)
    }

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
            let plain: Vec<u8> = (0..len).map(|n| (n % 251) as u8).collect();
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
            let plain: Vec<u8> = (0..pieces.iter().sum()).map(|n: usize| (n % 253) as u8).collect();
            let (mut sealer, key) = Sealer::new(&context()).unwrap();
            let (mut out, mut from) = (Vec::new(), 0);
            for n in pieces {
                out.extend(sealer.push(&plain[from..from + n]).unwrap());
                from += n;
            }
            out.extend(sealer.finish().unwrap());
            proptest::prop_assert!(by_age(&out, &context(), &key) == plain);
            let at = at.index(plain.len().max(1));
            let mut opener = Opener::new(io::Cursor::new(&out), &context(), &key).unwrap();
            opener.skip_to(at as u64).unwrap();
            let mut rest = Vec::new();
            opener.read_to_end(&mut rest).unwrap();
            proptest::prop_assert!(rest == plain[at..]);
        }
    }

    #[test]
    fn a_second_spelling_of_a_file_is_refused_and_so_is_a_read_after_it() {
        const CHUNK: usize = 64 * 1024;
        let (sealed, key) = file(&context(), &vec![1; CHUNK]);
        let header = sealed.len() - CHUNK - 16;
        let salt = sealed[..header].last_chunk::<SALT>().unwrap();
        // The same plaintext as a chunk that is not the last, and an empty last one behind it.
        let mut body = stream::Writer::new(&key, salt).unwrap();
        let mut spelt = sealed[..header].to_vec();
        body.push(&vec![1; CHUNK + 1], &mut spelt).unwrap();
        spelt.extend(body.empty_end());
        let mut opener = Opener::new(spelt.as_slice(), &context(), &key).unwrap();
        let mut piece = vec![0; CHUNK];
        opener.read_exact(&mut piece).unwrap();
        for _ in 0..2 {
            assert!(opener.read(&mut piece).is_err());
        }
        // Beyond the end of a file there is nothing to open.
        let mut opener = Opener::new(io::Cursor::new(&sealed), &context(), &key).unwrap();
        assert!(opener.skip_to(CHUNK as u64).is_err() && opener.skip_to(u64::MAX).is_err());
        opener.skip_to(CHUNK as u64 - 1).unwrap();
        assert_eq!(opener.read(&mut piece).unwrap(), 1);
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
