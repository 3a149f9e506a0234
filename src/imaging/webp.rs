//! WebP containers (RFC 9649): walking the chunks, and writing back those that are the picture.
//!
//! Kept: the coded picture and its alpha, the colours of a profile; the extended header only when one of these, an orientation or a
//! mark needs it. The end is where the RIFF header says it is.

use super::bytes::{array, le32, slice};
use super::exif::{self, Facts};
use super::icc;
use super::mark::DigitalSourceType;
use super::pixels::Header;
use super::{Anatomy, Carried, Format, Keep, Limits, Orientation, Refused};

const FLAG_ANIMATION: u8 = 0x02;
const FLAG_XMP: u8 = 0x04;
const FLAG_EXIF: u8 = 0x08;
const FLAG_ALPHA: u8 = 0x10;
const FLAG_ICC: u8 = 0x20;
const MAX_ICC: usize = 4 << 20;

const CUT: Refused = Refused::CutShort { format: Format::WebP };

fn broken(why: &'static str) -> Refused {
    Refused::Broken { format: Format::WebP, why }
}

struct Chunk<'a> {
    kind: [u8; 4],
    body: &'a [u8],
}

fn walk<'a>(bytes: &'a [u8], limits: &Limits) -> Result<(Vec<Chunk<'a>>, &'a [u8]), Refused> {
    let size = le32(bytes, 4).and_then(|n| usize::try_from(n).ok()).ok_or(CUT)?;
    let end = size.checked_add(8).ok_or(CUT)?;
    let inside = bytes.get(..end).ok_or(CUT)?;
    let mut chunks = Vec::new();
    let mut at = 12;
    while at < end {
        let (Some(kind), Some(length)) = (array::<4>(inside, at), le32(inside, at + 4)) else {
            return Err(broken("a part of it is longer than the whole"));
        };
        let body = usize::try_from(length).ok().and_then(|n| slice(inside, at + 8, n));
        let body = body.ok_or_else(|| broken("a part of it is longer than the whole"))?;
        chunks.push(Chunk { kind, body });
        at += 8 + body.len() + body.len() % 2;
        if chunks.len() > limits.max_parts {
            return Err(Refused::TooComplex { format: Format::WebP });
        }
    }
    Ok((chunks, bytes.get(end..).unwrap_or_default()))
}

fn first<'a>(chunks: &[Chunk<'a>], kind: [u8; 4]) -> Option<&'a [u8]> {
    chunks.iter().find(|c| c.kind == kind).map(|c| c.body)
}

pub(super) fn dissect(bytes: &[u8], limits: &Limits) -> Result<Anatomy, Refused> {
    let (chunks, trailing) = walk(bytes, limits)?;
    let mut carries = Vec::new();
    let mut facts = Facts::default();
    let mut mark = None;
    let mut played = 0_u32;
    for chunk in &chunks {
        let what = match &chunk.kind {
            b"VP8X" if chunk.body.first().is_some_and(|flags| flags & FLAG_ANIMATION != 0) => {
                played = played.max(2);
                continue;
            }
            b"ANMF" | b"ANIM" => {
                played = played.saturating_add(1);
                continue;
            }
            b"EXIF" => {
                if !carries.contains(&Carried::Exif) {
                    // Some writers put JPEG's prefix before the TIFF header.
                    facts = exif::read(chunk.body.strip_prefix(b"Exif\0\0").unwrap_or(chunk.body));
                    carries.extend(facts.carries());
                }
                Carried::Exif
            }
            b"XMP " => {
                mark = mark.or_else(|| DigitalSourceType::find(chunk.body));
                Carried::Xmp
            }
            b"ICCP" => Carried::ColourProfile,
            b"C2PA" => Carried::Provenance,
            b"VP8X" | b"VP8 " | b"VP8L" | b"ALPH" => continue,
            _ => Carried::Unknown,
        };
        carries.push(what);
    }
    if !trailing.is_empty() {
        carries.push(Carried::Trailing);
    }
    carries.sort_unstable();
    carries.dedup();
    let orientation = facts.orientation.unwrap_or(Orientation::NoTransforms);
    let frames = if played == 0 { 1 } else { played.max(2) };
    Ok(Anatomy { format: Format::WebP, frames, progressive: false, orientation, carries, mark })
}

/// The coded picture: its chunk's kind, its bytes, and its alpha when that is a chunk of its own.
struct Coded<'a> {
    kind: [u8; 4],
    body: &'a [u8],
    alpha: Option<&'a [u8]>,
}

fn coded<'a>(chunks: &[Chunk<'a>]) -> Result<Coded<'a>, Refused> {
    let found = chunks.iter().find(|c| matches!(&c.kind, b"VP8 " | b"VP8L"));
    let Some(Chunk { kind, body }) = found else { return Err(broken("it has no picture in it")) };
    let alpha = if kind == b"VP8 " { first(chunks, *b"ALPH") } else { None };
    Ok(Coded { kind: *kind, body, alpha })
}

impl Coded<'_> {
    /// Width and height, from the frame header (RFC 6386, 9.1; RFC 9649, 3.4).
    fn size(&self) -> Option<(u32, u32)> {
        if self.kind == *b"VP8 " {
            let start: [u8; 7] = array(self.body, 3)?;
            let [0x9d, 0x01, 0x2a, w0, w1, h0, h1] = start else { return None };
            let field = |lo, hi| u32::from(u16::from_le_bytes([lo, hi]) & 0x3fff);
            return Some((field(w0, w1), field(h0, h1)));
        }
        if self.body.first() != Some(&0x2f) {
            return None;
        }
        let bits = le32(self.body, 1)?;
        Some(((bits & 0x3fff) + 1, (bits >> 14 & 0x3fff) + 1))
    }

    fn has_alpha(&self) -> bool {
        let lossless_alpha = || le32(self.body, 1).is_some_and(|bits| bits >> 28 & 1 == 1);
        self.alpha.is_some() || (self.kind == *b"VP8L" && lossless_alpha())
    }
}

/// Size, from the coded picture; the extended header may not contradict it.
pub(super) fn header(bytes: &[u8]) -> Result<Header, Refused> {
    let (chunks, _) = walk(bytes, &Limits::default())?;
    let coded = coded(&chunks)?;
    let (width, height) = coded.size().ok_or_else(|| broken("its header cannot be read"))?;
    let alpha = coded.has_alpha();
    Ok(Header { width, height, bit_depth: 8, channels: 3 + u8::from(alpha), alpha })
}

pub(super) fn rebuild(bytes: &[u8], keep: &Keep<'_>) -> Result<Vec<u8>, Refused> {
    let limits = Limits { max_parts: usize::MAX, ..Limits::default() };
    let (chunks, _) = walk(bytes, &limits)?;
    let coded = coded(&chunks)?;
    let profile =
        first(&chunks, *b"ICCP").filter(|p| !keep.bare && p.len() <= MAX_ICC).and_then(icc::neutral);
    let mut flags = 0;
    for (there, flag) in [
        (profile.is_some(), FLAG_ICC),
        (coded.has_alpha(), FLAG_ALPHA),
        (keep.exif.is_some(), FLAG_EXIF),
        (keep.xmp.is_some(), FLAG_XMP),
    ] {
        flags |= if there { flag } else { 0 };
    }
    let mut out = Vec::with_capacity(bytes.len());
    out.extend_from_slice(b"RIFF\0\0\0\0WEBP");
    if flags & !FLAG_ALPHA != 0 || coded.alpha.is_some() {
        let (width, height) = coded.size().ok_or_else(|| broken("its header cannot be read"))?;
        let [w0, w1, w2, _] = width.saturating_sub(1).to_le_bytes();
        let [h0, h1, h2, _] = height.saturating_sub(1).to_le_bytes();
        put(&mut out, *b"VP8X", &[flags, 0, 0, 0, w0, w1, w2, h0, h1, h2]);
    }
    if let Some(profile) = &profile {
        put(&mut out, *b"ICCP", profile);
    }
    if let Some(alpha) = coded.alpha {
        put(&mut out, *b"ALPH", alpha);
    }
    put(&mut out, coded.kind, coded.body);
    if let Some(block) = keep.exif {
        put(&mut out, *b"EXIF", block);
    }
    if let Some(packet) = keep.xmp {
        put(&mut out, *b"XMP ", packet.as_bytes());
    }
    let size = u32::try_from(out.len() - 8).map_err(|_| Refused::Unwritable { format: Format::WebP })?;
    if let Some(field) = out.get_mut(4..8) {
        field.copy_from_slice(&size.to_le_bytes());
    }
    Ok(out)
}

fn put(out: &mut Vec<u8>, kind: [u8; 4], body: &[u8]) {
    let Ok(length) = u32::try_from(body.len()) else { return };
    out.extend_from_slice(&kind);
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(body);
    if body.len() % 2 == 1 {
        out.push(0);
    }
}
