//! Analytic gradients against central differences, in f64.

use crate::batch::BatchInput;
use crate::{Batch, Cotangent, Error, Network, Params, State, Unrolled};
use std::sync::Arc;

/// One gradient and its difference quotient.
#[derive(Clone, Debug, PartialEq)]
pub struct GradientCheck {
    /// The parameter's name, or `input`, or `state`.
    pub name: String,
    /// How many numbers were varied.
    pub numbers: usize,
    /// ‖analytic − numeric‖₂ / max(‖analytic‖₂, ‖numeric‖₂); 0 where both vanish.
    pub relative_error: f64,
}

/// Varies every parameter, every input and every number of the state before, and compares.
///
/// `loss` maps packed outputs to the loss and its gradient. Meant for small networks: each number costs some
/// sixteen runs.
pub fn check_gradient(
    network: &Network,
    params: &Params<f64>,
    batch: &Batch<f64>,
    state: &State<f64>,
    loss: impl Fn(&[f64]) -> (f64, Vec<f64>),
) -> Result<Vec<GradientCheck>, Error> {
    let mut unrolled = Unrolled::new(network, params)?;
    if matches!(*batch.input, BatchInput::Features(..)) {
        unrolled = unrolled.with_inputs();
    }
    let (_, d_outputs) = loss(unrolled.forward_from(batch, state)?);
    let mut gradient = params.zeros_like();
    let cotangent = Cotangent {
        outputs: &d_outputs,
        state: None,
    };
    unrolled.backward(cotangent, Some(&mut gradient))?;
    let d_inputs = unrolled.deltas().inputs().to_vec();
    // The learned state reaches the loss by way of `state` alone, so its own gradient is not among these.
    let d_state = unrolled.deltas().state_before()?;
    let mut checks = Vec::new();

    let mut params = params.clone();
    for view in params.layout().views().to_vec() {
        // What is fixed has no gradient.
        let fixed = network.leak.fixed && view.name.starts_with("leak_l");
        if fixed || view.name.starts_with("state_l") {
            continue;
        }
        let mut pairs = Vec::with_capacity(view.len());
        for i in view.range() {
            let numeric = quotient(|by| {
                let was = params.data()[i];
                params.data_mut()[i] = was + by;
                unrolled.refresh(&params)?;
                params.data_mut()[i] = was;
                Ok(loss(unrolled.forward_from(batch, state)?).0)
            })?;
            pairs.push((gradient.data()[i], numeric));
        }
        checks.push(compare(&view.name, &pairs));
    }
    unrolled.refresh(&params)?;

    if let BatchInput::Features(x, _) = &*batch.input {
        let mut pairs = Vec::with_capacity(x.len());
        let mut varied = batch.clone();
        for i in 0..x.len() {
            let numeric = quotient(|by| {
                if let BatchInput::Features(v, _) = Arc::make_mut(&mut varied.input) {
                    v[i] = x[i] + by;
                }
                let varied_loss = loss(unrolled.forward_from(&varied, state)?).0;
                if let BatchInput::Features(v, _) = Arc::make_mut(&mut varied.input) {
                    v[i] = x[i];
                }
                Ok(varied_loss)
            })?;
            pairs.push((d_inputs[i], numeric));
        }
        checks.push(compare("input", &pairs));
    }

    let mut varied = state.clone();
    let mut pairs = Vec::with_capacity(state.data().len());
    for i in 0..state.data().len() {
        let numeric = quotient(|by| {
            varied.data_mut()[i] = state.data()[i] + by;
            let varied_loss = loss(unrolled.forward_from(batch, &varied)?).0;
            varied.data_mut()[i] = state.data()[i];
            Ok(varied_loss)
        })?;
        pairs.push((d_state.data()[i], numeric));
    }
    checks.push(compare("state", &pairs));
    Ok(checks)
}

/// f′(0) by central differences of the fourth order, (8 (f(h) − f(−h)) − (f(2h) − f(−2h))) / 12h.
///
/// Two steps, h and h/2, must agree but for the rounding of f, some ε |f| / h; where they do not (the longer one
/// crossed the kink of a ReLU, say) shorter ones are tried, and where none do, the pair that agrees best is taken.
/// Without the allowance that would often be a short step, all rounding, whose two quotients happen to be alike.
fn quotient(mut f: impl FnMut(f64) -> Result<f64, Error>) -> Result<f64, Error> {
    let size = f(0.0)?.abs();
    let mut at = |h: f64| -> Result<f64, Error> {
        let near = f(h)? - f(-h)?;
        let far = f(2.0 * h)? - f(-2.0 * h)?;
        Ok((8.0 * near - far) / (12.0 * h))
    };
    let mut best = (f64::INFINITY, f64::NAN);
    for h in [1e-3, 1e-4, 1e-5, 1e-6] {
        let (whole, half) = (at(h)?, at(h / 2.0)?);
        let apart = (whole - half).abs();
        if apart < best.0 {
            best = (apart, half);
        }
        if apart <= 1e-9 * whole.abs() + 16.0 * f64::EPSILON * size / h {
            break;
        }
    }
    Ok(best.1)
}

fn compare(name: &str, pairs: &[(f64, f64)]) -> GradientCheck {
    let norm =
        |f: &dyn Fn(&(f64, f64)) -> f64| pairs.iter().map(|p| f(p) * f(p)).sum::<f64>().sqrt();
    let difference = norm(&|p| p.0 - p.1);
    let size = norm(&|p| p.0).max(norm(&|p| p.1));
    GradientCheck {
        name: name.into(),
        numbers: pairs.len(),
        relative_error: if difference == 0.0 {
            0.0
        } else {
            difference / size
        },
    }
}
