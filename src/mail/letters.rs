//! The letters: one struct each, plain data in, subject and two bodies out.
//!
//! Every letter can be read as text alone. Links are whole addresses, so that a reader sees where they lead. A letter
//! names its reader only where the reader gave a name, and repeats nothing that the mailbox does not need to know.

use askama::Template;

use crate::base::Timestamp;
use crate::speech::{Said, Tongue, key};

/// What a letter is, once written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The subject line, without line breaks.
    pub subject: String,
    /// The plain text.
    pub text: String,
    /// The same as HTML, without anything to be fetched.
    pub html: String,
}

/// Whose letter it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letterhead {
    /// The tenant's brand.
    pub brand: String,
    /// Where questions go.
    pub contact: String,
    /// The whole address of the privacy centre.
    pub privacy_link: String,
    /// Whether this comes from a development installation.
    pub development: bool,
    /// The language it is written in.
    pub tongue: Tongue,
}

impl Letterhead {
    /// A sentence without values.
    pub fn say(&self, sentence: &'static str) -> &'static str {
        self.tongue.say(sentence)
    }

    fn put(&self, sentence: &'static str) -> Said {
        self.tongue.put(sentence)
    }

    fn count(&self, n: impl std::borrow::Borrow<u64>, one: &'static str, many: &'static str) -> Said {
        self.tongue.count(*n.borrow(), one, many)
    }

    /// `5 May 2026, 14:07 UTC`.
    fn time(&self, at: impl std::borrow::Borrow<Timestamp>) -> String {
        self.tongue.time(*at.borrow())
    }

    /// `5 May 2026`.
    fn day(&self, at: impl std::borrow::Borrow<Timestamp>) -> String {
        self.tongue.day(*at.borrow())
    }

    /// A subject line about a brand and a day.
    fn of_brand(&self, sentence: &'static str, day: Option<Timestamp>) -> String {
        let said = self.put(sentence).with("brand", &self.brand);
        said.with("day", day.map(|day| self.day(day)).unwrap_or_default()).text()
    }
}

/// A letter that can be written.
pub trait Letter {
    /// Writes it. Fails only if a template fails, which is a fault of ours.
    fn write(&self) -> Result<Written, askama::Error>;
}

/// Pairs a letter with its two templates.
macro_rules! letter {
    ($letter:ident, $text:literal, $html:literal) => {
        const _: () = {
            #[derive(Template)]
            #[template(path = $text, config = "src/mail/askama.toml")]
            struct Text<'a> {
                letter: &'a $letter,
                head: &'a Letterhead,
            }
            #[derive(Template)]
            #[template(path = $html, config = "src/mail/askama.toml")]
            struct Html<'a> {
                letter: &'a $letter,
                head: &'a Letterhead,
                subject: &'a str,
            }
            impl Letter for $letter {
                fn write(&self) -> Result<Written, askama::Error> {
                    let subject = one_line(&self.subject());
                    let text = Text { letter: self, head: &self.head }.render()?;
                    let html = Html { letter: self, head: &self.head, subject: &subject }.render()?;
                    Ok(Written { subject, text, html })
                }
            }
        };
    };
}

mod address;
mod erasure;
mod mandate;

pub use address::{AddressChanged, AddressTaken, ConfirmAddress};
pub use erasure::ErasureWaits;
pub use mandate::{ConfirmMandate, MandateStopped};

/// The link that signs someone in.
#[derive(Debug, Clone)]
pub struct SignInLink {
    /// Whose letter it is.
    pub head: Letterhead,
    /// The whole link.
    pub link: String,
    /// The code to type when the link is opened in another browser.
    pub code: String,
    /// Until when it works.
    pub until: Timestamp,
    /// Whether it opens a new account.
    pub opens_account: bool,
}

/// Somebody wrote a request from this address, and must say that it was they.
#[derive(Debug, Clone)]
pub struct ConfirmLetter {
    /// Whose letter it is.
    pub head: Letterhead,
    /// When theirs reached us.
    pub received: Timestamp,
    /// Until when the link works.
    pub until: Timestamp,
    /// By when, as promised.
    pub promised_by: Timestamp,
    /// The whole link.
    pub link: String,
}

/// A request has arrived.
#[derive(Debug, Clone)]
pub struct RequestAcknowledged {
    /// Whose letter it is.
    pub head: Letterhead,
    /// The reference number.
    pub reference: String,
    /// What was asked: `Take my data home`.
    pub title: String,
    /// When it reached us.
    pub received: Timestamp,
    /// By when, as promised.
    pub promised_by: Timestamp,
    /// By when the law wants it.
    pub law_by: Timestamp,
    /// How identity is proved, or that it has been.
    pub identity: String,
    /// The whole link to its page, or the one that confirms it.
    pub link: String,
}

/// A request has been answered.
#[derive(Debug, Clone)]
pub struct RequestAnswered {
    /// Whose letter it is.
    pub head: Letterhead,
    /// The reference number.
    pub reference: String,
    /// What was asked.
    pub title: String,
    /// The answer, a paragraph each.
    pub answer: Vec<String>,
    /// Until when an archive can be fetched; `None` when there is none.
    pub archive_until: Option<Timestamp>,
    /// After a refusal: the authority to complain to, and the courts.
    pub remedy: Option<String>,
    /// The whole link to its page.
    pub link: String,
}

/// The answer to a request takes longer than the law's first term (Art. 12(3) GDPR).
#[derive(Debug, Clone)]
pub struct RequestExtended {
    /// Whose letter it is.
    pub head: Letterhead,
    /// The reference number.
    pub reference: String,
    /// What was asked.
    pub title: String,
    /// Why, a paragraph each.
    pub reasons: Vec<String>,
    /// By when it is answered.
    pub until: Timestamp,
    /// The authority to complain to, and the courts.
    pub remedy: String,
    /// The whole link to its page.
    pub link: String,
}

/// A request has ended that nobody confirmed to be theirs.
#[derive(Debug, Clone)]
pub struct RequestLapsed {
    /// Whose letter it is.
    pub head: Letterhead,
    /// The reference number.
    pub reference: String,
    /// What was asked.
    pub title: String,
    /// When it reached us.
    pub received: Timestamp,
    /// Whether it ended because the agent that asked for it may ask no more; else nobody confirmed it in time.
    pub agent_removed: bool,
    /// The whole link to its page.
    pub link: String,
}

/// An erasure has been set for a time.
#[derive(Debug, Clone)]
pub struct ErasureScheduled {
    /// Whose letter it is.
    pub head: Letterhead,
    /// The reference number.
    pub reference: String,
    /// When it takes place.
    pub at: Timestamp,
    /// How many pictures go.
    pub images: u64,
    /// What stays, and why, a sentence each.
    pub stays: Vec<String>,
    /// The whole link that takes it back.
    pub take_back_link: String,
}

/// An erasure has been carried out. The receipt lies behind a link that names nobody.
#[derive(Debug, Clone)]
pub struct ErasureDone {
    /// Whose letter it is.
    pub head: Letterhead,
    /// The reference number.
    pub reference: String,
    /// When.
    pub at: Timestamp,
    /// What stays, and why, a sentence each.
    pub stays: Vec<String>,
    /// By when the last keys are destroyed that could open what old backups hold.
    pub backups_until: Timestamp,
    /// The name of the receipt as a file.
    pub receipt_file: String,
    /// The key that verifies it.
    pub verifier_key: String,
    /// The whole link to where that key is published.
    pub key_link: String,
    /// The whole link to the receipt's page.
    pub receipt_link: String,
    /// The whole link to the page that shows what was done, step by step.
    pub proof_link: String,
}

/// An account that is not used will be cleaned up.
#[derive(Debug, Clone)]
pub struct InactivityWarning {
    /// Whose letter it is.
    pub head: Letterhead,
    /// When the account was last used.
    pub last_active: Timestamp,
    /// When it goes.
    pub goes: Timestamp,
    /// How many pictures go with it.
    pub images: u64,
    /// Whether no further warning follows.
    pub last_warning: bool,
    /// The whole link to sign in by.
    pub sign_in_link: String,
}

/// Something of a person's goes by a rule that promises to say so before.
#[derive(Debug, Clone)]
pub struct GoingSoon {
    /// Whose letter it is.
    pub head: Letterhead,
    /// What goes: the categories' names.
    pub what: Vec<String>,
    /// When the first of it goes.
    pub goes: Timestamp,
    /// The rule in words: `2 years after it was made`.
    pub because: String,
    /// Whether it stays if the reader comes back before.
    pub unless_back: bool,
    /// Whether no further warning follows.
    pub last_warning: bool,
    /// The whole link by which it can be taken home.
    pub take_home_link: String,
}

/// A legal hold is on a person's data.
#[derive(Debug, Clone)]
pub struct HoldPlaced {
    /// Whose letter it is.
    pub head: Letterhead,
    /// What it is on: a category's name, or everything.
    pub what: String,
    /// The law, the order or the case.
    pub matter: String,
    /// Why.
    pub reason: String,
    /// When we look at it again.
    pub review: Timestamp,
}

/// The policy changes.
#[derive(Debug, Clone)]
pub struct PolicyChanged {
    /// Whose letter it is.
    pub head: Letterhead,
    /// From when the new version is in force.
    pub effective: Timestamp,
    /// What changes, a sentence each.
    pub changes: Vec<String>,
    /// Whether something needs a fresh consent, which stays off until it is given.
    pub asks_again: bool,
    /// The whole link to the new version.
    pub policy_link: String,
}

/// What was done with a second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FactorChange {
    /// It was taken away.
    TakenAway,
    /// Another is in its place: the gravest acts wait until then.
    Replaced(Timestamp),
    /// New recovery codes were made; those before are void.
    CodesRenewed,
}

/// Something about a member of staff's second factor was changed.
#[derive(Debug, Clone)]
pub struct StaffFactorChanged {
    /// Whose letter it is.
    pub head: Letterhead,
    /// When.
    pub at: Timestamp,
    /// What was done.
    pub what: FactorChange,
    /// The whole link to the desk.
    pub desk_link: String,
}

impl SignInLink {
    fn subject(&self) -> String {
        let says = if self.opens_account {
            key("Confirm your address for {brand}")
        } else {
            key("Your link to sign in to {brand}")
        };
        self.head.of_brand(says, None)
    }
}

impl ConfirmLetter {
    fn subject(&self) -> String {
        self.head.of_brand(key("Is this privacy request to {brand} yours?"), None)
    }
}

impl RequestAcknowledged {
    fn subject(&self) -> String {
        self.head.put("We have your request {reference}").with("reference", &self.reference).text()
    }
}

impl RequestAnswered {
    fn subject(&self) -> String {
        self.head.put("Our answer to your request {reference}").with("reference", &self.reference).text()
    }
}

impl RequestExtended {
    fn subject(&self) -> String {
        self.head.put("We need longer for your request {reference}").with("reference", &self.reference).text()
    }
}

impl RequestLapsed {
    fn subject(&self) -> String {
        self.head.put("Your request {reference} has ended").with("reference", &self.reference).text()
    }
}

impl ErasureScheduled {
    fn subject(&self) -> String {
        self.head.of_brand(key("Your account at {brand} will be erased on {day}"), Some(self.at))
    }
}

impl ErasureDone {
    fn subject(&self) -> String {
        self.head.put("We erased it: {reference}").with("reference", &self.reference).text()
    }
}

impl InactivityWarning {
    fn subject(&self) -> String {
        self.head.of_brand(key("Your unused account at {brand} goes on {day}"), Some(self.goes))
    }
}

impl GoingSoon {
    fn subject(&self) -> String {
        self.head.of_brand(key("Some of your data at {brand} go on {day}"), Some(self.goes))
    }
}

impl HoldPlaced {
    fn subject(&self) -> String {
        self.head.of_brand(key("{brand} must keep some of your data for now"), None)
    }
}

impl PolicyChanged {
    fn subject(&self) -> String {
        self.head.of_brand(key("The privacy policy of {brand} changes on {day}"), Some(self.effective))
    }
}

impl StaffFactorChanged {
    fn subject(&self) -> String {
        let says = match self.what {
            FactorChange::Replaced(_) => key("Another second factor is set up: the desk of {brand}"),
            FactorChange::TakenAway => key("Your second factor was taken away: the desk of {brand}"),
            FactorChange::CodesRenewed => key("New recovery codes were made: the desk of {brand}"),
        };
        self.head.of_brand(says, None)
    }
}

letter!(SignInLink, "sign-in-link.txt", "sign-in-link.html");
letter!(ConfirmLetter, "confirm-letter.txt", "confirm-letter.html");
letter!(RequestAcknowledged, "request-acknowledged.txt", "request-acknowledged.html");
letter!(RequestAnswered, "request-answered.txt", "request-answered.html");
letter!(RequestExtended, "request-extended.txt", "request-extended.html");
letter!(RequestLapsed, "request-lapsed.txt", "request-lapsed.html");
letter!(ErasureScheduled, "erasure-scheduled.txt", "erasure-scheduled.html");
letter!(ErasureDone, "erasure-done.txt", "erasure-done.html");
letter!(InactivityWarning, "inactivity-warning.txt", "inactivity-warning.html");
letter!(GoingSoon, "going-soon.txt", "going-soon.html");
letter!(HoldPlaced, "hold-placed.txt", "hold-placed.html");
letter!(PolicyChanged, "policy-changed.txt", "policy-changed.html");
letter!(StaffFactorChanged, "staff-factor-changed.txt", "staff-factor-changed.html");

/// A header cannot be broken into two by what stands in it.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests;
