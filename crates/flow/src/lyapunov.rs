//! The Lyapunov spectrum by the QR method — R. Engelken, F. Wolf and L. F. Abbott, "Lyapunov spectra of chaotic
//! recurrent neural networks", Physical Review Research 5 (2023), after G. Benettin and others (1980).
//!
//! Q_t R_t = qr(J_t Q_{t−1}), λ_i = (1/T) Σ_t ln |R_ii|: how fast neighbouring states part (λ > 0) or meet (λ < 0),
//! per step. The method sees a system only through [`Dynamics`], so that maps whose exponents are known go through
//! the same code as a network along its data.

use crate::dense::{dot, length};
use crate::{Error, Scope};
use elman_core::Tangent;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

/// A system whose small changes can be followed.
pub trait Dynamics {
    /// Numbers in its state.
    fn dim(&self) -> usize;
    /// Replaces each of the `directions` `[n, dim]` by J v at the present state, and moves on one step. Returns
    /// `false`, having done nothing, where there is no further step.
    fn advance(&mut self, directions: &mut [f64]) -> Result<bool, Error>;
}

/// A map given as a function: `step(state, directions)` moves both on.
#[derive(Debug)]
pub struct Map<F> {
    /// The present state.
    pub state: Vec<f64>,
    /// Moves the state one step on and replaces each direction `[n, dim]` by J v, J at the state before.
    pub step: F,
}

impl<F: FnMut(&mut [f64], &mut [f64])> Dynamics for Map<F> {
    fn dim(&self) -> usize {
        self.state.len()
    }
    fn advance(&mut self, directions: &mut [f64]) -> Result<bool, Error> {
        (self.step)(&mut self.state, directions);
        Ok(true)
    }
}

/// A network along one row of its data.
pub struct AlongRow<'a> {
    scope: &'a Scope,
    row: usize,
    t: usize,
    work: Tangent<f64>,
}

impl<'a> AlongRow<'a> {
    /// From the first step of row `row`.
    pub fn new(scope: &'a Scope, row: usize) -> AlongRow<'a> {
        AlongRow {
            scope,
            row,
            t: 0,
            work: Tangent::new(),
        }
    }
}

impl Dynamics for AlongRow<'_> {
    fn dim(&self) -> usize {
        self.scope.width()
    }
    fn advance(&mut self, directions: &mut [f64]) -> Result<bool, Error> {
        if self.t >= self.scope.batch().length(self.row) {
            return Ok(false);
        }
        self.scope
            .push(self.t, self.row, directions, &mut self.work)?;
        self.t += 1;
        Ok(true)
    }
}

/// How a spectrum is measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LyapunovOptions {
    /// How many exponents, from the largest; at most the dimension.
    pub count: usize,
    /// Steps of each sequence that are followed and not counted, while the directions turn into place; at most a
    /// fifth of the sequence where its end is known.
    pub warm_up: usize,
    /// Steps of all sequences together, at most.
    pub steps: usize,
    /// Of the starting directions and of the bootstrap.
    pub seed: u64,
}

impl Default for LyapunovOptions {
    fn default() -> Self {
        LyapunovOptions {
            count: 32,
            warm_up: 50,
            steps: 2000,
            seed: 0,
        }
    }
}

/// Exponents per step, and what follows from them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Lyapunov {
    /// Sequences that it was measured on.
    pub sequences: usize,
    /// Steps counted, of all sequences together.
    pub steps: usize,
    /// Numbers in the state.
    pub width: usize,
    /// λ_1 ≥ λ_2 ≥ …, natural logarithm per step; −∞ (null in JSON) where a direction died at some step: J_t is singular
    /// there.
    pub exponents: Vec<f64>,
    /// The standard error of each, by a bootstrap over blocks of steps; NaN (null in JSON) where the exponent is −∞, and
    /// where there is but one block to draw from.
    pub errors: Vec<f64>,
    /// Σ λ over all directions; `None` where fewer were followed. It is the mean of ln |det J_t|, −∞ where an exponent is.
    pub sum: Option<f64>,
    /// Σ of the positive exponents: an upper bound on the entropy made per step (Pesin's and Ruelle's).
    pub positive_sum: f64,
    /// The dimension of J. Kaplan and J. Yorke (1979): 0 where all exponents are negative; `None` where the followed
    /// ones do not sum below 0. An exponent of −∞ ends the sum, and adds no fraction.
    pub kaplan_yorke: Option<f64>,
    /// ln 2/λ_1: steps until an error doubles; `None` where λ_1 ≤ 0.
    pub predictability: Option<f64>,
}

/// The spectrum of a network along the rows of its data.
pub fn lyapunov(scope: &Scope, options: &LyapunovOptions) -> Result<Lyapunov, Error> {
    let batch = scope.batch();
    let mut rows: Vec<usize> = (0..batch.rows()).collect();
    rows.sort_by_key(|&r| std::cmp::Reverse(batch.length(r)));
    let (mut logs, mut left) = (Vec::new(), options.steps);
    for row in rows {
        let length = batch.length(row);
        let warm_up = options.warm_up.min(length / 5);
        let wanted = (length - warm_up).min(left);
        if wanted == 0 {
            break;
        }
        let options = LyapunovOptions {
            warm_up,
            steps: wanted,
            ..*options
        };
        let local = local_exponents(&mut AlongRow::new(scope, row), &options)?;
        left -= local.len();
        logs.push(local);
    }
    spectrum(scope.width(), &logs, options.seed)
}

/// The spectrum of any system, over `options.steps` steps after the warm-up.
pub fn lyapunov_of(
    system: &mut impl Dynamics,
    options: &LyapunovOptions,
) -> Result<Lyapunov, Error> {
    let logs = local_exponents(system, options)?;
    spectrum(system.dim(), &[logs], options.seed)
}

/// ln |R_ii| of every counted step.
fn local_exponents(
    system: &mut impl Dynamics,
    options: &LyapunovOptions,
) -> Result<Vec<Vec<f64>>, Error> {
    let dim = system.dim();
    let count = options.count.clamp(1, dim.max(1));
    let mut rng = ChaCha8Rng::seed_from_u64(options.seed);
    let mut q: Vec<f64> = (0..count * dim)
        .map(|_| rng.random::<f64>() - 0.5)
        .collect();
    orthonormalise(&mut q, dim, &mut rng);
    let mut logs = Vec::with_capacity(options.steps.min(1 << 20));
    for step in 0..options.warm_up + options.steps {
        if !system.advance(&mut q)? {
            break;
        }
        if q.iter().any(|x| !x.is_finite()) {
            return Err(Error::Decomposition("the Lyapunov spectrum"));
        }
        let r = orthonormalise(&mut q, dim, &mut rng);
        if step >= options.warm_up {
            logs.push(r);
        }
    }
    Ok(logs)
}

/// Gram and Schmidt, each direction made orthogonal twice. Returns ln |R_ii|; a direction that has died is replaced
/// by a random one, and its logarithm is −∞.
fn orthonormalise(q: &mut [f64], dim: usize, rng: &mut ChaCha8Rng) -> Vec<f64> {
    let count = q.len() / dim;
    let mut logs = Vec::with_capacity(count);
    for i in 0..count {
        let (done, rest) = q.split_at_mut(i * dim);
        let v = &mut rest[..dim];
        let given = length(v);
        let mut left = without(v, done, dim);
        // What is left is rounding, not a direction.
        let died = given == 0.0 || left <= 1e-15 * given || left < 1e-300;
        logs.push(if died { f64::NEG_INFINITY } else { left.ln() });
        while died && left < 1e-3 {
            v.iter_mut().for_each(|x| *x = rng.random::<f64>() - 0.5);
            left = without(v, done, dim);
        }
        v.iter_mut().for_each(|x| *x /= left);
    }
    logs
}

fn without(v: &mut [f64], done: &[f64], dim: usize) -> f64 {
    for _ in 0..2 {
        for q in done.chunks_exact(dim) {
            let along = dot(q, v);
            v.iter_mut().zip(q).for_each(|(x, q)| *x -= along * q);
        }
    }
    length(v)
}

/// Resamples of the bootstrap.
const RESAMPLES: usize = 200;

fn spectrum(width: usize, sequences: &[Vec<Vec<f64>>], seed: u64) -> Result<Lyapunov, Error> {
    let steps: usize = sequences.iter().map(Vec::len).sum();
    let Some(count) = sequences.iter().flatten().next().map(Vec::len) else {
        let text = "no step is left to measure Lyapunov exponents on: the sequences are too short";
        return Err(Error::Nothing(text.into()));
    };
    let mean = |i: usize| sequences.iter().flatten().map(|r| r[i]).sum::<f64>() / steps as f64;
    let mut pairs: Vec<(f64, f64)> = (0..count)
        .map(mean)
        .zip(bootstrap(sequences, count, seed))
        .collect();
    pairs.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (exponents, errors): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
    Ok(Lyapunov {
        sequences: sequences.iter().filter(|s| !s.is_empty()).count(),
        steps,
        width,
        sum: (count == width).then(|| exponents.iter().sum()),
        positive_sum: exponents.iter().filter(|l| l.is_nan() || **l > 0.0).sum(),
        kaplan_yorke: kaplan_yorke(&exponents, width),
        predictability: exponents
            .first()
            .filter(|l| **l > 0.0)
            .map(|l| std::f64::consts::LN_2 / l),
        exponents,
        errors,
    })
}

/// j + (λ_1 + … + λ_j)/|λ_{j+1}|, j the last for which the sum is not negative.
fn kaplan_yorke(exponents: &[f64], width: usize) -> Option<f64> {
    let mut sum = 0.0;
    for (j, l) in exponents.iter().enumerate() {
        if l.is_nan() {
            return None;
        }
        if sum + l < 0.0 {
            return Some(j as f64 + sum / l.abs());
        }
        sum += l;
    }
    (exponents.len() == width).then_some(width as f64)
}

/// Standard errors: blocks of about √T neighbouring steps of one sequence, drawn with replacement.
fn bootstrap(sequences: &[Vec<Vec<f64>>], count: usize, seed: u64) -> Vec<f64> {
    let mut blocks: Vec<(f64, Vec<f64>)> = Vec::new();
    for sequence in sequences {
        let size = (sequence.len() as f64).sqrt().ceil().max(1.0) as usize;
        for block in sequence.chunks(size) {
            let sums = (0..count)
                .map(|i| block.iter().map(|r| r[i]).sum())
                .collect();
            blocks.push((block.len() as f64, sums));
        }
    }
    if blocks.len() < 2 {
        return vec![f64::NAN; count];
    }
    let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0xb007);
    let (mut first, mut second) = (vec![0.0; count], vec![0.0; count]);
    for _ in 0..RESAMPLES {
        let (mut n, mut sums) = (0.0, vec![0.0; count]);
        for _ in 0..blocks.len() {
            let block = &blocks[rng.random_range(0..blocks.len())];
            n += block.0;
            sums.iter_mut().zip(&block.1).for_each(|(s, b)| *s += b);
        }
        for i in 0..count {
            first[i] += sums[i] / n / RESAMPLES as f64;
            second[i] += (sums[i] / n).powi(2) / RESAMPLES as f64;
        }
    }
    first
        .iter()
        .zip(second)
        .map(|(m, s)| match m.is_finite() {
            true => (s - m * m).max(0.0).sqrt(),
            false => f64::NAN,
        })
        .collect()
}
