//! Shape: turning, cutting, scaling, pixels, frames.

use std::fmt;

use image::imageops::FilterType;
use image::{DynamicImage, Rgb, RgbImage, imageops};

use super::Operation;
use crate::imaging::numbers::{edge, pixels};

/// Width to height, one of those that both hosted providers know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AspectRatio {
    width: u8,
    height: u8,
}

impl AspectRatio {
    /// As wide as high.
    pub const SQUARE: Self = Self { width: 1, height: 1 };

    const KNOWN: [(u8, u8); 9] = [(21, 9), (16, 9), (4, 3), (3, 2), (1, 1), (2, 3), (3, 4), (9, 16), (9, 21)];

    /// Reads `16:9`; `None` for a ratio that the providers do not share.
    pub fn parse(text: &str) -> Option<Self> {
        let (width, height) = text.split_once(':')?;
        let (width, height) = (width.parse().ok()?, height.parse().ok()?);
        Self::KNOWN.contains(&(width, height)).then_some(Self { width, height })
    }
}

impl fmt::Display for AspectRatio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.width, self.height)
    }
}

/// The largest part of that shape, from the middle.
pub(super) fn crop_to(picture: RgbImage, ratio: AspectRatio) -> RgbImage {
    let (width, height) = picture.dimensions();
    let (across, down) = (u64::from(ratio.width), u64::from(ratio.height));
    let fit = |n: u64| u32::try_from(n).unwrap_or(u32::MAX).max(1);
    let new_width = width.min(fit(u64::from(height) * across / down));
    let new_height = height.min(fit(u64::from(width) * down / across));
    let (left, top) = ((width - new_width) / 2, (height - new_height) / 2);
    DynamicImage::from(picture).crop_imm(left, top, new_width, new_height).into_rgb8()
}

/// Quarter turns and mirrors.
pub(super) fn turn(picture: RgbImage, operation: Operation) -> RgbImage {
    let picture = DynamicImage::from(picture);
    let turned = match operation {
        Operation::RotateLeft => picture.rotate270(),
        Operation::RotateRight => picture.rotate90(),
        Operation::TurnOver => picture.rotate180(),
        Operation::FlipUpsideDown => picture.flipv(),
        _ => picture.fliph(),
    };
    turned.into_rgb8()
}

/// Scales both edges by `factor`, or by what keeps the result within `max_pixels`.
pub(super) fn scale(picture: RgbImage, factor: f32, max_pixels: u64) -> RgbImage {
    let (width, height) = picture.dimensions();
    let most = u32::try_from(max_pixels).map_or(f32::MAX, edge) / (edge(width) * edge(height));
    let factor = factor.min(most.sqrt());
    let (width, height) = (pixels(edge(width) * factor), pixels(edge(height) * factor));
    DynamicImage::from(picture).resize_exact(width, height, FilterType::Lanczos3).into_rgb8()
}

/// Squares of one colour, some sixty along the longer edge.
pub(super) fn pixelate(picture: RgbImage, amount: f32) -> RgbImage {
    let (width, height) = picture.dimensions();
    let square = (edge(width.max(height)) / 64.0 * amount).max(2.0);
    let (across, down) = (pixels(edge(width) / square), pixels(edge(height) / square));
    let small = DynamicImage::from(picture).thumbnail_exact(across, down);
    small.resize_exact(width, height, FilterType::Nearest).into_rgb8()
}

/// A white mat with a thin line, a twentieth of the shorter edge wide.
pub(super) fn frame(picture: &RgbImage) -> RgbImage {
    let (width, height) = picture.dimensions();
    let margin = (width.min(height) / 20).max(2);
    let line = (margin / 10).max(1);
    let full = |by: u32| (width + 2 * by, height + 2 * by);
    let (w, h) = full(margin);
    let mut out = RgbImage::from_pixel(w, h, Rgb([250, 249, 246]));
    let (w, h) = full(line);
    let dark = RgbImage::from_pixel(w, h, Rgb([58, 54, 50]));
    imageops::replace(&mut out, &dark, i64::from(margin - line), i64::from(margin - line));
    imageops::replace(&mut out, picture, i64::from(margin), i64::from(margin));
    out
}
