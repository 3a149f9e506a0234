use std::path::PathBuf;

use crate::base::Kind;

/// Why a configuration cannot be used. Says where, never a secret.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("{0}: {1}")]
    Unreadable(PathBuf, #[source] std::io::Error),
    /// It is not TOML, or a key or value in it is not one.
    #[error("{place}: {why}")]
    Malformed {
        /// The file or variable.
        place: String,
        /// What is wrong.
        why: String,
    },
    /// Two settings that do not go together, or one that is missing.
    #[error("{0}")]
    Contradiction(&'static str),
}

impl Error {
    /// What sort of error this is.
    pub fn kind(&self) -> Kind {
        Kind::Internal
    }
}
