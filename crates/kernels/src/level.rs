//! Which vector instructions a processor has, found at run time.

use crate::{Element, Value};

/// Arithmetic written once over a [`Value`], to be run at some [`Level`].
///
/// Mark `run` `#[inline(always)]`, so that it is compiled with that level's instructions.
pub trait Job<E: Element> {
    /// What it gives back.
    type Out;
    /// Does the work with vectors `V`.
    fn run<V: Value<Element = E>>(self) -> Self::Out;
}

/// A set of vector instructions that this processor has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level(Kind);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Portable,
}

impl Level {
    /// The widest that this processor has; the environment variable `ELMAN_LEVEL` (`portable`, `avx2`, `avx512`,
    /// `neon`) asks for another.
    pub fn best() -> Level {
        Level(Kind::Portable)
    }
    /// All that this processor has, the portable one first.
    pub fn available() -> Vec<Level> {
        vec![Level(Kind::Portable)]
    }
    /// Its name, as in `ELMAN_LEVEL`.
    pub fn name(self) -> &'static str {
        match self.0 {
            Kind::Portable => "portable",
        }
    }
    /// Runs a job with this level's vectors.
    #[inline]
    pub fn run<E: Element, J: Job<E>>(self, job: J) -> J::Out {
        match self.0 {
            Kind::Portable => job.run::<E::Portable>(),
        }
    }
}
