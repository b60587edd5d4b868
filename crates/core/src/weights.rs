//! Parameters laid out as the products stream them: packed once for each change of the parameters.

use crate::cell::Sizes;
use crate::network::Sweep;
use crate::stamp::Stamp;
use crate::step::{Norm, StepPlan};
use crate::{Element, Error, Input, Network, Params, State};
use elman_kernels::{Level, Packed, Rows, RowsMut, Start, product};

/// A network ready to run: its parameters, packed.
#[derive(Clone, Debug)]
pub struct Weights<E> {
    pub(crate) network: Network,
    pub(crate) level: Level,
    pub(crate) sweeps: Vec<SweepWeights<E>>,
    pub(crate) readout: Option<Readout<E>>,
    /// Another after each change.
    pub(crate) stamp: Stamp,
    initial: State<E>,
}

/// One layer in one direction. Columns stand in the order of the cell's lanes.
#[derive(Clone, Debug)]
pub(crate) struct SweepWeights<E> {
    pub sweep: Sweep,
    /// Columns of the drive that x feeds, and that h feeds.
    pub x_columns: (usize, usize),
    pub h_columns: (usize, usize),
    /// W_ih as x meets it.
    pub input: InputWeights<E>,
    /// W_ihᵀ for the gradient of the input; none where the input is symbols.
    pub input_back: Option<Packed<E>>,
    pub recurrent: Packed<E>,
    pub recurrent_back: Packed<E>,
    /// What a gate stands before, where one does; `recurrent` has the other lanes.
    pub gated: Option<GatedWeights<E>>,
    /// What z starts from, lane by lane: b_ih + b_hh, or 0 where a normalisation comes first.
    pub bias: Vec<E>,
    pub norm: Option<Norm<E>>,
    /// The units' own parameters, one after another.
    pub unit: Vec<E>,
}

/// The row blocks of W_hh that read a gated h.
#[derive(Clone, Debug)]
pub(crate) struct GatedWeights<E> {
    /// The gate's lane.
    pub by: usize,
    pub columns: (usize, usize),
    pub weight: Packed<E>,
    pub weight_back: Packed<E>,
}

#[derive(Clone, Debug)]
pub(crate) enum InputWeights<E> {
    Features(Packed<E>),
    /// `[symbols, columns that x feeds]`: W_ihᵀ with the bias added
    Symbols(Vec<E>),
}

#[derive(Clone, Debug)]
pub(crate) struct Readout<E> {
    pub weight: Packed<E>,
    pub weight_back: Packed<E>,
    pub bias: Vec<E>,
}

impl<E: Element> SweepWeights<E> {
    /// Features that the layer reads; none where it reads symbols.
    pub fn features(&self) -> usize {
        match &self.input {
            InputWeights::Features(packed) => packed.k(),
            InputWeights::Symbols(_) => 0,
        }
    }
}

impl<E: Element> Weights<E> {
    /// Packs `params` of `network` for the widest vectors of this processor.
    pub fn new(network: &Network, params: &Params<E>) -> Result<Weights<E>, Error> {
        Weights::at_level(network, params, Level::best())
    }
    /// The same for a chosen set of vector instructions.
    pub fn at_level(
        network: &Network,
        params: &Params<E>,
        level: Level,
    ) -> Result<Weights<E>, Error> {
        network.check()?;
        let sizes = network.cell.sizes();
        let h = network.hidden;
        let columns = |lanes: &[usize]| {
            let first = lanes.iter().min().map_or(0, |l| l * h);
            (first, first + lanes.len() * h)
        };
        let sweeps = network.sweeps().map(|sweep| {
            let reads = network.reads(sweep.layer);
            let (plain, gated) = plain_and_gated(&sizes);
            let (gx, gh) = (sizes.from_x.len() * h, plain.len() * h);
            let symbols = sweep.layer == 0 && matches!(network.input, Input::Symbols(_));
            SweepWeights {
                sweep,
                x_columns: columns(sizes.from_x),
                h_columns: columns(plain),
                input: match symbols {
                    true => InputWeights::Symbols(vec![E::ZERO; reads * gx]),
                    false => InputWeights::Features(Packed::zeros(reads, gx)),
                },
                input_back: (!symbols).then(|| Packed::zeros(gx, reads)),
                recurrent: Packed::zeros(h, gh),
                recurrent_back: Packed::zeros(gh, h),
                gated: sizes.gated.map(|g| GatedWeights {
                    by: g.by,
                    columns: columns(gated),
                    weight: Packed::zeros(h, gated.len() * h),
                    weight_back: Packed::zeros(gated.len() * h, h),
                }),
                bias: vec![E::ZERO; sizes.drive * h],
                norm: network.layer_norm.then(|| Norm {
                    gain: vec![E::ZERO; sizes.drive * h],
                    bias: vec![E::ZERO; sizes.drive * h],
                }),
                unit: vec![E::ZERO; sizes.unit * h],
            }
        });
        let reads = network.directions() * h;
        let mut weights = Weights {
            level,
            sweeps: sweeps.collect(),
            readout: network.output.map(|n| Readout {
                weight: Packed::zeros(reads, n),
                weight_back: Packed::zeros(n, reads),
                bias: vec![E::ZERO; n],
            }),
            stamp: Stamp::new(),
            initial: State::zeros(network, 1),
            network: network.clone(),
        };
        weights.refresh(params)?;
        Ok(weights)
    }

    /// The network that these belong to.
    pub fn network(&self) -> &Network {
        &self.network
    }
    /// The vector instructions in use.
    pub fn level(&self) -> Level {
        self.level
    }

    /// The state before the first step in every one of `rows` rows: the learned one, or zeros.
    pub fn initial_state(&self, rows: usize) -> State<E> {
        let mut state = State::zeros(&self.network, rows);
        for sweep in self.network.sweeps() {
            for row in 0..rows {
                let from = self.initial.row(sweep.index, 0);
                state.row_mut(sweep.index, row).copy_from_slice(from);
            }
        }
        state
    }

    /// Without the matrices that a [`RowStep`](crate::row_step) has of its own, or that are for backward.
    pub(crate) fn for_steps(mut self) -> Self {
        let plain = StepPlan::unmasked(&self.network).is_plain();
        let none = || Packed::zeros(0, 0);
        for w in &mut self.sweeps {
            w.input = InputWeights::Features(none());
            w.input_back = None;
            w.recurrent_back = none();
            if plain {
                w.recurrent = none();
            }
            if let Some(gated) = &mut w.gated {
                gated.weight_back = none();
            }
        }
        if let Some(readout) = &mut self.readout {
            readout.weight_back = none();
        }
        self
    }
    /// `[rows, D·H]` to `[rows, output width]`: y = W_hy h + b_y, or h where there is no readout.
    pub(crate) fn read_out(&self, h: Rows<'_, E>, mut y: RowsMut<'_, E>) {
        match &self.readout {
            Some(readout) => {
                let start = Start::Row(&readout.bias);
                product(self.level, h, &readout.weight, y, start);
            }
            None => (0..h.rows()).for_each(|r| y.row(r).copy_from_slice(h.row(r))),
        }
    }

    /// Packs again, after the parameters have changed.
    pub fn refresh(&mut self, params: &Params<E>) -> Result<(), Error> {
        params.layout().check(&self.network)?;
        self.stamp = Stamp::new();
        self.initial.reset(&self.network, params, 0)?;
        let (sizes, h) = (self.network.cell.sizes(), self.network.hidden);
        for w in &mut self.sweeps {
            let views = params.layout().sweep(w.sweep);
            w.bias.fill(E::ZERO);
            let biases = [(sizes.from_x, Some(views.b_ih)), (sizes.from_h, views.b_hh)];
            for (lanes, view) in biases {
                let Some(view) = view else { continue };
                for (&lane, from) in lanes.iter().zip(params.slice(view).chunks_exact(h)) {
                    for (b, &x) in w.bias[lane * h..][..h].iter_mut().zip(from) {
                        *b += x;
                    }
                }
            }
            if let (Some(norm), Some(gain)) = (&mut w.norm, views.gain) {
                norm.gain.copy_from_slice(params.slice(gain));
                norm.bias.copy_from_slice(&w.bias);
                w.bias.fill(E::ZERO);
            }
            let w_ih = in_lane_order(params.matrix(views.w_ih), sizes.from_x, h);
            if let Some(view) = views.w_hh {
                let (plain, gated) = plain_and_gated(&sizes);
                let blocks = params.matrix(view);
                let w_hh = in_lane_order(blocks.slice(0, plain.len() * h), plain, h);
                w.recurrent.pack_transposed(0, w_hh.view());
                w.recurrent_back.pack(0, w_hh.view());
                if let Some(own) = &mut w.gated {
                    let rest = blocks.slice(plain.len() * h, blocks.rows());
                    let rest = in_lane_order(rest, gated, h);
                    own.weight.pack_transposed(0, rest.view());
                    own.weight_back.pack(0, rest.view());
                }
            }
            let w_ih = w_ih.view();
            match &mut w.input {
                InputWeights::Features(packed) => packed.pack_transposed(0, w_ih),
                InputWeights::Symbols(table) => {
                    let (bias, n) = (&w.bias[w.x_columns.0..w.x_columns.1], w_ih.rows());
                    for j in 0..n {
                        for (symbol, &x) in w_ih.row(j).iter().enumerate() {
                            table[symbol * n + j] = x + bias[j];
                        }
                    }
                }
            }
            if let Some(packed) = &mut w.input_back {
                packed.pack(0, w_ih);
            }
            for (&view, to) in views.unit.iter().zip(w.unit.chunks_exact_mut(h)) {
                match params.slice(view) {
                    [shared] => to.fill(*shared),
                    own => to.copy_from_slice(own),
                }
            }
        }
        if let (Some(readout), Some((weight, bias))) =
            (&mut self.readout, params.layout().readout())
        {
            readout.weight.pack_transposed(0, params.matrix(weight));
            readout.weight_back.pack(0, params.matrix(weight));
            readout.bias.copy_from_slice(params.slice(bias));
        }
        Ok(())
    }
}

/// The lanes of the row blocks of W_hh that read h, and of those that read it gated.
pub(crate) fn plain_and_gated(sizes: &Sizes) -> (&'static [usize], &'static [usize]) {
    let gated = sizes.gated.map_or(0, |g| g.blocks);
    sizes.from_h.split_at(sizes.from_h.len() - gated)
}

/// A matrix of row blocks, borrowed where the blocks already stand in the order of their lanes.
enum LaneOrder<'a, E> {
    Already(Rows<'a, E>),
    Sorted(Vec<E>, usize, usize),
}

impl<E: Copy> LaneOrder<'_, E> {
    fn view(&self) -> Rows<'_, E> {
        match self {
            LaneOrder::Already(rows) => *rows,
            LaneOrder::Sorted(data, rows, cols) => Rows::new(data, *rows, *cols),
        }
    }
}

fn in_lane_order<'a, E: Element>(
    blocks: Rows<'a, E>,
    lanes: &[usize],
    h: usize,
) -> LaneOrder<'a, E> {
    if lanes.is_sorted() {
        return LaneOrder::Already(blocks);
    }
    let first = *lanes.iter().min().unwrap_or(&0);
    let (rows, cols) = (blocks.rows(), blocks.cols());
    let mut data = vec![E::ZERO; rows * cols];
    let mut to = RowsMut::new(&mut data, rows, cols);
    for (g, &lane) in lanes.iter().enumerate() {
        for i in 0..h {
            to.row((lane - first) * h + i)
                .copy_from_slice(blocks.row(g * h + i));
        }
    }
    LaneOrder::Sorted(data, rows, cols)
}
