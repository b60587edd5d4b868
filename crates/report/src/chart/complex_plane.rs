//! Eigenvalues in the complex plane with the unit circle.

use std::fmt::Write;

use serde::{Deserialize, Serialize};

use super::frame::{Size, empty, open};
use crate::scale::Scale;
use crate::text::{escape, px};

/// A complex number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Eigenvalue {
    /// Real part.
    #[serde(deserialize_with = "crate::serial::value")]
    pub re: f64,
    /// Imaginary part.
    #[serde(deserialize_with = "crate::serial::value")]
    pub im: f64,
}

impl Eigenvalue {
    /// Its modulus.
    pub fn modulus(&self) -> f64 {
        self.re.hypot(self.im)
    }
}

/// What the picture shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ComplexPlane {
    /// Title.
    pub title: String,
    /// One or two sentences that say what is to be seen.
    pub description: String,
    /// Width of the square picture.
    pub width: Option<f64>,
    /// The points.
    pub points: Vec<Eigenvalue>,
}

/// The picture as one `<svg>` element: both axes at the same scale, filled discs inside the unit circle,
/// hollow diamonds on it or outside.
pub fn complex_plane(spec: &ComplexPlane) -> String {
    let width = spec.width.unwrap_or(460.0).max(200.0);
    let size = Size {
        width,
        height: width,
    };
    let points: Vec<&Eigenvalue> = spec
        .points
        .iter()
        .filter(|p| p.re.is_finite() && p.im.is_finite())
        .collect();
    if points.is_empty() {
        return empty(size, &spec.title, "No finite eigenvalues to show.");
    }
    let far = points
        .iter()
        .map(|p| p.re.abs().max(p.im.abs()))
        .fold(1.0, f64::max)
        * 1.12;
    let (left, right, top, bottom) = (44.0, width - 12.0, 50.0, width - 38.0);
    let side = (right - left).min(bottom - top);
    let (right, bottom) = (left + side, top + side);
    let x = Scale::new(-far, far, left, right, false);
    let y = Scale::new(-far, far, bottom, top, false);
    let mut out = open(size, &spec.title, &spec.description, "");
    for (value, label) in x.ticks(5, false) {
        let (Some(tx), Some(ty)) = (x.at(value), y.at(value)) else {
            continue;
        };
        let class = if value == 0.0 { "axis" } else { "grid" };
        let label = escape(&label);
        let _ = write!(
            out,
            "<line class=\"{class}\" x1=\"{a}\" x2=\"{a}\" y1=\"{}\" y2=\"{}\"/><line class=\"{class}\" y1=\"{b}\" y2=\"{b}\" x1=\"{}\" x2=\"{}\"/>\
             <text class=\"tick mid\" x=\"{a}\" y=\"{}\">{label}</text><text class=\"tick end\" x=\"{}\" y=\"{}\">{label}</text>",
            px(top),
            px(bottom),
            px(left),
            px(right),
            px(bottom + 17.0),
            px(left - 7.0),
            px(ty + 4.0),
            a = px(tx),
            b = px(ty),
        );
    }
    let radius = side / 2.0 / far;
    let (cx, cy) = (left + side / 2.0, top + side / 2.0);
    let _ = write!(
        out,
        "<circle class=\"axis\" style=\"stroke-width:1.8\" stroke-dasharray=\"5 4\" cx=\"{}\" cy=\"{}\" r=\"{}\"/>",
        px(cx),
        px(cy),
        px(radius)
    );
    let (mut inside, mut outside) = (String::new(), String::new());
    for point in &points {
        let (Some(a), Some(b)) = (x.at(point.re), y.at(point.im)) else {
            continue;
        };
        if point.modulus() < 1.0 {
            let _ = write!(
                inside,
                "<circle class=\"f0\" cx=\"{}\" cy=\"{}\" r=\"3.6\" fill-opacity=\"0.8\"/>",
                px(a),
                px(b)
            );
        } else {
            let _ = write!(
                outside,
                "<path class=\"p s1 hollow\" d=\"M{} {}m0-5.4l5.4 5.4l-5.4 5.4l-5.4-5.4z\"/>",
                px(a),
                px(b)
            );
        }
    }
    let count = points.iter().filter(|p| p.modulus() < 1.0).count();
    let _ = write!(
        out,
        "{inside}{outside}<text class=\"lab\" x=\"2\" y=\"14\">imaginary part</text><text class=\"lab end\" x=\"{}\" y=\"{}\">real part</text>\
         <circle class=\"f0\" cx=\"10\" cy=\"32\" r=\"3.6\"/><text class=\"key\" x=\"20\" y=\"36\">|λ| &lt; 1: {count}</text>\
         <path class=\"p s1 hollow\" d=\"M120 32m0-5.4l5.4 5.4l-5.4 5.4l-5.4-5.4z\"/><text class=\"key\" x=\"132\" y=\"36\">|λ| ≥ 1: {}</text>\
         <path class=\"axis\" style=\"stroke-width:1.8\" stroke-dasharray=\"5 4\" d=\"M226 32h28\"/><text class=\"key\" x=\"260\" y=\"36\">unit circle</text></svg>",
        px(right),
        px(bottom + 34.0),
        points.len() - count
    );
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_inside_and_outside() {
        let points = [(0.5, 0.5), (1.0, 0.0), (-2.0, 0.1), (f64::NAN, 0.0)]
            .map(|(re, im)| Eigenvalue { re, im })
            .to_vec();
        let svg = complex_plane(&ComplexPlane {
            points,
            ..ComplexPlane::default()
        });
        assert!(svg.contains("|λ| &lt; 1: 1") && svg.contains("|λ| ≥ 1: 2"));
        assert!(complex_plane(&ComplexPlane::default()).contains("No finite eigenvalues"));
    }
}
