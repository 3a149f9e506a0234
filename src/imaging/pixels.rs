//! Decoding within limits, and encoding.

use std::borrow::Cow;
use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ExtendedColorType, ImageEncoder};
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::{Anatomy, Format, Inspected, Keep, Limits, Refused, jpeg, png, rebuild, webp};

/// What the header says, before anything is decoded.
pub(super) struct Header {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) bit_depth: u8,
    pub(super) channels: u8,
    pub(super) alpha: bool,
}

pub(super) fn header(bare: &[u8], anatomy: &Anatomy) -> Result<(Header, u64), Refused> {
    let format = anatomy.format;
    let header = match format {
        Format::Jpeg => jpeg::header(bare)?,
        Format::Png => png::header(bare)?,
        Format::WebP => webp::header(bare)?,
    };
    let sample = u64::from(header.bit_depth.div_ceil(8));
    let plain = u64::from(header.channels) * sample;
    let per_pixel = match format {
        // All coefficients of all passes, two bytes each, and the pixels.
        Format::Jpeg if anatomy.progressive => 3 * plain.max(3),
        Format::Jpeg => plain.max(3),
        Format::Png => plain,
        // The planes or the transform's buffer, and the pixels.
        Format::WebP => 8,
    };
    Ok((header, per_pixel))
}

/// Refuses what is too large, before decoding. Errors: [`Refused::TooManyPixels`], or [`Refused::Broken`] for no size at all.
pub(super) fn check(header: &Header, per_pixel: u64, format: Format, limits: &Limits) -> Result<(), Refused> {
    let Header { width, height, .. } = *header;
    if width == 0 || height == 0 {
        return Err(Refused::Broken { format, why: "it has no width or no height" });
    }
    let max_pixels = limits.max_pixels.min(limits.max_memory / per_pixel.max(1));
    let pixels = u64::from(width) * u64::from(height);
    if width.max(height) > limits.max_edge || pixels > max_pixels {
        return Err(Refused::TooManyPixels { width, height, max_pixels, max_edge: limits.max_edge });
    }
    Ok(())
}

/// Decodes bytes from which everything but the picture has been taken, and whose size has been checked.
pub(super) fn decode_bare(bare: &[u8], format: Format) -> Result<DynamicImage, Refused> {
    // The function of the library that is not generic: compiled there, optimised, even in a debug build of ours.
    image::load_from_memory_with_format(bare, format.codec())
        .map_err(|_| Refused::Broken { format, why: "the picture in it cannot be decoded" })
}

/// Decodes once, to see that it can be done, and lets the pixels go.
///
/// A JPEG whose coded data stops early still decodes: past an end-of-image marker the decoder reads zeros for ever, as
/// browsers do, and shows a stripe of grey or of nothing. So a picture of one scan is decoded here without that marker, with
/// a few zeros for reading ahead: now what is missing is found missing. The optimised decoder fills it with
/// grey; where a picture ends in that grey, and for pictures of several scans, the strict decoder has the last word.
pub(super) fn verify(bare: Vec<u8>, anatomy: &Anatomy) -> Result<(), Refused> {
    if anatomy.format != Format::Jpeg {
        return decode_bare(&bare, anatomy.format).map(drop);
    }
    let mut probe = bare;
    if !anatomy.progressive {
        probe.truncate(probe.len().saturating_sub(2));
        probe.extend([0; 64]);
        if !ends_in_grey(&decode_bare(&probe, Format::Jpeg)?) {
            return Ok(());
        }
    }
    let options = DecoderOptions::default()
        .set_strict_mode(true)
        .set_max_width(usize::from(u16::MAX))
        .set_max_height(usize::from(u16::MAX));
    let decoded = zune_jpeg::JpegDecoder::new_with_options(ZCursor::new(&probe), options).decode();
    let why = "part of the picture cannot be read";
    decoded.map(drop).map_err(|_| Refused::Broken { format: Format::Jpeg, why })
}

/// Whether the last row is all of the grey with which the decoder fills what is missing.
fn ends_in_grey(image: &DynamicImage) -> bool {
    let bytes = image.as_bytes();
    let row = bytes.len() / usize::try_from(image.height()).unwrap_or(1).max(1);
    bytes.iter().rev().take(row).all(|b| *b == 128)
}

/// The pixels of an inspected picture, upright. With `max_pixels`, a larger picture is first reduced to that many, keeping
/// its shape: turning and editing then cost no more than that.
pub fn decode(bytes: &[u8], inspected: &Inspected, max_pixels: Option<u64>) -> Result<DynamicImage, Refused> {
    let bare = rebuild(bytes, inspected.format, &Keep { bare: true, ..Keep::default() })?;
    let mut image = decode_bare(&bare, inspected.format)?;
    if let Some((width, height)) = max_pixels.and_then(|max| reduced(image.width(), image.height(), max)) {
        image = image.thumbnail_exact(width, height);
    }
    image.apply_orientation(inspected.orientation);
    Ok(image)
}

/// The size of the same shape with at most `max` pixels; `None` when it is small enough.
fn reduced(width: u32, height: u32, max: u64) -> Option<(u32, u32)> {
    let pixels = u64::from(width) * u64::from(height);
    if pixels <= max {
        return None;
    }
    // Integer arithmetic: edge × √(max / pixels), the root taken of a fraction in 32 bits.
    let scale = ((u128::from(max) << 64) / u128::from(pixels)).isqrt();
    let edge = |n: u32| u32::try_from((u128::from(n) * scale) >> 32).unwrap_or(1).max(1);
    Some((edge(width), edge(height)))
}

/// Encodes with no metadata. JPEG has no transparency: it is laid on white. `quality` is JPEG's, 1 to 100; PNG and WebP
/// are written without loss.
pub fn encode(image: &DynamicImage, format: Format, quality: u8) -> Result<Vec<u8>, Refused> {
    let unwritable = |_| Refused::Unwritable { format };
    let mut out = Vec::new();
    match format {
        Format::Jpeg => {
            let rgb = flatten(image);
            JpegEncoder::new_with_quality(&mut out, quality.clamp(1, 100))
                .write_image(&rgb, image.width(), image.height(), ExtendedColorType::Rgb8)
                .map_err(unwritable)?;
        }
        Format::Png => image.write_to(Cursor::new(&mut out), format.codec()).map_err(unwritable)?,
        Format::WebP => {
            let eight: DynamicImage =
                if image.has_alpha() { image.to_rgba8().into() } else { image.to_rgb8().into() };
            eight.write_to(Cursor::new(&mut out), format.codec()).map_err(unwritable)?;
        }
    }
    Ok(out)
}

fn flatten(image: &DynamicImage) -> Cow<'_, [u8]> {
    if let Some(rgb) = image.as_rgb8() {
        return Cow::Borrowed(rgb);
    }
    if !image.has_alpha() {
        return Cow::Owned(image.to_rgb8().into_raw());
    }
    let mut rgb = Vec::with_capacity(image.width() as usize * image.height() as usize * 3);
    for pixel in image.to_rgba8().pixels() {
        let [r, g, b, a] = pixel.0;
        rgb.extend([r, g, b].map(|c| over_white(c, a)));
    }
    Cow::Owned(rgb)
}

/// What a channel becomes when its pixel lies on white paper.
pub fn over_white(channel: u8, alpha: u8) -> u8 {
    let mixed = (u32::from(channel) * u32::from(alpha) + 255 * (255 - u32::from(alpha)) + 127) / 255;
    u8::try_from(mixed).unwrap_or(u8::MAX)
}

/// A small copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thumbnail {
    /// The file, without metadata.
    pub bytes: Vec<u8>,
    /// JPEG, or PNG when the picture has transparency.
    pub format: Format,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
}

/// A small upright copy whose longer edge is at most `edge` pixels; a picture smaller than that keeps its size.
pub fn thumbnail(bytes: &[u8], inspected: &Inspected, edge: u32) -> Result<Thumbnail, Refused> {
    let edge = edge.clamp(1, 4096);
    let mut image = decode(bytes, inspected, Some(16 * u64::from(edge) * u64::from(edge)))?;
    if image.width().max(image.height()) > edge {
        image = image.thumbnail(edge, edge);
    }
    let format = if image.has_alpha() { Format::Png } else { Format::Jpeg };
    let (width, height) = (image.width(), image.height());
    Ok(Thumbnail { bytes: encode(&image, format, 82)?, format, width, height })
}
