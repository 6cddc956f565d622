//! A shard: the same rows in each format that was asked for.

use std::path::Path;

use crate::file::FileWritten;
use crate::jsonl::JsonlFile;
use crate::parquet_rows::ParquetFile;
use crate::{GateError, Limits, Row, Rows};

/// A shard under construction.
#[derive(Debug)]
pub(crate) struct Shard {
    number: u32,
    jsonl: Option<JsonlFile>,
    parquet: Option<ParquetFile>,
    rows: u64,
    bytes: u64,
}

impl Shard {
    pub(crate) fn create(
        folder: &Path,
        number: u32,
        format: Rows,
        first_row: u64,
    ) -> Result<Self, GateError> {
        let jsonl = match format {
            Rows::Jsonl | Rows::Both => Some(JsonlFile::create(folder, number, first_row)?),
            Rows::Parquet => None,
        };
        let parquet = match format {
            Rows::Parquet | Rows::Both => Some(ParquetFile::create(folder, number, first_row)?),
            Rows::Jsonl => None,
        };
        Ok(Self { number, jsonl, parquet, rows: 0, bytes: 0 })
    }

    pub(crate) const fn number(&self) -> u32 {
        self.number
    }

    pub(crate) const fn is_full(&self, limits: Limits) -> bool {
        self.rows >= limits.rows || self.bytes >= limits.bytes
    }

    pub(crate) fn push(&mut self, row: &Row<'_>) -> Result<(), GateError> {
        if let Some(jsonl) = &mut self.jsonl {
            jsonl.push(row)?;
        }
        if let Some(parquet) = &mut self.parquet {
            parquet.push(row)?;
        }
        self.rows += 1;
        self.bytes += row.size();
        Ok(())
    }

    pub(crate) fn finish(self, files: &mut Vec<FileWritten>) -> Result<(), GateError> {
        if let Some(jsonl) = self.jsonl {
            files.push(jsonl.finish()?);
        }
        if let Some(parquet) = self.parquet {
            files.push(parquet.finish()?);
        }
        Ok(())
    }
}
