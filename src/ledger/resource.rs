use std::fmt;
use std::str::FromStr;

use super::checkpoint::LARGEST_TREE;
use super::{Error, TileId};

/// Hashes in a full tile, entries in a full bundle (C2SP tlog-tiles).
pub const FULL: u16 = 256;

/// A static resource of a tiled log, by its path (C2SP tlog-tiles): what a stranger fetches and a folder holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Resource {
    /// `checkpoint`
    Checkpoint,
    /// `tile/<L>/<N>[.p/<W>]`: hashes.
    Tile {
        /// Level and number.
        tile: TileId,
        /// How many hashes, 1 to 256.
        width: u16,
    },
    /// `tile/entries/<N>[.p/<W>]`: entries with two bytes of length before each.
    Entries {
        /// Number of the bundle.
        n: u64,
        /// How many entries, 1 to 256.
        width: u16,
    },
}

impl Resource {
    /// The content type it is served with.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Checkpoint => "text/plain; charset=utf-8",
            Self::Tile { .. } | Self::Entries { .. } => "application/octet-stream",
        }
    }

    /// Whether its bytes never change.
    pub fn is_immutable(self) -> bool {
        self != Self::Checkpoint
    }

    /// Every resource that a tree of this size consists of, the checkpoint last.
    pub fn all(size: u64) -> impl Iterator<Item = Self> {
        let widths = move |count: u64| {
            let last = u16::try_from(count % u64::from(FULL)).unwrap_or(0);
            (0..count / 256).map(|n| (n, FULL)).chain((last > 0).then_some((count / 256, last)))
        };
        let tiles = (0..6_u8).flat_map(move |level| {
            widths(size >> (8 * u32::from(level)))
                .map(move |(n, width)| Self::Tile { tile: TileId { level, n }, width })
        });
        let entries = widths(size).map(|(n, width)| Self::Entries { n, width });
        entries.chain(tiles).chain(std::iter::once(Self::Checkpoint))
    }
}

fn number(f: &mut fmt::Formatter<'_>, n: u64, width: u16) -> fmt::Result {
    let mut groups = vec![format!("{:03}", n % 1000)];
    let mut rest = n / 1000;
    while rest > 0 {
        groups.push(format!("x{:03}", rest % 1000));
        rest /= 1000;
    }
    groups.reverse();
    f.write_str(&groups.join("/"))?;
    if width < FULL { write!(f, ".p/{width}") } else { Ok(()) }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Checkpoint => f.write_str("checkpoint"),
            Self::Tile { tile, width } => {
                write!(f, "tile/{}/", tile.level)?;
                number(f, tile.n, width)
            }
            Self::Entries { n, width } => {
                f.write_str("tile/entries/")?;
                number(f, n, width)
            }
        }
    }
}

fn read_number(text: &str) -> Option<(u64, u16)> {
    let (path, width) = match text.split_once(".p/") {
        Some((path, width)) => (path, width.parse().ok().filter(|w| (1..FULL).contains(w))?),
        None => (text, FULL),
    };
    let mut n = 0_u64;
    for group in path.split('/') {
        let digits: u16 = group.strip_prefix('x').unwrap_or(group).parse().ok()?;
        n = n.checked_mul(1000)?.checked_add(digits.into())?;
    }
    (n < LARGEST_TREE).then_some((n, width))
}

fn read(path: &str) -> Option<Resource> {
    if path == "checkpoint" {
        return Some(Resource::Checkpoint);
    }
    let (level, rest) = path.strip_prefix("tile/")?.split_once('/')?;
    let (n, width) = read_number(rest)?;
    if level == "entries" {
        return Some(Resource::Entries { n, width });
    }
    let level = level.parse().ok().filter(|l| *l < 64)?;
    Some(Resource::Tile { tile: TileId { level, n }, width })
}

impl FromStr for Resource {
    type Err = Error;
    /// Reads only the one spelling that `Display` writes, so that no resource has two addresses.
    fn from_str(path: &str) -> Result<Self, Error> {
        let found = if path.len() <= 64 { read(path) } else { None };
        found.filter(|r| r.to_string() == path).ok_or(Error::NotFound)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn paths_are_those_of_c2sp() {
        let tile = |level, n, width| Resource::Tile { tile: TileId { level, n }, width };
        for (path, what) in [
            ("checkpoint", Resource::Checkpoint),
            ("tile/0/x001/x234/067", tile(0, 1_234_067, 256)),
            ("tile/0/x001/x234/067.p/1", tile(0, 1_234_067, 1)),
            ("tile/1/000.p/17", tile(1, 0, 17)),
            ("tile/entries/x001/273", Resource::Entries { n: 1273, width: 256 }),
            ("tile/entries/273.p/112", Resource::Entries { n: 273, width: 112 }),
        ] {
            assert_eq!(what.to_string(), path);
            assert_eq!(path.parse::<Resource>().unwrap(), what);
        }
        for bad in [
            "tile/00/000",
            "tile/64/000",
            "tile/0/0",
            "tile/0/000.p/0",
            "tile/0/000.p/256",
            "tile/0/000.p/01",
            "tile/0/x000/000",
            "tile/0/001/000",
            "tile/0/x1000/000",
            "tile/8/0/000",
            "tile/data/000",
            "/checkpoint",
            "tile/0/000/",
            "tile/0/+00",
            "tile/entries/../../000",
            "tile/0/x999/x999/x999/x999/x999/x999/999",
            "",
        ] {
            assert!(bad.parse::<Resource>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_tree_of_seventy_thousand_consists_of_what_c2sp_says() {
        let all: Vec<_> = Resource::all(70_000).collect();
        let of =
            |l: u8| all.iter().filter(move |r| matches!(r, Resource::Tile { tile, .. } if tile.level == l));
        assert_eq!(of(0).count(), 274);
        assert_eq!(of(0).next_back().unwrap().to_string(), "tile/0/273.p/112");
        assert_eq!(of(1).map(ToString::to_string).collect::<Vec<_>>(), ["tile/1/000", "tile/1/001.p/17"]);
        assert_eq!(of(2).map(ToString::to_string).collect::<Vec<_>>(), ["tile/2/000.p/1"]);
        assert_eq!(of(3).count(), 0);
        assert_eq!(Resource::all(256).filter(|r| matches!(r, Resource::Tile { .. })).count(), 2);
        assert_eq!(Resource::all(0).collect::<Vec<_>>(), [Resource::Checkpoint]);
    }

    proptest! {
        #[test]
        fn a_path_has_one_spelling(path in "[a-z0-9/.x+]{0,40}") {
            if let Ok(r) = path.parse::<Resource>() {
                prop_assert_eq!(r.to_string(), path);
            }
        }
    }
}
