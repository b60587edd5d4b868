//! Files are written beside and renamed: a reader sees the old file or the new one, never a half.

use crate::Error;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

static WRITES: AtomicU64 = AtomicU64::new(0);

/// Writes `path` whole: `fill` writes a new file beside it, which is flushed to the disk and then takes its name.
/// Where anything fails, the old file is left as it was and the new one is removed.
pub fn write_atomically(
    path: &Path,
    fill: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
) -> Result<(), Error> {
    let failed = |what: &str, source| Error::Write {
        path: path.to_path_buf(),
        what: what.to_string(),
        source,
    };
    let beside = beside(path);
    let written = (|| {
        let mut to = BufWriter::new(File::create(&beside)?);
        fill(&mut to)?;
        to.into_inner().map_err(|e| e.into_error())?.sync_all()
    })();
    if let Err(source) = written {
        // What failed is told; that the rest could not be removed would only hide it.
        let _ = fs::remove_file(&beside);
        return Err(failed("cannot be written", source));
    }
    if let Err(source) = fs::rename(&beside, path) {
        let _ = fs::remove_file(&beside);
        return Err(failed("cannot be replaced", source));
    }
    // The new name, too, must outlive a power cut. Not every system can flush a folder; the file itself is safe.
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
    Ok(())
}

/// [`write_atomically`] for bytes that are there already.
pub fn write_bytes(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    write_atomically(path, |to| to.write_all(bytes))
}

/// A name beside `path` that no other write uses.
fn beside(path: &Path) -> PathBuf {
    let n = WRITES.fetch_add(1, Ordering::Relaxed);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{}-{n}.part", process::id()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_leaves_the_old_file_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        write_bytes(&path, b"old").unwrap();
        let result = write_atomically(&path, |to| {
            to.write_all(b"half")?;
            Err(std::io::Error::other("no space left"))
        });
        assert!(result.unwrap_err().to_string().contains("no space left"));
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        write_bytes(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
    }
    #[test]
    fn a_folder_that_is_not_there_is_an_error() {
        let error = write_bytes(Path::new("/nowhere/at/all"), b"x").unwrap_err();
        assert!(error.to_string().contains("/nowhere/at/all"));
    }
}
