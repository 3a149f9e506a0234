//! Focus and lines.

use image::{DynamicImage, GrayImage, RgbImage};

use crate::imaging::numbers::{byte, edge};

/// A length that looks the same at every size: `share` thousandths of the longer edge.
pub(super) fn reach(picture: &RgbImage, share: f32) -> f32 {
    (edge(picture.width().max(picture.height())) * share / 1000.0).max(0.6)
}

pub(super) fn blurred(picture: &RgbImage, sigma: f32) -> RgbImage {
    DynamicImage::from(picture.clone()).fast_blur(sigma).into_rgb8()
}

pub(super) fn blurred_grey(picture: &GrayImage, sigma: f32) -> GrayImage {
    DynamicImage::from(picture.clone()).fast_blur(sigma).into_luma8()
}

pub(super) fn grey(picture: &RgbImage) -> GrayImage {
    DynamicImage::from(picture.clone()).into_luma8()
}

pub(super) fn blur(picture: &RgbImage, amount: f32) -> RgbImage {
    blurred(picture, reach(picture, 5.0 * amount))
}

pub(super) fn sharpen(mut picture: RgbImage, amount: f32) -> RgbImage {
    let soft = blurred(&picture, reach(&picture, 1.2));
    blend(&mut picture, &soft, |sharp, soft| sharp + (sharp - soft) * 1.1 * amount);
    picture
}

/// The picture laid over itself out of focus, as light (screen).
pub(super) fn glow(mut picture: RgbImage, amount: f32) -> RgbImage {
    let soft = blurred(&picture, reach(&picture, 10.0));
    let share = (0.5 * amount).min(0.9);
    blend(&mut picture, &soft, |sharp, soft| {
        let screen = 255.0 - (255.0 - sharp) * (255.0 - soft) / 255.0;
        sharp + (screen - sharp) * share
    });
    picture
}

/// Combines two pictures of one size, sample by sample.
pub(super) fn blend(picture: &mut RgbImage, other: &RgbImage, f: impl Fn(f32, f32) -> f32) {
    let samples: &mut [u8] = picture;
    let others: &[u8] = other;
    for (sample, other) in samples.iter_mut().zip(others) {
        *sample = byte(f(f32::from(*sample), f32::from(*other)));
    }
}

/// Pencil: the grey picture, lightened by its own surroundings (dodge), so that only edges stay dark.
pub(super) fn sketch(picture: &RgbImage, amount: f32) -> RgbImage {
    let light = grey(picture);
    let soft = blurred_grey(&light, reach(picture, 4.0));
    let mut out = RgbImage::new(picture.width(), picture.height());
    let darker = 1.0 + 0.8 * amount;
    for ((to, light), soft) in out.pixels_mut().zip(light.pixels()).zip(soft.pixels()) {
        let ([light], [soft]) = (light.0, soft.0);
        let line = (f32::from(light) / f32::from(soft.max(1))).min(1.0).powf(darker);
        // Some of the shading stays, as if smudged.
        let shade = 0.82 + 0.18 * f32::from(light) / 255.0;
        let value = byte(252.0 * line * shade);
        to.0 = [value, value, value.saturating_sub(4)];
    }
    out
}

/// How much each pixel differs from its wider surroundings, times `gain`: nothing where light changes slowly.
pub(super) fn edges(picture: &RgbImage, gain: f32) -> GrayImage {
    let light = grey(picture);
    let fine = reach(picture, 0.8);
    let mut near = blurred_grey(&light, fine);
    let far = blurred_grey(&light, 2.2 * fine);
    for (near, far) in near.pixels_mut().zip(far.pixels()) {
        let ([a], [b]) = (near.0, far.0);
        near.0 = [byte(f32::from(a.abs_diff(b).saturating_sub(1)) * gain)];
    }
    near
}

/// Dark lines on paper.
pub(super) fn outlines(picture: &RgbImage, amount: f32) -> RgbImage {
    let mut lines = DynamicImage::from(edges(picture, 14.0 * amount));
    lines.invert();
    lines.into_rgb8()
}

pub(super) fn emboss(picture: RgbImage) -> RgbImage {
    let kernel = [-2.0, -1.0, 0.0, -1.0, 1.0, 1.0, 0.0, 1.0, 2.0];
    DynamicImage::from(picture).filter3x3(&kernel).into_rgb8()
}
