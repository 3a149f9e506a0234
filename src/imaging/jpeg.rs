//! JPEG containers (ITU-T T.81 annex B): walking the segments, and writing back those that are the picture.
//!
//! Kept: quantisation and Huffman tables, restart interval, frame, scans, the 14 bytes of JFIF that say the pixel shape,
//! the colours of an ICC profile, the 12 bytes of Adobe that say the colour transform. The end is the first end-of-image marker outside a
//! segment: films, second pictures and archives behind it go.

use super::bytes::{be16, slice};
use super::exif::{self, Facts};
use super::icc;
use super::mark::DigitalSourceType;
use super::pixels::Header;
use super::{Anatomy, Carried, Format, Keep, Limits, Orientation, Refused};

const SOI: [u8; 2] = [0xff, 0xd8];
const EOI: u8 = 0xd9;
const SOS: u8 = 0xda;
const APP0: u8 = 0xe0;
const APP1: u8 = 0xe1;
const APP2: u8 = 0xe2;
const APP11: u8 = 0xeb;
const APP13: u8 = 0xed;
const APP14: u8 = 0xee;
const COM: u8 = 0xfe;

const EXIF: &[u8] = b"Exif\0\0";
const XMP: &[u8] = b"http://ns.adobe.com/xap/1.0/\0";
const XMP_EXTENSION: &[u8] = b"http://ns.adobe.com/xmp/extension/\0";
const ICC: &[u8] = b"ICC_PROFILE\0";
/// A profile for a printing press has some 2 MB; what is larger is no profile.
const MAX_ICC: usize = 4 << 20;

const CUT: Refused = Refused::CutShort { format: Format::Jpeg };

fn broken(why: &'static str) -> Refused {
    Refused::Broken { format: Format::Jpeg, why }
}

/// One marker segment; `scan` is the coded data behind a start of scan.
struct Segment<'a> {
    marker: u8,
    body: &'a [u8],
    scan: &'a [u8],
}

struct Walk<'a> {
    segments: Vec<Segment<'a>>,
    trailing: &'a [u8],
}

fn walk<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Walk<'a>, Refused> {
    let mut segments = Vec::new();
    let mut scans = 0;
    let mut at = SOI.len();
    loop {
        let (marker, next) = next_marker(bytes, at).ok_or(CUT)?;
        match marker {
            EOI => return Ok(Walk { segments, trailing: bytes.get(next..).unwrap_or_default() }),
            // Restart markers and TEM stand alone; outside a scan they mean nothing.
            0x01 | 0xd0..=0xd8 => {
                at = next;
                continue;
            }
            _ => {}
        }
        let length = usize::from(be16(bytes, next).ok_or(CUT)?);
        let body_length = length.checked_sub(2).ok_or_else(|| broken("a segment has no length"))?;
        let body = slice(bytes, next + 2, body_length).ok_or(CUT)?;
        at = next + length;
        let mut scan: &[u8] = &[];
        if marker == SOS {
            let end = end_of_scan(bytes, at).ok_or(CUT)?;
            scan = bytes.get(at..end).unwrap_or_default();
            at = end;
            scans += 1;
        }
        segments.push(Segment { marker, body, scan });
        if scans > limits.max_scans || segments.len() > limits.max_parts {
            return Err(Refused::TooComplex { format: Format::Jpeg });
        }
    }
}

/// The next marker and where its bytes end. Stray bytes before it are skipped, as every viewer does, and so dropped.
fn next_marker(bytes: &[u8], mut at: usize) -> Option<(u8, usize)> {
    loop {
        let found = at + bytes.get(at..)?.iter().position(|b| *b == 0xff)?;
        let fill = bytes.get(found..)?.iter().position(|b| *b != 0xff)?;
        let marker = *bytes.get(found + fill)?;
        at = found + fill + 1;
        if marker != 0 {
            return Some((marker, at));
        }
    }
}

/// Where the coded data that begins at `at` ends: before a marker that is neither a stuffed byte nor a restart.
fn end_of_scan(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        let found = at + bytes.get(at..)?.iter().position(|b| *b == 0xff)?;
        match bytes.get(found + 1)? {
            0x00 | 0xd0..=0xd7 => at = found + 2,
            0xff => at = found + 1,
            _ => return Some(found),
        }
    }
}

/// Start-of-frame markers; C4, C8 and CC between them are tables.
fn is_frame(marker: u8) -> bool {
    matches!(marker, 0xc0..=0xcf) && !matches!(marker, 0xc4 | 0xc8 | 0xcc)
}

pub(super) fn dissect(bytes: &[u8], limits: &Limits) -> Result<Anatomy, Refused> {
    let walk = walk(bytes, limits)?;
    let mut carries = Vec::new();
    let mut facts = Facts::default();
    let mut mark = None;
    let scans = walk.segments.iter().filter(|s| s.marker == SOS).count();
    let mut frames = walk.segments.iter().filter(|s| is_frame(s.marker));
    let Some(frame) = frames.next().filter(|_| scans > 0) else {
        return Err(broken("it has no picture in it"));
    };
    if frames.next().is_some() {
        return Err(broken("it describes its size twice"));
    }
    for segment in &walk.segments {
        let what = match segment.marker {
            APP1 if segment.body.starts_with(EXIF) => {
                if !carries.contains(&Carried::Exif) {
                    facts = exif::read(segment.body.get(EXIF.len()..).unwrap_or_default());
                    carries.extend(facts.carries());
                }
                Carried::Exif
            }
            APP1 if segment.body.starts_with(XMP) => {
                mark = mark.or_else(|| DigitalSourceType::find(segment.body));
                Carried::Xmp
            }
            APP1 if segment.body.starts_with(XMP_EXTENSION) => Carried::Xmp,
            APP2 if segment.body.starts_with(ICC) => Carried::ColourProfile,
            APP2 if segment.body.starts_with(b"MPF\0") => Carried::Trailing,
            APP11 => Carried::Provenance,
            APP13 => Carried::Iptc,
            COM => Carried::Comment,
            APP0 if jfif_has_thumbnail(segment.body) => Carried::Thumbnail,
            APP0 if segment.body.starts_with(b"JFIF\0") => continue,
            APP14 if segment.body.starts_with(b"Adobe") => continue,
            APP0..=0xef => Carried::Unknown,
            _ => continue,
        };
        carries.push(what);
    }
    if !walk.trailing.is_empty() {
        carries.push(Carried::Trailing);
    }
    carries.sort_unstable();
    carries.dedup();
    let progressive = scans > 1 || !matches!(frame.marker, 0xc0 | 0xc1);
    let orientation = facts.orientation.unwrap_or(Orientation::NoTransforms);
    Ok(Anatomy { format: Format::Jpeg, frames: 1, progressive, orientation, carries, mark })
}

fn jfif_has_thumbnail(body: &[u8]) -> bool {
    body.starts_with(b"JFXX\0") || (body.starts_with(b"JFIF\0") && body.len() > 14)
}

/// Size and depth, from the frame header.
pub(super) fn header(bytes: &[u8]) -> Result<Header, Refused> {
    let walk = walk(bytes, &Limits::default())?;
    let frame =
        walk.segments.iter().find(|s| is_frame(s.marker)).ok_or_else(|| broken("it has no picture in it"))?;
    let field = |at| be16(frame.body, at).map(u32::from);
    let (Some(height), Some(width)) = (field(1), field(3)) else {
        return Err(broken("its header is too short"));
    };
    let bit_depth = frame.body.first().copied().unwrap_or_default();
    let channels = frame.body.get(5).copied().unwrap_or_default();
    Ok(Header { width, height, bit_depth, channels, alpha: false })
}

pub(super) fn rebuild(bytes: &[u8], keep: &Keep<'_>) -> Result<Vec<u8>, Refused> {
    // The parts were counted when the picture was inspected; here only their sum matters.
    let limits = Limits { max_scans: usize::MAX, max_parts: usize::MAX, ..Limits::default() };
    let walk = walk(bytes, &limits)?;
    let mut out = Vec::with_capacity(bytes.len() - walk.trailing.len());
    out.extend_from_slice(&SOI);
    if let Some(jfif) = walk.segments.iter().find(|s| s.marker == APP0 && s.body.starts_with(b"JFIF\0"))
        && let Some(body) = slice(jfif.body, 0, 12)
    {
        // Version, density and unit stay; the two bytes that give the thumbnail's size become zero.
        put(&mut out, APP0, &[body, &[0, 0]]);
    }
    if let Some(block) = keep.exif {
        put(&mut out, APP1, &[EXIF, block]);
    }
    if let Some(packet) = keep.xmp {
        put(&mut out, APP1, &[XMP, packet.as_bytes()]);
    }
    if let Some(text) = keep.comment {
        put(&mut out, COM, &[text.as_bytes()]);
    }
    if let Some(profile) = profile(&walk).filter(|_| !keep.bare) {
        put(&mut out, APP2, &[ICC, &[1, 1], &profile]);
    }
    for segment in &walk.segments {
        match segment.marker {
            APP14 if segment.body.starts_with(b"Adobe") => {
                put(&mut out, APP14, &[segment.body.get(..12).unwrap_or(segment.body)]);
            }
            0xc0..=0xcf | SOS..=0xdd => {
                put(&mut out, segment.marker, &[segment.body]);
                out.extend_from_slice(segment.scan);
            }
            _ => {}
        }
    }
    out.extend_from_slice(&[0xff, EOI]);
    Ok(out)
}

/// The colours of the profile, which may be spread over several segments, each with its number and how many there are. What
/// does not fit into one of ours has more than colours.
fn profile(walk: &Walk<'_>) -> Option<Vec<u8>> {
    let pieces = walk.segments.iter().filter(|s| s.marker == APP2).filter_map(|s| s.body.strip_prefix(ICC));
    let mut pieces: Vec<(u8, &[u8])> =
        pieces.filter_map(|p| p.split_first_chunk().map(|([n, _], rest)| (*n, rest))).collect();
    pieces.sort_by_key(|(n, _)| *n);
    if pieces.iter().map(|(_, piece)| piece.len()).sum::<usize>() > MAX_ICC {
        return None;
    }
    let whole: Vec<u8> = pieces.into_iter().flat_map(|(_, piece)| piece.iter().copied()).collect();
    icc::neutral(&whole).filter(|p| u16::try_from(p.len() + ICC.len() + 4).is_ok())
}

fn put(out: &mut Vec<u8>, marker: u8, parts: &[&[u8]]) {
    let length = 2 + parts.iter().map(|p| p.len()).sum::<usize>();
    // Every body was read from a segment or is a few hundred bytes of ours, so its length fits the field.
    let Ok(length) = u16::try_from(length) else { return };
    out.extend_from_slice(&[0xff, marker]);
    out.extend_from_slice(&length.to_be_bytes());
    for part in parts {
        out.extend_from_slice(part);
    }
}
