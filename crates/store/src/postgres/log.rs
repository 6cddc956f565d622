//! The log's head and tiles.

use super::PgTx;
use super::query::{limit, number, params};
use crate::{Digest, LogRead, LogWrite, Seq, Stored, TreeHead};

impl LogRead for PgTx<'_> {
    fn tree_head(&mut self) -> Stored<Option<TreeHead>> {
        let sql = "SELECT size, root FROM log WHERE id = 0";
        self.first("read the log's head", sql, params![], |row| {
            Ok(TreeHead { size: row.count("size")?, root: row.bytes("root")? })
        })
    }

    fn tile(&mut self, level: u8, place: u64) -> Stored<Option<Vec<u8>>> {
        let sql = "SELECT hashes FROM tiles WHERE level = $1 AND place = $2";
        let values = params![i64::from(level), number(place, "place")?];
        self.first("read a tile", sql, values, |row| row.get("hashes"))
    }

    fn commitments(&mut self, from: Seq, rows: usize) -> Stored<Vec<Digest>> {
        let sql = "SELECT seq, commitment FROM statements WHERE seq >= $1 ORDER BY seq LIMIT $2";
        let read = self.list("read leaves", sql, params![from.0, limit(rows)], |row| {
            Ok((row.int("seq")?, row.bytes("commitment")?))
        })?;
        let unbroken = (from.0..).zip(read).take_while(|(expected, (seq, _))| expected == seq);
        Ok(unbroken.map(|(_, (_, commitment))| commitment).collect())
    }
}

impl LogWrite for PgTx<'_> {
    fn put_tile(&mut self, level: u8, place: u64, hashes: &[u8]) -> Stored<()> {
        let sql = "INSERT INTO tiles (level, place, hashes) VALUES ($1, $2, $3)
            ON CONFLICT (level, place) DO UPDATE SET hashes = excluded.hashes";
        let values = params![i64::from(level), number(place, "place")?, hashes];
        self.change("put a tile", sql, values).map(drop)
    }

    fn move_head(&mut self, from: &TreeHead, to: &TreeHead) -> Stored<bool> {
        let sql = "UPDATE log SET size = $3, root = $4 WHERE id = 0 AND size = $1 AND root = $2";
        let values = params![number(from.size, "size")?, from.root, number(to.size, "size")?, to.root];
        Ok(self.change("move the log's head", sql, values)? == 1)
    }
}
