//! One measurement of everything.

use crate::*;
use elman_core::{Batch, Element, Network, Params, State};
use serde::Serialize;

/// What is measured, and how much of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Sequences, evenly chosen from the batch: memory grows with them.
    pub sequences: usize,
    /// The gradient by lag.
    pub lag: LagOptions,
    /// The lag from which the decay is fitted; `None` for a quarter of the longest.
    pub tau: Option<usize>,
    /// Lengths of the products of Jacobians and of the finite-time exponents.
    pub products: Vec<usize>,
    /// Places along the data for both.
    pub places: usize,
    /// The Lyapunov spectrum; `None` to leave it out.
    pub lyapunov: Option<LyapunovOptions>,
    /// Fixed points; `None` to leave them out. They take longest.
    pub fixed_points: Option<FixedPointOptions>,
    /// Relative biases for which the smallest window is reported.
    pub biases: Vec<f64>,
    /// Of everything drawn at random.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            sequences: 16,
            lag: LagOptions::default(),
            tau: None,
            products: vec![1, 2, 4, 8, 16, 32, 64, 128],
            places: 6,
            lyapunov: Some(LyapunovOptions::default()),
            fixed_points: None,
            biases: vec![0.5, 0.1, 0.01],
            seed: 0,
        }
    }
}

/// Every measurement of one network on one batch.
///
/// Where a number that the network holds, reads or makes is NaN or infinite, [`not_finite`](Flow::not_finite) says where,
/// and every figure is NaN. JSON has no NaN and no infinities: all of them are `null` there.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Flow {
    /// What was measured.
    pub about: About,
    /// The first number that is not finite, where there is one.
    pub not_finite: Option<NotFinite>,
    /// The gradient by lag, and each lag's part of ∂L/∂W_hh.
    pub lag: LagProfile,
    /// Its decay and horizon.
    pub decay: Decay,
    /// The lesson's bound, for cells that have one.
    pub bound: Option<Bound>,
    /// Bias against window, where credit was measured.
    pub bias: Option<TruncationBias>,
    /// The smallest window for some biases.
    pub windows: Vec<WindowFor>,
    /// W_hh, layer by layer and gate by gate.
    pub recurrent: Vec<RecurrentMatrix>,
    /// Singular values of J_t and of products.
    pub products: JacobianProducts,
    /// The Lyapunov spectrum.
    pub lyapunov: Option<Lyapunov>,
    /// Finite-time exponents.
    pub finite_time: Vec<FiniteTime>,
    /// The gradient that arrives at each step, and Ω.
    pub omega: Omega,
    /// Saturation of each layer.
    pub saturation: Vec<Saturation>,
    /// How much the sequences agree on the gradient.
    pub noise: GradientNoise,
    /// Where a random network of this scale would stand.
    pub mean_field: Option<MeanField>,
    /// Fixed and slow points.
    pub fixed_points: Option<FixedPoints>,
}

/// What was measured.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct About {
    /// The cell's name.
    pub cell: &'static str,
    /// Whether it has gates: several blocks of W_hh.
    pub gated: bool,
    /// Whether its units leak: a share of each is kept from step to step.
    pub leaky: bool,
    /// Layers.
    pub layers: usize,
    /// Units of each.
    pub hidden: usize,
    /// Numbers in the joint state.
    pub width: usize,
    /// Parameters.
    pub parameters: usize,
    /// Sequences measured.
    pub sequences: usize,
    /// Steps of all of them together.
    pub steps: usize,
    /// Steps of the longest.
    pub longest: usize,
}

/// The smallest window for one bias.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct WindowFor {
    /// The relative bias that is allowed.
    pub bias: f64,
    /// By the bound; `None` where no window is long enough.
    pub window: Option<usize>,
    /// As measured on the followed losses; `None` where the lags were not followed that far.
    pub measured: Option<usize>,
}

/// Measures everything. `d_outputs` is ∂L/∂y packed as [`Trace::outputs`](elman_core::Trace::outputs) is.
///
/// Memory and time grow linearly with the length of the sequences; [`cost`] says how far before it is begun.
pub fn measure<E: Element>(
    network: &Network,
    params: &Params<E>,
    batch: &Batch<E>,
    state: &State<E>,
    d_outputs: &[E],
    options: &Options,
) -> Result<Flow, Error> {
    let scope = Scope::of_rows(network, params, batch, state, d_outputs, options.sequences)?;
    measure_scope(&scope, options)
}

/// The same for what is under the microscope already.
pub fn measure_scope(scope: &Scope, options: &Options) -> Result<Flow, Error> {
    if let Some(found) = not_finite::not_finite(scope) {
        return undefined(scope, options, found);
    }
    let network = scope.network();
    let lag = lag_profile(scope, &options.lag)?;
    let tau = options.tau.unwrap_or_else(|| default_tau(lag.max_lag()));
    let decay = decay(&lag.ln_mean, tau)?;
    let bias = match lag.credit {
        Some(_) => Some(truncation_bias(&lag, &decay)?),
        None => None,
    };
    let windows = bias.iter().flat_map(|b| {
        options.biases.iter().map(|&bias| WindowFor {
            bias,
            window: b.smallest_window(bias),
            measured: b.smallest_measured_window(bias),
        })
    });
    let lyapunov = match &options.lyapunov {
        Some(o) => Some(lyapunov(
            scope,
            &LyapunovOptions {
                seed: options.seed,
                ..*o
            },
        )?),
        None => None,
    };
    let fixed_points = match &options.fixed_points {
        Some(o) => Some(fixed_points(scope, o)?),
        None => None,
    };
    Ok(Flow {
        about: about(scope),
        not_finite: None,
        windows: windows.collect(),
        decay,
        bound: lesson_bound(scope)?,
        recurrent: recurrent_matrices(network, scope.params())?,
        products: jacobian_products(scope, &options.products, options.places)?,
        finite_time: finite_time(scope, &options.products, options.places * 4, options.seed)?,
        omega: omega(&arrival(scope)?),
        saturation: saturation(scope),
        noise: gradient_noise(scope, options.sequences)?,
        mean_field: mean_field_of(scope)?,
        lyapunov,
        fixed_points,
        bias,
        lag,
    })
}

fn about(scope: &Scope) -> About {
    let (network, batch) = (scope.network(), scope.batch());
    About {
        cell: network.cell.name(),
        gated: network.cell.sizes().from_h.len() > 1,
        leaky: scope.params().get("leak_l0").is_ok(),
        layers: network.layers,
        hidden: network.hidden,
        width: scope.width(),
        parameters: scope.params().data().len(),
        sequences: batch.rows(),
        steps: batch.total(),
        longest: batch.steps(),
    }
}

/// What is left to say where a number is not finite: nothing but NaN.
fn undefined(scope: &Scope, options: &Options, found: NotFinite) -> Result<Flow, Error> {
    let (batch, nan) = (scope.batch(), f64::NAN);
    let lags = options
        .lag
        .max_lag
        .unwrap_or(batch.steps())
        .min(batch.steps() - 1)
        + 1;
    let none = Quantiles::of(&[]);
    let lag = LagProfile {
        sequences: batch.rows(),
        loss_times: 0,
        reaching: vec![0; lags],
        ln_mean: vec![nan; lags],
        ln_start: vec![nan; lags],
        ln_quantiles: vec![none; lags],
        weight_factor: nan,
        credit: None,
    };
    Ok(Flow {
        about: about(scope),
        not_finite: Some(found),
        decay: decay(&lag.ln_mean, default_tau(lags - 1))?,
        lag,
        bound: None,
        bias: None,
        windows: Vec::new(),
        recurrent: Vec::new(),
        products: JacobianProducts {
            width: scope.width(),
            lengths: Vec::new(),
        },
        lyapunov: None,
        finite_time: Vec::new(),
        omega: Omega {
            sequences: 0,
            steps: 0,
            mean: nan,
            quantiles: none,
            by_step: Vec::new(),
        },
        saturation: Vec::new(),
        noise: GradientNoise {
            sequences: batch.rows(),
            norms: Vec::new(),
            mean_norm: nan,
            spread: nan,
            signal_to_noise: None,
        },
        mean_field: None,
        fixed_points: None,
    })
}

/// What a measurement takes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Cost {
    /// Memory, in bytes.
    pub bytes: u64,
    /// Multiplications and additions.
    pub operations: u64,
}

impl Cost {
    /// Seconds on one core that makes `per_second` operations; 4e9 is about what f64 reaches here without the widest
    /// vectors.
    pub fn seconds(&self, per_second: f64) -> f64 {
        self.operations as f64 / per_second
    }
}

impl std::fmt::Display for Cost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (megabytes, seconds) = (self.bytes as f64 / 1e6, self.seconds(4e9));
        write!(
            f,
            "about {megabytes:.0} MB and {:.0} s on one core",
            seconds.ceil()
        )
    }
}

/// What [`measure`] would take, from sizes alone.
pub fn cost<E: Element>(network: &Network, batch: &Batch<E>, options: &Options) -> Cost {
    let sizes = network.cell.sizes();
    let (h, layers) = (network.hidden as u64, network.layers as u64);
    let (gates, lanes) = (sizes.from_h.len() as u64, sizes.drive as u64);
    let rows = batch.rows().min(options.sequences) as u64;
    let (steps, width) = (
        batch.steps() as u64,
        (network.layers * network.state_width()) as u64,
    );
    let reads = network.input.width() as u64;
    // One product of a vector with every W_hh, and with every W_xh.
    let product = 2 * gates * h * h * layers + 2 * gates * h * (reads + h * (layers - 1));
    let lags = options
        .lag
        .max_lag
        .map_or(steps, |k| (k as u64 + 1).min(steps));
    let probes = match options.lag.every {
        true => rows * steps,
        false => rows * options.lag.times as u64,
    };
    let follow =
        probes * lags * (product + 2 * gates * h * h * layers * u64::from(options.lag.credit));
    let longest = options
        .products
        .iter()
        .copied()
        .max()
        .unwrap_or(0)
        .min(batch.steps()) as u64;
    let places = options.places as u64;
    let values = 10 * width.pow(3) * options.products.len() as u64;
    let products = places * (longest * width * product + values);
    let exponents = options.lyapunov.as_ref().map_or(0, |o| {
        let count = (o.count as u64).min(width);
        (o.steps as u64 + rows * o.warm_up as u64).min(rows * steps)
            * count
            * (product + 8 * count * width)
    });
    let points = options.fixed_points.as_ref().map_or(0, |o| {
        (o.starts * o.iterations) as u64 / 4 * width * (product + 3 * width * width)
    });
    let powers = gates * layers * h.min(32) * 12 * h.pow(3);
    let state = 8 * rows * steps * (width + layers * h * (sizes.saved as u64 + 2 * lanes));
    let matrices = 8
        * (4 * width * width
            + 4 * gates * h * h * layers
            + probes * (4 * width + layers * lanes * h));
    Cost {
        bytes: state + matrices,
        operations: 6 * rows * steps * product + follow + products + exponents + points + powers,
    }
}
