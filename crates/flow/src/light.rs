//! What is cheap enough to measure while a network trains: the gradient by lag on a few rows once an epoch, and a
//! watch that names the step, layer and cause of a value that is not finite, or soon will not be.

use crate::Horizon;
use crate::lag::reach;
use crate::scaled::larger;
use crate::{
    Decay, Error, LagOptions, LagProfile, Scope, decay, default_tau, lag_profile, truncation_bias,
};
use elman_core::{Batch, Deltas, Element, Network, Params, State, Trace};
use serde::{Deserialize, Serialize};

/// How much is measured each epoch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LightOptions {
    /// Rows of the probe batch that are followed.
    pub rows: usize,
    /// Loss times of each.
    pub times: usize,
    /// The longest lag.
    pub max_lag: usize,
}

impl Default for LightOptions {
    fn default() -> Self {
        LightOptions {
            rows: 4,
            times: 2,
            max_lag: 128,
        }
    }
}

/// Gradient flow at one epoch, for `metrics.jsonl` and the picture of lag × epoch. What is NaN is `null` there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "Written")]
pub struct LightFlow {
    /// Sequences measured.
    pub sequences: usize,
    /// Loss times followed.
    pub loss_times: usize,
    /// ln φ_k, k = 0 …; not below −1000, which stands for zero too.
    pub ln_mean: Vec<f64>,
    /// Decay rate per step.
    pub beta: f64,
    /// Where the gradient falls to 50 %.
    pub half: Horizon,
    /// Where it falls to 1 %.
    pub horizon: Horizon,
    /// The longest lag.
    pub measured_to: usize,
}

/// A line of `metrics.jsonl`, as this version and earlier ones write it.
#[derive(Deserialize)]
struct Written {
    sequences: usize,
    loss_times: usize,
    ln_mean: Vec<Option<f64>>,
    beta: Option<f64>,
    half: WrittenHorizon,
    horizon: WrittenHorizon,
    measured_to: usize,
}

/// Before there was [`Horizon`]: a number of steps, or null where it lay past the longest lag.
#[derive(Deserialize)]
#[serde(untagged)]
enum WrittenHorizon {
    Now(Horizon),
    Before(Option<f64>),
}

impl From<Written> for LightFlow {
    fn from(w: Written) -> LightFlow {
        let number = |x: Option<f64>| x.unwrap_or(f64::NAN);
        let horizon = |h: WrittenHorizon| match h {
            WrittenHorizon::Now(h) => h,
            WrittenHorizon::Before(Some(at)) => Horizon::At(at),
            WrittenHorizon::Before(None) => Horizon::Beyond(w.measured_to),
        };
        LightFlow {
            sequences: w.sequences,
            loss_times: w.loss_times,
            ln_mean: w.ln_mean.into_iter().map(number).collect(),
            beta: number(w.beta),
            half: horizon(w.half),
            horizon: horizon(w.horizon),
            measured_to: w.measured_to,
        }
    }
}

/// Stands for the logarithm of zero, which JSON has not.
const LN_ZERO: f64 = -1000.0;

/// Measures a few rows of a probe batch. `d_outputs` is ∂L/∂y packed as the outputs are.
pub fn light<E: Element>(
    network: &Network,
    params: &Params<E>,
    batch: &Batch<E>,
    state: &State<E>,
    d_outputs: &[E],
    options: &LightOptions,
) -> Result<LightFlow, Error> {
    let scope = Scope::of_rows(network, params, batch, state, d_outputs, options.rows)?;
    let (profile, fit) = followed(&scope, options, false)?;
    Ok(LightFlow {
        sequences: profile.sequences,
        loss_times: profile.loss_times,
        ln_mean: profile
            .ln_mean
            .iter()
            .map(|&l| larger(l, LN_ZERO))
            .collect(),
        beta: fit.beta,
        half: fit.half,
        horizon: fit.percent,
        measured_to: fit.measured_to,
    })
}

/// The smallest truncation window whose bound on the gradient's relative bias is at most `bias`
/// ([`TruncationBias::smallest_window`](crate::TruncationBias::smallest_window)), measured on a few rows; `None` where no
/// window is long enough.
pub fn window_for_bias<E: Element>(
    network: &Network,
    params: &Params<E>,
    batch: &Batch<E>,
    state: &State<E>,
    d_outputs: &[E],
    bias: f64,
    options: &LightOptions,
) -> Result<Option<usize>, Error> {
    let scope = Scope::of_rows(network, params, batch, state, d_outputs, options.rows)?;
    let (profile, fit) = followed(&scope, options, true)?;
    Ok(truncation_bias(&profile, &fit)?.smallest_window(bias))
}

/// The gradient by lag and its decay.
fn followed(
    scope: &Scope,
    options: &LightOptions,
    credit: bool,
) -> Result<(LagProfile, Decay), Error> {
    let follow = LagOptions {
        // Only what its own loss times all reach, if that is less than what was asked for.
        max_lag: Some(options.max_lag.min(reach(scope, options.times)?)),
        times: options.times,
        every: false,
        credit,
    };
    let profile = lag_profile(scope, &follow)?;
    let fit = decay(&profile.ln_mean, default_tau(profile.max_lag()))?;
    Ok((profile, fit))
}

/// What [`light`] costs on rows of `steps` steps, as a share of an epoch of `epoch_steps` steps (rows × steps, forward and backward): by counts
/// of operations, f64 at half the speed of f32.
pub fn light_share(
    network: &Network,
    steps: usize,
    epoch_steps: usize,
    options: &LightOptions,
) -> f64 {
    let sizes = network.cell.sizes();
    let (h, layers) = (network.hidden as f64, network.layers as f64);
    let gates = sizes.from_h.len() as f64;
    let recurrent = gates * h * h * layers;
    let below = gates * h * (network.input.width() as f64 + h * (layers - 1.0));
    let rows = options.rows as f64;
    let lags = options.max_lag.min(steps) as f64;
    let probe = rows * steps as f64 * (recurrent + below)
        + rows * options.times as f64 * lags * (recurrent + below);
    2.0 * probe / (3.0 * epoch_steps.max(1) as f64 * (recurrent + below))
}

/// What the watch found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Alarm {
    /// Whether a value is already not finite; else it grows so fast that it soon will not be.
    pub not_finite: bool,
    /// The step, from 0, within the window that was run.
    pub step: usize,
    /// The row of the batch.
    pub row: usize,
    /// The layer; `None` for the input and the output.
    pub layer: Option<usize>,
    /// Where it stands: `x`, `h` (or c), `y` or `dz`.
    pub what: &'static str,
    /// The value.
    pub value: f64,
    /// Why, and what to do, in words.
    pub cause: String,
}

impl std::fmt::Display for Alarm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let layer = self
            .layer
            .map_or(String::new(), |l| format!(" of layer {l}"));
        let (what, step, row, value) = (self.what, self.step, self.row, self.value);
        write!(
            f,
            "{what}{layer} is {value:e} at step {step} of row {row}: {}",
            self.cause
        )
    }
}

/// A state or output beyond this will not be finite much longer.
const LARGE: f64 = 1e5;
/// A gradient that grows by this within one window, and to this size, will not be finite much longer.
const GROWTH: f64 = 1e6;
const LARGE_GRADIENT: f64 = 1e4;

/// Looks through what forward and backward left for a value that is not finite, or grows beyond reason, and names the
/// first in the order of computation. Costs one look at each number; `deltas` where backward has run.
pub fn watch<E: Element>(
    network: &Network,
    batch: &Batch<E>,
    trace: &Trace<E>,
    deltas: Option<&Deltas<E>>,
) -> Option<Alarm> {
    if network.bidirectional {
        return None;
    }
    let found = bad_input(batch).or_else(|| bad_state(network, batch, trace));
    let found = found.or_else(|| bad_output(batch, trace));
    found.or_else(|| deltas.and_then(|d| bad_delta(network, batch, d)))
}

/// The number furthest from 0, NaN before all.
fn worst<E: Element>(values: &[E]) -> f64 {
    values
        .iter()
        .map(|x| x.to_f64())
        .fold(0.0, |worst: f64, x| match worst.is_nan() || x.is_nan() {
            true => f64::NAN,
            false if x.abs() > worst.abs() => x,
            false => worst,
        })
}

/// Every step and row, in the order of time.
fn places<E: Element>(batch: &Batch<E>) -> impl Iterator<Item = (usize, usize)> + '_ {
    (0..batch.steps())
        .flat_map(|t| (0..batch.rows()).map(move |r| (t, r)))
        .filter(|&(t, r)| t < batch.length(r))
}

fn alarm(
    (step, row): (usize, usize),
    layer: Option<usize>,
    what: &'static str,
    value: f64,
    cause: String,
) -> Alarm {
    Alarm {
        not_finite: !value.is_finite(),
        step,
        row,
        layer,
        what,
        value,
        cause,
    }
}

fn bad_input<E: Element>(batch: &Batch<E>) -> Option<Alarm> {
    places(batch).find_map(|(t, row)| {
        let value = worst(batch.x(t, row)?);
        let cause = "the data has a value that is not a number; see --missing".to_string();
        (!value.is_finite()).then(|| alarm((t, row), None, "x", value, cause))
    })
}

fn bad_state<E: Element>(network: &Network, batch: &Batch<E>, trace: &Trace<E>) -> Option<Alarm> {
    let layers = trace.sweeps().len();
    places(batch).find_map(|(t, row)| {
        (0..layers).find_map(|layer| {
            let swept = &trace.sweeps()[layer];
            let value = worst(swept.state(t + 1, row));
            if value.abs() <= LARGE {
                return None;
            }
            let before = worst(swept.state(t, row)).abs();
            let cause = match (value.is_finite(), before > 1.0 && before.is_finite()) {
                _ if t == 0 && !before.is_finite() => {
                    "the state that was carried in is not finite: an earlier step broke it".to_string()
                }
                (false, false) => {
                    "the step before was finite and small: a weight is not finite, an earlier update broke it".into()
                }
                _ => format!(
                    "it grows by {:.2} a step and {} has no limit: lower --gain, or --cell elman",
                    value.abs() / before.max(f64::MIN_POSITIVE),
                    network.cell.name()
                ),
            };
            Some(alarm((t, row), Some(layer), "h", value, cause))
        })
    })
}

fn bad_output<E: Element>(batch: &Batch<E>, trace: &Trace<E>) -> Option<Alarm> {
    places(batch).find_map(|(t, row)| {
        let value = worst(trace.output(t, row)?);
        let cause = "the states are finite: the readout's weights have grown too large; lower --learning-rate";
        (value.is_nan() || value.abs() > LARGE).then(|| alarm((t, row), None, "y", value, cause.into()))
    })
}

/// From the last step to the first, the order in which gradients are computed.
fn bad_delta<E: Element>(network: &Network, batch: &Batch<E>, deltas: &Deltas<E>) -> Option<Alarm> {
    let lanes = network.cell.sizes().drive * network.hidden;
    let mut firsts = vec![vec![0.0f64; batch.rows()]; network.layers];
    for t in (0..batch.steps()).rev() {
        for layer in (0..network.layers).rev() {
            for (row, first) in firsts[layer].iter_mut().enumerate() {
                let Some(at) = batch.at(t, row) else { continue };
                let from = deltas.drive(layer).get(at * lanes..(at + 1) * lanes)?;
                let value = worst(from);
                if *first == 0.0 {
                    *first = value.abs();
                }
                let grown = value.abs() / first.max(f64::MIN_POSITIVE);
                if !value.is_finite() || (grown > GROWTH && value.abs() > LARGE_GRADIENT) {
                    let back = batch.length(row) - 1 - t;
                    let cause = format!(
                        "the gradient grew by {grown:.1e} on its way back over {back} steps: it explodes; \
                         lower --gain, set --clip 1.0, or shorten --window"
                    );
                    return Some(alarm((t, row), Some(layer), "dz", value, cause));
                }
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_any_version_are_read() {
        let flow = LightFlow {
            sequences: 1,
            loss_times: 2,
            ln_mean: vec![0.0, f64::NAN],
            beta: f64::NAN,
            half: Horizon::At(1.5),
            horizon: Horizon::Undefined,
            measured_to: 1,
        };
        let line = serde_json::to_string(&flow).unwrap();
        let back: LightFlow = serde_json::from_str(&line).unwrap();
        assert!(back.ln_mean[1].is_nan() && back.beta.is_nan(), "{line}");
        assert_eq!((back.half, back.horizon), (flow.half, flow.horizon));
        let old = r#"{"sequences":1,"loss_times":2,"ln_mean":[0.0,-1.0],"beta":0.5,"half":0.7,"horizon":null,"measured_to":1}"#;
        let old: LightFlow = serde_json::from_str(old).unwrap();
        assert_eq!(
            (old.half, old.horizon),
            (Horizon::At(0.7), Horizon::Beyond(1))
        );
    }
}
