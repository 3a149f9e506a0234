//! Codes of an authenticator app (RFC 6238): SHA-1, six digits, thirty seconds, which every such app can do; a code of
//! the step before or after counts too, for clocks that differ.

use totp_rs::{Builder, Totp};

use super::Error;
use crate::base::{Secret, Timestamp};

/// The length of a secret in bytes: that of the hash (RFC 4226, section 4).
pub(super) const SECRET: usize = 20;

/// What an app is given to make codes.
#[derive(Debug, Clone)]
pub struct Enrolment {
    /// The secret in base 32, to be typed.
    pub secret: Secret<String>,
    /// The same with name and house, `otpauth://totp/…`, to be shown as a QR code.
    pub uri: Secret<String>,
}

fn app(secret: &[u8], account: &str, issuer: &str) -> Result<Totp, Error> {
    // A colon parts issuer and account in the address.
    let clean = |text: &str| text.replace(':', " ");
    let made =
        Builder::new().with_secret(secret).with_account_name(clean(account)).with_issuer(Some(clean(issuer)));
    // A secret that is no secret was laid down by nobody: the row is not as this program writes it.
    made.build().map_err(|_| crate::store::Error::inconsistent("staff_factor", "sealed").into())
}

/// The step whose code this is, of the three around now.
pub(super) fn step_of(secret: &[u8], code: &str, now: Timestamp) -> Result<Option<i64>, Error> {
    let seconds = u64::try_from(now.micros() / 1_000_000).unwrap_or(0);
    let step = app(secret, "staff", "desk")?.check(code, seconds);
    Ok(step.and_then(|step| i64::try_from(step).ok()))
}

/// A secret as an app takes it.
pub(super) fn enrolment(secret: &[u8], account: &str, issuer: &str) -> Result<Enrolment, Error> {
    let app = app(secret, account, issuer)?;
    let inconsistent = |_| Error::from(crate::store::Error::inconsistent("staff_factor", "sealed"));
    Ok(Enrolment {
        secret: Secret::new(app.secret().to_base32()),
        uri: Secret::new(app.to_url().map_err(inconsistent)?),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// RFC 6238, appendix B: the secret, moments, and the last six of their eight digits.
    const RFC: &[u8] = b"12345678901234567890";
    const MOMENTS: [(i64, &str); 6] = [
        (59, "287082"),
        (1_111_111_109, "081804"),
        (1_111_111_111, "050471"),
        (1_234_567_890, "005924"),
        (2_000_000_000, "279037"),
        (20_000_000_000, "353130"),
    ];

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    #[test]
    fn codes_are_those_of_the_standard() {
        for (seconds, code) in MOMENTS {
            assert_eq!(step_of(RFC, code, at(seconds)).unwrap(), Some(seconds / 30), "{seconds}");
            for near in [-30, 30] {
                assert_eq!(
                    step_of(RFC, code, at(seconds + near)).unwrap(),
                    Some(seconds / 30),
                    "{seconds} {near}"
                );
            }
            for far in [60, 90] {
                assert_eq!(step_of(RFC, code, at(seconds + far)).unwrap(), None, "{seconds} {far}");
            }
        }
    }

    #[test]
    fn an_app_is_given_everything_it_needs() {
        let given = enrolment(RFC, "ada@example.org", "A: house & co").unwrap();
        assert_eq!(given.secret.expose(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        let uri: url::Url = given.uri.expose().parse().unwrap();
        assert_eq!((uri.scheme(), uri.host_str()), ("otpauth", Some("totp")));
        let pairs: std::collections::BTreeMap<_, _> = uri.query_pairs().into_owned().collect();
        assert_eq!(pairs.get("secret"), Some(given.secret.expose()));
        assert_eq!(pairs.get("issuer").map(String::as_str), Some("A  house & co"));
        assert!(!format!("{given:?}").contains("GEZD"));
    }

    proptest! {
        #[test]
        fn nothing_but_six_digits_is_a_code(text in "\\PC{0,12}", seconds in 0..4_000_000_000_i64) {
            let found = step_of(RFC, &text, at(seconds)).unwrap();
            let digits = text.len() == 6 && text.bytes().all(|b| b.is_ascii_digit());
            prop_assert!(digits || found.is_none());
        }
    }
}
