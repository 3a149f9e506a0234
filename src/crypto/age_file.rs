//! Images at rest: age v1 files (C2SP age.md) with one stanza of the project's own,
//! `-> vouchsafe.dev/ks <tenant> <subject> <object> <kind> <revision>`, and an empty body. The file key is not in the
//! file at all; it lies wrapped in the keystore. The stanza's arguments say where the file belongs, and the header MAC
//! covers them, so a file that was swapped, moved or rolled back does not open.

use std::collections::HashSet;
use std::io::{self, Read, Write};
use std::sync::{Mutex, PoisonError};

use age::secrecy::ExposeSecret as _;
use age::{DecryptError, Decryptor, EncryptError, Encryptor, Identity, Recipient};
use age_core::format::{FileKey, Stanza};
use zeroize::Zeroizing;

use super::{Buffer, Error};

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
    writer: age::stream::StreamWriter<Buffer>,
    out: Buffer,
}

impl Sealer {
    /// Begins a file for `context`. Gives the file key, which must be in the keystore before the first byte under it
    /// is acknowledged.
    pub fn new(context: &Context) -> Result<(Self, Zeroizing<[u8; 16]>), Error> {
        let capture = Capture { context, key: Mutex::default() };
        let encryptor = Encryptor::with_recipients(std::iter::once(&capture as &dyn Recipient))
            .map_err(|_| Error::BadKey)?;
        let out = Buffer::default();
        let writer = encryptor.wrap_output(out.clone()).map_err(|_| Error::Damaged)?;
        let key = capture.key.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok((Self { writer, out }, key))
    }

    /// Takes plaintext, gives what ciphertext is ready.
    pub fn push(&mut self, plain: &[u8]) -> Result<Vec<u8>, Error> {
        self.writer.write_all(plain).map_err(|_| Error::Damaged)?;
        Ok(self.out.take())
    }

    /// Ends the file. A file that was not ended does not open.
    pub fn finish(self) -> Result<Vec<u8>, Error> {
        self.writer.finish().map_err(|_| Error::Damaged)?;
        Ok(self.out.take())
    }
}

/// Reads an age file back.
pub struct Opener<R: Read>(age::stream::StreamReader<R>);

impl<R: Read> Opener<R> {
    /// Opens `input` with its file key, if it is the file that `context` says.
    pub fn new(input: R, context: &Context, key: &[u8; 16]) -> Result<Self, Error> {
        let decryptor = Decryptor::new(input).map_err(|_| Error::Damaged)?;
        let identity = Expect { context, key };
        decryptor.decrypt(std::iter::once(&identity as &dyn Identity)).map(Self).map_err(|e| match e {
            DecryptError::NoMatchingKeys => Error::WrongKey,
            _ => Error::Damaged,
        })
    }
}

impl<R: Read> Read for Opener<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.read(buf)
    }
}

impl<R: Read + io::Seek> io::Seek for Opener<R> {
    fn seek(&mut self, to: io::SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

#[cfg(test)]
mod tests {
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
