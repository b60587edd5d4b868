//! How far back a gradient reaches: the lag at which its profile falls to a share of its first value.

use serde::{Deserialize, Serialize};

/// Where a profile φ_k falls to a share of φ_0 and stays below.
///
/// In JSON `{"is": "at", "steps": 11.5}`, `{"is": "beyond", "steps": 200}` or `{"is": "undefined"}`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", content = "steps", rename_all = "kebab-case")]
pub enum Horizon {
    /// At this lag, in steps.
    At(f64),
    /// Not within the lags measured, the longest of which this is.
    Beyond(usize),
    /// There is no such lag: φ_0 is zero, or a number of the profile is NaN.
    Undefined,
}

impl Horizon {
    /// The lag, where it was found.
    pub fn at(self) -> Option<f64> {
        match self {
            Horizon::At(lag) => Some(lag),
            _ => None,
        }
    }
    /// The lag, or the longest lag measured where it lies further; NaN where it is undefined.
    pub fn at_least(self) -> f64 {
        match self {
            Horizon::At(lag) => lag,
            Horizon::Beyond(longest) => longest as f64,
            Horizon::Undefined => f64::NAN,
        }
    }
}

impl std::fmt::Display for Horizon {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Horizon::At(lag) => write!(f, "{lag:.1}"),
            Horizon::Beyond(longest) => write!(f, "{longest} or more"),
            Horizon::Undefined => f.write_str("undefined"),
        }
    }
}

/// Whether this logarithm is of a norm that is no number, or infinite.
pub(crate) fn broken(ln: f64) -> bool {
    ln.is_nan() || ln == f64::INFINITY
}

/// Where ln φ_k falls to `level` of φ_0 and stays below, between lags on a straight line.
pub(crate) fn falls_to(ln_mean: &[f64], level: f64) -> Horizon {
    let Some(&first) = ln_mean.first() else {
        return Horizon::Undefined;
    };
    if first == f64::NEG_INFINITY || ln_mean.iter().any(|ln| broken(*ln)) {
        return Horizon::Undefined;
    }
    let line = first + level.ln();
    let last = ln_mean.iter().rposition(|ln| *ln > line).unwrap_or(0);
    let Some(&below) = ln_mean.get(last + 1) else {
        return Horizon::Beyond(last);
    };
    let above = ln_mean[last];
    let step = match below.is_finite() {
        true => (above - line) / (above - below),
        false => 1.0,
    };
    Horizon::At(last as f64 + step)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_answers() {
        let ln = [1.0f64, 0.25, 0.0].map(f64::ln);
        assert_eq!(falls_to(&ln, 0.5), Horizon::At(0.5));
        assert_eq!(falls_to(&ln[..2], 0.01), Horizon::Beyond(1));
        assert_eq!(falls_to(&[f64::NEG_INFINITY; 4], 0.5), Horizon::Undefined);
        assert_eq!(falls_to(&[0.0, f64::NAN, -9.0], 0.5), Horizon::Undefined);
        assert_eq!(falls_to(&[], 0.5), Horizon::Undefined);
    }
    #[test]
    fn in_json_and_back() {
        for one in [Horizon::At(2.5), Horizon::Beyond(7), Horizon::Undefined] {
            let text = serde_json::to_string(&one).unwrap();
            assert_eq!(
                serde_json::from_str::<Horizon>(&text).unwrap(),
                one,
                "{text}"
            );
        }
    }
}
