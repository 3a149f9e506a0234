//! The second factor of staff: setting one up, being asked for a code, the codes for the day it is lost.

use std::fmt::Write as _;

use askama::Template;
use qrcode::{Color, EcLevel, QrCode};

use crate::web::view::{Mark, Markup, Mistakes, Moment, Shell, State, Viewer, escape};

/// A QR code as a drawing of the page: dark on white in any light, with the four modules of quiet around it that
/// readers need. Nothing when the text does not fit.
pub fn qr(text: &str, says: &str) -> Markup {
    let Ok(code) = QrCode::with_error_correction_level(text.as_bytes(), EcLevel::M) else {
        return Markup::default();
    };
    let (width, quiet) = (code.width(), 4);
    let mut path = String::new();
    for (y, row) in code.to_colors().chunks(width).enumerate() {
        for (x, _) in row.iter().enumerate().filter(|(_, color)| **color == Color::Dark) {
            let _ = write!(path, "M{} {}h1v1h-1z", x + quiet, y + quiet);
        }
    }
    let side = width + 2 * quiet;
    let says = escape(says);
    Markup::trusted(format!(
        "<svg class=\"qr\" viewBox=\"0 0 {side} {side}\" role=\"img\" aria-label=\"{says}\" \
         shape-rendering=\"crispEdges\"><rect width=\"{side}\" height=\"{side}\" fill=\"#fff\"/>\
         <path d=\"{path}\" fill=\"#000\"/></svg>"
    ))
}

/// A secret in groups of four, which a person can type.
pub fn grouped(secret: &str) -> String {
    let all: Vec<char> = secret.chars().collect();
    let groups: Vec<String> = all.chunks(4).map(|group| group.iter().collect()).collect();
    groups.join(" ")
}

/// Setting up a second factor, at the first sign-in.
#[derive(Template, Debug, Clone)]
#[template(path = "desk/factor-new.html", config = "src/web/askama.toml")]
pub struct FactorNew {
    /// What every page is given.
    pub shell: Shell,
    /// The QR code.
    pub code: Markup,
    /// The secret as text, in groups.
    pub secret: String,
    /// Whether another was taken away before, so that the gravest acts wait.
    pub replaces: bool,
    /// Where to go after; a path of the desk.
    pub next: String,
    /// What was wrong.
    pub mistakes: Mistakes,
}

/// Being asked for a code: after the link, or before one of the gravest acts, whose form is then sent along.
#[derive(Template, Debug, Clone)]
#[template(path = "desk/factor.html", config = "src/web/askama.toml")]
pub struct FactorAsked {
    /// What every page is given.
    pub shell: Shell,
    /// Where the form is sent.
    pub action: String,
    /// The fields that were sent before, to be sent again with the code.
    pub carried: Vec<(String, String)>,
    /// Whether they are inside already, and asked once more because of what they want to do.
    pub again: bool,
    /// Whether they have a code to give at all.
    pub has_code: bool,
    /// How many recovery codes are left.
    pub codes_left: u32,
    /// Where the identity provider is asked once more, for whoever came by it.
    pub provider: Option<ProviderDoor>,
    /// What was wrong.
    pub mistakes: Mistakes,
}

/// The page that asks for a code of the app before new recovery codes are made.
#[derive(Template, Debug, Clone)]
#[template(path = "desk/factor-renewal.html", config = "src/web/askama.toml")]
pub struct FactorRenewal {
    /// What every page is given.
    pub shell: Shell,
    /// How many recovery codes are left.
    pub codes_left: u32,
    /// What was wrong.
    pub mistakes: Mistakes,
}

/// The recovery codes, shown this once.
#[derive(Template, Debug, Clone)]
#[template(path = "desk/factor-codes.html", config = "src/web/askama.toml")]
pub struct FactorCodes {
    /// What every page is given.
    pub shell: Shell,
    /// The codes.
    pub codes: Vec<String>,
    /// Whether they are in place of others, which are void.
    pub renewed: bool,
    /// Until when the gravest acts wait.
    pub held_until: Option<Moment>,
    /// Where to go on.
    pub next: String,
}

/// The way to the staff's identity provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderDoor {
    /// What it is called.
    pub name: String,
    /// The address that leads there.
    pub href: String,
}

/// Back from the identity provider. The next page is asked for by this one, so that the session's cookie comes along:
/// a browser does not send it where another site led.
#[derive(Template, Debug, Clone)]
#[template(path = "desk/come-in.html", config = "src/web/askama.toml")]
pub struct ComeIn {
    /// What every page is given.
    pub shell: Shell,
    /// Where to go on.
    pub next: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drawing_has_the_modules_of_the_code() {
        let text =
            "otpauth://totp/House:ada@example.org?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=House";
        let svg = qr(text, "a \"code\"");
        let code = QrCode::with_error_correction_level(text.as_bytes(), EcLevel::M).unwrap();
        let dark = code.to_colors().iter().filter(|c| **c == Color::Dark).count();
        assert_eq!(svg.as_str().matches("h1v1h-1z").count(), dark);
        let side = code.width() + 8;
        assert!(svg.as_str().contains(&format!("viewBox=\"0 0 {side} {side}\"")));
        assert!(svg.as_str().contains("aria-label=\"a &quot;code&quot;\""));
        assert!(qr(&"x".repeat(5000), "").is_empty());
        assert_eq!(grouped("GEZDGNBVGY"), "GEZD GNBV GY");
    }
}
