//! The numbers of a tensor: kinds, and their bytes.

use half::{bf16, f16};
use safetensors::Dtype;
use std::ops::Range;

/// What a number is in a file, and as a float.
trait Stored: Copy {
    fn all(bytes: &[u8]) -> Vec<Self>;
    fn write(self, to: &mut Vec<u8>);
    fn float(self) -> f64;
}

macro_rules! stored {
    ($($number:ty, $float:expr;)*) => {$(
        impl Stored for $number {
            fn all(bytes: &[u8]) -> Vec<$number> {
                let (whole, _) = bytes.as_chunks();
                whole.iter().map(|&b| <$number>::from_le_bytes(b)).collect()
            }
            fn write(self, to: &mut Vec<u8>) {
                to.extend_from_slice(&self.to_le_bytes());
            }
            fn float(self) -> f64 {
                let float: fn($number) -> f64 = $float;
                float(self)
            }
        }
    )*};
}

stored! {
    f32, f64::from;
    f64, |x| x;
    f16, f16::to_f64;
    bf16, bf16::to_f64;
    i32, f64::from;
    i64, |x| x as f64;
    u64, |x| x as f64;
    i8, f64::from;
    u8, f64::from;
}

impl Stored for bool {
    fn all(bytes: &[u8]) -> Vec<bool> {
        bytes.iter().map(|&b| b != 0).collect()
    }
    fn write(self, to: &mut Vec<u8>) {
        to.push(u8::from(self));
    }
    fn float(self) -> f64 {
        f64::from(u8::from(self))
    }
}

macro_rules! kinds {
    ($($kind:ident $number:ty, $dtype:ident, $name:literal, $about:literal;)*) => {
        /// The numbers of a tensor.
        #[derive(Clone, Debug, PartialEq)]
        #[non_exhaustive]
        pub enum Numbers {
            $(#[doc = $about] $kind(Vec<$number>),)*
        }

        $(impl From<Vec<$number>> for Numbers {
            fn from(x: Vec<$number>) -> Numbers { Numbers::$kind(x) }
        })*

        impl Numbers {
            /// Numbers of the same kind, each from the place in these that `places` says.
            pub(crate) fn pick(&self, places: impl Iterator<Item = usize>) -> Numbers {
                match self { $(Numbers::$kind(x) => Numbers::$kind(places.map(|at| x[at]).collect()),)* }
            }
            /// Appends a part of others; nothing where those are of another kind.
            pub(crate) fn append(&mut self, from: &Numbers, part: Range<usize>) {
                match (self, from) {
                    $((Numbers::$kind(to), Numbers::$kind(from)) => to.extend_from_slice(&from[part]),)*
                    _ => {}
                }
            }
            /// How many.
            pub fn len(&self) -> usize {
                match self { $(Numbers::$kind(x) => x.len(),)* }
            }
            /// What they are, in NumPy's words: `float32`, `int64`, …
            pub fn kind(&self) -> &'static str {
                match self { $(Numbers::$kind(_) => $name,)* }
            }
            /// Bytes of each.
            pub fn size(&self) -> usize {
                match self { $(Numbers::$kind(_) => size_of::<$number>(),)* }
            }
            /// Number `at`, true as 1; of the integers beyond 2⁵³, the nearest float.
            ///
            /// # Panics
            /// Where there is none.
            pub fn number(&self, at: usize) -> f64 {
                match self { $(Numbers::$kind(x) => x[at].float(),)* }
            }
            /// The numbers of a range.
            ///
            /// # Panics
            /// Where there are not so many.
            pub fn floats(&self, part: Range<usize>) -> Vec<f64> {
                match self { $(Numbers::$kind(x) => x[part].iter().map(|x| x.float()).collect(),)* }
            }
            /// The place of the first number of which `wrong` is true.
            pub(crate) fn position(&self, wrong: impl Fn(f64) -> bool) -> Option<usize> {
                match self { $(Numbers::$kind(x) => x.iter().position(|x| wrong(x.float())),)* }
            }
            /// Appends their little-endian bytes.
            pub(crate) fn write(&self, to: &mut Vec<u8>) {
                match self { $(Numbers::$kind(x) => x.iter().for_each(|x| x.write(to)),)* }
            }
            pub(crate) fn dtype(&self) -> Dtype {
                match self { $(Numbers::$kind(_) => Dtype::$dtype,)* }
            }
            /// Numbers out of their little-endian bytes; `None` for kinds that there are not here.
            pub(crate) fn read(dtype: Dtype, bytes: &[u8]) -> Option<Numbers> {
                match dtype {
                    $(Dtype::$dtype => Some(Numbers::$kind(<$number>::all(bytes))),)*
                    _ => None,
                }
            }
        }
    };
}

kinds! {
    F32 f32, F32, "float32", "32-bit floats.";
    F64 f64, F64, "float64", "64-bit floats.";
    F16 f16, F16, "float16", "16-bit floats.";
    Bf16 bf16, BF16, "bfloat16", "16-bit floats with the exponent of 32-bit ones.";
    I32 i32, I32, "int32", "32-bit integers.";
    I64 i64, I64, "int64", "64-bit integers.";
    U64 u64, U64, "uint64", "64-bit integers without a sign.";
    I8 i8, I8, "int8", "8-bit integers.";
    U8 u8, U8, "uint8", "Bytes.";
    Bool bool, BOOL, "bool", "Truth values.";
}

impl Numbers {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Which number is not finite, where one is.
    pub fn not_finite(&self) -> Option<usize> {
        self.position(|x| !x.is_finite())
    }
    /// Whether they are floats, of any width.
    pub(crate) fn are_floats(&self) -> bool {
        matches!(
            self,
            Numbers::F32(_) | Numbers::F64(_) | Numbers::F16(_) | Numbers::Bf16(_)
        )
    }
}
