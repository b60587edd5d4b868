//! The unrolled network of the lesson's section 3, with the real values.

mod draw;

use serde::{Deserialize, Serialize};

pub use draw::unroll_svg;

use crate::serial;

/// One step of the unrolled network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct UnrolledStep {
    /// Its number t, from 1 on.
    pub t: u64,
    /// The input x_t.
    #[serde(deserialize_with = "serial::values")]
    pub x: Vec<f64>,
    /// The input in words (a character), shown in place of the numbers; may be empty.
    pub x_name: String,
    /// The state h_t; may be empty or only its first units.
    #[serde(deserialize_with = "serial::values")]
    pub h: Vec<f64>,
    /// ‖h_t‖.
    #[serde(deserialize_with = "serial::value")]
    pub h_norm: f64,
    /// Mean φ′ over the units.
    #[serde(deserialize_with = "serial::value")]
    pub slope: f64,
    /// The output y_t; empty where there is none.
    #[serde(deserialize_with = "serial::values")]
    pub y: Vec<f64>,
    /// The output in words; may be empty.
    pub y_name: String,
    /// ‖∂L/∂h_t‖: the gradient that arrives.
    #[serde(deserialize_with = "serial::value")]
    pub gradient: f64,
}

impl Default for UnrolledStep {
    /// Nothing known.
    fn default() -> Self {
        Self {
            t: 0,
            x: Vec::new(),
            x_name: String::new(),
            h: Vec::new(),
            h_norm: f64::NAN,
            slope: f64::NAN,
            y: Vec::new(),
            y_name: String::new(),
            gradient: f64::NAN,
        }
    }
}

/// What the picture shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Unrolled {
    /// Title, drawn above.
    pub title: String,
    /// A line under the title: cell, sizes, which loss the gradient is of.
    pub subtitle: String,
    /// All steps in order; long sequences are folded here.
    pub steps: Vec<UnrolledStep>,
    /// ‖h_0‖; 0 when it starts at zero.
    #[serde(deserialize_with = "serial::value")]
    pub h0_norm: f64,
    /// How many steps are shown before the fold.
    pub first: usize,
    /// How many after it.
    pub last: usize,
}

impl Default for Unrolled {
    /// No steps; five shown before a fold and five after.
    fn default() -> Self {
        Self {
            title: String::new(),
            subtitle: String::new(),
            steps: Vec::new(),
            h0_norm: 0.0,
            first: 5,
            last: 5,
        }
    }
}

/// One column of the picture.
enum Column<'a> {
    Step(&'a UnrolledStep),
    Folded(usize),
}

fn columns(unrolled: &Unrolled) -> Vec<Column<'_>> {
    let n = unrolled.steps.len();
    let (first, last) = (unrolled.first.max(1).min(n), unrolled.last.min(n));
    if n <= first.saturating_add(last).saturating_add(1) {
        return unrolled.steps.iter().map(Column::Step).collect();
    }
    let mut columns: Vec<Column<'_>> = unrolled.steps[..first].iter().map(Column::Step).collect();
    columns.push(Column::Folded(n - first - last));
    columns.extend(unrolled.steps[n - last..].iter().map(Column::Step));
    columns
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(n: u64) -> Vec<UnrolledStep> {
        (1..=n)
            .map(|t| UnrolledStep {
                t,
                x: vec![1.0],
                h: vec![0.1, -0.2],
                h_norm: 0.2,
                slope: 0.9,
                gradient: 0.5,
                ..UnrolledStep::default()
            })
            .collect()
    }

    #[test]
    fn long_sequences_are_folded() {
        let svg = unroll_svg(&Unrolled {
            steps: steps(52),
            ..Unrolled::default()
        });
        assert!(svg.contains("42 steps"));
        assert_eq!(svg.matches(">W_xh<").count(), 10);
        let svg = unroll_svg(&Unrolled {
            steps: steps(11),
            ..Unrolled::default()
        });
        assert!(!svg.contains("folded"));
    }

    #[test]
    fn nothing_and_nonsense_do_not_panic() {
        assert!(unroll_svg(&Unrolled::default()).contains("No steps"));
        let odd = UnrolledStep {
            h: vec![f64::NAN; 40],
            gradient: f64::INFINITY,
            y: vec![f64::NAN],
            ..UnrolledStep::default()
        };
        let svg = unroll_svg(&Unrolled {
            steps: vec![odd; 3],
            first: 0,
            last: usize::MAX,
            ..Unrolled::default()
        });
        assert!(svg.ends_with("</svg>") && !svg.contains("NaN"));
    }
}
