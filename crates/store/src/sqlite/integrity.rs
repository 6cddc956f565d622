//! What should not be: the engine's own checks, and the invariants that no constraint can hold.
//! Each question lists at most [`FINDINGS_MAX`] rows, so that a broken table does not fill the memory.

use super::columns::Columns;
use super::query::list;
use crate::{AccountKey, BatchId, Finding, PackId, PageId, RecordId, Stored};
use rusqlite::Connection;
use std::collections::BTreeMap;

const FINDINGS_MAX: i64 = 1000;

/// A question about the store, and how a row of its answer is told.
type Question = (&'static str, &'static str, fn(&mut Columns<'_, '_>) -> Stored<Finding>);

const QUESTIONS: &[Question] = &[
    (
        "look for records alone",
        "SELECT r.id FROM records r WHERE NOT EXISTS
            (SELECT 1 FROM conversations c WHERE c.account = r.account AND c.id = r.conversation) LIMIT ?1",
        |row| Ok(Finding::RecordAlone(RecordId(row.bytes16("id")?))),
    ),
    (
        "count records",
        "SELECT r.id FROM records r
            WHERE r.messages <> (SELECT count(*) FROM messages m WHERE m.account = r.account AND m.record = r.id)
                OR r.segments <> (SELECT count(*) FROM segments s WHERE s.account = r.account AND s.record = r.id)
            LIMIT ?1",
        |row| Ok(Finding::RecordCounts(RecordId(row.bytes16("id")?))),
    ),
    (
        "look for messages alone",
        "SELECT 'messages', count(*) FROM messages m WHERE NOT EXISTS
            (SELECT 1 FROM records r WHERE r.account = m.account AND r.id = m.record) HAVING count(*) > 0 LIMIT ?1",
        |row| Ok(Finding::Dangling { table: row.get("table")?, rows: row.count("rows")? }),
    ),
    (
        "look for segments alone",
        "SELECT 'segments', count(*) FROM segments s WHERE NOT EXISTS
            (SELECT 1 FROM records r WHERE r.account = s.account AND r.id = s.record) HAVING count(*) > 0 LIMIT ?1",
        |row| Ok(Finding::Dangling { table: row.get("table")?, rows: row.count("rows")? }),
    ),
    (
        "look for copies without a key",
        "SELECT DISTINCT record FROM copies WHERE state = 0 AND wrap IS NULL AND place IS NULL
            AND class IN (SELECT class FROM copies WHERE wrap IS NOT NULL) LIMIT ?1",
        |row| Ok(Finding::CopyWithoutKey(RecordId(row.bytes16("record")?))),
    ),
    (
        "look for copies without a batch",
        "SELECT DISTINCT record FROM copies WHERE state > 0
            AND (batch IS NULL OR batch NOT IN (SELECT id FROM batches)) LIMIT ?1",
        |row| Ok(Finding::CopyWithoutBatch(RecordId(row.bytes16("record")?))),
    ),
    (
        "look for segments adrift",
        "SELECT s.record, s.pack FROM segments s LEFT JOIN packs p ON p.id = s.pack
            WHERE p.id IS NULL OR p.removed_at IS NOT NULL LIMIT ?1",
        |row| {
            let record = RecordId(row.bytes16("record")?);
            Ok(Finding::SegmentAdrift { record, pack: PackId(row.bytes16("pack")?) })
        },
    ),
    (
        "count packs",
        "SELECT p.id, p.segments, COALESCE(f.found, 0) FROM packs p LEFT JOIN
            (SELECT pack, count(*) AS found, sum(length) AS bytes FROM segments GROUP BY pack) f ON f.pack = p.id
            WHERE p.segments <> COALESCE(f.found, 0) OR p.live <> COALESCE(f.bytes, 0) LIMIT ?1",
        |row| {
            let pack = PackId(row.bytes16("id")?);
            Ok(Finding::PackCount { pack, counted: row.count("segments")?, found: row.count("found")? })
        },
    ),
    (
        "count pages",
        "SELECT p.id, p.wraps, COALESCE(f.found, 0) FROM pages p LEFT JOIN
            (SELECT page, count(*) AS found FROM
                (SELECT page FROM copies WHERE page IS NOT NULL
                 UNION ALL SELECT account_page FROM accounts WHERE account_page IS NOT NULL
                 UNION ALL SELECT proof_page FROM accounts WHERE proof_page IS NOT NULL)
             GROUP BY page) f ON f.page = p.id
            WHERE p.wraps <> COALESCE(f.found, 0) LIMIT ?1",
        |row| {
            let page = PageId(row.bytes16("id")?);
            Ok(Finding::PageCount { page, counted: row.count("wraps")?, found: row.count("found")? })
        },
    ),
    (
        "look for wraps adrift",
        "SELECT f.page FROM
            (SELECT page FROM copies WHERE wrap IS NOT NULL
             UNION SELECT account_page FROM accounts WHERE account_page IS NOT NULL
             UNION SELECT proof_page FROM accounts WHERE proof_page IS NOT NULL) f
            LEFT JOIN pages p ON p.id = f.page WHERE p.id IS NULL OR p.state = 2 LIMIT ?1",
        |row| Ok(Finding::WrapAdrift(PageId(row.bytes16("page")?))),
    ),
    (
        "follow the chains",
        "SELECT a.key FROM accounts a LEFT JOIN
            (SELECT account, count(*) AS found, max(version) AS newest FROM statements
             WHERE account IS NOT NULL GROUP BY account) s ON s.account = a.key
            WHERE a.chain_version <> COALESCE(s.newest, 0) OR a.chain_version <> COALESCE(s.found, 0)
                OR (a.chain_version > 0 AND (a.key, a.chain_version, a.chain_head, a.chain_at) IS NOT
                    (SELECT account, version, commitment, at FROM statements WHERE seq = a.chain_seq))
            LIMIT ?1",
        |row| Ok(Finding::ChainGap(AccountKey(row.int("key")?))),
    ),
    (
        "follow the links of chains",
        "SELECT DISTINCT s.account FROM statements s LEFT JOIN statements p ON p.seq = s.previous
            WHERE s.account IS NOT NULL AND s.version > 1
                AND (p.account, p.version) IS NOT (s.account, s.version - 1) LIMIT ?1",
        |row| Ok(Finding::ChainGap(AccountKey(row.int("account")?))),
    ),
    (
        "count statements",
        "SELECT COALESCE(max(seq), -1) + 1, count(*) FROM statements
            HAVING COALESCE(max(seq), -1) + 1 <> count(*) LIMIT ?1",
        |row| Ok(Finding::StatementGap { expected: row.count("expected")?, found: row.count("found")? }),
    ),
    (
        "compare batches with their copies",
        "SELECT b.id, count(*) FROM copies c JOIN batches b ON b.id = c.batch
            WHERE b.stage >= 3 AND c.state < b.stage GROUP BY b.id LIMIT ?1",
        |row| Ok(Finding::BatchAhead { batch: BatchId(row.int("id")?), copies: row.count("copies")? }),
    ),
];

/// Everything that should not be, in one state of the store.
pub(super) fn check(connection: &Connection) -> Stored<Vec<Finding>> {
    let mut findings = engine(connection)?;
    for (operation, sql, tell) in QUESTIONS {
        findings.extend(list(connection, operation, sql, [FINDINGS_MAX], tell)?);
    }
    Ok(findings)
}

/// SQLite's own checks. Their lines can hold stored values, so they are counted and not passed on.
fn engine(connection: &Connection) -> Stored<Vec<Finding>> {
    let mut findings = Vec::new();
    let lines: Vec<String> =
        list(connection, "check the file", "PRAGMA integrity_check", [], |row| row.get("line"))?;
    let lines = lines.iter().filter(|line| *line != "ok").map(|_| 1_u64).sum();
    if lines > 0 {
        findings.push(Finding::Damaged { lines });
    }
    let dangling: Vec<String> =
        list(connection, "check references", "PRAGMA foreign_key_check", [], |row| row.get("table"))?;
    let mut by_table: BTreeMap<String, u64> = BTreeMap::new();
    for table in dangling {
        *by_table.entry(table).or_default() += 1;
    }
    findings.extend(by_table.into_iter().map(|(table, rows)| Finding::Dangling { table, rows }));
    Ok(findings)
}
