//! The record of processing activities of Art. 30 GDPR, computed from the document: what it says is what runs.

use serde::Serialize;
use serde_json::{Value, json};

use super::outline::Outline;
use super::words::{Origin, Sees};
use super::{Basis, Life, Policy, Processor, Purpose};

/// A kind of data within an activity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RecordedData {
    /// The category's id.
    pub id: String,
    /// Its name for people.
    pub title: String,
    /// What it holds.
    pub holds: String,
    /// Where it comes from.
    pub source: Origin,
    /// When it goes, in words (Art. 30(1)(f)).
    pub time_limits: String,
    /// Its term in the W3C Data Privacy Vocabulary.
    pub dpv: Option<String>,
}

/// A recipient within an activity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RecordedRecipient {
    /// The processor's id.
    pub id: String,
    /// Who it is.
    pub name: String,
    /// What it does.
    pub does: String,
    /// Where.
    pub countries: Vec<String>,
    /// What makes the transfer lawful, in words (Art. 30(1)(e)).
    pub transfer: Option<String>,
    /// How long anything may stay there.
    pub longest_life: String,
    /// Whether it can read what it gets.
    pub readable: bool,
}

/// An activity: one purpose and all that serves it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Activity {
    /// The purpose's id.
    pub id: String,
    /// Its name.
    pub title: String,
    /// What is done (Art. 30(1)(b)).
    pub means: String,
    /// The lawful basis.
    pub basis: Basis,
    /// Its article, and the interest or law.
    pub basis_in_words: String,
    /// Whose data (Art. 30(1)(c)).
    pub subjects: String,
    /// Which data (Art. 30(1)(c)).
    pub data: Vec<RecordedData>,
    /// Who receives them (Art. 30(1)(d)).
    pub recipients: Vec<RecordedRecipient>,
    /// Its term in the W3C Data Privacy Vocabulary.
    pub dpv: Option<String>,
}

/// The record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ropa {
    /// The controller (Art. 30(1)(a)).
    pub controller: String,
    /// Its contact.
    pub contact: String,
    /// The data protection officer, if there is one.
    pub officer: Option<String>,
    /// The version of the document it is computed from.
    pub version: String,
    /// Since when that is in force.
    pub effective: chrono::NaiveDate,
    /// The activities, in the order of the document.
    pub activities: Vec<Activity>,
    /// The measures of security (Art. 30(1)(g)).
    pub security: Vec<String>,
}

/// The record of a policy.
pub fn ropa(policy: &Policy) -> Ropa {
    let contact = policy.contact();
    let checked = policy
        .safeguards()
        .map(|safeguard| format!("{} (checked every {})", safeguard.promises, safeguard.every));
    let attested = policy.attestations().map(|a| format!("{} (every {}, by {})", a.what, a.every, a.owner));
    Ropa {
        controller: policy.controller().name.clone(),
        contact: contact.privacy.clone(),
        officer: contact.officer.as_ref().map(|(name, email)| format!("{name}, {email}")),
        version: policy.version().to_owned(),
        effective: policy.effective(),
        activities: policy.purposes().map(|purpose| activity(policy, purpose)).collect(),
        security: checked.chain(attested).collect(),
    }
}

fn activity(policy: &Policy, purpose: &Purpose) -> Activity {
    let serves = |id: &String| id == &purpose.id;
    let data = policy.categories().filter(|category| category.purposes.iter().any(serves)).map(|category| {
        RecordedData {
            id: category.id.clone(),
            title: category.title.clone(),
            holds: category.holds.clone(),
            source: category.source,
            time_limits: time_limits(policy, &category.id),
            dpv: category.dpv.clone(),
        }
    });
    let recipients = policy.processors().filter(|p| p.is_recipient() && p.purposes.iter().any(serves));
    let reason = purpose.interest.as_ref().or(purpose.obligation.as_ref());
    Activity {
        id: purpose.id.clone(),
        title: purpose.title.clone(),
        means: purpose.means.clone(),
        basis: purpose.basis,
        basis_in_words: reason.map_or_else(
            || purpose.basis.article().to_owned(),
            |reason| format!("{}: {reason}", purpose.basis.article()),
        ),
        subjects: "people who use the service".to_owned(),
        data: data.collect(),
        recipients: recipients.map(recipient).collect(),
        dpv: purpose.dpv.clone(),
    }
}

fn recipient(processor: &Processor) -> RecordedRecipient {
    RecordedRecipient {
        id: processor.id.clone(),
        name: processor.name.clone(),
        does: processor.does.clone(),
        countries: processor.countries.clone(),
        transfer: processor.transfer.map(|transfer| transfer.as_str().replace('-', " ")),
        longest_life: life(processor.longest_life),
        readable: processor.sees == Sees::Plain,
    }
}

pub(super) fn life(life: Life) -> String {
    match life {
        Life::AsOurs => "as long as our own rules say".to_owned(),
        Life::AtMost(period) => format!("at most {period}"),
    }
}

/// When a category goes, in words, every rule of it.
pub(super) fn time_limits(policy: &Policy, category: &str) -> String {
    let rules = policy.retention_of(category).map(|rule| {
        let at_once = rule.erase_when.iter().map(|fact| format!("as soon as {}", fact.in_words()));
        let later = rule.at_most.iter().map(|after| format!("at most {after}"));
        let keep = rule.keep.iter().map(|keep| format!("kept for {keep}, as the law demands"));
        let words = at_once.chain(later).chain(keep).collect::<Vec<_>>().join(", or ");
        match rule.action {
            super::Action::Erase => words,
            super::Action::Anonymise => format!("made anonymous {words}"),
            super::Action::Reduce => format!("reduced to {} {words}", rule.keep_fields.join(", ")),
        }
    });
    rules.collect::<Vec<_>>().join("; ")
}

impl Ropa {
    /// The record as a page.
    pub fn page(&self) -> Outline {
        let mut page = Outline::new(format!("Record of processing activities: {}", self.controller));
        let officer = self
            .officer
            .as_ref()
            .map_or(String::new(), |officer| format!(" Data protection officer: {officer}."));
        page.say(format!(
            "Controller: {}, {}.{officer} Computed from version {} of the policy, in force from {}.",
            self.controller, self.contact, self.version, self.effective
        ));
        for activity in &self.activities {
            page.heading(&activity.title).say(activity.means.clone());
            page.say(format!(
                "Lawful basis: {}. Data subjects: {}.",
                activity.basis_in_words, activity.subjects
            ));
            let data = activity
                .data
                .iter()
                .map(|d| vec![d.title.clone(), d.holds.clone(), d.source.to_string(), d.time_limits.clone()]);
            if !activity.data.is_empty() {
                page.table(&["Data", "Holds", "Source", "Goes"], data.collect());
            }
            let recipients = activity.recipients.iter().map(|r| {
                vec![
                    r.name.clone(),
                    r.does.clone(),
                    r.countries.join(", "),
                    r.transfer.clone().unwrap_or_default(),
                    r.longest_life.clone(),
                ]
            });
            if !activity.recipients.is_empty() {
                page.table(&["Recipient", "Does", "Where", "Transfer", "Keeps it"], recipients.collect());
            }
        }
        page.heading("Security").list(self.security.clone());
        page
    }

    /// The record as CSV (RFC 4180): a row for each kind of data of each activity.
    pub fn csv(&self) -> String {
        let mut out = csv::Writer::from_writer(Vec::new());
        // Writing into memory cannot fail.
        let _infallible = out.write_record([
            "controller",
            "contact",
            "purpose",
            "means",
            "basis",
            "subjects",
            "category",
            "holds",
            "source",
            "time limits",
            "recipients",
            "countries",
            "transfers",
        ]);
        for activity in &self.activities {
            let of = |cell: fn(&RecordedRecipient) -> String| {
                activity.recipients.iter().map(cell).collect::<Vec<_>>().join("; ")
            };
            for data in &activity.data {
                let _infallible = out.write_record([
                    &self.controller,
                    &self.contact,
                    &activity.title,
                    &activity.means,
                    &activity.basis_in_words,
                    &activity.subjects,
                    &data.title,
                    &data.holds,
                    &data.source.to_string(),
                    &data.time_limits,
                    &of(|r| r.name.clone()),
                    &of(|r| r.countries.join(" ")),
                    &of(|r| r.transfer.clone().unwrap_or_default()),
                ]);
            }
        }
        out.into_inner().ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default()
    }

    /// The record as JSON-LD in the terms of the W3C Data Privacy Vocabulary 2.3.
    pub fn json_ld(&self) -> Value {
        let activities: Vec<Value> = self.activities.iter().map(|activity| {
            let data: Vec<Value> = activity.data.iter().map(|d| json!({
                "@type": d.dpv.as_deref().unwrap_or("dpv:PersonalData"),
                "dct:title": d.title,
                "dct:description": d.holds,
                "dpv:hasDataSource": origin_term(d.source),
                "dpv:hasStorageCondition": { "@type": "dpv:StorageCondition", "dct:description": d.time_limits },
            })).collect();
            let recipients: Vec<Value> = activity.recipients.iter().map(|r| json!({
                "@type": "dpv:DataProcessor",
                "dpv:hasName": r.name,
                "dct:description": r.does,
                "dpv:hasLocation": r.countries.iter().map(|c| format!("loc:{c}")).collect::<Vec<_>>(),
                "dpv:hasStorageCondition": { "@type": "dpv:StorageDuration", "dct:description": r.longest_life },
            })).collect();
            json!({
                "@type": "dpv:Process",
                "dct:identifier": activity.id,
                "dct:title": activity.title,
                "dpv:hasPurpose": { "@type": activity.dpv.as_deref().unwrap_or("dpv:Purpose"), "dct:description": activity.means },
                "dpv:hasLegalBasis": { "@type": basis_term(activity.basis), "dct:description": activity.basis_in_words },
                "dpv:hasDataSubject": { "@type": "dpv:DataSubject", "dct:description": activity.subjects },
                "dpv:hasPersonalData": data,
                "dpv:hasRecipient": recipients,
            })
        }).collect();
        json!({
            "@context": {
                "dpv": "https://w3id.org/dpv#", "pd": "https://w3id.org/dpv/pd#", "loc": "https://w3id.org/dpv/loc#",
                "eu-gdpr": "https://w3id.org/dpv/legal/eu/gdpr#", "dct": "http://purl.org/dc/terms/",
            },
            "@type": "dpv:ROPA",
            "dct:conformsTo": "https://w3id.org/dpv/2.3",
            "dct:hasVersion": self.version,
            "dct:valid": self.effective,
            "dpv:hasDataController": { "@type": "dpv:DataController", "dpv:hasName": self.controller, "dpv:hasContact": self.contact },
            "dpv:hasProcess": activities,
            "dpv:hasTechnicalOrganisationalMeasure": self.security,
        })
    }
}

fn basis_term(basis: Basis) -> &'static str {
    match basis {
        Basis::Contract => "eu-gdpr:A6-1-b",
        Basis::LegalObligation => "eu-gdpr:A6-1-c",
        Basis::LegitimateInterest => "eu-gdpr:A6-1-f",
        Basis::Consent => "eu-gdpr:A6-1-a",
        Basis::ExplicitConsent => "eu-gdpr:A6-1-a-explicit-consent",
        Basis::VitalInterest => "eu-gdpr:A6-1-d",
        Basis::PublicTask => "eu-gdpr:A6-1-e",
    }
}

fn origin_term(origin: Origin) -> &'static str {
    match origin {
        Origin::Provided => "dpv:DataSubjectDataSource",
        Origin::Observed | Origin::Derived => "dpv:DataControllerDataSource",
        Origin::ThirdParty => "dpv:ThirdPartyDataSource",
    }
}
