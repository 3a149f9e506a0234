//! What the studio can do, and the names it gives to it.

use image::RgbImage;

use super::tone::Colour;
use super::{EditSpec, Step, filters, geometry, texture, tone};

/// One thing that the studio does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each name says what it does, and `name` says it in words")]
pub enum Operation {
    RotateLeft,
    RotateRight,
    TurnOver,
    FlipSideways,
    FlipUpsideDown,
    CropSquare,
    Enlarge,
    Shrink,
    AutoContrast,
    Grayscale,
    Sepia,
    Vintage,
    Warm,
    Cool,
    Sunset,
    Night,
    Cinematic,
    Brighten,
    Darken,
    Contrast,
    Flatten,
    Saturate,
    Mute,
    Invert,
    Tint(Colour),
    Blur,
    Sharpen,
    Dreamy,
    Posterize,
    Sketch,
    Outlines,
    Emboss,
    Pixelate,
    Watercolour,
    OilPainting,
    Cartoon,
    Vignette,
    Grain,
    Frame,
}

impl Operation {
    /// In words: what stands in [`super::Edited::operations`].
    pub fn name(self) -> &'static str {
        match self {
            Self::RotateLeft => "rotate left",
            Self::RotateRight => "rotate right",
            Self::TurnOver => "turn by 180°",
            Self::FlipSideways => "mirror",
            Self::FlipUpsideDown => "flip upside down",
            Self::CropSquare => "crop to a square",
            Self::Enlarge => "enlarge",
            Self::Shrink => "shrink",
            Self::AutoContrast => "balance the light",
            Self::Grayscale => "black and white",
            Self::Sepia => "sepia",
            Self::Vintage => "vintage",
            Self::Warm => "warmer",
            Self::Cool => "cooler",
            Self::Sunset => "sunset light",
            Self::Night => "night",
            Self::Cinematic => "cinematic",
            Self::Brighten => "brighten",
            Self::Darken => "darken",
            Self::Contrast => "more contrast",
            Self::Flatten => "less contrast",
            Self::Saturate => "more colour",
            Self::Mute => "less colour",
            Self::Invert => "negative",
            Self::Tint(colour) => colour.tint_name(),
            Self::Blur => "blur",
            Self::Sharpen => "sharpen",
            Self::Dreamy => "soft glow",
            Self::Posterize => "poster",
            Self::Sketch => "pencil sketch",
            Self::Outlines => "outlines",
            Self::Emboss => "emboss",
            Self::Pixelate => "pixels",
            Self::Watercolour => "watercolour",
            Self::OilPainting => "oil painting",
            Self::Cartoon => "cartoon",
            Self::Vignette => "vignette",
            Self::Grain => "film grain",
            Self::Frame => "frame",
        }
    }

    /// What goes first: shape, focus, painting, colour, what lies on top, frame.
    pub(super) fn stage(self) -> u8 {
        match self {
            Self::RotateLeft
            | Self::RotateRight
            | Self::TurnOver
            | Self::FlipSideways
            | Self::FlipUpsideDown
            | Self::CropSquare
            | Self::Enlarge
            | Self::Shrink => 0,
            Self::AutoContrast | Self::Blur | Self::Sharpen => 1,
            Self::Watercolour | Self::OilPainting | Self::Cartoon | Self::Sketch | Self::Outlines => 2,
            Self::Vignette | Self::Grain => 4,
            Self::Frame => 5,
            _ => 3,
        }
    }
}

/// Does one step.
pub(super) fn apply(picture: RgbImage, step: Step, spec: &EditSpec) -> RgbImage {
    let Step { operation, amount } = step;
    let passes = spec.model.passes();
    match operation {
        Operation::RotateLeft
        | Operation::RotateRight
        | Operation::TurnOver
        | Operation::FlipSideways
        | Operation::FlipUpsideDown => geometry::turn(picture, operation),
        Operation::CropSquare => geometry::crop_to(picture, geometry::AspectRatio::SQUARE),
        Operation::Enlarge => geometry::scale(picture, 2.0, 4 * spec.model.max_pixels()),
        Operation::Shrink => geometry::scale(picture, 0.5, spec.model.max_pixels()),
        Operation::Blur => filters::blur(&picture, amount),
        Operation::Sharpen => filters::sharpen(picture, amount),
        Operation::Dreamy => filters::glow(picture, amount),
        Operation::Sketch => filters::sketch(&picture, amount),
        Operation::Outlines => filters::outlines(&picture, amount),
        Operation::Emboss => filters::emboss(picture),
        Operation::Pixelate => geometry::pixelate(picture, amount),
        Operation::Watercolour => texture::watercolour(picture, amount, passes, spec.seed),
        Operation::OilPainting => texture::oil(picture, amount, passes),
        Operation::Cartoon => texture::cartoon(picture, amount, passes),
        Operation::Vignette => texture::vignette(picture, amount),
        Operation::Grain => texture::grain(picture, amount, spec.seed),
        Operation::Frame => geometry::frame(&picture),
        Operation::Vintage => {
            let aged = tone::apply(picture, operation, amount);
            texture::grain(texture::vignette(aged, 0.7 * amount), 0.6 * amount, spec.seed)
        }
        Operation::Sunset => tone::sunset(picture, amount),
        Operation::Night => texture::vignette(tone::apply(picture, operation, amount), 0.6 * amount),
        _ => tone::apply(picture, operation, amount),
    }
}
