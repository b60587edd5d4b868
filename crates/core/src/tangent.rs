//! J_t v without forming J_t: how small changes of the state before a step change the state after it.
//!
//! J_t = ∂s_t/∂s_{t−1}, with s the joint state of all layers (h, or h and c, layer by layer). The dense Jacobian is
//! the tangent of the identity.

use crate::step::{Masks, Past, Step};
use crate::weights::InputWeights;
use crate::{Element, Error, Trace, Weights};
use elman_kernels::{Rows, RowsMut, Start, product};

/// Work space for [`tangent`], used again by the next call.
#[derive(Clone, Debug, Default)]
pub struct Tangent<E> {
    drive: Vec<E>,
    state: Vec<E>,
    below: Vec<E>,
}

impl<E: Element> Tangent<E> {
    /// An empty one.
    pub fn new() -> Tangent<E> {
        Tangent {
            drive: Vec::new(),
            state: Vec::new(),
            below: Vec::new(),
        }
    }
}

/// Replaces each of the `directions` `[n, layers·S·H]` v by J_t v, at step `t` of the caller's row `row` of a trace.
/// Errors for a bidirectional network, which has no such Jacobian, and where sizes disagree.
pub fn tangent<E: Element>(
    weights: &Weights<E>,
    trace: &Trace<E>,
    (t, row): (usize, usize),
    directions: &mut [E],
    work: &mut Tangent<E>,
) -> Result<(), Error> {
    let network = &weights.network;
    trace.has_jacobians(weights, &[(t, row)])?;
    let (h, width) = (network.hidden, network.state_width());
    let all = network.layers * width;
    if directions.is_empty() || !directions.len().is_multiple_of(all) {
        let shape = format!("[n, {} layers of {width}]", network.layers);
        return Err(Error::size("the directions", directions.len(), all, shape));
    }
    let n = directions.len() / all;
    let lanes = network.cell.sizes().drive * h;
    work.drive.resize(n * lanes, E::ZERO);
    work.state.resize(n * width, E::ZERO);
    work.below.resize(n * h, E::ZERO);
    for (layer, w) in weights.sweeps.iter().enumerate() {
        let mut drive = RowsMut::new(&mut work.drive[..n * lanes], n, lanes);
        drive.data().fill(E::ZERO);
        for (i, v) in directions.chunks_exact(all).enumerate() {
            work.state[i * width..][..width].copy_from_slice(&v[layer * width..][..width]);
        }
        if let (true, InputWeights::Features(packed)) = (layer > 0, &w.input) {
            let (a, b) = w.x_columns;
            let below = Rows::new(&work.below, n, h);
            let z = drive.reborrow().columns(a, b);
            product(weights.level, below, packed, z, Start::Keep);
        }
        let swept = &trace.sweeps[layer];
        let step = Step {
            weights,
            w,
            plan: swept.plan,
            masks: Masks::NONE,
            turned: false,
        };
        let past = Past {
            before: one_row(swept.state(t, row)),
            after: one_row(swept.state(t + 1, row)),
            saved: one_row(swept.saved(t, row)),
            extra: one_row(swept.extra_of(t, row)),
        };
        let d_state = RowsMut::new(&mut work.state[..n * width], n, width);
        step.tangent(past, drive, d_state);
        // What the step made of the directions goes to the caller and to the layer above.
        for (i, v) in directions.chunks_exact_mut(all).enumerate() {
            let d_state = &work.state[i * width..][..width];
            v[layer * width..][..width].copy_from_slice(d_state);
            work.below[i * h..][..h].copy_from_slice(&d_state[..h]);
        }
    }
    Ok(())
}

fn one_row<E>(row: &[E]) -> Rows<'_, E> {
    Rows::new(row, 1, row.len())
}
