//! Reading whole files.

use crate::Error;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Reads a file whole. A folder, a pipe or a device, which has no end to allocate for, is an error.
pub fn read_file(path: &Path) -> Result<Vec<u8>, Error> {
    let failed = |source| Error::Read {
        path: path.into(),
        source,
    };
    let file = File::open(path).map_err(failed)?;
    let about = file.metadata().map_err(failed)?;
    if !about.is_file() {
        return Err(Error::format(
            &path.display().to_string(),
            "this is a folder or a device, and a file is needed",
        ));
    }
    let size = usize::try_from(about.len()).unwrap_or(0);
    let mut bytes = Vec::with_capacity(size);
    // No more than the file had when it was opened: it may be growing.
    file.take(about.len())
        .read_to_end(&mut bytes)
        .map_err(failed)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_devices_and_what_is_not_there() {
        let folder = tempfile::tempdir().unwrap();
        assert!(matches!(
            read_file(folder.path()),
            Err(Error::Format { .. } | Error::Read { .. })
        ));
        #[cfg(unix)]
        assert!(matches!(
            read_file(Path::new("/dev/zero")),
            Err(Error::Format { .. })
        ));
        let error = read_file(&folder.path().join("nothing")).unwrap_err();
        assert!(error.to_string().contains("nothing"), "{error}");
        std::fs::write(folder.path().join("a"), b"abc").unwrap();
        assert_eq!(read_file(&folder.path().join("a")).unwrap(), b"abc");
    }
}
