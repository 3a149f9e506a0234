use crate::archive::{VerifyingKey, names};
use crate::base::{Kind, Timestamp};

/// What is wrong with an archive. Sentences for the person who brought it; names in them are made harmless.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// It cannot be read as a ZIP.
    #[error("This is not a whole ZIP archive: {0}.")]
    NotZip(&'static str),
    /// A sound ZIP that nobody took home from here.
    #[error("This is a ZIP, and no take-home archive: it has no manifest.json.")]
    NotOurs,
    /// An entry that no archive of ours has.
    #[error("The entry “{path}” is refused: {why}.")]
    Entry {
        /// Its name, without characters that could deceive.
        path: String,
        /// Why.
        why: &'static str,
    },
    /// More than is read.
    #[error("The archive is refused: {0}.")]
    TooMuch(&'static str),
    /// Entries overlap, headers disagree, or bytes lie between them.
    #[error("The archive is refused: {0}.")]
    Shape(&'static str),
    /// A file that ought to be there.
    #[error("The file “{path}” is missing.")]
    Missing {
        /// Its path.
        path: String,
    },
    /// A file that the manifest does not list.
    #[error("The file “{path}” is not in the manifest.")]
    Extra {
        /// Its path.
        path: String,
    },
    /// A file is not what the manifest says.
    #[error("The file “{path}” was changed: {why}.")]
    Changed {
        /// Its path.
        path: String,
        /// How it shows.
        why: &'static str,
    },
    /// The manifest does not make sense.
    #[error("The manifest cannot be used: {0}.")]
    Manifest(&'static str),
    /// The signature does not hold.
    #[error("The signature of the manifest is not good: {0}.")]
    Signature(&'static str),
    /// It holds by the key that it names, and that is not the one whoever verifies trusts.
    #[error("It is signed by another key than the one that was given: {named}.")]
    OtherKey {
        /// The key that it names.
        named: String,
    },
    /// The place it is copied to does not take it.
    #[error("The file could not be copied out of the archive.")]
    Unwritable,
}

impl Flaw {
    /// What sort of error this is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::NotZip(_) | Self::NotOurs | Self::Manifest(_) => Kind::Malformed,
            Self::TooMuch(_) => Kind::TooLarge,
            Self::Unwritable => Kind::Internal,
            _ => Kind::Invalid,
        }
    }

    pub(super) fn entry(path: &str, why: &'static str) -> Self {
        Self::Entry { path: names::shown(path), why }
    }

    pub(super) fn of_zip(e: &zip::result::ZipError) -> Self {
        match e {
            zip::result::ZipError::Io(_) => Self::NotZip("it cannot be read to its end"),
            zip::result::ZipError::UnsupportedArchive(_) => {
                Self::NotZip("it uses a part of ZIP that ours do not")
            }
            _ => Self::NotZip("its directory is damaged or missing, as when a download is cut short"),
        }
    }
}

/// Whose signature an archive carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signature {
    /// The key that whoever verifies trusts.
    Trusted(VerifyingKey),
    /// The key that the archive names itself. The signature holds, but only a comparison of this key with the one that
    /// the service publishes says who made it.
    Claimed(VerifyingKey),
}

/// What was found in an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The service it says it comes from.
    pub tenant: String,
    /// The controller it names.
    pub controller: String,
    /// The request it answers.
    pub reference: String,
    /// When it was made. `None` if its manifest could not be used.
    pub made_at: Option<Timestamp>,
    /// SHA-256 of its manifest, to compare with a receipt. `None` if its manifest could not be used.
    pub manifest_sha256: Option<[u8; 32]>,
    /// Files that the manifest lists.
    pub files: usize,
    /// Images among them.
    pub images: usize,
    /// Notes among them in the place of pictures that the service could not read, by their paths.
    pub gaps: Vec<String>,
    /// Bytes that were read and found right.
    pub bytes: u64,
    /// Whose signature holds. `None` if none does.
    pub signature: Option<Signature>,
    /// Everything that is wrong, a hundred at most.
    pub flaws: Vec<Flaw>,
}

impl Report {
    pub(super) fn refused(flaw: Flaw) -> Self {
        Self {
            tenant: String::new(),
            controller: String::new(),
            reference: String::new(),
            made_at: None,
            manifest_sha256: None,
            files: 0,
            images: 0,
            gaps: Vec::new(),
            bytes: 0,
            signature: None,
            flaws: vec![flaw],
        }
    }

    /// Whether the archive is whole: every file as listed, none more, none missing, and the signature holds.
    pub fn is_whole(&self) -> bool {
        self.flaws.is_empty() && self.signature.is_some()
    }
}
