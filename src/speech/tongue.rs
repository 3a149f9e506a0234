use super::catalog::{self, Form};
use super::said::Said;

/// A language that pages and letters are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Tongue {
    /// English, in which everything is written first.
    #[default]
    English,
    /// German.
    German,
}

impl Tongue {
    /// Each of them.
    pub const ALL: [Self; 2] = [Self::English, Self::German];

    /// Its tag (BCP 47): `en`, `de`.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }

    /// What it calls itself: `Deutsch`.
    pub const fn own_name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::German => "Deutsch",
        }
    }

    /// The language of a tag, whatever its region: `de`, `de-AT`.
    pub fn of_tag(tag: &str) -> Option<Self> {
        let primary = tag.trim().split(['-', '_']).next().unwrap_or_default();
        Self::ALL.into_iter().find(|tongue| tongue.tag().eq_ignore_ascii_case(primary))
    }

    /// The one that a browser likes best of those spoken here, from its `Accept-Language` (RFC 9110, 12.5.4): the
    /// highest weight wins, and of equal ones the first. `None` where it likes none of them.
    pub fn preferred(accepted: &str) -> Option<Self> {
        let mut best: Option<(u16, Self)> = None;
        for part in accepted.split(',').take(MOST_TAGS) {
            let (tag, rest) = part.split_once(';').unwrap_or((part, ""));
            let Some(tongue) = Self::of_tag(tag) else { continue };
            let weight = weight(rest);
            if weight > best.map_or(0, |(most, _)| most) {
                best = Some((weight, tongue));
            }
        }
        best.map(|(_, tongue)| tongue)
    }

    /// A sentence without values. In English, or where it has no row, the sentence itself.
    pub fn say(self, sentence: &'static str) -> &'static str {
        self.known(sentence).unwrap_or(sentence)
    }

    /// What stands for a text that is known at run time only; `None` where it has no row.
    pub fn known(self, text: &str) -> Option<&'static str> {
        catalog::of(self)?.find("", text, Form::One)
    }

    /// A text that is known at run time only, in this language as far as it has a row.
    pub fn tell(self, text: &str) -> String {
        self.known(text).unwrap_or(text).to_owned()
    }

    /// A sentence with places for values, to be filled: see [`Said`].
    pub fn put(self, sentence: &'static str) -> Said {
        Said::new(self.say(sentence))
    }

    /// A sentence about a number of things, in the form that the number asks for, with `{count}` filled already.
    pub fn count(self, n: u64, one: &'static str, many: &'static str) -> Said {
        self.count_in("", n, one, many)
    }

    /// The same where one English word needs several of another language, told apart by a context.
    pub(super) fn count_in(
        self,
        context: &'static str,
        n: u64,
        one: &'static str,
        many: &'static str,
    ) -> Said {
        // Both languages use one form for exactly one thing and another for all else.
        let (form, english) = if n == 1 { (Form::One, one) } else { (Form::Many, many) };
        let found = catalog::of(self).and_then(|c| c.find(context, one, form));
        Said::new(found.unwrap_or(english)).with("count", self.number(n))
    }
}

/// More tags than this are not looked at: nobody speaks so many, and a header may be long.
const MOST_TAGS: usize = 32;

/// The weight in thousandths; what is no weight counts as none given.
fn weight(parameters: &str) -> u16 {
    let q = parameters.split(';').find_map(|p| p.trim().strip_prefix("q="));
    let Some(q) = q else { return 1000 };
    let (whole, part) = q.trim().split_once('.').unwrap_or((q.trim(), ""));
    let thousandths = format!("{part:0<3}").get(..3).and_then(|p| p.parse::<u16>().ok());
    match (whole, thousandths) {
        ("0", Some(n)) => n,
        _ => 1000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_liked_language_is_spoken() {
        for (accepted, tongue) in [
            ("de", Some(Tongue::German)),
            ("de-AT,de;q=0.9,en;q=0.8", Some(Tongue::German)),
            ("fr-CH, fr;q=0.9, en;q=0.8, de;q=0.7, *;q=0.5", Some(Tongue::English)),
            ("en;q=0.4, de;q=0.45", Some(Tongue::German)),
            ("en-GB, de", Some(Tongue::English)),
            ("de;q=0", None),
            ("fr, *", None),
            ("", None),
        ] {
            assert_eq!(Tongue::preferred(accepted), tongue, "{accepted:?}");
        }
    }
}
