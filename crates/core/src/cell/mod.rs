//! Cells: the arithmetic of one unit, one file each.
//!
//! A step of a layer is two products and arithmetic that never mixes units. The driver forms the products and
//! adds the biases; a cell says which of its *lanes* each product feeds and does the rest, for one unit, over a
//! [`Value`] that is `f64`, `f32` or a vector of them. The source that trains is the source that is checked.

use elman_kernels::Value;

mod about;
mod activation;

pub use about::{About, Gate, Onnx, OnnxActivation, Recurrence, Torch};
pub use activation::{Activation, Linear, Relu, Tanh};

/// A fixed number of values of each unit: an array.
///
/// Loops, not closures: only what is marked `inline(always)` is sure to be compiled with a level's instructions.
pub trait Lanes<V: Value>: Copy {
    /// How many.
    const COUNT: usize;
    /// Reads some units' values from a row of slots.
    fn load(row: &[V::Element], units: Units) -> Self;
    /// Writes them.
    fn store(self, row: &mut [V::Element], units: Units);
    /// The same values with `x` added to the first.
    fn with_first(self, x: V) -> Self;
}

impl<V: Value, const N: usize> Lanes<V> for [V; N] {
    const COUNT: usize = N;
    #[inline(always)]
    fn load(row: &[V::Element], units: Units) -> Self {
        let mut values = [V::ZERO; N];
        let mut slot = 0;
        while slot < N {
            let from = &row[slot * units.hidden + units.at..][..units.count];
            values[slot] = if units.count == V::LANES {
                V::load(from)
            } else {
                V::load_part(from)
            };
            slot += 1;
        }
        values
    }
    #[inline(always)]
    fn store(self, row: &mut [V::Element], units: Units) {
        let mut slot = 0;
        while slot < N {
            let to = &mut row[slot * units.hidden + units.at..][..units.count];
            if units.count == V::LANES {
                self[slot].store(to);
            } else {
                self[slot].store_part(to);
            }
            slot += 1;
        }
    }
    #[inline(always)]
    fn with_first(mut self, x: V) -> Self {
        self[0] = self[0] + x;
        self
    }
}

/// The values of one after those of the other.
impl<V: Value, A: Lanes<V>, B: Lanes<V>> Lanes<V> for (A, B) {
    const COUNT: usize = A::COUNT + B::COUNT;
    #[inline(always)]
    fn load(row: &[V::Element], units: Units) -> Self {
        let (a, b) = row.split_at(A::COUNT * units.hidden);
        (A::load(a, units), B::load(b, units))
    }
    #[inline(always)]
    fn store(self, row: &mut [V::Element], units: Units) {
        let (a, b) = row.split_at_mut(A::COUNT * units.hidden);
        self.0.store(a, units);
        self.1.store(b, units);
    }
    #[inline(always)]
    fn with_first(self, x: V) -> Self {
        (self.0.with_first(x), self.1)
    }
}

/// Units `at .. at + count` of every slot of a row of `hidden`: a full vector of them, or the last few.
#[derive(Clone, Copy, Debug)]
pub struct Units {
    /// The first.
    pub at: usize,
    /// How many.
    pub count: usize,
    /// H: the distance between slots.
    pub hidden: usize,
}

impl Units {
    /// The units from `at` on, at most `lanes`.
    #[inline(always)]
    pub(crate) fn from(at: usize, hidden: usize, lanes: usize) -> Units {
        let left = hidden - at;
        let count = if left < lanes { left } else { lanes };
        Units { at, count, hidden }
    }
    /// The group after this one; none (of count 0) after the last.
    #[inline(always)]
    pub(crate) fn next(self) -> Units {
        Units::from(self.at + self.count, self.hidden, self.count)
    }
}

/// A recurrent cell: what happens inside one unit.
///
/// Lanes are what the products feed: `drive[FROM_X[g]]` takes row block `g` of W_ih x + b_ih, `drive[FROM_H[g]]`
/// takes row block `g` of W_hh h + b_hh; a lane named by both takes their sum. The lanes of each list are
/// neighbours (in any order), so that each product writes one block.
pub trait Cell: Copy + Send + Sync + 'static {
    /// What others need to know of it.
    const ABOUT: About;
    /// The lane of each row block of W_ih.
    const FROM_X: &'static [usize];
    /// The lane of each row block of W_hh; empty where h enters the cell's own arithmetic alone.
    const FROM_H: &'static [usize];
    /// What stands between h and the last row blocks of W_hh, where something does.
    const GATED: Option<Gated> = None;
    /// Names of the parameters that each unit has of its own.
    const UNIT: &'static [&'static str] = &[];

    /// z: the sums that the products make.
    type Drive<V: Value>: Lanes<V>;
    /// What crosses a step; h is always first.
    type State<V: Value>: Lanes<V>;
    /// What backward needs and the states do not tell.
    type Saved<V: Value>: Lanes<V>;
    /// The unit's own parameters.
    type Unit<V: Value>: Lanes<V>;

    /// One step: the state after, and what to save.
    fn forward<V: Value>(
        drive: Self::Drive<V>,
        before: Self::State<V>,
        unit: Self::Unit<V>,
    ) -> (Self::State<V>, Self::Saved<V>);

    /// The change of the state after, for small changes of the drive and of the state before.
    fn tangent<V: Value>(
        at: StepOf<Self, V>,
        d_drive: Self::Drive<V>,
        d_before: Self::State<V>,
    ) -> Self::State<V>;

    /// The transpose of [`tangent`](Cell::tangent), from the gradient of the state after to the gradients of the
    /// drive and of the state before (that part of it which does not pass W_hh), and of the unit's parameters.
    fn backward<V: Value>(
        at: StepOf<Self, V>,
        d_after: Self::State<V>,
    ) -> (Self::Drive<V>, Self::State<V>, Self::Unit<V>);

    /// φ′ at a step, of the activation that [`About::activation`] names.
    fn slope<V: Value>(after: Self::State<V>, saved: Self::Saved<V>) -> V;

    /// Starting values of what only this cell has; all are 0 before.
    fn start(_: Special<'_>) {}
}

/// A gate before the recurrent product: the last `blocks` row blocks of W_hh read `σ(drive[by]) ⊙ h` in place of h. The
/// driver forms it, its tangent and its transpose; the lanes of those blocks are neighbours, and `by` is none of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gated {
    /// How many row blocks.
    pub blocks: usize,
    /// The lane of the gate.
    pub by: usize,
}

/// What a cell may start in its own way.
pub struct Special<'a> {
    /// H.
    pub hidden: usize,
    /// b_ih, one block of H for each row block of W_ih.
    pub bias: &'a mut [f64],
    /// The units' own parameters, a block of H each, or of 1 where the units share it.
    pub unit: &'a mut [f64],
    /// Shortest and longest time constant in steps, where the user gave them.
    pub memory: Option<(f64, f64)>,
    /// The forget gate's bias, where `memory` does not say it.
    pub forget_bias: f64,
    /// The next random number in [0, 1).
    pub uniform: &'a mut dyn FnMut() -> f64,
}

impl Special<'_> {
    /// A random time constant, log-uniform over a range of steps.
    fn time_constant(&mut self, (short, long): (f64, f64)) -> f64 {
        (short.ln() + (self.uniform)() * (long / short).ln()).exp()
    }
}

/// What a trace knows of one unit at one step.
pub struct StepOf<C: Cell, V: Value> {
    /// The state before the step.
    pub before: C::State<V>,
    /// The state after the step.
    pub after: C::State<V>,
    /// What forward saved.
    pub saved: C::Saved<V>,
    /// The unit's own parameters.
    pub unit: C::Unit<V>,
}

macro_rules! cells {
    ($($file:ident: $($kind:ident $name:literal $equation:literal => $cell:ty),+;)*) => {
        $(
            mod $file;
            pub use $file::*;
        )*

        /// The cells there are.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum CellKind {
            $($(#[doc = $equation] $kind,)+)*
        }

        impl CellKind {
            /// All of them.
            pub const ALL: &'static [CellKind] = &[$($(CellKind::$kind),+),*];

            /// The name on the command line and in files.
            pub fn name(self) -> &'static str {
                match self { $($(CellKind::$kind => $name),+),* }
            }
            /// Its equation, or where that is long what it is, in one line.
            pub fn equation(self) -> &'static str {
                match self { $($(CellKind::$kind => $equation),+),* }
            }
        }

        /// Evaluates an expression with `$C` standing for the cell of a kind.
        macro_rules! with_cell {
            ($k:expr, $C:ident => $e:expr) => {
                match $k { $($($crate::cell::CellKind::$kind => { type $C = $cell; $e })+)* }
            };
        }
        pub(crate) use with_cell;
    };
}

// To add a cell: its file, and one line here, which names the file, and each cell of it with its name and its equation.
cells! {
    elman:
        Elman "elman" "h_t = tanh(W_hh h_{t-1} + W_xh x_t + b_h)" => crate::cell::Elman<crate::cell::Tanh>,
        ElmanRelu "elman-relu" "h_t = max(0, W_hh h_{t-1} + W_xh x_t + b_h)" => crate::cell::Elman<crate::cell::Relu>,
        ElmanLinear "elman-linear" "h_t = W_hh h_{t-1} + W_xh x_t + b_h" => crate::cell::Elman<crate::cell::Linear>;
    leaky:
        Leaky "leaky" "h_t = (1-a) h_{t-1} + a tanh(W_hh h_{t-1} + W_xh x_t + b_h), a for each unit" => crate::cell::Leaky<crate::cell::Tanh>,
        LeakyRelu "leaky-relu" "h_t = (1-a) h_{t-1} + a max(0, W_hh h_{t-1} + W_xh x_t + b_h), a for each unit" => crate::cell::Leaky<crate::cell::Relu>;
    indrnn: IndRnn "indrnn" "h_t = max(0, w_hh * h_{t-1} + W_xh x_t + b_h), w_hh a vector" => crate::cell::IndRnn<crate::cell::Relu>;
    lstm: Lstm "lstm" "long short-term memory: input, forget and output gates around c" => crate::cell::Lstm;
    gru: Gru "gru" "gated recurrent unit, reset applied after the recurrent product" => crate::cell::Gru;
    gru_before: GruBefore "gru-before" "gated recurrent unit, reset applied before the recurrent product" => crate::cell::GruBefore;
}

/// The sizes of a cell, as numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// Lanes of the drive.
    pub drive: usize,
    /// State slots: h, or h and c.
    pub state: usize,
    /// Saved values.
    pub saved: usize,
    /// Parameters of each unit.
    pub unit: usize,
    /// Row blocks of W_ih.
    pub from_x: &'static [usize],
    /// Row blocks of W_hh.
    pub from_h: &'static [usize],
    /// The gate before the last of them, where there is one.
    pub gated: Option<Gated>,
    /// Names of the unit's parameters.
    pub unit_names: &'static [&'static str],
}

impl Sizes {
    pub(crate) fn of<C: Cell>() -> Sizes {
        // The counts are the same for every vector; the portable f32 one stands for them.
        type V = <f32 as elman_kernels::Element>::Portable;
        Sizes {
            drive: <C::Drive<V> as Lanes<V>>::COUNT,
            state: <C::State<V> as Lanes<V>>::COUNT,
            saved: <C::Saved<V> as Lanes<V>>::COUNT,
            unit: <C::Unit<V> as Lanes<V>>::COUNT,
            from_x: C::FROM_X,
            from_h: C::FROM_H,
            gated: C::GATED,
            unit_names: C::UNIT,
        }
    }
}

impl core::fmt::Display for CellKind {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.pad(self.name())
    }
}

impl core::str::FromStr for CellKind {
    type Err = crate::Error;
    fn from_str(name: &str) -> Result<CellKind, crate::Error> {
        CellKind::by_name(name).ok_or_else(|| {
            let known: Vec<_> = CellKind::ALL.iter().map(|k| k.name()).collect();
            crate::Error::Unsupported(format!(
                "there is no cell {name:?}; there are {}",
                known.join(", ")
            ))
        })
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for CellKind {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.name())
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for CellKind {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<CellKind, D::Error> {
        let name = String::deserialize(from)?;
        name.parse().map_err(serde::de::Error::custom)
    }
}

impl CellKind {
    /// The kind with this name.
    pub fn by_name(name: &str) -> Option<CellKind> {
        CellKind::ALL.iter().copied().find(|k| k.name() == name)
    }
    /// What others need to know of it.
    pub fn about(self) -> &'static About {
        with_cell!(self, C => &const { <C as Cell>::ABOUT })
    }
    /// Whether its units forget at rates of their own: the parameter `leak`.
    pub fn has_leak(self) -> bool {
        self.sizes().unit_names.contains(&"leak")
    }
    /// Its sizes.
    pub fn sizes(self) -> Sizes {
        with_cell!(self, C => Sizes::of::<C>())
    }
}
