//! J_tᵀ u without forming J_t: the transpose of [`tangent`](crate::tangent), one step of it, many at once.
//!
//! [`backward`](crate::backward) runs one loss through all steps; this takes one step with many losses, each of them
//! at a step and row of its own, so that gradients can be followed lag by lag and rescaled before they underflow.

use crate::step::{Found, Masks, Past, Step};
use crate::weights::InputWeights;
use crate::{Element, Error, Trace, Weights};
use elman_kernels::{Rows, RowsMut, Start, product};

/// Work space for [`pull_back`], used again by the next call, and the δz that the last one made.
#[derive(Clone, Debug, Default)]
pub struct Pullback<E> {
    /// For each layer `[n, lanes·H]`
    drive: Vec<Vec<E>>,
    before: Vec<E>,
    after: Vec<E>,
    saved: Vec<E>,
    extra: Vec<E>,
    d_extra: Vec<E>,
    state: Vec<E>,
    above: Vec<E>,
    unit: Vec<E>,
}

impl<E: Element> Pullback<E> {
    /// An empty one.
    pub fn new() -> Pullback<E> {
        Pullback {
            drive: Vec::new(),
            before: Vec::new(),
            after: Vec::new(),
            saved: Vec::new(),
            extra: Vec::new(),
            d_extra: Vec::new(),
            state: Vec::new(),
            above: Vec::new(),
            unit: Vec::new(),
        }
    }
    /// δz of a layer at the step that was pulled through `[n, lanes·H]`: what each cotangent says of the cell's
    /// lanes there. Empty before the first call.
    pub fn drive(&self, layer: usize) -> &[E] {
        self.drive.get(layer).map_or(&[], Vec::as_slice)
    }
}

/// Replaces each of the `cotangents` `[n, layers·S·H]`, a gradient of the joint state after step t of a row, by
/// J_tᵀ u, that of the state before it. Cotangent i stands at `places[i]`: the step and the caller's row. Errors for
/// a bidirectional network, which has no such Jacobian, and where sizes disagree.
pub fn pull_back<E: Element>(
    weights: &Weights<E>,
    trace: &Trace<E>,
    places: &[(usize, usize)],
    cotangents: &mut [E],
    work: &mut Pullback<E>,
) -> Result<(), Error> {
    let network = &weights.network;
    trace.has_jacobians(weights, places)?;
    let (sizes, h, width) = (network.cell.sizes(), network.hidden, network.state_width());
    let (n, all, lanes) = (places.len(), network.layers * width, sizes.drive * h);
    let shape = || format!("[{n} places, {all}]");
    Error::check_size("the cotangents", cotangents.len(), &[n, all], shape)?;
    work.drive.resize_with(network.layers, Vec::new);
    work.above.clear();
    work.above.resize(n * h, E::ZERO);
    work.state.resize(n * width, E::ZERO);
    work.unit.resize(n * sizes.unit * h, E::ZERO);
    for (layer, w) in weights.sweeps.iter().enumerate().rev() {
        let swept = &trace.sweeps[layer];
        for buffer in [
            &mut work.before,
            &mut work.after,
            &mut work.saved,
            &mut work.extra,
        ] {
            buffer.clear();
        }
        for (i, &(t, row)) in places.iter().enumerate() {
            work.before.extend_from_slice(swept.state(t, row));
            work.after.extend_from_slice(swept.state(t + 1, row));
            work.saved.extend_from_slice(swept.saved(t, row));
            work.extra.extend_from_slice(swept.extra_of(t, row));
            let from = &cotangents[i * all + layer * width..][..width];
            work.state[i * width..][..width].copy_from_slice(from);
        }
        let d_drive = &mut work.drive[layer];
        d_drive.resize(n * lanes, E::ZERO);
        let past = Past {
            before: Rows::new(&work.before, n, width),
            after: Rows::new(&work.after, n, width),
            saved: Rows::new(&work.saved, n, sizes.saved * h),
            extra: Rows::new(&work.extra, n, swept.plan.width),
        };
        let kept = swept.plan.backward_width;
        work.d_extra.resize(n * kept, E::ZERO);
        let step = Step {
            weights,
            w,
            plan: swept.plan,
            masks: Masks::NONE,
            turned: false,
        };
        let found = Found {
            d_state: RowsMut::new(&mut work.state[..n * width], n, width),
            d_drive: RowsMut::new(d_drive, n, lanes),
            d_unit: RowsMut::new(&mut work.unit, n, sizes.unit * h),
            d_extra: RowsMut::new(&mut work.d_extra, n, kept),
        };
        step.backward(past, Rows::new(&work.above, n, h), found);
        let (c, d) = w.x_columns;
        let d_z = Rows::new(d_drive, n, lanes);
        if let (true, InputWeights::Features(_), Some(back)) = (layer > 0, &w.input, &w.input_back)
        {
            let below = RowsMut::new(&mut work.above, n, h);
            product(weights.level, d_z.columns(c, d), back, below, Start::Zero);
        }
        for (i, u) in cotangents.chunks_exact_mut(all).enumerate() {
            u[layer * width..][..width].copy_from_slice(&work.state[i * width..][..width]);
        }
    }
    Ok(())
}
