//! Named tensors with text beside them, as safetensors.

use crate::Error;
use crate::checksum::Crc;
use safetensors::{Dtype, SafeTensors};
use std::collections::BTreeMap;

/// Where the checksum stands among the metadata.
const CHECKSUM: &str = "elman.crc32";

/// What a header may take in memory beyond the file's own size; small files need not be counted.
const SMALL: usize = 1 << 20;

macro_rules! kinds {
    ($($kind:ident $number:ty, $name:literal, $about:literal;)*) => {
        /// The numbers of a tensor.
        #[derive(Clone, Debug, PartialEq)]
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
            pub(crate) fn append(&mut self, from: &Numbers, part: std::ops::Range<usize>) {
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
            /// Number `at`; of the integers beyond 2⁵³, the nearest float.
            ///
            /// # Panics
            /// Where there is none.
            pub fn number(&self, at: usize) -> f64 {
                match self { $(Numbers::$kind(x) => x[at] as f64,)* }
            }
            /// The numbers of a range.
            ///
            /// # Panics
            /// Where there are not so many.
            pub fn floats(&self, part: std::ops::Range<usize>) -> Vec<f64> {
                match self { $(Numbers::$kind(x) => x[part].iter().map(|&x| x as f64).collect(),)* }
            }
            /// Appends their little-endian bytes.
            pub(crate) fn write(&self, to: &mut Vec<u8>) {
                match self { $(Numbers::$kind(x) => x.iter().for_each(|v| to.extend_from_slice(&v.to_le_bytes())),)* }
            }
            pub(crate) fn dtype(&self) -> Dtype {
                match self { $(Numbers::$kind(_) => Dtype::$kind,)* }
            }
            fn read(dtype: Dtype, bytes: &[u8]) -> Option<Numbers> {
                match dtype {
                    $(Dtype::$kind => Some(Numbers::$kind(numbers(bytes, <$number>::from_le_bytes))),)*
                    _ => None,
                }
            }
        }
    };
}

kinds! {
    F32 f32, "float32", "32-bit floats.";
    F64 f64, "float64", "64-bit floats.";
    I32 i32, "int32", "32-bit integers.";
    I64 i64, "int64", "64-bit integers.";
    U64 u64, "uint64", "64-bit integers without a sign.";
    I8 i8, "int8", "8-bit integers.";
    U8 u8, "uint8", "Bytes.";
}

/// A shape and its numbers, row by row.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// Sizes, outermost first.
    pub shape: Vec<usize>,
    /// As many numbers as the sizes multiply to.
    pub numbers: Numbers,
}

/// Named tensors and metadata, in the order of their names.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tensors {
    /// The tensors.
    pub tensors: BTreeMap<String, Tensor>,
    /// Text beside them.
    pub metadata: BTreeMap<String, String>,
}

impl Numbers {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// Which number is not finite, where one is.
    pub fn not_finite(&self) -> Option<usize> {
        match self {
            Numbers::F32(x) => x.iter().position(|v| !v.is_finite()),
            Numbers::F64(x) => x.iter().position(|v| !v.is_finite()),
            _ => None,
        }
    }
}

impl Tensor {
    /// 32-bit floats of a shape.
    pub fn f32(shape: &[usize], numbers: &[f32]) -> Tensor {
        Tensor {
            shape: shape.to_vec(),
            numbers: Numbers::F32(numbers.to_vec()),
        }
    }
}

impl Tensors {
    /// As safetensors, with a checksum over names, shapes, numbers and metadata; the same bytes for the same content.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        let mut metadata = self.metadata.clone();
        metadata.insert(CHECKSUM.into(), format!("{:08x}", self.checksum()));
        let header = [("__metadata__".to_string(), serde_json::json!(metadata))];
        let mut entries: serde_json::Map<String, serde_json::Value> = header.into_iter().collect();
        let mut at = 0;
        for (name, tensor) in &self.tensors {
            let end = at + tensor.numbers.len() * tensor.numbers.size();
            let dtype = serde_json::to_value(tensor.numbers.dtype());
            let dtype = dtype.map_err(|e| Error::format(name, e.to_string()))?;
            let entry = serde_json::json!({"dtype": dtype, "shape": tensor.shape, "data_offsets": [at, end]});
            entries.insert(name.clone(), entry);
            at = end;
        }
        // Written here rather than by the library, whose order of metadata changes from run to run.
        let mut text = serde_json::Value::Object(entries).to_string().into_bytes();
        text.resize(text.len().next_multiple_of(8), b' ');
        let mut bytes = Vec::with_capacity(8 + text.len() + at);
        bytes.extend_from_slice(&(text.len() as u64).to_le_bytes());
        bytes.extend_from_slice(&text);
        for tensor in self.tensors.values() {
            tensor.numbers.write(&mut bytes);
        }
        Ok(bytes)
    }

    /// From what [`to_bytes`](Tensors::to_bytes) wrote: there must be a checksum, and it must hold.
    pub fn from_own_bytes(file: &str, bytes: &[u8]) -> Result<Tensors, Error> {
        match Tensors::read(file, bytes)? {
            (all, true) => Ok(all),
            (_, false) => Err(Error::format(
                file,
                "it has no checksum: it was not written by elman, or was damaged; use a copy",
            )),
        }
    }

    /// From safetensors of anyone; `file` is for messages. Where there is a checksum, it must hold.
    pub fn from_bytes(file: &str, bytes: &[u8]) -> Result<Tensors, Error> {
        Ok(Tensors::read(file, bytes)?.0)
    }

    /// The content, and whether a checksum vouches for it.
    fn read(file: &str, bytes: &[u8]) -> Result<(Tensors, bool), Error> {
        let wrong = |why: String| Error::format(file, why);
        let broken = |e: safetensors::SafeTensorError| {
            wrong(format!(
                "this is not a whole safetensors file ({e}); copy or train it again"
            ))
        };
        header_is_modest(bytes).map_err(wrong)?;
        let (header, parsed) = SafeTensors::read_metadata(bytes).map_err(broken)?;
        let data = &bytes[8 + header..];
        let mut all = Tensors::default();
        if let Some(text) = parsed.metadata() {
            all.metadata = text.iter().map(|(k, v)| (k.clone(), v.clone())).collect();
        }
        for (name, info) in parsed.tensors() {
            let (from, to) = info.data_offsets;
            let numbers = Numbers::read(info.dtype, &data[from..to]).ok_or_else(|| {
                wrong(format!(
                    "tensor {name:?} holds {:?}, which elman does not read; convert it to F32 first",
                    info.dtype
                ))
            })?;
            let shape = info.shape.clone();
            all.tensors.insert(name, Tensor { shape, numbers });
        }
        let stated = all.metadata.remove(CHECKSUM);
        if let Some(stated) = &stated {
            let is = format!("{:08x}", all.checksum());
            if *stated != is {
                return Err(wrong(format!(
                    "its checksum is {is} and should be {stated}: the file was damaged or changed; use a copy"
                )));
            }
        }
        Ok((all, stated.is_some()))
    }

    fn checksum(&self) -> u32 {
        let mut crc = Crc::new();
        for (key, value) in &self.metadata {
            for text in [key, value] {
                crc.add(text.as_bytes());
                crc.add(&[0]);
            }
        }
        for (name, tensor) in &self.tensors {
            crc.add(name.as_bytes());
            crc.add(format!("{:?}{:?}", tensor.numbers.dtype(), tensor.shape).as_bytes());
            let mut bytes = Vec::with_capacity(tensor.numbers.len() * tensor.numbers.size());
            tensor.numbers.write(&mut bytes);
            crc.add(&bytes);
        }
        crc.value()
    }
}

/// That what the header announces takes no more memory than a small multiple of the file: a hundred bytes can
/// announce a tensor, and thousands of sizes, that hold nothing.
fn header_is_modest(bytes: &[u8]) -> Result<(), String> {
    let Some((size, rest)) = bytes.split_first_chunk::<8>() else {
        return Ok(());
    };
    let size = usize::try_from(u64::from_le_bytes(*size)).unwrap_or(usize::MAX);
    let header = &rest[..size.min(rest.len())];
    let count = |what: u8| header.iter().filter(|&&b| b == what).count();
    let needs = 24 * count(b',') + 320 * count(b'{');
    match needs > SMALL + 2 * bytes.len() {
        true => Err(format!(
            "its header of {size} bytes announces far more tensors or sizes than the file has numbers for; \
             it is damaged or made to harm"
        )),
        false => Ok(()),
    }
}

fn numbers<T, const N: usize>(bytes: &[u8], from: fn([u8; N]) -> T) -> Vec<T> {
    let (whole, _) = bytes.as_chunks::<N>();
    whole.iter().map(|&b| from(b)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some() -> Tensors {
        let mut some = Tensors::default();
        some.metadata.insert("b".into(), "text".into());
        some.metadata.insert("a".into(), "größer".into());
        let tensor = Tensor::f32(&[2, 3], &[1.0, 2.0, 3.0, 4.0, 5.0, f32::MIN_POSITIVE]);
        some.tensors.insert("w".into(), tensor);
        let numbers = Numbers::I64(vec![-1, i64::MAX]);
        let shape = vec![2];
        some.tensors.insert("n".into(), Tensor { shape, numbers });
        some
    }

    #[test]
    fn there_and_back() {
        let bytes = some().to_bytes().unwrap();
        assert_eq!(Tensors::from_bytes("x", &bytes).unwrap(), some());
        assert_eq!(bytes, some().to_bytes().unwrap());
    }
    #[test]
    fn every_cut_and_every_flip_is_an_error() {
        let bytes = some().to_bytes().unwrap();
        for cut in 0..bytes.len() {
            assert!(
                Tensors::from_bytes("x", &bytes[..cut]).is_err(),
                "cut at {cut}"
            );
        }
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1;
            let error = Tensors::from_own_bytes("x", &flipped).expect_err("a flip");
            assert!(error.to_string().starts_with("x: "), "{error}");
        }
    }
}
