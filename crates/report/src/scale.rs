//! From values to pixels, and where the ticks stand.

use crate::text::{power_of_ten, trim_zeros};

/// A scale from a range of values to a range of pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
    log: bool,
}

impl Scale {
    /// A scale over `low..=high` onto pixels `from..=to` (`from` may be the larger: y grows upward).
    /// An empty or unusable range is widened so that the scale always works.
    pub fn new(low: f64, high: f64, from: f64, to: f64, log: bool) -> Self {
        let (mut low, mut high) = if low <= high {
            (low, high)
        } else {
            (high, low)
        };
        if !low.is_finite() || !high.is_finite() || (log && low <= 0.0) {
            (low, high) = if log { (0.1, 1.0) } else { (0.0, 1.0) };
        }
        if high - low <= f64::EPSILON * high.abs().max(low.abs()) {
            (low, high) = if log {
                (low / 2.0, high * 2.0)
            } else {
                let pad = if low == 0.0 { 1.0 } else { low.abs() * 0.1 };
                (low - pad, high + pad)
            };
        }
        Self {
            low,
            high,
            from,
            to,
            log,
        }
    }

    /// Lower and upper end in values.
    pub fn ends(&self) -> (f64, f64) {
        (self.low, self.high)
    }

    /// The pixel of a value, held inside the plot; `None` where there is none (not finite, or not
    /// positive on a log scale).
    pub fn at(&self, value: f64) -> Option<f64> {
        let (a, b) = (self.from.min(self.to), self.from.max(self.to));
        self.beyond(value).map(|pixel| pixel.clamp(a, b))
    }

    /// The pixel of a value, also outside of the plot, but never further than its length.
    pub fn beyond(&self, value: f64) -> Option<f64> {
        if !value.is_finite() || (self.log && value <= 0.0) {
            return None;
        }
        let share = if self.log {
            (value.ln() - self.low.ln()) / (self.high.ln() - self.low.ln())
        } else {
            // Halved, so that a range as wide as f64 allows does not overflow.
            (value / 2.0 - self.low / 2.0) / (self.high / 2.0 - self.low / 2.0)
        };
        Some(self.from + share.clamp(-1.0, 2.0) * (self.to - self.from))
    }

    /// About `want` ticks with their labels, inside the ends.
    pub fn ticks(&self, want: usize, whole: bool) -> Vec<(f64, String)> {
        if self.log {
            log_ticks(self.low, self.high, want)
        } else {
            linear_ticks(self.low, self.high, want, whole)
        }
    }
}

/// The smallest and largest usable value; `None` when there is none.
pub fn extent(values: impl Iterator<Item = f64>, log: bool) -> Option<(f64, f64)> {
    values
        .filter(|v| v.is_finite() && (!log || *v > 0.0))
        .fold(None, |ends, v| {
            Some(ends.map_or((v, v), |(low, high): (f64, f64)| (low.min(v), high.max(v))))
        })
}

/// Ends moved outward to round numbers, so that the first and last tick stand at the ends.
pub fn rounded(low: f64, high: f64, want: usize, log: bool) -> (f64, f64) {
    if log {
        // To 1, 2 or 5 times a power of ten: whole decades would waste up to half of a plot.
        return (below(low), 1.0 / below(1.0 / high));
    }
    let step = nice_step(high / want as f64 - low / want as f64);
    if !step.is_finite() || step <= 0.0 {
        return (low, high);
    }
    ((low / step).floor() * step, (high / step).ceil() * step)
}

/// The largest of 1, 2, 5 times a power of ten that is at most `value`.
fn below(value: f64) -> f64 {
    let power = 10f64.powf(value.log10().floor());
    let fits = |m: &f64| m * power <= value * (1.0 + 1e-9);
    [5.0, 2.0, 1.0].into_iter().find(fits).unwrap_or(1.0) * power
}

/// The smallest of 1, 2, 5 times a power of ten that is at least `rough`.
fn nice_step(rough: f64) -> f64 {
    if !(rough.is_finite() && rough > 0.0) {
        return f64::NAN;
    }
    let power = 10f64.powf(rough.log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|m| m * power)
        .find(|s| *s >= rough * (1.0 - 1e-9))
        .unwrap_or(10.0 * power)
}

fn linear_ticks(low: f64, high: f64, want: usize, whole: bool) -> Vec<(f64, String)> {
    let mut step = nice_step(high / want.max(1) as f64 - low / want.max(1) as f64);
    if whole {
        step = step.max(1.0);
    }
    if !step.is_finite() || step <= 0.0 {
        return Vec::new();
    }
    let first = (low / step - 1e-9).ceil();
    let count = ((high / step + 1e-9).floor() - first).clamp(0.0, 100.0) as usize;
    (0..=count)
        .map(|i| (first + i as f64) * step)
        .map(|v| (v, linear_label(v, step)))
        .collect()
}

/// A label with as many decimals as the step needs.
fn linear_label(value: f64, step: f64) -> String {
    if value.abs() < step * 1e-6 {
        return "0".into();
    }
    if step < 1e-5 || value.abs() >= 1e7 {
        let text = format!("{value:.2e}");
        return match text.split_once('e') {
            Some((mantissa, exponent)) => {
                format!("{}e{exponent}", trim_zeros(mantissa)).replace('-', "−")
            }
            None => text,
        };
    }
    let decimals = (-step.log10().floor()).max(0.0) as usize;
    format!("{value:.decimals$}").replace('-', "−")
}

fn log_ticks(low: f64, high: f64, want: usize) -> Vec<(f64, String)> {
    let (a, b) = (
        (low.log10() - 1e-9).ceil() as i32,
        (high.log10() + 1e-9).floor() as i32,
    );
    let decades = high.log10() - low.log10();
    if decades < 2.5 {
        // Few decades: 1, 2, 5 of each.
        let mut ticks = Vec::new();
        for e in a - 1..=b {
            for m in [1.0, 2.0, 5.0] {
                let v = m * 10f64.powi(e);
                if v >= low * (1.0 - 1e-9) && v <= high * (1.0 + 1e-9) {
                    ticks.push((v, log_label(m, e)));
                }
            }
        }
        return ticks;
    }
    let every = (((b - a) as f64 / want.max(1) as f64).ceil() as i32).max(1);
    (a..=b)
        .filter(|e| e.rem_euclid(every) == 0)
        .map(|e| (10f64.powi(e), log_label(1.0, e)))
        .collect()
}

fn log_label(mantissa: f64, exponent: i32) -> String {
    if (-3..=4).contains(&exponent) {
        let value = mantissa * 10f64.powi(exponent);
        let decimals = (-exponent).max(0) as usize;
        return format!("{value:.decimals$}");
    }
    if mantissa == 1.0 {
        power_of_ten(exponent)
    } else {
        format!("{mantissa}·{}", power_of_ten(exponent))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(ticks: Vec<(f64, String)>) -> Vec<String> {
        ticks.into_iter().map(|t| t.1).collect()
    }

    #[test]
    fn linear_ticks_are_round() {
        assert_eq!(
            labels(linear_ticks(0.0, 1.0, 5, false)),
            ["0", "0.2", "0.4", "0.6", "0.8", "1.0"]
        );
        assert_eq!(labels(linear_ticks(-3.0, 7.0, 4, false)), ["0", "5"]);
        assert_eq!(
            labels(linear_ticks(1.0, 4.0, 8, true)),
            ["1", "2", "3", "4"]
        );
        assert_eq!(
            labels(linear_ticks(-0.2, 0.2, 4, false)),
            ["−0.2", "−0.1", "0", "0.1", "0.2"]
        );
    }

    #[test]
    fn log_ticks_thin_out_over_many_decades() {
        assert_eq!(
            labels(log_ticks(1e-3, 10.0, 6)),
            ["0.001", "0.01", "0.1", "1", "10"]
        );
        let many = log_ticks(1e-40, 1.0, 6);
        assert!(many.len() <= 8, "{many:?}");
        assert!(labels(many).contains(&"10⁻¹⁴".to_string()));
        assert_eq!(labels(log_ticks(0.1, 1.0, 6)), ["0.1", "0.2", "0.5", "1"]);
    }

    #[test]
    fn a_scale_always_works() {
        for (low, high) in [
            (f64::NAN, 1.0),
            (0.0, 0.0),
            (5.0, 5.0),
            (2.0, 1.0),
            (f64::MIN, f64::MAX),
            (0.0, f64::INFINITY),
        ] {
            for log in [false, true] {
                let scale = Scale::new(low, high, 0.0, 100.0, log);
                assert!(
                    scale.at(1.0).is_some_and(f64::is_finite),
                    "{low} {high} {log}"
                );
                assert!(scale.ticks(5, false).len() <= 101);
            }
        }
    }

    #[test]
    fn ends_map_to_ends() {
        let scale = Scale::new(1.0, 100.0, 200.0, 0.0, true);
        assert_eq!(scale.at(1.0), Some(200.0));
        assert!((scale.at(10.0).unwrap() - 100.0).abs() < 1e-9);
        assert_eq!(scale.at(0.0), None);
        assert_eq!(scale.at(f64::NAN), None);
        assert_eq!(scale.at(1e9), Some(0.0));
    }

    #[test]
    fn rounding_moves_outward() {
        let (low, high) = rounded(0.13, 0.87, 5, false);
        assert!(low <= 0.13 && high >= 0.87 && low >= 0.0 && high <= 1.0);
        for (low, high) in [
            (0.013, 0.87),
            (0.3, 0.31),
            (3.0, 45.0),
            (1e-9, 2.0),
            (1.0, 1.0),
            (2.0, 10.0),
        ] {
            let (a, b) = rounded(low, high, 5, true);
            assert!(
                a <= low * 1.000_01 && b >= high / 1.000_01 && a <= b,
                "{low} {high}: {a} {b}"
            );
        }
    }
}
