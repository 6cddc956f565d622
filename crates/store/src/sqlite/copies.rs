//! Copies and the due index.
//!
//! The index lies on (shard, class, situation, anchor, day, account, record) of live copies. A sweep walks it
//! by seeks: from group to group without reading a group's rows, and within a group from the oldest day on.
//! `INDEXED BY` holds SQLite to that plan whatever its statistics say.

use super::SqliteTx;
use super::copy_row::{copy, select_copies, stage};
use super::query::{change, change_one, first, limit, list, number};
use crate::spread::{StateColumns, stage_code};
use crate::{
    AccountKey, ClassId, CopyKey, CopyRead, CopyRow, CopyStage, CopyState, CopyWrite, DayCount,
    DestroyedCount, DueCopy, Filing, Group, PageId, PageWrite, RecordId, RefileMark, SituationId, StageCount,
    StoreError, Stored, Wrap,
};
use rusqlite::params;
use tenure_model::Day;

/// Before every key: numbers are not negative, and the empty blob sorts first.
const BEFORE_ALL: (i64, i64, &[u8]) = (i64::MIN, i64::MIN, &[]);

impl CopyRead for SqliteTx<'_> {
    fn classes(&mut self) -> Stored<Vec<(ClassId, String)>> {
        let sql = "SELECT id, name FROM classes ORDER BY id";
        list(self.0, "list classes", sql, [], |row| Ok((ClassId(row.int("id")?), row.get("name")?)))
    }

    fn situation(&mut self, id: SituationId) -> Stored<Option<Vec<u8>>> {
        let sql = "SELECT body FROM situations WHERE id = ?1";
        first(self.0, "read a situation", sql, [id], |row| row.get("body"))
    }

    fn copy(&mut self, key: CopyKey) -> Stored<Option<CopyRow>> {
        let sql = select_copies!("WHERE account = ?1 AND record = ?2 AND class = ?3");
        first(self.0, "read a copy", sql, params![key.account, key.record, key.class], copy)
    }

    fn copies_of_record(&mut self, account: AccountKey, record: RecordId) -> Stored<Vec<CopyRow>> {
        let sql = select_copies!("WHERE account = ?1 AND record = ?2 ORDER BY class");
        list(self.0, "list a record's copies", sql, params![account, record], copy)
    }

    fn copies_of(
        &mut self,
        account: AccountKey,
        after: Option<CopyKey>,
        rows: usize,
    ) -> Stored<Vec<CopyRow>> {
        let sql = select_copies!(
            "WHERE account = ?1 AND (record, class) > (?2, ?3) ORDER BY record, class LIMIT ?4"
        );
        let (record, class) =
            after.as_ref().map_or((BEFORE_ALL.2, BEFORE_ALL.1), |key| (&key.record.0, key.class.0));
        list(self.0, "list an account's copies", sql, params![account, record, class, limit(rows)], copy)
    }

    fn copies_of_page(&mut self, page: PageId) -> Stored<Vec<CopyRow>> {
        let sql = select_copies!(
            "INDEXED BY copies_by_page WHERE page = ?1 AND wrap IS NOT NULL ORDER BY account, record, class"
        );
        list(self.0, "list a page's copies", sql, [page], copy)
    }

    fn shards(&mut self) -> Stored<Vec<u16>> {
        let sql = "SELECT shard FROM copies INDEXED BY copies_due
            WHERE state = 0 AND shard > ?1 ORDER BY shard LIMIT 1";
        let mut found: Vec<u16> = Vec::new();
        loop {
            let last = found.last().map_or(-1, |shard| i64::from(*shard));
            match first(self.0, "find the next shard", sql, [last], |row| row.get("shard"))? {
                Some(shard) => found.push(shard),
                None => return Ok(found),
            }
        }
    }

    fn groups(&mut self, shard: u16) -> Stored<Vec<Group>> {
        // `>=` with the next anchor, not `>`: for a row value SQLite seeks to the first equal row even for `>`,
        // and would then step over every row of the group.
        let sql = "SELECT class, situation, anchor FROM copies INDEXED BY copies_due
            WHERE state = 0 AND shard = ?1 AND (class, situation, anchor) >= (?2, ?3, ?4)
            ORDER BY class, situation, anchor LIMIT 1";
        let mut found: Vec<Group> = Vec::new();
        loop {
            let from = found.last().map_or((i64::MIN, i64::MIN, 0), |group| {
                (group.class.0, group.situation.0, i64::from(group.anchor) + 1)
            });
            let next =
                first(self.0, "find the next group", sql, params![shard, from.0, from.1, from.2], |row| {
                    Ok(Group {
                        class: ClassId(row.int("class")?),
                        situation: SituationId(row.int("situation")?),
                        anchor: row.get("anchor")?,
                    })
                })?;
            match next {
                Some(group) => found.push(group),
                None => return Ok(found),
            }
        }
    }

    fn due(
        &mut self,
        shard: u16,
        group: Group,
        up_to: Day,
        after: Option<DueCopy>,
        rows: usize,
    ) -> Stored<Vec<DueCopy>> {
        let sql = "SELECT day, account, record FROM copies INDEXED BY copies_due
            WHERE state = 0 AND shard = ?1 AND class = ?2 AND situation = ?3 AND anchor = ?4
                AND day <= ?5 AND (day, account, record) > (?6, ?7, ?8)
            ORDER BY day, account, record LIMIT ?9";
        let (day, account, record) = after
            .as_ref()
            .map_or(BEFORE_ALL, |copy| (i64::from(copy.day.0), copy.account.0, copy.record.0.as_slice()));
        let values = params![
            shard,
            group.class,
            group.situation,
            group.anchor,
            up_to.0,
            day,
            account,
            record,
            limit(rows),
        ];
        list(self.0, "find due copies", sql, values, |row| {
            Ok(DueCopy {
                day: row.day("day")?,
                account: AccountKey(row.int("account")?),
                record: RecordId(row.bytes16("record")?),
            })
        })
    }

    fn count_due(&mut self, shard: u16, group: Group, from: Day, to: Day) -> Stored<Vec<DayCount>> {
        let sql = "SELECT day, count(*) FROM copies INDEXED BY copies_due
            WHERE state = 0 AND shard = ?1 AND class = ?2 AND situation = ?3 AND anchor = ?4
                AND day BETWEEN ?5 AND ?6
            GROUP BY day ORDER BY day";
        let values = params![shard, group.class, group.situation, group.anchor, from.0, to.0];
        list(self.0, "count due copies", sql, values, |row| {
            Ok(DayCount { day: row.day("day")?, copies: row.count("copies")? })
        })
    }

    fn count_live(&mut self, up_to: u64) -> Stored<u64> {
        let sql = "SELECT count(*) FROM
            (SELECT 1 FROM copies INDEXED BY copies_due WHERE state = 0 LIMIT ?1)";
        let up_to = i64::try_from(up_to).unwrap_or(i64::MAX);
        Ok(first(self.0, "count live copies", sql, [up_to], |row| row.count("copies"))?.unwrap_or(0))
    }

    fn stage_counts(&mut self) -> Stored<Vec<StageCount>> {
        let sql = "SELECT class, state, count(*), min(created_at) FROM copies
            GROUP BY class, state ORDER BY class, state";
        list(self.0, "count copies", sql, [], |row| {
            Ok(StageCount {
                class: ClassId(row.int("class")?),
                stage: stage(row)?,
                copies: row.count("copies")?,
                oldest: row.instant("created_at")?,
            })
        })
    }

    fn destroyed_counts(&mut self) -> Stored<Vec<DestroyedCount>> {
        // SQLite divides towards zero; a day before 1970 must not fall on the next one.
        let sql =
            "SELECT shredded_at / 86400000000 - (shredded_at % 86400000000 < 0) AS on_day, class, count(*)
            FROM copies WHERE shredded_at IS NOT NULL GROUP BY on_day, class ORDER BY on_day, class";
        list(self.0, "count destroyed copies", sql, [], |row| {
            Ok(DestroyedCount {
                day: row.day("shredded_at")?,
                class: ClassId(row.int("class")?),
                copies: row.count("copies")?,
            })
        })
    }

    fn refile_slice(&mut self, rows: usize) -> Stored<Vec<RefileMark>> {
        let sql = "SELECT account, marks FROM refile ORDER BY account LIMIT ?1";
        list(self.0, "list accounts to re-file", sql, [limit(rows)], |row| {
            Ok(RefileMark { account: AccountKey(row.int("account")?), marks: row.count("marks")? })
        })
    }

    fn refile_count(&mut self) -> Stored<u64> {
        let sql = "SELECT count(*) FROM refile";
        Ok(first(self.0, "count accounts to re-file", sql, [], |row| row.count("account"))?.unwrap_or(0))
    }
}

impl SqliteTx<'_> {
    fn intern(&self, operation: &'static str, sql: (&str, &str), name: impl rusqlite::ToSql) -> Stored<i64> {
        let (find, add) = sql;
        if let Some(id) = first(self.0, operation, find, [&name], |row| row.int("id"))? {
            return Ok(id);
        }
        change(self.0, operation, add, [&name])?;
        Ok(self.0.last_insert_rowid())
    }

    /// The stage of a copy and the page that it has a slot on.
    fn stage_and_page(&self, key: CopyKey) -> Stored<(CopyStage, Option<PageId>)> {
        let sql = "SELECT state, page FROM copies WHERE account = ?1 AND record = ?2 AND class = ?3";
        let found =
            first(self.0, "read a copy's stage", sql, params![key.account, key.record, key.class], |row| {
                Ok((stage(row)?, row.get::<Option<[u8; 16]>>("page")?.map(PageId)))
            })?;
        found.ok_or(StoreError::Missing { table: "copies" })
    }
}

impl CopyWrite for SqliteTx<'_> {
    fn intern_class(&mut self, name: &str) -> Stored<ClassId> {
        let sql = ("SELECT id FROM classes WHERE name = ?1", "INSERT INTO classes (name) VALUES (?1)");
        self.intern("intern a class", sql, name).map(ClassId)
    }

    fn intern_situation(&mut self, body: &[u8]) -> Stored<SituationId> {
        let sql = ("SELECT id FROM situations WHERE body = ?1", "INSERT INTO situations (body) VALUES (?1)");
        self.intern("intern a situation", sql, body).map(SituationId)
    }

    fn insert_copy(&mut self, new: &CopyRow) -> Stored<()> {
        let sql =
            "INSERT INTO copies (account, record, class, shard, place, created_at, situation, anchor, day,
                state, page, wrap, batch, due_at, cause, sealed_at, shredded_at, removed_at, verified_at)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)";
        let state = StateColumns::of(&new.state);
        let values = params![
            new.key.account,
            new.key.record,
            new.key.class,
            new.shard,
            new.place,
            new.created_at.micros(),
            new.filing.situation,
            new.filing.anchor,
            new.filing.day.0,
            stage_code(new.state.stage()),
            state.wrap.map(|wrap| wrap.page),
            state.wrap.map(|wrap| wrap.sealed.as_slice()),
            state.batch,
            state.due_at,
            state.cause,
            state.sealed_at,
            state.shredded_at,
            state.removed_at,
            state.verified_at,
        ];
        change(self.0, "add a copy", sql, values).map(drop)
    }

    fn file(&mut self, key: CopyKey, filing: Filing) -> Stored<()> {
        let sql = "UPDATE copies SET situation = ?4, anchor = ?5, day = ?6
            WHERE account = ?1 AND record = ?2 AND class = ?3";
        let values =
            params![key.account, key.record, key.class, filing.situation, filing.anchor, filing.day.0];
        change_one(self.0, "file a copy", "copies", sql, values)
    }

    fn move_copy(&mut self, key: CopyKey, from: CopyStage, to: &CopyState) -> Stored<bool> {
        let (now, page) = self.stage_and_page(key)?;
        if now != from {
            return Ok(false);
        }
        let sql = "UPDATE copies SET state = ?4, page = ?5, wrap = ?6, batch = ?7, due_at = ?8, cause = ?9,
                sealed_at = ?10, shredded_at = ?11, removed_at = ?12, verified_at = ?13
            WHERE account = ?1 AND record = ?2 AND class = ?3";
        let state = StateColumns::of(to);
        let new_page = state.wrap.map(|wrap| wrap.page);
        let values = params![
            key.account,
            key.record,
            key.class,
            stage_code(to.stage()),
            new_page,
            state.wrap.map(|wrap| wrap.sealed.as_slice()),
            state.batch,
            state.due_at,
            state.cause,
            state.sealed_at,
            state.shredded_at,
            state.removed_at,
            state.verified_at,
        ];
        change(self.0, "move a copy", sql, values)?;
        if let Some(page) = page.filter(|page| Some(*page) != new_page) {
            self.give_back_slots(page, 1)?;
        }
        Ok(true)
    }

    fn rewrap_copy(&mut self, key: CopyKey, wrap: &Wrap) -> Stored<()> {
        let (_, page) = self.stage_and_page(key)?;
        let page = page.ok_or(StoreError::Missing { table: "copies" })?;
        let sql = "UPDATE copies SET page = ?4, wrap = ?5 WHERE account = ?1 AND record = ?2 AND class = ?3";
        let values = params![key.account, key.record, key.class, wrap.page, wrap.sealed];
        change(self.0, "re-wrap a copy", sql, values)?;
        self.give_back_slots(page, 1)
    }

    fn mark_refile(&mut self, account: AccountKey) -> Stored<()> {
        let sql = "INSERT INTO refile (account, marks) VALUES (?1, 1)
            ON CONFLICT (account) DO UPDATE SET marks = marks + 1";
        change(self.0, "mark an account", sql, [account]).map(drop)
    }

    fn refile_done(&mut self, mark: RefileMark) -> Stored<()> {
        let sql = "DELETE FROM refile WHERE account = ?1 AND marks = ?2";
        change(self.0, "unmark an account", sql, params![mark.account, number(mark.marks, "marks")?])
            .map(drop)
    }
}
