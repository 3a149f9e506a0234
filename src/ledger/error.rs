use crate::base::Kind;
use crate::store;

/// What can go wrong in the ledger.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The caller's entry is not of the form the ledger takes; says which part.
    #[error("not an entry the ledger takes: {0}")]
    BadEntry(&'static str),
    /// Bytes from outside cannot be read; says what they should have been.
    #[error("cannot be read as {0}")]
    Malformed(&'static str),
    /// It reads well and is not true.
    #[error(transparent)]
    Forged(#[from] Forgery),
    /// No such entry, tile or bundle.
    #[error("not in the ledger")]
    NotFound,
    /// The entry is written but not yet in the tree; the next sequencing takes it in.
    #[error("the entry is not in the tree yet")]
    Pending,
    /// A head larger than the database's is known to have been signed: the database was restored from a backup. Nothing
    /// is signed until the missing entries have been replayed.
    #[error(
        "the database holds {held} entries, but {known} were already signed for: it was restored from a backup"
    )]
    Behind {
        /// Entries in the newest head that is known.
        known: u64,
        /// Entries in the database.
        held: u64,
    },
    /// The stored tree does not contain the tree that was signed at this size. Nothing more is signed.
    #[error("the stored tree does not extend the head signed at {size} entries")]
    Forked {
        /// The size of the head that is contradicted.
        size: u64,
    },
    /// The clock shows a time well before the last head was signed.
    #[error("the clock stands before the time of the last signed head")]
    ClockBehind,
    /// The file that remembers the last head cannot be read or written.
    #[error("the file that remembers the last signed head cannot be used")]
    StateFile(#[source] std::io::Error),
}

impl Error {
    /// What sort of error this is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Store(e) => e.kind(),
            Self::Malformed(_) => Kind::Malformed,
            Self::Forged(_) => Kind::Invalid,
            Self::NotFound => Kind::NotFound,
            Self::Pending | Self::Behind { .. } | Self::ClockBehind => Kind::Unavailable,
            Self::BadEntry(_) | Self::Forked { .. } | Self::StateFile(_) => Kind::Internal,
        }
    }
}

/// Why something that reads well is not true. One variant for each way to forge a receipt, a proof or a ledger.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Forgery {
    /// The checkpoint names another ledger than the trusted key does.
    #[error("the checkpoint is of the ledger {found:?}, not of {trusted:?}, whose key is trusted")]
    OtherLedger {
        /// The origin in the checkpoint.
        found: String,
        /// The name of the trusted key.
        trusted: String,
    },
    /// No signature on the checkpoint is by the trusted key.
    #[error("the checkpoint is not signed by the trusted key")]
    NotSigned,
    /// The signature on the checkpoint is wrong: the checkpoint was altered.
    #[error("the checkpoint's signature is wrong: it was altered after it was signed")]
    Signature,
    /// The entry's number lies beyond the end of the ledger.
    #[error("entry {index} cannot be in a ledger of {size} entries")]
    Index {
        /// The number claimed.
        index: u64,
        /// The size of the checkpoint.
        size: u64,
    },
    /// The hashes do not lead from the entry to the signed root.
    #[error("the entry is not in the signed ledger: it, its number or its proof was altered")]
    NotIncluded,
    /// The smaller tree is not the beginning of the larger one.
    #[error("the ledger at {new} entries does not begin with the ledger at {old}: history was rewritten")]
    NotConsistent {
        /// Size of the earlier head.
        old: u64,
        /// Size of the later head.
        new: u64,
    },
    /// The private details are not those committed to.
    #[error("the details are not those that the entry commits to")]
    Opening,
    /// Details are shown for an entry that commits to none.
    #[error("details are shown, but the entry commits to none")]
    NothingToOpen,
    /// The sentence is not what the entry says.
    #[error("the sentence is not what the entry says")]
    Sentence,
    /// A witness's signature does not hold.
    #[error("the cosignature is not by this witness over this checkpoint")]
    Cosignature,
}
