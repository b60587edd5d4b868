//! Named tensors with text beside them, as safetensors.

use crate::checksum::{CRC, Digest};
use crate::{Error, Numbers};
use safetensors::{Dtype, SafeTensors};
use std::collections::BTreeMap;

/// Where the checksum stands among the metadata.
const CHECKSUM: &str = "elman.crc32";

/// What a header may take in memory beyond the file's own size; small files need not be counted.
const SMALL: usize = 1 << 20;

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

impl Tensor {
    /// That its numbers fill its shape, whose sizes can be counted even where one is zero: they are looped over.
    pub(crate) fn check(&self) -> Result<(), String> {
        match count(&self.shape) == Some(self.numbers.len()) {
            true => Ok(()),
            false => Err(format!(
                "{} numbers do not fill the shape {:?}",
                self.numbers.len(),
                self.shape
            )),
        }
    }
    /// Bytes of its numbers.
    pub(crate) fn bytes(&self) -> usize {
        self.numbers.len() * self.numbers.size()
    }
    /// 32-bit floats of a shape.
    pub fn f32(shape: &[usize], numbers: &[f32]) -> Tensor {
        Tensor {
            shape: shape.to_vec(),
            numbers: Numbers::F32(numbers.to_vec()),
        }
    }
}

/// How many numbers a shape has; `None` where that, or its sizes beside a zero, are too many to count.
pub(crate) fn count(shape: &[usize]) -> Option<usize> {
    let with_empty = shape
        .iter()
        .try_fold(1_usize, |a, &b| a.checked_mul(b.max(1)))?;
    let countable = isize::try_from(with_empty).is_ok();
    countable.then(|| shape.iter().product())
}

impl Tensors {
    /// As safetensors, with a checksum over names, shapes, numbers and metadata; the same bytes for the same content.
    /// An error where numbers do not fill their shape.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        // The checksum has eight digits, whatever it is: the header's length is known before it.
        let start = 8 + self.header(0)?.len();
        let data: usize = self.tensors.values().map(Tensor::bytes).sum();
        let mut bytes = Vec::with_capacity(start + data);
        bytes.resize(start, 0);
        let mut crc = checksum(&self.metadata);
        for (name, tensor) in &self.tensors {
            let from = bytes.len();
            tensor.numbers.write(&mut bytes);
            let dtype = tensor.numbers.dtype();
            add(&mut crc, name, dtype, &tensor.shape, &bytes[from..]);
        }
        let header = self.header(crc.finalize())?;
        bytes[..8].copy_from_slice(&(header.len() as u64).to_le_bytes());
        bytes[8..start].copy_from_slice(&header);
        Ok(bytes)
    }

    /// Written here rather than by the library, whose order of metadata changes from run to run.
    fn header(&self, checksum: u32) -> Result<Vec<u8>, Error> {
        let mut metadata = self.metadata.clone();
        metadata.insert(CHECKSUM.into(), format!("{checksum:08x}"));
        let header = [("__metadata__".to_string(), serde_json::json!(metadata))];
        let mut entries: serde_json::Map<String, serde_json::Value> = header.into_iter().collect();
        let mut at = 0;
        for (name, tensor) in &self.tensors {
            tensor.check().map_err(|why| Error::format(name, why))?;
            let end = at + tensor.bytes();
            let dtype = serde_json::to_value(tensor.numbers.dtype());
            let dtype = dtype.map_err(|e| Error::format(name, e.to_string()))?;
            let entry = serde_json::json!({"dtype": dtype, "shape": tensor.shape, "data_offsets": [at, end]});
            entries.insert(name.clone(), entry);
            at = end;
        }
        let mut text = serde_json::Value::Object(entries).to_string().into_bytes();
        text.resize(text.len().next_multiple_of(8), b' ');
        Ok(text)
    }

    /// From what [`to_bytes`](Tensors::to_bytes) wrote: there must be a checksum, and it must hold.
    pub fn from_own_bytes(file: &str, bytes: &[u8]) -> Result<Tensors, Error> {
        match Tensors::read(file, bytes)? {
            (all, true) => Ok(all),
            (_, false) => Err(without_checksum(file)),
        }
    }

    /// From safetensors of anyone; `file` is for messages. Where there is a checksum, it must hold.
    pub fn from_bytes(file: &str, bytes: &[u8]) -> Result<Tensors, Error> {
        Ok(Tensors::read(file, bytes)?.0)
    }

    /// The content, and whether a checksum vouches for it.
    pub(crate) fn read(file: &str, bytes: &[u8]) -> Result<(Tensors, bool), Error> {
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
        let stated = all.metadata.remove(CHECKSUM);
        let mut crc = checksum(&all.metadata);
        let tensors: BTreeMap<_, _> = parsed.tensors().into_iter().collect();
        for (name, info) in tensors {
            let (from, to) = info.data_offsets;
            let numbers = Numbers::read(info.dtype, &data[from..to]).ok_or_else(|| {
                wrong(format!(
                    "tensor {name:?} holds {:?}, which elman does not read; convert it to F32 first",
                    info.dtype
                ))
            })?;
            let shape = info.shape.clone();
            if stated.is_some() {
                add(&mut crc, &name, info.dtype, &shape, &data[from..to]);
            }
            all.tensors.insert(name, Tensor { shape, numbers });
        }
        let is = format!("{:08x}", crc.finalize());
        if let Some(stated) = stated.as_ref().filter(|stated| **stated != is) {
            return Err(wrong(format!(
                "its checksum is {is} and should be {stated}: the file was damaged or changed; use a copy"
            )));
        }
        Ok((all, stated.is_some()))
    }
}

/// The checksum of the metadata, to which the tensors are added.
fn checksum(metadata: &BTreeMap<String, String>) -> Digest {
    let mut crc = CRC.digest();
    for text in metadata.iter().flat_map(|(key, value)| [key, value]) {
        crc.update(text.as_bytes());
        crc.update(&[0]);
    }
    crc
}

fn add(crc: &mut Digest, name: &str, dtype: Dtype, shape: &[usize], bytes: &[u8]) {
    crc.update(name.as_bytes());
    crc.update(format!("{dtype:?}{shape:?}").as_bytes());
    crc.update(bytes);
}

pub(crate) fn without_checksum(file: &str) -> Error {
    Error::format(
        file,
        "it has no checksum: it was not written by elman, or was damaged; use a copy",
    )
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
