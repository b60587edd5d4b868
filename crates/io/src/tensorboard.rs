//! Event files that TensorBoard reads: scalars by name and step.
//!
//! A file is records of TensorFlow's `TFRecord` (length, masked CRC-32C of the length, bytes, masked CRC-32C of the
//! bytes), each an `Event` (`tensorflow/core/util/event.proto`).

use crate::Error;
use crate::wire::Message;
use crc::{CRC_32_ISCSI, Crc};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

const CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISCSI);

/// Fields of `Event`, `Summary` and `Summary.Value`.
mod field {
    pub const WALL_TIME: u64 = 1;
    pub const STEP: u64 = 2;
    pub const FILE_VERSION: u64 = 3;
    pub const SUMMARY: u64 = 5;
    pub const VALUE: u64 = 1;
    pub const TAG: u64 = 1;
    pub const SIMPLE_VALUE: u64 = 2;
}

/// A file of events, to which each call adds a record.
#[derive(Debug)]
pub struct EventFile {
    path: PathBuf,
    file: File,
}

impl EventFile {
    /// A new file in `folder`, named as TensorBoard finds it; files that are there already stay.
    pub fn create(folder: &Path) -> Result<EventFile, Error> {
        let seconds = now().floor();
        let names = (0..).map(|n| format!("events.out.tfevents.{seconds:010.0}.elman.{n}"));
        let mut last = None;
        for path in names.take(1000).map(|name| folder.join(name)) {
            match OpenOptions::new().append(true).create_new(true).open(&path) {
                Ok(file) => {
                    let mut events = EventFile { path, file };
                    let version = Message::new().double(field::WALL_TIME, now());
                    events.add(&version.text(field::FILE_VERSION, "brain.Event:2"))?;
                    return Ok(events);
                }
                Err(source) => last = Some((path, source)),
            }
        }
        let (path, source) = last.unwrap_or((folder.into(), std::io::ErrorKind::Other.into()));
        Err(cannot(path, source))
    }

    /// Adds values by name, all of one step.
    pub fn scalars(&mut self, step: u64, values: &[(&str, f64)]) -> Result<(), Error> {
        let summary = values.iter().fold(Message::new(), |all, (tag, x)| {
            let value = Message::new().text(field::TAG, tag);
            all.message(field::VALUE, value.float(field::SIMPLE_VALUE, *x as f32))
        });
        let event = Message::new().double(field::WALL_TIME, now());
        let event = event.int(field::STEP, step as i64);
        self.add(&event.message(field::SUMMARY, summary))
    }

    fn add(&mut self, event: &Message) -> Result<(), Error> {
        // In one write, so that a reader never sees a half of it for long.
        let written = self.file.write_all(&record(&event.0));
        written.map_err(|source| cannot(self.path.clone(), source))
    }
}

fn cannot(path: PathBuf, source: std::io::Error) -> Error {
    Error::Write {
        path,
        what: "cannot be written".into(),
        source,
    }
}

fn record(bytes: &[u8]) -> Vec<u8> {
    let length = (bytes.len() as u64).to_le_bytes();
    let mut all = length.to_vec();
    all.extend(masked(&length).to_le_bytes());
    all.extend(bytes);
    all.extend(masked(bytes).to_le_bytes());
    all
}

/// A checksum of bytes that hold checksums is masked, as TensorFlow has it.
fn masked(bytes: &[u8]) -> u32 {
    CRC.checksum(bytes)
        .rotate_right(15)
        .wrapping_add(0xA282_EAD8)
}

fn now() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0.0, |d| d.as_secs_f64())
}
