//! The colours of five times of day.

use super::canvas::Colour;

/// The colours of a time of day.
pub(super) struct Light {
    pub(super) zenith: Colour,
    pub(super) horizon: Colour,
    pub(super) sun: Colour,
    /// Height of the sun, 0 at the top, 1 at the bottom.
    pub(super) sun_at: f32,
    pub(super) cloud: Colour,
    pub(super) far: Colour,
    pub(super) near: Colour,
    pub(super) leaf: Colour,
    pub(super) wall: Colour,
    pub(super) roof: Colour,
    pub(super) window: Colour,
}

/// Five lights, one after another by seed.
pub(super) const LIGHTS: [Light; 5] = [
    // Afternoon in May.
    Light {
        zenith: [72.0, 137.0, 201.0],
        horizon: [214.0, 232.0, 240.0],
        sun: [255.0, 248.0, 224.0],
        sun_at: 0.2,
        cloud: [255.0, 255.0, 255.0],
        far: [142.0, 170.0, 186.0],
        near: [88.0, 132.0, 62.0],
        leaf: [46.0, 88.0, 50.0],
        wall: [246.0, 238.0, 222.0],
        roof: [172.0, 74.0, 56.0],
        window: [92.0, 116.0, 136.0],
    },
    // Sunset.
    Light {
        zenith: [63.0, 66.0, 120.0],
        horizon: [252.0, 186.0, 122.0],
        sun: [255.0, 226.0, 160.0],
        sun_at: 0.42,
        cloud: [250.0, 176.0, 148.0],
        far: [138.0, 104.0, 132.0],
        near: [66.0, 66.0, 50.0],
        leaf: [40.0, 46.0, 44.0],
        wall: [222.0, 182.0, 152.0],
        roof: [122.0, 56.0, 54.0],
        window: [255.0, 214.0, 120.0],
    },
    // Mist in the morning.
    Light {
        zenith: [160.0, 186.0, 196.0],
        horizon: [246.0, 236.0, 218.0],
        sun: [255.0, 250.0, 236.0],
        sun_at: 0.3,
        cloud: [250.0, 247.0, 240.0],
        far: [190.0, 202.0, 200.0],
        near: [98.0, 128.0, 96.0],
        leaf: [66.0, 98.0, 80.0],
        wall: [238.0, 234.0, 226.0],
        roof: [128.0, 98.0, 88.0],
        window: [252.0, 222.0, 150.0],
    },
    // October.
    Light {
        zenith: [96.0, 146.0, 188.0],
        horizon: [236.0, 226.0, 204.0],
        sun: [255.0, 242.0, 206.0],
        sun_at: 0.26,
        cloud: [255.0, 250.0, 242.0],
        far: [158.0, 150.0, 158.0],
        near: [168.0, 128.0, 52.0],
        leaf: [184.0, 92.0, 38.0],
        wall: [240.0, 226.0, 202.0],
        roof: [116.0, 66.0, 58.0],
        window: [104.0, 112.0, 118.0],
    },
    // A clear night in winter.
    Light {
        zenith: [14.0, 24.0, 56.0],
        horizon: [84.0, 108.0, 156.0],
        sun: [238.0, 240.0, 232.0],
        sun_at: 0.2,
        cloud: [112.0, 132.0, 172.0],
        far: [84.0, 102.0, 144.0],
        near: [196.0, 206.0, 226.0],
        leaf: [30.0, 52.0, 66.0],
        wall: [140.0, 136.0, 150.0],
        roof: [226.0, 232.0, 242.0],
        window: [255.0, 206.0, 104.0],
    },
];
