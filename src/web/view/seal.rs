//! The seal: a round mark drawn from a receipt's hash, so that two receipts can be told apart at a glance.
//!
//! Promises: the same 32 bytes give the same drawing on every machine. The drawing is an aid to the eye; what proves a
//! receipt is the hash and the signature beside it.

use std::f64::consts::TAU;
use std::fmt::Write as _;

use super::words::Markup;

/// The seal of one hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seal([u8; 32]);

impl From<[u8; 32]> for Seal {
    fn from(hash: [u8; 32]) -> Self {
        Self(hash)
    }
}

impl Seal {
    /// The hash in hexadecimal, sixty-four digits.
    pub fn hex(&self) -> String {
        hex::encode(self.0)
    }

    /// The first eight digits, for a reader to compare.
    pub fn short(&self) -> String {
        self.hex().chars().take(8).collect()
    }

    /// The hash in groups of four digits, which a person can read out.
    pub fn grouped(&self) -> String {
        let hex = self.hex();
        let mut out = String::with_capacity(80);
        for (at, c) in hex.chars().enumerate() {
            if at > 0 && at % 4 == 0 {
                out.push(' ');
            }
            out.push(c);
        }
        out
    }

    /// The drawing, with what it is called for those who hear the page: the word for a seal, then its first digits.
    pub fn draw(&self, called: &str) -> Markup {
        let mut svg = format!(
            "<svg class=\"seal\" viewBox=\"-100 -100 200 200\" role=\"img\" aria-label=\"{called} {}\">",
            self.short()
        );
        svg.push_str("<g fill=\"none\" stroke=\"currentColor\">");
        svg.push_str("<circle r=\"97\" stroke-width=\"1.4\"/><circle r=\"93.5\" stroke-width=\".5\"/>");
        let _ = write!(svg, "<path d=\"{}\" stroke-width=\"1.5\" stroke-linecap=\"round\"/>", self.rim());
        svg.push_str("<circle r=\"67\" stroke-width=\".5\"/>");
        for (ring, bytes) in (0_u8..2).zip(self.0.chunks(16)) {
            svg.push_str(&self.band(ring, bytes));
        }
        svg.push_str("<circle r=\"19\" stroke-width=\".7\"/></g>");
        svg.push_str("<circle r=\"16.5\" fill=\"currentColor\"/>");
        svg.push_str("<path class=\"cut\" d=\"M-7 .6L-2 5.6 7.6-5.4\" fill=\"none\" stroke-width=\"3\" stroke-linecap=\"round\" stroke-linejoin=\"round\"/>");
        svg.push_str("</svg>");
        Markup::trusted(svg)
    }

    /// A band of the guilloche: one wave, laid over itself several times a little turned. The number of its petals,
    /// their height and lean, and the number of layers are taken from the bytes.
    fn band(&self, ring: u8, bytes: &[u8]) -> String {
        let byte = |at: usize| bytes.get(at).copied().unwrap_or(0);
        let (base, least, spread) = if ring == 0 { (52.0, 8.0, 4.0) } else { (31.0, 4.5, 3.0) };
        let petals = 7 + byte(0) % 8 - 2 * ring;
        let layers = 5 + byte(1) % 4;
        let height = least + f64::from(byte(2)) / 255.0 * spread;
        let second = f64::from(byte(3)) / 255.0 * 2.4;
        let lean = f64::from(byte(4)) / 255.0 * TAU;
        let id = format!("seal-{}-{ring}", self.short());
        let mut svg = format!(
            "<path id=\"{id}\" d=\"{}\" stroke-width=\".55\"/>",
            wave(base, f64::from(petals), height, second, lean)
        );
        for layer in 1..layers {
            let turn = 360.0 * f64::from(layer) / (f64::from(petals) * f64::from(layers));
            let _ = write!(svg, "<use href=\"#{id}\" transform=\"rotate({turn:.2})\"/>");
        }
        svg
    }

    /// Sixty-four strokes around the rim, clockwise from the top: each as long as its digit of the hash.
    fn rim(&self) -> String {
        let mut path = String::with_capacity(64 * 28);
        let digits = self.0.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        for (at, digit) in (0_u8..64).zip(digits) {
            let angle = TAU * f64::from(at) / 64.0;
            let (sin, cos) = angle.sin_cos();
            let inner = 89.0 - f64::from(digit) * 1.2;
            let _ = write!(
                path,
                "M{:.2} {:.2}L{:.2} {:.2}",
                90.0 * sin,
                -90.0 * cos,
                (inner - 1.0) * sin,
                -(inner - 1.0) * cos
            );
        }
        path
    }
}

/// One closed wave around the centre, as a path.
fn wave(base: f64, petals: f64, height: f64, second: f64, lean: f64) -> String {
    let mut path = String::with_capacity(240 * 12);
    for step in 0_u16..240 {
        let t = TAU * f64::from(step) / 240.0;
        let r = base + height * (petals * t).cos() + second * (2.0 * petals * t + lean).cos();
        let (sin, cos) = t.sin_cos();
        let _ = write!(path, "{}{:.1} {:.1}", if step == 0 { 'M' } else { 'L' }, r * sin, -r * cos);
    }
    path.push('Z');
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_hash_has_one_seal_and_another_hash_another() {
        let (a, b) = (Seal::from([7; 32]), Seal::from([8; 32]));
        assert_eq!(a.draw("Seal"), Seal::from([7; 32]).draw("Seal"));
        assert_ne!(a.draw("Seal"), b.draw("Seal"));
        assert_eq!(a.short(), "07070707");
        assert_eq!(a.grouped().len(), 79);
    }

    #[test]
    fn every_stroke_stays_inside_the_rim() {
        for fill in [0_u8, 17, 128, 255] {
            let svg = Seal::from([fill; 32]).draw("Seal");
            let points = svg.as_str().split(" d=\"").skip(1).filter_map(|rest| rest.split('"').next());
            for n in
                points.flat_map(|path| path.split(['M', 'L', 'Z', ' '])).filter_map(|n| n.parse::<f64>().ok())
            {
                assert!(n.abs() <= 97.0, "{n}");
            }
        }
    }
}
