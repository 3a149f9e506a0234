//! Coming in: by a link sent to one's own mailbox, opened and then confirmed with a button, so that a mail scanner
//! that follows links signs nobody in.

use askama::Template;

use super::{Mark, Markup, Mistakes, Moment, Shell, Viewer};

/// The page that asks for an e-mail address.
#[derive(Template, Debug, Clone)]
#[template(path = "account/sign-in.html", config = "src/web/askama.toml")]
pub struct SignIn {
    /// What every page is given.
    pub shell: Shell,
    /// What was typed before, shown again after a mistake.
    pub email: String,
    /// Where to go after, if it was asked for; a path of this site.
    pub next: String,
    /// What was wrong.
    pub mistakes: Mistakes,
}

/// The page after asking: the same words whether the address is known here or not.
#[derive(Template, Debug, Clone)]
#[template(path = "account/mail-sent.html", config = "src/web/askama.toml")]
pub struct MailSent {
    /// What every page is given.
    pub shell: Shell,
    /// The address as typed.
    pub email: String,
    /// Whether an account was to be opened: there is a letter in any case then.
    pub opens: bool,
    /// How long the link lives, in words: `15 minutes`.
    pub lives: String,
    /// In development mode, the link itself; no mail leaves the house then.
    pub development_link: Option<String>,
}

impl MailSent {
    /// Where one tries again, below the root.
    pub fn again(&self) -> &'static str {
        if self.opens { "/sign-up" } else { "/sign-in" }
    }
}

/// The page the link opens: nothing has happened yet, the button does it.
#[derive(Template, Debug, Clone)]
#[template(path = "account/sign-in-confirm.html", config = "src/web/askama.toml")]
pub struct SignInConfirm {
    /// What every page is given.
    pub shell: Shell,
    /// The token to send back.
    pub token: String,
    /// Where the form is sent, below the root: `/sign-in/confirm` or `/desk/sign-in/confirm`.
    pub action: String,
    /// What the link was asked for, as a sentence: `You asked to sign in to Flux Kontext.`
    pub says: String,
    /// The words on the button: `Sign in`, `Create my account`.
    pub button: String,
    /// Until when the link works; `None` when it is none that does, as far as is known.
    pub until: Option<Moment>,
    /// Whether this browser is not the one that asked, so that a short code has to be typed.
    pub asks_code: bool,
    /// What was wrong.
    pub mistakes: Mistakes,
}

/// The page that opens an account.
#[derive(Template, Debug, Clone)]
#[template(path = "account/sign-up.html", config = "src/web/askama.toml")]
pub struct SignUp {
    /// What every page is given.
    pub shell: Shell,
    /// What was typed before.
    pub email: String,
    /// What was typed before.
    pub name: String,
    /// The version of the policy in force.
    pub policy_version: String,
    /// Since when it is in force.
    pub policy_effective: Moment,
    /// The optional purposes, each off until it is switched on.
    pub choices: Vec<ConsentChoice>,
    /// What was wrong.
    pub mistakes: Mistakes,
}

/// A purpose that a person may allow.
#[derive(Debug, Clone)]
pub struct ConsentChoice {
    /// The purpose's id in the document.
    pub purpose: String,
    /// What one would allow: `Use my pictures to train models`.
    pub title: String,
    /// What that means, sanitised.
    pub means: Markup,
    /// Whether it is switched on.
    pub on: bool,
}
