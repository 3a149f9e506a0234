//! PNG containers (W3C PNG, third edition, 5): walking the chunks, and writing back those that are the picture.
//!
//! Kept: header, palette, transparency, image data, end; gamma, chromaticities, sRGB, significant bits and coding-independent
//! code points where they have their fixed length and a right checksum; the colours of a profile of sensible size, under a
//! name of ours, because a profile's name may be a person's.

use std::io::Cursor;

use image::ImageDecoder as _;
use image::codecs::png::PngDecoder;

use super::bytes::{be32, slice};
use super::exif::{self, Facts};
use super::icc;
use super::mark::DigitalSourceType;
use super::pixels::Header;
use super::sniff::PNG_SIGNATURE;
use super::{Anatomy, Carried, Format, Keep, Limits, Orientation, Refused};

const XMP_KEYWORD: &[u8] = b"XML:com.adobe.xmp\0";
/// What is longer, packed, has more than colours. It is unpacked to [`UNPACKED`] at most.
const MAX_ICC: usize = 64 << 10;
const UNPACKED: u64 = 1 << 20;

const CUT: Refused = Refused::CutShort { format: Format::Png };

fn broken(why: &'static str) -> Refused {
    Refused::Broken { format: Format::Png, why }
}

/// One chunk. `whole` is its length, kind, body and checksum as they stand in the file.
struct Chunk<'a> {
    kind: [u8; 4],
    body: &'a [u8],
    whole: &'a [u8],
}

impl Chunk<'_> {
    fn checksum_holds(&self) -> bool {
        let covered = slice(self.whole, 4, self.body.len() + 4).unwrap_or_default();
        be32(self.whole, self.body.len() + 8) == Some(crc32fast::hash(covered))
    }
}

fn walk<'a>(bytes: &'a [u8], limits: &Limits) -> Result<(Vec<Chunk<'a>>, &'a [u8]), Refused> {
    let mut chunks: Vec<Chunk<'_>> = Vec::new();
    let mut at = PNG_SIGNATURE.len();
    loop {
        let length = be32(bytes, at).ok_or(CUT)?;
        let kind = super::bytes::array::<4>(bytes, at + 4).ok_or(CUT)?;
        if !kind.iter().all(u8::is_ascii_alphabetic) {
            return Err(broken("a part of it has no proper name"));
        }
        if chunks.is_empty() && (kind != *b"IHDR" || length != 13) {
            return Err(broken("its header is not where it belongs"));
        }
        let length = usize::try_from(length).map_err(|_| CUT)?;
        let whole = length.checked_add(12).and_then(|n| slice(bytes, at, n)).ok_or(CUT)?;
        let body = slice(whole, 8, length).ok_or(CUT)?;
        chunks.push(Chunk { kind, body, whole });
        at += whole.len();
        if kind == *b"IEND" {
            return Ok((chunks, bytes.get(at..).unwrap_or_default()));
        }
        if chunks.len() > limits.max_parts {
            return Err(Refused::TooComplex { format: Format::Png });
        }
    }
}

pub(super) fn dissect(bytes: &[u8], limits: &Limits) -> Result<Anatomy, Refused> {
    let (chunks, trailing) = walk(bytes, limits)?;
    let mut carries = Vec::new();
    let mut facts = Facts::default();
    let mut mark = None;
    let mut frames = 1;
    for chunk in &chunks {
        let what = match &chunk.kind {
            b"acTL" => {
                frames = be32(chunk.body, 0).unwrap_or(u32::MAX).max(frames);
                continue;
            }
            b"fdAT" => {
                frames = frames.max(2);
                continue;
            }
            b"eXIf" => {
                if !carries.contains(&Carried::Exif) {
                    facts = exif::read(chunk.body);
                    carries.extend(facts.carries());
                }
                Carried::Exif
            }
            b"iTXt" if chunk.body.starts_with(XMP_KEYWORD) => {
                mark = mark.or_else(|| DigitalSourceType::find(chunk.body));
                Carried::Xmp
            }
            b"tEXt" | b"zTXt" | b"iTXt" | b"tIME" => Carried::Comment,
            b"caBX" => Carried::Provenance,
            b"iCCP" => Carried::ColourProfile,
            b"IHDR" | b"PLTE" | b"IDAT" | b"IEND" | b"tRNS" | b"fcTL" | b"pHYs" | b"bKGD" | b"hIST" => {
                continue;
            }
            _ if fixed_length(chunk.kind).is_some() => continue,
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
    Ok(Anatomy { format: Format::Png, frames, progressive: false, orientation, carries, mark })
}

/// Colour tags that stay, and the longest body each may have.
fn fixed_length(kind: [u8; 4]) -> Option<usize> {
    match &kind {
        b"gAMA" | b"sBIT" | b"cICP" => Some(4),
        b"cHRM" => Some(32),
        b"sRGB" => Some(1),
        _ => None,
    }
}

fn is_sound_colour_tag(chunk: &Chunk<'_>) -> bool {
    fixed_length(chunk.kind).is_some_and(|longest| chunk.body.len() <= longest) && chunk.checksum_holds()
}

/// Size and depth, from the header.
pub(super) fn header(bytes: &[u8]) -> Result<Header, Refused> {
    let (chunks, _) = walk(bytes, &Limits::default())?;
    let body = chunks.first().map(|c| c.body).unwrap_or_default();
    let (Some(width), Some(height), Some([bit_depth, colour])) =
        (be32(body, 0), be32(body, 4), super::bytes::array::<2>(body, 8))
    else {
        return Err(broken("its header is too short"));
    };
    let transparent = chunks.iter().any(|c| c.kind == *b"tRNS");
    let (channels, alpha) = match colour {
        0 => (1 + u8::from(transparent), transparent),
        2 | 3 => (3 + u8::from(transparent), transparent),
        4 => (2, true),
        6 => (4, true),
        _ => return Err(broken("its colours are of no known kind")),
    };
    Ok(Header { width, height, bit_depth, channels, alpha })
}

pub(super) fn rebuild(bytes: &[u8], keep: &Keep<'_>) -> Result<Vec<u8>, Refused> {
    let limits = Limits { max_parts: usize::MAX, ..Limits::default() };
    let (chunks, trailing) = walk(bytes, &limits)?;
    let mut out = Vec::with_capacity(bytes.len() - trailing.len());
    out.extend_from_slice(&PNG_SIGNATURE);
    let mut wrote_ours = false;
    for chunk in &chunks {
        match &chunk.kind {
            b"IHDR" => {
                out.extend_from_slice(chunk.whole);
                if !wrote_ours {
                    put_ours(&mut out, keep);
                    wrote_ours = true;
                }
            }
            b"IEND" => put(&mut out, *b"IEND", &[]),
            b"PLTE" | b"IDAT" | b"tRNS" => out.extend_from_slice(chunk.whole),
            b"iCCP" if !keep.bare && chunk.checksum_holds() => put_profile(&mut out, chunk),
            _ if !keep.bare && is_sound_colour_tag(chunk) => out.extend_from_slice(chunk.whole),
            _ => {}
        }
    }
    Ok(out)
}

fn put_ours(out: &mut Vec<u8>, keep: &Keep<'_>) {
    if let Some(block) = keep.exif {
        put(out, *b"eXIf", &[block]);
    }
    if let Some(text) = keep.comment {
        put(out, *b"tEXt", &[b"Comment\0", text.as_bytes()]);
    }
    if let Some(packet) = keep.xmp {
        // Keyword, then: not compressed, method 0, no language, no translated keyword.
        put(out, *b"iTXt", &[XMP_KEYWORD, &[0, 0, 0, 0], packet.as_bytes()]);
    }
}

fn put_profile(out: &mut Vec<u8>, chunk: &Chunk<'_>) {
    if chunk.body.len() <= MAX_ICC
        && let Some(profile) = unpacked(chunk).and_then(|profile| icc::neutral(&profile))
    {
        put(out, *b"iCCP", &[b"icc\0\0", &stored(&profile)]);
    }
}

/// A profile's bytes, by way of a picture of one pixel that has it and nothing else.
fn unpacked(chunk: &Chunk<'_>) -> Option<Vec<u8>> {
    // No inflater is among the direct dependencies, and the one that reads the pictures themselves is within the decoder, where
    // it is bounded: so the chunk is put into the least picture that the decoder takes.
    let mut picture = PNG_SIGNATURE.to_vec();
    put(&mut picture, *b"IHDR", &[&[0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0]]);
    picture.extend_from_slice(chunk.whole);
    put(&mut picture, *b"IDAT", &[&stored(&[0, 0])]);
    put(&mut picture, *b"IEND", &[]);
    let mut limits = image::Limits::default();
    limits.max_alloc = Some(UNPACKED);
    let mut decoder = PngDecoder::with_limits(Cursor::new(picture), limits).ok()?;
    decoder.icc_profile().ok().flatten()
}

/// Some bytes as a zlib stream (RFC 1950) that packs nothing.
fn stored(bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![0x78, 0x01];
    let mut blocks = bytes.chunks(usize::from(u16::MAX)).peekable();
    while let Some(block) = blocks.next() {
        let length = u16::try_from(block.len()).unwrap_or(u16::MAX);
        out.push(u8::from(blocks.peek().is_none()));
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&(!length).to_le_bytes());
        out.extend_from_slice(block);
    }
    let (a, b) = bytes.iter().fold((1_u32, 0_u32), |(a, b), byte| {
        let a = (a + u32::from(*byte)) % 65_521;
        (a, (b + a) % 65_521)
    });
    out.extend_from_slice(&(b << 16 | a).to_be_bytes());
    out
}

fn put(out: &mut Vec<u8>, kind: [u8; 4], parts: &[&[u8]]) {
    let length: usize = parts.iter().map(|p| p.len()).sum();
    let Ok(length) = u32::try_from(length) else { return };
    let mut checksum = crc32fast::Hasher::new();
    checksum.update(&kind);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(&kind);
    for part in parts {
        checksum.update(part);
        out.extend_from_slice(part);
    }
    out.extend_from_slice(&checksum.finalize().to_be_bytes());
}
