//! The front matter: whose document it is, which version, and under which law.

use std::collections::BTreeMap;
use std::ops::Range;

use chrono::NaiveDate;
use toml::de::DeValue;

use crate::base::TenantId;

use super::diagnostic::Sink;
use super::law::{self, Statute};
use super::model::{Contact, Controller};
use super::reader::{Subject, closest, moved, read};
use super::rules::{mended, toml_table};
use super::spec::{FRONT, SECTIONS};
use super::values::Fields;

/// The front matter with the places of its values.
#[derive(Debug, Clone, Default)]
pub(crate) struct Front {
    span: Range<usize>,
    pub(crate) root: Fields,
    pub(crate) sections: BTreeMap<&'static str, Fields>,
    pub(crate) law: Vec<String>,
}

/// What is left of the front matter when it is whole.
#[derive(Debug, Clone)]
pub(crate) struct Head {
    pub(crate) tenant: TenantId,
    pub(crate) version: String,
    pub(crate) effective: NaiveDate,
    pub(crate) title: String,
    pub(crate) language: String,
    pub(crate) controller: Controller,
    pub(crate) contact: Contact,
}

impl Front {
    /// Where a key of the front matter stands, or else its beginning.
    pub(crate) fn span(&self, key: &str) -> Range<usize> {
        self.root.span(key).unwrap_or(self.span.start..self.span.start)
    }

    /// The statutory periods of the document's law packs.
    pub(crate) fn statutes(&self) -> impl Iterator<Item = &'static Statute> + '_ {
        self.law.iter().filter_map(|id| law::pack(id)).flat_map(|pack| &pack.statutes)
    }

    pub(crate) fn statute(&self, id: &str) -> Option<&'static Statute> {
        self.statutes().find(|statute| statute.id == id)
    }

    /// The value of a placeholder that names a key: `version`, `contact.privacy`.
    pub(crate) fn field(&self, name: &str) -> Option<&[super::values::Item]> {
        let items = match name.split_once('.') {
            None => self.root.items(name),
            Some((section, key)) => self.sections.get(section)?.items(key),
        };
        (!items.is_empty()).then_some(items)
    }

    pub(crate) fn head(&self) -> Option<Head> {
        let section = |name: &str| self.sections.get(name);
        let (controller, contact) = (section("controller")?, section("contact")?);
        Some(Head {
            tenant: self.root.text("tenant")?.parse().ok()?,
            version: self.root.text("version")?,
            effective: self.root.date("effective")?,
            title: self.root.text("title")?,
            language: self.root.text("language").unwrap_or_else(|| "en".to_owned()),
            controller: Controller {
                name: controller.text("name")?,
                website: controller.text("website"),
                address: controller.text("address"),
                country: controller.text("country"),
            },
            contact: Contact {
                privacy: contact.text("privacy")?,
                subject_line: contact.text("subject-line"),
                support: contact.text("support"),
                officer: section("officer")
                    .and_then(|officer| Some((officer.text("name")?, officer.text("email")?))),
                officer_details: section("officer")
                    .map(|officer| ["address", "phone"].iter().filter_map(|key| officer.text(key)).collect())
                    .unwrap_or_default(),
                authority: section("authority").and_then(|a| Some((a.text("name")?, a.text("website")))),
                phone: contact.text("phone"),
                representatives: [("representative", "Union"), ("representative-uk", "United Kingdom")]
                    .into_iter()
                    .filter_map(|(key, place)| Some((place, in_words(section(key)?))))
                    .collect(),
                joint: section("joint-controller")
                    .and_then(|joint| Some((in_words(joint), joint.text("arrangement")?))),
            },
        })
    }
}

/// Name and addresses of somebody, in one line.
fn in_words(section: &Fields) -> String {
    let parts = ["name", "address", "country", "email"].iter().filter_map(|key| section.text(key));
    parts.collect::<Vec<_>>().join(", ")
}

/// Reads the front matter.
pub(crate) fn read_front(source: &str, block: &Range<usize>, sink: &mut Sink) -> Front {
    let copy = mended(source, block, sink);
    let base = copy.base();
    let table = toml_table(&copy, sink);
    let names: Vec<&str> = SECTIONS.iter().map(|(name, ..)| *name).collect();
    let start = block.start..block.start;
    let subject = Subject { name: "the front matter", span: start.clone(), base };
    let (root, _) = read(&table, FRONT, &names, &subject, sink);
    let mut front = Front { span: block.clone(), law: root.texts("law"), root, sections: BTreeMap::new() };
    for (name, required, fields) in SECTIONS {
        match table.iter().find(|(key, _)| key.get_ref() == name) {
            None if *required => {
                sink.error("missing-key", start.clone(), format!("the front matter needs `[{name}]`"));
            }
            None => {}
            Some((key, value)) => {
                let span = moved(key.span(), base);
                if let DeValue::Table(table) = value.get_ref() {
                    let label = format!("[{name}]");
                    let (fields, _) = read(table, fields, &[], &Subject { name: &label, span, base }, sink);
                    front.sections.insert(name, fields);
                } else {
                    sink.error(
                        "wrong-type",
                        span,
                        format!("`{name}` is a table: write `[{name}]` on a line of its own"),
                    );
                }
            }
        }
    }
    for (id, item) in front.law.iter().zip(front.root.items("law")) {
        if law::pack(id).is_none() {
            let known: Vec<&str> = law::packs().iter().map(|pack| pack.id.as_str()).collect();
            let near = closest(id, known.iter().copied())
                .map_or(String::new(), |near| format!("did you mean `{near}`? "));
            sink.error("dangling-name", item.span.clone(), "there is no such law pack")
                .help(format!("{near}There are {}", known.join(", ")));
        }
    }
    if let Some(tenant) = front.root.text("tenant").filter(|tenant| tenant.parse::<TenantId>().is_err()) {
        let message = format!(
            "`{}` is not a tenant: 2 to 40 small letters, digits and hyphens",
            super::reader::short(&tenant)
        );
        sink.error("wrong-value", front.span("tenant"), message);
    }
    front
}
