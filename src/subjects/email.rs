use std::fmt;
use std::str::FromStr;

use zeroize::Zeroizing;

use super::Error;

/// An e-mail address in its one normal form: trimmed and lower-case. Plus tags and dots are kept: they are the owner's
/// business, and folding them would let one person take another's account. Printed nowhere.
#[derive(Clone, PartialEq, Eq)]
pub struct Email(Zeroizing<String>);

impl Email {
    /// The address.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl FromStr for Email {
    type Err = Error;

    /// Plain addresses of RFC 5321 only: no quoted local parts, comments, address literals or control characters, 254
    /// characters at most, and a domain with a dot or `localhost`.
    fn from_str(s: &str) -> Result<Self, Error> {
        let s = s.trim();
        if s.len() > 254 {
            return Err(Error::BadEmail("it is longer than 254 characters"));
        }
        if s.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(Error::BadEmail("it has a space or a control character in it"));
        }
        if !s.is_ascii() {
            return Err(Error::BadEmail("it has characters beyond ASCII; write the domain in its xn-- form"));
        }
        if s.contains(['"', '(', ')', '[', ']', '<', '>', '\\', ',', ';', ':', '%']) {
            return Err(Error::BadEmail("it has a character that plain addresses do not have"));
        }
        let (local, domain) = s.rsplit_once('@').ok_or(Error::BadEmail("it has no @"))?;
        let dotted = domain
            .split('.')
            .all(|l| !l.is_empty() && l.len() <= 63 && !l.starts_with('-') && !l.ends_with('-'));
        if local.is_empty() || local.len() > 64 || local.contains('@') {
            return Err(Error::BadEmail("the part before the @ is not right"));
        }
        if !dotted || !(domain.contains('.') || domain.eq_ignore_ascii_case("localhost")) {
            return Err(Error::BadEmail("the part after the @ is not right"));
        }
        if lettre_refuses(s) {
            return Err(Error::BadEmail("mail could not be sent to it"));
        }
        Ok(Self(Zeroizing::new(s.to_ascii_lowercase())))
    }
}

fn lettre_refuses(s: &str) -> bool {
    s.parse::<lettre::Address>().is_err()
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email(…)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_address_has_one_normal_form() {
        assert_eq!(" Ada.L+fotos@Example.ORG ".parse::<Email>().unwrap().expose(), "ada.l+fotos@example.org");
    }

    #[test]
    fn what_could_smuggle_a_header_or_a_person_is_refused() {
        for bad in [
            "",
            "ada",
            "@example.org",
            "ada@",
            "ada@example",
            "ada@@example.org",
            "a\r\nbcc: eve@example.org",
            "ada%0abcc@example.org",
            "\"ada\"@example.org",
            "ada(x)@example.org",
            "ada@[127.0.0.1]",
            "ada@exam ple.org",
            "аda@example.org",
            "ada@-example.org",
            "ada@example..org",
        ] {
            assert!(bad.parse::<Email>().is_err(), "{bad}");
        }
        assert!(format!("{}@example.org", "a".repeat(65)).parse::<Email>().is_err());
    }

    proptest! {
        #[test]
        fn no_input_panics_and_what_passes_is_stable(s in "\\PC{0,80}") {
            if let Ok(email) = s.parse::<Email>() {
                prop_assert_eq!(email.expose().parse::<Email>().unwrap(), email);
            }
        }
    }
}
