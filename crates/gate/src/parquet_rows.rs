//! Rows as Parquet: columns of one row group at a time.

use std::path::Path;
use std::sync::Arc;

use parquet::basic::{Compression, ZstdLevel};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::{ByteArray, ByteArrayType, DataType, Int32Type, Int64Type};
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::parser::parse_message_type;
use parquet::schema::types::ColumnPath;

use crate::file::{FileWritten, ShardFile};
use crate::{GateError, Row};

/// The columns. Their order is that of [`Columns::write`].
const SCHEMA: &str = "message row {
    required binary record (STRING);
    required binary policy (STRING);
    optional int64 decision (INTEGER(64,false));
    optional binary leaf (STRING);
    required binary message (STRING);
    required int64 at (TIMESTAMP(MICROS,true));
    required binary role (STRING);
    required binary text (STRING);
    optional binary content (JSON);
    required int32 shard (INTEGER(32,false));
    required int64 row (INTEGER(64,false));
}";

/// A row group is written when it has this many rows, or [`GROUP_BYTES`].
const GROUP_ROWS: usize = 20_000;
/// See [`GROUP_ROWS`].
const GROUP_BYTES: u64 = 16 * 1024 * 1024;

/// The rows of the next row group, by column.
#[derive(Debug, Default)]
struct Columns {
    records: Vec<ByteArray>,
    policies: Vec<ByteArray>,
    decisions: Optional<i64>,
    leaves: Optional<ByteArray>,
    messages: Vec<ByteArray>,
    ats: Vec<i64>,
    roles: Vec<ByteArray>,
    texts: Vec<ByteArray>,
    contents: Optional<ByteArray>,
    shards: Vec<i32>,
    rows: Vec<i64>,
    bytes: u64,
}

/// A column that may lack values: those that are there, and a level for each row.
#[derive(Debug)]
struct Optional<T> {
    values: Vec<T>,
    levels: Vec<i16>,
}

impl<T> Default for Optional<T> {
    fn default() -> Self {
        Self { values: Vec::new(), levels: Vec::new() }
    }
}

impl<T> Optional<T> {
    fn push(&mut self, value: Option<T>) {
        self.levels.push(i16::from(value.is_some()));
        self.values.extend(value);
    }
}

impl Columns {
    fn push(&mut self, row: &Row<'_>) {
        let text = |text: &str| ByteArray::from(text.as_bytes().to_vec());
        self.records.push(text(row.record));
        self.policies.push(text(row.policy));
        self.decisions.push(row.decision.map(u64::cast_signed));
        self.leaves.push(row.leaf.map(text));
        self.messages.push(text(row.message));
        self.ats.push(row.at.micros());
        self.roles.push(text(row.role));
        self.texts.push(text(row.text));
        self.contents.push(row.content.map(|content| text(content.get())));
        self.shards.push(row.shard.cast_signed());
        self.rows.push(row.row.cast_signed());
        self.bytes += row.size();
    }

    fn is_full(&self) -> bool {
        self.rows.len() >= GROUP_ROWS || self.bytes >= GROUP_BYTES
    }

    fn write(&self, out: &mut SerializedFileWriter<ShardFile>) -> ParquetResult<()> {
        let mut group = out.next_row_group()?;
        let mut number = 0;
        while let Some(mut column) = group.next_column()? {
            match number {
                0 => all::<ByteArrayType>(&mut column, &self.records)?,
                1 => all::<ByteArrayType>(&mut column, &self.policies)?,
                2 => some::<Int64Type>(&mut column, &self.decisions)?,
                3 => some::<ByteArrayType>(&mut column, &self.leaves)?,
                4 => all::<ByteArrayType>(&mut column, &self.messages)?,
                5 => all::<Int64Type>(&mut column, &self.ats)?,
                6 => all::<ByteArrayType>(&mut column, &self.roles)?,
                7 => all::<ByteArrayType>(&mut column, &self.texts)?,
                8 => some::<ByteArrayType>(&mut column, &self.contents)?,
                9 => all::<Int32Type>(&mut column, &self.shards)?,
                10 => all::<Int64Type>(&mut column, &self.rows)?,
                _ => return Err(ParquetError::General("the schema has a column too many".to_owned())),
            }
            column.close()?;
            number += 1;
        }
        group.close()?;
        Ok(())
    }
}

fn all<T: DataType>(column: &mut SerializedColumnWriter<'_>, values: &[T::T]) -> ParquetResult<()> {
    write::<T>(column, values, None)
}

fn some<T: DataType>(column: &mut SerializedColumnWriter<'_>, values: &Optional<T::T>) -> ParquetResult<()> {
    write::<T>(column, &values.values, Some(&values.levels))
}

/// Checks the type that `typed` would panic on.
fn write<T: DataType>(
    column: &mut SerializedColumnWriter<'_>,
    values: &[T::T],
    levels: Option<&[i16]>,
) -> ParquetResult<()> {
    let fits = matches!(
        (column.untyped(), T::get_physical_type()),
        (ColumnWriter::Int32ColumnWriter(_), parquet::basic::Type::INT32)
            | (ColumnWriter::Int64ColumnWriter(_), parquet::basic::Type::INT64)
            | (ColumnWriter::ByteArrayColumnWriter(_), parquet::basic::Type::BYTE_ARRAY)
    );
    if !fits {
        return Err(ParquetError::General("a column has another type than its schema".to_owned()));
    }
    column.typed::<T>().write_batch(values, levels, None)?;
    Ok(())
}

/// A Parquet file under construction.
pub(crate) struct ParquetFile {
    name: String,
    out: SerializedFileWriter<ShardFile>,
    columns: Columns,
    rows: u64,
}

impl std::fmt::Debug for ParquetFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ParquetFile")
            .field("name", &self.name)
            .field("rows", &self.rows)
            .finish_non_exhaustive()
    }
}

impl ParquetFile {
    pub(crate) fn create(folder: &Path, shard: u32, first_row: u64) -> Result<Self, GateError> {
        let file = ShardFile::create(folder, shard, "parquet", first_row)?;
        let name = file.name().to_owned();
        let open = || {
            let schema = Arc::new(parse_message_type(SCHEMA)?);
            // Least and greatest values of what people said would stand in the clear in the footer's
            // metadata, which tools print without reading a row.
            let mut properties = WriterProperties::builder()
                .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
                .set_created_by(concat!("tenure ", env!("CARGO_PKG_VERSION")).to_owned());
            for column in ["text", "content"] {
                let path = ColumnPath::from(column);
                properties = properties
                    .set_column_statistics_enabled(path.clone(), EnabledStatistics::None)
                    .set_column_dictionary_enabled(path, false);
            }
            SerializedFileWriter::new(file, schema, Arc::new(properties.build()))
        };
        let out = open().map_err(|source| GateError::Parquet { name: name.clone(), source })?;
        Ok(Self { name, out, columns: Columns::default(), rows: 0 })
    }

    pub(crate) fn push(&mut self, row: &Row<'_>) -> Result<(), GateError> {
        self.columns.push(row);
        self.rows += 1;
        if self.columns.is_full() { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), GateError> {
        let columns = std::mem::take(&mut self.columns);
        if columns.rows.is_empty() {
            return Ok(());
        }
        let written = columns.write(&mut self.out);
        written.map_err(|source| GateError::Parquet { name: self.name.clone(), source })
    }

    pub(crate) fn finish(mut self) -> Result<FileWritten, GateError> {
        self.flush()?;
        let Self { name, out, rows, .. } = self;
        let end = out.into_inner();
        end.map_err(|source| GateError::Parquet { name, source })?.finish(rows)
    }
}
