//! What a compiled document answers. Every verb of the vault, the pipeline and the workflows asks here; none decides by
//! itself.

use crate::base::{Period, Timestamp};

use super::Policy;
use super::facts::{Due, Facts};
use super::law::{self, LegalDue, Place};
use super::model::{After, Category, Processor, Purpose, Retention, RightRule};
use super::words::{Action, Basis, Fact, Needs, Right, Role, SubjectMay};

/// Why the document does not allow something.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Refusal {
    /// The rule that forbids it, or would have to allow it: `category.input-image`, `access.*`.
    pub rule: String,
    /// Why, in words that hold no personal data.
    pub why: String,
    /// The clause to read, if there is one.
    pub clause: Option<String>,
}

impl Refusal {
    /// What kind of error it is.
    pub fn kind(&self) -> crate::base::Kind {
        crate::base::Kind::Forbidden
    }

    fn new(rule: String, why: String, clause: Option<&str>) -> Self {
        Self { rule, why, clause: clause.map(str::to_owned) }
    }
}

/// The two clocks of a request: what the document promises, and what the law demands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Clocks {
    /// The promised time: consecutive hours from receipt, no weekend, no pause.
    pub promise: Timestamp,
    /// The dates of the law, if its pack has a clock for answers.
    pub legal: Option<LegalDue>,
}

impl Policy {
    /// Whether the document declares this category; nothing else can be stored.
    pub fn may_store(&self, category: &str) -> Result<&Category, Refusal> {
        self.category(category).ok_or_else(|| {
            Refusal::new(
                format!("category.{}", super::reader::short(category)),
                "the policy does not declare this category, so nothing of it may be stored".to_owned(),
                None,
            )
        })
    }

    /// Whether `role` may read `category` for `purpose`. The person themself may read what `subject-may` says; all
    /// others need an access rule that names role, category and purpose. Whether the purpose has the person's consent
    /// is not asked here.
    pub fn may_read(&self, category: &str, role: Role, purpose: &str) -> Result<(), Refusal> {
        let category = self.may_store(category)?;
        let purpose = self.declared(purpose)?;
        if role == Role::Subject {
            return if category.subject_may(SubjectMay::Read) {
                Ok(())
            } else {
                let why = format!("the policy does not show {} to the person it is about", category.title);
                Err(Refusal::new(format!("category.{}", category.id), why, Some(&category.clause)))
            };
        }
        Self::serves(category, purpose)?;
        if self.reading(category, role, purpose).next().is_some() {
            return Ok(());
        }
        let why = format!("the policy does not let {role} read {} for {}", category.title, purpose.title);
        Err(Refusal::new("access.*".to_owned(), why, Some(&category.clause)))
    }

    /// What a read by `role` asks for besides the role: the least that any access rule which allows it wants.
    pub fn read_needs(&self, category: &str, role: Role, purpose: &str) -> &[Needs] {
        let found = self.category(category).zip(self.purpose(purpose));
        found
            .and_then(|(category, purpose)| {
                self.reading(category, role, purpose).min_by_key(|access| access.needs.len())
            })
            .map_or(&[], |access| access.needs.as_slice())
    }

    fn reading<'a>(
        &'a self,
        category: &'a Category,
        role: Role,
        purpose: &'a Purpose,
    ) -> impl Iterator<Item = &'a super::model::Access> {
        self.access_rules().filter(move |access| {
            access.who.contains(&role)
                && access.categories.contains(&category.id)
                && access.purposes.contains(&purpose.id)
        })
    }

    /// Whether `category` may be sent to `processor` for `purpose`.
    pub fn may_send(&self, category: &str, processor: &str, purpose: &str) -> Result<&Processor, Refusal> {
        let category = self.may_store(category)?;
        let purpose = self.declared(purpose)?;
        let Some(processor) = self.processor(processor) else {
            let why = "the policy does not name this recipient, so nothing may be sent to it".to_owned();
            return Err(Refusal::new(format!("processor.{}", super::reader::short(processor)), why, None));
        };
        Self::serves(category, purpose)?;
        let refuse = |why: String| {
            Err(Refusal::new(format!("processor.{}", processor.id), why, Some(&processor.clause)))
        };
        if !processor.receives.contains(&category.id) {
            return refuse(format!("the policy does not send {} to {}", category.title, processor.name));
        }
        if !processor.purposes.contains(&purpose.id) {
            return refuse(format!(
                "the policy does not send anything to {} for {}",
                processor.name, purpose.title
            ));
        }
        Ok(processor)
    }

    /// Whether a category may be used for a purpose at all: it was declared for it, or a law demands the purpose.
    pub fn may_use(&self, category: &str, purpose: &str) -> Result<&Purpose, Refusal> {
        let category = self.may_store(category)?;
        let purpose = self.declared(purpose)?;
        Self::serves(category, purpose)?;
        Ok(purpose)
    }

    /// Of the places where a program stores personal data (`table.column`, with the category it says they hold), those
    /// whose category this document does not declare.
    pub fn uncovered<'a>(
        &self,
        places: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Vec<(&'a str, &'a str)> {
        places.into_iter().filter(|(_, category)| self.category(category).is_none()).collect()
    }

    fn declared(&self, purpose: &str) -> Result<&Purpose, Refusal> {
        self.purpose(purpose).ok_or_else(|| {
            let why = "the policy does not declare this purpose".to_owned();
            Refusal::new(format!("purpose.{}", super::reader::short(purpose)), why, None)
        })
    }

    fn serves(category: &Category, purpose: &Purpose) -> Result<(), Refusal> {
        if purpose.basis == Basis::LegalObligation || category.purposes.contains(&purpose.id) {
            return Ok(());
        }
        let why = format!("{} was not collected for {}", category.title, purpose.title);
        Err(Refusal::new(format!("category.{}", category.id), why, Some(&category.clause)))
    }

    /// What the document says of a right.
    pub fn right(&self, right: Right) -> Option<&RightRule> {
        self.rules.rights.get(right.as_str())
    }

    /// The rights, in the order of the document.
    pub fn rights(&self) -> impl Iterator<Item = &RightRule> {
        self.rules.rights.iter()
    }

    /// Both clocks of a request for `right` received at `received_at`. `None` if the document does not name the right.
    /// `paused`: the intervals during which the clock of the law stood; the promise never stands.
    pub fn clocks(
        &self,
        right: Right,
        received_at: Timestamp,
        paused: &[(Timestamp, Timestamp)],
    ) -> Option<Clocks> {
        let rule = self.right(right)?;
        let place = Place::of(self.controller().country.as_deref());
        let legal = law::pack(&rule.law).and_then(|pack| law::legal_due(received_at, pack, &place, paused));
        Some(Clocks { promise: rule.answer_within.after(received_at), legal })
    }

    /// The rules that govern a category.
    pub fn retention_of<'a>(&'a self, category: &'a str) -> impl Iterator<Item = &'a Retention> {
        self.retention_rules().filter(move |rule| rule.categories.iter().any(|id| id == category))
    }

    /// The earliest moment at which any rule of the category says that a thing with these facts must go. What a law
    /// wants kept is not erased before its time, whatever the other rules say.
    pub fn due(&self, category: &str, facts: &Facts) -> Due {
        self.due_after(category, facts, &[])
    }

    /// As [`Policy::due`], leaving out the rules that were carried out already (a thing that was reduced lives on until
    /// its next rule).
    pub fn due_after(&self, category: &str, facts: &Facts, done: &[&str]) -> Due {
        if self.category(category).is_none() {
            return Due::Never { why: "the policy does not declare this category".to_owned() };
        }
        let rules = || self.retention_of(category).filter(|rule| !done.contains(&rule.id.as_str()));
        let floor = match keep_floor(rules(), facts) {
            Ok(floor) => floor,
            Err((rule, fact)) => {
                // The law's clock has not started: nothing but a reduction can fire.
                return rules()
                    .filter(|rule| rule.action == Action::Reduce)
                    .filter_map(|rule| earliest(rule, facts))
                    .min_by_key(|(at, ..)| *at)
                    .map_or(Due::Waiting { rule, for_fact: fact }, |(at, rule, because)| Due::At {
                        at,
                        rule,
                        because,
                    });
            }
        };
        let fired = rules().filter_map(|rule| {
            let (at, name, because) = earliest(rule, facts)?;
            match &floor {
                Some((until, keeper, why)) if rule.action != Action::Reduce && *until > at => {
                    Some((*until, keeper.clone(), why.clone()))
                }
                _ => Some((at, name, because)),
            }
        });
        if let Some((at, rule, because)) = fired.min_by_key(|(at, ..)| *at) {
            return Due::At { at, rule, because };
        }
        rules()
            .find_map(|rule| {
                first_fact(rule).map(|for_fact| Due::Waiting { rule: rule.id.clone(), for_fact })
            })
            .unwrap_or_else(|| Due::Never {
                why: "every rule of this category has been carried out".to_owned(),
            })
    }

    /// Until when a law forbids erasing a thing with these facts, and the rule that says so. `None` where no law does, or
    /// where its clock has not started.
    pub fn kept_until(&self, category: &str, facts: &Facts) -> Option<(Timestamp, String)> {
        let floor = keep_floor(self.retention_of(category), facts).ok().flatten();
        floor.map(|(until, rule, _)| (until, rule))
    }

    /// The rule that would have such a thing gone before the law lets it go: two rules of the document pull at one thing.
    pub fn postponed(&self, category: &str, facts: &Facts) -> Option<String> {
        let (until, _) = self.kept_until(category, facts)?;
        self.retention_of(category)
            .filter(|rule| rule.action != Action::Reduce)
            .filter_map(|rule| earliest(rule, facts))
            .filter(|(at, ..)| *at < until)
            .min_by_key(|(at, ..)| *at)
            .map(|(_, rule, _)| rule)
    }

    /// The moments at which the person is warned before the rule that makes this due fires, earliest first.
    pub fn warnings_before(&self, due: &Due) -> Vec<(Timestamp, Period)> {
        let Due::At { at, rule, .. } = due else { return Vec::new() };
        let warn = self.retention(rule).map_or(&[][..], |rule| rule.warn.as_slice());
        warn.iter().map(|period| (period.before(*at), *period)).collect()
    }
}

/// The last moment before which a law forbids erasing, with its rule and reason; or the fact it still waits for.
type Floor = Option<(Timestamp, String, String)>;

fn keep_floor<'a>(
    rules: impl Iterator<Item = &'a Retention>,
    facts: &Facts,
) -> Result<Floor, (String, Fact)> {
    let mut floor: Floor = None;
    for rule in rules {
        let Some(keep) = rule.keep else { continue };
        let Some(start) = facts.get(keep.fact) else { return Err((rule.id.clone(), keep.fact)) };
        let until = keep.period.after(start);
        if floor.as_ref().is_none_or(|(at, ..)| until > *at) {
            floor = Some((until, rule.id.clone(), because(&keep)));
        }
    }
    Ok(floor)
}

fn because(after: &After) -> String {
    after.to_string()
}

fn earliest(rule: &Retention, facts: &Facts) -> Option<(Timestamp, String, String)> {
    let at_once =
        rule.erase_when.iter().filter_map(|fact| facts.get(*fact).map(|at| (at, fact.in_words().to_owned())));
    let later =
        rule.at_most.iter().chain(rule.keep.iter()).filter_map(|after| {
            facts.get(after.fact).map(|start| (after.period.after(start), because(after)))
        });
    at_once.chain(later).min_by_key(|(at, _)| *at).map(|(at, because)| (at, rule.id.clone(), because))
}

fn first_fact(rule: &Retention) -> Option<Fact> {
    let later = rule.at_most.iter().chain(rule.keep.iter()).map(|after| after.fact);
    rule.erase_when.iter().copied().chain(later).next()
}
