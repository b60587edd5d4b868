//! Which vector instructions a processor has, found at run time.

use crate::simd::{Kernel, Simd};
use crate::{Element, Value};
use std::fmt;
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

/// The environment variable that asks for a level.
const VARIABLE: &str = "ELMAN_LEVEL";
/// All levels of all processors.
const NAMES: [&str; 4] = ["portable", "avx2", "avx512", "neon"];

/// `ELMAN_LEVEL` asks for a level that there is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LevelError {
    name: String,
    /// Whether another processor has it.
    known: bool,
}

impl fmt::Display for LevelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LevelError { name, known } = self;
        let why = match known {
            true => "an instruction set that this processor does not have",
            false => "not the name of an instruction set",
        };
        let names: Vec<_> = Level::available().iter().map(|l| l.name()).collect();
        let names = names.join(", ");
        write!(
            f,
            "{VARIABLE} is {name:?}, which is {why}; set it to one of {names}, or leave it unset for the widest"
        )
    }
}

impl std::error::Error for LevelError {}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Level {
    /// The level that the environment variable `ELMAN_LEVEL` asks for (`portable`, `avx2`, `avx512`, `neon`); the widest
    /// that this processor has where it is not set or empty. Found out once.
    ///
    /// Where [`from_environment`](Level::from_environment) is an error, this is the widest: a program that lets its users
    /// set the variable calls that first.
    pub fn best() -> Level {
        static BEST: OnceLock<Level> = OnceLock::new();
        *BEST.get_or_init(|| Level::from_environment().unwrap_or_else(|_| Level::widest()))
    }
    /// The level that `ELMAN_LEVEL` asks for, as for [`best`](Level::best); an error where it names no level, or one that
    /// this processor does not have.
    pub fn from_environment() -> Result<Level, LevelError> {
        match std::env::var_os(VARIABLE) {
            Some(name) if !name.is_empty() => Level::asked_for(&name.to_string_lossy()),
            _ => Ok(Level::widest()),
        }
    }
    fn asked_for(name: &str) -> Result<Level, LevelError> {
        Level::by_name(name).ok_or_else(|| LevelError {
            name: name.into(),
            known: NAMES.contains(&name),
        })
    }
    fn widest() -> Level {
        Level::available().pop().unwrap_or(Level(Kind::Portable))
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
        // An interpreter knows few vector instructions.
        if cfg!(miri) {
            return levels;
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_that_there_is_not_is_named() {
        for level in Level::available() {
            assert_eq!(Level::asked_for(level.name()), Ok(level));
        }
        let error = Level::asked_for("avx1024").expect_err("no such level");
        let text = error.to_string();
        assert!(text.contains("ELMAN_LEVEL is \"avx1024\"") && text.contains("not the name"));
        assert!(text.contains("portable"), "what there is: {text}");
        let absent = match cfg!(target_arch = "aarch64") {
            true => "avx2",
            false => "neon",
        };
        let error = Level::asked_for(absent).expect_err("another processor's");
        assert!(error.to_string().contains("does not have"), "{error}");
        // Neither what is nearly a name.
        assert!(Level::asked_for("AVX2").is_err() && Level::asked_for(" portable").is_err());
    }
}
