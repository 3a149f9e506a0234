//! The record as linked data, in the terms of the W3C's Data Privacy Vocabulary 2.3 (<https://w3id.org/dpv/2.3>). Every
//! term used here stands in that vocabulary or its extensions `pd`, `loc` and `eu-gdpr`.

use serde_json::{Value, json};

use super::{Activity, RecordedData, RecordedRecipient, Ropa};
use crate::policy::Basis;
use crate::policy::words::{Origin, RecipientRole, Transfer};

impl Ropa {
    /// The record as JSON-LD. Its names are absolute once expanded; nothing has to be fetched to read it.
    pub fn json_ld(&self) -> Value {
        let measures = |of: &[String], term: &str| -> Vec<Value> {
            of.iter().map(|says| json!({ "@type": term, "dct:description": says })).collect()
        };
        let mut security = measures(&self.technical, "dpv:TechnicalMeasure");
        security.extend(measures(&self.organisational, "dpv:OrganisationalMeasure"));
        let mut record = json!({
            "@context": {
                "dpv": "https://w3id.org/dpv#",
                "pd": "https://w3id.org/dpv/pd#",
                "loc": "https://w3id.org/dpv/loc#",
                "eu-gdpr": "https://w3id.org/dpv/legal/eu/gdpr#",
                "dct": "http://purl.org/dc/terms/",
                "xsd": "http://www.w3.org/2001/XMLSchema#",
            },
            "@type": "dpv:ROPA",
            "dct:conformsTo": { "@id": "https://w3id.org/dpv/2.3" },
            "dct:hasVersion": self.version,
            "dct:valid": { "@type": "xsd:date", "@value": self.effective },
            "dpv:hasDataController": self.controller_node(),
            "dpv:hasProcess": self.activities.iter().map(process).collect::<Vec<_>>(),
            "dpv:hasTechnicalOrganisationalMeasure": security,
        });
        if let (Some(officer), Some(object)) = (&self.officer, record.as_object_mut()) {
            let node = json!({ "@type": "dpv:DataProtectionOfficer", "dpv:hasContact": officer });
            object.insert("dpv:hasDataProtectionOfficer".to_owned(), node);
        }
        record
    }

    fn controller_node(&self) -> Value {
        let contact: Vec<&String> = [&self.contact].into_iter().chain(&self.seat).collect();
        json!({ "@type": "dpv:DataController", "dpv:hasName": self.controller, "dpv:hasContact": contact })
    }
}

fn process(activity: &Activity) -> Value {
    json!({
        "@type": "dpv:Process",
        "dct:identifier": activity.id,
        "dct:title": activity.title,
        "dpv:hasPurpose": {
            "@type": activity.dpv.as_deref().unwrap_or("dpv:Purpose"),
            "dct:description": activity.means,
        },
        "dpv:hasLegalBasis": {
            "@type": basis_term(activity.basis),
            "dct:description": activity.basis_in_words,
        },
        "dpv:hasDataSubject": { "@type": "dpv:User", "dct:description": activity.subjects },
        "dpv:hasPersonalData": activity.data.iter().map(data).collect::<Vec<_>>(),
        "dpv:hasRecipient": activity.recipients.iter().map(recipient).collect::<Vec<_>>(),
    })
}

fn data(data: &RecordedData) -> Value {
    json!({
        "@type": data.dpv.as_deref().unwrap_or("dpv:PersonalData"),
        "dct:identifier": data.id,
        "dct:title": data.title,
        "dct:description": data.holds,
        "dpv:hasDataSource": { "@id": origin_term(data.source) },
        "dpv:hasStorageCondition": { "@type": "dpv:StorageDuration", "dct:description": data.time_limits },
    })
}

fn recipient(recipient: &RecordedRecipient) -> Value {
    let countries: Vec<Value> =
        recipient.countries.iter().map(|country| json!({ "@id": format!("loc:{country}") })).collect();
    let mut node = json!({
        "@type": match recipient.role {
            RecipientRole::Processor => "dpv:DataProcessor",
            RecipientRole::Controller | RecipientRole::House => "dpv:Recipient",
        },
        "dct:identifier": recipient.id,
        "dpv:hasName": recipient.name,
        "dct:description": recipient.does,
        "dpv:hasCountry": countries,
        "dpv:hasStorageCondition": {
            "@type": "dpv:StorageDuration",
            "dct:description": recipient.longest_life,
        },
    });
    if let (Some(transfer), Some(object)) = (recipient.transfer, node.as_object_mut()) {
        let (key, term) = transfer_term(transfer);
        let safeguard = json!({ "@type": term, "dct:description": recipient.safeguards() });
        object.insert(key.to_owned(), safeguard);
    }
    node
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

/// What makes a transfer lawful: an article of the GDPR, or a measure that leaves nothing to read.
fn transfer_term(transfer: Transfer) -> (&'static str, &'static str) {
    match transfer {
        Transfer::Adequacy => ("dpv:hasLegalBasis", "eu-gdpr:A45-3"),
        Transfer::StandardClauses => ("dpv:hasLegalBasis", "eu-gdpr:A46-2-c"),
        Transfer::CorporateRules => ("dpv:hasLegalBasis", "eu-gdpr:A46-2-b"),
        Transfer::CiphertextOnly => ("dpv:hasTechnicalOrganisationalMeasure", "dpv:Encryption"),
    }
}
