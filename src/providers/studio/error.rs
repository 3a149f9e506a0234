//! Why the studio did not edit.

use crate::base::Kind;
use crate::imaging::Refused;

/// An edit that was not made. Names no word of the prompt.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StudioError {
    /// The picture is not one that we take, or could not be written.
    #[error(transparent)]
    Picture(#[from] Refused),
    /// A style that is not in [`super::STYLES`].
    #[error("The studio has no style of that name.")]
    UnknownStyle,
    /// A parameter outside its range.
    #[error("{name} is out of its range: {range}.")]
    OutOfRange {
        /// The parameter.
        name: &'static str,
        /// What it may be.
        range: &'static str,
    },
}

impl StudioError {
    /// The kind the edge maps to a status.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Picture(refused) => refused.kind(),
            Self::UnknownStyle | Self::OutOfRange { .. } => Kind::Invalid,
        }
    }
}
