//! The tree, held as tiles (C2SP tlog-tiles): the only form in which hashes are stored. What lies between two levels of
//! tiles is computed again when it is needed.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use tlog_tiles::{
    EMPTY_HASH, Hash, HashReader, Tile, prove_record, prove_tree, split_stored_hash_index, tree_hash,
};

use super::{ConsistencyProof, Error};

const HASH: usize = 32;
const FULL_TILE: usize = 256 * HASH;

/// Which tile: its level and its number within the level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TileId {
    /// Level: 0 holds leaf hashes, each further one the roots of the full tiles below.
    pub level: u8,
    /// Number within the level.
    pub n: u64,
}

impl TileId {
    /// How many hashes this tile holds in a tree of `size` entries: 0 to 256.
    pub fn width_in(self, size: u64) -> u16 {
        let hashes = size.checked_shr(8 * u32::from(self.level)).unwrap_or(0);
        let before = self.n.saturating_mul(256);
        u16::try_from(hashes.saturating_sub(before).min(256)).unwrap_or(256)
    }
}

/// Where the hash with this storage index lies: tile, first byte, bytes.
fn locate(index: u64) -> (TileId, usize, usize) {
    let (level, n) = split_stored_hash_index(index);
    let within = level % 8;
    let first = n << within;
    let tile = TileId { level: level / 8, n: first >> 8 };
    let start = usize::try_from(first % 256).unwrap_or(0) * HASH;
    (tile, start, HASH << within)
}

/// Some of a tree's tiles, in memory.
#[derive(Debug, Default)]
pub(super) struct Tree {
    size: u64,
    held: BTreeMap<TileId, Vec<u8>>,
    changed: BTreeSet<TileId>,
}

impl Tree {
    /// A tree of `size` entries of which no tile is held yet.
    pub(super) fn of(size: u64) -> Self {
        Self { size, ..Self::default() }
    }

    pub(super) fn size(&self) -> u64 {
        self.size
    }

    pub(super) fn holds(&self, tile: TileId) -> bool {
        self.held.contains_key(&tile)
    }

    /// Takes in a tile; false when its length is not what a tree of this size has there.
    pub(super) fn hold(&mut self, tile: TileId, hashes: Vec<u8>) -> bool {
        let right = hashes.len() == usize::from(tile.width_in(self.size)) * HASH;
        if right {
            self.held.insert(tile, hashes);
        }
        right
    }

    pub(super) fn tile(&self, tile: TileId) -> Option<&[u8]> {
        self.held.get(&tile).map(Vec::as_slice)
    }

    /// Adds a leaf. The partial tiles at the right edge ([`edge`]) must be held.
    pub(super) fn push(&mut self, leaf: Hash) -> Result<(), Error> {
        let mut place = self.size;
        let mut hash = leaf;
        for level in 0..6_u8 {
            let id = TileId { level, n: place >> 8 };
            let tile = self.held.entry(id).or_default();
            if tile.len() != usize::try_from(place % 256).unwrap_or(0) * HASH {
                return Err(Error::Forked { size: self.size });
            }
            tile.extend_from_slice(&hash.0);
            self.changed.insert(id);
            if tile.len() < FULL_TILE {
                break;
            }
            hash = Tile::subtree_hash(tile);
            place >>= 8;
        }
        self.size += 1;
        Ok(())
    }

    /// The root at `size`, not above the tree's own. The tiles that it takes ([`for_root`]) must be held.
    pub(super) fn root(&self, size: u64) -> Result<Hash, Error> {
        if size == 0 {
            return Ok(EMPTY_HASH);
        }
        tree_hash(size, self).map_err(|_| Error::Forked { size })
    }

    /// The proof that the tree at `new` begins with the tree at `old`.
    pub(super) fn consistency(&self, old: u64, new: u64) -> Result<ConsistencyProof, Error> {
        let hashes = if old == 0 || old == new {
            Vec::new()
        } else {
            prove_tree(new, old, self).map_err(|_| Error::Forked { size: new })?
        };
        Ok(ConsistencyProof { old, new, hashes })
    }

    /// The hashes beside the path from entry `index` to the root at `size`.
    pub(super) fn inclusion(&self, index: u64, size: u64) -> Result<Vec<Hash>, Error> {
        prove_record(size, index, self).map_err(|_| Error::Forked { size })
    }

    /// The tiles written to since they were last asked for.
    pub(super) fn take_changed(&mut self) -> BTreeSet<TileId> {
        std::mem::take(&mut self.changed)
    }

    /// Lets go of full tiles, whose hashes now stand one level up, and hands them out.
    pub(super) fn take_full(&mut self) -> Vec<(TileId, Vec<u8>)> {
        let full: Vec<_> =
            self.held.iter().filter(|(_, t)| t.len() == FULL_TILE).map(|(id, _)| *id).collect();
        full.into_iter().filter_map(|id| self.held.remove_entry(&id)).collect()
    }

    /// Everything held.
    pub(super) fn into_tiles(self) -> BTreeMap<TileId, Vec<u8>> {
        self.held
    }
}

impl HashReader for Tree {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, tlog_tiles::Error> {
        let read = |&index: &u64| {
            let (id, start, length) = locate(index);
            let bytes = self.held.get(&id)?.get(start..start + length)?;
            Some(Tile::subtree_hash(bytes))
        };
        indexes.iter().map(read).collect::<Option<_>>().ok_or(tlog_tiles::Error::IndexesNotInTree)
    }
}

/// Notes which tiles a computation would read, and stops it there.
#[derive(Default)]
struct Wish(RefCell<BTreeSet<TileId>>);

impl HashReader for Wish {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, tlog_tiles::Error> {
        self.0.borrow_mut().extend(indexes.iter().map(|&i| locate(i).0));
        Err(tlog_tiles::Error::IndexesNotInTree)
    }
}

/// The tiles that [`Tree::push`] needs: the partial one of each level.
pub(super) fn edge(size: u64) -> BTreeSet<TileId> {
    let partial = |level: u8| {
        let hashes = size >> (8 * u32::from(level));
        (!hashes.is_multiple_of(256)).then_some(TileId { level, n: hashes >> 8 })
    };
    (0..6).filter_map(partial).collect()
}

/// The tiles that [`Tree::root`] needs: one a level.
pub(super) fn for_root(size: u64) -> BTreeSet<TileId> {
    let wish = Wish::default();
    let _ = tree_hash(size, &wish);
    wish.0.into_inner()
}

/// The tiles that [`Tree::consistency`] needs: at most two a level.
pub(super) fn for_consistency(old: u64, new: u64) -> BTreeSet<TileId> {
    let wish = Wish::default();
    let _ = prove_tree(new, old, &wish);
    wish.0.into_inner()
}

/// The tiles that [`Tree::inclusion`] needs: at most two a level.
pub(super) fn for_inclusion(index: u64, size: u64) -> BTreeSet<TileId> {
    let wish = Wish::default();
    let _ = prove_record(size, index, &wish);
    wish.0.into_inner()
}
