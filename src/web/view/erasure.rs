//! Erasing an account: what goes, what stays and why, and the proof afterwards.

use askama::Template;

use super::{Count, Fact, Mark, Mistakes, Moment, Recipient, Seal, Shell, State, Stays, Viewer};

/// The page that asks before everything goes.
#[derive(Template, Debug, Clone)]
#[template(path = "person/erase.html", config = "src/web/askama.toml")]
pub struct Erase {
    /// What every page is given.
    pub shell: Shell,
    /// Pictures in all.
    pub images: Count,
    /// What goes, by category: name and number.
    pub goes: Vec<Fact>,
    /// Copies elsewhere that go as well, each a sentence.
    pub elsewhere: Vec<String>,
    /// What stays.
    pub stays: Vec<Stays>,
    /// Until when it can be taken back; `None` when it is done at once.
    pub take_back: Option<Moment>,
    /// When old backups can no longer be opened for this person.
    pub backups_unreadable: Moment,
    /// Whether a link by mail has to be opened first.
    pub step_up: bool,
    /// Whether a request for the data themselves is still open, which should be answered first.
    pub open_access: Option<String>,
    /// What was wrong.
    pub mistakes: Mistakes,
}

impl Erase {
    /// The words on the button: it says what it does.
    pub fn button(&self) -> String {
        if self.images.none() {
            return self.shell.say("Erase my account").to_owned();
        }
        let both = self.shell.count(
            self.images,
            "Erase my account and {count} image",
            "Erase my account and {count} images",
        );
        both.text()
    }
}

/// The page after the erasure; nobody is signed in any more.
#[derive(Template, Debug, Clone)]
#[template(path = "person/erased.html", config = "src/web/askama.toml")]
pub struct Erased {
    /// What every page is given.
    pub shell: Shell,
    /// Whether it is done and was looked for again.
    pub done: bool,
    /// Until when it can be taken back, if it is set for later.
    pub scheduled_for: Option<Moment>,
    /// When it was done.
    pub at: Moment,
    /// The reference of the request.
    pub reference: String,
    /// What was erased, by category: name and number.
    pub erased: Vec<Fact>,
    /// How each place was looked through afterwards: place and finding.
    pub verified: Vec<Fact>,
    /// Who else was told, and how it stands there.
    pub elsewhere: Vec<Recipient>,
    /// What stays.
    pub stays: Vec<Stays>,
    /// The seal of the receipt, once there is one.
    pub seal: Option<Seal>,
    /// The receipt's page.
    pub receipt_href: Option<String>,
    /// The receipt's file.
    pub receipt_file: String,
    /// The key that verifies it.
    pub verifier_key: String,
    /// The four steps, each with its own entry and proof.
    pub proofs: Vec<StepProof>,
}

/// A step of an erasure and its proof.
#[derive(Debug, Clone)]
pub struct StepProof {
    /// What the step did, in a sentence.
    pub says: &'static str,
    /// When; `None` while it is still to come.
    pub at: Option<Moment>,
    /// The page of its entry.
    pub href: Option<String>,
}
