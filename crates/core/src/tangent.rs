//! J_t v without forming J_t: how small changes of the state before a step change the state after it.
//!
//! J_t = ∂s_t/∂s_{t−1}, with s the joint state of all layers (h, or h and c, layer by layer). The dense Jacobian is
//! the tangent of the identity.

use crate::drive;
use crate::weights::InputWeights;
use crate::{Batch, Element, Error, Trace, Weights};
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
    batch: &Batch<E>,
    trace: &Trace<E>,
    (t, row): (usize, usize),
    directions: &mut [E],
    work: &mut Tangent<E>,
) -> Result<(), Error> {
    let network = &weights.network;
    trace.check(network, batch)?;
    if network.bidirectional {
        return Err(Error::Unsupported(
            "a bidirectional network has no single recurrent Jacobian: ask for one direction"
                .into(),
        ));
    }
    if batch.at(t, row).is_none() {
        return Err(Error::Mismatch {
            what: "the step",
            why: format!("row {row} of the batch has no step {t}"),
        });
    }
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
        let (a, b) = w.h_columns;
        let d_h = Rows::new(&work.state, n, width).columns(0, h);
        let z = drive.reborrow().columns(a, b);
        product(weights.level, d_h, &w.recurrent, z, Start::Keep);
        let swept = &trace.sweeps[layer];
        let step = drive::Tangent {
            hidden: h,
            unit: &w.unit,
            before: swept.state(batch, t, row),
            after: swept.state(batch, t + 1, row),
            saved: swept.saved(batch, t, row),
            d_drive: drive.view(),
            d_state: RowsMut::new(&mut work.state[..n * width], n, width),
        };
        step.run(weights.level, network.cell);
        for (i, v) in directions.chunks_exact_mut(all).enumerate() {
            let d_state = &work.state[i * width..][..width];
            v[layer * width..][..width].copy_from_slice(d_state);
            work.below[i * h..][..h].copy_from_slice(&d_state[..h]);
        }
    }
    Ok(())
}
