//! The settings of an edit, and what each of those who do edits makes of them.

use serde::{Deserialize, Serialize};

use super::{Error, ProviderChoice};
use crate::imaging::Format;
use crate::providers::studio::{AspectRatio, STYLES};
use crate::providers::{Aspect, Params};

/// The settings of an edit: all optional. One that whoever does the edit does not have is refused, not ignored.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// A named style.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub style: Option<String>,
    /// How closely to follow the words, 1 to 20. Not at Replicate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guidance: Option<f32>,
    /// The same seed gives the same result.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u32>,
    /// `jpeg` or `png`, in the studio also `webp`; as the upload unless asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output_format: Option<String>,
    /// Such as `1:1` or `16:9`; as the upload unless asked. Replicate knows a few more than the others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aspect_ratio: Option<String>,
    /// How many variations to make, 1 to 4, each at the price of one; more than one at FAL.AI only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 4)]
    pub images: Option<u8>,
    /// How much the provider's safety filter lets through: 0 (least) to 6, at Replicate to 2. 2 unless asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 6)]
    pub safety: Option<u8>,
    /// Whether the provider may rewrite the words before it uses them. Not in the studio.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enhance_prompt: Option<bool>,
}

impl Settings {
    /// How many pictures are asked for.
    pub fn count(&self) -> u8 {
        self.images.unwrap_or(1)
    }

    /// What holds whoever does the edit.
    pub(super) fn check(&self) -> Result<(), Error> {
        let broken = [
            (self.guidance.is_some_and(|g| !(1.0..=20.0).contains(&g)), "guidance (1 to 20)"),
            (
                self.output_format.as_deref().is_some_and(|f| Format::parse(f).is_none()),
                "output_format (jpeg, png or webp)",
            ),
            (self.style.as_deref().is_some_and(|s| !STYLES.iter().any(|(name, _)| *name == s)), "style"),
            (
                self.aspect_ratio.as_deref().is_some_and(|a| a == "match" || Aspect::parse(a).is_none()),
                "aspect_ratio (such as 1:1 or 16:9)",
            ),
            (!(1..=4).contains(&self.count()), "images (1 to 4)"),
            (self.safety.is_some_and(|s| s > 6), "safety (0 to 6)"),
            (self.seed.is_some_and(|s| s > MOST_SEED), "seed (0 to 2147483647)"),
        ];
        match broken.into_iter().find(|(is, _)| *is) {
            Some((_, what)) => Err(Error::BadValue(what)),
            None => Ok(()),
        }
    }

    /// Whether the studio does so many pictures in this way.
    pub(super) fn check_studio(&self, inputs: usize) -> Result<(), Error> {
        let ratio = self.aspect_ratio.as_deref();
        let broken = [
            (inputs > 1, "inputs (the studio edits one picture at a time)"),
            (self.count() != 1, "images (the studio makes one picture at a time)"),
            (self.safety.is_some(), "safety (the studio has no such filter)"),
            (self.enhance_prompt == Some(true), "enhance_prompt (the studio takes words as they are)"),
            (
                ratio.is_some_and(|r| AspectRatio::parse(r).is_none()),
                "aspect_ratio (the studio does not know this one)",
            ),
        ];
        match broken.into_iter().find(|(is, _)| *is) {
            Some((_, what)) => Err(Error::BadValue(what)),
            None => Ok(()),
        }
    }

    /// The same as a provider's knobs. `input` is what the first picture is: a result is as it, unless asked otherwise.
    pub(super) fn params(&self, input: Option<Format>) -> Params {
        let usual = Params::default();
        let asked = self.output_format.as_deref().and_then(Format::parse);
        let as_input = if input == Some(Format::Png) { Format::Png } else { Format::Jpeg };
        Params {
            seed: self.seed,
            aspect: self.aspect_ratio.as_deref().and_then(Aspect::parse).unwrap_or(Aspect::MATCH),
            format: asked.unwrap_or(as_input),
            guidance: self.guidance,
            images: self.count(),
            safety: self.safety.unwrap_or(usual.safety),
            upsample: self.enhance_prompt.unwrap_or(usual.upsample),
        }
    }
}

/// Providers take a signed 32-bit integer.
const MOST_SEED: u32 = i32::MAX.cast_unsigned();

/// Pictures that a provider cannot be given in any way that leaves no copy.
pub(super) fn too_large(choice: ProviderChoice) -> Error {
    Error::BadValue(match choice {
        ProviderChoice::Fal => {
            "inputs (too large to be sent along, and FAL.AI cannot fetch them: this service has no public address)"
        }
        _ => "inputs (too large for this provider)",
    })
}
