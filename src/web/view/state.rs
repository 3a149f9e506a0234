//! How a promise, a step or a clock stands: always a word and a shape, never a colour alone.

use std::borrow::Borrow;

use crate::audit;
use crate::speech::{Case, Tongue, key};

use super::words::{Markup, Moment};

/// How a promise stands at the moment of its last check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    /// The last check found nothing against it.
    Kept,
    /// Kept, but a limit is near or a check is late.
    AtRisk,
    /// The last check found that it is not kept.
    Broken,
    /// A person has vouched for it, with evidence, and the evidence is fresh.
    Attested,
    /// A person should have vouched for it by now and has not.
    Overdue,
    /// Not checked yet, or nothing could be: nothing green is claimed.
    Waiting,
}

impl From<audit::State> for State {
    fn from(state: audit::State) -> Self {
        match state {
            audit::State::Kept => Self::Kept,
            audit::State::AtRisk => Self::AtRisk,
            audit::State::Broken => Self::Broken,
            audit::State::Attested => Self::Attested,
            audit::State::Overdue => Self::Overdue,
            audit::State::Waiting => Self::Waiting,
        }
    }
}

/// How a check ended.
impl From<audit::Verdict> for State {
    fn from(verdict: audit::Verdict) -> Self {
        match verdict {
            audit::Verdict::Passed => Self::Kept,
            audit::Verdict::Failed => Self::Broken,
            audit::Verdict::CannotRun => Self::Waiting,
        }
    }
}

impl State {
    /// The word that goes with the shape.
    pub fn word(self) -> &'static str {
        match self {
            Self::Kept => key("Kept"),
            Self::AtRisk => key("At risk"),
            Self::Broken => key("Broken"),
            Self::Attested => key("Attested"),
            Self::Overdue => key("Overdue"),
            Self::Waiting => key("Waiting"),
        }
    }

    /// The class the stylesheet colours by.
    pub fn class(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::AtRisk => "at-risk",
            Self::Broken => "broken",
            Self::Attested => "attested",
            Self::Overdue => "overdue",
            Self::Waiting => "waiting",
        }
    }

    /// How many promises stand so.
    pub(crate) fn counted(self) -> &'static str {
        match self {
            Self::Kept => key("{count} kept"),
            Self::AtRisk => key("{count} at risk"),
            Self::Broken => key("{count} broken"),
            Self::Attested => key("{count} attested"),
            Self::Overdue => key("{count} overdue"),
            Self::Waiting => key("{count} waiting"),
        }
    }

    /// The words for the whole ledger's last check.
    pub fn word_of_ledger(self) -> &'static str {
        match self {
            Self::Kept | Self::Attested => key("Whole and unaltered"),
            Self::AtRisk | Self::Overdue => key("Due for a check"),
            Self::Broken => key("Does not verify"),
            Self::Waiting => key("Not verified yet"),
        }
    }

    /// Shape and words for the whole ledger's last check.
    pub fn of_ledger(self) -> Markup {
        self.says(self.word_of_ledger())
    }

    /// Shape and word together.
    pub fn chip(self) -> Markup {
        self.says(self.word())
    }

    /// The shape with other words, for a state that a sentence names better. `words` is escaped.
    pub fn says(self, words: &str) -> Markup {
        let safe = escape(words);
        Markup::trusted(format!("<span class=\"state {}\">{}{safe}</span>", self.class(), self.shape()))
    }

    /// The shape alone, hidden from readers: a disc with a tick, a triangle, a square with a cross, a pen stroke in a
    /// diamond, a clock, an open ring. Told apart without colour.
    pub fn shape(self) -> &'static str {
        match self {
            Self::Kept => {
                r#"<svg class="shape" width="16" height="16" viewBox="0 0 16 16" aria-hidden="true"><circle cx="8" cy="8" r="7.5" fill="currentColor"/><path d="M4.6 8.3l2.3 2.3 4.5-4.9" fill="none" class="cut" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round"/></svg>"#
            }
            Self::AtRisk => {
                r#"<svg class="shape" width="16" height="16" viewBox="0 0 16 16" aria-hidden="true"><path d="M8 .9l7.6 13.9H.4z" fill="currentColor"/><path d="M8 5.6v4.2M8 12.1v.4" fill="none" class="cut" stroke-width="1.8" stroke-linecap="round"/></svg>"#
            }
            Self::Broken => {
                r#"<svg class="shape" width="16" height="16" viewBox="0 0 16 16" aria-hidden="true"><rect x=".8" y=".8" width="14.4" height="14.4" rx="1.5" fill="currentColor"/><path d="M5 5l6 6M11 5l-6 6" fill="none" class="cut" stroke-width="1.8" stroke-linecap="round"/></svg>"#
            }
            Self::Attested => {
                r#"<svg class="shape" width="16" height="16" viewBox="0 0 16 16" aria-hidden="true"><path d="M8 .9L15.1 8 8 15.1.9 8z" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linejoin="round"/><path d="M5.4 8.3l1.8 1.8 3.4-3.9" fill="none" stroke="currentColor" stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round"/></svg>"#
            }
            Self::Overdue => {
                r#"<svg class="shape" width="16" height="16" viewBox="0 0 16 16" aria-hidden="true"><circle cx="8" cy="8" r="6.7" fill="none" stroke="currentColor" stroke-width="1.6"/><path d="M8 4.2V8l2.6 1.9" fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round"/></svg>"#
            }
            Self::Waiting => {
                r#"<svg class="shape" width="16" height="16" viewBox="0 0 16 16" aria-hidden="true"><circle cx="8" cy="8" r="6.7" fill="none" stroke="currentColor" stroke-width="1.5" stroke-dasharray="2.6 2.6"/></svg>"#
            }
        }
    }
}

/// A clock that runs towards a date: the promise's, or the law's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    /// When it runs out.
    pub due: Moment,
    /// When it was stopped by an answer, if it was.
    pub met: Option<Moment>,
}

impl Clock {
    /// How it stands at `now`: met in time, met late, run out, near (under 18 hours left), or running.
    pub fn state(&self, now: impl Borrow<Moment>) -> State {
        let now = *now.borrow();
        match self.met {
            Some(met) if met <= self.due => State::Kept,
            Some(_) => State::Broken,
            None if self.due.is_past(now) => State::Broken,
            None if self.is_near(now) => State::AtRisk,
            None => State::Waiting,
        }
    }

    /// The state in a word or two and the time: `18 hours left`, `late by 2 days`, `met with 3 hours to spare`.
    pub fn chip(&self, now: impl Borrow<Moment>) -> Markup {
        self.chip_in(Tongue::English, *now.borrow())
    }

    /// The same in another language.
    pub fn chip_in(&self, tongue: Tongue, now: Moment) -> Markup {
        let (sentence, apart) = match self.met {
            Some(met) if met <= self.due => (key("Met, {span} early"), self.due.apart(met)),
            Some(met) => (key("Met {span} late"), self.due.apart(met)),
            None if self.due.is_past(now) => (key("Late by {span}"), self.due.apart(now)),
            None => (key("{span} left"), self.due.apart(now)),
        };
        let words = tongue.put(sentence).with("span", tongue.span(apart, Case::Plain)).text();
        let state = self.state(now);
        // A clock that simply runs is drawn as a clock, not as a check that has not been made.
        let shape = if state == State::Waiting { State::Overdue.shape() } else { state.shape() };
        Markup::trusted(format!("<span class=\"state {}\">{shape}{words}</span>", state.class()))
    }

    fn is_near(&self, now: Moment) -> bool {
        let hours = self.due.hours_after(now);
        (0..18).contains(&hours)
    }
}

pub(crate) use crate::speech::escape;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Timestamp;

    fn at(text: &str) -> Moment {
        Timestamp::parse_rfc3339(text).unwrap().into()
    }

    #[test]
    fn a_clock_says_what_is_left_and_what_is_late() {
        let now = at("2026-05-05T12:00:00Z");
        let running = Clock { due: at("2026-05-07T12:00:00Z"), met: None };
        assert_eq!(running.state(now), State::Waiting);
        let near = Clock { due: at("2026-05-05T20:00:00Z"), met: None };
        assert_eq!(near.state(now), State::AtRisk);
        assert!(near.chip(now).as_str().contains("8 hours left"));
        let late = Clock { due: at("2026-05-05T10:00:00Z"), met: None };
        assert_eq!(late.state(now), State::Broken);
        assert!(late.chip(now).as_str().contains("Late by 2 hours"));
        let met = Clock { due: now, met: Some(at("2026-05-05T11:00:00Z")) };
        assert_eq!(met.state(now), State::Kept);
    }

    #[test]
    fn words_beside_a_shape_are_escaped() {
        assert!(State::Kept.says("<b>").as_str().contains("&lt;b&gt;"));
    }
}
