//! Attention of a decoder to what an encoder gave — M.-T. Luong, H. Pham and C. Manning, "Effective approaches to
//! attention-based neural machine translation" (2015), the global model with the general score.
//!
//! ```text
//! q_t = W_a h_t        s_ti = q_t · e_i        a_t = softmax(s_t) over the row's own steps i
//! c_t = Σ_i a_ti e_i   z_t = tanh(W_c [c_t; h_t] + b_c)          y_t = W_y z_t + b_y
//! ```
//!
//! h_t are the decoder's states and e_i the encoder's. It stands above the recurrence (no input feeding), so that all
//! steps of the decoder are run first, at full speed.

use crate::dense::Dense;
use crate::{Batch, Element, Error, Params};
use elman_kernels::{Job, Level, Rows, Team, Value};

/// Names of its parameters.
pub(crate) const QUERY: &str = "attention.weight";
pub(crate) const COMBINE: (&str, &str) = ("attention.combine.weight", "attention.combine.bias");
pub(crate) const READOUT: (&str, &str) = ("readout.weight", "readout.bias");

/// The layers of an attention head, packed.
#[derive(Clone, Debug)]
pub(crate) struct Attention<E> {
    query: Dense<E>,
    combine: Dense<E>,
    readout: Dense<E>,
}

/// What forward left for backward. Packed buffers have the decoder's places.
#[derive(Clone, Debug)]
pub(crate) struct AttentionTrace<E> {
    /// q `[Σ T, He]`
    query: Vec<E>,
    /// a: for each place the weights over the row's S encoder steps, one after another.
    pub weights: Vec<E>,
    /// Where each place's weights begin.
    pub starts: Vec<usize>,
    /// \[c; h\] `[Σ T, He + Hd]`
    joined: Vec<E>,
    /// z `[Σ T, Hd]`
    combined: Vec<E>,
    /// The memory's row that each place attends to.
    attends: Vec<usize>,
}

impl<E> AttentionTrace<E> {
    pub fn new() -> AttentionTrace<E> {
        AttentionTrace {
            query: Vec::new(),
            weights: Vec::new(),
            starts: Vec::new(),
            joined: Vec::new(),
            combined: Vec::new(),
            attends: Vec::new(),
        }
    }
}

/// What an encoder gave, to be attended to.
#[derive(Clone, Copy)]
pub(crate) struct Memory<'a, E> {
    /// Of the encoder.
    pub batch: &'a Batch<E>,
    /// e `[Σ S, He]`, packed.
    pub states: &'a [E],
}

impl<'a, E: Element> Memory<'a, E> {
    fn width(&self) -> usize {
        self.states.len() / self.batch.total().max(1)
    }
    /// e of step `i` of the caller's row `row`.
    fn at(&self, i: usize, row: usize) -> &'a [E] {
        let place = self.batch.at(i, row).unwrap_or(0);
        let width = self.width();
        &self.states[place * width..][..width]
    }
}

fn dot<E: Element>(a: &[E], b: &[E]) -> E {
    // Sixteen strands, always the same ones.
    let mut strands = [E::ZERO; 16];
    for (a, b) in a.chunks(16).zip(b.chunks(16)) {
        for ((s, &a), &b) in strands.iter_mut().zip(a).zip(b) {
            *s += a * b;
        }
    }
    strands.into_iter().fold(E::ZERO, |sum, s| sum + s)
}

fn add_scaled<E: Element>(to: &mut [E], scale: E, from: &[E]) {
    for (t, &f) in to.iter_mut().zip(from) {
        *t += scale * f;
    }
}

impl<E: Element> Attention<E> {
    /// From the parameters of its names.
    pub fn new(params: &Params<E>) -> Result<Attention<E>, Error> {
        Ok(Attention {
            query: Dense::new(params, QUERY, None)?,
            combine: Dense::new(params, COMBINE.0, Some(COMBINE.1))?,
            readout: Dense::new(params, READOUT.0, Some(READOUT.1))?,
        })
    }
    /// Its layers.
    pub fn layers(&self) -> [&Dense<E>; 3] {
        [&self.query, &self.combine, &self.readout]
    }
    pub fn refresh(&mut self, params: &Params<E>) -> Result<(), Error> {
        self.query.refresh(params)?;
        self.combine.refresh(params)?;
        self.readout.refresh(params)
    }

    /// y `[Σ T, V]` from the decoder's h `[Σ T, Hd]`; decoder row `r` attends to memory row `attends[r]`.
    pub fn forward(
        &self,
        (level, team): (Level, &Team),
        (batch, h): (&Batch<E>, Rows<'_, E>),
        (memory, attends): (Memory<'_, E>, &[usize]),
        trace: &mut AttentionTrace<E>,
        y: &mut Vec<E>,
    ) {
        self.query.forward(level, h, &mut trace.query, team);
        let (he, hd) = (memory.width(), h.cols());
        trace.joined.resize(h.rows() * (he + hd), E::ZERO);
        trace.starts.clear();
        trace.starts.resize(h.rows() + 1, 0);
        trace.weights.clear();
        trace.attends = attended(batch, attends);
        for place in 0..h.rows() {
            let row = trace.attends[place];
            let query = &trace.query[place * he..][..he];
            let first = trace.weights.len();
            trace.starts[place] = first;
            let steps = memory.batch.length(row);
            let scores = (0..steps).map(|i| dot(query, memory.at(i, row)));
            trace.weights.extend(scores);
            softmax(&mut trace.weights[first..]);
            let joined = &mut trace.joined[place * (he + hd)..][..he + hd];
            let (context, own) = joined.split_at_mut(he);
            context.fill(E::ZERO);
            for (i, &a) in trace.weights[first..].iter().enumerate() {
                add_scaled(context, a, memory.at(i, row));
            }
            own.copy_from_slice(h.row(place));
        }
        if let Some(end) = trace.starts.last_mut() {
            *end = trace.weights.len();
        }
        let joined = Rows::new(&trace.joined, h.rows(), he + hd);
        self.combine
            .forward(level, joined, &mut trace.combined, team);
        level.run(Tanh(&mut trace.combined));
        let combined = Rows::new(&trace.combined, h.rows(), self.combine.gives());
        self.readout.forward(level, combined, y, team);
    }

    /// From ∂L/∂y to ∂L/∂h (into `d_h`), with ∂L/∂e added to `d_memory` and the parameters' to `gradient`.
    pub fn backward(
        &self,
        (level, team): (Level, &Team),
        h: Rows<'_, E>,
        (memory, trace): (Memory<'_, E>, &AttentionTrace<E>),
        d_y: Rows<'_, E>,
        (d_h, d_memory): (&mut Vec<E>, &mut [E]),
        gradient: &mut Params<E>,
    ) -> Result<(), Error> {
        let (n, he, hd) = (h.rows(), memory.width(), h.cols());
        let combined = Rows::new(&trace.combined, n, self.combine.gives());
        let mut d_combined = Vec::new();
        self.readout
            .backward(level, (combined, d_y), &mut d_combined, gradient, team)?;
        for (d, &z) in d_combined.iter_mut().zip(&trace.combined) {
            *d *= E::ONE - z * z;
        }
        let joined = Rows::new(&trace.joined, n, he + hd);
        let d_combined = Rows::new(&d_combined, n, self.combine.gives());
        let mut d_joined = Vec::new();
        self.combine
            .backward(level, (joined, d_combined), &mut d_joined, gradient, team)?;
        let mut d_query = vec![E::ZERO; n * he];
        for place in 0..n {
            let row = trace.attends[place];
            let weights = &trace.weights[trace.starts[place]..trace.starts[place + 1]];
            let d_context = &d_joined[place * (he + hd)..][..he];
            // δa_i = δc · e_i; δs_i = a_i (δa_i − Σ_j a_j δa_j)
            let mut d_scores: Vec<E> = (0..weights.len())
                .map(|i| dot(d_context, memory.at(i, row)))
                .collect();
            let mean = dot(weights, &d_scores);
            for (d, &a) in d_scores.iter_mut().zip(weights) {
                *d = a * (*d - mean);
            }
            let query = &trace.query[place * he..][..he];
            let d_query = &mut d_query[place * he..][..he];
            for (i, (&a, &d_score)) in weights.iter().zip(&d_scores).enumerate() {
                add_scaled(d_query, d_score, memory.at(i, row));
                let at = memory.batch.at(i, row).unwrap_or(0) * he;
                let d_e = &mut d_memory[at..][..he];
                add_scaled(d_e, a, d_context);
                add_scaled(d_e, d_score, query);
            }
        }
        let d_query = Rows::new(&d_query, n, he);
        self.query
            .backward(level, (h, d_query), d_h, gradient, team)?;
        for (place, d_h) in d_h.chunks_exact_mut(hd).enumerate() {
            add_scaled(d_h, E::ONE, &d_joined[place * (he + hd) + he..][..hd]);
        }
        Ok(())
    }
}

/// For each place of a packed batch, what its row attends to.
fn attended<E: Element>(batch: &Batch<E>, attends: &[usize]) -> Vec<usize> {
    let packing = &batch.packing;
    let rows = (0..packing.steps()).flat_map(|t| &packing.order[..packing.alive(t)]);
    rows.map(|&row| attends[row]).collect()
}

fn softmax<E: Element>(scores: &mut [E]) {
    let top = scores.iter().map(|s| s.to_f64()).fold(f64::MIN, f64::max);
    let mut sum = 0.0;
    for s in scores.iter_mut() {
        let e = (s.to_f64() - top).exp();
        sum += e;
        *s = E::of(e);
    }
    scores.iter_mut().for_each(|s| *s = E::of(s.to_f64() / sum));
}

/// tanh of every number, in place.
pub(crate) struct Tanh<'a, E>(pub &'a mut [E]);

impl<E: Element> Job<E> for Tanh<'_, E> {
    type Out = ();
    #[inline(always)]
    fn run<V: Value<Element = E>>(self) {
        let whole = self.0.len() - self.0.len() % V::LANES;
        let (body, end) = self.0.split_at_mut(whole);
        for x in body.chunks_exact_mut(V::LANES) {
            V::load(x).tanh().store(x);
        }
        if !end.is_empty() {
            V::load_part(end).tanh().store_part(end);
        }
    }
}
