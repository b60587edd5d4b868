//! Which vector instructions a processor has, found at run time.

use crate::simd::{Kernel, Simd};
use crate::{Element, Value};
use std::sync::OnceLock;

/// Arithmetic written once over a [`Value`], to be run at some [`Level`].
///
/// Mark `run` and everything it calls `#[inline(always)]`, so that it is compiled with that level's instructions.
/// A closure that the compiler does not inline is not: keep closures small, or use loops.
pub trait Job<E: Element> {
    /// What it gives back.
    type Out;
    /// Does the work with vectors `V`.
    fn run<V: Value<Element = E>>(self) -> Self::Out;
}

/// A set of vector instructions that this processor has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level(Kind);

/// In private hands, since a `Level` in existence says that the processor has the instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "aarch64")]
    Neon,
}

impl Level {
    /// The widest that this processor has; the environment variable `ELMAN_LEVEL` (`portable`, `avx2`, `avx512`,
    /// `neon`) asks for another. Found out once.
    pub fn best() -> Level {
        static BEST: OnceLock<Level> = OnceLock::new();
        *BEST.get_or_init(|| {
            std::env::var("ELMAN_LEVEL")
                .ok()
                .and_then(|name| Level::by_name(&name))
                .or_else(|| Level::available().pop())
                .unwrap_or(Level(Kind::Portable))
        })
    }
    /// The level of this name, where this processor has it.
    pub fn by_name(name: &str) -> Option<Level> {
        Level::available().into_iter().find(|l| l.name() == name)
    }
    /// All that this processor has, the portable one first, the widest last.
    pub fn available() -> Vec<Level> {
        #[cfg_attr(
            not(any(target_arch = "x86_64", target_arch = "aarch64")),
            expect(unused_mut)
        )]
        let mut levels = vec![Level(Kind::Portable)];
        #[cfg(target_arch = "x86_64")]
        {
            if crate::avx2::available() {
                levels.push(Level(Kind::Avx2));
            }
            if crate::avx512::available() {
                levels.push(Level(Kind::Avx512));
            }
        }
        #[cfg(target_arch = "aarch64")]
        if std::arch::is_aarch64_feature_detected!("neon") {
            levels.push(Level(Kind::Neon));
        }
        levels
    }
    /// Its name, as in `ELMAN_LEVEL`.
    pub fn name(self) -> &'static str {
        match self.0 {
            Kind::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx512 => "avx512",
            #[cfg(target_arch = "aarch64")]
            Kind::Neon => "neon",
        }
    }
    /// Runs a job with this level's vectors.
    #[inline]
    pub fn run<E: Element, J: Job<E>>(self, job: J) -> J::Out {
        self.kernel(Public(job))
    }
    #[inline]
    pub(crate) fn kernel<E: Element, K: Kernel<E>>(self, kernel: K) -> K::Out {
        match self.0 {
            Kind::Portable => kernel.run::<E::Portable>(),
            #[cfg(target_arch = "x86_64")]
            // SAFETY: `available` makes such a level only where the processor has the instructions.
            Kind::Avx2 => unsafe { E::avx2(kernel) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as above.
            Kind::Avx512 => unsafe { E::avx512(kernel) },
            #[cfg(target_arch = "aarch64")]
            // SAFETY: as above.
            Kind::Neon => unsafe { E::neon(kernel) },
        }
    }
}

/// A job from outside, as a kernel.
struct Public<J>(J);

impl<E: Element, J: Job<E>> Kernel<E> for Public<J> {
    type Out = J::Out;
    #[inline(always)]
    fn run<S: Simd<Element = E>>(self) -> J::Out {
        self.0.run::<S>()
    }
}
