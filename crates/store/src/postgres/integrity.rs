//! What should not be: the invariants that no constraint can hold. Damaged files are for PostgreSQL's own tools to
//! find (`pg_amcheck`, page checksums).
//! Each question lists at most [`FINDINGS_MAX`] rows, so that a broken table does not fill the memory.

use super::PgTx;
use super::columns::Columns;
use super::query::params;
use crate::{AccountKey, BatchId, Finding, PackId, PageId, RecordId, Stored};

const FINDINGS_MAX: i64 = 1000;

/// A question about the store, and how a row of its answer is told.
type Question = (&'static str, &'static str, fn(&mut Columns<'_>) -> Stored<Finding>);

const QUESTIONS: &[Question] = &[
    (
        "look for records alone",
        "SELECT r.id FROM records r WHERE NOT EXISTS
            (SELECT 1 FROM conversations c WHERE c.account = r.account AND c.id = r.conversation) LIMIT $1",
        |row| Ok(Finding::RecordAlone(RecordId(row.bytes("id")?))),
    ),
    (
        "count records",
        "SELECT r.id FROM records r
            WHERE r.messages <> (SELECT count(*) FROM messages m WHERE m.account = r.account AND m.record = r.id)
                OR r.segments <> (SELECT count(*) FROM segments s WHERE s.account = r.account AND s.record = r.id)
            LIMIT $1",
        |row| Ok(Finding::RecordCounts(RecordId(row.bytes("id")?))),
    ),
    (
        "look for messages alone",
        "SELECT 'messages', count(*) FROM messages m WHERE NOT EXISTS
            (SELECT 1 FROM records r WHERE r.account = m.account AND r.id = m.record) HAVING count(*) > 0 LIMIT $1",
        |row| Ok(Finding::Dangling { table: row.get("table")?, rows: row.count("rows")? }),
    ),
    (
        "look for segments alone",
        "SELECT 'segments', count(*) FROM segments s WHERE NOT EXISTS
            (SELECT 1 FROM records r WHERE r.account = s.account AND r.id = s.record) HAVING count(*) > 0 LIMIT $1",
        |row| Ok(Finding::Dangling { table: row.get("table")?, rows: row.count("rows")? }),
    ),
    (
        "look for copies without a key",
        "SELECT DISTINCT record FROM copies WHERE state = 0 AND wrap IS NULL AND place IS NULL
            AND class IN (SELECT class FROM copies WHERE wrap IS NOT NULL) LIMIT $1",
        |row| Ok(Finding::CopyWithoutKey(RecordId(row.bytes("record")?))),
    ),
    (
        "look for copies without a batch",
        "SELECT DISTINCT record FROM copies WHERE state > 0
            AND (batch IS NULL OR batch NOT IN (SELECT id FROM batches)) LIMIT $1",
        |row| Ok(Finding::CopyWithoutBatch(RecordId(row.bytes("record")?))),
    ),
    (
        "look for segments adrift",
        "SELECT s.record, s.pack FROM segments s LEFT JOIN packs p ON p.id = s.pack
            WHERE p.id IS NULL OR p.removed_at IS NOT NULL LIMIT $1",
        |row| {
            let record = RecordId(row.bytes("record")?);
            Ok(Finding::SegmentAdrift { record, pack: PackId(row.bytes("pack")?) })
        },
    ),
    (
        "count packs",
        "SELECT p.id, p.segments, COALESCE(f.found, 0) FROM packs p LEFT JOIN
            (SELECT pack, count(*) AS found, sum(length) AS bytes FROM segments GROUP BY pack) f ON f.pack = p.id
            WHERE p.segments <> COALESCE(f.found, 0) OR p.live <> COALESCE(f.bytes, 0) LIMIT $1",
        |row| {
            let pack = PackId(row.bytes("id")?);
            Ok(Finding::PackCount { pack, counted: row.count("segments")?, found: row.count("found")? })
        },
    ),
    (
        "count pages",
        "SELECT p.id, p.wraps, COALESCE(f.found, 0) FROM pages p LEFT JOIN
            (SELECT page, count(*) AS found FROM
                (SELECT page FROM copies WHERE page IS NOT NULL
                 UNION ALL SELECT account_page FROM accounts WHERE account_page IS NOT NULL
                 UNION ALL SELECT proof_page FROM accounts WHERE proof_page IS NOT NULL) lying
             GROUP BY page) f ON f.page = p.id
            WHERE p.wraps <> COALESCE(f.found, 0) LIMIT $1",
        |row| {
            let page = PageId(row.bytes("id")?);
            Ok(Finding::PageCount { page, counted: row.count("wraps")?, found: row.count("found")? })
        },
    ),
    (
        "look for wraps adrift",
        "SELECT f.page FROM
            (SELECT page FROM copies WHERE wrap IS NOT NULL
             UNION SELECT account_page FROM accounts WHERE account_page IS NOT NULL
             UNION SELECT proof_page FROM accounts WHERE proof_page IS NOT NULL) f
            LEFT JOIN pages p ON p.id = f.page WHERE p.id IS NULL OR p.state = 2 LIMIT $1",
        |row| Ok(Finding::WrapAdrift(PageId(row.bytes("page")?))),
    ),
    (
        "look for records without a name",
        "SELECT 'record_names', count(*) FROM records r LEFT JOIN record_names n ON n.record = r.id
            WHERE n.account IS DISTINCT FROM r.account HAVING count(*) > 0 LIMIT $1",
        |row| Ok(Finding::Dangling { table: row.get("table")?, rows: row.count("rows")? }),
    ),
    (
        "look for accounts without a name",
        "SELECT 'account_names', count(*) FROM accounts a
            LEFT JOIN account_names n ON n.id = a.id AND n.organisation = COALESCE(a.organisation, '')
            WHERE n.account IS DISTINCT FROM a.key HAVING count(*) > 0 LIMIT $1",
        |row| Ok(Finding::Dangling { table: row.get("table")?, rows: row.count("rows")? }),
    ),
    (
        "follow the chains",
        "SELECT a.key FROM accounts a LEFT JOIN
            (SELECT account, count(*) AS found, max(version) AS newest FROM statements
             WHERE account > 0 GROUP BY account) s ON s.account = a.key
            LEFT JOIN statements n ON n.account = a.key AND n.version = a.chain_version
            WHERE a.chain_version <> COALESCE(s.newest, 0) OR a.chain_version <> COALESCE(s.found, 0)
                OR (a.chain_version > 0
                    AND (a.chain_head, a.chain_at) IS DISTINCT FROM (n.commitment, n.at))
            LIMIT $1",
        |row| Ok(Finding::ChainGap(AccountKey(row.int("key")?))),
    ),
    (
        "follow the places of chains",
        "SELECT DISTINCT s.account FROM statements s
            JOIN statements p ON p.account = s.account AND p.version = s.version - 1
            WHERE s.account > 0 AND s.seq IS NOT NULL AND (p.seq IS NULL OR p.seq >= s.seq) LIMIT $1",
        |row| Ok(Finding::ChainGap(AccountKey(row.int("account")?))),
    ),
    (
        "count statements",
        "SELECT l.size, s.found FROM log l,
            (SELECT count(DISTINCT seq) AS found, count(seq) AS given, COALESCE(max(seq), -1) + 1 AS next
             FROM statements) s
            WHERE l.size <> s.found OR l.size <> s.given OR l.size <> s.next LIMIT $1",
        |row| Ok(Finding::StatementGap { expected: row.count("expected")?, found: row.count("found")? }),
    ),
    (
        "compare batches with their copies",
        "SELECT b.id, count(*) FROM copies c JOIN batches b ON b.id = c.batch
            WHERE b.stage >= 3 AND c.state < b.stage GROUP BY b.id LIMIT $1",
        |row| Ok(Finding::BatchAhead { batch: BatchId(row.int("id")?), copies: row.count("copies")? }),
    ),
];

/// These questions read whole tables, for which the planner may do as it likes.
const WHOLE_TABLES: &str = "SET LOCAL enable_seqscan = on; SET LOCAL enable_bitmapscan = on;
    SET LOCAL enable_sort = on; SET LOCAL plan_cache_mode = 'force_custom_plan'";

/// Everything that should not be, in one state of the store.
pub(super) fn check(tx: &mut PgTx<'_>) -> Stored<Vec<Finding>> {
    tx.link.control("check the database", WHOLE_TABLES)?;
    let mut findings = Vec::new();
    for (operation, sql, tell) in QUESTIONS {
        findings.extend(tx.list(operation, sql, params![FINDINGS_MAX], tell)?);
    }
    Ok(findings)
}
