//! One step of one sweep, forward, backward and tangent: the products, the cell, and whatever else [`StepPlan`] says
//! that a step has. Everything that runs over time asks here.
//!
//! ```text
//! e = m ⊙ h_{t-1}                                  m: the mask of variational dropout, or 1
//! a = W_xh x_t + W_hh e        z = norm(a)          lanes that no gate stands before; norm, or a + b
//! g = σ(z_by)                  a = W_xh x_t + W_hh (g ⊙ e)      the other lanes
//! s̃ = cell(z, s_{t-1})         s_t = k ⊙ s_{t-1} + (1 − k) ⊙ s̃
//! ```
//!
//! The last line is zoneout — D. Krueger and others, "Zoneout: regularizing RNNs by randomly preserving hidden
//! activations" (2017): k is 1 or 0 at random while training (the same for h and c of a unit), and its expectation, the
//! rate, wherever the batch has no masks. A network without any of these has z = W_xh x_t + W_hh h_{t-1} + b and
//! s_t = cell(z, s_{t-1}), and keeps nothing for backward but the states and what its cell saves.

mod norm;
mod plan;

pub(crate) use norm::Norm;
pub(crate) use plan::StepPlan;

use crate::network::Sweep;
use crate::weights::{SweepWeights, Weights};
use crate::{Batch, Element, drive};
use elman_kernels::{Rows, RowsMut, Start, product, product_in_turns};

/// Masks of the rows of one step; none where the batch has none.
#[derive(Clone, Copy)]
pub(crate) struct Masks<'a, E> {
    pub state: Option<Rows<'a, E>>,
    pub zone: Option<Rows<'a, E>>,
}

impl<'a, E: Element> Masks<'a, E> {
    pub const NONE: Masks<'static, E> = Masks {
        state: None,
        zone: None,
    };
    /// Of the `n` rows from sorted position `first` on, at step `t` of a sweep's own time.
    pub fn of(
        batch: &'a Batch<E>,
        sweep: Sweep,
        t: usize,
        (first, n): (usize, usize),
        h: usize,
    ) -> Self {
        let rows = |data: &'a Vec<E>, at: usize| Rows::new(&data[at * h..], n, h);
        let Some(noise) = batch.noise.as_ref().filter(|_| n > 0) else {
            return Masks::NONE;
        };
        let at = batch.packing.offsets[t] + first;
        Masks {
            state: noise.state.get(sweep.index).map(|m| rows(m, first)),
            zone: noise.zone.get(sweep.index).map(|m| rows(m, at)),
        }
    }
}

/// One step of one sweep.
pub(crate) struct Step<'a, E> {
    pub weights: &'a Weights<E>,
    pub w: &'a SweepWeights<E>,
    pub plan: StepPlan,
    pub masks: Masks<'a, E>,
    /// Whether the product goes over W_hh from the other end, as every other step does.
    pub turned: bool,
}

/// What forward left of a step.
#[derive(Clone, Copy)]
pub(crate) struct Past<'a, E> {
    pub before: Rows<'a, E>,
    pub after: Rows<'a, E>,
    pub saved: Rows<'a, E>,
    pub extra: Rows<'a, E>,
}

/// Where backward leaves what it finds.
pub(crate) struct Found<'a, E> {
    /// Of the state after, then of the state before.
    pub d_state: RowsMut<'a, E>,
    pub d_drive: RowsMut<'a, E>,
    pub d_unit: RowsMut<'a, E>,
    pub d_extra: RowsMut<'a, E>,
}

impl<E: Element> Step<'_, E> {
    /// `z` holds what x gives, without a bias where there is a normalisation.
    pub fn forward(
        &self,
        mut z: RowsMut<'_, E>,
        before: Rows<'_, E>,
        mut after: RowsMut<'_, E>,
        saved: RowsMut<'_, E>,
        mut extra: RowsMut<'_, E>,
    ) {
        let (network, level, plan) = (&self.weights.network, self.weights.level, self.plan);
        let h = network.hidden;
        let reads = match plan.entering.range() {
            None => before.columns(0, h),
            Some(columns) => {
                for r in 0..before.rows() {
                    let e = &mut extra.row(r)[columns.clone()];
                    e.copy_from_slice(&before.row(r)[..h]);
                    if let Some(mask) = self.masks.state {
                        e.iter_mut().zip(mask.row(r)).for_each(|(e, &m)| *e *= m);
                    }
                }
                extra.view().columns(columns.start, columns.end)
            }
        };
        let (a, b) = self.w.h_columns;
        let to = z.reborrow().columns(a, b);
        let w_hh = &self.w.recurrent;
        product_in_turns(level, reads, w_hh, to, Start::Keep, self.turned);
        self.normalise(&mut z, &mut extra, false);
        if let Some(gated) = &self.w.gated {
            let gate = drive::Gate {
                hidden: h,
                by: z.view().columns(gated.by * h, (gated.by + 1) * h),
                rows: extra.reborrow().columns(plan.entering.0, plan.gates.1),
            };
            gate.run(level);
            let reads = extra.view().columns(plan.gates.0 + h, plan.gates.1);
            let to = z.reborrow().columns(gated.columns.0, gated.columns.1);
            product(level, reads, &gated.weight, to, Start::Keep);
            self.normalise(&mut z, &mut extra, true);
        }
        let candidate = plan.candidate();
        let step = drive::Forward {
            hidden: h,
            drive: z.view(),
            unit: &self.w.unit,
            before,
            after: match &candidate {
                Some(columns) => extra.reborrow().columns(columns.start, columns.end),
                None => after.reborrow(),
            },
            saved,
        };
        step.run(level, network.cell);
        if let Some(columns) = candidate {
            for r in 0..after.rows() {
                let made = &extra.row(r)[columns.clone()];
                let (from, to) = (before.row(r), after.row(r));
                for i in 0..to.len() {
                    let k = self.kept(r, i % h);
                    to[i] = k * from[i] + (E::ONE - k) * made[i];
                }
            }
        }
    }

    /// From the gradient of the state after (in `d_state`, and `above` of its h) down to that of the state before.
    pub fn backward(&self, past: Past<'_, E>, above: Rows<'_, E>, found: Found<'_, E>) {
        let (network, level, plan) = (&self.weights.network, self.weights.level, self.plan);
        let h = network.hidden;
        let Found {
            mut d_state,
            mut d_drive,
            d_unit,
            mut d_extra,
        } = found;
        let n = d_drive.rows();
        let zoned = plan.candidate().is_some();
        let (mut kept, mut none) = (Vec::new(), Vec::new());
        if zoned {
            none.resize(n * h, E::ZERO);
            for r in 0..n {
                for (i, d) in d_state.row(r).iter_mut().enumerate() {
                    let all = *d + if i < h { above.row(r)[i] } else { E::ZERO };
                    let k = self.kept(r, i % h);
                    kept.push(k * all);
                    *d = (E::ONE - k) * all;
                }
            }
        }
        let step = drive::Backward {
            hidden: h,
            unit: &self.w.unit,
            before: past.before,
            after: self.made(past),
            saved: past.saved,
            above: match zoned {
                true => Rows::new(&none, n, h),
                false => above,
            },
            d_state: d_state.reborrow(),
            d_drive: d_drive.reborrow(),
            d_unit,
        };
        step.run(level, network.cell);
        let (a, b) = self.w.h_columns;
        if plan.is_plain() {
            let d_a = d_drive.view().columns(a, b);
            let to = d_state.columns(0, h);
            let w_hh = &self.w.recurrent_back;
            if w_hh.k() > 0 {
                product_in_turns(level, d_a, w_hh, to, Start::Keep, self.turned);
            }
            return;
        }
        let mut reach = vec![E::ZERO; n * h];
        if let Some(gated) = &self.w.gated {
            self.normalise_back(past.extra, &mut d_drive, &mut d_extra, true);
            let d_a = d_drive.view().columns(gated.columns.0, gated.columns.1);
            let to = RowsMut::new(&mut reach, n, h);
            product(level, d_a, &gated.weight_back, to, Start::Zero);
            for (r, d) in reach.chunks_exact(h).enumerate() {
                let x = past.extra.row(r);
                let (e, g) = (&x[plan.entering.0..], &x[plan.gates.0..]);
                let by = &mut d_drive.row(r)[gated.by * h..][..h];
                for i in 0..h {
                    by[i] += d[i] * e[i] * g[i] * (E::ONE - g[i]);
                }
                for i in 0..h {
                    d_state.row(r)[i] += self.entered(r, i) * g[i] * d[i];
                }
            }
        }
        self.normalise_back(past.extra, &mut d_drive, &mut d_extra, false);
        if a < b {
            let to = RowsMut::new(&mut reach, n, h);
            let d_a = d_drive.view().columns(a, b);
            product(level, d_a, &self.w.recurrent_back, to, Start::Zero);
            for (r, d) in reach.chunks_exact(h).enumerate() {
                let to = d_state.row(r);
                for i in 0..h {
                    to[i] += self.entered(r, i) * d[i];
                }
            }
        }
        if zoned {
            for (r, kept) in kept.chunks_exact(d_state.cols()).enumerate() {
                let to = d_state.row(r).iter_mut();
                to.zip(kept).for_each(|(d, &k)| *d += k);
            }
        }
    }

    /// For one row of a trace without masks and several directions: `d_drive` holds what x gives, `d_state` the
    /// directions.
    pub fn tangent(
        &self,
        past: Past<'_, E>,
        mut d_drive: RowsMut<'_, E>,
        mut d_state: RowsMut<'_, E>,
    ) {
        let (network, level, plan) = (&self.weights.network, self.weights.level, self.plan);
        let h = network.hidden;
        let extra = past.extra.row(0);
        let (a, b) = self.w.h_columns;
        let d_h = d_state.view().columns(0, h);
        let to = d_drive.reborrow().columns(a, b);
        product(level, d_h, &self.w.recurrent, to, Start::Keep);
        self.normalise_tangent(extra, &mut d_drive, false);
        if let Some(gated) = &self.w.gated {
            let (e, g) = (&extra[plan.entering.0..], &extra[plan.gates.0..]);
            let mut reach = Vec::with_capacity(d_state.rows() * h);
            for r in 0..d_state.rows() {
                let by = &d_drive.row(r)[gated.by * h..][..h];
                let d_h = &d_state.row(r)[..h];
                reach.extend((0..h).map(|i| g[i] * (d_h[i] + (E::ONE - g[i]) * e[i] * by[i])));
            }
            let reads = Rows::new(&reach, d_state.rows(), h);
            let to = d_drive.reborrow().columns(gated.columns.0, gated.columns.1);
            product(level, reads, &gated.weight, to, Start::Keep);
            self.normalise_tangent(extra, &mut d_drive, true);
        }
        let before = match plan.candidate() {
            Some(_) => d_state.data().to_vec(),
            None => Vec::new(),
        };
        let step = drive::Tangent {
            hidden: h,
            unit: &self.w.unit,
            before: past.before.row(0),
            after: self.made(past).row(0),
            saved: past.saved.row(0),
            d_drive: d_drive.view(),
            d_state: d_state.reborrow(),
        };
        step.run(level, network.cell);
        let k = E::of(network.zoneout);
        for (d, &was) in d_state.data().iter_mut().zip(&before) {
            *d = k * was + (E::ONE - k) * *d;
        }
    }

    /// The state that the cell made: s̃.
    fn made<'b>(&self, past: Past<'b, E>) -> Rows<'b, E> {
        match self.plan.candidate() {
            Some(columns) => past.extra.columns(columns.start, columns.end),
            None => past.after,
        }
    }
    /// k of unit `i` of row `r`.
    fn kept(&self, r: usize, i: usize) -> E {
        match self.masks.zone {
            Some(mask) => mask.row(r)[i],
            None => E::of(self.weights.network.zoneout),
        }
    }
    /// m of unit `i` of row `r`.
    fn entered(&self, r: usize, i: usize) -> E {
        self.masks.state.map_or(E::ONE, |mask| mask.row(r)[i])
    }
    /// The lanes that a gate stands before, or the others.
    fn lanes(&self, gated: bool) -> impl Iterator<Item = usize> + use<E> {
        let h = self.weights.network.hidden;
        let (from, to) = self
            .w
            .gated
            .as_ref()
            .map_or((0, 0), |g| (g.columns.0 / h, g.columns.1 / h));
        let all = self.weights.network.cell.sizes().drive;
        (0..all).filter(move |&lane| (from <= lane && lane < to) == gated)
    }
    fn normalise(&self, z: &mut RowsMut<'_, E>, extra: &mut RowsMut<'_, E>, gated: bool) {
        let Some(norm) = &self.w.norm else {
            return;
        };
        let (h, plan) = (self.weights.network.hidden, self.plan);
        for r in 0..z.rows() {
            for lane in self.lanes(gated) {
                let own = lane * h..(lane + 1) * h;
                let normal = &mut extra.row(r)[plan.normal.0 + lane * h..][..h];
                let z = &mut z.row(r)[own.clone()];
                let scale = norm::forward(&norm.gain[own.clone()], &norm.bias[own], z, normal);
                extra.row(r)[plan.scales.0 + lane] = scale;
            }
        }
    }
    fn normalise_back(
        &self,
        extra: Rows<'_, E>,
        d: &mut RowsMut<'_, E>,
        found: &mut RowsMut<'_, E>,
        gated: bool,
    ) {
        let Some(norm) = &self.w.norm else {
            return;
        };
        let (h, plan) = (self.weights.network.hidden, self.plan);
        for r in 0..d.rows() {
            let x = extra.row(r);
            let (d_bias, d_gain) = found.row(r).split_at_mut(norm.gain.len());
            for lane in self.lanes(gated) {
                let own = lane * h..(lane + 1) * h;
                norm::backward(
                    &norm.gain[own.clone()],
                    &x[plan.normal.0 + lane * h..][..h],
                    x[plan.scales.0 + lane],
                    &mut d.row(r)[own.clone()],
                    &mut d_bias[own.clone()],
                    &mut d_gain[own],
                );
            }
        }
    }
    fn normalise_tangent(&self, extra: &[E], d: &mut RowsMut<'_, E>, gated: bool) {
        let Some(norm) = &self.w.norm else {
            return;
        };
        let (h, plan) = (self.weights.network.hidden, self.plan);
        for r in 0..d.rows() {
            for lane in self.lanes(gated) {
                let own = lane * h..(lane + 1) * h;
                let normal = &extra[plan.normal.0 + lane * h..][..h];
                let d = &mut d.row(r)[own.clone()];
                norm::tangent(&norm.gain[own], normal, extra[plan.scales.0 + lane], d);
            }
        }
    }
}
