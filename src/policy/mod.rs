//! The policy documents: read, checked, and asked.
//!
//! A document is Markdown with front matter; each heading with an id is a clause; a block marked `rule` below a clause
//! binds it. `docs/POLICY-LANGUAGE.md` is the reference.
//!
//! Promises: pure; a document from outside never panics, never takes unbounded time or memory, and either compiles
//! whole or is refused with everything that is wrong with it. What the document does not allow is refused. Must never:
//! touch the clock, a store or the network, or decide anything that a rule does not say.

mod answers;
mod check;
mod codes;
mod compile;
mod diagnostic;
pub mod diff;
mod document;
mod facts;
mod fill;
pub mod filled;
mod front;
mod kept;
pub mod law;
mod library;
mod markdown;
mod meant;
mod model;
pub mod outline;
pub mod pages;
pub mod plan;
mod reader;
pub mod ropa;
mod rules;
pub mod schema;
mod shapes;
mod slips;
pub mod spec;
mod tongue;
mod typed;
mod values;
mod versions;
mod words;

pub use answers::{Clocks, Refusal};
pub use codes::CODES;
pub use diagnostic::{Diagnostic, Label, Severity, report};
pub use document::{MAX_BYTES, MAX_CLAUSES};
pub use facts::{Due, Facts};
pub use kept::Kept;
pub use law::LawPack;
pub use library::{Changed, Library};
pub use model::{
    Access, After, Attestation, Category, Clause, Contact, Controller, Life, Notice, Processor, Purpose,
    Retention, RightRule, Safeguard,
};
pub use rules::MAX_RULES;
pub use versions::{GONE, Governed, consent_carries, governing, governing_after};
pub use words::{
    Action, AnonymiseMethod, Answered, Audience, Basis, Channel, DeletionProof, Fact, Form, Granularity,
    Medium, Minimise, Needs, Occasion, OnWithdrawal, Origin, Proof, RecipientRole, Right, Role, RuleKind,
    Sees, SubjectMay, Switch, Transfer, UnknownWord,
};

use crate::base::TenantId;

/// A document that compiled. Immutable; share it in an `Arc`.
#[derive(Debug, Clone)]
pub struct Policy {
    hash: [u8; 32],
    source: String,
    law: Vec<String>,
    head: front::Head,
    rules: typed::Typed,
    clauses: Vec<Clause>,
    warnings: Vec<Diagnostic>,
}

/// The outcome of reading a document: the policy if it has no error, and everything found.
#[derive(Debug, Clone)]
pub struct Checkup {
    /// The policy, if there was no error.
    pub policy: Option<Policy>,
    /// Errors and warnings in the order of the document.
    pub diagnostics: Vec<Diagnostic>,
}

impl Policy {
    /// Compiles a document. Refuses it with every error found in one run (and the warnings among them). Never panics;
    /// a document over [`MAX_BYTES`], [`MAX_CLAUSES`] or [`MAX_RULES`] is refused.
    pub fn compile(source: &str) -> Result<Self, Vec<Diagnostic>> {
        let Checkup { policy, diagnostics } = compile::checkup(source);
        policy.ok_or(diagnostics)
    }

    /// Compiles a document and keeps the warnings beside it.
    pub fn check(source: &str) -> Checkup {
        compile::checkup(source)
    }

    /// As [`Policy::check`], for bytes that may not even be text.
    pub fn check_bytes(bytes: &[u8]) -> Checkup {
        compile::checkup_bytes(bytes)
    }

    /// The tenant whose document it is.
    pub fn tenant(&self) -> &TenantId {
        &self.head.tenant
    }

    /// The version, as people cite it.
    pub fn version(&self) -> &str {
        &self.head.version
    }

    /// The first day it is in force.
    pub fn effective(&self) -> chrono::NaiveDate {
        self.head.effective
    }

    /// SHA-256 of the document's bytes.
    pub fn hash(&self) -> &[u8; 32] {
        &self.hash
    }

    /// The document.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Its title.
    pub fn title(&self) -> &str {
        &self.head.title
    }

    /// The language of its prose (BCP 47).
    pub fn language(&self) -> &str {
        &self.head.language
    }

    /// Who decides why and how data are used.
    pub fn controller(&self) -> &Controller {
        &self.head.controller
    }

    /// How to reach them.
    pub fn contact(&self) -> &Contact {
        &self.head.contact
    }

    /// The ids of the law packs it stands under; the first is the one for all without another.
    pub fn law(&self) -> &[String] {
        &self.law
    }

    /// The law packs it stands under.
    pub fn law_packs(&self) -> impl Iterator<Item = &'static LawPack> + '_ {
        self.law.iter().filter_map(|id| law::pack(id))
    }

    /// What somebody should look at, though it compiled.
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.warnings
    }

    /// The clauses in order, as they are shown.
    pub fn clauses(&self) -> &[Clause] {
        &self.clauses
    }

    /// The clause of this id.
    pub fn clause(&self, id: &str) -> Option<&Clause> {
        self.clauses.iter().find(|clause| clause.id == id)
    }
}

macro_rules! lookups {
    ($($(#[$doc:meta])* $all:ident, $(#[$one_doc:meta])* $one:ident, $row:ty;)+) => {
        impl Policy {$(
            $(#[$doc])*
            pub fn $all(&self) -> impl Iterator<Item = &$row> {
                self.rules.$all.iter()
            }

            $(#[$one_doc])*
            pub fn $one(&self, id: &str) -> Option<&$row> {
                self.rules.$all.get(id)
            }
        )+}
    };
}

lookups! {
    /// What is held, in the order of the document.
    categories, /// The category of this id.
    category, Category;
    /// Why it is used, in the order of the document.
    purposes, /// The purpose of this id: basis, default, whether it needs consent or may be objected to, its words.
    purpose, Purpose;
    /// Who receives it, in the order of the document.
    processors, /// The processor of this id.
    processor, Processor;
    /// When it goes, in the order of the document.
    retention_rules, /// The retention rule of this id.
    retention, Retention;
    /// Who may read it, in the order of the document.
    access_rules, /// The access rule of this id.
    access, Access;
    /// What the program checks, in the order of the document.
    safeguards, /// The safeguard of this id.
    safeguard, Safeguard;
    /// What people must do, in the order of the document.
    attestations, /// The attestation of this id.
    attestation, Attestation;
    /// When people are told, in the order of the document.
    notices, /// The notice of this id.
    notice, Notice;
}

#[cfg(test)]
mod tests;
