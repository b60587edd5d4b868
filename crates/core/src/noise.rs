//! Random masks for training: dropout on inputs, on the state, between layers, and zoneout's choice of units.
//!
//! Masks belong to a batch, so that forward, backward and what is read from them see the same. They are drawn from
//! (seed, epoch, batch, step) and no thread has a say in them. Kept numbers are scaled by 1/(1 − p), so that a
//! network without masks computes the expectation.
//!
//! - between layers: a mask of its own for each step, on what a layer gives to the one above and to the readout —
//!   W. Zaremba, I. Sutskever and O. Vinyals, "Recurrent neural network regularization" (2014);
//! - inputs and state: one mask for all steps of a row (*variational*) — Y. Gal and Z. Ghahramani, "A theoretically
//!   grounded application of dropout in recurrent neural networks" (2016); of symbols, whole words are dropped;
//! - zoneout: units that keep their state for a step — D. Krueger and others (2017).

use crate::batch::BatchInput;
use crate::{Batch, Element, Error, Network};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::ops::Range;
use std::sync::Arc;

/// Shares of numbers that are dropped while training, each from 0 to below 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Dropout {
    /// Of what each layer gives to the one above and to the readout, anew at every step.
    pub between: f64,
    /// Of what the first layer reads: the same features (or symbols) of a row at every step.
    pub input: f64,
    /// Of h_{t-1} where it enters W_hh: the same units of a row at every step.
    pub state: f64,
}

/// Which masks: the same for the same four numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draw {
    /// The run's seed.
    pub seed: u64,
    /// The epoch, below 2³⁰.
    pub epoch: u64,
    /// The batch within the epoch, below 2³².
    pub batch: u64,
    /// The first step of the window: masks that last over steps do not depend on it. Below 2³⁰.
    pub step: u64,
}

/// The masks of a batch. An empty buffer masks nothing.
#[derive(Clone, Debug)]
pub(crate) struct Noise<E> {
    network: Network,
    /// For each layer, packed as the batch `[Σ B_t, D·H]`.
    pub between: Vec<Vec<E>>,
    /// For each sweep, in sorted order `[B, H]`.
    pub state: Vec<Vec<E>>,
    /// For each sweep, packed in its own time `[Σ B_t, H]`: 1 where the unit keeps its state.
    pub zone: Vec<Vec<E>>,
    /// In sorted order `[B, symbols]`.
    pub symbols: Vec<E>,
}

impl<E: Element> Noise<E> {
    pub(crate) fn fits(&self, network: &Network) -> Result<(), Error> {
        if self.network == *network {
            return Ok(());
        }
        Err(Error::Mismatch {
            what: "the batch",
            why: "its masks were drawn for another network".into(),
        })
    }
    /// The masks of some of the packed places, and of the first `rows` rows, of a network that reads forwards.
    pub(crate) fn part(
        &self,
        (places, total): (Range<usize>, usize),
        (rows, of): (usize, usize),
    ) -> Noise<E> {
        let cut = |from: &Vec<E>, range: &Range<usize>, all: usize| {
            let width = from.len() / all;
            from[range.start * width..range.end * width].to_vec()
        };
        let (between, zone) = (self.between.iter(), self.zone.iter());
        Noise {
            network: self.network.clone(),
            between: between.map(|m| cut(m, &places, total)).collect(),
            state: self.state.iter().map(|m| cut(m, &(0..rows), of)).collect(),
            zone: zone.map(|m| cut(m, &places, total)).collect(),
            symbols: cut(&self.symbols, &(0..rows), of),
        }
    }
    pub(crate) fn convert<F: Element>(&self) -> Noise<F> {
        let one = |from: &Vec<E>| from.iter().map(|x| F::of(x.to_f64())).collect::<Vec<F>>();
        Noise {
            network: self.network.clone(),
            between: self.between.iter().map(one).collect(),
            state: self.state.iter().map(one).collect(),
            zone: self.zone.iter().map(one).collect(),
            symbols: one(&self.symbols),
        }
    }
}

impl<E: Element> Batch<E> {
    /// The batch with masks for one step of training `network`; itself where there is nothing to drop.
    ///
    /// Features are masked right here: what the network reads, and what the gradient of the inputs is of, is what
    /// is left of them. Masks that last over steps are those of the caller's row, the same in every window in which
    /// the row stands at the same place. Errors where a share is not from 0 to below 1.
    pub fn with_noise(
        mut self,
        network: &Network,
        dropout: Dropout,
        draw: Draw,
    ) -> Result<Batch<E>, Error> {
        for (what, share) in [
            ("between layers", dropout.between),
            ("of inputs", dropout.input),
            ("of the state", dropout.state),
        ] {
            if !(0.0..1.0).contains(&share) {
                let text = format!("dropout {what} is {share}, and must be from 0 to below 1");
                return Err(Error::Unsupported(text));
            }
        }
        if dropout.state > 0.0 && network.cell.sizes().from_h.is_empty() {
            return Err(Error::Unsupported(format!(
                "the cell {} has no recurrent product whose reading of h could be dropped: leave the dropout of the state \
                 at 0",
                network.cell.name()
            )));
        }
        if dropout == Dropout::default() && network.zoneout == 0.0 {
            return Ok(self);
        }
        let mut rng = ChaCha8Rng::seed_from_u64(draw.seed);
        // Apart from the streams of parameters, of epochs and of a decoder's own words.
        rng.set_stream((1 << 62) | (draw.epoch << 32) | draw.batch);
        let (h, d, total) = (network.hidden, network.directions(), self.total());
        let mut noise = Noise {
            network: network.clone(),
            between: Vec::new(),
            state: Vec::new(),
            zone: Vec::new(),
            symbols: Vec::new(),
        };
        if dropout.state > 0.0 {
            let sweeps = network.sweeps();
            noise.state = sweeps
                .map(|_| self.lasting(&mut rng, dropout.state, h))
                .collect();
        }
        if dropout.input > 0.0 {
            let width = network.input.width();
            let mask = self.lasting(&mut rng, dropout.input, width);
            match Arc::make_mut(&mut self.input) {
                BatchInput::Symbols(..) => noise.symbols = mask,
                BatchInput::Features(x, f) if *f == width => {
                    for ends in self.packing.offsets.windows(2) {
                        let rows = x[ends[0] * width..ends[1] * width].iter_mut();
                        rows.zip(&mask).for_each(|(x, &m)| *x *= m);
                    }
                }
                BatchInput::Features(..) => {}
            }
        }
        // A window has its own part of the stream; what lasts stands before all of them.
        rng.set_word_pos(u128::from(draw.step + 1) << 36);
        if dropout.between > 0.0 {
            // Without a readout nothing is above the last layer.
            let masked = network.layers - usize::from(network.output.is_none());
            noise.between = (0..masked)
                .map(|_| mask(&mut rng, dropout.between, total * d * h))
                .collect();
        }
        if network.zoneout > 0.0 {
            let kept = |rng: &mut ChaCha8Rng| -> Vec<E> {
                let one = |_| E::of(f64::from(u8::from(rng.random::<f64>() < network.zoneout)));
                (0..total * h).map(one).collect()
            };
            noise.zone = network.sweeps().map(|_| kept(&mut rng)).collect();
        }
        self.noise = Some(Arc::new(noise));
        Ok(self)
    }

    /// A mask of `width` numbers for each row, drawn in the caller's order, laid out in sorted order.
    fn lasting(&self, rng: &mut impl Rng, share: f64, width: usize) -> Vec<E> {
        let mut sorted = vec![E::ZERO; self.rows() * width];
        for &p in &self.packing.position {
            sorted[p * width..][..width].copy_from_slice(&mask(rng, share, width));
        }
        sorted
    }
}

fn mask<E: Element>(rng: &mut impl Rng, share: f64, numbers: usize) -> Vec<E> {
    let kept = E::of(1.0 / (1.0 - share));
    let one = |_| match rng.random::<f64>() < share {
        true => E::ZERO,
        false => kept,
    };
    (0..numbers).map(one).collect()
}
