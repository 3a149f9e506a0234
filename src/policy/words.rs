//! The closed vocabularies of the language. Each word is an enum whose text form is the one a document uses, so that a
//! misspelt word is an error at compile time and never a silent default.

/// Declares an enum of words with its text forms: `ALL`, `as_str`, `Display`, `FromStr`, and serde as the text.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$vdoc])* $variant),+ }

        impl $name {
            /// Every word, in the order of the language reference.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// Every word as a document writes it, in the same order.
            pub const NAMES: &'static [&'static str] = &[$($text),+];

            /// The word as a document writes it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = UnknownWord;
            fn from_str(s: &str) -> Result<Self, UnknownWord> {
                match s { $($text => Ok(Self::$variant),)+ _ => Err(UnknownWord(stringify!($name))) }
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let s = std::borrow::Cow::<'de, str>::deserialize(d)?;
                s.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

/// A word that its vocabulary does not have. Names the vocabulary, not the word, which may be an attacker's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a word of the vocabulary {0}")]
pub struct UnknownWord(pub &'static str);

words!(
    /// The nine kinds of rule.
    RuleKind {
        /// What is held.
        Category = "category",
        /// Why it is used.
        Purpose = "purpose",
        /// Who else receives it.
        Processor = "processor",
        /// When it goes.
        Retention = "retention",
        /// Who of the house may read it.
        Access = "access",
        /// What a person may ask, and how fast they are answered.
        Right = "right",
        /// What the program checks by itself.
        Safeguard = "safeguard",
        /// What only people can do, with an owner and a period.
        Attestation = "attestation",
        /// When people are told.
        Notice = "notice",
    }
);

words!(
    /// Who acts.
    Role {
        /// The person the data are about.
        Subject = "subject",
        /// The editing app, acting for its signed-in user.
        App = "app",
        /// Staff who answer questions.
        Support = "support",
        /// Staff who look after the promises.
        Compliance = "compliance",
        /// Staff who run the deployment.
        Admin = "admin",
        /// The program itself, acting for a named purpose.
        Service = "service",
    }
);

words!(
    /// The facts that start a clock. A fact happens once and is recorded with its time; a row's update time is none.
    Fact {
        /// The thing was first stored.
        Created = "created",
        /// The bytes had arrived in full.
        Uploaded = "uploaded",
        /// The edit it belongs to succeeded.
        EditSucceeded = "edit.succeeded",
        /// The edit it belongs to ended: success, failure or cancel.
        EditEnded = "edit.ended",
        /// The person last used the service; moves forward with every use.
        LastActive = "last-active",
        /// The account was closed.
        AccountClosed = "account.closed",
        /// The end of the calendar year of the invoice.
        InvoiceYearEnd = "invoice.year-end",
        /// The rights request was closed.
        RequestClosed = "closed",
        /// The consent it rests on was withdrawn, or its use was objected to.
        Withdrawn = "withdrawn",
    }
);

words!(
    /// The lawful bases of Art. 6(1) GDPR, consent split by Art. 9(2)(a).
    Basis {
        /// Art. 6(1)(b): needed for the contract with the person.
        Contract = "contract",
        /// Art. 6(1)(c): a law demands it.
        LegalObligation = "legal-obligation",
        /// Art. 6(1)(f): a named legitimate interest, weighed; the person may object.
        LegitimateInterest = "legitimate-interest",
        /// Art. 6(1)(a): the person said yes; off until then.
        Consent = "consent",
        /// Art. 6(1)(a) and 9(2)(a): the person said yes in so many words; off until then.
        ExplicitConsent = "explicit-consent",
        /// Art. 6(1)(d): somebody's life.
        VitalInterest = "vital-interest",
        /// Art. 6(1)(e): a task in the public interest; the person may object.
        PublicTask = "public-task",
    }
);

words!(
    /// What a person may ask for.
    Right {
        /// Art. 15: what is held, why, and a copy.
        Access = "access",
        /// Art. 20: their own data in a form other programs read.
        Portability = "portability",
        /// Art. 16: put right what is wrong.
        Rectification = "rectification",
        /// Art. 17: erase.
        Erasure = "erasure",
        /// Art. 18: keep but do not use.
        Restriction = "restriction",
        /// Art. 21: stop a use that rests on an interest.
        Objection = "objection",
        /// Art. 7(3): take a consent back.
        Withdrawal = "withdrawal",
    }
);

words!(
    /// Where data come from (Art. 14(2)(f); portability covers what is provided or observed).
    Origin {
        /// The person gave it.
        Provided = "provided",
        /// It was recorded while the person used the service.
        Observed = "observed",
        /// It was made from other data.
        Derived = "derived",
        /// Somebody else gave it.
        ThirdParty = "third-party",
    }
);

words!(
    /// How the vault holds a category.
    Form {
        /// A stream of bytes, such as an image: one age file with a key of its own.
        Object = "object",
        /// Named fields: sealed rows.
        Record = "record",
    }
);

words!(
    /// What a person may do with their own data of a category.
    SubjectMay {
        /// See it.
        Read = "read",
        /// Change it.
        Correct = "correct",
        /// Remove single items at any time.
        Delete = "delete",
        /// Take it home.
        Export = "export",
    }
);

words!(
    /// What is taken away before anything is stored or sent.
    Minimise {
        /// Addresses lose their last octet (IPv4) or their last 80 bits (IPv6).
        TruncateIp = "truncate-ip",
        /// A user agent becomes a family: browser, system, kind of device.
        UserAgentFamily = "user-agent-family",
        /// EXIF, GPS, maker notes and thumbnails leave a picture.
        StripMetadata = "strip-metadata",
        /// A timestamp keeps its day only.
        DayOnly = "day-only",
        /// The person is replaced by a keyed pseudonym.
        Pseudonymise = "pseudonymise",
    }
);

words!(
    /// A switch.
    Switch {
        /// On unless the person turns it off.
        On = "on",
        /// Off unless the person turns it on.
        Off = "off",
    }
);

words!(
    /// How fine a choice is.
    Granularity {
        /// One choice for the purpose.
        Purpose = "purpose",
        /// One choice for each item.
        Item = "item",
    }
);

words!(
    /// What happens to data when the consent they rest on is withdrawn.
    OnWithdrawal {
        /// The use stops; the data stay as far as another purpose needs them.
        Stop = "stop",
        /// The use stops, and what was collected for this purpose alone is erased.
        Erase = "erase",
    }
);

words!(
    /// What a recipient is in law.
    RecipientRole {
        /// Works on the controller's instructions (Art. 28).
        Processor = "processor",
        /// Decides by itself, as a payment firm does for its own duties.
        Controller = "controller",
        /// Runs inside this program; nothing leaves, so it is no recipient.
        House = "house",
    }
);

words!(
    /// In what form a recipient gets data.
    Sees {
        /// Readable, since it must work on them.
        Plain = "plain",
        /// Sealed; it holds bytes that it cannot read.
        Ciphertext = "ciphertext",
    }
);

words!(
    /// How a deletion at a recipient is shown, weakest first (the strength is told honestly wherever it is shown).
    DeletionProof {
        /// The recipient says so in its terms.
        Claimed = "claimed",
        /// We asked for a lifetime, and the time has passed.
        Expired = "expired",
        /// Its interface answered that the deletion was done.
        ApiConfirmed = "api-confirmed",
        /// A later read failed.
        ReadFails = "read-fails",
        /// The key was destroyed on our side.
        KeyDestroyed = "key-destroyed",
    }
);

words!(
    /// What makes a transfer to another country lawful (Art. 45 and 46).
    Transfer {
        /// An adequacy decision.
        Adequacy = "adequacy",
        /// Standard contractual clauses.
        StandardClauses = "standard-clauses",
        /// Binding corporate rules.
        CorporateRules = "corporate-rules",
        /// Only bytes sealed under keys that stay with us.
        CiphertextOnly = "ciphertext-only",
    }
);

words!(
    /// What happens when a retention rule fires.
    Action {
        /// The key is destroyed and the bytes are removed.
        Erase = "erase",
        /// The link to the person is cut by the named method.
        Anonymise = "anonymise",
        /// All fields go but the named ones, which the law demands.
        Reduce = "reduce",
    }
);

words!(
    /// How a link to a person is cut. A record that merely loses its names is none of these: whoever knows a little can
    /// still single its person out (WP216).
    AnonymiseMethod {
        /// Only counts over at least twenty people remain.
        Aggregate = "aggregate",
    }
);

words!(
    /// What a read asks for besides its role.
    Needs {
        /// A written reason.
        Reason = "reason",
        /// An open request or question of the person.
        OpenRequest = "open-request",
        /// The consent of a second member of staff.
        SecondPerson = "second-person",
    }
);

words!(
    /// How a request comes in.
    Channel {
        /// The privacy centre.
        Page = "page",
        /// The API.
        Api = "api",
        /// An e-mail to the address of the document.
        Email = "email",
    }
);

words!(
    /// How identity is proved, least intrusive first.
    Proof {
        /// Being signed in.
        Session = "session",
        /// Signing in once more.
        Reauthentication = "reauthentication",
        /// A link sent to the address on file.
        EmailLoop = "email-loop",
        /// Knowing what was done lately.
        RecentActivity = "recent-activity",
        /// A redacted document: the last resort, destroyed on decision.
        Document = "document",
    }
);

words!(
    /// What counts as having answered within the promised time.
    Answered {
        /// The thing itself: the archive, the erasure, the change.
        Result = "result",
        /// The thing itself, or a reasoned status with the date the law sets.
        ResultOrStatus = "result-or-status",
    }
);

words!(
    /// What makes us tell people.
    Occasion {
        /// A new version of the document.
        NewVersion = "new-version",
        /// Somebody new receives data.
        NewRecipient = "new-recipient",
        /// Data are used for something new.
        NewPurpose = "new-purpose",
        /// A clock is about to erase something.
        BeforeErasure = "before-erasure",
        /// Something was erased by a rule.
        Erased = "erased",
        /// A breach that touches them.
        Breach = "breach",
        /// A request moved a step.
        RequestStep = "request-step",
        /// The person is asked for a consent.
        ConsentAsked = "consent-asked",
        /// A restriction is about to be lifted.
        RestrictionLifted = "restriction-lifted",
    }
);

words!(
    /// How people are told.
    Medium {
        /// By e-mail.
        Email = "email",
        /// In the privacy centre.
        PrivacyCentre = "privacy-centre",
        /// On the public page of the policy.
        PolicyPage = "policy-page",
    }
);

words!(
    /// Who is told.
    Audience {
        /// Everybody with an account.
        Everyone = "everyone",
        /// Those whom it touches.
        Affected = "affected",
    }
);

impl Fact {
    /// The fact in a sentence: "48 hours after *it was uploaded*".
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Created => "it was made",
            Self::Uploaded => "it was uploaded",
            Self::EditSucceeded => "the edit succeeded",
            Self::EditEnded => "the edit ended",
            Self::LastActive => "the account was last used",
            Self::AccountClosed => "the account was closed",
            Self::InvoiceYearEnd => "the end of the invoice's year",
            Self::RequestClosed => "the request was closed",
            Self::Withdrawn => "the consent was withdrawn",
        }
    }
}

impl Basis {
    /// The article it stands in.
    pub const fn article(self) -> &'static str {
        match self {
            Self::Contract => "Art. 6(1)(b) GDPR",
            Self::LegalObligation => "Art. 6(1)(c) GDPR",
            Self::LegitimateInterest => "Art. 6(1)(f) GDPR",
            Self::Consent => "Art. 6(1)(a) GDPR",
            Self::ExplicitConsent => "Art. 6(1)(a) and 9(2)(a) GDPR",
            Self::VitalInterest => "Art. 6(1)(d) GDPR",
            Self::PublicTask => "Art. 6(1)(e) GDPR",
        }
    }

    /// The basis for people to read.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Contract => "needed to give you what you asked for",
            Self::LegalObligation => "the law requires it",
            Self::LegitimateInterest => "our legitimate interest, to which you may object",
            Self::Consent => "only with your consent",
            Self::ExplicitConsent => "only with your explicit consent",
            Self::VitalInterest => "to protect somebody's life",
            Self::PublicTask => "a task in the public interest, to which you may object",
        }
    }

    /// Whether the person must say yes first.
    pub const fn needs_consent(self) -> bool {
        matches!(self, Self::Consent | Self::ExplicitConsent)
    }

    /// Whether Art. 21 lets the person object.
    pub const fn objectable(self) -> bool {
        matches!(self, Self::LegitimateInterest | Self::PublicTask)
    }
}
