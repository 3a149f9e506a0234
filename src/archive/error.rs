use crate::base::Kind;

/// Why an archive could not be laid out or was cut off. A stream that gave an error is not to be completed: whoever
/// downloads must see a broken transfer, never a file that looks whole.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Bytes beyond the archive's end were asked for.
    #[error("the range {from}–{to} is not within the archive's {len} bytes")]
    Range {
        /// First byte asked for.
        from: u64,
        /// End of the range, exclusive.
        to: u64,
        /// Length of the archive.
        len: u64,
    },
    /// A stored file is no longer there, most likely erased while the archive was on its way (F08). The archive must
    /// be laid out anew without it.
    #[error("{path} is no longer stored; the archive must be made anew")]
    Gone {
        /// Its path in the archive.
        path: String,
    },
    /// A stored file's bytes are not those that were recorded when it was taken in (F09).
    #[error("{path} does not have the bytes that were recorded: {why}")]
    Changed {
        /// Its path in the archive.
        path: String,
        /// Length, checksum or hash.
        why: &'static str,
    },
    /// A stored file could not be read to its end.
    #[error("{path} could not be read")]
    Unreadable {
        /// Its path in the archive.
        path: String,
        /// What the store said; never shown to a caller.
        #[source]
        source: std::io::Error,
    },
    /// A key's name or text is not in the form of C2SP signed-note.
    #[error("not a signing or verifying key: {0}")]
    BadKey(&'static str),
    /// An `age1…` recipient or a passphrase that cannot be used.
    #[error("cannot encrypt: {0}")]
    BadRecipient(&'static str),
    /// A page, table or JSON file could not be written: a fault of ours.
    #[error("{0} could not be written")]
    Unwritable(&'static str),
}

impl Error {
    /// What sort of error this is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Range { .. } | Self::BadRecipient(_) => Kind::Invalid,
            Self::Gone { .. } => Kind::Conflict,
            Self::BadKey(_) => Kind::Malformed,
            Self::Changed { .. } | Self::Unreadable { .. } | Self::Unwritable(_) => Kind::Internal,
        }
    }
}
