//! Light and colour: curves for each channel, mixtures of channels, gradients.

use image::RgbImage;

use super::Operation;
use crate::imaging::numbers::{byte, edge, mix, smooth};

/// A colour that a picture can be tinted with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "colours")]
pub enum Colour {
    Red,
    Orange,
    Yellow,
    Green,
    Teal,
    Blue,
    Purple,
    Pink,
    Brown,
}

impl Colour {
    pub(super) fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "red" | "crimson" => Self::Red,
            "orange" | "amber" => Self::Orange,
            "yellow" | "gold" => Self::Yellow,
            "green" => Self::Green,
            "teal" | "cyan" | "turquoise" => Self::Teal,
            "blue" => Self::Blue,
            "purple" | "violet" => Self::Purple,
            "pink" | "magenta" | "rose" => Self::Pink,
            "brown" => Self::Brown,
            _ => return None,
        })
    }

    pub(super) fn tint_name(self) -> &'static str {
        match self {
            Self::Red => "red tint",
            Self::Orange => "orange tint",
            Self::Yellow => "yellow tint",
            Self::Green => "green tint",
            Self::Teal => "teal tint",
            Self::Blue => "blue tint",
            Self::Purple => "purple tint",
            Self::Pink => "pink tint",
            Self::Brown => "brown tint",
        }
    }

    fn rgb(self) -> [f32; 3] {
        match self {
            Self::Red => [230.0, 60.0, 60.0],
            Self::Orange => [250.0, 150.0, 60.0],
            Self::Yellow => [245.0, 215.0, 80.0],
            Self::Green => [90.0, 190.0, 100.0],
            Self::Teal => [70.0, 190.0, 190.0],
            Self::Blue => [80.0, 130.0, 240.0],
            Self::Purple => [160.0, 90.0, 220.0],
            Self::Pink => [245.0, 130.0, 180.0],
            Self::Brown => [170.0, 115.0, 75.0],
        }
    }
}

/// Rows: what red, green and blue become, from red, green, blue and a constant (0 to 255).
type Mixture = [[f32; 4]; 3];

/// Rec. 601 luma, as JPEG has it.
const LUMA: [f32; 3] = [0.299, 0.587, 0.114];
const SAME: Mixture = [[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]];
const SEPIA: Mixture = [[0.393, 0.769, 0.189, 0.0], [0.349, 0.686, 0.168, 0.0], [0.272, 0.534, 0.131, 0.0]];

/// The operations of this module that need no more than a mixture and a curve.
pub(super) fn apply(mut picture: RgbImage, operation: Operation, amount: f32) -> RgbImage {
    let a = amount;
    match operation {
        Operation::Grayscale => remix(&mut picture, &grey()),
        Operation::Sepia => remix(&mut picture, &between(&SAME, &SEPIA, a.min(1.0))),
        Operation::Vintage => {
            let warm = gains([1.06, 1.0, 0.86], [6.0, 2.0, 10.0]);
            remix(&mut picture, &between(&SAME, &SEPIA, (0.4 * a).min(0.8)));
            remix(&mut picture, &warm);
            // Faded: no deep black, no clear white.
            curve(&mut picture, |x| mix(28.0 * a.min(1.5), 242.0, x));
        }
        Operation::Warm => {
            remix(
                &mut picture,
                &gains([1.0 + 0.12 * a, 1.0 + 0.03 * a, 1.0 - 0.16 * a], [4.0 * a, 1.0, 0.0]),
            );
        }
        Operation::Cool => {
            remix(
                &mut picture,
                &gains([1.0 - 0.16 * a, 1.0 + 0.01 * a, 1.0 + 0.12 * a], [0.0, 1.0, 6.0 * a]),
            );
        }
        Operation::Night => {
            remix(&mut picture, &between(&SAME, &grey(), 0.45));
            remix(&mut picture, &gains([0.34, 0.44, 0.72], [0.0, 2.0, 12.0]));
            curve(&mut picture, |x| 255.0 * x.powf(1.0 + 0.25 * a));
        }
        Operation::Cinematic => {
            contrast(&mut picture, 0.5 * a);
            remix(&mut picture, &[[1.08, 0.02, -0.04, -4.0], [0.0, 1.0, 0.02, 0.0], [-0.1, 0.1, 0.98, 14.0]]);
        }
        Operation::Brighten => curve(&mut picture, |x| 255.0 * x.powf(1.0 / (1.0 + 0.45 * a))),
        Operation::Darken => curve(&mut picture, |x| 255.0 * x.powf(1.0 + 0.55 * a)),
        Operation::Contrast => contrast(&mut picture, a),
        Operation::Flatten => {
            let keep = 1.0 - 0.3 * a.min(2.0);
            curve(&mut picture, |x| mix(128.0, 255.0 * x, keep) + 8.0 * a);
        }
        Operation::Saturate => remix(&mut picture, &between(&grey(), &SAME, 1.0 + 0.5 * a)),
        Operation::Mute => remix(&mut picture, &between(&SAME, &grey(), (0.5 * a).min(0.9))),
        Operation::Invert => curve(&mut picture, |x| 255.0 - 255.0 * x),
        Operation::Posterize => {
            remix(&mut picture, &between(&grey(), &SAME, 1.5));
            posterize(&mut picture, (7.0 - 2.0 * a).clamp(2.0, 6.0).round());
        }
        Operation::Tint(colour) => {
            let strength = (0.45 * a).min(0.85);
            let [r, g, b] = colour.rgb().map(|c| c / 160.0);
            let [lr, lg, lb] = LUMA;
            let row = |k: f32| [lr * k, lg * k, lb * k, 0.0];
            remix(&mut picture, &between(&SAME, &[row(r), row(g), row(b)], strength));
        }
        Operation::AutoContrast => balance(&mut picture),
        _ => {}
    }
    picture
}

fn grey() -> Mixture {
    let [r, g, b] = LUMA;
    [[r, g, b, 0.0]; 3]
}

fn gains([r, g, b]: [f32; 3], [red, green, blue]: [f32; 3]) -> Mixture {
    [[r, 0.0, 0.0, red], [0.0, g, 0.0, green], [0.0, 0.0, b, blue]]
}

/// From `a` at 0 to `b` at 1, and on beyond.
fn between(a: &Mixture, b: &Mixture, t: f32) -> Mixture {
    let mut out = *a;
    for (row, target) in out.iter_mut().zip(b) {
        for (value, to) in row.iter_mut().zip(target) {
            *value = mix(*value, *to, t);
        }
    }
    out
}

/// Mixes the channels of every pixel.
fn remix(picture: &mut RgbImage, mixture: &Mixture) {
    let samples: &mut [u8] = picture;
    for pixel in samples.chunks_exact_mut(3) {
        let [r, g, b] = *pixel else { continue };
        let (r, g, b) = (f32::from(r), f32::from(g), f32::from(b));
        for (channel, [from_r, from_g, from_b, constant]) in pixel.iter_mut().zip(mixture) {
            *channel = byte(from_r * r + from_g * g + from_b * b + constant);
        }
    }
}

/// Sends every sample through `f`, which takes 0 to 1 and gives 0 to 255; computed once for each of the 256 values.
fn curve(picture: &mut RgbImage, f: impl Fn(f32) -> f32) {
    let table: [u8; 256] =
        std::array::from_fn(|i| byte(f(f32::from(u8::try_from(i).unwrap_or(u8::MAX)) / 255.0)));
    lookup(picture, &[table; 3]);
}

fn lookup(picture: &mut RgbImage, tables: &[[u8; 256]; 3]) {
    let samples: &mut [u8] = picture;
    for pixel in samples.chunks_exact_mut(3) {
        for (sample, table) in pixel.iter_mut().zip(tables) {
            *sample = table.get(usize::from(*sample)).copied().unwrap_or(*sample);
        }
    }
}

/// Reduces the light to `steps` steps and leaves the colour: steps in each channel would give bands of strange colours.
fn posterize(picture: &mut RgbImage, steps: f32) {
    let [r, g, b] = LUMA;
    for pixel in picture.pixels_mut() {
        let [red, green, blue] = pixel.0.map(f32::from);
        let light = (r * red + g * green + b * blue).max(1.0);
        let step = ((light / 255.0 * steps).round() / steps * 255.0).max(18.0);
        pixel.0 = [red, green, blue].map(|c| byte(c * step / light));
    }
}

/// An S-curve around the middle.
fn contrast(picture: &mut RgbImage, amount: f32) {
    curve(picture, |x| mix(255.0 * x, 255.0 * smooth(0.0, 1.0, x), (0.75 * amount).min(1.4)));
}

/// Stretches each channel between its half percent from below and from above, three quarters of the way, so that a
/// picture that is meant to be coloured stays so.
fn balance(picture: &mut RgbImage) {
    let mut counts = [[0_u32; 256]; 3];
    let samples: &[u8] = picture;
    for pixel in samples.chunks_exact(3) {
        for (sample, count) in pixel.iter().zip(&mut counts) {
            if let Some(n) = count.get_mut(usize::from(*sample)) {
                *n += 1;
            }
        }
    }
    let few = picture.width() * picture.height() / 200;
    let tables = counts.map(|count| {
        let low = edge(reach(count.iter(), few));
        let high = 255.0 - edge(reach(count.iter().rev(), few));
        std::array::from_fn(|i| {
            let x = f32::from(u8::try_from(i).unwrap_or(u8::MAX));
            let stretched = if high - low < 16.0 { x } else { (x - low) * 255.0 / (high - low) };
            byte(mix(x, stretched, 0.75))
        })
    });
    lookup(picture, &tables);
}

/// How many values from one end hold `few` samples together.
fn reach<'a>(counts: impl Iterator<Item = &'a u32>, few: u32) -> u32 {
    let mut seen = 0;
    let values = counts.take_while(|n| {
        seen += **n;
        seen <= few
    });
    u32::try_from(values.count()).unwrap_or(0)
}

/// Evening light: warm everywhere, violet above, glowing towards the middle, dusk below.
pub(super) fn sunset(mut picture: RgbImage, amount: f32) -> RgbImage {
    let warm = gains([1.0 + 0.14 * amount, 0.97, 1.0 - 0.2 * amount], [10.0, 0.0, 0.0]);
    remix(&mut picture, &warm);
    let (height, row) = (edge(picture.height()), picture.width() as usize * 3);
    let strength = (0.38 * amount).min(0.6);
    let samples: &mut [u8] = &mut picture;
    for (y, line) in (0_u32..).zip(samples.chunks_exact_mut(row.max(1))) {
        let at = edge(y) / height;
        let glow = 1.0 - ((at - 0.5).abs() * 2.0).min(1.0);
        let colour = [mix(120.0, 255.0, glow), mix(60.0, 150.0, glow), mix(110.0, 60.0, glow)];
        // Softer below, where the ground is, than in the sky.
        let t = strength * mix(1.0, 0.45, at);
        let tables = colour.map(|c| -> [u8; 256] {
            std::array::from_fn(|i| {
                let x = f32::from(u8::try_from(i).unwrap_or(u8::MAX));
                let level = x / 255.0;
                // What is very light is a light itself, and stays one.
                let t = t * (1.0 - 0.7 * level * level * level);
                byte(mix(x, c * (0.35 + 0.65 * level), t))
            })
        });
        for pixel in line.chunks_exact_mut(3) {
            for (sample, table) in pixel.iter_mut().zip(&tables) {
                *sample = table.get(usize::from(*sample)).copied().unwrap_or(*sample);
            }
        }
    }
    picture
}
