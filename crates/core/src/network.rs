//! What a network is made of; its parameters live apart, in [`Params`](crate::Params).

use crate::{CellKind, Error};

/// What a network reads at each step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Input {
    /// This many numbers.
    Features(usize),
    /// One of this many symbols: the same as their one-hot vectors, without the multiplications by zero.
    Symbols(usize),
}

impl Input {
    /// F: columns of W_xh.
    pub fn width(self) -> usize {
        match self {
            Input::Features(n) | Input::Symbols(n) => n,
        }
    }
}

/// How leaky cells hold their leak α: `leak` in the layout, α = σ(leak).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Leak {
    /// One α for all units of a layer and direction; else each unit has its own.
    pub shared: bool,
    /// α stays as it started: [`backward`](crate::backward) leaves its gradient at 0.
    pub fixed: bool,
}

/// Layers of one kind of cell, with an optional readout y = W_hy h + b_y at every step.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Network {
    /// The cell of every layer.
    pub cell: CellKind,
    /// What the first layer reads.
    pub input: Input,
    /// H: units of each layer and direction.
    pub hidden: usize,
    /// Layers, each reading the hidden states of the one below.
    pub layers: usize,
    /// Whether each layer also runs from the end to the start; the layer above (and the readout) sees both.
    pub bidirectional: bool,
    /// Width of the readout; `None` gives the hidden states of the last layer.
    pub output: Option<usize>,
    /// Whether the state before the first step is learned (else it is zero where the caller gives none).
    pub learned_state: bool,
    /// How leaky cells hold their leak; as by default for cells without one.
    pub leak: Leak,
    /// Whether each lane of a step is normalised over its units before the cell (Ba, Kiros and Hinton 2016).
    pub layer_norm: bool,
    /// Zoneout's rate (Krueger and others 2017), from 0 to below 1: the share of units that keep their state at a step of
    /// training ([`Batch::with_noise`](crate::Batch::with_noise)); elsewhere each unit keeps this share of its state.
    pub zoneout: f64,
}

/// One layer in one direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sweep {
    /// Its place among the network's sweeps: layer by layer, forward before reverse.
    pub index: usize,
    /// Which layer, from 0.
    pub layer: usize,
    /// Whether it runs from the end of each row to its start.
    pub reverse: bool,
}

impl Sweep {
    /// What PyTorch appends to its parameters' names: `_l0`, `_l1_reverse`.
    pub fn suffix(&self) -> String {
        format!(
            "_l{}{}",
            self.layer,
            if self.reverse { "_reverse" } else { "" }
        )
    }
}

impl Network {
    /// One layer of `hidden` cells over `input`, with a readout of `output`.
    pub fn new(cell: CellKind, input: Input, hidden: usize, output: usize) -> Network {
        Network {
            cell,
            input,
            hidden,
            layers: 1,
            bidirectional: false,
            output: Some(output),
            learned_state: false,
            leak: Leak::default(),
            layer_norm: false,
            zoneout: 0.0,
        }
    }
    /// That every size is at least 1, and that the cell has what is asked of it.
    pub fn check(&self) -> Result<(), Error> {
        let sizes = [
            ("the input width", self.input.width()),
            ("the hidden size", self.hidden),
            ("the number of layers", self.layers),
            ("the output width", self.output.unwrap_or(1)),
        ];
        if let Some((what, is)) = sizes.into_iter().find(|&(_, is)| is == 0) {
            return Err(Error::Zero { what, is });
        }
        if !(0.0..1.0).contains(&self.zoneout) {
            return Err(Error::Unsupported(format!(
                "zoneout is {}, and must be from 0 to below 1",
                self.zoneout
            )));
        }
        self.check_memory()?;
        if self.leak != Leak::default() && !self.cell.has_leak() {
            let cell = self.cell.name();
            return Err(Error::Unsupported(format!(
                "the cell {cell} has no leak to share or to fix: choose leaky or leaky-relu"
            )));
        }
        Ok(())
    }
    /// That memory could hold the parameters of each sweep, and a step of each.
    fn check_memory(&self) -> Result<(), Error> {
        // Room for twelve copies of eight bytes: gates, directions, moments and packed copies are fewer.
        const COPIES: usize = 96;
        let (h, layers) = (self.hidden, self.layers);
        let read = self.input.width().max(2 * h.min(usize::MAX / 2));
        Error::fits("the network", &[layers, read, h, COPIES])?;
        let output = self.output.unwrap_or(1);
        Error::fits("the readout", &[output, h, COPIES])?;
        Ok(())
    }
    /// That a step of these features can be read, and its output has room.
    pub(crate) fn check_features(&self, x: usize, y: usize) -> Result<(), Error> {
        let Input::Features(reads) = self.input else {
            return Err(Error::Mismatch {
                what: "the input",
                why: "this network reads symbols: call step_symbol".into(),
            });
        };
        if x != reads {
            return Err(Error::size("x", x, reads, "one step"));
        }
        self.check_output(y)
    }
    /// That a step of this symbol can be read, and its output has room.
    pub(crate) fn check_symbol(&self, symbol: u32, y: usize) -> Result<(), Error> {
        let Input::Symbols(known) = self.input else {
            return Err(Error::Mismatch {
                what: "the input",
                why: "this network reads features: call step".into(),
            });
        };
        if symbol as usize >= known {
            return Err(Error::Symbol {
                step: 0,
                row: 0,
                symbol,
                last: known - 1,
            });
        }
        self.check_output(y)
    }
    fn check_output(&self, y: usize) -> Result<(), Error> {
        let width = self.output_width();
        if y != width {
            return Err(Error::size("y", y, width, "one step"));
        }
        Ok(())
    }
    /// Numbers of each parameter that the cell's units have of their own: H, or 1 where the units share it.
    pub(crate) fn unit_width(&self) -> usize {
        match self.leak.shared && self.cell.has_leak() {
            true => 1,
            false => self.hidden,
        }
    }
    /// D: 1 or 2.
    pub fn directions(&self) -> usize {
        1 + usize::from(self.bidirectional)
    }
    /// L·D: how many [`sweeps`](Network::sweeps) there are.
    pub fn sweep_count(&self) -> usize {
        self.layers.saturating_mul(self.directions())
    }
    /// Every layer in every direction.
    pub fn sweeps(&self) -> impl Iterator<Item = Sweep> + use<> {
        let directions = self.directions();
        (0..self.sweep_count()).map(move |index| Sweep {
            index,
            layer: index / directions,
            reverse: index % directions == 1,
        })
    }
    /// Width of what layer `layer` reads.
    pub fn reads(&self, layer: usize) -> usize {
        match layer {
            0 => self.input.width(),
            _ => self.hidden.saturating_mul(self.directions()),
        }
    }
    /// Numbers of state in each sweep: slots times H.
    pub fn state_width(&self) -> usize {
        self.hidden.saturating_mul(self.cell.sizes().state)
    }
    /// Width of what [`forward`](crate::forward) gives at each step: the readout's, or the last layer's.
    pub fn output_width(&self) -> usize {
        let h = self.hidden.saturating_mul(self.directions());
        self.output.unwrap_or(h)
    }
}
