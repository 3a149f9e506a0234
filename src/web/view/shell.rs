//! What surrounds every page: whose it is, who is signed in, and whether this is a rehearsal.

use std::borrow::Borrow;

use super::policy::Tally;
use super::spoken::{Instant, Many, Sentence};
use super::state::{Clock, State};
use super::words::{Count, Markup, Moment};
use crate::speech::{Said, Tongue};

/// What every page is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shell {
    /// What addresses of this tenant begin with, without a slash at its end: `/flux-kontext`, or nothing on the pages
    /// of the installation itself.
    pub root: String,
    /// The name on the door: the tenant's brand, or `vouchsafe` on the pages of the installation itself.
    pub brand: String,
    /// Whether the service runs in development mode, which every page then says.
    pub development: bool,
    /// When the page is made; relative times are told from here.
    pub now: Moment,
    /// The session's token, sent back by every form.
    pub csrf: String,
    /// Who is signed in.
    pub viewer: Viewer,
    /// One sentence on what just happened, shown once.
    pub flash: Option<Flash>,
    /// The language the page is written in.
    pub tongue: Tongue,
    /// The language of the tenant's document, by its tag: what is quoted from it stays in it.
    pub document: String,
    /// Where the page can be opened again, in another language; nothing where it speaks one only.
    pub here: Option<String>,
}

/// Who is looking at the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Viewer {
    /// Nobody is signed in.
    Nobody,
    /// A person with an account.
    Person {
        /// What they are called here: a name, or the e-mail address.
        name: String,
        /// Notices they have not read.
        unread: Count,
    },
    /// A member of staff.
    Staff {
        /// Their name.
        name: String,
        /// Their role, in the document's words.
        role: String,
    },
}

/// A sentence on what just happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flash {
    /// How it went.
    pub state: State,
    /// The sentence.
    pub says: String,
}

impl Shell {
    /// Whether a person with an account is signed in.
    pub fn is_person(&self) -> bool {
        matches!(self.viewer, Viewer::Person { .. })
    }

    /// The flash's shape and sentence.
    pub fn flash_line(&self) -> Option<Markup> {
        self.flash.as_ref().map(|flash| flash.state.says(&flash.says))
    }

    /// The other languages in which the page can be read, each with its address.
    pub fn others(&self) -> Vec<(Tongue, String)> {
        let Some(here) = &self.here else { return Vec::new() };
        let and = if here.contains('?') { '&' } else { '?' };
        let others = Tongue::ALL.into_iter().filter(|tongue| *tongue != self.tongue);
        others.map(|tongue| (tongue, format!("{here}{and}lang={}", tongue.tag()))).collect()
    }

    /// Whether the page speaks another language than the document.
    pub fn is_translated(&self) -> bool {
        Tongue::of_tag(&self.document) != Some(self.tongue)
    }

    /// The attribute that says of a quotation that it is in the document's language, where the page is not.
    pub fn original(&self) -> Markup {
        let attribute = || format!(" lang=\"{}\"", super::state::escape(&self.document));
        Markup::trusted(if self.is_translated() { attribute() } else { String::new() })
    }

    /// A sentence without values.
    pub fn say(&self, sentence: impl Sentence) -> &'static str {
        self.tongue.say(sentence.sentence())
    }

    /// A sentence with places for values and links.
    pub fn put(&self, sentence: &'static str) -> Said {
        self.tongue.put(sentence)
    }

    /// A sentence about a number of things.
    pub fn count(&self, n: impl Many, one: &'static str, many: &'static str) -> Said {
        self.tongue.count(n.many(), one, many)
    }

    /// A whole number.
    pub fn number(&self, n: impl Many) -> String {
        self.tongue.number(n.many())
    }

    /// A number of bytes.
    pub fn size(&self, bytes: impl Many) -> String {
        self.tongue.size(bytes.many())
    }

    /// `5 May 2026, 14:07 UTC`, as an element that machines read too.
    pub fn time(&self, at: impl Instant) -> Markup {
        at.moment().element(&self.words(at))
    }

    /// `5 May 2026, 14:07 UTC`, as text.
    pub fn words(&self, at: impl Instant) -> String {
        self.tongue.time(at.moment().into())
    }

    /// `5 May 2026`, as an element.
    pub fn day(&self, at: impl Instant) -> Markup {
        at.moment().element(&self.tongue.day(at.moment().into()))
    }

    /// `5 May 14:07`, for a dense table whose head says "UTC".
    pub fn short(&self, at: impl Instant) -> Markup {
        at.moment().element(&self.tongue.short_time(at.moment().into()))
    }

    /// `in 2 days`, `3 hours ago`, `just now`, as an element.
    pub fn relative(&self, at: impl Instant) -> Markup {
        at.moment().element(&self.tongue.relative(at.moment().into(), self.now.into()))
    }

    /// A state's shape and word.
    pub fn chip(&self, state: impl Borrow<State>) -> Markup {
        let state = *state.borrow();
        state.says(self.say(state.word()))
    }

    /// `21 kept`, with its shape.
    pub fn tally(&self, part: &Tally) -> Markup {
        part.state.says(&self.put(part.state.counted()).with("count", self.number(part.count)).text())
    }

    /// How a clock stands now.
    pub fn clock(&self, clock: &Clock) -> Markup {
        clock.chip_in(self.tongue, self.now)
    }
}

/// What every page of the desk is given besides the shell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Desk {
    /// What every page is given.
    pub shell: Shell,
    /// What needs a human today, most urgent first; empty when nothing does.
    pub today: Vec<Need>,
    /// The pages that this role may open, by the last part of their address; `jobs` stands for releasing them.
    pub pages: Vec<&'static str>,
}

impl Desk {
    /// Whether this role may open the page.
    pub fn opens(&self, page: &str) -> bool {
        self.pages.contains(&page)
    }
}

/// One thing that needs a human.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// How urgent it is.
    pub state: State,
    /// What it is, with its figure: `3 requests are due within 18 hours`.
    pub says: String,
    /// Where to act on it.
    pub href: String,
}

impl Need {
    /// Shape and sentence.
    pub fn line(&self) -> Markup {
        self.state.says(&self.says)
    }
}
