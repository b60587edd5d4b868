//! J_t v without forming J_t: how small changes of the state before a step change the state after it.
//!
//! J_t = ∂s_t/∂s_{t−1}, with s the joint state of all layers (h, or h and c, layer by layer). The dense Jacobian is
//! the tangent of the identity.

use crate::drive;
use crate::extended::{Masks, Past, Step};
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
    batch.without_noise()?;
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
        let swept = &trace.sweeps[layer];
        if swept.columns.width > 0 {
            let step = Step {
                weights,
                w,
                columns: swept.columns,
                masks: Masks::NONE,
            };
            let past = Past {
                before: one_row(swept.state(batch, t, row)),
                after: one_row(swept.state(batch, t + 1, row)),
                saved: one_row(swept.saved(batch, t, row)),
                extra: one_row(swept.extra_of(batch, t, row)),
            };
            let d_state = RowsMut::new(&mut work.state[..n * width], n, width);
            step.tangent(past, drive, d_state);
            hand_on(layer, (h, width, all), directions, work);
            continue;
        }
        let (a, b) = w.h_columns;
        let d_h = Rows::new(&work.state, n, width).columns(0, h);
        let z = drive.reborrow().columns(a, b);
        product(weights.level, d_h, &w.recurrent, z, Start::Keep);
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
        hand_on(layer, (h, width, all), directions, work);
    }
    Ok(())
}

fn one_row<E>(row: &[E]) -> Rows<'_, E> {
    Rows::new(row, 1, row.len())
}

/// What a layer's step made of the directions goes to the caller and to the layer above.
fn hand_on<E: Element>(
    layer: usize,
    (h, width, all): (usize, usize, usize),
    directions: &mut [E],
    work: &mut Tangent<E>,
) {
    for (i, v) in directions.chunks_exact_mut(all).enumerate() {
        let d_state = &work.state[i * width..][..width];
        v[layer * width..][..width].copy_from_slice(d_state);
        work.below[i * h..][..h].copy_from_slice(&d_state[..h]);
    }
}
