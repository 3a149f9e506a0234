//! The room's types.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{DigitalSourceType, Orientation};

/// The containers we take and write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// JPEG (ITU-T T.81).
    Jpeg,
    /// PNG (W3C PNG, third edition), without animation.
    Png,
    /// WebP (RFC 9649), without animation.
    WebP,
}

impl Format {
    /// Every format, for lists of what we take.
    pub const ALL: [Self; 3] = [Self::Jpeg, Self::Png, Self::WebP];

    /// Its media type, as in `Content-Type`.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::WebP => "image/webp",
        }
    }

    /// Its word in parameters and metadata: `jpeg`, `png`, `webp`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Jpeg => "jpeg",
            Self::Png => "png",
            Self::WebP => "webp",
        }
    }

    /// The ending of a file's name, without the dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::Png => "png",
            Self::WebP => "webp",
        }
    }

    /// The format of a word: its name, its ending or its media type.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|f| [f.name(), f.extension(), f.media_type()].contains(&word))
    }

    pub(super) fn codec(self) -> image::ImageFormat {
        match self {
            Self::Jpeg => image::ImageFormat::Jpeg,
            Self::Png => image::ImageFormat::Png,
            Self::WebP => image::ImageFormat::WebP,
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Jpeg => "JPEG",
            Self::Png => "PNG",
            Self::WebP => "WebP",
        })
    }
}

/// How much of a stranger's file we are willing to look at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the file.
    pub max_bytes: usize,
    /// Pixels of the picture.
    pub max_pixels: u64,
    /// Pixels of its longer edge.
    pub max_edge: u32,
    /// Bytes of memory that decoding may take, by an estimate made from the header.
    pub max_memory: u64,
    /// Frames; 1 refuses animations.
    pub max_frames: u32,
    /// JPEG passes over the picture. Encoders write about ten; a thousand is an attack on the processor.
    pub max_scans: usize,
    /// Parts of the container (segments, chunks).
    pub max_parts: usize,
}

impl Default for Limits {
    /// 25 MiB, 50 megapixels, 16,384 pixels an edge, 192 MiB of memory, one frame: a phone's largest photograph passes.
    fn default() -> Self {
        Self {
            max_bytes: 25 << 20,
            max_pixels: 50_000_000,
            max_edge: 16_384,
            max_memory: 192 << 20,
            max_frames: 1,
            max_scans: 64,
            max_parts: 65_536,
        }
    }
}

/// What a file carries besides the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Carried {
    /// Camera data, time taken, maker notes.
    Exif,
    /// Where it was taken.
    Gps,
    /// An XMP packet.
    Xmp,
    /// An IPTC or Photoshop block.
    Iptc,
    /// Comments and text fields.
    Comment,
    /// A smaller copy of the picture, which may show what was edited away.
    Thumbnail,
    /// A signed provenance manifest (C2PA).
    Provenance,
    /// Bytes behind the end of the picture: a second picture, a film, an archive.
    Trailing,
    /// A part of a kind that we do not know.
    Unknown,
    /// A colour profile. The one thing here that stays.
    ColourProfile,
}

impl Carried {
    /// In plain words, for a page that says what was removed.
    pub fn label(self) -> &'static str {
        match self {
            Self::Exif => "camera data",
            Self::Gps => "location",
            Self::Xmp => "editing data (XMP)",
            Self::Iptc => "caption and author data (IPTC)",
            Self::Comment => "comments",
            Self::Thumbnail => "an embedded thumbnail",
            Self::Provenance => "a provenance manifest",
            Self::Trailing => "data behind the picture",
            Self::Unknown => "unknown data",
            Self::ColourProfile => "a colour profile",
        }
    }
}

/// A picture that passed [`super::inspect`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspected {
    /// Its container, by content.
    pub format: Format,
    /// Pixels across, as stored; see [`Self::upright_size`].
    pub width: u32,
    /// Pixels down, as stored.
    pub height: u32,
    /// Length of the file.
    pub bytes: usize,
    /// Bits of one channel of one pixel: 1, 2, 4, 8 or 16.
    pub bit_depth: u8,
    /// Whether pixels can be transparent.
    pub alpha: bool,
    /// How it must be turned to stand upright.
    pub orientation: Orientation,
    /// What it carries, sorted, each once.
    pub carries: Vec<Carried>,
    /// Where it says it comes from.
    pub mark: Option<DigitalSourceType>,
}

impl Inspected {
    /// Whether it carries this.
    pub fn has(&self, what: Carried) -> bool {
        self.carries.contains(&what)
    }

    /// What [`super::strip`] will take away.
    pub fn removed_by_strip(&self) -> impl Iterator<Item = Carried> + '_ {
        self.carries.iter().copied().filter(|c| *c != Carried::ColourProfile)
    }

    /// Width and height as a person sees it.
    pub fn upright_size(&self) -> (u32, u32) {
        match self.orientation {
            Orientation::Rotate90
            | Orientation::Rotate270
            | Orientation::Rotate90FlipH
            | Orientation::Rotate270FlipH => (self.height, self.width),
            _ => (self.width, self.height),
        }
    }

    /// What may be kept about it.
    pub fn metadata(&self) -> ImageMetadata {
        let (width, height) = self.upright_size();
        ImageMetadata { format: self.format, width, height, bytes: self.bytes as u64 }
    }
}

/// Image metadata in the sense of the policies: format, resolution, size. Nothing that the camera wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageMetadata {
    /// The container.
    pub format: Format,
    /// Pixels across, upright.
    pub width: u32,
    /// Pixels down, upright.
    pub height: u32,
    /// Length of the file.
    pub bytes: u64,
}
