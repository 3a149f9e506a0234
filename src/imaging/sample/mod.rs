//! Photographs to show and to test with: drawn by the program, so that they are nobody's, yet carrying everything that a
//! telephone writes into a file.
//!
//! Promises: the same seed draws the same picture, byte for byte. What the files carry is invented: a camera that does not
//! exist, at a public place. Must never: be used for anything but demonstration and tests.

mod camera;
mod canvas;
mod light;
mod scene;

use image::DynamicImage;

use super::{DigitalSourceType, Format, Keep, Orientation, Refused, encode, mark, rebuild};

/// What to draw.
#[derive(Debug, Clone, Copy)]
pub struct Shot<'a> {
    /// Chooses the time of day and the landscape; five seeds in a row give five lights.
    pub seed: u64,
    /// Goes into the file's description and comment.
    pub caption: &'a str,
    /// The container.
    pub format: Format,
    /// Pixels across, upright; 16 to 4096.
    pub width: u32,
    /// Pixels down, upright; 16 to 4096.
    pub height: u32,
    /// How the file says that it lies; the pixels are turned so that a viewer shows it upright.
    pub orientation: Orientation,
}

impl Default for Shot<'_> {
    fn default() -> Self {
        Self {
            seed: 0,
            caption: "A house between hills",
            format: Format::Jpeg,
            width: 960,
            height: 640,
            orientation: Orientation::NoTransforms,
        }
    }
}

/// A photograph of 960 × 640 with EXIF, a position, a thumbnail, XMP and a comment in it.
pub fn photograph(seed: u64, caption: &str, format: Format) -> Result<Vec<u8>, Refused> {
    shoot(&Shot { seed, caption, format, ..Shot::default() })
}

/// A photograph as described, with everything that [`photograph`] carries.
pub fn shoot(shot: &Shot<'_>) -> Result<Vec<u8>, Refused> {
    let mut picture = draw(shot.seed, shot.width, shot.height);
    let thumbnail = encode(&picture.thumbnail(160, 160), Format::Jpeg, 70)?;
    picture.apply_orientation(inverse(shot.orientation));
    let coded = encode(&picture, shot.format, 88)?;
    let exif = camera::block(shot, &thumbnail);
    // Drawn by an algorithm without a trained model: that is what the file says of itself.
    let packet = mark::packet(DigitalSourceType::AlgorithmicMedia);
    let keep = Keep { bare: false, exif: exif.as_deref(), xmp: Some(&packet), comment: Some(shot.caption) };
    rebuild(&coded, shot.format, &keep)
}

/// The picture alone.
pub fn draw(seed: u64, width: u32, height: u32) -> DynamicImage {
    scene::draw(seed, width.clamp(16, 4096), height.clamp(16, 4096))
}

/// The turn that undoes another. Mirrored turns undo themselves.
fn inverse(orientation: Orientation) -> Orientation {
    match orientation {
        Orientation::Rotate90 => Orientation::Rotate270,
        Orientation::Rotate270 => Orientation::Rotate90,
        other => other,
    }
}
