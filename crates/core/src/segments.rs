//! Forward and backward of long sequences in little memory: only the states between segments of about √T steps are
//! kept, and each segment is run forward again for its backward (Chen, Xu, Zhang and Guestrin 2016, arXiv:1604.06174).
//!
//! It costs one more forward; traces and δ are those of one segment instead of all T steps.

use crate::stamp::Stamp;
use crate::sum::add_compensated;
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
    /// What was run, and by which weights; none before the first run.
    ran: Option<(Batch<E>, Stamp)>,
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
            ran: None,
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
        self.ran = None;
        state.check(network, batch.rows())?;
        let steps = batch.steps();
        let length = steps.isqrt().max(1);
        self.bounds = (0..steps).step_by(length).collect();
        self.bounds.extend([steps, keep.min(steps)]);
        self.bounds.sort_unstable();
        self.bounds.dedup();
        self.states.clear();
        self.outputs.clear();
        let mut now = state.select(&batch.packing.order);
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
            let after = self.trace.final_state()?;
            self.states.push(now.clone());
            now.set_first(&after);
        }
        self.states.push(now);
        self.ran = Some((batch.clone(), weights.stamp));
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
    pub fn state_after(&self, steps: usize) -> Option<State<E>> {
        let (batch, _) = self.ran.as_ref()?;
        let at = self.bounds.binary_search(&steps.min(batch.steps())).ok()?;
        Some(self.states.get(at)?.select(&batch.packing.position))
    }

    /// [`backward`]: the gradient of the state before the first step; those of the parameters are *added* to
    /// `gradient` where there is one.
    ///
    /// Errors where sizes disagree, and where other weights ran [`Segments::forward`].
    pub fn backward(
        &mut self,
        weights: &Weights<E>,
        cotangent: Cotangent<'_, E>,
        mut gradient: Option<&mut Params<E>>,
        team: &Team,
    ) -> Result<State<E>, Error> {
        let ran = self.ran.as_ref().filter(|(_, w)| *w == weights.stamp);
        let Some((batch, _)) = ran else {
            return Err(Error::Mismatch {
                what: "the segments",
                why: "these weights, as they are now, did not run them forward".into(),
            });
        };
        let width = self.trace.output_width();
        let shape = || format!("[{} steps in all, {width}]", batch.total());
        let (what, has) = ("the gradient of the outputs", cotangent.outputs.len());
        Error::check_size(what, has, &[batch.total(), width], shape)?;
        let network = &weights.network;
        let mut d_state = match cotangent.state {
            Some(state) => {
                state.check(network, batch.rows())?;
                state.select(&batch.packing.order)
            }
            None => State::zeros(network, batch.rows()),
        };
        // As many sums as segments: they are added with compensation, as the parts of one long sum are.
        let mut own = gradient.as_deref().map(Params::zeros_like);
        let mut lost = vec![E::ZERO; own.as_ref().map_or(0, |own| own.data().len())];
        for (segment, ends) in self.bounds.windows(2).enumerate().rev() {
            let rows = batch.packing.alive(ends[0]);
            if self.held != segment {
                let part = batch.part(ends[0], ends[1])?;
                let before = self.states[segment].first(rows);
                forward(weights, &part, &before, &mut self.trace, team)?;
                self.held = segment;
            }
            let offsets = &batch.packing.offsets;
            let places = offsets[ends[0]] * width..offsets[ends[1]] * width;
            let d_after = d_state.first(rows);
            let cotangent = Cotangent {
                outputs: &cotangent.outputs[places],
                state: Some(&d_after),
            };
            if let Some(own) = &mut own {
                own.data_mut().fill(E::ZERO);
            }
            backward(
                weights,
                &self.trace,
                cotangent,
                &mut self.deltas,
                own.as_mut(),
                team,
            )?;
            if let (Some(gradient), Some(own)) = (gradient.as_deref_mut(), &own) {
                add_compensated(gradient.data_mut(), &mut lost, own.data());
            }
            d_state.set_first(&self.deltas.state_before()?);
        }
        Ok(d_state.select(&batch.packing.position))
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
