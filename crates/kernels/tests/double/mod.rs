//! Numbers of about 32 digits, as the sum of two, to check `f64` functions against.

/// `high + low`, `low` below half a unit of `high`.
#[derive(Clone, Copy, Debug)]
pub struct Double {
    pub high: f64,
    pub low: f64,
}

fn sum(a: f64, b: f64) -> Double {
    let high = a + b;
    let b_part = high - a;
    Double {
        high,
        low: (a - (high - b_part)) + (b - b_part),
    }
}

impl Double {
    const LN2: Double = Double {
        high: core::f64::consts::LN_2,
        low: 2.3190468138462996e-17,
    };

    pub fn of(x: f64) -> Self {
        Double { high: x, low: 0.0 }
    }
    fn add(self, b: Self) -> Self {
        let s = sum(self.high, b.high);
        let t = sum(self.low, b.low);
        let s = sum(s.high, s.low + t.high);
        sum(s.high, s.low + t.low)
    }
    fn mul(self, b: Self) -> Self {
        let high = self.high * b.high;
        let low = self.high.mul_add(b.high, -high) + (self.high * b.low + self.low * b.high);
        sum(high, low)
    }
    fn div(self, b: Self) -> Self {
        let first = self.high / b.high;
        let rest = self.add(b.mul(Double::of(-first)));
        let second = rest.high / b.high;
        let rest = rest.add(b.mul(Double::of(-second)));
        sum(first, second).add(Double::of(rest.high / b.high))
    }
    fn negative(self) -> Self {
        Double {
            high: -self.high,
            low: -self.low,
        }
    }
    /// `self · 2ⁿ`
    pub fn scaled(self, n: i32) -> Self {
        let half = f64::powi(2.0, n / 2);
        let rest = f64::powi(2.0, n - n / 2);
        Double {
            high: self.high * half * rest,
            low: self.low * half * rest,
        }
    }
    /// `self − x`
    pub fn minus(self, x: f64) -> f64 {
        (self.high - x) + self.low
    }
    /// e^(r) − 1 for small r, by its series.
    fn expm1_small(r: Self) -> Self {
        let mut total = Double::of(0.0);
        for i in (1..=24).rev() {
            // (1 + total) · r / i
            total = Double::of(1.0)
                .add(total)
                .mul(r)
                .div(Double::of(f64::from(i)));
        }
        total
    }
    /// eˣ as m · 2ⁿ.
    fn exp_parts(x: f64) -> (Self, i32) {
        let n = (x / core::f64::consts::LN_2).round();
        let r = Double::of(x).add(Self::LN2.mul(Double::of(-n)));
        (Double::of(1.0).add(Self::expm1_small(r)), n as i32)
    }
    pub fn exp(x: f64) -> Self {
        if x > 710.0 {
            return Double::of(f64::INFINITY);
        }
        if x < -760.0 {
            return Double::of(0.0);
        }
        let (m, n) = Self::exp_parts(x);
        m.scaled(n)
    }
    pub fn tanh(x: f64) -> Self {
        let size = x.abs();
        let result = if size > 45.0 {
            Double::of(1.0)
        } else {
            let m = if size < 0.15 {
                Self::expm1_small(Double::of(2.0 * size))
            } else {
                let (m, n) = Self::exp_parts(2.0 * size);
                m.scaled(n).add(Double::of(-1.0))
            };
            if size < 1e-150 {
                Double::of(size)
            } else {
                m.div(m.add(Double::of(2.0)))
            }
        };
        if x < 0.0 { result.negative() } else { result }
    }
    pub fn sigmoid(x: f64) -> Self {
        if x < -750.0 {
            return Double::of(0.0);
        }
        if x < -600.0 {
            return Self::exp(x);
        }
        if x > 600.0 {
            return Double::of(1.0);
        }
        Double::of(1.0).div(Double::of(1.0).add(Self::exp(-x)))
    }
}
