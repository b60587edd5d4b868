//! What can be wrong with a file.

use std::path::PathBuf;

/// A file that cannot be read or written, said in one line: which, what is wrong, what to do.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error("{path}: cannot be read: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The file cannot be written.
    #[error("{path}: {what}: {source}; free some space or choose another folder")]
    Write {
        /// The file.
        path: PathBuf,
        /// What could not be done.
        what: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// The bytes are not what the file should hold.
    #[error("{file}: {why}")]
    Format {
        /// The file.
        file: String,
        /// What is wrong, and what to do.
        why: String,
    },
}

impl Error {
    pub(crate) fn format(file: &str, why: impl Into<String>) -> Error {
        Error::Format {
            file: file.into(),
            why: why.into(),
        }
    }
}
