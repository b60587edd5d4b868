//! The measurements for a drawing of the unrolled network, the lesson's section 3 with the real values: one column a
//! step, with ‖h_t‖, mean φ′ and the gradient that arrives.

use crate::omega::arrival;
use crate::saturation::slopes_of;
use crate::{Error, Scope, dense};
use serde::Serialize;

/// One row of the data, unrolled.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Unrolled {
    /// Which row.
    pub row: usize,
    /// Every step, from the first.
    pub steps: Vec<UnrolledStep>,
}

/// One column of the drawing.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct UnrolledStep {
    /// The step, from 0.
    pub t: usize,
    /// The features that it reads; none where it reads a symbol.
    pub x: Vec<f64>,
    /// The symbol that it reads, where it reads one.
    pub symbol: Option<u32>,
    /// Each layer there.
    pub layers: Vec<UnrolledLayer>,
    /// What the network gives.
    pub y: Vec<f64>,
    /// ln ‖∂L_t/∂y_t‖ of the loss at this step alone; −∞ where there is none.
    pub ln_loss_gradient: f64,
    /// ln ‖g_t‖, g_t = ∂L/∂s_t: the gradient of the whole loss that arrives here.
    pub ln_gradient: f64,
    /// ln ‖g_t J_t‖: what is handed on to the step before.
    pub ln_passed: f64,
}

/// One layer at one step.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct UnrolledLayer {
    /// ‖h_t‖₂.
    pub norm: f64,
    /// Mean φ′ over units.
    pub mean_slope: f64,
    /// Share of units with |h| > 0.99.
    pub saturated: f64,
}

/// Unrolls row `row`; an error where the batch has no such row.
pub fn unroll(scope: &Scope, row: usize) -> Result<Unrolled, Error> {
    let (batch, h) = (scope.batch(), scope.network().hidden);
    if row >= batch.rows() {
        let text = format!(
            "row {row} was asked for, and there are {}, from 0",
            batch.rows()
        );
        return Err(Error::Option(text));
    }
    let arrived = arrival(scope)?;
    let mut slopes = vec![Vec::new(); batch.length(row)];
    slopes_of(scope, |_, t, r, slope| {
        if r == row {
            slopes[t].push(slope.iter().sum::<f64>() / slope.len().max(1) as f64);
        }
    });
    let steps = slopes.into_iter().enumerate().map(|(t, slopes)| {
        let layers = slopes.into_iter().zip(scope.trace().sweeps());
        let layers = layers.map(|(mean_slope, swept)| {
            let state = &swept.state(t + 1, row)[..h];
            let flat = state
                .iter()
                .filter(|x| x.abs() > crate::saturation::SATURATED)
                .count();
            UnrolledLayer {
                norm: dense::length(state),
                mean_slope,
                saturated: flat as f64 / h.max(1) as f64,
            }
        });
        UnrolledStep {
            t,
            x: batch.x(t, row).unwrap_or_default().to_vec(),
            symbol: batch.symbol(t, row),
            layers: layers.collect(),
            y: scope.trace().output(t, row).unwrap_or_default().to_vec(),
            ln_loss_gradient: dense::length(scope.d_output(t, row).unwrap_or_default()).ln(),
            ln_gradient: arrived.ln_norm[row][t],
            ln_passed: arrived.ln_passed[row][t],
        }
    });
    Ok(Unrolled {
        row,
        steps: steps.collect(),
    })
}
