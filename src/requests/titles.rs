//! What was asked, in the words that pages and letters share: a person who looks for it must find it by one name.

use crate::policy::{Policy, Right};
use crate::speech::Tongue;

/// What was asked, in the person's words. `about` as in [`super::Request`].
pub fn title(tongue: Tongue, policy: &Policy, right: Right, about: Option<&str>) -> String {
    let purpose = || {
        let id = about.unwrap_or_default();
        policy.purpose(id).map_or_else(|| id.to_owned(), |purpose| purpose.title.clone())
    };
    let says = match right {
        Right::Access => tongue.say("Take my data home"),
        Right::Portability => tongue.say("Take my data to another service"),
        Right::Rectification => tongue.say("Correct my details"),
        Right::Erasure => tongue.say("Erase my account"),
        Right::Restriction if about == Some("off") => tongue.say("Lift the pause"),
        Right::Restriction => tongue.say("Pause everything"),
        Right::Objection => return tongue.put("Object to “{purpose}”").with("purpose", purpose()).text(),
        Right::Withdrawal => return tongue.put("Take back “{purpose}”").with("purpose", purpose()).text(),
    };
    says.to_owned()
}
