//! MatMul and Gemm.

use crate::Tensor;
use crate::onnx::attributes::Attributes;
use crate::onnx::operator::{Args, Made, Operator, Real, one};
use crate::strided::{Strided, broadcast, broadcast_strides};

/// The numbers of both, or which types they are.
macro_rules! both_floats {
    ($a:expr, $b:expr, $x:ident, $y:ident => $e:expr) => {
        match (&$a.numbers, &$b.numbers) {
            (crate::Numbers::F32($x), crate::Numbers::F32($y)) => $e,
            (crate::Numbers::F64($x), crate::Numbers::F64($y)) => $e,
            (x, y) => Err(format!(
                "it is given {} and {}, and floats of one kind are needed",
                x.kind(),
                y.kind()
            )),
        }
    };
}

#[derive(Debug)]
struct MatMul;

pub(crate) fn matmul(_: &mut Attributes<'_>) -> Made {
    Ok(Box::new(MatMul))
}

impl Operator for MatMul {
    fn run(&self, args: &Args<'_>) -> Result<Vec<Tensor>, String> {
        let (a, b) = (args.need(0, "A")?, args.need(1, "B")?);
        // A list is a row on the left and a column on the right, and that axis goes away again.
        let (mut left, mut right) = (a.shape.clone(), b.shape.clone());
        let (row, column) = (left.len() == 1, right.len() == 1);
        if row {
            left.insert(0, 1);
        }
        if column {
            right.push(1);
        }
        let misfit = || {
            format!(
                "the shapes {:?} and {:?} do not fit together",
                a.shape, b.shape
            )
        };
        let ([outer_a @ .., m, k], [outer_b @ .., k_b, n]) = (left.as_slice(), right.as_slice())
        else {
            return Err(misfit());
        };
        if k != k_b {
            return Err(misfit());
        }
        let outer = broadcast(outer_a, outer_b).map_err(|_| misfit())?;
        let mut shape = outer.clone();
        shape.extend((!row).then_some(*m));
        shape.extend((!column).then_some(*n));
        args.room_for(&shape, a.numbers.size())?;
        let (from_a, from_b) = (
            broadcast_strides(outer_a, &outer),
            broadcast_strides(outer_b, &outer),
        );
        let places = || Strided::new(&outer, &from_a, 0).zip(Strided::new(&outer, &from_b, 0));
        both_floats!(a, b, x, y => {
            let mut all = Vec::with_capacity(shape.iter().product());
            for (i, j) in places() {
                let x = &x[i * m * k..][..m * k];
                let y = &y[j * k * n..][..k * n];
                multiply(x, y, [*m, *k, *n], &mut all);
            }
            one(shape, all)
        })
    }
}

/// Appends x y, x `[m, k]`, y `[k, n]`.
fn multiply<R: Real>(x: &[R], y: &[R], [m, k, n]: [usize; 3], to: &mut Vec<R>) {
    for r in 0..m {
        let start = to.len();
        to.resize(start + n, R::ZERO);
        let row = &mut to[start..];
        for (i, &a) in x[r * k..][..k].iter().enumerate() {
            for (z, &b) in row.iter_mut().zip(&y[i * n..][..n]) {
                *z += a * b;
            }
        }
    }
}

/// α A' B' + β C
#[derive(Debug)]
struct Gemm {
    alpha: f32,
    beta: f32,
    flip_a: bool,
    flip_b: bool,
}

pub(crate) fn gemm(attributes: &mut Attributes<'_>) -> Made {
    Ok(Box::new(Gemm {
        alpha: attributes.float("alpha")?.unwrap_or(1.0),
        beta: attributes.float("beta")?.unwrap_or(1.0),
        flip_a: attributes.flag("transA")?,
        flip_b: attributes.flag("transB")?,
    }))
}

impl Operator for Gemm {
    fn run(&self, args: &Args<'_>) -> Result<Vec<Tensor>, String> {
        let (a, b, c) = (args.need(0, "A")?, args.need(1, "B")?, args.get(2));
        let misfit = || {
            format!(
                "the shapes {:?} and {:?} do not fit together",
                a.shape, b.shape
            )
        };
        let size = |tensor: &Tensor, flip: bool| match (tensor.shape.as_slice(), flip) {
            (&[rows, cols], false) => Ok([rows, cols]),
            (&[cols, rows], true) => Ok([rows, cols]),
            _ => Err(misfit()),
        };
        let ([m, k], [k_b, n]) = (size(a, self.flip_a)?, size(b, self.flip_b)?);
        if k != k_b {
            return Err(misfit());
        }
        args.room_for(&[m, n], a.numbers.size())?;
        let shape = vec![m, n];
        let added = match c {
            Some(c) if broadcast(&c.shape, &shape).ok().as_ref() == Some(&shape) => {
                Some((c, broadcast_strides(&c.shape, &shape)))
            }
            Some(c) => return Err(format!("C is {:?}, and {shape:?} is needed", c.shape)),
            None => None,
        };
        both_floats!(a, b, x, y => {
            let (x, y) = (flipped(x, [m, k], self.flip_a), flipped(y, [k, n], self.flip_b));
            let mut all = Vec::with_capacity(m * n);
            multiply(&x, &y, [m, k, n], &mut all);
            let alpha: f64 = self.alpha.into();
            scale(&mut all, alpha);
            if let Some((c, strides)) = added {
                add(&mut all, c, Strided::new(&shape, &strides, 0), self.beta.into())?;
            }
            one(shape, all)
        })
    }
}

fn add<R: Real>(to: &mut [R], c: &Tensor, places: Strided<'_>, beta: f64) -> Result<(), String> {
    let c = R::of_tensor(c).ok_or_else(|| format!("C is of {}, unlike A", c.numbers.kind()))?;
    for (z, at) in to.iter_mut().zip(places) {
        *z += R::of(beta) * c[at];
    }
    Ok(())
}

/// A matrix `[rows, cols]`, given as it is or transposed.
pub(super) fn flipped<R: Real>(x: &[R], [rows, cols]: [usize; 2], flip: bool) -> Vec<R> {
    match flip {
        false => x.to_vec(),
        true => (0..rows)
            .flat_map(|r| (0..cols).map(move |c| x[c * rows + r]))
            .collect(),
    }
}

fn scale<R: Real>(to: &mut [R], alpha: f64) {
    to.iter_mut().for_each(|z| *z *= R::of(alpha));
}
