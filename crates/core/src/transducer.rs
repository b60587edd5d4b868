//! An encoder and a decoder: many to many where lengths differ, and one to many.
//!
//! ```text
//! many to many   e = encoder(x_1 … x_S)         decoder's state before = the encoder's state after each row's end
//! one to many    x a vector                     decoder's state before = tanh(W_b x + b_b)
//! both           y_t = decoder(u_1 … u_t)       u the symbols so far, y the odds of the next
//! ```
//!
//! (lesson, section 7: I. Sutskever, O. Vinyals and Q. Le 2014; K. Cho et al. 2014; with attention, `attention.rs`,
//! where asked for). A bidirectional encoder hands both directions' states, side by side, to a decoder of twice its
//! width. All parameters stand in one buffer: the decoder's, then `encoder.…`, then the matrices.

use crate::attention::{self, Attention, AttentionTrace, Memory, Tanh};
use crate::dense::Dense;
use crate::{
    Batch, Companions, Cotangent, Deltas, Element, Error, Input, Layout, Network, Params, State,
    Team, Trace, Weights, backward, forward,
};
use elman_kernels::Rows;

const BRIDGE: (&str, &str) = ("bridge.weight", "bridge.bias");

/// What a decoder goes on from, row by row.
#[derive(Clone, Copy, Debug)]
pub enum Given<'a, E> {
    /// Sequences for the encoder.
    Sequences(&'a Batch<E>),
    /// A vector for each row.
    Vectors(Rows<'a, E>),
}

/// How a network and its companions are put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// What the decoder goes on from.
    pub reads: Reads,
    /// Number of the decoder's symbols V.
    pub symbols: usize,
    /// Whether the decoder attends to all that the encoder gave.
    pub attention: bool,
}

/// What a decoder goes on from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reads {
    /// Sequences of so many symbols.
    Symbols(usize),
    /// Vectors of so many numbers.
    Vectors(usize),
}

impl Plan {
    /// The decoder and what stands beside it; cell, hidden size, layers and direction are the encoder's, or where
    /// there is none the decoder's. Attention needs an encoder.
    pub fn networks(&self, like: &Network) -> Result<(Network, Companions), Error> {
        let encoder = match self.reads {
            Reads::Symbols(known) => Some(Network {
                input: Input::Symbols(known),
                output: None,
                ..like.clone()
            }),
            Reads::Vectors(_) => None,
        };
        let directions = encoder.as_ref().map_or(1, Network::directions);
        let decoder = Network {
            input: Input::Symbols(self.symbols),
            hidden: directions * like.hidden,
            bidirectional: false,
            learned_state: false,
            output: (!self.attention).then_some(self.symbols),
            ..like.clone()
        };
        let mut matrices = Vec::new();
        if let Reads::Vectors(width) = self.reads {
            let all = decoder.layers * decoder.state_width();
            matrices.push((BRIDGE.0.to_string(), vec![all, width]));
            matrices.push((BRIDGE.1.to_string(), vec![all]));
        }
        if self.attention {
            let Some(encoder) = &encoder else {
                return Err(Error::Unsupported(
                    "attention needs a sequence to attend to, and a vector is none".into(),
                ));
            };
            let (hd, he) = (decoder.hidden, encoder.output_width());
            for (name, shape) in [
                (attention::QUERY, vec![he, hd]),
                (attention::COMBINE.0, vec![hd, he + hd]),
                (attention::COMBINE.1, vec![hd]),
                (attention::READOUT.0, vec![self.symbols, hd]),
                (attention::READOUT.1, vec![self.symbols]),
            ] {
                matrices.push((name.to_string(), shape));
            }
        }
        let companions = Companions { encoder, matrices };
        Ok((decoder, companions))
    }
}

/// An encoder and a decoder with their parameters, packed.
#[derive(Clone, Debug)]
pub struct Transducer<E> {
    decoder: Weights<E>,
    encoder: Option<(Weights<E>, Params<E>)>,
    bridge: Option<Dense<E>>,
    attention: Option<Attention<E>>,
}

/// What one run of [`Transducer::forward`] left.
#[derive(Clone, Debug)]
pub struct TransducerTrace<E> {
    encoder: Trace<E>,
    decoder: Trace<E>,
    deltas: [Deltas<E>; 2],
    attention: AttentionTrace<E>,
    /// Whether [`Transducer::forward`] left all of it, so that backward goes with it.
    whole: bool,
    /// The vectors that were given `[B, width]`; empty where sequences were.
    vectors: Vec<E>,
    /// tanh(W_b x + b_b) `[B, L·S·H]`
    bridged: Vec<E>,
    outputs: Vec<E>,
}

impl<E: Element> Default for TransducerTrace<E> {
    fn default() -> Self {
        TransducerTrace {
            encoder: Trace::new(),
            decoder: Trace::new(),
            deltas: [Deltas::new(), Deltas::new()],
            attention: AttentionTrace::new(),
            whole: false,
            vectors: Vec::new(),
            bridged: Vec::new(),
            outputs: Vec::new(),
        }
    }
}

impl<E: Element> TransducerTrace<E> {
    /// y of all steps, packed `[Σ T, V]` with the decoder batch's places.
    pub fn outputs(&self) -> &[E] {
        &self.outputs
    }
}

impl<E: Element> Transducer<E> {
    /// From what [`Plan::networks`] put together and parameters of its layout.
    pub fn new(
        network: &Network,
        companions: &Companions,
        params: &Params<E>,
    ) -> Result<Transducer<E>, Error> {
        if *params.layout() != Layout::with(network, companions)? {
            return Err(Error::Mismatch {
                what: "the parameters",
                why: "they have the layout of other networks".into(),
            });
        }
        let has = |name: &str| companions.matrices.iter().any(|(n, _)| n == name);
        let encoder = match &companions.encoder {
            None => None,
            Some(network) => {
                let own = encoder_params(network, params)?;
                Some((Weights::new(network, &own)?, own))
            }
        };
        let bridge = match has(BRIDGE.0) {
            true => Some(Dense::new(params, BRIDGE.0, Some(BRIDGE.1))?),
            false => None,
        };
        let attention = match has(attention::QUERY) {
            true => Some(Attention::new(params)?),
            false => None,
        };
        Ok(Transducer {
            decoder: Weights::new(network, params)?,
            encoder,
            bridge,
            attention,
        })
    }
    /// Packs again, after the parameters have changed.
    pub fn refresh(&mut self, params: &Params<E>) -> Result<(), Error> {
        self.decoder.refresh(params)?;
        let own = self.encoder.as_ref().map_or(0, |(_, own)| own.data().len());
        if params.encoder().len() != own {
            return Err(Error::Mismatch {
                what: "the parameters",
                why: "they have the layout of other networks".into(),
            });
        }
        if let Some((weights, own)) = &mut self.encoder {
            own.data_mut()
                .copy_from_slice(&params.data()[params.encoder()]);
            weights.refresh(own)?;
        }
        if let Some(bridge) = &mut self.bridge {
            bridge.refresh(params)?;
        }
        match &mut self.attention {
            Some(attention) => attention.refresh(params),
            None => Ok(()),
        }
    }
    /// The decoder's network, and the encoder's where there is one.
    pub fn networks(&self) -> (&Network, Option<&Network>) {
        let encoder = self.encoder.as_ref().map(|(weights, _)| weights.network());
        (self.decoder.network(), encoder)
    }
    /// V: symbols that it can say.
    pub fn symbols(&self) -> usize {
        self.decoder.network().input.width()
    }

    /// Reads what is given; the decoder's state before its first step.
    pub fn read(
        &self,
        given: Given<'_, E>,
        trace: &mut TransducerTrace<E>,
        team: &Team,
    ) -> Result<State<E>, Error> {
        trace.whole = false;
        trace.vectors.clear();
        match (given, &self.encoder, &self.bridge) {
            (Given::Sequences(batch), Some((weights, _)), _) => {
                let start = weights.initial_state(batch.rows());
                forward(weights, batch, &start, &mut trace.encoder, team)?;
                let after = trace.encoder.final_state()?;
                let (encoder, decoder) = (weights.network(), self.decoder.network());
                Ok(handed_over(encoder, decoder, &after))
            }
            (Given::Vectors(x), None, Some(bridge)) => {
                if x.cols() != bridge.reads() {
                    let shape = format!("[{} rows, {}]", x.rows(), bridge.reads());
                    let (has, needs) = (x.rows() * x.cols(), x.rows() * bridge.reads());
                    return Err(Error::size("what is given", has, needs, shape));
                }
                (0..x.rows()).for_each(|r| trace.vectors.extend_from_slice(x.row(r)));
                bridge.forward(self.decoder.level(), x, &mut trace.bridged, team);
                self.decoder.level().run(Tanh(&mut trace.bridged));
                let network = self.decoder.network();
                let mut state = State::zeros(network, x.rows());
                let width = state.width();
                let rows = trace.bridged.chunks_exact(network.layers * width);
                for (row, numbers) in rows.enumerate() {
                    for (layer, part) in numbers.chunks_exact(width).enumerate() {
                        state.row_mut(layer, row).copy_from_slice(part);
                    }
                }
                Ok(state)
            }
            _ => Err(Error::Mismatch {
                what: "what is given",
                why: "it is not what this decoder goes on from: a sequence where a vector is read, or the reverse"
                    .into(),
            }),
        }
    }
    /// The decoder over `symbols` from `state`; with attention, row `r` attends to row `attends[r]` of what was
    /// [`read`](Transducer::read) last. Leaves the odds in [`TransducerTrace::outputs`]. Errors where sizes disagree, and
    /// where nothing was read that could be attended to.
    pub fn decode(
        &self,
        attends: &[usize],
        symbols: &Batch<E>,
        state: &State<E>,
        trace: &mut TransducerTrace<E>,
        team: &Team,
    ) -> Result<(), Error> {
        trace.whole = false;
        forward(&self.decoder, symbols, state, &mut trace.decoder, team)?;
        let (Some(attention), Some((encoder, _))) = (&self.attention, &self.encoder) else {
            trace.outputs.clear();
            trace.outputs.extend_from_slice(trace.decoder.outputs());
            return Ok(());
        };
        let source = &trace.encoder.ran_by(encoder)?.batch;
        let rows = symbols.rows();
        if attends.len() != rows {
            let shape = format!("[{rows} rows]");
            return Err(Error::size(
                "the rows attended to",
                attends.len(),
                rows,
                shape,
            ));
        }
        if let Some(row) = attends.iter().find(|&&row| row >= source.rows()) {
            return Err(Error::Mismatch {
                what: "the rows attended to",
                why: format!("row {row} was not read: there are {}", source.rows()),
            });
        }
        let memory = Memory {
            batch: source,
            states: trace.encoder.outputs(),
        };
        let (n, width) = (symbols.total(), trace.decoder.output_width());
        attention.forward(
            (self.decoder.level(), team),
            (symbols, Rows::new(trace.decoder.outputs(), n, width)),
            (memory, attends),
            &mut trace.attention,
            &mut trace.outputs,
        );
        Ok(())
    }
    /// The decoder's state after each row's last step of [`decode`](Transducer::decode). An error before it.
    pub fn state_after(&self, trace: &TransducerTrace<E>) -> Result<State<E>, Error> {
        trace.decoder.final_state()
    }
    /// Where row `row` looked at step `t` of the last [`decode`](Transducer::decode): a weight for each of the steps
    /// of the source; empty without attention.
    pub fn looked<'t>(&self, trace: &'t TransducerTrace<E>, (t, row): (usize, usize)) -> &'t [E] {
        let starts = &trace.attention.starts;
        let symbols = trace.decoder.batch().ok();
        match (&self.attention, symbols.and_then(|s| s.at(t, row))) {
            (Some(_), Some(at)) if at + 1 < starts.len() => {
                &trace.attention.weights[starts[at]..starts[at + 1]]
            }
            _ => &[],
        }
    }

    /// Reads, then decodes row by row: what training runs.
    pub fn forward(
        &self,
        given: Given<'_, E>,
        symbols: &Batch<E>,
        trace: &mut TransducerTrace<E>,
        team: &Team,
    ) -> Result<(), Error> {
        let state = self.read(given, trace, team)?;
        if state.rows() != symbols.rows() {
            return Err(Error::Mismatch {
                what: "what is given",
                why: format!(
                    "it has {} rows, and {} are to be decoded",
                    state.rows(),
                    symbols.rows()
                ),
            });
        }
        let attends: Vec<usize> = (0..symbols.rows()).collect();
        self.decode(&attends, symbols, &state, trace, team)?;
        trace.whole = true;
        Ok(())
    }

    /// Adds the gradient of the parameters to `gradient`, from ∂L/∂y `[Σ T, V]` of what [`forward`](Self::forward)
    /// left. Errors where sizes disagree, and where the trace is not that of a `forward` with these parameters.
    pub fn backward(
        &self,
        trace: &mut TransducerTrace<E>,
        d_outputs: &[E],
        gradient: &mut Params<E>,
        team: &Team,
    ) -> Result<(), Error> {
        if !trace.whole {
            return Err(Error::Mismatch {
                what: "the trace",
                why: "Transducer::forward did not leave it".into(),
            });
        }
        self.check_gradient(gradient)?;
        let level = self.decoder.level();
        let n = trace.decoder.ran_by(&self.decoder)?.batch.total();
        let v = self.symbols();
        let shape = || format!("[{n} steps in all, {v}]");
        let what = "the gradient of the outputs";
        Error::check_size(what, d_outputs.len(), &[n, v], shape)?;
        let mut d_h = Vec::new();
        let mut d_memory = vec![E::ZERO; trace.encoder.outputs().len()];
        let d_decoder = match (&self.attention, &self.encoder) {
            (Some(attention), Some((encoder, _))) => {
                let memory = Memory {
                    batch: &trace.encoder.ran_by(encoder)?.batch,
                    states: trace.encoder.outputs(),
                };
                let h = Rows::new(trace.decoder.outputs(), n, trace.decoder.output_width());
                attention.backward(
                    (level, team),
                    h,
                    (memory, &trace.attention),
                    Rows::new(d_outputs, n, v),
                    (&mut d_h, &mut d_memory),
                    gradient,
                )?;
                d_h.as_slice()
            }
            _ => d_outputs,
        };
        let cotangent = Cotangent {
            outputs: d_decoder,
            state: None,
        };
        let [deltas, encoder_deltas] = &mut trace.deltas;
        let into = Some(&mut *gradient);
        backward(&self.decoder, &trace.decoder, cotangent, deltas, into, team)?;
        let d_state = deltas.state_before()?;
        match (&self.encoder, &self.bridge) {
            (Some((weights, own)), _) => {
                let network = weights.network();
                let d_after = handed_back(network, &d_state);
                let mut d_own = own.zeros_like();
                let cotangent = Cotangent {
                    outputs: &d_memory,
                    state: Some(&d_after),
                };
                let (into, encoder) = (Some(&mut d_own), &trace.encoder);
                backward(weights, encoder, cotangent, encoder_deltas, into, team)?;
                if network.learned_state {
                    let before = encoder_deltas.state_before()?;
                    before.add_to_learned(network, |_| true, &mut d_own)?;
                }
                let range = gradient.encoder();
                let to = gradient.data_mut()[range].iter_mut();
                to.zip(d_own.data()).for_each(|(g, &d)| *g += d);
                Ok(())
            }
            (None, Some(bridge)) => {
                let width = self.decoder.network().layers * d_state.width();
                let rows = d_state.rows();
                let mut d_bridged = Vec::with_capacity(rows * width);
                for row in 0..rows {
                    for layer in 0..self.decoder.network().layers {
                        d_bridged.extend_from_slice(d_state.row(layer, row));
                    }
                }
                for (d, &z) in d_bridged.iter_mut().zip(&trace.bridged) {
                    *d *= E::ONE - z * z;
                }
                let x = Rows::new(&trace.vectors, rows, bridge.reads());
                let d_y = Rows::new(&d_bridged, rows, width);
                bridge.backward(level, (x, d_y), &mut Vec::new(), gradient, team)
            }
            _ => Ok(()),
        }
    }
    /// That a gradient has the layout of these networks and what stands between them.
    fn check_gradient(&self, gradient: &Params<E>) -> Result<(), Error> {
        gradient.layout().check(self.decoder.network())?;
        let own = self.encoder.as_ref().map_or(0, |(_, own)| own.data().len());
        let mut dense = self
            .bridge
            .iter()
            .chain(self.attention.iter().flat_map(Attention::layers));
        dense.try_for_each(|d| d.check(gradient))?;
        match gradient.encoder().len() == own {
            true => Ok(()),
            false => Err(Error::Mismatch {
                what: "the gradient",
                why: "it has the layout of other networks".into(),
            }),
        }
    }
}

fn encoder_params<E: Element>(encoder: &Network, params: &Params<E>) -> Result<Params<E>, Error> {
    let mut own = Params::zeros(encoder)?;
    own.data_mut()
        .copy_from_slice(&params.data()[params.encoder()]);
    Ok(own)
}

/// The encoder's state, its directions side by side in each slot, as the decoder's.
fn handed_over<E: Element>(encoder: &Network, decoder: &Network, after: &State<E>) -> State<E> {
    let mut state = State::zeros(decoder, after.rows());
    let (h, d) = (encoder.hidden, encoder.directions());
    for sweep in encoder.sweeps() {
        let direction = sweep.index % d;
        for row in 0..after.rows() {
            let from = after.row(sweep.index, row).chunks_exact(h);
            let to = state.row_mut(sweep.layer, row).chunks_exact_mut(d * h);
            for (to, from) in to.zip(from) {
                to[direction * h..][..h].copy_from_slice(from);
            }
        }
    }
    state
}

/// The reverse, for gradients.
fn handed_back<E: Element>(encoder: &Network, d_state: &State<E>) -> State<E> {
    let mut d_after = State::zeros(encoder, d_state.rows());
    let (h, d) = (encoder.hidden, encoder.directions());
    for sweep in encoder.sweeps() {
        let direction = sweep.index % d;
        for row in 0..d_state.rows() {
            let from = d_state.row(sweep.layer, row).chunks_exact(d * h);
            let to = d_after.row_mut(sweep.index, row).chunks_exact_mut(h);
            for (to, from) in to.zip(from) {
                to.copy_from_slice(&from[direction * h..][..h]);
            }
        }
    }
    d_after
}
