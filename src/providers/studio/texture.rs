//! Paint, paper, film: what lies on a picture.

use image::RgbImage;
use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};

use super::filters::{blend, blurred, blurred_grey, edges, grey, reach};
use super::{Operation, tone};
use crate::imaging::numbers::{byte, edge, smooth};

/// Flat dabs with firm borders, after Kuwahara: each pixel takes the mean of that neighbourhood, of four, which varies
/// least. Means and variations come from blurred copies, so that the cost does not grow with the radius.
fn dabs(picture: &RgbImage, radius: f32) -> RgbImage {
    let sigma = (radius * 0.6).max(0.8);
    let mean = blurred(picture, sigma);
    let light = grey(picture);
    let mut variation = blurred_grey(&light, sigma);
    for (soft, sharp) in variation.pixels_mut().zip(light.pixels()) {
        let ([a], [b]) = (soft.0, sharp.0);
        // Twice, because small differences are what decides in even places.
        soft.0 = [a.abs_diff(b).saturating_mul(2)];
    }
    let variation = blurred_grey(&variation, sigma);
    let (width, height) = picture.dimensions();
    let step = usize::from(byte(radius));
    let (w, h) = (width as usize, height as usize);
    let (mean_samples, variations): (&[u8], &[u8]) = (&mean, &variation);
    let mut out = RgbImage::new(width, height);
    let samples: &mut [u8] = &mut out;
    for (y, line) in samples.chunks_exact_mut((w * 3).max(1)).enumerate() {
        let (up, down) = (y.saturating_sub(step) * w, (y + step).min(h - 1) * w);
        for (x, pixel) in line.chunks_exact_mut(3).enumerate() {
            let (left, right) = (x.saturating_sub(step), (x + step).min(w - 1));
            let corners = [up + left, up + right, down + left, down + right];
            let calmest = corners.into_iter().min_by_key(|at| variations.get(*at).copied());
            let from = calmest.and_then(|at| mean_samples.get(at * 3..at * 3 + 3));
            pixel.copy_from_slice(from.unwrap_or(&[0, 0, 0]));
        }
    }
    out
}

fn painted(mut picture: RgbImage, share: f32, passes: u8) -> RgbImage {
    for pass in 0..passes {
        let radius = reach(&picture, share / (1.0 + f32::from(pass)));
        picture = dabs(&picture, radius.max(2.0));
    }
    picture
}

pub(super) fn watercolour(picture: RgbImage, amount: f32, passes: u8, seed: u64) -> RgbImage {
    let mut wash = painted(picture, 4.5 * amount.clamp(0.6, 1.6), passes);
    // Pigment gathers at the borders of a wash.
    let borders = edges(&wash, 5.0);
    for (pixel, border) in wash.pixels_mut().zip(borders.pixels()) {
        let [border] = border.0;
        let keep = 1.0 - 0.35 * f32::from(border) / 255.0;
        // Thin paint: the paper shines through.
        pixel.0 = pixel.0.map(|c| byte((46.0 + f32::from(c) * 0.84) * keep));
    }
    let wash = tone::apply(wash, Operation::Saturate, 0.5);
    paper(wash, seed)
}

pub(super) fn oil(picture: RgbImage, amount: f32, passes: u8) -> RgbImage {
    let paint = painted(picture, 5.5 * amount.clamp(0.6, 1.6), passes);
    let mut paint = tone::apply(tone::apply(paint, Operation::Saturate, 0.6), Operation::Contrast, 0.3);
    // The light on the ridges that a brush leaves.
    let soft = blurred(&paint, reach(&paint, 1.4));
    blend(&mut paint, &soft, |sharp, soft| sharp + (sharp - soft) * 0.9);
    paint
}

pub(super) fn cartoon(picture: RgbImage, amount: f32, passes: u8) -> RgbImage {
    let flat = painted(picture, 4.0, passes);
    let lines = edges(&flat, 8.0 * amount);
    let mut flat = tone::apply(flat, Operation::Posterize, 0.6);
    for (pixel, line) in flat.pixels_mut().zip(lines.pixels()) {
        let [line] = line.0;
        let keep = 1.0 - smooth(40.0, 140.0, f32::from(line));
        pixel.0 = pixel.0.map(|c| byte(f32::from(c) * keep));
    }
    flat
}

/// Darker towards the corners.
pub(super) fn vignette(mut picture: RgbImage, amount: f32) -> RgbImage {
    let (width, height) = (edge(picture.width()), edge(picture.height()));
    let row = picture.width() as usize * 3;
    let across: Vec<f32> = (0..picture.width())
        .map(|x| {
            let dx = (edge(x) + 0.5) / width - 0.5;
            dx * dx * 2.0
        })
        .collect();
    let depth = (0.62 * amount).min(0.95);
    let samples: &mut [u8] = &mut picture;
    for (y, line) in (0_u32..).zip(samples.chunks_exact_mut(row.max(1))) {
        let dy = (edge(y) + 0.5) / height - 0.5;
        for (pixel, dx) in line.chunks_exact_mut(3).zip(&across) {
            // 0 in the middle, 1 in the corners.
            let distance = dx + dy * dy * 2.0;
            let keep = 1.0 - depth * smooth(0.15, 1.05, distance);
            for sample in pixel {
                *sample = byte(f32::from(*sample) * keep);
            }
        }
    }
    picture
}

/// Noise that repeats every 251 × 256 samples, which nobody sees.
fn noise(seed: u64) -> Vec<u8> {
    let mut tile = vec![0; 251 * 256];
    ChaCha8Rng::seed_from_u64(seed).fill_bytes(&mut tile);
    tile
}

/// Film grain: the same on the three channels, strongest in the middle tones.
pub(super) fn grain(mut picture: RgbImage, amount: f32, seed: u64) -> RgbImage {
    let tile = noise(seed);
    let strength = 0.16 * amount;
    let samples: &mut [u8] = &mut picture;
    for (pixel, random) in samples.chunks_exact_mut(3).zip(tile.iter().cycle()) {
        let push = (f32::from(*random) - 127.5) * strength;
        for sample in pixel {
            let level = f32::from(*sample) / 255.0;
            *sample = byte(f32::from(*sample) + push * (0.4 + 2.4 * level * (1.0 - level)));
        }
    }
    picture
}

/// The tooth of paper: blurred noise, a little light and shade.
fn paper(mut picture: RgbImage, seed: u64) -> RgbImage {
    let (width, height) = picture.dimensions();
    let samples = noise(seed).into_iter().cycle().take(width as usize * height as usize).collect();
    let Some(tooth) = image::GrayImage::from_raw(width, height, samples) else { return picture };
    let tooth = blurred_grey(&tooth, 1.1);
    for (pixel, tooth) in picture.pixels_mut().zip(tooth.pixels()) {
        let [tooth] = tooth.0;
        let push = (f32::from(tooth) - 127.5) * 0.28;
        pixel.0 = pixel.0.map(|c| byte(f32::from(c) + push));
    }
    picture
}
