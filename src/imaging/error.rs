//! Why a picture is not taken.

use vouchsafe_base::Kind;

use super::Format;

/// A refusal. Its text is for the person who sent the file; it names nothing from the file but sizes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No bytes at all.
    #[error("The file is empty.")]
    Empty,
    /// A type that is not taken, or no picture.
    #[error("This is {found}. We take JPEG, PNG and WebP.")]
    Unsupported {
        /// What it seems to be, with its article: "a GIF".
        found: &'static str,
    },
    /// More bytes than [`super::Limits::max_bytes`].
    #[error("The file is larger than {} MB.", limit.div_ceil(1_000_000))]
    TooManyBytes {
        /// The limit, in bytes.
        limit: usize,
    },
    /// More pixels, or a longer edge, than the limits allow, or more than could be decoded in the memory allowed.
    #[error("The picture is {width} × {height} pixels. We take up to {} megapixels, {max_edge} on the longer edge.", max_pixels / 1_000_000)]
    TooManyPixels {
        /// Pixels across.
        width: u32,
        /// Pixels down.
        height: u32,
        /// The most pixels taken for a picture coded like this one.
        max_pixels: u64,
        /// The longest edge taken.
        max_edge: u32,
    },
    /// More than one frame.
    #[error("This {format} is animated. We take still pictures.")]
    Animated {
        /// Its container.
        format: Format,
    },
    /// It ends before the picture does.
    #[error("This {format} is cut short: the end of the picture is missing. Was the upload complete?")]
    CutShort {
        /// Its container.
        format: Format,
    },
    /// It cannot be decoded.
    #[error("This {format} is damaged: {why}.")]
    Broken {
        /// Its container.
        format: Format,
        /// What is wrong, as the end of a sentence.
        why: &'static str,
    },
    /// Built so that decoding takes far more work than the picture is worth.
    #[error("This {format} is put together from too many parts.")]
    TooComplex {
        /// Its container.
        format: Format,
    },
    /// Our encoder failed on a picture that was decoded.
    #[error("The picture could not be written as {format}.")]
    Unwritable {
        /// The container asked for.
        format: Format,
    },
}

impl Refused {
    /// The kind the edge maps to a status.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Unsupported { .. } => Kind::Unsupported,
            Self::TooManyBytes { .. } | Self::TooManyPixels { .. } => Kind::TooLarge,
            Self::Unwritable { .. } => Kind::Internal,
            Self::Empty
            | Self::Animated { .. }
            | Self::CutShort { .. }
            | Self::Broken { .. }
            | Self::TooComplex { .. } => Kind::Invalid,
        }
    }
}
