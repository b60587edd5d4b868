//! The gradient by lag: φ_k = E ‖∂L_s/∂s_{s−k}‖₂ over loss times s and sequences, and what each lag adds to ∂L/∂W_hh
//! — the product of Jacobians of S. Hochreiter (1991) and Y. Bengio, P. Simard and P. Frasconi (1994), measured.
//!
//! Each loss time is followed back on its own, all of them together lag by lag: one product with W_hhᵀ for all. A
//! cotangent that leaves the safe range is brought back and its logarithm kept, so nothing underflows. Memory grows
//! with the loss times, time with loss times × lags.

use crate::scaled::{self, Quantiles};
use crate::scope::spread;
use crate::{Credit, Error, Scope, credit::Crediting, dense};
use elman_core::Pullback;
use serde::Serialize;

/// Which loss times are followed, and how far.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LagOptions {
    /// The longest lag; `None` for the longest that the chosen loss times all reach.
    pub max_lag: Option<usize>,
    /// Loss times of each row, chosen among those that reach the longest lag.
    pub times: usize,
    /// Follow every loss time instead, however short its reach: credit is then that of the whole loss, and the time
    /// grows with the square of the length.
    pub every: bool,
    /// Whether to compute each lag's part of ∂L/∂W_hh too: about twice the time.
    pub credit: bool,
}

impl Default for LagOptions {
    fn default() -> Self {
        LagOptions {
            max_lag: None,
            times: 8,
            every: false,
            credit: true,
        }
    }
}

/// φ_k for k = 0 … [`max_lag`](LagProfile::max_lag), in natural logarithms.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LagProfile {
    /// Sequences that it was measured on.
    pub sequences: usize,
    /// Loss times followed, of all sequences together.
    pub loss_times: usize,
    /// How many of them reach back that far, for each lag.
    pub reaching: Vec<usize>,
    /// ln φ_k: the logarithm of the mean norm, over the loss times that reach lag k. −∞ where it is exactly zero.
    pub ln_mean: Vec<f64>,
    /// ln of the mean norm at lag 0 of those loss times that reach lag k: what a bound at lag k starts from.
    pub ln_start: Vec<f64>,
    /// Quantiles of ln ‖∂L_s/∂s_{s−k}‖.
    pub ln_quantiles: Vec<Quantiles>,
    /// M, the largest ‖∂L_s/∂W_hh at lag k‖ / ‖∂L_s/∂s_{s−k}‖ that was met; 0 where credit was not asked for.
    pub weight_factor: f64,
    /// What each lag adds to ∂L/∂W_hh, where asked for.
    pub credit: Option<Credit>,
}

impl LagProfile {
    /// The longest lag.
    pub fn max_lag(&self) -> usize {
        self.ln_mean.len().saturating_sub(1)
    }
    /// φ_k/φ_0, which may underflow to 0; 0 past the longest lag.
    pub fn ratio(&self, lag: usize) -> f64 {
        match (self.ln_mean.first(), self.ln_mean.get(lag)) {
            (Some(first), Some(at)) => (at - first).exp(),
            _ => 0.0,
        }
    }
}

/// One loss, followed back.
struct Probe {
    row: usize,
    time: usize,
    ln_scale: f64,
    /// ln of the norm at lag 0.
    ln_start: f64,
}

/// Measures φ_k. An error where no output has a loss.
pub fn lag_profile(scope: &Scope, options: &LagOptions) -> Result<LagProfile, Error> {
    let (pairs, max_lag) = loss_times(scope, options)?;
    let width = scope.width();
    let mut cotangents = vec![0.0; pairs.len() * width];
    let mut probes = Vec::with_capacity(pairs.len());
    for (&(time, row), u) in pairs.iter().zip(cotangents.chunks_exact_mut(width)) {
        scope.add_direct(time, row, 1.0, u);
        probes.push(Probe {
            row,
            time,
            ln_scale: 0.0,
            ln_start: dense::length(u).ln(),
        });
    }
    let mut profile = LagProfile {
        sequences: rows_of(&pairs),
        loss_times: pairs.len(),
        reaching: Vec::new(),
        ln_mean: Vec::new(),
        ln_start: Vec::new(),
        ln_quantiles: Vec::new(),
        weight_factor: 0.0,
        credit: None,
    };
    let mut crediting = match options.credit {
        true => Some(Crediting::new(scope, &pairs)?),
        false => None,
    };
    let mut work = Pullback::new();
    for lag in 0..=max_lag {
        keep_reaching(&mut probes, &mut cotangents, lag, width);
        if probes.is_empty() {
            break;
        }
        let norms: Vec<f64> = probes
            .iter_mut()
            .zip(cotangents.chunks_exact_mut(width))
            .map(|(p, u)| scaled::rescale(u, &mut p.ln_scale))
            .collect();
        let starts: Vec<f64> = probes.iter().map(|p| p.ln_start).collect();
        profile.reaching.push(probes.len());
        profile.ln_mean.push(scaled::ln_mean_exp(&norms));
        profile.ln_start.push(scaled::ln_mean_exp(&starts));
        profile.ln_quantiles.push(Quantiles::of(&norms));
        if lag == max_lag && crediting.is_none() {
            break;
        }
        let places: Vec<_> = probes.iter().map(|p| (p.time - lag, p.row)).collect();
        scope.pull(&places, &mut cotangents, &mut work)?;
        if let Some(crediting) = &mut crediting {
            let scales: Vec<f64> = probes.iter().map(|p| p.ln_scale).collect();
            let factor = crediting.add(scope, &places, &scales, &norms, &work);
            profile.weight_factor = profile.weight_factor.max(factor);
        }
    }
    profile.credit = crediting.map(Crediting::finish);
    Ok(profile)
}

/// Drops probes whose sequence begins before this lag.
fn keep_reaching(probes: &mut Vec<Probe>, cotangents: &mut Vec<f64>, lag: usize, width: usize) {
    if probes.iter().all(|p| p.time >= lag) {
        return;
    }
    let mut kept = 0;
    for (i, probe) in probes.iter().enumerate() {
        if probe.time >= lag {
            cotangents.copy_within(i * width..(i + 1) * width, kept * width);
            kept += 1;
        }
    }
    cotangents.truncate(kept * width);
    probes.retain(|p| p.time >= lag);
}

fn rows_of(pairs: &[(usize, usize)]) -> usize {
    let mut rows: Vec<usize> = pairs.iter().map(|p| p.1).collect();
    rows.sort_unstable();
    rows.dedup();
    rows.len()
}

/// How many of a row's loss times are followed where `times` are asked for: at most a quarter, so that the others
/// leave room for long lags.
fn wanted(of: &[usize], times: usize) -> usize {
    times.min(of.len().div_ceil(4)).max(1)
}

/// The longest lag that the latest loss times of the row that reaches furthest all have before them.
pub(crate) fn reach(scope: &Scope, times: usize) -> Result<usize, Error> {
    let of_row = |row| {
        let all = scope.loss_times(row);
        let n = wanted(&all, times);
        all.len().checked_sub(n).and_then(|i| all.get(i)).copied()
    };
    let furthest = (0..scope.batch().rows()).filter_map(of_row).max();
    furthest.ok_or_else(|| {
        let text = "no output has a loss whose gradient is not zero, so there is no gradient to follow back";
        Error::Nothing(text.into())
    })
}

/// The loss times (step, row) to follow, and the longest lag. A row's loss times are spread over those that reach the
/// longest lag, or are its latest where none does.
fn loss_times(scope: &Scope, options: &LagOptions) -> Result<(Vec<(usize, usize)>, usize), Error> {
    if options.times == 0 {
        let text = "at least 1 loss time of each row must be followed";
        return Err(Error::Option(text.into()));
    }
    let furthest = reach(scope, options.times)?;
    let rows: Vec<Vec<usize>> = (0..scope.batch().rows())
        .map(|r| scope.loss_times(r))
        .collect();
    let last = rows.iter().flatten().max().copied().unwrap_or(0);
    let default = if options.every { last } else { furthest };
    let max_lag = options.max_lag.unwrap_or(default).min(last);
    let mut pairs = Vec::new();
    for (row, times) in rows.iter().enumerate() {
        let from = times.partition_point(|&t| t < max_lag);
        let latest = wanted(times, options.times).min(times.len());
        let chosen = match times.len() - from {
            _ if options.every => times.clone(),
            0 => times[times.len() - latest..].to_vec(),
            _ => spread(&times[from..], options.times),
        };
        pairs.extend(chosen.into_iter().map(|t| (t, row)));
    }
    Ok((pairs, max_lag))
}

#[cfg(test)]
mod tests {
    use super::*;
    use elman_core::{Batch, CellKind, Input, Network, Params, State};

    fn scope(losses: &[usize], steps: usize) -> Scope {
        let network = Network {
            output: None,
            ..Network::new(CellKind::ElmanLinear, Input::Features(1), 1, 1)
        };
        let mut params = Params::<f64>::zeros(&network).unwrap();
        params.set("weight_hh_l0", &[0.5]).unwrap();
        let batch = Batch::features(&vec![0.0; steps], [steps, 1, 1], None).unwrap();
        let mut d = vec![0.0; steps];
        losses.iter().for_each(|&t| d[t] = 1.0);
        let state = State::zeros(&network, 1);
        Scope::new(&network, &params, &batch, &state, &d).unwrap()
    }
    #[test]
    fn all_chosen_loss_times_reach_the_longest_lag() {
        let every: Vec<usize> = (0..100).collect();
        let profile = lag_profile(&scope(&every, 100), &LagOptions::default()).unwrap();
        assert_eq!((profile.max_lag(), profile.loss_times), (92, 8));
        assert!(profile.reaching.iter().all(|&n| n == 8));
        let at_the_end = lag_profile(&scope(&[99], 100), &LagOptions::default()).unwrap();
        assert_eq!((at_the_end.max_lag(), at_the_end.loss_times), (99, 1));
        let asked = LagOptions {
            max_lag: Some(1000),
            ..LagOptions::default()
        };
        assert_eq!(
            lag_profile(&scope(&[3, 70], 100), &asked)
                .unwrap()
                .max_lag(),
            70
        );
    }
    #[test]
    fn far_below_what_f64_holds() {
        let profile = lag_profile(&scope(&[2999], 3000), &LagOptions::default()).unwrap();
        let exact = 2999.0 * 0.5f64.ln();
        assert!((profile.ln_mean[2999] / exact - 1.0).abs() < 1e-12);
    }
    #[test]
    fn no_loss_is_an_error() {
        let nothing = lag_profile(&scope(&[], 10), &LagOptions::default());
        assert!(matches!(nothing, Err(Error::Nothing(_))));
    }
}
