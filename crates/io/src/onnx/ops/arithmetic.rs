//! Number by number: Add, Sub, Mul, Div, Relu, Sigmoid, Tanh; Softmax.

use crate::onnx::attributes::Attributes;
use crate::onnx::operator::{Args, Made, Operator, Real, axis, on_floats, one};
use crate::strided::{Strided, broadcast, broadcast_strides};
use crate::{Numbers, Tensor};

#[derive(Clone, Copy, Debug)]
enum Pair {
    Add,
    Sub,
    Mul,
    Div,
}

pub(crate) fn add(_: &mut Attributes<'_>) -> Made {
    Ok(Box::new(Pair::Add))
}
pub(crate) fn sub(_: &mut Attributes<'_>) -> Made {
    Ok(Box::new(Pair::Sub))
}
pub(crate) fn mul(_: &mut Attributes<'_>) -> Made {
    Ok(Box::new(Pair::Mul))
}
pub(crate) fn div(_: &mut Attributes<'_>) -> Made {
    Ok(Box::new(Pair::Div))
}

impl Operator for Pair {
    fn run(&self, args: &Args<'_>) -> Result<Vec<Tensor>, String> {
        let (a, b) = (args.need(0, "A")?, args.need(1, "B")?);
        let shape = broadcast(&a.shape, &b.shape)?;
        args.room_for(&shape, a.numbers.size())?;
        let places = Places {
            a: broadcast_strides(&a.shape, &shape),
            b: broadcast_strides(&b.shape, &shape),
            same: a.shape == b.shape,
            shape: &shape,
        };
        let numbers: Numbers = match (&a.numbers, &b.numbers) {
            (Numbers::F32(a), Numbers::F32(b)) => places.each(a, b, |x, y| self.real(x, y)).into(),
            (Numbers::F64(a), Numbers::F64(b)) => places.each(a, b, |x, y| self.real(x, y)).into(),
            (Numbers::I64(a), Numbers::I64(b)) => places
                .each(a, b, |x, y| self.int(x, y))
                .into_iter()
                .collect::<Result<Vec<_>, _>>()?
                .into(),
            (Numbers::I32(a), Numbers::I32(b)) => {
                let wide = places.each(a, b, |x, y| self.int(x.into(), y.into()).map(|z| z as i32));
                wide.into_iter().collect::<Result<Vec<_>, _>>()?.into()
            }
            (a, b) => return Err(format!("it is given {} and {}", a.kind(), b.kind())),
        };
        one(shape, numbers)
    }
}

impl Pair {
    fn real<R: Real>(self, x: R, y: R) -> R {
        match self {
            Pair::Add => x + y,
            Pair::Sub => x - y,
            Pair::Mul => x * y,
            Pair::Div => x / y,
        }
    }
    fn int(self, x: i64, y: i64) -> Result<i64, String> {
        match self {
            Pair::Add => Ok(x.wrapping_add(y)),
            Pair::Sub => Ok(x.wrapping_sub(y)),
            Pair::Mul => Ok(x.wrapping_mul(y)),
            Pair::Div => x
                .checked_div(y)
                .ok_or_else(|| format!("{x} / {y} is no integer")),
        }
    }
}

struct Places<'a> {
    a: Vec<isize>,
    b: Vec<isize>,
    same: bool,
    shape: &'a [usize],
}

impl Places<'_> {
    fn each<T: Copy, U>(&self, a: &[T], b: &[T], f: impl Fn(T, T) -> U) -> Vec<U> {
        if self.same {
            return a.iter().zip(b).map(|(&x, &y)| f(x, y)).collect();
        }
        let places = Strided::new(self.shape, &self.a, 0).zip(Strided::new(self.shape, &self.b, 0));
        places.map(|(i, j)| f(a[i], b[j])).collect()
    }
}

#[derive(Clone, Copy, Debug)]
enum Single {
    Relu,
    Sigmoid,
    Tanh,
}

pub(crate) fn relu(_: &mut Attributes<'_>) -> Made {
    Ok(Box::new(Single::Relu))
}
pub(crate) fn sigmoid(_: &mut Attributes<'_>) -> Made {
    Ok(Box::new(Single::Sigmoid))
}
pub(crate) fn tanh(_: &mut Attributes<'_>) -> Made {
    Ok(Box::new(Single::Tanh))
}

impl Operator for Single {
    fn run(&self, args: &Args<'_>) -> Result<Vec<Tensor>, String> {
        fn all<R: Real>(f: Single, x: &[R]) -> Vec<R> {
            let one = |x: R| match f {
                // Written so that NaN passes.
                Single::Relu if x < R::ZERO => R::ZERO,
                Single::Relu => x,
                Single::Sigmoid => x.sigmoid(),
                Single::Tanh => x.tanh(),
            };
            x.iter().map(|&x| one(x)).collect()
        }
        let x = args.need(0, "X")?;
        args.room_for(&x.shape, x.numbers.size())?;
        on_floats!(x, "X", numbers => one(x.shape.clone(), all(*self, numbers)))
    }
}

/// e^x / Σ e^x along an axis; before version 13, along all axes from one on.
#[derive(Debug)]
struct Softmax {
    axis: i64,
    to_the_end: bool,
}

pub(crate) fn softmax(attributes: &mut Attributes<'_>) -> Made {
    let to_the_end = attributes.opset < 13;
    let default = if to_the_end { 1 } else { -1 };
    let axis = attributes.int("axis")?.unwrap_or(default);
    Ok(Box::new(Softmax { axis, to_the_end }))
}

impl Operator for Softmax {
    fn run(&self, args: &Args<'_>) -> Result<Vec<Tensor>, String> {
        let x = args.need(0, "input")?;
        args.room_for(&x.shape, x.numbers.size())?;
        let rank = x.shape.len();
        let at = match (self.to_the_end, rank) {
            // All axes before it are kept; there may be none left.
            (true, _) if self.axis == rank as i64 => rank,
            _ => axis(self.axis, rank)?,
        };
        let (length, stride) = match self.to_the_end {
            true => (x.shape[at..].iter().product(), 1),
            false => (x.shape[at], x.shape[at + 1..].iter().product()),
        };
        on_floats!(x, "input", numbers => one(x.shape.clone(), along(numbers, length, stride)))
    }
}

/// Groups of `length` numbers that stand `stride` apart.
fn along<R: Real>(x: &[R], length: usize, stride: usize) -> Vec<R> {
    let mut y = x.to_vec();
    if y.is_empty() {
        return y;
    }
    for block in y.chunks_exact_mut(length * stride) {
        for first in 0..stride {
            let mut largest = block[first];
            for i in 1..length {
                let x = block[first + i * stride];
                largest = if x > largest { x } else { largest };
            }
            let mut sum = R::ZERO;
            for i in 0..length {
                let x = &mut block[first + i * stride];
                *x = (*x - largest).exp();
                sum += *x;
            }
            for i in 0..length {
                let x = &mut block[first + i * stride];
                *x = *x / sum;
            }
        }
    }
    y
}
