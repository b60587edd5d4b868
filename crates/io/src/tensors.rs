//! Named tensors with text beside them, as safetensors.

use crate::Error;
use crate::checksum::Crc;
use safetensors::{Dtype, SafeTensors, View};
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

/// Where the checksum stands among the metadata.
const CHECKSUM: &str = "elman.crc32";

/// The numbers of a tensor.
#[derive(Clone, Debug, PartialEq)]
pub enum Numbers {
    /// 32-bit floats.
    F32(Vec<f32>),
    /// 64-bit floats.
    F64(Vec<f64>),
    /// 64-bit integers.
    I64(Vec<i64>),
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
    /// How many.
    pub fn len(&self) -> usize {
        match self {
            Numbers::F32(x) => x.len(),
            Numbers::F64(x) => x.len(),
            Numbers::I64(x) => x.len(),
        }
    }
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    fn dtype(&self) -> Dtype {
        match self {
            Numbers::F32(_) => Dtype::F32,
            Numbers::F64(_) => Dtype::F64,
            Numbers::I64(_) => Dtype::I64,
        }
    }
    fn bytes(&self) -> Vec<u8> {
        match self {
            Numbers::F32(x) => x.iter().flat_map(|v| v.to_le_bytes()).collect(),
            Numbers::F64(x) => x.iter().flat_map(|v| v.to_le_bytes()).collect(),
            Numbers::I64(x) => x.iter().flat_map(|v| v.to_le_bytes()).collect(),
        }
    }
    /// Which number is not finite, where one is.
    pub fn not_finite(&self) -> Option<usize> {
        match self {
            Numbers::F32(x) => x.iter().position(|v| !v.is_finite()),
            Numbers::F64(x) => x.iter().position(|v| !v.is_finite()),
            Numbers::I64(_) => None,
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

struct Bytes<'a>(&'a Tensor);

impl View for Bytes<'_> {
    fn dtype(&self) -> Dtype {
        self.0.numbers.dtype()
    }
    fn shape(&self) -> &[usize] {
        &self.0.shape
    }
    fn data(&self) -> Cow<'_, [u8]> {
        self.0.numbers.bytes().into()
    }
    fn data_len(&self) -> usize {
        let size = match self.0.numbers {
            Numbers::F32(_) => 4,
            Numbers::F64(_) | Numbers::I64(_) => 8,
        };
        self.0.numbers.len() * size
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
            let end = at + Bytes(tensor).data_len();
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
            bytes.extend_from_slice(&tensor.numbers.bytes());
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
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(broken)?;
        let views = SafeTensors::deserialize(bytes).map_err(broken)?;
        let metadata: HashMap<String, String> = header.metadata().clone().unwrap_or_default();
        let mut all = Tensors {
            tensors: BTreeMap::new(),
            metadata: metadata.into_iter().collect(),
        };
        for (name, view) in views.iter() {
            let data = view.data();
            let numbers = match view.dtype() {
                Dtype::F32 => Numbers::F32(numbers(data, f32::from_le_bytes)),
                Dtype::F64 => Numbers::F64(numbers(data, f64::from_le_bytes)),
                Dtype::I64 => Numbers::I64(numbers(data, i64::from_le_bytes)),
                other => {
                    return Err(wrong(format!(
                        "tensor {name:?} holds {other:?}; F32, F64 and I64 can be read"
                    )));
                }
            };
            let shape = view.shape().to_vec();
            all.tensors
                .insert(name.to_string(), Tensor { shape, numbers });
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
            crc.add(&tensor.numbers.bytes());
        }
        crc.value()
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
