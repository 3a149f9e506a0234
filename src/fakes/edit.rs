//! The edit that a stand-in makes: a simple, visible change of the picture that came in.

use std::io::Cursor;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::{DynamicImage, ImageFormat, ImageReader, Limits};

/// Bytes of a `data:` URL, if it is one of a picture.
pub(super) fn from_data_url(url: &str) -> Option<Vec<u8>> {
    let (kind, text) = url.strip_prefix("data:")?.split_once(";base64,")?;
    if kind.starts_with("image/") { STANDARD.decode(text).ok() } else { None }
}

/// The picture, decoded within limits; `None` if it is none.
pub(super) fn decode(bytes: &[u8]) -> Option<DynamicImage> {
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().ok()?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(8192);
    limits.max_image_height = Some(8192);
    reader.limits(limits);
    reader.decode().ok()
}

/// Edits by what the prompt says; several pictures are laid side by side first.
pub(super) fn edit(pictures: &[DynamicImage], prompt: &str, seed: u64) -> Option<DynamicImage> {
    let base = side_by_side(pictures)?;
    let prompt = prompt.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|w| prompt.contains(w));
    Some(if has(&["grey", "gray", "black and white", "monochrome"]) {
        base.grayscale()
    } else if has(&["mirror", "flip"]) {
        base.fliph()
    } else if has(&["bright", "light", "sun"]) {
        base.brighten(40)
    } else if has(&["dark", "night"]) {
        base.brighten(-60)
    } else if has(&["negative", "invert"]) {
        let mut inverted = base;
        inverted.invert();
        inverted
    } else {
        base.huerotate(60 + i32::try_from(seed % 240).unwrap_or(0))
    })
}

fn side_by_side(pictures: &[DynamicImage]) -> Option<DynamicImage> {
    let (first, rest) = pictures.split_first()?;
    if rest.is_empty() {
        return Some(first.clone());
    }
    let width = pictures.iter().map(DynamicImage::width).sum();
    let height = pictures.iter().map(DynamicImage::height).max()?;
    let mut canvas = DynamicImage::new_rgb8(width, height);
    let mut x = 0;
    for picture in pictures {
        image::imageops::overlay(&mut canvas, picture, x, 0);
        x += i64::from(picture.width());
    }
    Some(canvas)
}

/// Encodes as PNG or JPEG.
pub(super) fn encode(picture: &DynamicImage, png: bool) -> Option<Vec<u8>> {
    let mut out = Cursor::new(Vec::new());
    if png {
        picture.write_to(&mut out, ImageFormat::Png).ok()?;
    } else {
        DynamicImage::ImageRgb8(picture.to_rgb8()).write_to(&mut out, ImageFormat::Jpeg).ok()?;
    }
    Some(out.into_inner())
}
