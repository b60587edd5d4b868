//! Files are written beside and renamed: a reader sees the old file or the new one, never a half.

use crate::Error;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{BufWriter, IntoInnerError, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};

static WRITES: AtomicU64 = AtomicU64::new(0);

/// As many symbolic links as Linux follows.
const MOST_LINKS: usize = 40;

/// Writes `path` whole: `fill` writes a new file beside it, which is flushed to the disk and then takes its name.
/// Where anything fails, the old file is left as it was and the new one is removed.
///
/// A symbolic link stays one, and the file that it leads to is replaced. The new file has the mode of the old one, but
/// belongs to who writes it. A device or a pipe is written to as it is.
pub fn write_atomically(
    path: &Path,
    fill: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
) -> Result<(), Error> {
    let failed = |what: &str, source| Error::Write {
        path: path.to_path_buf(),
        what: what.to_string(),
        source,
    };
    let written = |source| failed("cannot be written", source);
    let old = fs::metadata(path).ok();
    if old
        .as_ref()
        .is_some_and(|old| !old.is_file() && !old.is_dir())
    {
        let to = OpenOptions::new().write(true).open(path).map_err(written)?;
        return fill_buffered(to, fill).map(drop).map_err(written);
    }
    let path = end_of_links(path).map_err(written)?;
    let beside = beside(&path);
    let all = (|| {
        let to = File::create(&beside)?;
        // Before there is anything in it to be read.
        if let Some(old) = old.filter(Metadata::is_file) {
            to.set_permissions(old.permissions())?;
        }
        fill_buffered(to, fill)?.sync_all()
    })();
    if let Err(source) = all {
        // What failed is told; that the rest could not be removed would only hide it.
        let _ = fs::remove_file(&beside);
        return Err(written(source));
    }
    if let Err(source) = fs::rename(&beside, &path) {
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

fn fill_buffered(
    to: File,
    fill: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
) -> std::io::Result<File> {
    let mut to = BufWriter::new(to);
    fill(&mut to)?;
    to.into_inner().map_err(IntoInnerError::into_error)
}

/// Where the symbolic links from `path` end, whether or not there is a file.
fn end_of_links(path: &Path) -> std::io::Result<PathBuf> {
    let mut path = path.to_path_buf();
    for _ in 0..MOST_LINKS {
        match fs::symlink_metadata(&path) {
            Ok(about) if about.is_symlink() => {
                let to = fs::read_link(&path)?;
                path = path.parent().unwrap_or(Path::new("")).join(to);
            }
            _ => return Ok(path),
        }
    }
    Err(std::io::Error::other("too many symbolic links"))
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
    #[cfg(unix)]
    #[test]
    fn links_stay_and_modes_are_kept() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("elsewhere")).unwrap();
        write_bytes(&at("elsewhere/file"), b"old").unwrap();
        fs::set_permissions(at("elsewhere/file"), fs::Permissions::from_mode(0o640)).unwrap();
        symlink("elsewhere/file", at("link")).unwrap();
        symlink("link", at("link to it")).unwrap();
        symlink("elsewhere/nothing yet", at("dangling")).unwrap();
        symlink("itself", at("itself")).unwrap();
        for (link, file) in [
            ("link to it", "elsewhere/file"),
            ("dangling", "elsewhere/nothing yet"),
        ] {
            write_bytes(&at(link), b"new").unwrap();
            assert!(fs::symlink_metadata(at(link)).unwrap().is_symlink());
            assert_eq!(fs::read(at(file)).unwrap(), b"new");
        }
        let mode = fs::metadata(at("elsewhere/file"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o640);
        assert_eq!(fs::read_dir(at("elsewhere")).unwrap().count(), 2);
        let error = write_bytes(&at("itself"), b"new").unwrap_err();
        assert!(error.to_string().contains("links"), "{error}");
    }
    #[cfg(target_os = "linux")]
    #[test]
    fn a_pipe_is_written_to() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        let made = process::Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made.success());
        let reader = std::thread::spawn({
            let pipe = pipe.clone();
            move || fs::read(pipe).unwrap()
        });
        write_bytes(&pipe, b"through").unwrap();
        assert_eq!(reader.join().unwrap(), b"through");
        assert!(!fs::metadata(&pipe).unwrap().is_file());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
