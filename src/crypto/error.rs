use crate::base::Kind;

/// Why something could not be opened. Deliberately coarse: who may not read learns nothing from how it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The key is another one, or the ciphertext is not at the place it was sealed for.
    #[error("not sealed with this key for this place")]
    WrongKey,
    /// Bytes were changed, cut off or added.
    #[error("the ciphertext is damaged")]
    Damaged,
    /// A key of the wrong length.
    #[error("not a key")]
    BadKey,
}

impl Error {
    /// What sort of error this is: always a fault of ours or of the storage.
    pub fn kind(self) -> Kind {
        Kind::Internal
    }
}
