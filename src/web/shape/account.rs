//! What the sign-up and sign-in pages show.

use crate::policy::Policy;
use crate::speech::Tongue;
use crate::web::form::Filled;
use crate::web::page::{Visit, purpose_title};
use crate::web::view::{ConsentChoice, Markup, Mistake, Mistakes, escape};

/// The purposes that need a yes, each off until it is ticked.
pub(crate) fn choices(policy: &Policy, ticked: &[String]) -> Vec<ConsentChoice> {
    let asked = policy.purposes().filter(|p| p.needs_consent());
    asked
        .map(|p| ConsentChoice {
            purpose: p.id.clone(),
            title: p.title.clone(),
            means: means(&p.means),
            on: ticked.contains(&p.id),
        })
        .collect()
}

/// Words of the document that are not markup.
pub(crate) fn means(text: &str) -> Markup {
    Markup::trusted(escape(text))
}

/// The purposes that were ticked and that one can say yes to.
pub(crate) fn ticked<'a>(policy: &Policy, words: impl Iterator<Item = &'a str>) -> Vec<String> {
    words
        .filter(|id| policy.purpose(id).is_some_and(crate::policy::Purpose::needs_consent))
        .map(ToOwned::to_owned)
        .collect()
}

/// One mistake in a form.
pub(crate) fn mistake(field: &str, says: impl Into<String>) -> Mistakes {
    Mistakes(vec![Mistake { field: field.to_owned(), says: says.into() }])
}

/// An address that cannot be used.
pub(crate) fn bad_address(tongue: Tongue) -> Mistakes {
    mistake("email", tongue.say("Enter an address with an @ in it, like name@example.org."))
}

/// Where to go after signing in: a path below the tenant's root, or the pictures.
pub(crate) fn next(asked: &str) -> String {
    let sound = asked.starts_with('/')
        && !asked.starts_with("//")
        && asked.bytes().all(|b| b.is_ascii_alphanumeric() || b"/-_.?=&#".contains(&b));
    if sound { asked.to_owned() } else { "/images".to_owned() }
}

/// The path that a mailed link opens, below the root and without its token.
pub(crate) fn confirm_path(next: &str, consents: &[String]) -> String {
    format!("{}&bound=yes", confirm_action(next, consents))
}

/// Where the button of that page sends its form: everything but the token.
pub(crate) fn confirm_action(next: &str, consents: &[String]) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("next", next);
    for purpose in consents {
        query.append_pair("consent", purpose);
    }
    format!("/sign-in/confirm?{}", query.finish())
}

/// What the button does, as a sentence.
pub(crate) fn confirms(visit: &Visit, consents: &[String]) -> String {
    let tongue = visit.tongue();
    let quoted = |id: &String| tongue.put("“{title}”").with("title", purpose_title(&visit.policy, id)).text();
    let both = |one: String, other: String| {
        tongue.put("{one} and {other}").with("one", one).with("other", other).text()
    };
    match consents.iter().map(quoted).reduce(both) {
        None => tongue.put("You asked to sign in to {brand}.").with("brand", visit.brand()).text(),
        Some(titles) => {
            let said = tongue.put("You asked to sign in to {brand} and to switch on {titles}.");
            said.with("brand", visit.brand()).with("titles", titles).text()
        }
    }
}

/// A sign-up as it was filled in.
pub(crate) struct Signing {
    /// The address, as typed.
    pub(crate) email: String,
    /// The name, as typed.
    pub(crate) name: String,
    /// The purposes ticked.
    pub(crate) consents: Vec<String>,
}

impl Signing {
    /// From the form.
    pub(crate) fn of(policy: &Policy, form: &Filled) -> Self {
        Self {
            email: form.one("email").to_owned(),
            name: form.one("name").to_owned(),
            consents: ticked(policy, form.all("consent")),
        }
    }

    /// What to call them: as they say, or by what stands before the @.
    pub(crate) fn called(&self) -> String {
        let before = self.email.split('@').next().unwrap_or_default();
        if self.name.is_empty() { before.to_owned() } else { self.name.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_led_out_of_the_house() {
        for bad in ["//evil.example", "https://evil.example", "", "images", "/\\evil", "/a b", "/a\r\nb"] {
            assert_eq!(next(bad), "/images", "{bad:?}");
        }
        assert_eq!(next("/privacy#consents"), "/privacy#consents");
    }
}
