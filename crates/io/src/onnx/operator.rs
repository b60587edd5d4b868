//! What an operator is, what it is given, and what all operators share.

use super::attributes::Attributes;
use crate::{Numbers, Tensor};
use elman_core::Element;
use std::fmt::Debug;

/// An operator with its attributes.
pub(crate) trait Operator: Debug + Send + Sync {
    /// Its outputs, in order; those that are not wanted may be empty.
    fn run(&self, args: &Args<'_>) -> Result<Vec<Tensor>, String>;
}

/// What makes an operator from its attributes.
pub(crate) type Make = fn(&mut Attributes<'_>) -> Made;
pub(crate) type Made = Result<Box<dyn Operator>, String>;

/// What a node is given.
pub(crate) struct Args<'a> {
    /// Inputs; `None` for those left out.
    pub tensors: Vec<Option<&'a Tensor>>,
    /// For each input, whether it is the same in every run of the graph.
    pub fixed: Vec<bool>,
    /// Bytes that the outputs may take.
    pub room: usize,
}

impl<'a> Args<'a> {
    /// Input `at`, where it is given.
    pub fn get(&self, at: usize) -> Option<&'a Tensor> {
        self.tensors.get(at).copied().flatten()
    }
    /// Input `at`, called `name` in the specification.
    pub fn need(&self, at: usize, name: &str) -> Result<&'a Tensor, String> {
        self.get(at)
            .ok_or_else(|| format!("its input {at} ({name}) is missing"))
    }
    /// Whether these inputs, where they are given, are the same in every run.
    pub fn are_fixed(&self, mut inputs: std::ops::Range<usize>) -> bool {
        inputs.all(|at| self.get(at).is_none() || self.fixed.get(at) == Some(&true))
    }
    /// Input `at` as integers.
    pub fn ints(&self, at: usize, name: &str) -> Result<Option<Vec<i64>>, String> {
        let Some(tensor) = self.get(at) else {
            return Ok(None);
        };
        if tensor.shape.len() > 1 {
            return Err(format!(
                "its input {name} is {:?}, not a list",
                tensor.shape
            ));
        }
        ints(tensor, name).map(Some)
    }
    /// How many numbers of `size` bytes a shape has; an error where there is no room for them.
    pub fn room_for(&self, shape: &[usize], size: usize) -> Result<usize, String> {
        // A zero counts as one: the other sizes are looped over.
        let numbers = shape
            .iter()
            .try_fold(1_usize, |a, &b| a.checked_mul(b.max(1)));
        match numbers.and_then(|n| n.checked_mul(size)) {
            Some(bytes) if bytes <= self.room => Ok(shape.iter().product()),
            _ => Err(format!(
                "its output {shape:?} takes more than the {} bytes that are left; raise the limit or give less at once",
                self.room
            )),
        }
    }
}

/// Integers of 32 or 64 bits.
pub(crate) fn ints(tensor: &Tensor, name: &str) -> Result<Vec<i64>, String> {
    match &tensor.numbers {
        Numbers::I64(x) => Ok(x.clone()),
        Numbers::I32(x) => Ok(x.iter().map(|&x| i64::from(x)).collect()),
        other => Err(format!(
            "its input {name} is of {}, and integers are needed",
            other.kind()
        )),
    }
}

/// One tensor, as an operator's outputs.
pub(crate) fn one(shape: Vec<usize>, numbers: impl Into<Numbers>) -> Result<Vec<Tensor>, String> {
    let numbers = numbers.into();
    Ok(vec![Tensor { shape, numbers }])
}

/// The axis that `axis` means, which may count from the end, of `rank` axes.
pub(crate) fn axis(axis: i64, rank: usize) -> Result<usize, String> {
    let counted = match axis < 0 {
        true => axis.checked_add(rank as i64),
        false => Some(axis),
    };
    let inside = counted.and_then(|a| usize::try_from(a).ok());
    inside
        .filter(|&a| a < rank)
        .ok_or_else(|| format!("there is no axis {axis} among {rank}"))
}

/// What the operators need of `f32` and `f64` beyond the engine's element.
pub(crate) trait Real: Element {
    fn exp(self) -> Self;
    fn ln_1p(self) -> Self;
    fn exp_m1(self) -> Self;
    fn tanh(self) -> Self;
    fn abs(self) -> Self;
    /// 1 / (1 + e⁻ˣ), without overflow.
    fn sigmoid(self) -> Self {
        // e^{-|x|} never overflows.
        let e = (-self.abs()).exp();
        match self < Self::ZERO {
            true => e / (Self::ONE + e),
            false => Self::ONE / (Self::ONE + e),
        }
    }
    /// Between two bounds; NaN passes.
    fn between(self, low: Self, high: Self) -> Self {
        match (self < low, self > high) {
            (true, _) => low,
            (_, true) => high,
            _ => self,
        }
    }
    /// The numbers of a tensor, where they are of this type.
    fn of_tensor(tensor: &Tensor) -> Option<&[Self]>;
}

macro_rules! real {
    ($($t:ident $kind:ident;)*) => {$(
        impl Real for $t {
            fn exp(self) -> $t { $t::exp(self) }
            fn ln_1p(self) -> $t { $t::ln_1p(self) }
            fn exp_m1(self) -> $t { $t::exp_m1(self) }
            fn tanh(self) -> $t { $t::tanh(self) }
            fn abs(self) -> $t { $t::abs(self) }
            fn of_tensor(tensor: &Tensor) -> Option<&[$t]> {
                match &tensor.numbers {
                    Numbers::$kind(x) => Some(x),
                    _ => None,
                }
            }
        }
    )*};
}

real! { f32 F32; f64 F64; }

/// Evaluates an expression with `$x` standing for the floats of a tensor, of either width.
macro_rules! on_floats {
    ($tensor:expr, $name:expr, $x:ident => $e:expr) => {
        match &$tensor.numbers {
            $crate::Numbers::F32($x) => $e,
            $crate::Numbers::F64($x) => $e,
            other => Err(format!(
                "its input {} is of {}, and floats are needed",
                $name,
                other.kind()
            )),
        }
    };
}
pub(crate) use on_floats;
