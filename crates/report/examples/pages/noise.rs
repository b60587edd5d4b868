//! Numbers for made-up reports.

/// Made-up numbers that are the same on every run: a small linear congruential generator.
pub struct Noise(pub u64);

impl Noise {
    /// A uniform number in −1..1.
    pub fn draw(&mut self) -> f64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }
}
