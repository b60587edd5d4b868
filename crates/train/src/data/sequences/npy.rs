//! NumPy's `.npy`, read with nothing believed: the header must describe exactly the bytes that follow.
//!
//! Format: <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>. Versions 1 to 3,
//! little-endian f4, f8, i4 and i8, C order. Memory used is at most three times the file's size.

use super::super::error::{DataError, Result, shown};
use super::super::frame::Missing;
use super::super::source;
use super::build::{Builder, Read, Written, written};
use super::{LabelKind, Sequences};
use std::path::Path;

/// An array as read: every kind of number as f64 (whole numbers beyond 2⁵³ are rounded).
#[derive(Debug, Clone, PartialEq)]
pub struct NpyArray {
    /// Extent of each axis.
    pub shape: Vec<usize>,
    /// Values, the last axis varying fastest.
    pub values: Vec<f64>,
}

impl NpyArray {
    /// Reads a `.npy` file.
    ///
    /// # Errors
    /// Those of the file system; [`DataError::File`] for everything that is not as described above.
    pub fn read(path: &Path) -> Result<Self> {
        Self::parse(&source::display(path), &source::read(path)?)
    }

    /// The same from bytes; `file` is the name used in messages.
    ///
    /// # Errors
    /// [`DataError::File`].
    pub fn parse(file: &str, bytes: &[u8]) -> Result<Self> {
        parse(bytes).map_err(|what| DataError::File {
            file: file.to_owned(),
            what,
        })
    }
}

fn parse(bytes: &[u8]) -> Result<NpyArray, String> {
    let short = || "the file ends within its header; it is cut off, write it again".to_owned();
    let body = bytes
        .strip_prefix(b"\x93NUMPY")
        .ok_or("it is no .npy file (write it with numpy.save)")?;
    let (length, body) = match *body {
        [1, _, a, b, ref rest @ ..] => (u32::from(u16::from_le_bytes([a, b])), rest),
        [2 | 3, _, a, b, c, d, ref rest @ ..] => (u32::from_le_bytes([a, b, c, d]), rest),
        [version, _, ..] if version > 3 => {
            return Err(format!(
                ".npy version {version} is not known; write it with numpy.save"
            ));
        }
        _ => return Err(short()),
    };
    let (header, data) = body.split_at_checked(length as usize).ok_or_else(short)?;
    let header = std::str::from_utf8(header).map_err(|_| "its header is not text".to_owned())?;
    let Header {
        descr,
        fortran,
        shape,
    } = Header::parse(header)?;
    if fortran {
        return Err("it is in Fortran order; write numpy.ascontiguousarray of it".into());
    }
    let (size, decode): (usize, fn(&[u8]) -> f64) = match descr.as_str() {
        "<f4" => (4, |b| {
            f64::from(b.try_into().map_or(f32::NAN, f32::from_le_bytes))
        }),
        "<f8" => (8, |b| b.try_into().map_or(f64::NAN, f64::from_le_bytes)),
        "<i4" => (4, |b| {
            b.try_into()
                .map_or(f64::NAN, |b| f64::from(i32::from_le_bytes(b)))
        }),
        "<i8" => (8, |b| {
            b.try_into()
                .map_or(f64::NAN, |b| i64::from_le_bytes(b) as f64)
        }),
        other => {
            let what =
                "is not supported; write it with .astype(\"<f4\"), \"<f8\", \"<i4\" or \"<i8\"";
            return Err(format!("its type {} {what}", shown(other)));
        }
    };
    let needed = shape
        .iter()
        .try_fold(size, |n, &extent| n.checked_mul(extent));
    if needed != Some(data.len()) {
        let needed = needed.map_or("more than memory can hold".into(), |n| n.to_string());
        return Err(format!(
            "its shape {shape:?} needs {needed} bytes and {} follow; write it again",
            data.len()
        ));
    }
    Ok(NpyArray {
        shape,
        values: data.chunks_exact(size).map(decode).collect(),
    })
}

#[derive(Debug, PartialEq)]
struct Header {
    descr: String,
    fortran: bool,
    shape: Vec<usize>,
}

/// More axes than any array here has.
const AXES: usize = 32;

impl Header {
    /// A Python literal such as `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`, and nothing else.
    fn parse(text: &str) -> Result<Self, String> {
        let mut rest = Literal(text);
        let (mut descr, mut fortran, mut shape) = (None, None, None);
        rest.expect('{')?;
        while !rest.eat('}') {
            let key = rest.string()?;
            rest.expect(':')?;
            let first = match key {
                "descr" => descr.replace(rest.string()?.to_owned()).is_none(),
                "fortran_order" => fortran.replace(rest.truth()?).is_none(),
                "shape" => shape.replace(rest.tuple()?).is_none(),
                other => return Err(format!("its header has the unknown key {}", shown(other))),
            };
            if !first {
                return Err(format!("its header has {key} twice"));
            }
            if !rest.eat(',') {
                rest.expect('}')?;
                break;
            }
        }
        match (descr, fortran, shape) {
            (Some(descr), Some(fortran), Some(shape)) if rest.0.trim().is_empty() => Ok(Self {
                descr,
                fortran,
                shape,
            }),
            (Some(_), Some(_), Some(_)) => Err("its header goes on after the }".into()),
            _ => Err("its header lacks descr, fortran_order or shape".into()),
        }
    }
}

/// What is left of a Python literal.
struct Literal<'t>(&'t str);

impl<'t> Literal<'t> {
    fn eat(&mut self, sign: char) -> bool {
        self.0 = self.0.trim_start();
        match self.0.strip_prefix(sign) {
            Some(rest) => {
                self.0 = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, sign: char) -> Result<(), String> {
        if self.eat(sign) {
            return Ok(());
        }
        Err(format!(
            "its header has {} where {sign} is expected",
            shown(self.0.trim_end())
        ))
    }

    fn string(&mut self) -> Result<&'t str, String> {
        let quote = if self.eat('"') {
            '"'
        } else {
            self.expect('\'').map(|()| '\'')?
        };
        let (text, rest) = self
            .0
            .split_once(quote)
            .ok_or("its header has a quote that never ends")?;
        self.0 = rest;
        Ok(text)
    }

    fn word(&mut self) -> &'t str {
        self.0 = self.0.trim_start();
        let end = self
            .0
            .find(|c: char| !c.is_ascii_alphanumeric())
            .unwrap_or(self.0.len());
        let (word, rest) = self.0.split_at(end);
        self.0 = rest;
        word
    }

    fn truth(&mut self) -> Result<bool, String> {
        match self.word() {
            "True" => Ok(true),
            "False" => Ok(false),
            other => Err(format!("its header says fortran_order is {}", shown(other))),
        }
    }

    fn tuple(&mut self) -> Result<Vec<usize>, String> {
        self.expect('(')?;
        let mut out = Vec::new();
        while !self.eat(')') {
            let word = self.word();
            let extent = word
                .parse()
                .map_err(|_| format!("its header has {} in the shape", shown(word)))?;
            out.push(extent);
            if out.len() > AXES {
                return Err(format!("its shape has more than {AXES} axes"));
            }
            if !self.eat(',') {
                self.expect(')')?;
                break;
            }
        }
        Ok(out)
    }
}

/// Sequences from arrays: `x` of shape `[N, T, F]` or, for one channel, `[N, T]`; `y` of shape `[N]`, or
/// `[N, T]` for labels per step. Classes are whole numbers.
///
/// # Errors
/// Those of [`NpyArray::read`]; shapes other than these; labels asked for and not given; a value that is not
/// finite (gaps are NaN).
pub fn read_npy_sequences(
    x: &Path,
    y: Option<&Path>,
    kind: LabelKind,
    missing: Missing,
) -> Result<Sequences> {
    let file = source::display(x);
    let labels = match (kind, y) {
        (LabelKind::None, _) => None,
        (_, Some(y)) => Some((source::display(y), NpyArray::read(y)?)),
        (_, None) => {
            let what = "it is to be read with labels; give the .npy file that holds them".into();
            return Err(DataError::File { file, what });
        }
    };
    sequences(&file, NpyArray::read(x)?, labels, kind, missing)
}

fn sequences(
    file: &str,
    x: NpyArray,
    y: Option<(String, NpyArray)>,
    kind: LabelKind,
    missing: Missing,
) -> Result<Sequences> {
    let bad = |what: String| DataError::File {
        file: file.to_owned(),
        what,
    };
    let (n, t, f) = match x.shape[..] {
        [n, t, f] => (n, t, f),
        [n, t] => (n, t, 1),
        _ => {
            return Err(bad(format!(
                "its shape is {:?}; sequences, steps and channels are expected",
                x.shape
            )));
        }
    };
    if n == 0 || t == 0 || f == 0 {
        return Err(bad(format!(
            "its shape {:?} holds nothing; give it data",
            x.shape
        )));
    }
    let per_step = matches!(kind, LabelKind::ClassPerStep | LabelKind::NumberPerStep);
    let expected = if per_step { vec![n, t] } else { vec![n] };
    if let Some((file, y)) = &y {
        if y.shape != expected {
            let what = format!(
                "its shape is {:?} and the sequences need {expected:?}; give labels that fit them",
                y.shape
            );
            return Err(DataError::File {
                file: file.clone(),
                what,
            });
        }
        let wrong = y
            .values
            .iter()
            .position(|v| !v.is_finite() || (is_class(kind) && v.fract() != 0.0));
        if let Some(i) = wrong {
            let row = if per_step { i / t + 1 } else { i + 1 };
            let what = format!(
                "label {} of sequence {row} cannot be used; correct it",
                y.values[i]
            );
            return Err(DataError::File {
                file: file.clone(),
                what,
            });
        }
    }
    let mut builder = Builder::new(file, Builder::numbered(f), missing);
    for (row, steps) in x.values.chunks_exact(t * f).enumerate() {
        let labels = y.as_ref().map(|(_, y)| {
            if per_step {
                &y.values[row * t..(row + 1) * t]
            } else {
                &y.values[row..=row]
            }
        });
        let label = match labels {
            None => Written::None,
            Some(all) if kind == LabelKind::ClassPerStep => {
                Written::Classes(all.iter().map(f64::to_string).collect())
            }
            Some(all) if per_step => Written::Numbers(all.to_vec()),
            Some(all) => written(all[0], kind),
        };
        let number = row as u64 + 1;
        builder.push(Read {
            id: number.to_string(),
            line: number,
            steps: steps.to_vec(),
            label,
            step_lines: None,
        })?;
    }
    builder.finish()
}

fn is_class(kind: LabelKind) -> bool {
    matches!(kind, LabelKind::Class | LabelKind::ClassPerStep)
}

#[cfg(test)]
mod tests {
    use super::super::Label;
    use super::*;
    use proptest::prelude::*;

    fn npy(version: u8, header: &str, data: &[u8]) -> Vec<u8> {
        let mut out = b"\x93NUMPY".to_vec();
        out.extend([version, 0]);
        match version {
            1 => out.extend((header.len() as u16).to_le_bytes()),
            _ => out.extend((header.len() as u32).to_le_bytes()),
        }
        out.extend(header.as_bytes());
        out.extend(data);
        out
    }

    fn header(descr: &str, shape: &str) -> String {
        format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}   \n")
    }

    fn fault(bytes: &[u8]) -> String {
        NpyArray::parse("t.npy", bytes).unwrap_err().to_string()
    }

    #[test]
    fn all_types_and_versions() {
        let f4: Vec<u8> = [1.5f32, -2.0]
            .iter()
            .flat_map(|v| v.to_le_bytes())
            .collect();
        let f8: Vec<u8> = [1.5f64, -2.0]
            .iter()
            .flat_map(|v| v.to_le_bytes())
            .collect();
        let i4: Vec<u8> = [1i32, -2].iter().flat_map(|v| v.to_le_bytes()).collect();
        let i8: Vec<u8> = [1i64, -2].iter().flat_map(|v| v.to_le_bytes()).collect();
        for (descr, data, first) in [
            ("<f4", f4, 1.5),
            ("<f8", f8, 1.5),
            ("<i4", i4, 1.0),
            ("<i8", i8, 1.0),
        ] {
            for version in [1, 2, 3] {
                let a =
                    NpyArray::parse("t", &npy(version, &header(descr, "(2, 1)"), &data)).unwrap();
                assert_eq!((a.shape, a.values), (vec![2, 1], vec![first, -2.0]));
            }
        }
        let one = NpyArray::parse("t", &npy(1, &header("<i4", "()"), &[7, 0, 0, 0])).unwrap();
        assert_eq!((one.shape, one.values), (vec![], vec![7.0]));
    }

    #[test]
    fn hostile_headers() {
        let data = [0; 8];
        for (bytes, said) in [
            (b"PK".to_vec(), "no .npy file"),
            (b"\x93NUMPY\x01".to_vec(), "ends within its header"),
            (
                b"\x93NUMPY\x01\0\xff\xff{}".to_vec(),
                "ends within its header",
            ),
            (
                b"\x93NUMPY\x02\0\xff\xff\xff\xff{}".to_vec(),
                "ends within its header",
            ),
            (b"\x93NUMPY\x09\0\0\0".to_vec(), "version 9"),
            (
                npy(1, &header("<f4", "(3,)"), &data),
                "needs 12 bytes and 8 follow",
            ),
            (
                npy(1, &header("<f4", "(1,)"), &data),
                "needs 4 bytes and 8 follow",
            ),
            (
                npy(1, &header("<f4", "(18446744073709551615, 2)"), &data),
                "more than memory can hold",
            ),
            (
                npy(1, &header("<f4", "(18446744073709551616,)"), &data),
                "in the shape",
            ),
            (npy(1, &header("<f4", "(-2,)"), &data), "in the shape"),
            (
                npy(1, &header("<f4", &format!("({})", "1,".repeat(40))), &data),
                "more than 32 axes",
            ),
            (
                npy(1, &header(">f4", "(2,)"), &data),
                "type \">f4\" is not supported",
            ),
            (
                npy(1, &header("|O", "(2,)"), &data),
                "type \"|O\" is not supported",
            ),
            (
                npy(
                    1,
                    "{'descr': '<f4', 'fortran_order': True, 'shape': (2,)}",
                    &data,
                ),
                "Fortran order",
            ),
            (npy(1, "{'descr': '<f4', 'shape': (2,)}", &data), "lacks"),
            (
                npy(1, "{'descr': '<f4', 'descr': '<f4'}", &data),
                "descr twice",
            ),
            (npy(1, "{'a': 1}", &data), "unknown key"),
            (npy(1, "{'descr", &data), "never ends"),
            (
                npy(
                    1,
                    "{'descr': '<f4', 'fortran_order': 1, 'shape': (2,)}",
                    &data,
                ),
                "fortran_order is",
            ),
            (
                npy(
                    1,
                    "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)} x",
                    &data,
                ),
                "goes on after",
            ),
        ] {
            let got = fault(&bytes);
            assert!(
                got.starts_with("t.npy: ") && got.contains(said),
                "{said}: {got}"
            );
        }
    }

    fn array(shape: &[usize], values: &[f64]) -> NpyArray {
        NpyArray {
            shape: shape.to_vec(),
            values: values.to_vec(),
        }
    }

    #[test]
    fn arrays_as_sequences() {
        let x = array(&[2, 2, 1], &[1.0, 2.0, 3.0, 4.0]);
        let y = |shape: &[usize], values: &[f64]| Some(("y.npy".to_owned(), array(shape, values)));
        let read = |y, kind| sequences("x.npy", x.clone(), y, kind, Missing::Refuse);
        let s = read(y(&[2], &[9.0, 8.0]), LabelKind::Class).unwrap();
        assert_eq!(
            (s.classes, &s.rows[0].label),
            (vec!["8".to_owned(), "9".into()], &Label::Class(1))
        );
        let s = read(y(&[2, 2], &[0.0, 1.0, 1.0, 1.0]), LabelKind::ClassPerStep).unwrap();
        assert_eq!(s.rows[0].label, Label::Classes(vec![0, 1]));
        let s = read(y(&[2, 2], &[0.5, 1.0, 1.0, 1.0]), LabelKind::NumberPerStep).unwrap();
        assert_eq!(s.rows[0].label, Label::Numbers(vec![0.5, 1.0]));
        assert_eq!(
            read(None, LabelKind::None).unwrap().rows[1].steps,
            [3.0, 4.0]
        );
        assert!(
            read(y(&[3], &[1.0; 3]), LabelKind::Class)
                .unwrap_err()
                .to_string()
                .starts_with("y.npy: its shape is [3]")
        );
        assert!(
            read(y(&[2], &[0.5, 1.0]), LabelKind::Class)
                .unwrap_err()
                .to_string()
                .contains("label 0.5 of sequence 1")
        );
        assert!(
            sequences(
                "x",
                array(&[4], &[1.0; 4]),
                None,
                LabelKind::None,
                Missing::Refuse
            )
            .is_err()
        );
        assert!(
            sequences(
                "x",
                array(&[4, 0], &[]),
                None,
                LabelKind::None,
                Missing::Refuse
            )
            .is_err()
        );
        let gap = sequences(
            "x",
            array(&[1, 2], &[1.0, f64::NAN]),
            None,
            LabelKind::None,
            Missing::Refuse,
        );
        assert!(matches!(gap, Err(DataError::MissingValue { .. })));
    }

    proptest! {
        /// Neither wrong bytes nor a wrong byte in a right file make the reader panic.
        #[test]
        fn any_bytes(at in 0usize..80, byte in any::<u8>(), tail in proptest::collection::vec(any::<u8>(), 0..40)) {
            let mut bytes = npy(1, &header("<f4", "(2, 1)"), &[0; 8]);
            let at = at % bytes.len();
            bytes[at] = byte;
            let _ = NpyArray::parse("t", &bytes);
            let mut bytes = b"\x93NUMPY\x01\0".to_vec();
            bytes.extend(tail);
            let _ = NpyArray::parse("t", &bytes);
        }
    }
}
