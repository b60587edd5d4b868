//! Teacher forcing, with a schedule: early on the decoder reads the target so far, later more and more its own words.
//!
//! Scheduled sampling — S. Bengio, O. Vinyals, N. Jaitly and N. Shazeer (2015) — token by token, in the parallel form of
//! D. Duckworth, A. Neelakantan, B. Goodrich, L. Kaiser and S. Bengio (2019): a first pass reads the target and says
//! what it would say; in the second, which learns, each input is with some probability the first pass's word.

use super::Examples;
use super::examples::GivenBatch;
use crate::data::SymbolTable;
use crate::task::largest;
use crate::{Config, Error, Learner, Lesson, Loss, Source, Work};
use elman_core::{Companions, Network, Params, Team, Transducer, TransducerTrace};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// An encoder and a decoder that learn from pairs.
pub(crate) struct PairLearner<'a> {
    config: &'a Config,
    examples: &'a Examples,
    transducer: Transducer<f32>,
    trace: TransducerTrace<f32>,
    d_outputs: Vec<f32>,
}

impl<'a> PairLearner<'a> {
    pub(crate) fn new(
        (network, companions): (&Network, &Companions),
        config: &'a Config,
        examples: &'a Examples,
        params: &Params<f32>,
    ) -> Result<PairLearner<'a>, Error> {
        Ok(PairLearner {
            config,
            examples,
            transducer: Transducer::new(network, companions, params)?,
            trace: TransducerTrace::default(),
            d_outputs: Vec::new(),
        })
    }
    /// The probability that an input is the decoder's own word: from 0 in the first epoch to all of it in the last.
    fn own_words(&self, epoch: usize) -> f64 {
        let way = (epoch - 1) as f64 / self.config.epochs.saturating_sub(1).max(1) as f64;
        self.config.own_words * way
    }
}

impl Learner for PairLearner<'_> {
    fn refresh(&mut self, params: &Params<f32>) -> Result<(), Error> {
        Ok(self.transducer.refresh(params)?)
    }
    fn learn(
        &mut self,
        _: &Params<f32>,
        work: Work<'_>,
        gradient: &mut Params<f32>,
        team: &Team,
    ) -> Result<Lesson, Error> {
        let (decoder, encoder) = self.transducer.networks();
        let mut given = self.examples.sources.batch(work.rows)?;
        if let (GivenBatch::Symbols(batch), Some(encoder)) = (&mut given, encoder) {
            // Batches are fewer than 2³¹: the encoder's masks are not the decoder's.
            let own = Work {
                batch: work.batch | 1 << 31,
                ..work
            };
            **batch = own.noisy(batch.as_ref().clone(), encoder, self.config)?;
        }
        let mut piece = self
            .examples
            .piece(work.rows, work.span.start, work.span.end)?;
        piece.batch = work.noisy(piece.batch, decoder, self.config)?;
        let share = self.own_words(work.epoch);
        let net = &self.transducer;
        net.forward(given.view(), &piece.batch, &mut self.trace, team)?;
        if share > 0.0 {
            let mut rng = ChaCha8Rng::seed_from_u64(self.config.seed);
            rng.set_stream((1 << 63) | (work.epoch as u64) << 32 | work.batch as u64);
            let (batch, outputs) = (&piece.batch, self.trace.outputs());
            let width = net.symbols();
            let said = |t: usize, row: usize| {
                let at = batch.at(t, row)?;
                Some(largest(&outputs[at * width..][..width]))
            };
            piece.batch = self.examples.replaced(batch, |t, row, symbol| {
                let own = rng.random::<f64>() < share;
                match (own, t.checked_sub(1).and_then(|t| said(t, row))) {
                    // An end within the target would be read as no symbol ever is.
                    (true, Some(word)) if word != SymbolTable::END => word,
                    _ => symbol,
                }
            })?;
            piece.batch = work.noisy(piece.batch, decoder, self.config)?;
            net.forward(given.view(), &piece.batch, &mut self.trace, team)?;
        }
        let outputs = self.trace.outputs();
        self.d_outputs.resize(outputs.len(), 0.0);
        let (width, d) = (net.symbols(), &mut self.d_outputs);
        let sum = piece.loss(Loss::CrossEntropy, outputs, width, 0, d)?;
        if sum.loss.is_finite() {
            net.backward(&mut self.trace, &self.d_outputs, gradient, team)?;
        }
        Ok(Lesson { sum, state: None })
    }
}
