//! The log's head and tiles.

use super::SqliteTx;
use super::query::{change, first, limit, list, number};
use crate::{Digest, LogRead, LogWrite, Seq, Stored, TreeHead};
use rusqlite::params;

impl LogRead for SqliteTx<'_> {
    fn tree_head(&mut self) -> Stored<Option<TreeHead>> {
        first(self.0, "read the log's head", "SELECT size, root FROM log WHERE id = 0", [], |row| {
            Ok(TreeHead { size: row.count("size")?, root: row.bytes32("root")? })
        })
    }

    fn tile(&mut self, level: u8, place: u64) -> Stored<Option<Vec<u8>>> {
        let sql = "SELECT hashes FROM tiles WHERE level = ?1 AND place = ?2";
        let values = params![level, number(place, "place")?];
        first(self.0, "read a tile", sql, values, |row| row.get("hashes"))
    }

    fn commitments(&mut self, from: Seq, rows: usize) -> Stored<Vec<Digest>> {
        let sql = "SELECT seq, commitment FROM statements WHERE seq >= ?1 ORDER BY seq LIMIT ?2";
        let read = list(self.0, "read leaves", sql, params![from, limit(rows)], |row| {
            Ok((row.int("seq")?, row.bytes32("commitment")?))
        })?;
        let unbroken = (from.0..).zip(read).take_while(|(expected, (seq, _))| expected == seq);
        Ok(unbroken.map(|(_, (_, commitment))| commitment).collect())
    }
}

impl LogWrite for SqliteTx<'_> {
    fn put_tile(&mut self, level: u8, place: u64, hashes: &[u8]) -> Stored<()> {
        let sql = "INSERT INTO tiles (level, place, hashes) VALUES (?1, ?2, ?3)
            ON CONFLICT (level, place) DO UPDATE SET hashes = excluded.hashes";
        change(self.0, "put a tile", sql, params![level, number(place, "place")?, hashes]).map(drop)
    }

    fn move_head(&mut self, from: &TreeHead, to: &TreeHead) -> Stored<bool> {
        let sql = "UPDATE log SET size = ?3, root = ?4 WHERE id = 0 AND size = ?1 AND root = ?2";
        let values = params![number(from.size, "size")?, from.root, number(to.size, "size")?, to.root];
        Ok(change(self.0, "move the log's head", sql, values)? == 1)
    }
}
