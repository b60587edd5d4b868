//! Bytes of a file, and text from bytes.

use super::error::{DataError, Result};
use std::path::Path;

/// The path as it appears in messages: on one line whatever the name contains.
pub(crate) fn display(path: &Path) -> String {
    path.display()
        .to_string()
        .chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect()
}

/// The whole file.
///
/// # Errors
/// [`DataError::NotFound`] and [`DataError::Unreadable`].
pub(crate) fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|e| fault(path, &e))
}

/// What the operating system's complaint about `path` means to a user.
pub(crate) fn fault(path: &Path, e: &std::io::Error) -> DataError {
    let file = display(path);
    match e.kind() {
        std::io::ErrorKind::NotFound => DataError::NotFound { file },
        _ => DataError::Unreadable {
            file,
            reason: e.to_string(),
        },
    }
}

/// `bytes` as text, without a byte-order mark.
///
/// # Errors
/// [`DataError::NotUtf8`] with the line and the byte, [`DataError::Empty`] where there is nothing but white space.
pub(crate) fn text<'b>(file: &str, bytes: &'b [u8]) -> Result<&'b str> {
    let (skipped, body) = match bytes.strip_prefix(b"\xef\xbb\xbf") {
        Some(body) => (3, body),
        None => (0, bytes),
    };
    let text = std::str::from_utf8(body).map_err(|e| {
        let before = &body[..e.valid_up_to()];
        DataError::NotUtf8 {
            file: file.to_owned(),
            line: 1 + before.iter().filter(|&&b| b == b'\n').count() as u64,
            byte: skipped + e.valid_up_to(),
            guess: match bytes {
                [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => " (it looks like UTF-16)",
                [0x1f, 0x8b, ..] => " (it looks gzipped: unpack it)",
                [b'P', b'K', 3, 4, ..] => {
                    " (it looks like a spreadsheet or zip file: export as CSV)"
                }
                _ => "",
            },
        }
    })?;
    if text.trim().is_empty() {
        return Err(DataError::Empty {
            file: file.to_owned(),
        });
    }
    Ok(text)
}

/// Refuses a text of more bytes than a `u32` counts: where texts end is kept by numbers of that size.
///
/// # Errors
/// [`DataError::File`].
pub(crate) fn counted(file: &str, text: &str) -> Result<()> {
    match u32::try_from(text.len()) {
        Ok(_) => Ok(()),
        Err(_) => Err(DataError::File {
            file: file.to_owned(),
            what: "it has more than 4 GiB; cut it into several files".into(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_byte_is_named_by_line_and_offset() {
        let e = text("t", b"\xef\xbb\xbfab\nc\xe4d").unwrap_err();
        assert_eq!(
            e,
            DataError::NotUtf8 {
                file: "t".into(),
                line: 2,
                byte: 7,
                guess: ""
            }
        );
        assert!(
            text("t", b"\xff\xfea\0")
                .unwrap_err()
                .to_string()
                .contains("UTF-16")
        );
    }

    #[test]
    fn nothing_and_nowhere() {
        assert!(matches!(
            text("t", b"\xef\xbb\xbf \r\n"),
            Err(DataError::Empty { .. })
        ));
        assert!(matches!(
            read(Path::new("/no/such")),
            Err(DataError::NotFound { .. })
        ));
        assert!(matches!(
            read(Path::new("/")),
            Err(DataError::Unreadable { .. })
        ));
    }
}
