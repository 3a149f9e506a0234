//! What a law makes the controller keep although everything else of a person goes (Art. 17(3)(b) GDPR).

use super::Policy;
use super::facts::Facts;
use super::law::{self, Place};
use super::model::{After, Retention};
use super::words::Action;
use crate::base::Timestamp;

/// What a law makes the controller keep of a category.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// The retention rule that says so.
    pub rule: String,
    /// The law, as people cite it.
    pub law: String,
    /// How long, from which fact.
    pub keep: After,
    /// The only fields that may stay; all of the category's if no rule reduces it.
    pub fields: Option<Vec<String>>,
    /// The rules that reduce it.
    pub reduced_by: Vec<String>,
}

impl Kept {
    /// Until when. `None` while the law's clock has not started.
    pub fn until(&self, facts: &Facts) -> Option<Timestamp> {
        facts.get(self.keep.fact).map(|start| self.keep.period.after(start))
    }

    /// Whether a field may stay.
    pub fn has_field(&self, field: &str) -> bool {
        self.fields.as_ref().is_none_or(|fields| fields.iter().any(|f| f == field))
    }
}

impl Retention {
    /// The law that stands behind the rule, as people cite it: `under`, or the source of its statutory period.
    pub fn legal_source(&self) -> Option<&str> {
        let statute = |id: &String| {
            law::packs().iter().flat_map(|pack| &pack.statutes).find(|s| s.id == *id).map(|s| &*s.source)
        };
        self.under.as_deref().or_else(|| self.statute.as_ref().and_then(statute))
    }
}

impl Policy {
    /// What a law makes the controller keep of a category; of several laws, the one that lasts longest.
    pub fn kept_by_law(&self, category: &str) -> Option<Kept> {
        let keeper = self
            .retention_of(category)
            .filter_map(|rule| rule.keep.map(|keep| (rule, keep)))
            .max_by_key(|(_, keep)| keep.period.rough_seconds());
        let (rule, keep) = keeper?;
        let reducing: Vec<_> =
            self.retention_of(category).filter(|rule| rule.action == Action::Reduce).collect();
        let fields = reducing.iter().map(|rule| rule.keep_fields.clone()).reduce(|mut all, more| {
            all.retain(|field| more.contains(field));
            all
        });
        Some(Kept {
            rule: rule.id.clone(),
            law: rule.legal_source().unwrap_or_default().to_owned(),
            keep,
            fields,
            reduced_by: reducing.iter().map(|rule| rule.id.clone()).collect(),
        })
    }

    /// Where the controller is established: whose days and years count.
    pub fn place(&self) -> Place {
        Place::of(self.controller().country.as_deref())
    }
}
