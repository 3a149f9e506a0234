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
        /// The file and line, or the variable, and the key.
        place: String,
        /// What is wrong.
        why: String,
    },
    /// Not in development, and without TLS for those outside.
    #[error("server.public-url must begin with https:// unless server.development is on")]
    NotPublic,
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
