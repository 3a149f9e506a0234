//! The record of processing activities of Art. 30 GDPR, computed from the document: what it says is what runs.

mod linked;

use serde::Serialize;

use super::fill::cell;
use super::outline::Outline;
use super::words::{Origin, RecipientRole, Sees, Transfer};
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
    /// What it is in law.
    pub role: RecipientRole,
    /// What makes the transfer lawful (Art. 30(1)(e)).
    pub transfer: Option<Transfer>,
    /// The contract under which it works.
    pub agreement: Option<String>,
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
    /// Its postal address, country and website, as far as the document says.
    pub seat: Vec<String>,
    /// The data protection officer, if there is one.
    pub officer: Option<String>,
    /// The version of the document it is computed from.
    pub version: String,
    /// Since when that is in force.
    pub effective: chrono::NaiveDate,
    /// The activities, in the order of the document.
    pub activities: Vec<Activity>,
    /// The measures that the program checks (Art. 30(1)(g)).
    pub technical: Vec<String>,
    /// The measures that people take (Art. 30(1)(g)).
    pub organisational: Vec<String>,
}

/// The record of a policy.
pub fn ropa(policy: &Policy) -> Ropa {
    let (controller, contact) = (policy.controller(), policy.contact());
    let checked = policy
        .safeguards()
        .map(|safeguard| format!("{} (checked every {})", safeguard.promises, safeguard.every));
    let attested = policy.attestations().map(|a| format!("{} (every {}, by {})", a.what, a.every, a.owner));
    Ropa {
        controller: controller.name.clone(),
        contact: contact.privacy.clone(),
        seat: [&controller.address, &controller.country, &controller.website]
            .into_iter()
            .flatten()
            .cloned()
            .collect(),
        officer: contact.officer.as_ref().map(|(name, email)| format!("{name}, {email}")),
        version: policy.version().to_owned(),
        effective: policy.effective(),
        activities: policy.purposes().map(|purpose| activity(policy, purpose)).collect(),
        technical: checked.collect(),
        organisational: attested.collect(),
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
        role: processor.role,
        transfer: processor.transfer,
        agreement: processor.agreement.clone(),
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

impl RecordedRecipient {
    /// What makes the transfer lawful, in words.
    fn safeguards(&self) -> String {
        let transfer = self.transfer.map(|transfer| transfer.as_str().replace('-', " "));
        transfer.into_iter().chain(self.agreement.clone()).collect::<Vec<_>>().join("; ")
    }
}

impl Ropa {
    /// The record as a page.
    pub fn page(&self) -> Outline {
        let mut page = Outline::new(format!("Record of processing activities: {}", self.controller));
        let seat: String = self.seat.iter().map(|part| format!(", {part}")).collect();
        let officer = self.officer.as_deref().unwrap_or("none is named");
        page.say(format!(
            "Controller: {}{seat}, {}. Data protection officer: {officer}. Computed from version {} of the policy, in \
             force from {} (Art. 30(1) GDPR).",
            self.controller, self.contact, self.version, self.effective
        ));
        for activity in &self.activities {
            activity.tell(&mut page);
        }
        page.heading("Technical measures of security").list(self.technical.clone());
        page.heading("Organisational measures of security").list(self.organisational.clone());
        page
    }

    /// The record as CSV (RFC 4180): a row for each kind of data of each activity, and one for an activity that needs
    /// none. No cell begins like a formula.
    pub fn csv(&self) -> String {
        let mut out = csv::Writer::from_writer(Vec::new());
        // Writing into memory cannot fail.
        let _infallible = out.write_record([
            "controller",
            "contact",
            "officer",
            "version",
            "in force from",
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
            "safeguards",
            "kept there",
            "security",
        ]);
        let security: Vec<&str> =
            self.technical.iter().chain(&self.organisational).map(String::as_str).collect();
        let security = security.join("; ");
        for activity in &self.activities {
            let of = |text: fn(&RecordedRecipient) -> String| {
                let all: Vec<String> =
                    activity.recipients.iter().map(|r| format!("{}: {}", r.name, text(r))).collect();
                all.join("; ")
            };
            let names: Vec<&str> = activity.recipients.iter().map(|r| r.name.as_str()).collect();
            let rows: Vec<Option<&RecordedData>> =
                if activity.data.is_empty() { vec![None] } else { activity.data.iter().map(Some).collect() };
            for data in rows {
                let text = |of: fn(&RecordedData) -> String| data.map(of).unwrap_or_default();
                let cells = [
                    self.controller.clone(),
                    self.contact.clone(),
                    self.officer.clone().unwrap_or_default(),
                    self.version.clone(),
                    self.effective.to_string(),
                    activity.title.clone(),
                    activity.means.clone(),
                    activity.basis_in_words.clone(),
                    activity.subjects.clone(),
                    text(|data| data.title.clone()),
                    text(|data| data.holds.clone()),
                    text(|data| data.source.to_string()),
                    text(|data| data.time_limits.clone()),
                    names.join("; "),
                    of(|r| r.countries.join(" ")),
                    of(RecordedRecipient::safeguards),
                    of(|r| r.longest_life.clone()),
                    security.clone(),
                ];
                let _infallible = out.write_record(cells.map(|text| cell(&text)));
            }
        }
        out.into_inner().ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default()
    }
}

impl Activity {
    fn tell(&self, page: &mut Outline) {
        page.heading(&self.title).say(self.means.clone());
        page.say(format!("Lawful basis: {}. Data subjects: {}.", self.basis_in_words, self.subjects));
        let data = self
            .data
            .iter()
            .map(|d| vec![d.title.clone(), d.holds.clone(), d.source.to_string(), d.time_limits.clone()]);
        if !self.data.is_empty() {
            page.table(&["Data", "Holds", "Source", "Goes"], data.collect());
        }
        let recipients = self.recipients.iter().map(|r| {
            let countries = r.countries.join(", ");
            vec![r.name.clone(), r.does.clone(), countries, r.safeguards(), r.longest_life.clone()]
        });
        if self.recipients.is_empty() {
            page.say("Nobody outside receives anything for it.".to_owned());
        } else {
            page.table(&["Recipient", "Does", "Where", "Safeguards", "Keeps it"], recipients.collect());
        }
    }
}
