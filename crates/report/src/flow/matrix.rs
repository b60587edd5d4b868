//! Pictures of the recurrent matrix and the Jacobians: eigenvalues, singular values, Lyapunov spectrum.

use serde::{Deserialize, Serialize};

use crate::chart::{
    Axis, ComplexPlane, Draw, Eigenvalue, Lines, Rule, Series, Size, complex_plane, lines,
    lines_table,
};
use crate::page::{Row, figure};
use crate::parts::table_of;
use crate::serial;
use crate::text::number;

/// A curve with a name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NamedCurve {
    /// Its name, e.g. `largest`.
    pub name: String,
    /// Its values.
    #[serde(deserialize_with = "serial::values")]
    pub values: Vec<f64>,
}

/// Singular values of P(t, k) = J_t ⋯ J_{t−k+1} against k.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SingularValues {
    /// How many Jacobians are multiplied.
    pub lengths: Vec<u64>,
    /// Largest, median, smallest and the like, in falling order.
    pub curves: Vec<NamedCurve>,
}

impl SingularValues {
    pub(super) fn figure(&self) -> String {
        let lengths = || self.lengths.iter().map(|k| *k as f64).collect::<Vec<f64>>();
        let series = self
            .curves
            .iter()
            .enumerate()
            .map(|(i, c)| Series::line(c.name.clone(), i, lengths(), c.values.clone()));
        // Twenty decades under the largest value are rounding, not measurement.
        let top = self
            .curves
            .iter()
            .flat_map(|c| c.values.iter().copied())
            .filter(|v| v.is_finite())
            .fold(0.0, f64::max);
        let mut y = Axis::new("singular value", "log scale").log(true);
        let least = self
            .curves
            .iter()
            .flat_map(|c| c.values.iter().copied())
            .filter(|v| *v > 0.0)
            .fold(top, f64::min);
        if top > 0.0 && least < top * 1e-20 {
            y = y.from(10f64.powf(top.log10().floor() - 20.0));
        }
        let spec = Lines {
            size: Size { height: 500.0, ..Size::HALF },
            title: "Singular values of the Jacobians' product".into(),
            description: "How much a change of the hidden state is stretched or shrunk over k steps, in the best, middle and worst direction.".into(),
            x: Axis::new("length k of the product", "steps").whole(),
            y,
            series: series.collect(),
            rules: vec![Rule { at: 1.0, upright: false, label: "1: neither grows nor shrinks".into() }],
            ..Lines::default()
        };
        let caption = "How much a change of the hidden state is stretched or shrunk over k steps.";
        figure(
            "Singular values of the Jacobians' product",
            caption,
            &lines(&spec),
            &lines_table(&spec),
            false,
        )
    }
}

/// The Lyapunov spectrum, per step.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Lyapunov {
    /// Exponents in falling order, in 1/step.
    #[serde(deserialize_with = "serial::values")]
    pub exponents: Vec<f64>,
    /// Their standard errors; may be empty.
    #[serde(deserialize_with = "serial::values")]
    pub errors: Vec<f64>,
    /// The Kaplan-Yorke dimension.
    pub dimension: Option<f64>,
    /// Sum of the positive exponents, in 1/step.
    pub entropy: Option<f64>,
}

impl Lyapunov {
    pub(super) fn figure(&self) -> String {
        let x = (1..=self.exponents.len()).map(|i| i as f64).collect();
        let series = Series {
            error: self.errors.clone(),
            ..Series::line("exponent", 0, x, self.exponents.clone()).draw(
                if self.exponents.len() > 64 {
                    Draw::Line
                } else {
                    Draw::Points
                },
            )
        };
        let spec = Lines {
            title: "Lyapunov spectrum".into(),
            size: Size::WIDE,
            description: "Mean rate of growth per step of each direction of the hidden state, with standard errors.".into(),
            x: Axis::new("index i", "").whole(),
            y: Axis::new("λᵢ", "1/step"),
            series: vec![series],
            rules: vec![Rule { at: 0.0, upright: false, label: "0: kept for ever".into() }],
            ..Lines::default()
        };
        let mut caption = String::from(
            "Mean rate at which a small change of the state grows (above 0) or is forgotten (below 0). Bars: one standard error.",
        );
        if let Some(dimension) = self.dimension {
            caption.push_str(&format!(" Kaplan-Yorke dimension {}.", number(dimension)));
        }
        if let Some(entropy) = self.entropy {
            caption.push_str(&format!(
                " Sum of the positive exponents {} per step.",
                number(entropy)
            ));
        }
        figure(
            "Lyapunov spectrum",
            &caption,
            &lines(&spec),
            &lines_table(&spec),
            true,
        )
    }
}

/// The eigenvalues of the recurrent matrix with their table, by falling modulus.
pub(super) fn eigenvalues(map: &str, points: &[Eigenvalue]) -> String {
    if points.is_empty() {
        return String::new();
    }
    let map = if map.is_empty() { "W_hh" } else { map };
    let title = format!("Eigenvalues of {map}");
    let spec = ComplexPlane {
        title: title.clone(),
        description: "Each point is an eigenvalue of the recurrent matrix; the dashed circle is the unit circle.".into(),
        width: Some(540.0),
        points: points.to_vec(),
    };
    let mut sorted = points.to_vec();
    sorted.sort_by(|a, b| b.modulus().total_cmp(&a.modulus()));
    let rows = sorted
        .iter()
        .map(|p| Row {
            px: None,
            cells: vec![number(p.modulus()), number(p.re), number(p.im)],
            strong: p.modulus() >= 1.0,
        })
        .collect();
    let table = table_of(&["|λ|", "real part", "imaginary part"], rows);
    let caption = "Outside the circle a direction grows from step to step, inside it dies away (as far as φ′ lets it).";
    figure(&title, caption, &complex_plane(&spec), &table, false)
}
