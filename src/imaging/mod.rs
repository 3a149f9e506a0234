//! Pixels and their containers: what a picture is, whether we take it, and what it carries besides the picture.
//!
//! Promises: bytes in, bytes out, in memory, the same answer every time. A file is known by its content, never by its
//! name. Size in bytes, edge and pixels are checked before anything is decoded, and the decoder sees only the parts that
//! make up the picture, so that an oversized comment or colour profile cannot reach it. [`strip`] keeps an allow-list: what
//! is not known to be part of the picture goes. [`mark()`] writes where a picture came from, and nothing about whom.
//! Must never: read or write a file, ask the time, keep anything, or import a room other than `base`.
//!
//! A package of its own, so that a build for tests can make pixels fast and leave the rest quick to compile.

mod bytes;
mod error;
mod exif;
mod icc;
mod jpeg;
mod mark;
mod model;
pub mod numbers;
mod pixels;
mod png;
pub mod sample;
mod sniff;
mod webp;

#[cfg(test)]
mod tests;

pub use error::Refused;
pub use image::metadata::Orientation;
pub use mark::DigitalSourceType;
pub use model::{Carried, Format, ImageMetadata, Inspected, Limits};
pub use pixels::{Thumbnail, decode, encode, over_white, thumbnail};

/// Says what a picture is, or why we do not take it.
///
/// Looks at the content only. Sizes are checked before decoding; then the picture is decoded once, so that what passes
/// here can be shown. Errors: [`Refused`], each a sentence for the person who sent the file.
pub fn inspect(bytes: &[u8], limits: &Limits) -> Result<Inspected, Refused> {
    if bytes.is_empty() {
        return Err(Refused::Empty);
    }
    if bytes.len() > limits.max_bytes {
        return Err(Refused::TooManyBytes { limit: limits.max_bytes });
    }
    let anatomy = dissect(bytes, limits)?;
    let format = anatomy.format;
    if anatomy.frames > limits.max_frames {
        return Err(Refused::Animated { format });
    }
    let bare = rebuild(bytes, format, &Keep { bare: true, ..Keep::default() })?;
    let (header, per_pixel) = pixels::header(&bare, &anatomy)?;
    pixels::check(&header, per_pixel, format, limits)?;
    pixels::verify(bare, &anatomy)?;
    Ok(Inspected {
        format,
        width: header.width,
        height: header.height,
        bytes: bytes.len(),
        bit_depth: header.bit_depth,
        alpha: header.alpha,
        orientation: anatomy.orientation,
        carries: anatomy.carries,
        mark: anatomy.mark,
    })
}

/// The same picture without what it carried: no EXIF, GPS, XMP, IPTC, comments, thumbnails, maker notes, provenance
/// manifests, second pictures or trailing bytes. Lossless: the compressed pixels are copied.
///
/// What stays is an allow-list: the coded picture, the curves and primaries of its colour profile, its colour tags, and, when the picture is not stored
/// upright, one EXIF block that holds the orientation and nothing else. `inspected` is what [`inspect`] said of
/// these bytes; other bytes give [`Refused`].
pub fn strip(bytes: &[u8], inspected: &Inspected) -> Result<Vec<u8>, Refused> {
    let exif = exif::orientation_only(inspected.orientation);
    rebuild(
        bytes,
        inspected.format,
        &Keep { exif: exif.as_ref().map(<[u8; 26]>::as_slice), ..Keep::default() },
    )
}

/// The same picture with one statement about its source (IPTC Digital Source Type, in an XMP packet), and nothing else
/// that [`strip`] would remove. An earlier statement is replaced. Lossless.
///
/// The packet holds the one term: no person, place, time, tool or prompt.
pub fn mark(bytes: &[u8], source: DigitalSourceType) -> Result<Vec<u8>, Refused> {
    let anatomy = dissect(bytes, &Limits::default())?;
    let exif = exif::orientation_only(anatomy.orientation);
    let packet = mark::packet(source);
    let keep = Keep { exif: exif.as_ref().map(<[u8; 26]>::as_slice), xmp: Some(&packet), ..Keep::default() };
    rebuild(bytes, anatomy.format, &keep)
}

/// The Digital Source Type that a picture states, if it states one that we know. Never fails: bytes that are no picture
/// state nothing.
pub fn read_mark(bytes: &[u8]) -> Option<DigitalSourceType> {
    dissect(bytes, &Limits::default()).ok().and_then(|anatomy| anatomy.mark)
}

/// What a container turned out to hold, found by walking its parts, nothing decoded.
struct Anatomy {
    format: Format,
    /// Pictures that a viewer would play.
    frames: u32,
    /// JPEG only: coded in several passes, which a decoder must hold in memory whole.
    progressive: bool,
    orientation: Orientation,
    carries: Vec<Carried>,
    mark: Option<DigitalSourceType>,
}

/// What [`rebuild`] leaves out of the picture's own parts, and writes besides them.
#[derive(Default)]
struct Keep<'a> {
    /// Only what a decoder needs: not even the colour profile.
    bare: bool,
    /// A TIFF structure.
    exif: Option<&'a [u8]>,
    xmp: Option<&'a str>,
    /// Not in WebP, which has no place for it.
    comment: Option<&'a str>,
}

fn dissect(bytes: &[u8], limits: &Limits) -> Result<Anatomy, Refused> {
    match sniff::format(bytes)? {
        Format::Jpeg => jpeg::dissect(bytes, limits),
        Format::Png => png::dissect(bytes, limits),
        Format::WebP => webp::dissect(bytes, limits),
    }
}

fn rebuild(bytes: &[u8], format: Format, keep: &Keep<'_>) -> Result<Vec<u8>, Refused> {
    match format {
        Format::Jpeg => jpeg::rebuild(bytes, keep),
        Format::Png => png::rebuild(bytes, keep),
        Format::WebP => webp::rebuild(bytes, keep),
    }
}
