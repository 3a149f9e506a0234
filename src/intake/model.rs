use std::net::IpAddr;

use crate::base::{MailId, Timestamp};
use crate::policy::Right;
use crate::requests::Request;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$word_doc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name { $($(#[$word_doc])* $variant),+ }

        impl $name {
            /// As written.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            /// From its text.
            pub fn parse(text: &str) -> Option<Self> {
                [$(Self::$variant),+].into_iter().find(|w| w.as_str() == text)
            }
        }
    };
}

pub(super) use words;

words!(
    /// What the signature of a letter says (DKIM, RFC 6376).
    Dkim {
        /// It holds, and is of the domain that the letter says it is from.
        Aligned = "aligned",
        /// It holds, and is of another domain.
        Foreign = "foreign",
        /// There is one that does not hold.
        Failed = "failed",
        /// There is none.
        Absent = "absent",
        /// It could not be looked up.
        Unknown = "unknown",
    }
);

words!(
    /// What a check found.
    Found {
        /// It passes.
        Pass = "pass",
        /// It fails.
        Fail = "fail",
        /// The domain says nothing about it, or what is needed for the check was not handed over.
        Nothing = "none",
        /// It could not be looked up.
        Unknown = "unknown",
    }
);

words!(
    /// How a letter that a machine wrote is known.
    Automatic {
        /// Something could not be delivered.
        Bounce = "bounce",
        /// An answer that nobody wrote.
        Reply = "auto-reply",
        /// A mailing list.
        List = "list",
        /// One of our own that came back.
        Own = "own",
    }
);

/// What is known of where a letter came from. It opens nothing: it is shown to staff.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proof {
    /// Its signature.
    pub dkim: Dkim,
    /// What the domain wants of letters in its name (RFC 7489).
    pub dmarc: Found,
    /// Whether the machine that handed it over may send for the domain (RFC 7208).
    pub spf: Found,
}

impl Proof {
    /// Nothing could be looked up.
    pub const UNKNOWN: Self = Self { dkim: Dkim::Unknown, dmarc: Found::Unknown, spf: Found::Nothing };

    /// In a line: `DKIM aligned, DMARC pass, SPF none`.
    pub fn in_words(&self) -> String {
        let (dkim, dmarc, spf) = (self.dkim.as_str(), self.dmarc.as_str(), self.spf.as_str());
        format!("DKIM {dkim}, DMARC {dmarc}, SPF {spf}")
    }
}

/// What a mail system knows of a letter besides its bytes (RFC 5321). All of it may be missing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Envelope {
    /// The address of the machine that handed it over.
    pub client: Option<IpAddr>,
    /// What that machine called itself.
    pub helo: Option<String>,
    /// Where bounces go.
    pub sender: Option<String>,
}

words!(
    /// What became of a letter.
    Outcome {
        /// It waits for its writer to confirm it; they were written to.
        Taken = "taken",
        /// It came before, or its writer has more letters waiting than are answered: it was linked to those.
        Again = "again",
        /// A machine wrote it: it was left alone.
        Automatic = "automatic",
        /// It is not to the document's address, or does not bear its subject line: it is for people.
        NotARequest = "not-a-request",
    }
);

/// A letter that waits for its writer, as staff see it: without a name.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// Its id.
    pub id: MailId,
    /// What it seems to ask for.
    pub right: Option<Right>,
    /// What is known of where it came from.
    pub proof: Proof,
    /// When it came.
    pub received_at: Timestamp,
    /// Until when its writer can confirm it.
    pub expires_at: Timestamp,
    /// How often it came again.
    pub again: i64,
}

/// What the holder of a link is shown: what was written from their address.
#[derive(Debug, Clone)]
pub struct Opened {
    /// What it seems to ask for.
    pub right: Option<Right>,
    /// What was written.
    pub words: String,
    /// When it came: the clocks count from here.
    pub received_at: Timestamp,
    /// Until when it can be confirmed.
    pub expires_at: Timestamp,
}

/// What became of a letter that was confirmed.
#[derive(Debug, Clone)]
pub enum Confirmed {
    /// It is a request.
    Filed(Box<Request>),
    /// Nothing is held under this address: that is the answer.
    Nobody,
}
