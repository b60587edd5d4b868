//! Singular values of one step, J_t, and of k steps, P(t, k) = J_t ⋯ J_{t−k+1}.
//!
//! P is formed by pushing the unit vectors forward and is rescaled on the way. Rounding hides singular values below
//! n · ε · σ_max, so a condition number near 1/(n ε) is only a lower bound.

use crate::scaled::Quantiles;
use crate::scope::{identity, rescale_all};
use crate::{Error, Scope, dense};
use elman_core::Tangent;
use serde::Serialize;

/// Singular values of the products over k steps, at several places along the data.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct JacobianProducts {
    /// Numbers in the joint state.
    pub width: usize,
    /// Each length that was measured, shortest first: 1 is J_t itself.
    pub lengths: Vec<ProductStats>,
}

/// P(t, k) for one k.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ProductStats {
    /// k.
    pub steps: usize,
    /// At how many places (step and sequence) it was measured.
    pub places: usize,
    /// ln σ_max = ln ‖P‖₂.
    pub ln_norm: Quantiles,
    /// ln (‖P‖_F/√n): 0 where lengths are kept on average.
    pub ln_mean_stretch: Quantiles,
    /// ln κ = ln (σ_max/σ_min); not more than −ln (n ε).
    pub ln_condition: Quantiles,
    /// ‖P‖_F²/σ_max²: about how many directions survive.
    pub stable_rank: Quantiles,
    /// ln of every singular value, the largest first, at the last place.
    pub ln_values: Vec<f64>,
}

/// Measures P(t, k) for every k of `lengths` that fits the sequences, at about `places` places.
pub fn jacobian_products(
    scope: &Scope,
    lengths: &[usize],
    places: usize,
) -> Result<JacobianProducts, Error> {
    let n = scope.width();
    let longest = (0..scope.batch().rows())
        .map(|r| scope.batch().length(r))
        .max()
        .unwrap_or(0);
    let mut lengths: Vec<usize> = lengths
        .iter()
        .copied()
        .filter(|k| (1..=longest).contains(k))
        .collect();
    lengths.sort_unstable();
    lengths.dedup();
    let Some(&most) = lengths.last() else {
        return Err(Error::Option(
            "no product is as short as the sequences; ask for 1 step or more".into(),
        ));
    };
    let mut all: Vec<Vec<Values>> = lengths.iter().map(|_| Vec::new()).collect();
    let mut work = Tangent::new();
    for (start, row) in scope.places(places, most) {
        let (mut product, mut ln_scale) = (identity(n), 0.0);
        let mut next = 0;
        for step in 1..=most {
            scope.push(start + step - 1, row, &mut product, &mut work)?;
            rescale_all(&mut product, &mut ln_scale);
            if lengths[next] == step {
                all[next].push(Values::of(&product, n, ln_scale)?);
                next += 1;
            }
        }
    }
    let lengths = lengths.into_iter().zip(all);
    Ok(JacobianProducts {
        width: n,
        lengths: lengths.map(|(k, values)| stats(k, n, &values)).collect(),
    })
}

/// ln ‖P‖₂ of the product over `steps` steps of a row, from step `start` on.
pub(crate) fn ln_product(
    scope: &Scope,
    row: usize,
    start: usize,
    steps: usize,
) -> Result<f64, Error> {
    let n = scope.width();
    let (mut product, mut ln_scale, mut work) = (identity(n), 0.0, Tangent::new());
    for t in start..start + steps {
        scope.push(t, row, &mut product, &mut work)?;
        rescale_all(&mut product, &mut ln_scale);
    }
    Ok(Values::of(&product, n, ln_scale)?.largest())
}

/// ln of the singular values, the largest first.
struct Values(Vec<f64>);

impl Values {
    fn of(product: &[f64], n: usize, ln_scale: f64) -> Result<Values, Error> {
        let values = dense::singular_values(dense::rows(product, n, n))?;
        Ok(Values(values.iter().map(|s| s.ln() + ln_scale).collect()))
    }
    fn largest(&self) -> f64 {
        self.0.first().copied().unwrap_or(f64::NEG_INFINITY)
    }
    /// Σ σ²/σ_max²; 0 of a zero matrix.
    fn stable_rank(&self) -> f64 {
        match self.largest() {
            f64::NEG_INFINITY => 0.0,
            top => self.0.iter().map(|ln| (2.0 * (ln - top)).exp()).sum(),
        }
    }
}

fn stats(steps: usize, n: usize, all: &[Values]) -> ProductStats {
    let of = |f: &dyn Fn(&Values) -> f64| Quantiles::of(&all.iter().map(f).collect::<Vec<_>>());
    let most = -(n as f64 * f64::EPSILON).ln();
    ProductStats {
        steps,
        places: all.len(),
        ln_norm: of(&|v| v.largest()),
        ln_mean_stretch: of(&|v| v.largest() + 0.5 * (v.stable_rank() / n as f64).ln()),
        ln_condition: of(&|v| {
            let spread = v.largest() - v.0.last().copied().unwrap_or(f64::NEG_INFINITY);
            if spread.is_nan() {
                most
            } else {
                spread.min(most)
            }
        }),
        stable_rank: of(&|v| v.stable_rank()),
        ln_values: all.last().map_or(Vec::new(), |v| v.0.clone()),
    }
}
