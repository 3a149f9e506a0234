//! A canvas of solid and translucent shapes, clipped at its edges. Coordinates are in pixels, y down.

use image::{DynamicImage, RgbImage};

use crate::numbers::{byte, mix, real, smooth, whole};

/// A colour, channels 0 to 255.
pub(super) type Colour = [f32; 3];

/// Between two colours.
pub(super) fn blend(from: Colour, to: Colour, t: f32) -> Colour {
    let ([r, g, b], [red, green, blue]) = (from, to);
    [mix(r, red, t), mix(g, green, t), mix(b, blue, t)]
}

/// What is drawn on.
pub(super) struct Canvas {
    pixels: RgbImage,
    pub(super) width: i32,
    pub(super) height: i32,
}

impl Canvas {
    pub(super) fn new(width: u32, height: u32) -> Self {
        let side = |n| i32::try_from(n).unwrap_or(i32::MAX);
        Self { pixels: RgbImage::new(width, height), width: side(width), height: side(height) }
    }

    pub(super) fn finish(self) -> DynamicImage {
        DynamicImage::ImageRgb8(self.pixels)
    }

    /// The pixels of row `y` from `from` up to `to`, clipped.
    fn row(&mut self, y: i32, from: i32, to: i32) -> &mut [u8] {
        let (from, to) = (from.clamp(0, self.width), to.clamp(0, self.width));
        let start = |x: i32| usize::try_from((i64::from(y) * i64::from(self.width) + i64::from(x)) * 3).ok();
        let inside = (0..self.height).contains(&y) && from < to;
        let range = start(from).zip(start(to)).filter(|_| inside);
        let samples: &mut [u8] = &mut self.pixels;
        range.and_then(|(a, b)| samples.get_mut(a..b)).unwrap_or_default()
    }

    /// A horizontal run of one colour.
    pub(super) fn run(&mut self, y: i32, from: i32, to: i32, colour: Colour) {
        let colour = colour.map(byte);
        for pixel in self.row(y, from, to).chunks_exact_mut(3) {
            pixel.copy_from_slice(&colour);
        }
    }

    /// A filled polygon, even-odd.
    pub(super) fn polygon(&mut self, points: &[(f32, f32)], colour: Colour) {
        let ys = points.iter().map(|p| p.1);
        let (top, bottom) = (ys.clone().fold(f32::MAX, f32::min), ys.fold(f32::MIN, f32::max));
        for y in whole(top).max(0)..=whole(bottom).min(self.height - 1) {
            let line = real(y) + 0.5;
            let next = points.iter().cycle().skip(1);
            let mut crossings: Vec<f32> = points
                .iter()
                .zip(next)
                .filter(|(a, b)| (a.1 <= line) != (b.1 <= line))
                .map(|(a, b)| mix(a.0, b.0, (line - a.1) / (b.1 - a.1)))
                .collect();
            crossings.sort_by(f32::total_cmp);
            for pair in crossings.chunks_exact(2) {
                if let [from, to] = pair {
                    self.run(y, whole(from + 0.5), whole(to + 0.5), colour);
                }
            }
        }
    }

    /// A filled rectangle with its top left corner at (`x`, `y`).
    pub(super) fn rectangle(&mut self, x: f32, y: f32, width: f32, height: f32, colour: Colour) {
        self.polygon(&[(x, y), (x + width, y), (x + width, y + height), (x, y + height)], colour);
    }

    /// An ellipse that fades out between `core` (0 to 1 of its radius) and its edge, laid on with `strength`.
    pub(super) fn glow(
        &mut self,
        at: (f32, f32),
        radii: (f32, f32),
        core: f32,
        colour: Colour,
        strength: f32,
    ) {
        let ((cx, cy), (rx, ry)) = (at, radii);
        for y in whole(cy - ry).max(0)..=whole(cy + ry).min(self.height - 1) {
            let dy = (real(y) + 0.5 - cy) / ry;
            let half = rx * (1.0 - dy * dy).max(0.0).sqrt();
            let (from, to) = (whole(cx - half).max(0), whole(cx + half) + 1);
            for (x, pixel) in (from..).zip(self.row(y, from, to).chunks_exact_mut(3)) {
                let dx = (real(x) + 0.5 - cx) / rx;
                let distance = (dx * dx + dy * dy).sqrt();
                let t = strength * (1.0 - smooth(core, 1.0, distance));
                for (channel, target) in pixel.iter_mut().zip(colour) {
                    *channel = byte(mix(f32::from(*channel), target, t));
                }
            }
        }
    }

    /// Everything below a ridge, its colour going from `top` at the highest point to `foot` at the bottom edge.
    pub(super) fn below(&mut self, ridge: &[f32], top: Colour, foot: Colour) {
        let peak = whole(ridge.iter().copied().fold(f32::MAX, f32::min)).max(0);
        let depth = real((self.height - peak).max(1));
        let width = self.width;
        for y in peak..self.height {
            let line = real(y);
            let colour = blend(top, foot, (line - real(peak)) / depth).map(byte);
            for (pixel, height) in self.row(y, 0, width).chunks_exact_mut(3).zip(ridge) {
                if *height <= line {
                    pixel.copy_from_slice(&colour);
                }
            }
        }
    }
}
