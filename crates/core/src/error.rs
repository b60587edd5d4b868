//! What can be wrong with what the engine is given.

/// Wrong sizes, values or names, said so that the caller can mend them.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A size of the network makes no sense.
    #[error("{what} is {is}, and must be at least 1")]
    Zero {
        /// Which size.
        what: &'static str,
        /// What it is.
        is: usize,
    },
    /// A buffer has another length than its shape says.
    #[error("{what} has {has} numbers, and {shape} needs {needs}")]
    Size {
        /// Which buffer.
        what: String,
        /// Its length.
        has: usize,
        /// The length it must have.
        needs: usize,
        /// The shape, in words.
        shape: String,
    },
    /// A row of a batch has no step, or more than the batch.
    #[error("row {row} has length {length}; a length is from 1 to the {steps} steps of the batch")]
    Length {
        /// Which row, from 0, in the caller's order.
        row: usize,
        /// Its length.
        length: usize,
        /// Steps of the batch.
        steps: usize,
    },
    /// A symbol that the network has no weights for.
    #[error("step {step} of row {row} has symbol {symbol}; the network knows symbols 0 to {last}")]
    Symbol {
        /// Which step, from 0.
        step: usize,
        /// Which row, from 0.
        row: usize,
        /// The symbol.
        symbol: u32,
        /// The last symbol known.
        last: usize,
    },
    /// Two things belong to different networks.
    #[error("{what}: {why}")]
    Mismatch {
        /// Which thing.
        what: &'static str,
        /// How it differs.
        why: String,
    },
    /// A parameter name that the network does not have.
    #[error("there is no parameter {name:?}; there are {known}")]
    Name {
        /// The name asked for.
        name: String,
        /// The names there are.
        known: String,
    },
    /// A window that no sequence can be cut into.
    #[error("{0}")]
    Window(String),
    /// Something that this network cannot do.
    #[error("{0}")]
    Unsupported(String),
    /// A size that no memory holds.
    #[error("{what} would have {sizes} numbers, which is more than memory can hold")]
    TooLarge {
        /// What.
        what: &'static str,
        /// Its sizes, to be multiplied.
        sizes: String,
    },
}

impl Error {
    /// The product of sizes, where memory could hold as many bytes.
    pub(crate) fn fits(what: &'static str, sizes: &[usize]) -> Result<usize, Error> {
        let product = sizes.iter().try_fold(1usize, |all, &n| all.checked_mul(n));
        // An empty matrix may have any number of columns.
        let product = product.or(sizes.contains(&0).then_some(0));
        product
            .filter(|&n| n <= isize::MAX as usize)
            .ok_or_else(|| Error::TooLarge {
                what,
                sizes: sizes
                    .iter()
                    .map(usize::to_string)
                    .collect::<Vec<_>>()
                    .join(" × "),
            })
    }
    /// An error unless there are as many numbers as the product of `sizes`.
    pub(crate) fn check_size(
        what: &'static str,
        has: usize,
        sizes: &[usize],
        shape: impl FnOnce() -> String,
    ) -> Result<(), Error> {
        let needs = Error::fits(what, sizes)?;
        match has == needs {
            true => Ok(()),
            false => Err(Error::size(what, has, needs, shape())),
        }
    }
    pub(crate) fn size(
        what: impl Into<String>,
        has: usize,
        needs: usize,
        shape: impl Into<String>,
    ) -> Error {
        Error::Size {
            what: what.into(),
            has,
            needs,
            shape: shape.into(),
        }
    }
}
