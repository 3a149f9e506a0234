//! Which keys each kind of rule has: one table a kind. The compiler reads documents by these tables, `docs/POLICY-LANGUAGE.md`
//! prints them, and `exports/policy-*.schema.json` are made from them, so the three cannot differ.

use super::words::{
    Action, AnonymiseMethod, Answered, Audience, Basis, Channel, DeletionProof, Fact, Form, Granularity,
    Medium, Minimise, Needs, Occasion, OnWithdrawal, Origin, Proof, RecipientRole, Right, Role, RuleKind,
    Sees, SubjectMay, Switch, Transfer,
};

/// What a value must look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A sentence or name for people: 1 to 1000 characters.
    Text,
    /// A name for machines: `[a-z][a-z0-9-]*`, at most 60 characters.
    Slug,
    /// `true` or `false`.
    Flag,
    /// A length of time.
    Period,
    /// A length of time after a fact.
    After,
    /// A length of time, or `as-ours`: as long as our own retention rules say.
    Life,
    /// A calendar date.
    Date,
    /// One of these words.
    Word(&'static [&'static str]),
    /// The id of a rule of this kind.
    Ref(RuleKind),
    /// A country: two capital letters of ISO 3166.
    Country,
    /// A host name.
    Host,
    /// An https address.
    Url,
    /// An e-mail address.
    Email,
    /// A law pack: a file of `policies/law/`.
    Pack,
    /// A statutory period of one of the document's law packs.
    Statute,
    /// The name of a check the program has.
    Probe,
    /// A rule by its full name, such as `retention.input-image`.
    RuleName,
}

/// How many values a key takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    /// One.
    One,
    /// A list of one or more, or one alone.
    Many,
}

/// One key.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// The key.
    pub name: &'static str,
    /// What its value looks like.
    pub shape: Shape,
    /// One or many.
    pub count: Count,
    /// Whether it must be there.
    pub required: bool,
    /// What it means, and what holds without it.
    pub doc: &'static str,
}

const fn one(name: &'static str, shape: Shape, doc: &'static str) -> Field {
    Field { name, shape, count: Count::One, required: false, doc }
}

const fn many(name: &'static str, shape: Shape, doc: &'static str) -> Field {
    Field { name, shape, count: Count::Many, required: false, doc }
}

impl Field {
    const fn needed(mut self) -> Self {
        self.required = true;
        self
    }
}

const TITLE: Field = one("title", Shape::Text, "The name people see. Without it, the id with spaces.");

const CATEGORY: &[Field] = &[
    TITLE,
    one("holds", Shape::Text, "What is held, in words.").needed(),
    one("source", Shape::Word(Origin::NAMES), "Where it comes from.").needed(),
    one("from", Shape::Text, "Who gave it; needed with `third-party` (Art. 14(2)(f))."),
    many("purposes", Shape::Ref(RuleKind::Purpose), "What it may be used for; nothing else is allowed.")
        .needed(),
    one("form", Shape::Word(Form::NAMES), "How the vault holds it. Without it, `record`."),
    many("fields", Shape::Slug, "The fields of a record. Without it, any field of the category's own."),
    many(
        "subject-may",
        Shape::Word(SubjectMay::NAMES),
        "What a person may do with their own. Without it, `read` and `export`.",
    ),
    many("minimise", Shape::Word(Minimise::NAMES), "What is taken away before it is stored or sent."),
    one(
        "required",
        Shape::Flag,
        "Whether the service cannot be given without it (Art. 13(2)(e)). Without it, `false`.",
    ),
    one(
        "special",
        Shape::Flag,
        "Whether it is special under Art. 9; its purposes then need explicit consent. Without it, `false`.",
    ),
    one("dpv", Shape::Text, "The term of the W3C Data Privacy Vocabulary, for exports."),
];

const PURPOSE: &[Field] = &[
    TITLE,
    one("means", Shape::Text, "What is done, in words that the person will read.").needed(),
    one("basis", Shape::Word(Basis::NAMES), "The lawful basis.").needed(),
    one("interest", Shape::Text, "The interest itself; needed with `legitimate-interest` (Art. 13(1)(d))."),
    one("obligation", Shape::Text, "The law that demands it; needed with `legal-obligation`."),
    one(
        "default",
        Shape::Word(Switch::NAMES),
        "Whether it runs before the person has said anything. Without it, `off` for consent and `on` for all else.",
    ),
    one(
        "may-object",
        Shape::Flag,
        "Whether the person may turn it off. Always so for `legitimate-interest` and `public-task`; without it, `false` for all else.",
    ),
    many("gates", Shape::Slug, "The features that stop when it is off."),
    one("granularity", Shape::Word(Granularity::NAMES), "How fine the choice is. Without it, `purpose`."),
    one(
        "on-withdrawal",
        Shape::Word(OnWithdrawal::NAMES),
        "What a withdrawal or objection does. Without it, `stop`.",
    ),
    one(
        "valid-for",
        Shape::Period,
        "How long a consent lasts before it is asked again. Without it, until it is withdrawn.",
    ),
    one(
        "decides",
        Shape::Text,
        "What a machine alone decides about people, by what logic, with what consequence, and how they can have a person look \
         at it (Art. 13(2)(f) and 22). Without it, the notice says that there is no such decision.",
    ),
    one(
        "trains-models",
        Shape::Flag,
        "Whether models learn from it; then explicit consent, off by default. Without it, `false`.",
    ),
    one("dpv", Shape::Text, "The term of the W3C Data Privacy Vocabulary, for exports."),
];

const PROCESSOR: &[Field] = &[
    one("name", Shape::Text, "Who it is.").needed(),
    one("does", Shape::Text, "What it does for us, in words.").needed(),
    one("role", Shape::Word(RecipientRole::NAMES), "What it is in law. Without it, `processor`."),
    many("receives", Shape::Ref(RuleKind::Category), "The categories it may be sent.").needed(),
    many("purposes", Shape::Ref(RuleKind::Purpose), "The purposes it may be sent them for.").needed(),
    many("countries", Shape::Country, "Where it works on them. Needed unless `role` is `house`."),
    one(
        "transfer",
        Shape::Word(Transfer::NAMES),
        "What makes the transfer lawful; needed for a country outside the EEA.",
    ),
    one("sees", Shape::Word(Sees::NAMES), "Whether it can read what it gets. Without it, `plain`."),
    one("longest-life", Shape::Life, "How long anything may stay there. Needed unless `role` is `house`."),
    many(
        "deletion-proof",
        Shape::Word(DeletionProof::NAMES),
        "How a deletion there is shown. Needed unless `role` is `house`.",
    ),
    many(
        "hosts",
        Shape::Host,
        "The only hosts that may be called for it. A leading `*.` stands for any name below.",
    ),
    one("policy", Shape::Url, "Its own privacy policy."),
    one("agreement", Shape::Text, "The contract under which it works."),
];

const RETENTION: &[Field] = &[
    many("category", Shape::Ref(RuleKind::Category), "The category or categories it governs.").needed(),
    many("erase-when", Shape::Word(Fact::NAMES), "It goes as soon as one of these facts happens."),
    many("at-most", Shape::After, "It goes this long after a fact, in any case. With several, the earliest."),
    one("keep", Shape::After, "A law demands that it stays this long; it goes then, and not before."),
    one("under", Shape::Text, "The law that demands it; needed with `keep` and with `reduce`."),
    one(
        "statute",
        Shape::Statute,
        "The statutory period of a law pack to hold `keep` and `at-most` against.",
    ),
    one("action", Shape::Word(Action::NAMES), "What happens then. Without it, `erase`."),
    one("method", Shape::Word(AnonymiseMethod::NAMES), "How it is made anonymous; needed with `anonymise`."),
    one(
        "assessment",
        Shape::Ref(RuleKind::Attestation),
        "The attestation that nobody can be singled out, linked or inferred; needed with `anonymise`.",
    ),
    many("keep-fields", Shape::Slug, "The only fields that stay; needed with `reduce`."),
    many("warn", Shape::Period, "How long before `at-most` the person is warned."),
    one("may-be-held", Shape::Flag, "Whether a legal hold may stop it. Without it, `true`."),
];

const ACCESS: &[Field] = &[
    many("who", Shape::Word(Role::NAMES), "The roles that may read.").needed(),
    many("categories", Shape::Ref(RuleKind::Category), "What they may read.").needed(),
    many("purposes", Shape::Ref(RuleKind::Purpose), "What for; every read names one of these.").needed(),
    many("needs", Shape::Word(Needs::NAMES), "What a read asks for besides the role."),
];

const RIGHT: &[Field] = &[
    many("how", Shape::Word(Channel::NAMES), "The ways to ask.").needed(),
    many("proof", Shape::Word(Proof::NAMES), "How identity is proved, the first that suffices.").needed(),
    one(
        "answer-within",
        Shape::Period,
        "The time we promise. Runs in consecutive hours from receipt, never pauses.",
    )
    .needed(),
    one("counts-as-answered", Shape::Word(Answered::NAMES), "What must have happened by then.").needed(),
    one(
        "law",
        Shape::Pack,
        "The law pack whose clock runs beside the promise. Without it, the document's first.",
    ),
    many("covers", Shape::Ref(RuleKind::Category), "The categories it reaches. Without it, all."),
    one(
        "self-service",
        Shape::Flag,
        "Whether the person can do it alone in the privacy centre. Without it, `false`.",
    ),
];

const SAFEGUARD: &[Field] = &[
    one("promises", Shape::Text, "What is so, in words.").needed(),
    one("probe", Shape::Probe, "The check that shows it.").needed(),
    one("every", Shape::Period, "How often it is checked. A check older than this is not green.").needed(),
];

const ATTESTATION: &[Field] = &[
    one("what", Shape::Text, "What people do.").needed(),
    one("owner", Shape::Text, "Who answers for it.").needed(),
    one("every", Shape::Period, "How often. Red when overdue.").needed(),
    one("evidence", Shape::Text, "What must be shown.").needed(),
    one(
        "within",
        Shape::Period,
        "How fast it is done each time, as the prose promises; the evidence must then show it.",
    ),
    one("remind", Shape::Period, "How long before it is due the owner is reminded. Without it, not."),
];

const NOTICE: &[Field] = &[
    one("when", Shape::Word(Occasion::NAMES), "What makes us tell people.").needed(),
    many("by", Shape::Word(Medium::NAMES), "How.").needed(),
    one("to", Shape::Word(Audience::NAMES), "Whom. Without it, `affected`."),
    one("ahead", Shape::Period, "How long before the event. Without it, when it happens."),
    one("within", Shape::Period, "How long after the event at most; for a breach."),
    one("says", Shape::Text, "What it says, in words."),
];

/// The keys of a kind of rule.
pub const fn fields(kind: RuleKind) -> &'static [Field] {
    match kind {
        RuleKind::Category => CATEGORY,
        RuleKind::Purpose => PURPOSE,
        RuleKind::Processor => PROCESSOR,
        RuleKind::Retention => RETENTION,
        RuleKind::Access => ACCESS,
        RuleKind::Right => RIGHT,
        RuleKind::Safeguard => SAFEGUARD,
        RuleKind::Attestation => ATTESTATION,
        RuleKind::Notice => NOTICE,
    }
}

/// What a rule of this kind is, in one line.
pub const fn about(kind: RuleKind) -> &'static str {
    match kind {
        RuleKind::Category => "what is held; nothing undeclared can be stored",
        RuleKind::Purpose => "why it is used, on which lawful basis, and whether the person can turn it off",
        RuleKind::Processor => "who else receives it, for what, where, and for how long",
        RuleKind::Retention => "when it goes, and what happens then",
        RuleKind::Access => "who of the house may read it, and what for",
        RuleKind::Right => "what a person may ask, how, and by when they are answered",
        RuleKind::Safeguard => "what the program checks by itself, by a named probe",
        RuleKind::Attestation => "what only people can do, with an owner, a period and evidence",
        RuleKind::Notice => "when people are told, and how",
    }
}

/// The keys at the top of the front matter.
pub const FRONT: &[Field] = &[
    one("tenant", Shape::Slug, "The tenant whose document it is.").needed(),
    one("version", Shape::Text, "The version, as people cite it.").needed(),
    one("effective", Shape::Date, "The first day it is in force.").needed(),
    one("title", Shape::Text, "The title of the document.").needed(),
    one("language", Shape::Slug, "The language of the prose (BCP 47). Without it, `en`."),
    many("law", Shape::Pack, "The law packs it stands under; the first is the one for all without another.")
        .needed(),
];

/// The tables of the front matter: name, whether it must be there, keys.
pub const SECTIONS: &[(&str, bool, &[Field])] = &[
    ("controller", true, CONTROLLER),
    ("contact", true, CONTACT),
    ("officer", false, OFFICER),
    ("authority", false, AUTHORITY),
    ("representative", false, REPRESENTATIVE),
    ("representative-uk", false, REPRESENTATIVE),
    ("joint-controller", false, JOINT),
];

const CONTROLLER: &[Field] = &[
    one("name", Shape::Text, "Who decides why and how data are used.").needed(),
    one("website", Shape::Url, "Its website."),
    one("address", Shape::Text, "Its postal address."),
    one("country", Shape::Country, "Where it is established; its holidays count for the law's clocks."),
];

const CONTACT: &[Field] = &[
    one("privacy", Shape::Email, "The address for privacy requests; an e-mail to it becomes a request.")
        .needed(),
    one("subject-line", Shape::Text, "The subject that marks an e-mail as a request. Without it, any."),
    one("support", Shape::Email, "The address for everything else."),
    one("phone", Shape::Text, "The telephone number for privacy requests."),
];

const OFFICER: &[Field] = &[
    one("name", Shape::Text, "The data protection officer, or their office.").needed(),
    one("email", Shape::Email, "Their e-mail address.").needed(),
    one("address", Shape::Text, "Their postal address."),
    one("phone", Shape::Text, "Their telephone number."),
];

const REPRESENTATIVE: &[Field] = &[
    one("name", Shape::Text, "Who represents the controller.").needed(),
    one("email", Shape::Email, "Their e-mail address.").needed(),
    one("address", Shape::Text, "Their postal address."),
    one("country", Shape::Country, "Where they are established."),
];

const JOINT: &[Field] = &[
    one("name", Shape::Text, "Who decides together with the controller.").needed(),
    one("email", Shape::Email, "Their e-mail address.").needed(),
    one("arrangement", Shape::Text, "Who of the two answers for what (Art. 26(2)).").needed(),
];

const AUTHORITY: &[Field] = &[
    one("name", Shape::Text, "The supervisory authority to complain to.").needed(),
    one("website", Shape::Url, "Its website."),
];

/// The one key of a rule block that is no rule: the rules, standing elsewhere, that keep this clause.
pub const KEPT_BY: Field =
    many("kept-by", Shape::RuleName, "The rules that keep this clause, when they stand in other clauses.");

/// The names a right rule may have.
pub const RIGHT_NAMES: &[&str] = Right::NAMES;

/// The checks the program has, each with what it shows. A safeguard names one of them.
pub const PROBES: &[(&str, &str)] = &[
    ("ai-marked", "every picture that leaves an edit carries the AI mark"),
    ("backups-erased", "what was erased is unreadable in backups older than the erasure"),
    ("consent-gates", "what needs a consent ran for nobody who had not given it"),
    ("deadlines-kept", "no request is older than its promised time"),
    ("egress-named-only", "every outbound call went to a recipient the document names"),
    ("https-only", "cookies are for HTTPS only and HSTS is sent"),
    ("ledger-consistent", "the ledger's tree grows only at its end, and its signatures verify"),
    ("logs-clean", "no log line holds an image byte, a prompt or an address"),
    ("metadata-stripped", "no stored picture carries EXIF or GPS"),
    ("no-disclosure-unrecorded", "every disclosure stands in the register"),
    (
        "no-tracking",
        "no cookie but the session's own and that of a chosen language, no third-party request on any page",
    ),
    ("no-training-unconsented", "every training export holds only consenting people's data"),
    ("notices-sent", "people were told what the document says they are told, in time"),
    ("nothing-undeclared", "everything stored belongs to a declared category"),
    ("outbound-tls", "every outbound connection is encrypted and its certificate verified"),
    ("own-images-only", "nobody but its owner, and those the document names, has read a picture"),
    ("provider-copies-removed", "no copy is left at a provider past its longest life"),
    ("payment-data-outside", "no card number is stored here; payment events are signed"),
    ("retention-kept", "nothing is older than its rule allows"),
    ("sealed-at-rest", "every stored picture and field is sealed under its owner's key"),
    ("self-audit", "the program's self-audit passed, with dated evidence"),
    ("staff-reads-recorded", "every read by staff stands on the ledger"),
    ("temporaries-removed", "no temporary file outlives its edit"),
    ("tokens-verified", "sign-in tokens are verified against the issuer's published keys"),
    ("webhooks-verified", "every callback that had an effect carried a valid signature"),
];
