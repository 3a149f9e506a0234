//! The law packs that ship, read once from the files built into the program.

use std::sync::LazyLock;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::base::Period;
use crate::policy::words::{Fact, Right};

/// A pack that cannot be read. Only a build with a broken file can see it, and the tests see it first.
#[derive(Debug, thiserror::Error)]
#[error("the law pack is broken: {0}")]
pub struct BadLaw(#[from] toml::de::Error);

/// A period a law sets, with its source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Term {
    /// The length.
    pub length: Period,
    /// Whether an end on a weekend or holiday moves to the next working day.
    #[serde(default)]
    pub rolls: bool,
    /// The article.
    pub source: String,
}

/// A period that a law counts in days or in working days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct WorkingTerm {
    /// In calendar units,
    pub length: Option<Period>,
    /// or in working days.
    pub working_days: Option<u16>,
    /// The article.
    pub source: String,
}

/// When a clock of the law may stand still.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PauseWhile {
    /// Never.
    Never,
    /// While a justified check of identity is open.
    Identity,
    /// While a needed question to the person is open.
    Clarification,
}

/// Whether a clock of the law may stand still, with its source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Pause {
    /// When.
    #[serde(rename = "while")]
    pub during: PauseWhile,
    /// The article.
    pub source: String,
}

/// How long a law wants something kept, or allows it to be kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Statute {
    /// Its name, unique over all packs.
    pub id: String,
    /// It must be kept at least so long,
    pub at_least: Option<Period>,
    /// and may be kept at most so long.
    pub at_most: Option<Period>,
    /// From this fact.
    pub from: Fact,
    /// What it is about.
    pub what: String,
    /// The article.
    pub source: String,
    /// Categories it bounds even where no rule names it.
    #[serde(default)]
    pub applies_to: Vec<String>,
}

/// The clocks and periods of one law, in one edition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LawPack {
    /// Its name in documents.
    pub id: String,
    /// Which edition of the law.
    pub edition: String,
    /// The name of the law.
    pub name: String,
    /// Its citation.
    pub cites: String,
    /// Since when this edition holds.
    pub valid_from: NaiveDate,
    /// The rights it gives.
    pub rights: Vec<Right>,
    /// By when a request is answered.
    pub answer: Option<Term>,
    /// By when it is answered if it was extended, once: the whole length, counted from receipt.
    pub extension: Option<Term>,
    /// When the clock may stand still.
    pub pause: Option<Pause>,
    /// By when receipt is confirmed.
    pub acknowledgement: Option<WorkingTerm>,
    /// By when an opt-out takes effect.
    pub opt_out: Option<WorkingTerm>,
    /// By when a breach is told to the authority.
    pub breach: Option<Term>,
    /// The periods it sets for keeping.
    #[serde(default, rename = "statute")]
    pub statutes: Vec<Statute>,
}

impl LawPack {
    /// Reads a pack.
    pub fn parse(text: &str) -> Result<Self, BadLaw> {
        Ok(toml::from_str(text)?)
    }
}

pub(super) const FILES: &[&str] = &[
    include_str!("../../../policies/law/eu-gdpr.toml"),
    include_str!("../../../policies/law/uk-gdpr.toml"),
    include_str!("../../../policies/law/us-ca-ccpa.toml"),
    include_str!("../../../policies/law/eu-vat.toml"),
    include_str!("../../../policies/law/de-books.toml"),
    include_str!("../../../policies/law/fr-cnil.toml"),
];

// A file that cannot be read is left out; a test reads every one.
static PACKS: LazyLock<Vec<LawPack>> =
    LazyLock::new(|| FILES.iter().filter_map(|text| LawPack::parse(text).ok()).collect());

/// Every pack that ships.
pub fn packs() -> &'static [LawPack] {
    &PACKS
}

/// The pack of this name.
pub fn pack(id: &str) -> Option<&'static LawPack> {
    packs().iter().find(|pack| pack.id == id)
}
