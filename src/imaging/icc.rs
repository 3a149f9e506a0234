//! Colour profiles (ICC.1, 7): what a picture's colours mean, without a word of anybody's.
//!
//! A profile has room for text of any length: description, copyright, the names of devices and of people, and private
//! tags. None of it is colour. So a profile is never copied: the curves and primaries of a display, scanner or grey profile
//! are read and written anew, in one order, beside texts of ours. A profile that is made of anything else goes.

use super::bytes::{array, be16, be32, slice};

/// The longest that is looked at. A profile that is made of curves and primaries has some kilobytes.
const MOST: usize = 4 << 20;
/// The most entries of a curve.
const MOST_ENTRIES: usize = 4096;
const HEADER: usize = 128;
/// Curves, primaries, and the white they are measured against, in the order in which they are written.
const COLOUR: [(&[u8; 4], Shape); 10] = [
    (b"wtpt", Shape::Point),
    (b"bkpt", Shape::Point),
    (b"rXYZ", Shape::Point),
    (b"gXYZ", Shape::Point),
    (b"bXYZ", Shape::Point),
    (b"chad", Shape::Matrix),
    (b"rTRC", Shape::Curve),
    (b"gTRC", Shape::Curve),
    (b"bTRC", Shape::Curve),
    (b"kTRC", Shape::Curve),
];
/// What every profile must say of itself, in words of ours.
const NAME: &str = "colour";
const RIGHTS: &str = "none";

#[derive(Clone, Copy)]
enum Shape {
    Point,
    Matrix,
    Curve,
}

/// The same colours, and nothing else; `None` when they cannot be told apart from what else there is.
pub(super) fn neutral(profile: &[u8]) -> Option<Vec<u8>> {
    if profile.len() > MOST || slice(profile, 36, 4)? != b"acsp" {
        return None;
    }
    let space = slice(profile, 16, 4)?;
    let needed: &[&[u8; 4]] = match space {
        b"RGB " => &[b"rXYZ", b"gXYZ", b"bXYZ", b"rTRC", b"gTRC", b"bTRC"],
        b"GRAY" => &[b"kTRC"],
        _ => return None,
    };
    if slice(profile, 20, 4)? != b"XYZ " || !matches!(slice(profile, 12, 4)?, b"mntr" | b"scnr" | b"spac") {
        return None;
    }
    let version = if *profile.get(8)? >= 4 { [4, 0x20, 0, 0] } else { [2, 0x10, 0, 0] };
    let mut tags: Vec<([u8; 4], Vec<u8>)> =
        vec![(*b"desc", described(NAME, version)), (*b"cprt", plain(RIGHTS, version))];
    for (name, shape) in COLOUR {
        if let Some(body) = tag(profile, *name) {
            tags.push((*name, copied(body, shape)?));
        } else if needed.contains(&name) {
            return None;
        }
    }
    let mut header = [0_u8; HEADER];
    let mut put = |at: usize, bytes: &[u8]| {
        if let Some(field) = header.get_mut(at..at + bytes.len()) {
            field.copy_from_slice(bytes);
        }
    };
    put(8, &version);
    put(12, slice(profile, 12, 12)?);
    // A day like any other: when a screen was measured says whose it is.
    put(24, &[0x07, 0xd0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0]);
    put(36, b"acsp");
    put(64, &(be32(profile, 64)? & 3).to_be_bytes());
    // The white of the connection space, which is the same for all.
    put(68, &[0, 0, 0xf6, 0xd6, 0, 1, 0, 0, 0, 0, 0xd3, 0x2d]);
    written(header, &tags)
}

/// The body of a tag, by its name.
fn tag(profile: &[u8], name: [u8; 4]) -> Option<&[u8]> {
    let count = usize::try_from(be32(profile, HEADER)?).ok()?.min(100);
    (0..count).map(|n| HEADER + 4 + n * 12).find_map(|at| {
        let found = array::<4>(profile, at)? == name;
        let (from, len) = (be32(profile, at + 4)?, be32(profile, at + 8)?);
        let body = slice(profile, usize::try_from(from).ok()?, usize::try_from(len).ok()?)?;
        found.then_some(body)
    })
}

/// A tag's numbers, to the last of them and no further.
fn copied(body: &[u8], shape: Shape) -> Option<Vec<u8>> {
    let kind = slice(body, 0, 4)?;
    let len = match (shape, kind) {
        (Shape::Point, b"XYZ ") => 20,
        (Shape::Matrix, b"sf32") => 44,
        (Shape::Curve, b"para") => 12 + 4 * *[1_usize, 3, 4, 5, 7].get(usize::from(be16(body, 8)?))?,
        (Shape::Curve, b"curv") => {
            let entries = usize::try_from(be32(body, 8)?).ok().filter(|n| *n <= MOST_ENTRIES)?;
            // A curve rises; letters in a row do not.
            let values: Vec<u16> = (0..entries).map(|n| be16(body, 12 + 2 * n)).collect::<Option<_>>()?;
            if entries > 1 && !values.is_sorted() {
                return None;
            }
            12 + 2 * entries
        }
        _ => return None,
    };
    let mut copy = slice(body, 0, len)?.to_vec();
    // The four bytes behind the kind mean nothing, nor do the two behind a formula's number.
    copy.get_mut(4..8)?.fill(0);
    if kind == b"para" {
        copy.get_mut(10..12)?.fill(0);
    }
    Some(copy)
}

/// A description: the second version of profiles has a form of its own for it.
fn described(text: &str, version: [u8; 4]) -> Vec<u8> {
    if matches!(version, [4, ..]) {
        return plain(text, version);
    }
    let mut out = [&b"desc\0\0\0\0"[..], &length(text.len() + 1), text.as_bytes(), &[0]].concat();
    // No text in Unicode, none for the first Macintosh.
    out.extend_from_slice(&[0; 4 + 4 + 2 + 1 + 67]);
    out
}

fn plain(text: &str, version: [u8; 4]) -> Vec<u8> {
    if !matches!(version, [4, ..]) {
        return [&b"text\0\0\0\0"[..], text.as_bytes(), &[0]].concat();
    }
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let head = [length(1), length(12), *b"enUS", length(wide.len()), length(28)].concat();
    [&b"mluc\0\0\0\0"[..], &head, &wide].concat()
}

fn length(n: usize) -> [u8; 4] {
    u32::try_from(n).unwrap_or(u32::MAX).to_be_bytes()
}

/// Header, table and tags. Tags that are equal, as the three curves mostly are, are written once.
fn written(mut header: [u8; HEADER], tags: &[([u8; 4], Vec<u8>)]) -> Option<Vec<u8>> {
    let start = HEADER + 4 + tags.len() * 12;
    let (mut table, mut bodies) = (length(tags.len()).to_vec(), Vec::<u8>::new());
    let mut placed: Vec<(&[u8], usize)> = Vec::new();
    for (name, body) in tags {
        let known = placed.iter().find(|(b, _)| b == body).map(|(_, at)| *at);
        let at = known.unwrap_or(start + bodies.len());
        if known.is_none() {
            placed.push((body, at));
            bodies.extend_from_slice(body);
            bodies.resize(bodies.len().next_multiple_of(4), 0);
        }
        table.extend_from_slice(name);
        table.extend_from_slice(&length(at));
        table.extend_from_slice(&length(body.len()));
    }
    header.get_mut(..4)?.copy_from_slice(&length(start + bodies.len()));
    Some([&header[..], &table, &bodies].concat())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A profile as a screen's calibration makes one: colours, and whose they are.
    pub(crate) fn of_a_screen(version: u8, curve: &[u8]) -> Vec<u8> {
        let point = [&b"XYZ \0\0\0\0"[..], &[0, 0, 0x6f, 0xa2, 0, 0, 0x38, 0xf5, 0, 0, 3, 0x90]].concat();
        let owner = b"text\0\0\0\0canary Ada Lovelace's MacBook\0".to_vec();
        let mut tags: Vec<([u8; 4], Vec<u8>)> = vec![(*b"desc", owner.clone()), (*b"cprt", owner.clone())];
        tags.extend([*b"wtpt", *b"rXYZ", *b"gXYZ", *b"bXYZ"].map(|name| (name, point.clone())));
        tags.extend([*b"rTRC", *b"gTRC", *b"bTRC"].map(|name| (name, curve.to_vec())));
        tags.extend([*b"dmdd", *b"vcgt", *b"mmod"].map(|name| (name, owner.clone())));
        let mut header = [0_u8; HEADER];
        for (at, bytes) in
            [(4, &b"canr"[..]), (12, b"mntrRGB XYZ "), (36, b"acsp"), (48, b"canary__"), (80, b"cana")]
        {
            header[at..at + bytes.len()].copy_from_slice(bytes);
        }
        header[8] = version;
        written(header, &tags).unwrap()
    }

    pub(crate) fn gamma() -> Vec<u8> {
        b"curv\0\0\0\0\0\0\0\x01\x02\x33".to_vec()
    }

    #[test]
    fn colours_stay_and_words_go() {
        for version in [2, 4] {
            let found = neutral(&of_a_screen(version, &gamma())).unwrap();
            assert!(!found.windows(3).any(|w| w == b"can" || w == b"Ada"));
            assert_eq!(tag(&found, *b"gTRC"), Some(&gamma()[..]));
            assert_eq!(tag(&found, *b"rXYZ"), tag(&of_a_screen(version, &gamma()), *b"rXYZ"));
            assert_eq!(usize::try_from(be32(&found, 0).unwrap()).unwrap(), found.len());
            assert_eq!(neutral(&found).as_ref(), Some(&found), "again changes nothing");
        }
    }

    #[test]
    fn what_is_no_colour_goes_as_a_whole() {
        let letters = [&b"curv\0\0\0\0\0\0\0\x06"[..], b"canary-canar"].concat();
        assert_eq!(neutral(&of_a_screen(2, &letters)), None, "a curve that spells something");
        assert_eq!(neutral(&of_a_screen(2, b"text\0\0\0\0canary")), None);
        for nonsense in [&b""[..], b"profile", &[7; 200], &[0xff; 4096]] {
            assert_eq!(neutral(nonsense), None);
        }
        let mut printed = of_a_screen(2, &gamma());
        printed[16..20].copy_from_slice(b"CMYK");
        assert_eq!(neutral(&printed), None);
    }

    proptest::proptest! {
        #[test]
        fn no_profile_makes_the_reader_panic(at in 0_usize..700, bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 1..40)) {
            let mut profile = of_a_screen(4, &gamma());
            for (n, b) in bytes.iter().enumerate() {
                if let Some(place) = profile.get_mut(at + n) {
                    *place = *b;
                }
            }
            let _ = neutral(&profile);
            let _ = neutral(&bytes);
        }
    }
}
