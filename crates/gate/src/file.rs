//! Files that are hashed while they are written and synced when they are done.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Read as _, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::GateError;

/// How much is handed to the operating system at once.
const BUFFER_BYTES: usize = 256 * 1024;

/// A file of an export, complete and synced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileWritten {
    /// Its name within the export.
    pub name: String,
    /// Its shard.
    pub shard: u32,
    /// The number of its first row in the export.
    pub first_row: u64,
    /// How many rows it has.
    pub rows: u64,
    /// How many bytes it has.
    pub bytes: u64,
    /// Its SHA-256, in hexadecimal.
    pub sha256: String,
}

/// What has gone to the disk so far, and its hash.
#[derive(Debug)]
struct Hashed {
    file: File,
    hash: Sha256,
    bytes: u64,
}

impl Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = self.file.write(bytes)?;
        self.hash.update(bytes.get(..taken).unwrap_or_default());
        self.bytes += taken as u64;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// A file under construction.
#[derive(Debug)]
pub(crate) struct ShardFile {
    name: String,
    shard: u32,
    first_row: u64,
    out: BufWriter<Hashed>,
}

impl ShardFile {
    /// Makes the file; one that is there already is left alone.
    pub(crate) fn create(folder: &Path, shard: u32, kind: &str, first_row: u64) -> Result<Self, GateError> {
        let name = format!("shard-{shard:05}.{kind}");
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        // What people said is for the one who exports it, and not for others on the machine.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options
            .open(folder.join(&name))
            .map_err(|error| GateError::Create { name: name.clone(), kind: error.kind() })?;
        let hashed = Hashed { file, hash: Sha256::new(), bytes: 0 };
        Ok(Self { name, shard, first_row, out: BufWriter::with_capacity(BUFFER_BYTES, hashed) })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Syncs the file and says what it is.
    pub(crate) fn finish(self, rows: u64) -> Result<FileWritten, GateError> {
        let Self { name, shard, first_row, out } = self;
        let failed = |error: io::Error| GateError::Write { name: name.clone(), kind: error.kind() };
        let Hashed { file, hash, bytes } = out.into_inner().map_err(|error| failed(error.into_error()))?;
        file.sync_all().map_err(failed)?;
        let sha256 = hex(&hash.finalize());
        Ok(FileWritten { name, shard, first_row, rows, bytes, sha256 })
    }
}

impl Write for ShardFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Whether a name is one that an export gives to its files.
pub fn is_shard_name(name: &str) -> bool {
    let digits = |digits: &str| digits.len() >= 5 && digits.bytes().all(|digit| digit.is_ascii_digit());
    name.strip_prefix("shard-")
        .and_then(|rest| rest.split_once('.'))
        .is_some_and(|(shard, kind)| digits(shard) && matches!(kind, "jsonl" | "parquet"))
}

/// The SHA-256, in hexadecimal, and the length of a file, read without holding it in memory.
pub fn digest_of(path: &Path) -> Result<(String, u64), GateError> {
    let failed = |error: io::Error| GateError::Read(error.kind());
    let mut file = File::open(path).map_err(failed)?;
    let (mut hash, mut bytes) = (Sha256::new(), 0);
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        let taken = match file.read(&mut buffer) {
            Ok(taken) => taken,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(failed(error)),
        };
        if taken == 0 {
            return Ok((hex(&hash.finalize()), bytes));
        }
        hash.update(buffer.get(..taken).unwrap_or_default());
        bytes += taken as u64;
    }
}

/// Makes the names of a folder durable.
pub fn sync_folder(folder: &Path) -> Result<(), GateError> {
    // Elsewhere folders can't be opened, and names are durable with their files.
    if cfg!(unix) {
        let synced = File::open(folder).and_then(|folder| folder.sync_all());
        synced.map_err(|error| GateError::Write { name: ".".to_owned(), kind: error.kind() })?;
    }
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let nibble = |value: u8| char::from(DIGITS.get(usize::from(value)).copied().unwrap_or(b'0'));
    bytes.iter().flat_map(|byte| [nibble(byte >> 4), nibble(byte & 15)]).collect()
}
