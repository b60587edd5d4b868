//! Sequences from NumPy's `.npy`; the format itself is read in `elman-io`.
//!
//! 32- and 64-bit floats and integers (whole numbers beyond 2⁵³ are rounded). Memory used is at most three times the
//! file's size.

use super::super::error::{DataError, Result};
use super::super::frame::Missing;
use super::super::source;
use super::build::Builder;
use super::{LabelKind, Sequences};
use elman_io::{Error, Numbers, Tensor, npy_from_bytes};
use std::path::Path;

/// The array of a file, of numbers that are worth four bytes and more.
fn read(path: &Path) -> Result<Tensor> {
    let file = source::display(path);
    let tensor = npy_from_bytes(&file, &source::read(path)?).map_err(|e| match e {
        Error::Format { file, why } => DataError::File { file, what: why },
        other => DataError::File {
            file: file.clone(),
            what: other.to_string(),
        },
    })?;
    match tensor.numbers {
        Numbers::F32(_) | Numbers::F64(_) | Numbers::I32(_) | Numbers::I64(_) => Ok(tensor),
        _ => Err(DataError::File {
            file,
            what: format!(
                "it holds {}; write it with .astype(\"float32\"), \"float64\", \"int32\" or \"int64\"",
                tensor.numbers.kind()
            ),
        }),
    }
}

/// Sequences from arrays: `x` of shape `[N, T, F]` or, for one channel, `[N, T]`; `y` of shape `[N]`, or
/// `[N, T]` for labels per step. Classes are whole numbers.
///
/// # Errors
/// Those of [`npy_from_bytes`]; shapes other than these; labels asked for and not given; a value that is not
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
        (_, Some(y)) => Some((source::display(y), read(y)?)),
        (_, None) => {
            let what = "it is to be read with labels; give the .npy file that holds them".into();
            return Err(DataError::File { file, what });
        }
    };
    sequences(&file, read(x)?, labels, kind, missing)
}

fn sequences(
    file: &str,
    x: Tensor,
    y: Option<(String, Tensor)>,
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
        let unusable = |v: f64| !v.is_finite() || (is_class(kind) && v.fract() != 0.0);
        let wrong = (0..y.numbers.len()).find(|&i| unusable(y.numbers.number(i)));
        if let Some(i) = wrong {
            let row = if per_step { i / t + 1 } else { i + 1 };
            let what = format!(
                "label {} of sequence {row} cannot be used; correct it",
                y.numbers.number(i)
            );
            return Err(DataError::File {
                file: file.clone(),
                what,
            });
        }
    }
    let mut builder = Builder::new(file, Builder::numbered(file, f)?, kind, missing);
    let labels = if per_step { t } else { 1 };
    for row in 0..n {
        let line = row as u64 + 1;
        for value in 0..t * f {
            builder.value(line, value % f, x.numbers.number(row * t * f + value))?;
        }
        for label in y
            .iter()
            .flat_map(|(_, y)| (0..labels).map(|l| y.numbers.number(row * labels + l)))
        {
            match is_class(kind) {
                true => builder.class(line, &label.to_string())?,
                false => builder.number(line, label)?,
            }
        }
        builder.end(line, None)?;
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

    fn array(shape: &[usize], values: &[f64]) -> Tensor {
        Tensor {
            shape: shape.to_vec(),
            numbers: Numbers::F64(values.to_vec()),
        }
    }

    #[test]
    fn arrays_as_sequences() {
        let x = array(&[2, 2, 1], &[1.0, 2.0, 3.0, 4.0]);
        let y = |shape: &[usize], values: &[f64]| Some(("y.npy".to_owned(), array(shape, values)));
        let read = |y, kind| sequences("x.npy", x.clone(), y, kind, Missing::Refuse);
        let s = read(y(&[2], &[9.0, 8.0]), LabelKind::Class).unwrap();
        assert_eq!(
            (s.get(0).label, &s.classes[..]),
            (Label::Class(1), &["8".to_owned(), "9".into()][..])
        );
        let s = read(y(&[2, 2], &[0.0, 1.0, 1.0, 1.0]), LabelKind::ClassPerStep).unwrap();
        assert_eq!(s.get(0).label, Label::Classes(&[0, 1]));
        let s = read(y(&[2, 2], &[0.5, 1.0, 1.0, 1.0]), LabelKind::NumberPerStep).unwrap();
        assert_eq!(s.get(0).label, Label::Numbers(&[0.5, 1.0]));
        assert_eq!(
            read(None, LabelKind::None).unwrap().get(1).steps,
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

    #[test]
    fn what_is_wrong_names_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.npy");
        let refused = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            let error = read_npy_sequences(&path, None, LabelKind::None, Missing::Refuse);
            error.unwrap_err().to_string()
        };
        let small = Tensor {
            shape: vec![1, 2],
            numbers: Numbers::U8(vec![1, 2]),
        };
        let said = refused(&elman_io::npy_to_bytes(&small).unwrap());
        assert!(said.contains("x.npy: it holds uint8"), "{said}");
        let said = refused(b"PK");
        assert!(said.contains("x.npy: this is not a .npy file"), "{said}");
    }
}
