//! Finite-time exponents along the data: (1/k) ln ‖P(t, k) v‖ for random unit vectors v, as a distribution.
//!
//! Where the Lyapunov exponent is one number for ever, these say how a gradient fares over k steps here and there.

use crate::scaled::{Quantiles, rescale};
use crate::{Error, Scope, dense};
use elman_core::Tangent;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

/// The exponents over one number of steps.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct FiniteTime {
    /// k.
    pub steps: usize,
    /// At how many places (step and sequence).
    pub places: usize,
    /// (1/k) ln ‖P(t, k) v‖.
    pub exponent: Quantiles,
    /// Share of places where it is above 0.
    pub growing: f64,
}

/// Measures every k of `lengths` that fits the sequences at about `places` places, one random direction each.
pub fn finite_time(
    scope: &Scope,
    lengths: &[usize],
    places: usize,
    seed: u64,
) -> Result<Vec<FiniteTime>, Error> {
    let longest = (0..scope.batch().rows())
        .map(|r| scope.batch().length(r))
        .max()
        .unwrap_or(0);
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let (n, mut work, mut measured) = (scope.width(), Tangent::new(), Vec::new());
    for &k in lengths.iter().filter(|k| (1..=longest).contains(*k)) {
        let mut exponents = Vec::new();
        for (start, row) in scope.places(places, k) {
            let mut v: Vec<f64> = (0..n).map(|_| rng.random::<f64>() - 0.5).collect();
            let mut ln_scale = -dense::length(&v).ln();
            let mut ln = 0.0;
            for t in start..start + k {
                scope.push(t, row, &mut v, &mut work)?;
                ln = rescale(&mut v, &mut ln_scale);
            }
            exponents.push(ln / k as f64);
        }
        let growing = exponents.iter().filter(|e| **e > 0.0).count();
        measured.push(FiniteTime {
            steps: k,
            places: exponents.len(),
            exponent: Quantiles::of(&exponents),
            growing: growing as f64 / exponents.len().max(1) as f64,
        });
    }
    Ok(measured)
}
