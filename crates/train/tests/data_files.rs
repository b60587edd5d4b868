//! The readers on files on disk: right ones, wrong ones and none.

use elman_train::data::sequences::{
    JsonlOptions, Label, LabelKind, LongOptions, WideOptions, read_jsonl, read_long,
    read_npy_sequences, read_ts, read_wide,
};
use elman_train::data::{DataError, Missing, Pairs, SUNSPOTS_CSV, SUNSPOTS_TARGET, Table, Text};
use std::path::{Path, PathBuf};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(name)
}

#[test]
fn arrays_written_by_numpy() {
    let s = read_npy_sequences(
        &fixture("x_f4.npy"),
        Some(&fixture("y_i8.npy")),
        LabelKind::Class,
        Missing::Refuse,
    )
    .unwrap();
    assert_eq!(s.get(0).steps, [0.0, 0.25, 0.5, 0.75, 1.0, 1.25]);
    assert_eq!(
        (&s.classes, s.get(0).label),
        (&vec!["3".to_owned(), "7".into()], Label::Class(1))
    );
    let read = |file| read_npy_sequences(&fixture(file), None, LabelKind::None, Missing::Refuse);
    assert_eq!(read("x_fortran.npy").unwrap().get(0).steps, [1.0; 3]);
    let e = read("x_objects.npy").unwrap_err().to_string();
    assert!(e.contains("of the type \"|O\""), "{e}");
}

#[test]
fn a_table_on_disk_is_the_table_in_memory() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sun.csv");
    std::fs::write(&path, SUNSPOTS_CSV).unwrap();
    let frame = Table::read(&path)
        .unwrap()
        .select(&[SUNSPOTS_TARGET], Missing::Refuse)
        .unwrap();
    assert_eq!(frame.rows(), 309);
    assert_eq!(frame.file, path.display().to_string());
}

/// Every reader, on a file that is not there, that is a folder, that is empty and that is not UTF-8, says so
/// in one line that begins with the file's name.
#[test]
fn no_file_no_text_no_bytes() {
    type Reader = fn(&Path) -> Result<(), DataError>;
    let readers: [Reader; 7] = [
        |p| Table::read(p).map(drop),
        |p| Pairs::read(p).map(drop),
        |p| read_ts(p, Missing::Refuse).map(drop),
        |p| read_jsonl(p, JsonlOptions::default()).map(drop),
        |p| {
            read_long(
                p,
                &LongOptions {
                    id: "id".into(),
                    ..Default::default()
                },
            )
            .map(drop)
        },
        |p| {
            let options = WideOptions {
                channels: 1,
                label: None,
                kind: LabelKind::None,
                missing: Missing::Refuse,
            };
            read_wide(p, &options).map(drop)
        },
        |p| Text::read(p).map(drop),
    ];
    let folder = tempfile::tempdir().unwrap();
    let (empty, latin) = (folder.path().join("empty"), folder.path().join("latin"));
    std::fs::write(&empty, "\n").unwrap();
    std::fs::write(&latin, b"a\tb\n\xe4\tc\n").unwrap();
    for read in readers {
        let fault = |path: &Path| {
            let e = read(path).unwrap_err();
            let said = e.to_string();
            assert!(
                said.starts_with(&path.display().to_string()) && !said.contains('\n'),
                "{said}"
            );
            e
        };
        assert!(matches!(
            fault(&folder.path().join("none")),
            DataError::NotFound { .. }
        ));
        assert!(matches!(fault(&empty), DataError::Empty { .. }));
        assert!(matches!(
            fault(&latin),
            DataError::NotUtf8 {
                line: 2,
                byte: 4,
                ..
            }
        ));
        fault(folder.path());
    }
    let missing = folder.path().join("x.npy");
    let e = read_npy_sequences(&missing, None, LabelKind::None, Missing::Refuse).unwrap_err();
    assert!(matches!(e, DataError::NotFound { .. }));
}
