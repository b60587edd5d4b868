//! Numbers out of nothing or out of shapes: Cast, Constant, ConstantOfShape, OneHot, Shape.

use super::movement::sizes;
use crate::onnx::attributes::Attributes;
use crate::onnx::fields::tensor as kind;
use crate::onnx::operator::{Args, Made, Operator, axis, one};
use crate::onnx::tensor::{MOST_DIMENSIONS, type_name};
use crate::{Numbers, Tensor};

#[derive(Debug)]
struct Constant(Tensor);

pub(crate) fn constant(attributes: &mut Attributes<'_>) -> Made {
    let list = |n: usize| vec![n];
    let (shape, numbers) = if let Some(tensor) = attributes.tensor("value")? {
        (tensor.shape, tensor.numbers)
    } else if let Some(x) = attributes.float("value_float")? {
        (Vec::new(), vec![x].into())
    } else if let Some(x) = attributes.floats("value_floats")? {
        (list(x.len()), x.into())
    } else if let Some(x) = attributes.int("value_int")? {
        (Vec::new(), vec![x].into())
    } else if let Some(x) = attributes.ints("value_ints")? {
        (list(x.len()), x.into())
    } else if attributes.has("value_string") || attributes.has("value_strings") {
        return Err("texts are not supported".into());
    } else if attributes.has("sparse_value") {
        return Err("its attribute sparse_value is not supported".into());
    } else {
        return Err("it has no value".into());
    };
    Ok(Box::new(Constant(Tensor { shape, numbers })))
}

impl Operator for Constant {
    fn run(&self, args: &Args<'_>) -> Result<Vec<Tensor>, String> {
        args.room_for(&self.0.shape, self.0.numbers.size())?;
        Ok(vec![self.0.clone()])
    }
}

/// One number, as often as a shape needs it.
#[derive(Debug)]
struct ConstantOfShape(Numbers);

pub(crate) fn constant_of_shape(attributes: &mut Attributes<'_>) -> Made {
    let value = attributes.tensor("value")?;
    let value = value.map_or(Numbers::F32(vec![0.0]), |t| t.numbers);
    match value.len() {
        1 => Ok(Box::new(ConstantOfShape(value))),
        n => Err(format!("its value has {n} numbers, and must have one")),
    }
}

impl Operator for ConstantOfShape {
    fn run(&self, args: &Args<'_>) -> Result<Vec<Tensor>, String> {
        let shape = args.ints(0, "input")?.ok_or("its input is missing")?;
        let shape = sizes(&shape)?;
        let count = args.room_for(&shape, self.0.size())?;
        one(shape, self.0.pick(std::iter::repeat_n(0, count)))
    }
}

#[derive(Debug)]
struct Shape {
    start: i64,
    end: Option<i64>,
}

pub(crate) fn shape(attributes: &mut Attributes<'_>) -> Made {
    Ok(Box::new(Shape {
        start: attributes.int("start")?.unwrap_or(0),
        end: attributes.int("end")?,
    }))
}

impl Operator for Shape {
    fn run(&self, args: &Args<'_>) -> Result<Vec<Tensor>, String> {
        let x = args.need(0, "data")?;
        let rank = x.shape.len() as i64;
        let place =
            |i: i64| (if i < 0 { i.saturating_add(rank) } else { i }).clamp(0, rank) as usize;
        let (start, end) = (place(self.start), place(self.end.unwrap_or(rank)));
        let part = &x.shape[start.min(end)..end];
        let numbers: Vec<i64> = part.iter().map(|&n| n as i64).collect();
        one(vec![numbers.len()], numbers)
    }
}

/// The same numbers in another type.
#[derive(Debug)]
struct Cast(i64);

pub(crate) fn cast(attributes: &mut Attributes<'_>) -> Made {
    let to = attributes.int("to")?.ok_or("it has no attribute to")?;
    // These matter for 8-bit floats and for rounding to them, which are not there.
    for name in ["saturate", "round_mode"] {
        if attributes.has(name) && attributes.int(name).is_err() {
            attributes.text(name)?;
        }
    }
    match to {
        kind::FLOAT | kind::DOUBLE | kind::INT32 | kind::INT64 | kind::BOOL => {
            Ok(Box::new(Cast(to)))
        }
        other => Err(format!("to {} is not supported", type_name(other))),
    }
}

impl Operator for Cast {
    fn run(&self, args: &Args<'_>) -> Result<Vec<Tensor>, String> {
        macro_rules! to {
            ($x:expr) => {
                match self.0 {
                    kind::FLOAT => $x.map(|x| x as f32).collect::<Vec<_>>().into(),
                    kind::DOUBLE => $x.map(|x| x as f64).collect::<Vec<_>>().into(),
                    kind::INT32 => $x.map(|x| x as i32).collect::<Vec<_>>().into(),
                    kind::BOOL => $x.map(|x| x as f64 != 0.0).collect::<Vec<_>>().into(),
                    _ => $x.map(|x| x as i64).collect::<Vec<_>>().into(),
                }
            };
        }
        let x = args.need(0, "input")?;
        args.room_for(&x.shape, 8)?;
        let numbers: Numbers = match &x.numbers {
            Numbers::F32(x) => to!(x.iter().copied()),
            Numbers::F64(x) => to!(x.iter().copied()),
            Numbers::F16(x) => to!(x.iter().map(|x| x.to_f32())),
            Numbers::Bf16(x) => to!(x.iter().map(|x| x.to_f32())),
            Numbers::I32(x) => to!(x.iter().copied()),
            Numbers::I64(x) => to!(x.iter().copied()),
            Numbers::U64(x) => to!(x.iter().copied()),
            Numbers::I8(x) => to!(x.iter().copied()),
            Numbers::U8(x) => to!(x.iter().copied()),
            Numbers::Bool(x) => to!(x.iter().map(|&x| u8::from(x))),
        };
        one(x.shape.clone(), numbers)
    }
}

/// A vector for each index: one value at its place, another elsewhere.
#[derive(Debug)]
struct OneHot {
    axis: i64,
}

pub(crate) fn one_hot(attributes: &mut Attributes<'_>) -> Made {
    let axis = attributes.int("axis")?.unwrap_or(-1);
    Ok(Box::new(OneHot { axis }))
}

impl Operator for OneHot {
    fn run(&self, args: &Args<'_>) -> Result<Vec<Tensor>, String> {
        let (which, values) = (args.need(0, "indices")?, args.need(2, "values")?);
        let depth = whole(args.need(1, "depth")?);
        let depth = match depth.as_slice() {
            &[n] if n > 0 => usize::try_from(n).map_err(|_| "its depth is too large")?,
            other => {
                return Err(format!(
                    "its depth is {other:?}, and must be one positive number"
                ));
            }
        };
        if values.numbers.len() != 2 {
            return Err("its values must be two: off and on".into());
        }
        let rank = which.shape.len() + 1;
        if rank > MOST_DIMENSIONS {
            return Err(format!("it makes {rank} axes"));
        }
        let at = axis(self.axis, rank)?;
        let mut shape = which.shape.clone();
        shape.insert(at, depth);
        args.room_for(&shape, values.numbers.size())?;
        let indices = whole(which);
        let inner: usize = which.shape[at..].iter().product();
        let outer: usize = which.shape[..at].iter().product();
        let n = depth as i64;
        let places = (0..outer).flat_map(|o| {
            let indices = &indices;
            (0..n).flat_map(move |d| {
                let row = &indices[o * inner..][..inner];
                row.iter()
                    .map(move |&i| usize::from(i == d || i.wrapping_add(n) == d))
            })
        });
        one(shape, values.numbers.pick(places))
    }
}

/// Any numbers as 64-bit integers, fractions cut off.
fn whole(tensor: &Tensor) -> Vec<i64> {
    match &tensor.numbers {
        Numbers::I64(x) => x.clone(),
        Numbers::U64(x) => x.iter().map(|&x| x as i64).collect(),
        other => (0..other.len()).map(|at| other.number(at) as i64).collect(),
    }
}
