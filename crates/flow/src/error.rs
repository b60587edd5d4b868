//! What can go wrong in a measurement.

/// Something that cannot be measured as asked, said so that the caller can mend it.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The engine refused the network, its parameters, the batch or the state.
    #[error(transparent)]
    Engine(#[from] elman_core::Error),
    /// There is nothing to measure: no step, no loss, no number.
    #[error("{0}")]
    Nothing(String),
    /// Sizes that do not fit together.
    #[error("{what} has {has} numbers, and {needs} are needed")]
    Size {
        /// Which buffer.
        what: &'static str,
        /// Its length.
        has: usize,
        /// The length it must have.
        needs: usize,
    },
    /// An option outside its range.
    #[error("{0}")]
    Option(String),
    /// A requirement that cannot be read.
    #[error("{0}")]
    Requirement(String),
    /// A decomposition that did not converge, which only happens where a number is not finite.
    #[error("{0} did not converge: is there a NaN or an infinity among its numbers?")]
    Decomposition(&'static str),
}
