//! The mathematics, against published vectors and against itself.

use proptest::prelude::*;
use tlog_tiles::Hash;

use super::tree::{Tree, edge, for_consistency, for_inclusion, for_root};
use super::*;

/// The leaves of the Certificate Transparency reference tree.
const LEAVES: [&str; 8] =
    ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];

const ROOTS: [&str; 9] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

/// Published audit paths: leaf, tree size, path.
const PATHS: [(u64, u64, &[&str]); 3] = [
    (
        0,
        8,
        &[
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        5,
        8,
        &[
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (2, 3, &["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
];

/// Published consistency proofs: old size, new size, hashes.
const CONSISTENCY: [(u64, u64, &[&str]); 4] = [
    (1, 1, &[]),
    (
        1,
        8,
        &[
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        6,
        8,
        &[
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (
        2,
        5,
        &[
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
];

fn hash(hex: &str) -> Hash {
    Hash(hex::decode(hex).unwrap().try_into().unwrap())
}

fn reference(size: usize) -> Tree {
    let mut tree = Tree::of(0);
    for leaf in LEAVES.iter().take(size) {
        tree.push(leaf_hash(&hex::decode(leaf).unwrap())).unwrap();
    }
    tree
}

#[test]
fn roots_are_those_of_the_reference_tree() {
    for (size, root) in ROOTS.iter().enumerate() {
        assert_eq!(reference(size).root(size as u64).unwrap(), hash(root), "{size}");
    }
}

#[test]
fn audit_paths_are_those_of_the_reference_tree() {
    for (index, size, path) in PATHS {
        let path: Vec<_> = path.iter().map(|h| hash(h)).collect();
        assert_eq!(reference(8).inclusion(index, size).unwrap(), path);
    }
}

#[test]
fn consistency_proofs_are_those_of_the_reference_tree() {
    for (old, new, hashes) in CONSISTENCY {
        let proof = reference(8).consistency(old, new).unwrap();
        assert_eq!(proof.hashes, hashes.iter().map(|h| hash(h)).collect::<Vec<_>>());
        let root = |size: u64| hash(ROOTS[usize::try_from(size).unwrap()]);
        assert!(proof.verify(root(old), root(new)).is_ok());
    }
}

/// RFC 6962 §2.1, word for word, to compare with.
fn mth(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => tlog_tiles::EMPTY_HASH,
        [one] => *one,
        _ => {
            let k = leaves.len().next_power_of_two() / 2;
            let (left, right) = leaves.split_at(if k == leaves.len() { k / 2 } else { k });
            tlog_tiles::node_hash(mth(left), mth(right))
        }
    }
}

fn leaves(size: u64) -> Vec<Hash> {
    (0..size).map(|n| leaf_hash(&n.to_be_bytes())).collect()
}

fn grown(size: u64) -> Tree {
    let mut tree = Tree::of(0);
    for leaf in leaves(size) {
        tree.push(leaf).unwrap();
    }
    tree
}

/// A tree that holds only those tiles of `whole` that are asked for: what a database reads for one question.
fn only(whole: &Tree, tiles: impl IntoIterator<Item = TileId>) -> Tree {
    let mut part = Tree::of(whole.size());
    for id in tiles {
        assert!(part.hold(id, whole.tile(id).unwrap().to_vec()));
    }
    part
}

#[test]
fn tiles_give_the_roots_of_rfc_6962_across_their_borders() {
    let whole = grown(1100);
    let leaves = leaves(1100);
    for size in (0..=20).chain(250..=262).chain(505..=520).chain([1023, 1024, 1025, 1100]) {
        let root = whole.root(size).unwrap();
        assert_eq!(root, mth(&leaves[..usize::try_from(size).unwrap()]), "{size}");
        assert_eq!(only(&grown(size), for_root(size)).root(size).unwrap(), root);
    }
}

#[test]
fn a_large_tree_grows_from_its_edge_alone() {
    let mut from_edge = only(&grown(70_000), edge(70_000));
    assert!(edge(70_000).len() <= 3);
    let mut whole = grown(70_000);
    for n in 0..300_u64 {
        let leaf = leaf_hash(&(n + 70_000).to_be_bytes());
        from_edge.push(leaf).unwrap();
        whole.push(leaf).unwrap();
    }
    assert_eq!(from_edge.root(70_300).unwrap(), whole.root(70_300).unwrap());
    let mut without = Tree::of(70_000);
    assert!(matches!(without.push(Hash([0; 32])), Err(Error::Forked { .. })));
}

#[test]
fn a_tile_of_the_wrong_length_is_not_taken() {
    let id = TileId { level: 0, n: 0 };
    assert!(!Tree::of(3).hold(id, vec![0; 64]));
    assert!(!Tree::of(3).hold(id, vec![0; 128]));
    assert!(Tree::of(3).hold(id, vec![0; 96]));
}

/// What can be done to a list of hashes.
fn mangled(hashes: &[Hash]) -> Vec<Vec<Hash>> {
    let (garbage, mut all) = (Hash([7; 32]), Vec::new());
    for i in 0..hashes.len() {
        let mut bit = hashes.to_vec();
        bit[i] = flip(bit[i], 4);
        let (mut fewer, mut twice) = (hashes.to_vec(), hashes.to_vec());
        fewer.remove(i);
        twice.insert(i, hashes[i]);
        all.extend([bit, fewer, twice]);
        if i > 0 && hashes[i] != hashes[i - 1] {
            let mut swapped = hashes.to_vec();
            swapped.swap(i, i - 1);
            all.push(swapped);
        }
    }
    all.push([&[garbage][..], hashes].concat());
    all.push([hashes, &[garbage][..]].concat());
    if !hashes.is_empty() {
        all.push(Vec::new());
    }
    all
}

/// T28: every proof of every tree up to 40 entries against the definition in RFC 6962, and every one of them mangled: bits
/// turned, hashes missing, doubled, swapped, before and after, sizes and numbers beside the true ones, roots exchanged.
#[test]
fn every_proof_of_small_trees_holds_and_none_that_is_mangled() {
    const MOST: u64 = 40;
    let leaves = leaves(MOST);
    let roots: Vec<Hash> = (0..=leaves.len()).map(|n| mth(&leaves[..n])).collect();
    let (root, at) =
        (|n: u64| roots[usize::try_from(n).unwrap()], |n: u64| leaves[usize::try_from(n).unwrap()]);
    let whole = grown(MOST);
    let (mut held, mut refused) = (0, 0);
    for size in 1..=MOST {
        for index in 0..size {
            let path = whole.inclusion(index, size).unwrap();
            let holds = |path: &Vec<Hash>, size, root, index, leaf| {
                tlog_tiles::check_record(path, size, root, index, leaf).is_ok()
            };
            assert!(holds(&path, size, root(size), index, at(index)), "{index} of {size}");
            held += 1;
            for bad in mangled(&path) {
                assert!(!holds(&bad, size, root(size), index, at(index)), "{index} of {size}: {bad:?}");
                refused += 1;
            }
            for (other, of) in [(index + 1, size), (index ^ 2, size), (index, size * 2 + 1), (size, size)] {
                // Where a path says the same of two numbers, the leaf tells them apart.
                assert!(!holds(&path, of, root(size), other, at((index + 1) % MOST)), "{index} of {size}");
                refused += 1;
            }
            assert!(!holds(&path, size, root(size - 1), index, at(index)), "{index} of {size}: another root");
            refused += 1;
        }
    }
    for new in 1..=MOST {
        for old in 1..=new {
            let proof = whole.consistency(old, new).unwrap();
            assert!(proof.verify(root(old), root(new)).is_ok(), "{old} to {new}");
            held += 1;
            for bad in mangled(&proof.hashes) {
                let bad = ConsistencyProof { hashes: bad, ..proof.clone() };
                assert!(bad.verify(root(old), root(new)).is_err(), "{old} to {new}");
                refused += 1;
            }
            if old < new {
                for (a, b) in
                    [(root(new), root(old)), (flip(root(old), 3), root(new)), (root(old), flip(root(new), 3))]
                {
                    assert!(proof.verify(a, b).is_err(), "{old} to {new}: other roots");
                    refused += 1;
                }
            }
        }
    }
    assert!(held >= 1_600 && refused >= 20_000, "{held} held, {refused} refused");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_inclusion_proof_holds_and_no_altered_one(
        size in 1..1500_u64, at in any::<prop::sample::Index>(), which in any::<prop::sample::Index>(), bit in 0..256_usize,
    ) {
        let index = at.index(usize::try_from(size).unwrap()) as u64;
        let whole = grown(size);
        let root = whole.root(size).unwrap();
        let hashes = only(&whole, for_inclusion(index, size)).inclusion(index, size).unwrap();
        let leaf = leaf_hash(&index.to_be_bytes());
        let holds = |hashes: &Vec<Hash>, size, root, index, leaf| {
            tlog_tiles::check_record(hashes, size, root, index, leaf).is_ok()
        };
        prop_assert!(holds(&hashes, size, root, index, leaf));
        prop_assert!(!holds(&hashes, size, root, index, flip(leaf, bit)));
        prop_assert!(!holds(&hashes, size, flip(root, bit), index, leaf));
        prop_assert!(!holds(&hashes, size, root, index ^ 1, leaf));
        let mut more = hashes.clone();
        more.push(leaf);
        prop_assert!(!holds(&more, size, root, index, leaf));
        if !hashes.is_empty() {
            let i = which.index(hashes.len());
            let mut altered = hashes.clone();
            altered[i] = flip(altered[i], bit);
            prop_assert!(!holds(&altered, size, root, index, leaf));
            altered = hashes.clone();
            altered.remove(i);
            prop_assert!(!holds(&altered, size, root, index, leaf));
        }
    }

    #[test]
    fn every_consistency_proof_holds_and_no_altered_one(
        new in 1..1500_u64, at in any::<prop::sample::Index>(), which in any::<prop::sample::Index>(), bit in 0..256_usize,
    ) {
        let old = at.index(usize::try_from(new).unwrap() + 1) as u64;
        let whole = grown(new);
        let (old_root, new_root) = (whole.root(old).unwrap(), whole.root(new).unwrap());
        let proof = only(&whole, for_consistency(old, new)).consistency(old, new).unwrap();
        prop_assert!(proof.verify(old_root, new_root).is_ok());
        prop_assert!(proof.verify(flip(old_root, bit), new_root).is_err());
        if old > 0 {
            prop_assert!(proof.verify(old_root, flip(new_root, bit)).is_err());
        }
        let mut more = proof.clone();
        more.hashes.push(new_root);
        prop_assert!(more.verify(old_root, new_root).is_err());
        if !proof.hashes.is_empty() {
            let mut altered = proof.clone();
            let i = which.index(altered.hashes.len());
            altered.hashes[i] = flip(altered.hashes[i], bit);
            prop_assert!(altered.verify(old_root, new_root).is_err());
            let mut fewer = proof;
            fewer.hashes.remove(i);
            prop_assert!(fewer.verify(old_root, new_root).is_err());
        }
    }

    #[test]
    fn a_tlog_proof_reads_back_as_written(
        index in 0..1_u64 << 40, hashes in prop::collection::vec(any::<[u8; 32]>(), 0..63),
        extra in prop::option::of(prop::collection::vec(any::<u8>(), 0..40)),
    ) {
        let checkpoint = "example.org/l\n1\nAA==\n\n— example.org/l AAAA\n".to_owned();
        let proof = InclusionProof { index, hashes: hashes.into_iter().map(Hash).collect(), checkpoint, extra };
        prop_assert_eq!(InclusionProof::parse(&proof.to_text()).unwrap(), proof);
    }
}

fn flip(hash: Hash, bit: usize) -> Hash {
    let mut bytes = hash.0;
    bytes[bit / 8] ^= 1 << (bit % 8);
    Hash(bytes)
}
