//! A training export: rows in shards.

use std::path::{Path, PathBuf};

use tenure_policy::Permitted;

use crate::GateError;
use crate::file::{FileWritten, sync_folder};
use crate::row::{Bound, Row, Said};
use crate::shard::Shard;

/// In which formats rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rows {
    /// JSON lines.
    Jsonl,
    /// Parquet.
    Parquet,
    /// Both, with the same rows in shards of the same numbers.
    Both,
}

/// When a shard is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// It has this many rows.
    pub rows: u64,
    /// Or its rows have about this many bytes before they are compressed.
    pub bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { rows: 1_000_000, bytes: 512 * 1024 * 1024 }
    }
}

/// The rows that were written of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// The first of them.
    pub first_row: u64,
    /// How many.
    pub rows: u32,
}

/// An export under construction. Dropped before it is finished, it leaves files that are not to be used.
#[derive(Debug)]
pub struct Export {
    folder: PathBuf,
    format: Rows,
    limits: Limits,
    open: Option<Shard>,
    shards: u32,
    rows: u64,
    files: Vec<FileWritten>,
}

impl Export {
    /// Begins an export in a folder that exists and holds no shards.
    pub fn begin(folder: &Path, format: Rows, limits: Limits) -> Self {
        Self { folder: folder.to_owned(), format, limits, open: None, shards: 0, rows: 0, files: Vec::new() }
    }

    /// How many rows there are so far; the next one's number.
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// Writes of a record what may be used, and nothing else of what it is given.
    ///
    /// What no verdict has permitted can't be written at all:
    ///
    /// ```compile_fail,E0308
    /// # fn forge(export: &mut tenure_gate::Export, bound: tenure_gate::Bound<'_>) {
    /// export.write(&tenure_policy::Verdict::default(), bound, []);
    /// # }
    /// ```
    pub fn write<'a>(
        &mut self,
        permitted: &Permitted,
        bound: Bound<'_>,
        messages: impl IntoIterator<Item = Said<'a>>,
    ) -> Result<Written, GateError> {
        let mut written = Written { first_row: self.rows, rows: 0 };
        for said in messages.into_iter().filter(|said| permitted.allows(said.id)) {
            let at = said.at.ok_or(GateError::Timeless)?;
            let number = self.rows;
            let shard = self.shard()?;
            shard.push(&Row {
                record: bound.record,
                policy: permitted.policy(),
                decision: bound.decision.map(|decision| decision.seq),
                leaf: bound.decision.map(|decision| decision.leaf.as_str()),
                message: said.id,
                at,
                role: said.role,
                text: said.text,
                content: said.content,
                shard: shard.number(),
                row: number,
            })?;
            self.rows += 1;
            written.rows += 1;
        }
        Ok(written)
    }

    /// Completes and syncs every file, and says what they are. Only then may anything rely on them.
    pub fn finish(mut self) -> Result<Vec<FileWritten>, GateError> {
        if let Some(shard) = self.open.take() {
            shard.finish(&mut self.files)?;
        }
        sync_folder(&self.folder)?;
        Ok(self.files)
    }

    /// The shard that takes the next row.
    fn shard(&mut self) -> Result<&mut Shard, GateError> {
        if let Some(full) = self.open.take_if(|shard| shard.is_full(self.limits)) {
            full.finish(&mut self.files)?;
        }
        match &mut self.open {
            Some(shard) => Ok(shard),
            empty => {
                let number = self.shards;
                self.shards = number.checked_add(1).ok_or(GateError::TooManyShards)?;
                Ok(empty.insert(Shard::create(&self.folder, number, self.format, self.rows)?))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};

    use parquet::file::reader::{FileReader as _, SerializedFileReader};
    use parquet::record::RowAccessor as _;
    use serde_json::Value;
    use serde_json::value::RawValue;
    use tenure_policy::case::Case;
    use tenure_policy::language::parse;
    use tenure_policy::{Lineage, Resolved};

    use super::*;
    use crate::row::Decided;
    use crate::{digest_of, is_shard_name};

    const CASE: &str = r#"{"at":"2025-11-01T00:00:00Z",
        "account":{"id":"a1","country":"US","minor":false},
        "decisions":[{"purpose":"train","choice":"on","at":"2025-09-02T09:00:00Z","version":"2025-10-08"}],
        "record":{"id":"r1","surface":"pro","kind":"chat","mode":"normal","country":"US","scanned":true,
          "created_at":"2025-09-10T09:00:00Z","last_activity_at":"2025-09-10T10:00:00Z",
          "messages":[{"id":"m1","at":"2025-09-10T09:00:00Z"},{"id":"m2","at":"2025-09-10T10:00:00Z"},
            {"id":"m3","at":"2025-09-10T10:00:00Z","derived_from":["elsewhere"]}]}}"#;

    fn permission() -> Permitted {
        let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../policies/example.toml"));
        let lineage = Lineage::compile(vec![parse("example.toml", &text.unwrap()).unwrap()]).unwrap();
        let case: Case<'_> = serde_json::from_str(CASE).unwrap();
        let resolved = Resolved::new(&lineage, &case).unwrap();
        let ruling = lineage.rule(&resolved.facts(&case), "train");
        ruling.permitted.into_iter().next().unwrap()
    }

    fn said<'a>(id: &'a str, text: &'a str, content: Option<&'a RawValue>) -> Said<'a> {
        let at = tenure_model::Instant::parse("2025-09-10T09:00:00Z").ok();
        Said { id, at, role: "human", text, content }
    }

    fn export(folder: &Path, format: Rows, limits: Limits) -> Vec<FileWritten> {
        let decided = Decided { seq: 7, leaf: "ab".repeat(32) };
        let content = RawValue::from_string("{\n\"a\": 1}".to_owned()).unwrap();
        let mut export = Export::begin(folder, format, limits);
        for record in ["r-1", "r-2", "r-3"] {
            let decision = (record != "r-3").then_some(&decided);
            let messages = [
                said("m1", "first\nline", Some(&content)),
                said("m2", "second", None),
                said("m3", "MARKER of a derived message", None),
                said("m4", "MARKER of a message that nobody judged", None),
            ];
            let written = export.write(&permission(), Bound { record, decision }, messages).unwrap();
            assert_eq!(written.rows, 2);
        }
        assert_eq!(export.rows(), 6);
        export.finish().unwrap()
    }

    #[test]
    fn json_lines_hold_the_permitted_messages_and_no_others() {
        let folder = tempfile::tempdir().unwrap();
        let files = export(folder.path(), Rows::Jsonl, Limits::default());
        assert_eq!(files.len(), 1);
        let text = fs::read_to_string(folder.path().join("shard-00000.jsonl")).unwrap();
        assert!(!text.contains("MARKER"));
        let rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(rows.len(), 6);
        let first = serde_json::json!({"record":"r-1","policy":"consumer@2025-10-08","decision":7,
            "leaf":"ab".repeat(32),"message":"m1","at":"2025-09-10T09:00:00Z","role":"human",
            "text":"first\nline","content":{"a":1},"shard":0,"row":0});
        assert_eq!(rows[0], first);
        assert_eq!(
            (&rows[5]["decision"], &rows[5]["leaf"], &rows[5]["row"]),
            (&Value::Null, &Value::Null, &5.into())
        );
    }

    #[test]
    fn parquet_reads_back_as_the_same_rows() {
        let folder = tempfile::tempdir().unwrap();
        export(folder.path(), Rows::Parquet, Limits { rows: 4, bytes: u64::MAX });
        let mut read = Vec::new();
        for name in ["shard-00000.parquet", "shard-00001.parquet"] {
            let reader = SerializedFileReader::new(File::open(folder.path().join(name)).unwrap()).unwrap();
            for row in reader.get_row_iter(None).unwrap() {
                let row = row.unwrap();
                let decision = row.get_ulong(2).ok();
                let content = row.get_string(8).ok().cloned();
                let text = row.get_string(7).unwrap().clone();
                let at = row.get_timestamp_micros(5).unwrap();
                assert_eq!(at, 1_757_494_800_000_000);
                read.push((
                    row.get_string(0).unwrap().clone(),
                    decision,
                    row.get_string(4).unwrap().clone(),
                    text,
                    content,
                    row.get_uint(9).unwrap(),
                    row.get_ulong(10).unwrap(),
                ));
            }
        }
        assert_eq!(read.len(), 6);
        let content = Some("{\n\"a\": 1}".to_owned());
        assert_eq!(read[0], ("r-1".into(), Some(7), "m1".into(), "first\nline".into(), content, 0, 0));
        assert_eq!(read[5], ("r-3".into(), None, "m2".into(), "second".into(), None, 1, 5));
    }

    #[test]
    fn both_formats_have_the_same_shards_and_every_digest_is_that_of_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let files = export(folder.path(), Rows::Both, Limits { rows: 2, bytes: u64::MAX });
        let names: Vec<_> = files.iter().map(|file| (&*file.name, file.first_row, file.rows)).collect();
        assert_eq!(names.len(), 6);
        assert_eq!(
            names[..3],
            [("shard-00000.jsonl", 0, 2), ("shard-00000.parquet", 0, 2), ("shard-00001.jsonl", 2, 2)]
        );
        for file in &files {
            assert!(is_shard_name(&file.name));
            let found = digest_of(&folder.path().join(&file.name)).unwrap();
            assert_eq!(found, (file.sha256.clone(), file.bytes));
        }
    }

    #[test]
    fn a_shard_ends_at_its_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let files = export(folder.path(), Rows::Jsonl, Limits { rows: u64::MAX, bytes: 1 });
        assert_eq!(files.iter().map(|file| file.rows).collect::<Vec<_>>(), [1; 6]);
    }

    #[test]
    fn an_export_never_writes_over_a_file() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("shard-00000.jsonl"), "other").unwrap();
        let mut export = Export::begin(folder.path(), Rows::Jsonl, Limits::default());
        let bound = Bound { record: "r-1", decision: None };
        let refused = export.write(&permission(), bound, [said("m1", "text", None)]).unwrap_err();
        assert!(matches!(refused, GateError::Create { kind: std::io::ErrorKind::AlreadyExists, .. }));
        assert_eq!(fs::read_to_string(folder.path().join("shard-00000.jsonl")).unwrap(), "other");
    }

    #[test]
    fn nothing_permitted_makes_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let mut export = Export::begin(folder.path(), Rows::Both, Limits::default());
        let bound = Bound { record: "r-1", decision: None };
        let written = export.write(&permission(), bound, [said("m9", "text", None)]).unwrap();
        assert_eq!(written.rows, 0);
        assert_eq!(export.finish().unwrap(), []);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn only_the_names_of_shards_are_such() {
        assert!(is_shard_name("shard-100000.parquet"));
        for name in
            ["shard-1.jsonl", "shard-00000.jsonl.bak", "shard-0000x.jsonl", "manifest.json", "shard-00000"]
        {
            assert!(!is_shard_name(name), "{name}");
        }
    }
}
