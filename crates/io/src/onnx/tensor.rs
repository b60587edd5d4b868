//! `TensorProto`: the numbers of weights and constants.

use super::fields::{entry, tensor as field};
use crate::wire::{Fields, Value};
use crate::{Numbers, Tensor};
use half::{bf16, f16};
use safetensors::Dtype;
use std::cell::Cell;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Component, Path, PathBuf};

/// More dimensions than any tensor has.
pub(crate) const MOST_DIMENSIONS: usize = 32;

/// Reads tensors, and counts what they take.
pub(crate) struct Decoder<'a> {
    /// Where other files with numbers may lie; `None` where the model is not a file.
    pub folder: Option<&'a Path>,
    /// Bytes that may still be allocated.
    pub room: Cell<usize>,
}

/// Where the numbers are.
#[derive(Default)]
struct Raw<'a> {
    name: &'a str,
    dims: Vec<i64>,
    data_type: i64,
    raw: Option<&'a [u8]>,
    floats: Vec<f32>,
    doubles: Vec<f64>,
    ints: Vec<i64>,
    external: Vec<(&'a str, &'a str)>,
    is_external: bool,
}

impl Decoder<'_> {
    /// The name of a tensor, without its numbers.
    pub fn name(bytes: &[u8]) -> Result<&str, String> {
        let mut name = "";
        for next in Fields::new(bytes) {
            if let (field::NAME, text) = next? {
                name = text.text()?;
            }
        }
        Ok(name)
    }
    /// The name and the tensor.
    pub fn read<'b>(&self, bytes: &'b [u8]) -> Result<(&'b str, Tensor), String> {
        let raw = self.fields(bytes)?;
        let name = raw.name;
        let tensor = self
            .tensor(raw)
            .map_err(|why| format!("tensor {name:?}: {why}"))?;
        Ok((name, tensor))
    }

    fn spend(&self, bytes: usize) -> Result<(), String> {
        let left = self.room.get().checked_sub(bytes);
        self.room
            .set(left.ok_or("the tensors take more than four times the size of the file")?);
        Ok(())
    }

    fn fields<'b>(&self, bytes: &'b [u8]) -> Result<Raw<'b>, String> {
        let mut raw = Raw::default();
        for next in Fields::new(bytes) {
            let (number, value) = next?;
            match number {
                field::DIMS => value.ints(&mut raw.dims, MOST_DIMENSIONS)?,
                field::DATA_TYPE => raw.data_type = value.int()?,
                field::SEGMENT => return Err("a tensor in segments is not supported".into()),
                field::NAME => raw.name = value.text()?,
                field::RAW_DATA => raw.raw = Some(value.bytes()?),
                field::FLOAT_DATA => value.floats(&mut raw.floats)?,
                field::DOUBLE_DATA => value.doubles(&mut raw.doubles)?,
                field::INT32_DATA | field::INT64_DATA | field::UINT64_DATA => {
                    let most = match value {
                        Value::Bytes(packed) => packed.len(),
                        _ => 1,
                    };
                    self.spend(8 * most)?;
                    value.ints(&mut raw.ints, usize::MAX)?;
                }
                field::EXTERNAL_DATA if raw.external.len() < 16 => {
                    raw.external.push(pair(value.bytes()?)?);
                }
                field::DATA_LOCATION => raw.is_external = value.int()? == 1,
                _ => {}
            }
        }
        Ok(raw)
    }

    fn tensor(&self, raw: Raw<'_>) -> Result<Tensor, String> {
        let dims = &raw.dims;
        let shape: Result<Vec<usize>, _> = dims.iter().map(|&n| usize::try_from(n)).collect();
        let shape = shape.map_err(|_| format!("its shape {dims:?} has a negative size"))?;
        let too_many = || format!("its shape {dims:?} has more numbers than can be counted");
        // Sizes beside a zero count too: they are looped over.
        let with_empty = shape
            .iter()
            .try_fold(1_usize, |a, &b| a.checked_mul(b.max(1)));
        with_empty.filter(|&n| n <= 1 << 40).ok_or_else(too_many)?;
        let count: usize = shape.iter().product();
        let unsupported = || {
            let is = type_name(raw.data_type);
            format!("it is of {is}, which is not supported")
        };
        let dtype = dtype(raw.data_type).ok_or_else(unsupported)?;
        let size = dtype.bitsize() / 8;
        let bytes = count.checked_mul(size).ok_or_else(too_many)?;
        let fits = |has: usize| match has == count {
            true => Ok(()),
            false => Err(format!(
                "its shape {shape:?} needs {count} numbers, and it has {has}"
            )),
        };
        let loaded;
        let packed = match (raw.is_external, raw.raw) {
            (true, _) => {
                loaded = self.external(&raw.external, bytes)?;
                Some(loaded.as_slice())
            }
            (false, packed) => packed,
        };
        let numbers = match packed {
            Some(packed) if packed.len() != bytes => {
                return Err(format!(
                    "its shape {shape:?} of {} needs {bytes} bytes, and it has {}",
                    type_name(raw.data_type),
                    packed.len()
                ));
            }
            Some(packed) => {
                self.spend(bytes)?;
                Numbers::read(dtype, packed).ok_or_else(unsupported)?
            }
            None => match raw.data_type {
                field::FLOAT => {
                    fits(raw.floats.len())?;
                    Numbers::F32(raw.floats)
                }
                field::DOUBLE => {
                    fits(raw.doubles.len())?;
                    Numbers::F64(raw.doubles)
                }
                other => {
                    fits(raw.ints.len())?;
                    from_ints(other, raw.ints)
                }
            },
        };
        // Infinities have a use, as in masks that are added before a softmax.
        if let Some(at) = numbers.position(f64::is_nan) {
            return Err(format!(
                "number {at} of it is not a number (NaN); train the model again"
            ));
        }
        Ok(Tensor { shape, numbers })
    }

    /// `bytes` bytes out of a file in the model's folder.
    fn external(&self, entries: &[(&str, &str)], bytes: usize) -> Result<Vec<u8>, String> {
        let get = |key: &str| entries.iter().find(|(k, _)| *k == key).map(|(_, v)| *v);
        let location =
            get("location").ok_or("its numbers are in another file, which is not named")?;
        let folder = self.folder.ok_or_else(|| {
            format!("its numbers are in the file {location:?}; read the model by its path")
        })?;
        let path = inside(folder, location)?;
        let number = |key: &str| {
            let parsed = get(key).map(str::parse::<u64>).transpose();
            parsed.map_err(|_| format!("the {key} of its numbers in {location:?} makes no sense"))
        };
        let (offset, length) = (number("offset")?.unwrap_or(0), number("length")?);
        if length.is_some_and(|l| l != bytes as u64) {
            return Err(format!(
                "it needs {bytes} bytes of {location:?}, which says another length"
            ));
        }
        let failed =
            |e: std::io::Error| format!("its numbers in {} cannot be read: {e}", path.display());
        let mut file = File::open(&path).map_err(failed)?;
        let about = file.metadata().map_err(failed)?;
        let end = offset.checked_add(bytes as u64);
        if !about.is_file() || end.is_none_or(|end| end > about.len()) {
            return Err(format!(
                "it needs {bytes} bytes from byte {offset} of {}, which has {}",
                path.display(),
                about.len()
            ));
        }
        let mut to = vec![0; bytes];
        file.seek(SeekFrom::Start(offset)).map_err(failed)?;
        file.read_exact(&mut to).map_err(failed)?;
        // What another file holds is not of this one's size.
        self.room.set(self.room.get().saturating_add(bytes));
        Ok(to)
    }
}

/// The path of a file in a folder; an error where `location` leaves it, by its parts or by a link.
fn inside(folder: &Path, location: &str) -> Result<PathBuf, String> {
    let leaves = || {
        format!(
            "its numbers are said to be in {location:?}, which is not in the model's folder; put that file beside the model"
        )
    };
    // `./w.bin` is in the folder too.
    let parts = Path::new(location).components();
    let mut parts = parts.filter(|part| *part != Component::CurDir).peekable();
    if parts.peek().is_none() || !parts.all(|part| matches!(part, Component::Normal(_))) {
        return Err(leaves());
    }
    let folder = match folder == Path::new("") {
        true => Path::new("."),
        false => folder,
    };
    let failed = |e: std::io::Error| format!("its numbers in {location:?} cannot be read: {e}");
    let home = folder.canonicalize().map_err(failed)?;
    let path = folder.join(location).canonicalize().map_err(failed)?;
    match path.starts_with(&home) {
        true => Ok(path),
        false => Err(leaves()),
    }
}

fn pair(bytes: &[u8]) -> Result<(&str, &str), String> {
    let mut pair = ("", "");
    for next in Fields::new(bytes) {
        match next? {
            (entry::KEY, key) => pair.0 = key.text()?,
            (entry::VALUE, value) => pair.1 = value.text()?,
            _ => {}
        }
    }
    Ok(pair)
}

/// NumPy's name of a `DataType`.
pub(crate) fn type_name(data_type: i64) -> String {
    let at = usize::try_from(data_type)
        .ok()
        .and_then(|n| n.checked_sub(1));
    match at.and_then(|at| field::NAMES.get(at)) {
        Some(name) => name.to_string(),
        None => format!("type number {data_type}"),
    }
}

fn dtype(data_type: i64) -> Option<Dtype> {
    Some(match data_type {
        field::FLOAT => Dtype::F32,
        field::DOUBLE => Dtype::F64,
        field::FLOAT16 => Dtype::F16,
        field::BFLOAT16 => Dtype::BF16,
        field::INT32 => Dtype::I32,
        field::INT64 => Dtype::I64,
        field::UINT64 => Dtype::U64,
        field::INT8 => Dtype::I8,
        field::UINT8 => Dtype::U8,
        field::BOOL => Dtype::BOOL,
        _ => return None,
    })
}

fn from_ints(data_type: i64, ints: Vec<i64>) -> Numbers {
    fn all<T>(ints: Vec<i64>, from: fn(i64) -> T) -> Vec<T> {
        ints.into_iter().map(from).collect()
    }
    match data_type {
        field::INT32 => all(ints, |x| x as i32).into(),
        field::UINT64 => all(ints, |x| x as u64).into(),
        field::INT8 => all(ints, |x| x as i8).into(),
        field::UINT8 => all(ints, |x| x as u8).into(),
        field::BOOL => all(ints, |x| x != 0).into(),
        field::FLOAT16 => all(ints, |x| f16::from_bits(x as u16)).into(),
        field::BFLOAT16 => all(ints, |x| bf16::from_bits(x as u16)).into(),
        _ => ints.into(),
    }
}
