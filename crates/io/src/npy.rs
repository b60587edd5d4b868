//! NumPy's `.npy`, versions 1 to 3: one array a file.
//!
//! The format: the bytes `\x93NUMPY`, two of version, the length of the header, and the header, a Python dictionary
//! `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`; then the numbers.

use crate::strided::Strided;
use crate::tensors::count;
use crate::{Error, Numbers, Tensor, read_file, write_bytes};
use safetensors::Dtype;
use std::path::Path;

const MAGIC: &[u8] = b"\x93NUMPY";
/// More than any header needs that NumPy writes for numbers.
const LONGEST_HEADER: usize = 64 * 1024;
/// NumPy's own limit.
const MOST_DIMENSIONS: usize = 64;

/// Reads a `.npy` file.
pub fn read_npy(path: &Path) -> Result<Tensor, Error> {
    npy_from_bytes(&path.display().to_string(), &read_file(path)?)
}

/// Writes a `.npy` file, beside and renamed.
pub fn write_npy(path: &Path, tensor: &Tensor) -> Result<(), Error> {
    write_bytes(path, &npy_to_bytes(tensor)?)
}

/// The array in the bytes of a `.npy` file: little-endian `f2 f4 f8 i4 i8 u8`, `i1`, `u1` or `bool`; Fortran's
/// order is turned into C's. `file` is for messages.
pub fn npy_from_bytes(file: &str, bytes: &[u8]) -> Result<Tensor, Error> {
    read(bytes).map_err(|why| Error::format(file, why))
}

/// The array as the bytes of a `.npy` file of version 1, in C order.
pub fn npy_to_bytes(tensor: &Tensor) -> Result<Vec<u8>, Error> {
    let wrong = |why: String| Error::format(".npy", why);
    tensor.check().map_err(wrong)?;
    let shape: String = tensor.shape.iter().map(|n| format!("{n}, ")).collect();
    let shape = match tensor.shape.len() {
        0 | 1 => shape.trim_end().to_string(),
        _ => shape.trim_end_matches(", ").to_string(),
    };
    let descr = match &tensor.numbers {
        Numbers::F32(_) => "<f4",
        Numbers::F64(_) => "<f8",
        Numbers::F16(_) => "<f2",
        Numbers::Bf16(_) => {
            return Err(Error::format(".npy", "NumPy has no bfloat16"));
        }
        Numbers::I32(_) => "<i4",
        Numbers::I64(_) => "<i8",
        Numbers::U64(_) => "<u8",
        Numbers::I8(_) => "|i1",
        Numbers::U8(_) => "|u1",
        Numbers::Bool(_) => "|b1",
    };
    let mut header =
        format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({shape}), }}");
    // The numbers start at a multiple of 64, as NumPy's do; the header ends with a line feed.
    let start = (MAGIC.len() + 4 + header.len() + 1).next_multiple_of(64);
    while MAGIC.len() + 4 + header.len() + 1 < start {
        header.push(' ');
    }
    header.push('\n');
    let length = u16::try_from(header.len());
    let length = length.map_err(|_| Error::format(".npy", "too many dimensions"))?;
    let mut bytes = Vec::with_capacity(start + tensor.numbers.len() * tensor.numbers.size());
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&[1, 0]);
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(header.as_bytes());
    tensor.numbers.write(&mut bytes);
    Ok(bytes)
}

fn read(bytes: &[u8]) -> Result<Tensor, String> {
    let rest = bytes
        .strip_prefix(MAGIC)
        .ok_or("this is not a .npy file of NumPy (an .npz must be unpacked first)")?;
    let cut = "the file ends within its header";
    let (&[major, _], rest) = rest.split_first_chunk::<2>().ok_or(cut)?;
    let (length, rest) = match major {
        1 => {
            let (length, rest) = rest.split_first_chunk::<2>().ok_or(cut)?;
            (usize::from(u16::from_le_bytes(*length)), rest)
        }
        2 | 3 => {
            let (length, rest) = rest.split_first_chunk::<4>().ok_or(cut)?;
            (u32::from_le_bytes(*length) as usize, rest)
        }
        other => return Err(format!("it is of version {other}; 1 to 3 can be read")),
    };
    if length > LONGEST_HEADER {
        return Err(format!(
            "its header is said to have {length} bytes; {LONGEST_HEADER} are the most that make sense"
        ));
    }
    let (header, data) = rest.split_at_checked(length).ok_or(cut)?;
    let header = std::str::from_utf8(header).map_err(|_| "its header is not text")?;
    let header = Header::parse(header)?;
    let (dtype, shown) = (header.dtype()?, &header.descr);
    let needs = count(&header.shape).and_then(|n| n.checked_mul(dtype.bitsize() / 8));
    if needs != Some(data.len()) {
        return Err(format!(
            "its header says {:?} of {shown}, and {} bytes follow: the file was cut or damaged",
            header.shape,
            data.len()
        ));
    }
    let numbers = Numbers::read(dtype, data).ok_or("its numbers cannot be read")?;
    let shape = header.shape;
    if !header.fortran {
        return Ok(Tensor { shape, numbers });
    }
    // Fortran's first index runs fastest.
    let mut strides = Vec::with_capacity(shape.len());
    let mut stride = 1;
    for &n in &shape {
        strides.push(stride);
        stride *= n as isize;
    }
    let numbers = numbers.pick(Strided::new(&shape, &strides, 0));
    Ok(Tensor { shape, numbers })
}

struct Header {
    descr: String,
    fortran: bool,
    shape: Vec<usize>,
}

impl Header {
    /// The dictionary, in the one form that NumPy writes, keys in any order.
    fn parse(text: &str) -> Result<Header, String> {
        let wrong = || {
            format!(
                "its header makes no sense: {:?}",
                &text.chars().take(80).collect::<String>()
            )
        };
        let inside = text
            .trim()
            .strip_prefix('{')
            .and_then(|t| t.strip_suffix('}'));
        let mut rest = inside.ok_or_else(wrong)?.trim();
        let (mut descr, mut fortran, mut shape) = (None, None, None);
        while !rest.is_empty() {
            let (key, after) = quoted(rest).ok_or_else(wrong)?;
            let after = after.trim_start().strip_prefix(':').ok_or_else(wrong)?;
            let after = after.trim_start();
            rest = match key {
                "descr" => {
                    let (value, after) = quoted(after).ok_or_else(|| {
                        "it holds records of several fields; write each as its own array"
                            .to_string()
                    })?;
                    descr = Some(value.to_string());
                    after
                }
                "fortran_order" => {
                    let (value, after) = match after.strip_prefix("True") {
                        Some(after) => (true, after),
                        None => (false, after.strip_prefix("False").ok_or_else(wrong)?),
                    };
                    fortran = Some(value);
                    after
                }
                "shape" => {
                    let after = after.strip_prefix('(').ok_or_else(wrong)?;
                    let (inside, after) = after.split_once(')').ok_or_else(wrong)?;
                    shape = Some(sizes(inside).ok_or_else(wrong)?);
                    after
                }
                _ => return Err(wrong()),
            };
            rest = rest.trim_start();
            rest = rest.strip_prefix(',').unwrap_or(rest).trim_start();
        }
        Ok(Header {
            descr: descr.ok_or_else(wrong)?,
            fortran: fortran.ok_or_else(wrong)?,
            shape: shape.ok_or_else(wrong)?,
        })
    }
    fn dtype(&self) -> Result<Dtype, String> {
        Ok(match self.descr.as_str() {
            "<f2" => Dtype::F16,
            "<f4" => Dtype::F32,
            "<f8" => Dtype::F64,
            "<i4" => Dtype::I32,
            "<i8" => Dtype::I64,
            "<u8" => Dtype::U64,
            "|i1" | "<i1" => Dtype::I8,
            "|u1" | "<u1" => Dtype::U8,
            "|b1" => Dtype::BOOL,
            other => {
                return Err(format!(
                    "it holds numbers of the type {other:?}; float16, float32, float64, int32, int64, uint64, int8, uint8 \
                     and bool can be read: write it again with array.astype(\"float32\")"
                ));
            }
        })
    }
}

/// A text in quotes, and what follows it.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let quote = text.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
    text[1..].split_once(quote)
}

/// `3, 4` or `3,` or nothing.
fn sizes(text: &str) -> Option<Vec<usize>> {
    let text = text.trim();
    let text = text.strip_suffix(',').unwrap_or(text);
    if text.is_empty() {
        return Some(Vec::new());
    }
    let sizes: Option<Vec<usize>> = text
        .split(',')
        .take(MOST_DIMENSIONS + 1)
        .map(|n| n.trim().parse().ok())
        .collect();
    sizes.filter(|s| s.len() <= MOST_DIMENSIONS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(header: &str, data: &[u8]) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend([1, 0]);
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.as_bytes());
        bytes.extend(data);
        bytes
    }

    #[test]
    fn there_and_back() {
        let all = [
            Numbers::F32(vec![1.0, f32::NAN, -0.0, 3.5, f32::INFINITY, 1e-40]),
            Numbers::F64((0..6).map(f64::from).collect()),
            Numbers::I32((-3..3).collect()),
            Numbers::I64(vec![i64::MIN, 0, 1, 2, 3, i64::MAX]),
            Numbers::U64(vec![0, 1, 2, 3, 4, u64::MAX]),
            Numbers::I8((-3..3).collect()),
            Numbers::U8((0..6).collect()),
            Numbers::F16(
                (0..6)
                    .map(|i| half::f16::from_f32(i as f32 / 7.0))
                    .collect(),
            ),
            Numbers::Bool((0..6).map(|i| i % 3 == 0).collect()),
        ];
        for numbers in all {
            for shape in [vec![6], vec![2, 3], vec![1, 2, 3, 1]] {
                let numbers = numbers.clone();
                let tensor = Tensor { shape, numbers };
                let bytes = npy_to_bytes(&tensor).unwrap();
                assert_eq!(bytes.len() % 64, (6 * tensor.numbers.size()) % 64);
                let back = npy_from_bytes("x", &bytes).unwrap();
                assert_eq!(npy_to_bytes(&back).unwrap(), bytes);
                assert_eq!(back.shape, tensor.shape);
            }
        }
        let scalar = Tensor::f32(&[], &[2.5]);
        let back = npy_from_bytes("x", &npy_to_bytes(&scalar).unwrap()).unwrap();
        assert_eq!(back, scalar);
    }
    #[test]
    fn the_order_of_fortran() {
        let header = "{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3), }\n";
        let read = npy_from_bytes("x", &file(header, &[1, 4, 2, 5, 3, 6])).unwrap();
        assert_eq!(read.numbers, Numbers::U8(vec![1, 2, 3, 4, 5, 6]));
    }
    #[test]
    fn wrong_headers_are_errors() {
        let bad = [
            "",
            "{",
            "{}",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (18446744073709551615, 4), }",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 18446744073709551615, 4), }",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }",
            "{'descr': '>f4', 'fortran_order': False, 'shape': (1,), }",
            "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }",
            "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }",
            "{'descr': '<f4', 'fortran_order': Maybe, 'shape': (1,), }",
            "{'descr': '<f4', 'shape': (1,), }",
            "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'more': 3}",
        ];
        for header in bad {
            let error = npy_from_bytes("a.npy", &file(header, &[0; 4])).unwrap_err();
            assert!(error.to_string().starts_with("a.npy: "), "{error}");
        }
        let good = file(
            "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }",
            &[0; 4],
        );
        for cut in 0..good.len() {
            assert!(npy_from_bytes("x", &good[..cut]).is_err());
        }
    }
}
