//! What surrounds every page: whose it is, who is signed in, and whether this is a rehearsal.

use super::state::State;
use super::words::{Count, Markup, Moment};

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
