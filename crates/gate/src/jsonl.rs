//! Rows as JSON, one a line.

use std::io::Write as _;
use std::path::Path;

use serde_json::value::RawValue;

use crate::file::{FileWritten, ShardFile};
use crate::{GateError, Row};

/// A file of JSON lines under construction.
#[derive(Debug)]
pub(crate) struct JsonlFile {
    file: ShardFile,
    rows: u64,
}

impl JsonlFile {
    pub(crate) fn create(folder: &Path, shard: u32, first_row: u64) -> Result<Self, GateError> {
        Ok(Self { file: ShardFile::create(folder, shard, "jsonl", first_row)?, rows: 0 })
    }

    pub(crate) fn push(&mut self, row: &Row<'_>) -> Result<(), GateError> {
        let name = self.file.name().to_owned();
        let failed = |source| GateError::Json { name: name.clone(), source };
        // Content that was written over several lines would make several lines of one row.
        let on_one_line = match row.content {
            Some(content) if content.get().contains(['\n', '\r']) => {
                let value: serde_json::Value = serde_json::from_str(content.get()).map_err(failed)?;
                Some(serde_json::value::to_raw_value(&value).map_err(failed)?)
            }
            _ => None,
        };
        let content: Option<&RawValue> = on_one_line.as_deref().or(row.content);
        serde_json::to_writer(&mut self.file, &Row { content, ..*row }).map_err(failed)?;
        self.file
            .write_all(b"\n")
            .map_err(|error| GateError::Write { name: name.clone(), kind: error.kind() })?;
        self.rows += 1;
        Ok(())
    }

    pub(crate) fn finish(self) -> Result<FileWritten, GateError> {
        self.file.finish(self.rows)
    }
}
