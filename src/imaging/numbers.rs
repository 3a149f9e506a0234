//! The few conversions between numbers that drawing needs, each saying what happens at the edges.

/// A channel: rounded, below 0 is 0, above 255 is 255, not-a-number is 0.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped first")]
pub fn byte(x: f32) -> u8 {
    (x + 0.5).clamp(0.0, 255.0) as u8
}

/// A place on the canvas: rounded down; far outside stays far outside.
#[expect(clippy::cast_possible_truncation, reason = "a cast from float to integer saturates")]
pub fn whole(x: f32) -> i32 {
    x.floor() as i32
}

/// A size or place as a real number: exact below 2²⁴, which no edge that we take reaches.
#[expect(clippy::cast_precision_loss, reason = "edges are far below 2^24")]
pub fn real(n: i32) -> f32 {
    n as f32
}

/// An edge as a real number.
pub fn edge(n: u32) -> f32 {
    real(i32::try_from(n).unwrap_or(i32::MAX))
}

/// An edge from a real number: at least one pixel.
pub fn pixels(x: f32) -> u32 {
    u32::try_from(whole(x + 0.5)).unwrap_or(1).max(1)
}

/// From `a` at 0 to `b` at 1.
pub fn mix(a: f32, b: f32, t: f32) -> f32 {
    a + (b - a) * t
}

/// 0 up to `from`, 1 beyond `to`, smooth between (Hermite).
pub fn smooth(from: f32, to: f32, x: f32) -> f32 {
    let t = ((x - from) / (to - from)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}
