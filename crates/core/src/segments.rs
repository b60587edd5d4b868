//! Forward and backward of long sequences in little memory: only the states between segments of about √T steps are
//! kept, and each segment is run forward again for its backward (Chen, Xu, Zhang and Guestrin 2016, arXiv:1604.06174).
//!
//! It costs one more forward; traces and δ are those of one segment instead of all T steps.

use crate::{
    Batch, Cotangent, Deltas, Element, Error, Params, State, Team, Trace, Weights, backward,
    forward,
};

/// A run of [`forward`] and [`backward`] in segments. Its buffers are used again by the next run.
///
/// Outputs and states are those of [`forward`], bit for bit. Gradients of weights are summed segment by segment and so
/// differ in their last digits.
#[derive(Clone, Debug)]
pub struct Segments<E> {
    /// The first step of each segment, and T at the end.
    bounds: Vec<usize>,
    /// The states of all rows, in sorted order, at each of `bounds`; rows that have ended keep their last.
    states: Vec<State<E>>,
    /// `[Σ B_t, output width]`
    outputs: Vec<E>,
    /// Of the segment `held`.
    trace: Trace<E>,
    held: usize,
    deltas: Deltas<E>,
}

impl<E: Element> Segments<E> {
    /// An empty one, to be filled.
    pub fn new() -> Segments<E> {
        Segments {
            bounds: Vec::new(),
            states: Vec::new(),
            outputs: Vec::new(),
            trace: Trace::new(),
            held: 0,
            deltas: Deltas::new(),
        }
    }

    /// [`forward`], with the state after `keep` steps among those that are kept.
    ///
    /// Errors as there, and for a network that reads from both ends: it knows no state before all is read.
    pub fn forward(
        &mut self,
        weights: &Weights<E>,
        batch: &Batch<E>,
        state: &State<E>,
        keep: usize,
        team: &Team,
    ) -> Result<(), Error> {
        let network = &weights.network;
        if network.bidirectional {
            return Err(Error::Unsupported(
                "a network that reads from both ends cannot be run in segments of time: run all steps at once".into(),
            ));
        }
        state.check(network, batch.rows())?;
        let steps = batch.steps();
        let length = steps.isqrt().max(1);
        self.bounds = (0..steps).step_by(length).collect();
        self.bounds.extend([steps, keep.min(steps)]);
        self.bounds.sort_unstable();
        self.bounds.dedup();
        self.states.clear();
        self.outputs.clear();
        let mut now = state.select(&batch.order);
        for (segment, ends) in self.bounds.windows(2).enumerate() {
            let part = batch.part(ends[0], ends[1])?;
            forward(
                weights,
                &part,
                &now.first(part.rows()),
                &mut self.trace,
                team,
            )?;
            self.held = segment;
            self.outputs.extend_from_slice(self.trace.outputs());
            let after = self.trace.final_state(network, &part);
            self.states.push(now.clone());
            now.set_first(&after);
        }
        self.states.push(now);
        Ok(())
    }

    /// As [`Trace::outputs`].
    pub fn outputs(&self) -> &[E] {
        &self.outputs
    }

    /// As [`Trace::output_width`].
    pub fn output_width(&self) -> usize {
        self.trace.output_width()
    }

    /// The state after `steps` steps of every row (rows that are shorter: after their last); `None` where no segment
    /// ends there.
    pub fn state_after(&self, batch: &Batch<E>, steps: usize) -> Option<State<E>> {
        let at = self.bounds.binary_search(&steps.min(batch.steps())).ok()?;
        Some(self.states.get(at)?.select(&batch.position))
    }

    /// [`backward`]: the gradient of the state before the first step; those of the parameters are *added* to
    /// `gradient` where there is one.
    ///
    /// `weights` and `batch` must be those of [`Segments::forward`]. Errors where sizes disagree.
    pub fn backward(
        &mut self,
        weights: &Weights<E>,
        batch: &Batch<E>,
        cotangent: Cotangent<'_, E>,
        mut gradient: Option<&mut Params<E>>,
        team: &Team,
    ) -> Result<State<E>, Error> {
        let (needs, has) = (self.outputs.len(), cotangent.outputs.len());
        let width = self.output_width();
        if self.bounds.last() != Some(&batch.steps()) || needs != batch.total() * width {
            return Err(Error::Mismatch {
                what: "the batch",
                why: "it is not the one that was run forward".into(),
            });
        }
        if has != needs {
            let shape = format!("[{} steps in all, {width}]", batch.total());
            return Err(Error::size(
                "the gradient of the outputs",
                has,
                needs,
                shape,
            ));
        }
        let network = &weights.network;
        let mut d_state = match cotangent.state {
            Some(state) => {
                state.check(network, batch.rows())?;
                state.select(&batch.order)
            }
            None => State::zeros(network, batch.rows()),
        };
        for (segment, ends) in self.bounds.windows(2).enumerate().rev() {
            let part = batch.part(ends[0], ends[1])?;
            if self.held != segment {
                let before = self.states[segment].first(part.rows());
                forward(weights, &part, &before, &mut self.trace, team)?;
                self.held = segment;
            }
            let places = batch.offsets[ends[0]] * width..batch.offsets[ends[1]] * width;
            let d_after = d_state.first(part.rows());
            let cotangent = Cotangent {
                outputs: &cotangent.outputs[places],
                state: Some(&d_after),
            };
            let gradient = gradient.as_deref_mut();
            backward(
                weights,
                &part,
                &self.trace,
                cotangent,
                &mut self.deltas,
                gradient,
                team,
            )?;
            d_state.set_first(&self.deltas.state_before(weights, &part));
        }
        Ok(d_state.select(&batch.position))
    }

    /// Bytes that the buffers hold.
    pub fn bytes(&self) -> usize {
        let states = self.states.iter().map(|s| s.data().len()).sum::<usize>();
        (states + self.outputs.len()) * size_of::<E>() + self.trace.bytes() + self.deltas.bytes()
    }
}

impl<E: Element> Default for Segments<E> {
    fn default() -> Self {
        Segments::new()
    }
}
