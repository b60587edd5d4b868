//! Batches and parameters as `ndarray` has them.

use crate::{Batch, Element, Error, Params};
use ndarray::{ArrayView2, ArrayView3};

impl<E: Element> Batch<E> {
    /// [`features`](Batch::features) from an array `[T, B, F]` of any memory order.
    pub fn from_array(x: ArrayView3<'_, E>, lengths: Option<&[usize]>) -> Result<Batch<E>, Error> {
        let (steps, rows, width) = x.dim();
        match x.as_slice() {
            Some(slice) => Batch::features(slice, [steps, rows, width], lengths),
            None => {
                let copy: Vec<E> = x.iter().copied().collect();
                Batch::features(&copy, [steps, rows, width], lengths)
            }
        }
    }
}

impl<E: Element> Params<E> {
    /// The parameter called `name` as a matrix `[rows, cols]`; a vector has one column.
    pub fn array(&self, name: &str) -> Result<ArrayView2<'_, E>, Error> {
        let shape = &self.layout().find(name)?.shape;
        let rows = shape.first().copied().unwrap_or(1);
        let numbers = self.get(name)?;
        let cols = numbers.len() / rows.max(1);
        ArrayView2::from_shape((rows, cols), numbers)
            .map_err(|_| Error::size(name, numbers.len(), rows * cols, format!("{shape:?}")))
    }
}
