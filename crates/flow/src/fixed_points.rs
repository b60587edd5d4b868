//! Fixed and slow points — D. Sussillo and O. Barak, "Opening the black box", Neural Computation 25 (2013).
//!
//! With the input held still, minima of q(s) = ½‖F(s) − s‖² are looked for from states along the data: where q = 0 the
//! state stays, where it is small it lingers. The eigenvalues of J there tell stable points from saddles. Minimised by
//! Levenberg and Marquardt: (AᵀA + μI) Δ = −Aᵀ(F − s), A = J − I.

use crate::dense::{Complex, damped_solve, eigenvalues, length, rows};
use crate::scope::{spread, transposed};
use crate::{Error, Scope};
use elman_core::{Batch, Input, State, Tangent, Team, Trace, Weights, forward, tangent};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

/// What the network reads at every step while points are looked for.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum HeldInput {
    /// These features.
    Features(Vec<f64>),
    /// This symbol.
    Symbol(u32),
}

/// Which input is held still: the points depend on it.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum FixedPointInput {
    /// The mean features of the data, or its most frequent symbol.
    #[default]
    Mean,
    /// Features of zero. An error for a network that reads symbols.
    Zero,
    /// This one.
    Held(HeldInput),
}

/// How points are looked for.
#[derive(Clone, Debug, PartialEq)]
pub struct FixedPointOptions {
    /// The input.
    pub input: FixedPointInput,
    /// States to start from, spread along the data.
    pub starts: usize,
    /// How far from the data starts are moved at random, as a share of each number's standard deviation.
    pub noise: f64,
    /// Steps of each minimisation, at most.
    pub iterations: usize,
    /// q below this is a fixed point.
    pub fixed: f64,
    /// q below this is a slow point; above, the start is given up.
    pub slow: f64,
    /// Two points nearer than this (as a share of 1 + ‖s‖) are one.
    pub merge: f64,
    /// Of the starts.
    pub seed: u64,
}

impl Default for FixedPointOptions {
    fn default() -> Self {
        FixedPointOptions {
            input: FixedPointInput::Mean,
            starts: 64,
            noise: 0.5,
            iterations: 100,
            fixed: 1e-18,
            slow: 1e-4,
            merge: 1e-3,
            seed: 0,
        }
    }
}

/// The points found, the slowest (smallest q) first.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FixedPoints {
    /// The input that was held still.
    pub input: HeldInput,
    /// Where it came from: `zero`, `mean` or `given`.
    pub input_from: &'static str,
    /// Starts tried.
    pub starts: usize,
    /// Starts that ended in no point.
    pub given_up: usize,
    /// Different points.
    pub points: Vec<FixedPoint>,
}

/// One point.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FixedPoint {
    /// The joint state.
    pub state: Vec<f64>,
    /// ½‖F(s) − s‖².
    pub q: f64,
    /// Whether q is so small that the state stays for ever.
    pub fixed: bool,
    /// Eigenvalues of J there, the largest first.
    pub eigenvalues: Vec<Complex>,
    /// How many lie outside the unit circle; 0 is a stable point.
    pub unstable: usize,
    /// How many starts ended here.
    pub found: usize,
}

impl FixedPoint {
    /// ‖F(s) − s‖: how far the state moves in a step.
    pub fn speed(&self) -> f64 {
        (2.0 * self.q).sqrt()
    }
    /// max |λ| of J there.
    pub fn radius(&self) -> f64 {
        self.eigenvalues.first().map_or(f64::NAN, |l| l.abs())
    }
}

impl FixedPoints {
    /// Fixed points with no unstable direction.
    pub fn stable(&self) -> usize {
        self.points
            .iter()
            .filter(|p| p.fixed && p.unstable == 0)
            .count()
    }
}

/// Looks for fixed and slow points of a network along its data.
pub fn fixed_points(scope: &Scope, options: &FixedPointOptions) -> Result<FixedPoints, Error> {
    let (input, input_from) = match &options.input {
        FixedPointInput::Held(input) => (input.clone(), "given"),
        FixedPointInput::Mean => (typical_input(scope), "mean"),
        FixedPointInput::Zero => (zero_input(scope)?, "zero"),
    };
    let mut still = Still::new(scope, &input)?;
    let mut found = FixedPoints {
        input,
        input_from,
        starts: 0,
        given_up: 0,
        points: Vec::new(),
    };
    for start in starts(scope, options) {
        found.starts += 1;
        let Some((state, q)) = minimise(&mut still, start, options)? else {
            found.given_up += 1;
            continue;
        };
        let near = |p: &FixedPoint| {
            let apart: Vec<f64> = p.state.iter().zip(&state).map(|(a, b)| a - b).collect();
            length(&apart) <= options.merge * (1.0 + length(&state))
        };
        match found.points.iter_mut().find(|p| near(p)) {
            Some(known) => {
                known.found += 1;
                if q < known.q {
                    (known.q, known.state) = (q, state);
                }
            }
            None => found.points.push(FixedPoint {
                state,
                q,
                fixed: false,
                eigenvalues: Vec::new(),
                unstable: 0,
                found: 1,
            }),
        }
    }
    for point in &mut found.points {
        let (_, jacobian) = still.step(&point.state)?;
        let n = point.state.len();
        point.eigenvalues = eigenvalues(rows(&jacobian, n, n))?;
        point.unstable = point.eigenvalues.iter().filter(|l| l.abs() > 1.0).count();
        point.fixed = point.q <= options.fixed;
    }
    found.points.sort_by(|a, b| a.q.total_cmp(&b.q));
    Ok(found)
}

/// The network with its input held still: F and its Jacobian.
struct Still<'a> {
    weights: &'a Weights<f64>,
    batch: Batch<f64>,
    state: State<f64>,
    trace: Trace<f64>,
    work: Tangent<f64>,
    team: Team,
}

impl<'a> Still<'a> {
    fn new(scope: &'a Scope, input: &HeldInput) -> Result<Still<'a>, Error> {
        let width = scope.network().input.width();
        let batch = match input {
            HeldInput::Features(x) => Batch::features(x, [1, 1, x.len().max(1)], None)?,
            HeldInput::Symbol(symbol) => Batch::symbols(&[*symbol], [1, 1], width, None)?,
        };
        Ok(Still {
            weights: &scope.weights,
            batch,
            state: State::zeros(scope.network(), 1),
            trace: Trace::new(),
            work: Tangent::new(),
            team: Team::new(1),
        })
    }
    fn forward(&mut self, s: &[f64]) -> Result<Vec<f64>, Error> {
        self.state.data_mut().copy_from_slice(s);
        forward(
            self.weights,
            &self.batch,
            &self.state,
            &mut self.trace,
            &self.team,
        )?;
        let sweeps = self.trace.sweeps().iter();
        Ok(sweeps.flat_map(|w| w.state(1, 0)).copied().collect())
    }
    /// F(s), and J there row by row.
    fn step(&mut self, s: &[f64]) -> Result<(Vec<f64>, Vec<f64>), Error> {
        let after = self.forward(s)?;
        let mut columns = crate::scope::identity(s.len());
        tangent(
            self.weights,
            &self.trace,
            (0, 0),
            &mut columns,
            &mut self.work,
        )?;
        Ok((after, transposed(&columns, s.len())))
    }
    /// F(s), and J − I.
    fn step_less_identity(&mut self, s: &[f64]) -> Result<(Vec<f64>, Vec<f64>), Error> {
        let (after, mut j) = self.step(s)?;
        (0..s.len()).for_each(|i| j[i * s.len() + i] -= 1.0);
        Ok((after, j))
    }
}

fn half_square(a: &[f64], b: &[f64]) -> f64 {
    0.5 * a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>()
}

/// A minimum of q near `s`, and q there; `None` where it is not even slow.
fn minimise(
    still: &mut Still<'_>,
    mut s: Vec<f64>,
    options: &FixedPointOptions,
) -> Result<Option<(Vec<f64>, f64)>, Error> {
    let n = s.len();
    let mut mu = 1e-3;
    let (mut after, mut a) = still.step_less_identity(&s)?;
    let mut q = half_square(&after, &s);
    for _ in 0..options.iterations {
        if q <= 1e-30 || !q.is_finite() || mu > 1e12 {
            break;
        }
        let missed: Vec<f64> = after.iter().zip(&s).map(|(f, s)| f - s).collect();
        let down: Vec<f64> = (0..n)
            .map(|c| (0..n).map(|r| -a[r * n + c] * missed[r]).sum())
            .collect();
        let step = damped_solve(rows(&a, n, n), mu, &down);
        let next: Vec<f64> = s.iter().zip(step).map(|(s, d)| s + d).collect();
        let lower = half_square(&still.forward(&next)?, &next);
        if lower < q {
            (s, mu) = (next, (mu * 0.2).max(1e-15));
            (after, a) = still.step_less_identity(&s)?;
            q = half_square(&after, &s);
        } else {
            mu *= 10.0;
        }
    }
    Ok((q <= options.slow).then_some((s, q)))
}

/// States along the data, moved a little at random.
fn starts(scope: &Scope, options: &FixedPointOptions) -> Vec<Vec<f64>> {
    let places = scope.places(usize::MAX, 1);
    let states = |places: &[(usize, usize)]| -> Vec<Vec<f64>> {
        places.iter().map(|&(t, r)| scope.state(t + 1, r)).collect()
    };
    let sample = states(&spread(&places, 512));
    let n = scope.width();
    let count = sample.len().max(1) as f64;
    let mean: Vec<f64> = (0..n)
        .map(|i| sample.iter().map(|s| s[i]).sum::<f64>() / count)
        .collect();
    let spread_of =
        |i: usize| (sample.iter().map(|s| (s[i] - mean[i]).powi(2)).sum::<f64>() / count).sqrt();
    let deviation: Vec<f64> = (0..n).map(spread_of).collect();
    let mut rng = ChaCha8Rng::seed_from_u64(options.seed);
    let mut chosen = Vec::with_capacity(options.starts);
    while chosen.len() < options.starts && !places.is_empty() {
        let (t, row) = places[rng.random_range(0..places.len())];
        let mut s = scope.state(t + 1, row);
        for (x, d) in s.iter_mut().zip(&deviation) {
            *x += options.noise * d * (2.0 * rng.random::<f64>() - 1.0) * 3f64.sqrt();
        }
        chosen.push(s);
    }
    chosen
}

fn zero_input(scope: &Scope) -> Result<HeldInput, Error> {
    match scope.network().input {
        Input::Features(width) => Ok(HeldInput::Features(vec![0.0; width])),
        Input::Symbols(_) => Err(Error::Option(
            "fixed points under zero input need a network that reads features, and this one reads symbols: use mean, its \
             most frequent symbol"
                .into(),
        )),
    }
}

/// The mean features of the data, or its most frequent symbol.
fn typical_input(scope: &Scope) -> HeldInput {
    let (batch, width) = (scope.batch(), scope.network().input.width());
    let (mut sum, mut n) = (vec![0.0; width], 0.0);
    for (t, row) in scope.places(usize::MAX, 1) {
        if let Some(x) = batch.x(t, row) {
            sum.iter_mut().zip(x).for_each(|(s, x)| *s += x);
        }
        if let Some(symbol) = batch.symbol(t, row) {
            sum[symbol as usize] += 1.0;
        }
        n += 1.0;
    }
    match batch.symbol(0, 0) {
        None => HeldInput::Features(sum.iter().map(|s| s / n).collect()),
        Some(_) => {
            let most = (0..width).fold(0, |best, i| if sum[i] > sum[best] { i } else { best });
            HeldInput::Symbol(most as u32)
        }
    }
}
