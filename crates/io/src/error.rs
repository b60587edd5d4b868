//! What can be wrong with a file.

use std::path::PathBuf;

/// A file that cannot be read or written, said in one line: which, what is wrong, what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
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
    /// The file is whole, and asks for something that elman does not do.
    #[error("{file}: {what} is not supported")]
    Unsupported {
        /// The file.
        file: String,
        /// Which operator or attribute, of which node.
        what: String,
    },
    /// A node of a graph cannot be run with what it is given.
    #[error("{file}: {node}: {why}")]
    Node {
        /// The file.
        file: String,
        /// Which node, by operator and name.
        node: String,
        /// What is wrong.
        why: String,
    },
    /// An input of a graph is missing, or not of the type or shape that the graph declares.
    #[error("{file}: input {input:?}: {why}")]
    Input {
        /// The file.
        file: String,
        /// Which input.
        input: String,
        /// What is wrong, and what there is.
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
