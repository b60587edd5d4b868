//! Numbers in other places: Concat, Expand, Gather, Identity, Reshape, Slice, Squeeze, Transpose, Unsqueeze.

use crate::Tensor;
use crate::onnx::attributes::Attributes;
use crate::onnx::operator::{Args, Made, Operator, axis, ints, one};
use crate::onnx::tensor::MOST_DIMENSIONS;
use crate::strided::{Strided, broadcast, broadcast_strides, strides};

type Tensors = Result<Vec<Tensor>, String>;

/// An operator that is a function of its inputs and of what was read from its attributes.
macro_rules! operator {
    ($name:ident { $($field:ident: $type:ty),* }, $self:ident, $args:ident => $body:expr) => {
        #[derive(Debug)]
        struct $name { $($field: $type),* }
        impl Operator for $name {
            fn run(&$self, $args: &Args<'_>) -> Tensors { $body }
        }
    };
}

/// The same numbers under another shape.
fn reshaped(args: &Args<'_>, x: &Tensor, shape: Vec<usize>) -> Tensors {
    args.room_for(&shape, x.numbers.size())?;
    one(shape, x.numbers.clone())
}

pub(crate) fn identity(_: &mut Attributes<'_>) -> Made {
    Ok(Box::new(Identity {}))
}
operator!(Identity {}, self, args => {
    let x = args.need(0, "input")?;
    reshaped(args, x, x.shape.clone())
});

pub(crate) fn transpose(attributes: &mut Attributes<'_>) -> Made {
    let perm = attributes.ints("perm")?;
    Ok(Box::new(Transpose { perm }))
}
operator!(Transpose { perm: Option<Vec<i64>> }, self, args => {
    let x = args.need(0, "data")?;
    let rank = x.shape.len();
    let perm = match &self.perm {
        None => (0..rank).rev().collect(),
        Some(perm) => {
            let perm = perm.iter().map(|&a| axis(a, rank)).collect::<Result<Vec<_>, _>>()?;
            let mut sorted = perm.clone();
            sorted.sort();
            if !sorted.into_iter().eq(0..rank) {
                return Err(format!("perm is {perm:?}, and the input has {rank} axes"));
            }
            perm
        }
    };
    let own = strides(&x.shape);
    let shape: Vec<usize> = perm.iter().map(|&a| x.shape[a]).collect();
    let from: Vec<isize> = perm.iter().map(|&a| own[a]).collect();
    args.room_for(&shape, x.numbers.size())?;
    let numbers = x.numbers.pick(Strided::new(&shape, &from, 0));
    one(shape, numbers)
});

pub(crate) fn reshape(attributes: &mut Attributes<'_>) -> Made {
    let zero_is_zero = attributes.flag("allowzero")?;
    Ok(Box::new(Reshape { zero_is_zero }))
}
operator!(Reshape { zero_is_zero: bool }, self, args => {
    let x = args.need(0, "data")?;
    let asked = args.ints(1, "shape")?.ok_or("its input shape is missing")?;
    if asked.len() > MOST_DIMENSIONS {
        return Err(format!("the shape asked for has {} axes", asked.len()));
    }
    let misfit = || format!("{:?} cannot take the shape {asked:?}", x.shape);
    let mut shape = Vec::with_capacity(asked.len());
    let mut rest = None;
    for (at, &n) in asked.iter().enumerate() {
        shape.push(match n {
            0 if !self.zero_is_zero => *x.shape.get(at).ok_or_else(misfit)?,
            -1 if rest.is_none() => {
                rest = Some(at);
                1
            }
            n => usize::try_from(n).map_err(|_| misfit())?,
        });
    }
    let count = shape.iter().try_fold(1_usize, |a, &b| a.checked_mul(b)).ok_or_else(misfit)?;
    if let Some(at) = rest {
        if count == 0 || x.numbers.len() % count != 0 {
            return Err(misfit());
        }
        shape[at] = x.numbers.len() / count;
    } else if count != x.numbers.len() {
        return Err(misfit());
    }
    reshaped(args, x, shape)
});

/// Axes are an attribute before version 13, then an input.
fn axes(attributes: &mut Attributes<'_>) -> Result<Option<Vec<i64>>, String> {
    match attributes.opset < 13 {
        true => attributes.ints("axes"),
        false => Ok(None),
    }
}

pub(crate) fn squeeze(attributes: &mut Attributes<'_>) -> Made {
    let axes = axes(attributes)?;
    Ok(Box::new(Squeeze { axes }))
}
operator!(Squeeze { axes: Option<Vec<i64>> }, self, args => {
    let x = args.need(0, "data")?;
    let rank = x.shape.len();
    let gone: Vec<usize> = match self.axes.clone().or(args.ints(1, "axes")?) {
        Some(axes) => axes.iter().map(|&a| axis(a, rank)).collect::<Result<_, _>>()?,
        None => (0..rank).filter(|&a| x.shape[a] == 1).collect(),
    };
    if let Some(a) = gone.iter().find(|&&a| x.shape[a] != 1) {
        return Err(format!("axis {a} of {:?} is not 1 and cannot be left out", x.shape));
    }
    let shape = (0..rank).filter(|a| !gone.contains(a)).map(|a| x.shape[a]);
    reshaped(args, x, shape.collect())
});

pub(crate) fn unsqueeze(attributes: &mut Attributes<'_>) -> Made {
    let axes = axes(attributes)?;
    Ok(Box::new(Unsqueeze { axes }))
}
operator!(Unsqueeze { axes: Option<Vec<i64>> }, self, args => {
    let x = args.need(0, "data")?;
    let axes = self.axes.clone().or(args.ints(1, "axes")?);
    let axes = axes.ok_or("it does not say which axes")?;
    let rank = x.shape.len() + axes.len();
    if rank > MOST_DIMENSIONS {
        return Err(format!("{rank} axes are asked for"));
    }
    let mut new = axes.iter().map(|&a| axis(a, rank)).collect::<Result<Vec<_>, _>>()?;
    new.sort();
    if new.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(format!("the axes {axes:?} name one twice"));
    }
    let mut old = x.shape.iter();
    let shape = (0..rank).map(|a| match new.contains(&a) {
        true => 1,
        false => old.next().copied().unwrap_or(1),
    });
    reshaped(args, x, shape.collect())
});

pub(crate) fn expand(_: &mut Attributes<'_>) -> Made {
    Ok(Box::new(Expand {}))
}
operator!(Expand {}, self, args => {
    let x = args.need(0, "input")?;
    let asked = args.ints(1, "shape")?.ok_or("its input shape is missing")?;
    let asked = sizes(&asked)?;
    let shape = broadcast(&x.shape, &asked)?;
    args.room_for(&shape, x.numbers.size())?;
    let from = broadcast_strides(&x.shape, &shape);
    let numbers = x.numbers.pick(Strided::new(&shape, &from, 0));
    one(shape, numbers)
});

/// A shape given as integers.
pub(super) fn sizes(asked: &[i64]) -> Result<Vec<usize>, String> {
    let sizes: Result<Vec<usize>, _> = asked.iter().map(|&n| usize::try_from(n)).collect();
    match sizes {
        Ok(sizes) if sizes.len() <= MOST_DIMENSIONS => Ok(sizes),
        _ => Err(format!("{asked:?} is no shape")),
    }
}

pub(crate) fn concat(attributes: &mut Attributes<'_>) -> Made {
    let axis = attributes.int("axis")?.ok_or("it has no attribute axis")?;
    Ok(Box::new(Concat { axis }))
}
operator!(Concat { axis: i64 }, self, args => {
    let first = args.need(0, "inputs")?;
    let at = axis(self.axis, first.shape.len())?;
    let mut shape = first.shape.clone();
    let mut parts = Vec::with_capacity(args.tensors.len());
    shape[at] = 0;
    for i in 0..args.tensors.len() {
        let x = args.need(i, "inputs")?;
        let fits = x.shape.len() == shape.len() && (0..shape.len()).all(|a| a == at || x.shape[a] == shape[a]);
        if !fits || x.numbers.kind() != first.numbers.kind() {
            return Err(format!(
                "input {i}, {:?} of {}, cannot be joined to {:?} of {}",
                x.shape, x.numbers.kind(), first.shape, first.numbers.kind()
            ));
        }
        shape[at] = shape[at].checked_add(x.shape[at]).ok_or("it is too large")?;
        parts.push((x, x.shape[at..].iter().product::<usize>()));
    }
    args.room_for(&shape, first.numbers.size())?;
    let outer: usize = shape[..at].iter().product();
    let mut all = first.numbers.pick(std::iter::empty());
    for o in 0..outer {
        for (x, length) in &parts {
            all.append(&x.numbers, o * length..(o + 1) * length);
        }
    }
    one(shape, all)
});

pub(crate) fn gather(attributes: &mut Attributes<'_>) -> Made {
    let axis = attributes.int("axis")?.unwrap_or(0);
    Ok(Box::new(Gather { axis }))
}
operator!(Gather { axis: i64 }, self, args => {
    let (x, which) = (args.need(0, "data")?, args.need(1, "indices")?);
    let at = axis(self.axis, x.shape.len())?;
    let known = x.shape[at];
    let indices = ints(which, "indices")?.into_iter().map(|i| axis(i, known).map_err(|_| {
        format!("index {i} is asked for, and axis {at} has {known}")
    }));
    let indices = indices.collect::<Result<Vec<_>, _>>()?;
    let shape = [&x.shape[..at], &which.shape, &x.shape[at + 1..]].concat();
    if shape.len() > MOST_DIMENSIONS {
        return Err(format!("it makes {} axes", shape.len()));
    }
    args.room_for(&shape, x.numbers.size())?;
    let inner: usize = x.shape[at + 1..].iter().product();
    let outer: usize = x.shape[..at].iter().product();
    let places = (0..outer).flat_map(|o| {
        indices.iter().flat_map(move |i| {
            let start = (o * known + i) * inner;
            start..start + inner
        })
    });
    one(shape, x.numbers.pick(places))
});

/// Starts and ends are attributes before version 10, then inputs.
pub(crate) fn slice(attributes: &mut Attributes<'_>) -> Made {
    let given = match attributes.opset < 10 {
        true => Some(Cut {
            starts: attributes.ints("starts")?.ok_or("it has no starts")?,
            ends: attributes.ints("ends")?.ok_or("it has no ends")?,
            axes: attributes.ints("axes")?,
            steps: None,
        }),
        false => None,
    };
    Ok(Box::new(Slice { given }))
}

#[derive(Clone, Debug)]
struct Cut {
    starts: Vec<i64>,
    ends: Vec<i64>,
    axes: Option<Vec<i64>>,
    steps: Option<Vec<i64>>,
}

operator!(Slice { given: Option<Cut> }, self, args => {
    let x = args.need(0, "data")?;
    let cut = match &self.given {
        Some(cut) => cut.clone(),
        None => Cut {
            starts: args.ints(1, "starts")?.ok_or("its input starts is missing")?,
            ends: args.ints(2, "ends")?.ok_or("its input ends is missing")?,
            axes: args.ints(3, "axes")?,
            steps: args.ints(4, "steps")?,
        },
    };
    cut.apply(args, x)
});

impl Cut {
    fn apply(&self, args: &Args<'_>, x: &Tensor) -> Tensors {
        let n = self.starts.len();
        let axes = self.axes.clone().unwrap_or((0..n as i64).collect());
        let steps = self.steps.clone().unwrap_or(vec![1; n]);
        if [self.ends.len(), axes.len(), steps.len()] != [n; 3] {
            return Err("starts, ends, axes and steps are not equally many".into());
        }
        let (mut shape, mut from, mut offset) = (x.shape.clone(), strides(&x.shape), 0);
        let mut seen = Vec::new();
        for i in 0..n {
            let at = axis(axes[i], x.shape.len())?;
            if seen.contains(&at) {
                return Err(format!("axis {at} is cut twice"));
            }
            seen.push(at);
            let (first, count) = range(x.shape[at], self.starts[i], self.ends[i], steps[i])?;
            offset += first as isize * from[at];
            shape[at] = count;
            // A step that is never made may be as long as it likes.
            from[at] *= if count > 1 { steps[i] as isize } else { 1 };
        }
        args.room_for(&shape, x.numbers.size())?;
        one(
            shape.clone(),
            x.numbers.pick(Strided::new(&shape, &from, offset)),
        )
    }
}

/// The first index, and how many, of `start..end` by `step` among `size`. As Python's slices have it, but for a negative
/// step: a start before the first number is the first one, where Python has nothing to start from.
fn range(size: usize, start: i64, end: i64, step: i64) -> Result<(usize, usize), String> {
    let n = size as i64;
    // From the end, where negative; then no further than to the ends.
    let place = |i: i64, low: i64, high: i64| {
        let i = if i < 0 { i.saturating_add(n) } else { i };
        i.clamp(low, high)
    };
    let (start, length) = match step {
        0 => return Err("a step of 0 makes no slice".into()),
        1.. => {
            let (start, end) = (place(start, 0, n), place(end, 0, n));
            (start, end - start)
        }
        _ => {
            let (start, end) = (place(start, 0, (n - 1).max(0)), place(end, -1, n - 1));
            (start, (start - end).min(n))
        }
    };
    if length <= 0 {
        return Ok((0, 0));
    }
    let step = usize::try_from(step.unsigned_abs()).unwrap_or(usize::MAX);
    Ok((start as usize, (length as usize).div_ceil(step)))
}
