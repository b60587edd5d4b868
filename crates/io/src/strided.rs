//! Places of numbers in a tensor, walked in the order of another shape.

/// The places `offset + Σ index · stride`, the last index fastest.
#[derive(Clone, Debug)]
pub(crate) struct Strided<'a> {
    shape: &'a [usize],
    strides: &'a [isize],
    index: Vec<usize>,
    at: isize,
    left: usize,
}

impl<'a> Strided<'a> {
    /// `shape` and `strides` are of equal length; every place that is walked must be in the tensor.
    pub fn new(shape: &'a [usize], strides: &'a [isize], offset: isize) -> Strided<'a> {
        Strided {
            shape,
            strides,
            index: vec![0; shape.len()],
            at: offset,
            left: shape.iter().product(),
        }
    }
}

impl Iterator for Strided<'_> {
    type Item = usize;
    fn next(&mut self) -> Option<usize> {
        self.left = self.left.checked_sub(1)?;
        let here = self.at;
        for axis in (0..self.shape.len()).rev() {
            self.index[axis] += 1;
            self.at += self.strides[axis];
            if self.index[axis] < self.shape[axis] {
                break;
            }
            self.at -= self.strides[axis] * self.shape[axis] as isize;
            self.index[axis] = 0;
        }
        Some(here as usize)
    }
    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl ExactSizeIterator for Strided<'_> {}

/// The strides of a tensor whose numbers stand row by row.
pub(crate) fn strides(shape: &[usize]) -> Vec<isize> {
    let mut strides = vec![1; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis] * shape[axis] as isize;
    }
    strides
}

/// The shape that two shapes are broadcast to, as NumPy does it.
pub(crate) fn broadcast(a: &[usize], b: &[usize]) -> Result<Vec<usize>, String> {
    let rank = a.len().max(b.len());
    let size = |shape: &[usize], axis: usize| match (axis + shape.len()).checked_sub(rank) {
        Some(at) => shape[at],
        None => 1,
    };
    let all = (0..rank).map(|axis| match (size(a, axis), size(b, axis)) {
        (x, y) if x == y => Ok(x),
        (1, y) => Ok(y),
        (x, 1) => Ok(x),
        _ => Err(format!("the shapes {a:?} and {b:?} do not fit together")),
    });
    all.collect()
}

/// The strides with which a tensor of `from` is walked in the order of the broadcast shape `to`.
pub(crate) fn broadcast_strides(from: &[usize], to: &[usize]) -> Vec<isize> {
    let own = strides(from);
    let all = (0..to.len()).map(|axis| match (axis + from.len()).checked_sub(to.len()) {
        Some(at) if from[at] != 1 => own[at],
        _ => 0,
    });
    all.collect()
}
