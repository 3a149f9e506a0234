//! A house between hills, in one of five lights.

use image::DynamicImage;
use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};

use super::canvas::{Canvas, Colour, blend};
use super::light::{LIGHTS, Light};
use crate::numbers::{edge, mix, real, whole};

/// Draws at twice the size and averages, so that edges come out smooth.
pub(super) fn draw(seed: u64, width: u32, height: u32) -> DynamicImage {
    let night = seed % 5 == 4;
    let index = usize::try_from(seed % 5).unwrap_or_default();
    let [fallback, ..] = &LIGHTS;
    let light = LIGHTS.get(index).unwrap_or(fallback);
    let mut painter = Painter {
        canvas: Canvas::new(width * 2, height * 2),
        dice: ChaCha8Rng::seed_from_u64(seed),
        w: edge(width * 2),
        h: edge(height * 2),
        unit: edge(height.min(width)) * 2.0,
        light,
    };
    painter.sky(night);
    painter.land();
    painter.canvas.finish().thumbnail_exact(width, height)
}

struct Painter<'a> {
    canvas: Canvas,
    dice: ChaCha8Rng,
    w: f32,
    h: f32,
    /// The shorter edge: what sizes are measured in.
    unit: f32,
    light: &'a Light,
}

impl Painter<'_> {
    /// A number from `from` up to `to`.
    fn roll(&mut self, from: f32, to: f32) -> f32 {
        let [_, _, hi, lo] = self.dice.next_u32().to_be_bytes();
        mix(from, to, f32::from(u16::from_be_bytes([hi, lo])) / 65_536.0)
    }

    fn sky(&mut self, night: bool) {
        let Light { zenith, horizon, sun, sun_at, cloud, .. } = *self.light;
        let (width, height) = (self.canvas.width, self.canvas.height);
        for y in 0..height {
            let t = (real(y) / (self.h * 0.62)).min(1.0);
            self.canvas.run(y, 0, width, blend(zenith, horizon, t * t * 0.4 + t * 0.6));
        }
        if night {
            for _ in 0..140 {
                let at = (self.roll(0.0, self.w), self.roll(0.0, self.h * 0.5));
                let (size, strength) = (self.roll(1.2, 3.2) * self.unit / 1280.0, self.roll(0.3, 1.0));
                self.canvas.glow(at, (size, size), 0.2, [255.0; 3], strength);
            }
        }
        let at = (self.roll(0.56, 0.84) * self.w, sun_at * self.h);
        for (radius, core, strength) in [(0.6, 0.0, 0.3), (0.24, 0.0, 0.5), (0.062, 0.92, 1.0)] {
            let r = radius * self.unit;
            self.canvas.glow(at, (r, r), core, sun, strength);
        }
        for _ in 0..4 {
            self.cloud(cloud, if night { 0.16 } else { 0.5 });
        }
        if !night {
            self.birds();
        }
    }

    fn cloud(&mut self, colour: Colour, strength: f32) {
        let (x, y) = (self.roll(0.02, 0.98) * self.w, self.roll(0.07, 0.34) * self.h);
        let size = self.roll(0.06, 0.12) * self.unit;
        for _ in 0..9 {
            let at = (x + self.roll(-1.9, 1.9) * size, y + self.roll(-0.28, 0.2) * size);
            let r = self.roll(0.5, 1.0) * size;
            self.canvas.glow(at, (r * 1.5, r * 0.52), 0.1, colour, strength);
        }
    }

    fn birds(&mut self) {
        let (x, y) = (self.roll(0.16, 0.42) * self.w, self.roll(0.16, 0.3) * self.h);
        let s = 0.013 * self.unit;
        for _ in 0..5 {
            let (bx, by) = (x + self.roll(-6.0, 6.0) * s, y + self.roll(-3.0, 3.0) * s);
            let wings = [
                (bx, by),
                (bx - s, by - s * 0.7),
                (bx - s * 1.7, by - s * 0.2),
                (bx - s, by - s * 0.45),
                (bx, by + s * 0.28),
                (bx + s, by - s * 0.45),
                (bx + s * 1.7, by - s * 0.2),
                (bx + s, by - s * 0.7),
            ];
            self.canvas.polygon(&wings, blend(self.light.zenith, [40.0, 44.0, 52.0], 0.8));
        }
    }

    /// Heights of a ridge around `base` (0 top, 1 bottom), `swing` high, with `waves` waves across.
    fn ridge(&mut self, base: f32, swing: f32, waves: f32) -> Vec<f32> {
        let phases: Vec<(f32, f32)> = [1.0, 2.3, 5.1, 11.7]
            .into_iter()
            .map(|k: f32| (k, self.roll(0.0, std::f32::consts::TAU)))
            .collect();
        (0..self.canvas.width)
            .map(|x| {
                let across = real(x) / self.w * waves;
                let sum: f32 =
                    phases.iter().map(|(k, phase)| (across * k * 2.0 + phase).sin() / k.powf(1.15)).sum();
                (base + sum * swing) * self.h
            })
            .collect()
    }

    fn land(&mut self) {
        let Light { far, near, horizon, leaf, .. } = *self.light;
        // Further hills take the colour of the air.
        for (depth, base, swing, waves) in
            [(0.0, 0.52, 0.05, 2.3), (0.3, 0.58, 0.042, 1.9), (0.6, 0.66, 0.034, 1.6)]
        {
            let ridge = self.ridge(base, swing, waves);
            let colour = blend(far, near, depth);
            self.canvas.below(&ridge, colour, blend(colour, horizon, 0.38));
            if depth > 0.2 {
                self.wood(&ridge, blend(far, leaf, depth + 0.15), 0.022 + 0.03 * depth, 26, None);
            }
        }
        let ridge = self.ridge(0.78, 0.022, 1.2);
        self.canvas.below(&ridge, near, blend(near, [20.0, 30.0, 16.0], 0.32));
        let left = self.roll(0.2, 0.4);
        self.path(&ridge, left);
        self.house(&ridge, left);
        self.wood(&ridge, leaf, 0.085, 7, Some(left));
        self.meadow();
    }

    fn at(&self, ridge: &[f32], x: f32) -> f32 {
        let last = self.canvas.width - 1;
        let index = usize::try_from(whole(x).clamp(0, last)).unwrap_or_default();
        ridge.get(index).copied().unwrap_or(self.h)
    }

    /// Trees along a ridge: firs and round ones, in groups, none before the `house`.
    fn wood(&mut self, ridge: &[f32], colour: Colour, size: f32, count: usize, house: Option<f32>) {
        let grove = self.roll(0.62, 0.94) * self.w;
        for i in 0..count {
            let x = if i % 3 == 0 {
                self.roll(0.0, 1.0) * self.w
            } else {
                grove + self.roll(-0.13, 0.13) * self.w
            };
            let s = size * self.unit * self.roll(0.7, 1.25);
            if house.is_some_and(|left| (x - left * self.w).abs() < 0.2 * self.unit) {
                continue;
            }
            let foot = self.at(ridge, x) + s * 0.12;
            let shade = blend(colour, [0.0; 3], self.roll(0.0, 0.16));
            let trunk = blend(shade, [52.0, 38.0, 28.0], 0.7);
            self.canvas.rectangle(x - s * 0.05, foot - s * 0.5, s * 0.1, s * 0.5, trunk);
            if i % 2 == 0 {
                for tier in 0_u8..3 {
                    let t = f32::from(tier);
                    let (base, half) = (foot - s * (0.22 + 0.42 * t), s * (0.36 - 0.08 * t));
                    let top = base - s * 0.72;
                    self.canvas.polygon(&[(x - half, base), (x, top), (x + half, base)], shade);
                }
            } else {
                let light = blend(shade, self.light.sun, 0.14);
                self.canvas.glow((x, foot - s * 0.86), (s * 0.44, s * 0.52), 0.94, shade, 1.0);
                self.canvas.glow((x + s * 0.1, foot - s * 1.0), (s * 0.26, s * 0.3), 0.2, light, 0.8);
            }
        }
    }

    fn path(&mut self, ridge: &[f32], left: f32) {
        let (x, s) = (left * self.w, 0.16 * self.unit);
        let door = (x + s * 0.32, self.at(ridge, x) + s * 0.08);
        let colour = blend(self.light.near, self.light.wall, 0.55);
        let (steps, bottom) = (24_u8, self.h);
        // A bend that widens towards the eye.
        let side = |edge: f32| {
            move |step: u8| {
                let t = f32::from(step) / f32::from(steps);
                let middle = door.0 + s * ((t * 2.6).sin() * 0.55 + t * 1.3);
                (middle + edge * s * mix(0.08, 0.52, t * t), mix(door.1, bottom, t.powf(1.25)))
            }
        };
        let points: Vec<_> = (0..=steps).map(side(-1.0)).chain((0..=steps).rev().map(side(1.0))).collect();
        self.canvas.polygon(&points, colour);
    }

    fn house(&mut self, ridge: &[f32], left: f32) {
        let Light { wall, roof, window, horizon, .. } = *self.light;
        let (x, s) = (left * self.w, 0.16 * self.unit);
        let foot = self.at(ridge, x) + s * 0.1;
        for (i, puff) in [0.5, 0.9, 1.3, 1.7].into_iter().enumerate() {
            let r = s * (0.1 + 0.05 * f32::from(u8::try_from(i).unwrap_or(0)));
            let at = (x + s * (0.32 + puff * 0.16), foot - s * (1.26 + puff * 0.42));
            self.canvas.glow(at, (r * 1.3, r), 0.1, blend(horizon, [255.0; 3], 0.4), 0.5);
        }
        self.canvas.rectangle(x + s * 0.3, foot - s * 1.48, s * 0.16, s * 0.5, blend(roof, [60.0; 3], 0.35));
        self.canvas.rectangle(x - s * 0.7, foot - s * 0.72, s * 1.4, s * 0.74, wall);
        self.canvas.rectangle(
            x - s * 0.7,
            foot - s * 0.72,
            s * 0.42,
            s * 0.74,
            blend(wall, [60.0, 60.0, 80.0], 0.14),
        );
        let (eaves, peak) = (foot - s * 0.7, foot - s * 1.28);
        self.canvas.polygon(
            &[(x - s * 0.84, eaves), (x - s * 0.52, peak), (x + s * 0.56, peak), (x + s * 0.84, eaves)],
            roof,
        );
        let frame = blend(wall, [70.0, 54.0, 44.0], 0.7);
        for place in [-0.48, -0.08] {
            let left_edge = x + s * place;
            self.canvas.rectangle(left_edge - s * 0.03, foot - s * 0.54, s * 0.28, s * 0.32, frame);
            self.canvas.rectangle(left_edge, foot - s * 0.51, s * 0.22, s * 0.26, window);
            self.canvas.rectangle(left_edge + s * 0.1, foot - s * 0.51, s * 0.02, s * 0.26, frame);
            self.canvas.rectangle(left_edge, foot - s * 0.39, s * 0.22, s * 0.02, frame);
        }
        self.canvas.rectangle(
            x + s * 0.24,
            foot - s * 0.5,
            s * 0.2,
            s * 0.52,
            blend(wall, [64.0, 30.0, 26.0], 0.78),
        );
        self.canvas.glow((x + s * 0.4, foot - s * 0.24), (s * 0.018, s * 0.018), 0.8, window, 1.0);
    }

    /// Flowers or tufts in front, larger towards the bottom edge.
    fn meadow(&mut self) {
        let Light { near, sun, roof, .. } = *self.light;
        for i in 0..90 {
            let depth = self.roll(0.0, 1.0);
            let y = self.h * (0.86 + 0.14 * depth);
            let x = self.roll(0.0, 1.0) * self.w;
            let r = self.unit * (0.0022 + 0.0042 * depth);
            let colour = if i % 3 == 0 { blend(near, roof, 0.75) } else { blend(near, sun, 0.6) };
            self.canvas.glow((x, y), (r, r * 0.8), 0.6, colour, 0.9);
        }
    }
}
