//! The nine kinds of rule as the program uses them: every default filled in, every name known to exist.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::base::Period;

use super::words::{
    Action, AnonymiseMethod, Answered, Audience, Basis, Channel, DeletionProof, Fact, Form, Granularity,
    Medium, Minimise, Needs, Occasion, OnWithdrawal, Origin, Proof, RecipientRole, Right, Role, Sees,
    SubjectMay, Transfer,
};

/// What is held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Category {
    /// Its name in the document.
    pub id: String,
    /// Its name for people.
    pub title: String,
    /// What is held, in words.
    pub holds: String,
    /// Where it comes from.
    pub source: Origin,
    /// Who gave it, if somebody other than the person did.
    pub from: Option<String>,
    /// How the vault holds it.
    pub form: Form,
    /// The fields of a record; empty if the document does not bound them.
    pub fields: Vec<String>,
    /// What it may be used for.
    pub purposes: Vec<String>,
    /// What a person may do with their own.
    pub subject_may: Vec<SubjectMay>,
    /// What is taken away before it is stored or sent.
    pub minimise: Vec<Minimise>,
    /// Whether the service cannot be given without it.
    pub required: bool,
    /// Whether it is special under Art. 9 GDPR.
    pub special: bool,
    /// Its term in the W3C Data Privacy Vocabulary.
    pub dpv: Option<String>,
    /// The clause that declares it.
    pub clause: String,
}

impl Category {
    /// Whether the person may do this with their own.
    pub fn subject_may(&self, what: SubjectMay) -> bool {
        self.subject_may.contains(&what)
    }

    /// Whether a record of this category may have a field of this name.
    pub fn has_field(&self, field: &str) -> bool {
        self.fields.is_empty() || self.fields.iter().any(|f| f == field)
    }
}

/// Why data are used.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a yes or no of the document, and none excludes another"
)]
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Purpose {
    /// Its name in the document.
    pub id: String,
    /// Its name for people, fit to stand beside a switch.
    pub title: String,
    /// What is done, in words that the person reads.
    pub means: String,
    /// The lawful basis.
    pub basis: Basis,
    /// The legitimate interest, if that is the basis.
    pub interest: Option<String>,
    /// The law, if that is the basis.
    pub obligation: Option<String>,
    /// Whether it runs before the person has said anything.
    pub default_on: bool,
    /// Whether the person may turn it off by objecting.
    pub objectable: bool,
    /// Whether the yes must be explicit.
    pub explicit: bool,
    /// The features that stop when it is off.
    pub gates: Vec<String>,
    /// How fine the choice is.
    pub granularity: Granularity,
    /// What a withdrawal or an objection does.
    pub on_withdrawal: OnWithdrawal,
    /// How long a consent lasts.
    pub valid_for: Option<Period>,
    /// What a machine alone decides about people for it, in words.
    pub decides: Option<String>,
    /// Whether models learn from it.
    pub trains_models: bool,
    /// Its term in the W3C Data Privacy Vocabulary.
    pub dpv: Option<String>,
    /// The clause that declares it.
    pub clause: String,
}

impl Purpose {
    /// Whether the person must say yes first.
    pub fn needs_consent(&self) -> bool {
        self.basis.needs_consent()
    }

    /// Whether the person has a choice at all: a consent to give or an objection to raise.
    pub fn is_choice(&self) -> bool {
        self.needs_consent() || self.objectable
    }

    /// Whether it may run for a person whose choice is `said` (`None`: they have not said anything).
    pub fn allowed(&self, said: Option<bool>) -> bool {
        if self.is_choice() { said.unwrap_or(self.default_on) } else { true }
    }
}

/// How long something may stay at a recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Life {
    /// As long as the document's own retention rules say.
    AsOurs,
    /// At most this long after it was sent.
    AtMost(Period),
}

/// Who else receives data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Processor {
    /// Its name in the document.
    pub id: String,
    /// Who it is.
    pub name: String,
    /// What it does for us.
    pub does: String,
    /// What it is in law.
    pub role: RecipientRole,
    /// The categories it may be sent.
    pub receives: Vec<String>,
    /// The purposes it may be sent them for.
    pub purposes: Vec<String>,
    /// Where it works on them.
    pub countries: Vec<String>,
    /// What makes the transfer lawful.
    pub transfer: Option<Transfer>,
    /// Whether it can read what it gets.
    pub sees: Sees,
    /// How long anything may stay there.
    pub longest_life: Life,
    /// How a deletion there is shown, as the document lists them.
    pub deletion_proof: Vec<DeletionProof>,
    /// The only hosts that may be called for it.
    pub hosts: Vec<String>,
    /// Its own privacy policy.
    pub policy: Option<String>,
    /// The contract under which it works.
    pub agreement: Option<String>,
    /// The clause that names it.
    pub clause: String,
}

impl Processor {
    /// Whether data leave the house to get there.
    pub fn is_recipient(&self) -> bool {
        self.role != RecipientRole::House
    }

    /// Whether `host` is one of its hosts. Compared without regard to case; `*.example.com` matches any name below.
    pub fn has_host(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        self.hosts.iter().any(|known| match known.strip_prefix('*') {
            Some(tail) => host.len() > tail.len() && host.ends_with(tail),
            None => host == *known,
        })
    }
}

/// A length of time after a fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct After {
    /// The length.
    pub period: Period,
    /// The fact that starts the clock.
    pub fact: Fact,
}

impl std::fmt::Display for After {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} after {}", self.period, self.fact.in_words())
    }
}

/// When data go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Retention {
    /// Its name in the document.
    pub id: String,
    /// The categories it governs.
    pub categories: Vec<String>,
    /// It fires as soon as one of these happens.
    pub erase_when: Vec<Fact>,
    /// It fires at the earliest of these, in any case.
    pub at_most: Vec<After>,
    /// A law demands that nothing is erased before this; it fires then.
    pub keep: Option<After>,
    /// The law.
    pub under: Option<String>,
    /// The statutory period of a law pack that bounds it.
    pub statute: Option<String>,
    /// What happens when it fires.
    pub action: Action,
    /// How it is made anonymous.
    pub method: Option<AnonymiseMethod>,
    /// The attestation that what is left was held against the three tests of WP216.
    pub assessment: Option<String>,
    /// The only fields that stay when it is reduced.
    pub keep_fields: Vec<String>,
    /// How long before `at_most` the person is warned, longest first.
    pub warn: Vec<Period>,
    /// Whether a legal hold may stop it.
    pub may_be_held: bool,
    /// The clause that promises it.
    pub clause: String,
}

/// Who of the house may read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Access {
    /// Its name in the document.
    pub id: String,
    /// The roles.
    pub who: Vec<Role>,
    /// What they may read.
    pub categories: Vec<String>,
    /// What for.
    pub purposes: Vec<String>,
    /// What a read asks for besides the role.
    pub needs: Vec<Needs>,
    /// The clause that promises it.
    pub clause: String,
}

/// What a person may ask.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RightRule {
    /// Which right.
    pub right: Right,
    /// The ways to ask.
    pub how: Vec<Channel>,
    /// How identity is proved, least intrusive first.
    pub proof: Vec<Proof>,
    /// The promised time, in consecutive hours from receipt.
    pub answer_within: Period,
    /// What must have happened by then.
    pub counts_as_answered: Answered,
    /// The id of the law pack whose clock runs beside the promise.
    pub law: String,
    /// The categories it reaches; empty means all.
    pub covers: Vec<String>,
    /// Whether the person can do it alone.
    pub self_service: bool,
    /// The clause that promises it.
    pub clause: String,
}

/// What the program checks by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Safeguard {
    /// Its name in the document.
    pub id: String,
    /// What is so.
    pub promises: String,
    /// The check that shows it: a name of [`PROBES`](super::spec::PROBES).
    pub probe: String,
    /// How often it is checked.
    pub every: Period,
    /// The clause that promises it.
    pub clause: String,
}

/// What only people can do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Attestation {
    /// Its name in the document.
    pub id: String,
    /// What people do.
    pub what: String,
    /// Who answers for it.
    pub owner: String,
    /// How often.
    pub every: Period,
    /// What must be shown.
    pub evidence: String,
    /// How fast it is done each time.
    pub within: Option<Period>,
    /// How long before it is due the owner is reminded.
    pub remind: Option<Period>,
    /// The clause that promises it.
    pub clause: String,
}

/// When people are told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Notice {
    /// Its name in the document.
    pub id: String,
    /// What makes us tell people.
    pub when: Occasion,
    /// How.
    pub by: Vec<Medium>,
    /// Whom.
    pub to: Audience,
    /// How long before the event.
    pub ahead: Option<Period>,
    /// How long after the event at most.
    pub within: Option<Period>,
    /// What it says.
    pub says: Option<String>,
    /// The clause that promises it.
    pub clause: String,
}

/// A clause as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Clause {
    /// Its name: the anchor of its heading.
    pub id: String,
    /// Its heading, as plain text.
    pub title: String,
    /// The level of its heading, 1 to 6.
    pub level: u8,
    /// Its prose as safe HTML, every placeholder filled in; without the heading.
    pub html: String,
    /// Its prose as plain text, every placeholder filled in.
    pub text: String,
    /// The full names of the rules below it, and of those it points at: `retention.input-image`.
    pub rules: Vec<String>,
    /// The rule blocks below it as they stand in the document.
    pub rule_source: String,
    /// Whether it says of itself that it only informs.
    pub information: bool,
}

/// Who decides why and how data are used, and how to reach them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Controller {
    /// Its name.
    pub name: String,
    /// Its website.
    pub website: Option<String>,
    /// Its postal address.
    pub address: Option<String>,
    /// Its country, two capital letters.
    pub country: Option<String>,
}

/// The addresses of the document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Contact {
    /// Where privacy requests go.
    pub privacy: String,
    /// The subject that marks an e-mail as a request.
    pub subject_line: Option<String>,
    /// Where everything else goes.
    pub support: Option<String>,
    /// The data protection officer: name and e-mail.
    pub officer: Option<(String, String)>,
    /// Everything else that is told of the officer: postal address, telephone number.
    pub officer_details: Vec<String>,
    /// The supervisory authority: name and website.
    pub authority: Option<(String, Option<String>)>,
    /// The telephone number for privacy requests.
    pub phone: Option<String>,
    /// The representatives of Art. 27: of which law, and who, in words.
    pub representatives: Vec<(&'static str, String)>,
    /// The joint controller of Art. 26, in words, and who answers for what.
    pub joint: Option<(String, String)>,
}

/// Rules of one kind, in the order of the document, found by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Table<T> {
    rows: Vec<T>,
    by_id: BTreeMap<String, usize>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { rows: Vec::new(), by_id: BTreeMap::new() }
    }
}

impl<T> Table<T> {
    pub(crate) fn add(&mut self, id: &str, row: T) {
        // Two rules of one name are an error of the document; the first one stands.
        if let std::collections::btree_map::Entry::Vacant(place) = self.by_id.entry(id.to_owned()) {
            place.insert(self.rows.len());
            self.rows.push(row);
        }
    }

    pub(crate) fn get(&self, id: &str) -> Option<&T> {
        self.by_id.get(id).and_then(|&at| self.rows.get(at))
    }

    pub(crate) fn iter(&self) -> std::slice::Iter<'_, T> {
        self.rows.iter()
    }
}
