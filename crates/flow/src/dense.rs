//! Dense linear algebra: decompositions by faer, and the two loops that Gram and Schmidt need.

use crate::Error;
use faer::{Mat, MatRef};
use serde::Serialize;

/// A complex number.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Complex {
    /// Real part.
    pub re: f64,
    /// Imaginary part.
    pub im: f64,
}

impl Complex {
    /// |λ|.
    pub fn abs(self) -> f64 {
        self.re.hypot(self.im)
    }
}

/// A matrix given row by row.
pub(crate) fn rows(data: &[f64], rows: usize, cols: usize) -> MatRef<'_, f64> {
    MatRef::from_row_major_slice(data, rows, cols)
}

/// From the largest to the smallest.
pub(crate) fn singular_values(a: MatRef<'_, f64>) -> Result<Vec<f64>, Error> {
    if !finite(a) {
        return Err(Error::Decomposition("the singular values"));
    }
    a.singular_values()
        .map_err(|_| Error::Decomposition("the singular values"))
}

/// By size, the largest first; of a conjugate pair the one above the real axis first.
pub(crate) fn eigenvalues(a: MatRef<'_, f64>) -> Result<Vec<Complex>, Error> {
    if !finite(a) {
        return Err(Error::Decomposition("the eigenvalues"));
    }
    let found = a
        .eigenvalues()
        .map_err(|_| Error::Decomposition("the eigenvalues"))?;
    let mut found: Vec<Complex> = found
        .into_iter()
        .map(|z| Complex { re: z.re, im: z.im })
        .collect();
    found.sort_by(|a, b| {
        (b.abs(), b.re, b.im)
            .partial_cmp(&(a.abs(), a.re, a.im))
            .unwrap_or(std::cmp::Ordering::Equal)
    });
    Ok(found)
}

/// The spectral norm ‖A‖₂.
pub(crate) fn norm(a: MatRef<'_, f64>) -> Result<f64, Error> {
    Ok(singular_values(a)?.first().copied().unwrap_or(0.0))
}

/// Solves (AᵀA + μI) x = b for a square A.
pub(crate) fn damped_solve(a: MatRef<'_, f64>, mu: f64, b: &[f64]) -> Vec<f64> {
    use faer::linalg::solvers::Solve;
    let n = a.ncols();
    let mut normal: Mat<f64> = a.transpose() * a;
    for i in 0..n {
        normal[(i, i)] += mu;
    }
    let right = Mat::from_fn(n, 1, |i, _| b[i]);
    let x = normal.partial_piv_lu().solve(&right);
    (0..n).map(|i| x[(i, 0)]).collect()
}

pub(crate) fn finite(a: MatRef<'_, f64>) -> bool {
    (0..a.ncols()).all(|j| (0..a.nrows()).all(|i| a[(i, j)].is_finite()))
}

/// Σ a_i b_i in eight independent sums, so that it runs at the width of a vector.
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 8];
    let (heads, tails) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f64 = heads
        .remainder()
        .iter()
        .zip(tails.remainder())
        .map(|(a, b)| a * b)
        .sum();
    for (a, b) in heads.zip(tails) {
        for i in 0..8 {
            sums[i] += a[i] * b[i];
        }
    }
    sums.iter().sum::<f64>() + rest
}

/// ‖a‖₂, without overflow or underflow of the squares.
pub(crate) fn length(a: &[f64]) -> f64 {
    let largest = a.iter().fold(0.0f64, |m, x| m.max(x.abs()));
    if largest == 0.0 || !largest.is_finite() {
        // `max` drops NaN; the sum keeps it.
        return if a.iter().any(|x| x.is_nan()) {
            f64::NAN
        } else {
            largest
        };
    }
    if (1e-100..1e100).contains(&largest) {
        return dot(a, a).sqrt();
    }
    a.iter().map(|x| (x / largest).powi(2)).sum::<f64>().sqrt() * largest
}
