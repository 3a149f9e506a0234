//! The studio: a provider that edits in the house, with filters. It is no AI.
//!
//! Promises: nothing leaves the process; the same picture, words, parameters and seed give the same bytes; the result
//! carries no metadata but its mark, and [`Edited::operations`] names everything that was done. It knows a few dozen words; what
//! it does not know, it does not pretend to: it then balances the light, and says so. It cannot add, remove or replace things in
//! a picture. Must never: keep a picture or a prompt, or repeat a prompt in a note or an error.

mod error;
mod filters;
mod geometry;
mod operation;
mod texture;
mod tone;
mod vocabulary;
mod words;

#[cfg(test)]
mod tests;

use image::{DynamicImage, RgbImage};

pub use error::StudioError;
pub use geometry::AspectRatio;
pub use operation::Operation;
pub use tone::Colour;
pub use vocabulary::STYLES;

use crate::imaging::{self, DigitalSourceType, Format, Limits};

/// Said wherever the studio's work is shown.
pub const NO_AI: &str = "Edited by the studio on this machine, with filters. No AI was used.";

/// How much effort: as with the hosted models, the larger one keeps more of the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Model {
    /// Works on at most one megapixel.
    #[default]
    Pro,
    /// Works at full resolution, up to 16 megapixels, paints in two passes, and saves at a higher quality.
    Max,
}

impl Model {
    /// The most pixels that it works on.
    pub fn max_pixels(self) -> u64 {
        match self {
            Self::Pro => 1 << 20,
            Self::Max => 16 << 20,
        }
    }

    fn quality(self) -> u8 {
        match self {
            Self::Pro => 88,
            Self::Max => 95,
        }
    }

    fn passes(self) -> u8 {
        match self {
            Self::Pro => 1,
            Self::Max => 2,
        }
    }
}

/// What is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct EditSpec {
    /// What the person wants, in their words. English.
    pub prompt: String,
    /// How much effort.
    pub model: Model,
    /// A name out of [`STYLES`], done besides what the prompt says.
    pub style: Option<String>,
    /// How closely to follow: 1 to 20, 3.5 unless asked, as with the hosted models. Here: how strong the filters are.
    pub guidance: f32,
    /// Places the grain and the paper.
    pub seed: u64,
    /// The container of the result.
    pub output_format: Format,
    /// The shape of the result, cut from the middle; as the picture is unless asked.
    pub aspect_ratio: Option<AspectRatio>,
    /// What the picture stated about its source before it was stripped, so that a generated one is not passed off as less.
    pub earlier_mark: Option<DigitalSourceType>,
}

impl Default for EditSpec {
    fn default() -> Self {
        Self {
            prompt: String::new(),
            model: Model::Pro,
            style: None,
            guidance: 3.5,
            seed: 0,
            output_format: Format::Jpeg,
            aspect_ratio: None,
            earlier_mark: None,
        }
    }
}

/// What was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edited {
    /// The file: pixels and mark.
    pub bytes: Vec<u8>,
    /// Its container.
    pub format: Format,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// What was done, in order: `black and white`, `brighten`.
    pub operations: Vec<String>,
    /// Whether the words named something that the studio can do.
    pub understood: bool,
    /// A sentence for the person. Repeats nothing of the prompt.
    pub note: String,
    /// What the file states about its source.
    pub mark: DigitalSourceType,
}

/// One operation, and how strongly: 1 is normal, 0.5 a bit, 1.6 a lot.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Step {
    operation: Operation,
    amount: f32,
}

/// Edits a picture. Errors: [`StudioError`].
///
/// The mark is `humanEdits` when a person's words chose the operations: a person edited, with tools that generate nothing. It
/// is `algorithmicallyEnhanced` when the studio chose by itself. It is never less than a generated picture already stated.
pub fn edit(input: &[u8], spec: &EditSpec) -> Result<Edited, StudioError> {
    if !(1.0..=20.0).contains(&spec.guidance) {
        return Err(StudioError::OutOfRange { name: "guidance", range: "1 to 20" });
    }
    let plan = plan(spec)?;
    let inspected = imaging::inspect(input, &Limits::default())?;
    let picture = imaging::decode(input, &inspected, Some(spec.model.max_pixels()))?;
    let mut picture = on_white(picture);
    if let Some(ratio) = spec.aspect_ratio {
        picture = geometry::crop_to(picture, ratio);
    }
    for step in &plan.steps {
        picture = operation::apply(picture, *step, spec);
    }
    let (width, height) = picture.dimensions();
    let coded = imaging::encode(&picture.into(), spec.output_format, spec.model.quality())?;
    let own = if plan.understood {
        DigitalSourceType::HumanEdits
    } else {
        DigitalSourceType::AlgorithmicallyEnhanced
    };
    let earlier = spec.earlier_mark.or(inspected.mark).filter(|mark| mark.is_generated());
    let mark = earlier.unwrap_or(own);
    let mut operations: Vec<String> =
        spec.aspect_ratio.iter().map(|ratio| format!("crop to {ratio}")).collect();
    operations.extend(plan.steps.iter().map(|step| step.operation.name().to_owned()));
    Ok(Edited {
        bytes: imaging::mark(&coded, mark)?,
        format: spec.output_format,
        width,
        height,
        operations,
        understood: plan.understood,
        note: plan.note,
        mark,
    })
}

struct Plan {
    steps: Vec<Step>,
    understood: bool,
    note: String,
}

fn plan(spec: &EditSpec) -> Result<Plan, StudioError> {
    let reading = words::read(&spec.prompt);
    let mut steps = reading.steps;
    if let Some(style) = &spec.style {
        let operation = words::style(style).ok_or(StudioError::UnknownStyle)?;
        if !steps.iter().any(|step| step.operation == operation) {
            steps.push(Step { operation, amount: 1.0 });
        }
    }
    let understood = !steps.is_empty();
    let mut note = NO_AI.to_owned();
    if !understood {
        steps.push(Step { operation: Operation::AutoContrast, amount: 1.0 });
        note.push_str(" It knew none of the words as something it can do, so it only balanced the light.");
    }
    if reading.asks_for_more {
        note.push_str(" It cannot add, remove or replace things in a picture.");
    }
    let strength = (0.4 + 0.6 * spec.guidance / 3.5).clamp(0.4, 1.8);
    for step in &mut steps {
        step.amount = (step.amount * strength).clamp(0.2, 2.0);
    }
    // A stable sort: shape before colour, colour before effects, a frame around it all; within these, as it was said.
    steps.sort_by_key(|step| step.operation.stage());
    Ok(Plan { steps, understood, note })
}

/// Three channels; what is transparent shows white paper.
fn on_white(picture: DynamicImage) -> RgbImage {
    if !picture.has_alpha() {
        return picture.into_rgb8();
    }
    let rgba = picture.into_rgba8();
    let mut out = RgbImage::new(rgba.width(), rgba.height());
    for (to, from) in out.pixels_mut().zip(rgba.pixels()) {
        let [r, g, b, a] = from.0;
        to.0 = [r, g, b].map(|c| imaging::over_white(c, a));
    }
    out
}
