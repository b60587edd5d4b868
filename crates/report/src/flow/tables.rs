//! Tables of the microscope's page: saturation, fixed points.

use serde::{Deserialize, Serialize};

use crate::page::Row;
use crate::parts::table_of;
use crate::serial;
use crate::text::{number, percent};

/// Saturation of one layer (or of one gate of it).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Saturation {
    /// Which layer or gate.
    pub name: String,
    /// How many units it has.
    pub units: u64,
    /// Share of values with |h| > 0.99, 0 to 1.
    #[serde(deserialize_with = "serial::value")]
    pub saturated: f64,
    /// Mean of φ′.
    #[serde(deserialize_with = "serial::value")]
    pub mean_slope: f64,
    /// Units that never move.
    pub dead: u64,
}

pub(super) fn saturation(rows: &[Saturation]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let row = |s: &Saturation| Row {
        px: None,
        cells: vec![
            s.name.clone(),
            s.units.to_string(),
            percent(s.saturated),
            number(s.mean_slope),
            s.dead.to_string(),
        ],
        strong: false,
    };
    let table = table_of(
        &[
            "layer",
            "units",
            "values with |h| > 0.99",
            "mean φ′",
            "dead units",
        ],
        rows.iter().map(row).collect(),
    );
    format!(
        "<div class=\"card\"><h3>Saturation</h3><p class=\"quiet\">A saturated unit lets no gradient through; φ′ = 1 lets all of it through.</p>{}</div>",
        table.html()
    )
}

/// A fixed or slow point of the state's dynamics.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FixedPoint {
    /// Its name, e.g. `1` or the input it belongs to.
    pub name: String,
    /// ½‖F(h) − h‖²; 0 for a fixed point.
    #[serde(deserialize_with = "serial::value")]
    pub speed: f64,
    /// Largest modulus of the Jacobian's eigenvalues there.
    #[serde(deserialize_with = "serial::value")]
    pub radius: f64,
    /// How many directions are unstable.
    pub unstable: u64,
    /// Norm of the state there.
    #[serde(deserialize_with = "serial::value")]
    pub norm: f64,
    /// How many of the searches ended here.
    pub found: u64,
}

pub(super) fn fixed_points(rows: &[FixedPoint]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let row = |p: &FixedPoint| {
        let kind = match p.unstable {
            0 => "stable".to_string(),
            1 => "saddle, 1 unstable direction".to_string(),
            n => format!("saddle, {n} unstable directions"),
        };
        Row {
            px: None,
            cells: vec![
                p.name.clone(),
                kind,
                number(p.radius),
                number(p.speed),
                number(p.norm),
                p.found.to_string(),
            ],
            strong: p.unstable == 0,
        }
    };
    let heads = [
        "point",
        "kind",
        "largest |λ| of J",
        "speed ½‖F(h) − h‖²",
        "‖h‖",
        "searches that end here",
    ];
    let table = table_of(&heads, rows.iter().map(row).collect());
    format!(
        "<div class=\"card\"><h3>Fixed and slow points</h3><p class=\"quiet\">Where the state comes to rest under a constant input; stable ones are what the network can hold.</p>{}</div>",
        table.html()
    )
}
