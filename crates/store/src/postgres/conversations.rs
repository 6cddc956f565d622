//! Conversations, records, messages, and where bodies lie.

use super::PgTx;
use super::columns::Columns;
use super::query::{limit, number, params};
use crate::{
    AccountKey, ConversationId, ConversationRead, ConversationRow, ConversationWrite, Digest, MessageRow,
    PackId, PackRow, RecordFacts, RecordId, RecordRow, SegmentRow, StoreError, Stored, Unflagged,
};
use tenure_model::Instant;

macro_rules! conversation {
    ($rest:literal) => {
        concat!("SELECT account, id, recognised, kind, created_at FROM conversations ", $rest)
    };
}
macro_rules! record {
    ($rest:literal) => {
        concat!(
            "SELECT account, id, conversation, ordinal, surface, kind, mode, country, created_at, scanned,
                last_activity_at, deleted_at, flagged_at, feedback_at, unflagged_from, unflagged_at, messages, segments FROM records ",
            $rest
        )
    };
}
macro_rules! pack {
    ($rest:literal) => {
        concat!("SELECT id, bytes, segments, live, created_at, removed_at FROM packs ", $rest)
    };
}

fn conversation(row: &mut Columns<'_>) -> Stored<ConversationRow> {
    Ok(ConversationRow {
        account: AccountKey(row.int("account")?),
        id: ConversationId(row.bytes("id")?),
        recognised: row.bytes("recognised")?,
        kind: row.word("kind")?,
        created_at: row.instant("created_at")?,
    })
}

fn record(row: &mut Columns<'_>) -> Stored<RecordRow> {
    Ok(RecordRow {
        account: AccountKey(row.int("account")?),
        id: RecordId(row.bytes("id")?),
        conversation: ConversationId(row.bytes("conversation")?),
        ordinal: row.small("ordinal")?,
        surface: row.get("surface")?,
        kind: row.word("kind")?,
        mode: row.word("mode")?,
        country: row.get("country")?,
        created_at: row.instant("created_at")?,
        facts: RecordFacts {
            scanned: row.get("scanned")?,
            last_activity_at: row.instant("last_activity_at")?,
            deleted_at: row.instant_if_any("deleted_at")?,
            flagged_at: row.instant_if_any("flagged_at")?,
            feedback_at: row.instant_if_any("feedback_at")?,
            unflagged: unflagged(row)?,
        },
        messages: row.small("messages")?,
        segments: row.small("segments")?,
    })
}

fn unflagged(row: &mut Columns<'_>) -> Stored<Option<Unflagged>> {
    let from = row.instant_if_any("unflagged_from")?;
    let at = row.instant_if_any("unflagged_at")?;
    Ok(from.zip(at).map(|(flagged_at, cleared_at)| Unflagged { flagged_at, cleared_at }))
}

fn message(row: &mut Columns<'_>) -> Stored<MessageRow> {
    Ok(MessageRow {
        ordinal: row.small("ordinal")?,
        id: row.get("id")?,
        at: row.instant_if_any("at")?,
        role: row.get("role")?,
        dead_branch: row.get("dead_branch")?,
        segment: row.small("segment")?,
        derived_from: parents(row.get("derived_from")?)?,
    })
}

fn parents(json: Option<String>) -> Stored<Vec<String>> {
    let Some(json) = json else { return Ok(Vec::new()) };
    serde_json::from_str(&json).map_err(|_| StoreError::Unreadable { column: "derived_from" })
}

fn segment(row: &mut Columns<'_>) -> Stored<SegmentRow> {
    Ok(SegmentRow {
        segment: row.small("segment")?,
        pack: PackId(row.bytes("pack")?),
        offset: row.count("offset")?,
        length: row.count("length")?,
    })
}

fn pack(row: &mut Columns<'_>) -> Stored<PackRow> {
    Ok(PackRow {
        id: PackId(row.bytes("id")?),
        bytes: row.count("bytes")?,
        segments: row.count("segments")?,
        live: row.count("live")?,
        created_at: row.instant("created_at")?,
        removed_at: row.instant_if_any("removed_at")?,
    })
}

/// No bytes come before any.
fn id_after<T>(after: Option<T>, bytes: impl Fn(&T) -> [u8; 16]) -> Vec<u8> {
    after.map_or_else(Vec::new, |id| bytes(&id).to_vec())
}

impl ConversationRead for PgTx<'_> {
    fn conversation(&mut self, account: AccountKey, id: ConversationId) -> Stored<Option<ConversationRow>> {
        let sql = conversation!("WHERE account = $1 AND id = $2");
        self.first("read a conversation", sql, params![account.0, id.0], conversation)
    }

    fn conversation_recognised(
        &mut self,
        account: AccountKey,
        recognised: &Digest,
    ) -> Stored<Option<ConversationRow>> {
        let sql = conversation!("WHERE account = $1 AND recognised = $2");
        self.first("recognise a conversation", sql, params![account.0, recognised], conversation)
    }

    fn conversations_of(
        &mut self,
        account: AccountKey,
        after: Option<ConversationId>,
        rows: usize,
    ) -> Stored<Vec<ConversationRow>> {
        let sql = conversation!("WHERE account = $1 AND id > $2 ORDER BY id LIMIT $3");
        let values = params![account.0, id_after(after, |id| id.0), limit(rows)];
        self.list("list conversations", sql, values, conversation)
    }

    fn record(&mut self, id: RecordId) -> Stored<Option<RecordRow>> {
        let sql = "SELECT account FROM record_names WHERE record = $1";
        let Some(account) = self.first("find a record", sql, params![id.0], |row| row.int("account"))? else {
            return Ok(None);
        };
        self.first("read a record", record!("WHERE account = $1 AND id = $2"), params![account, id.0], record)
    }

    fn records_of_conversation(
        &mut self,
        account: AccountKey,
        conversation: ConversationId,
    ) -> Stored<Vec<RecordRow>> {
        let sql = record!("WHERE account = $1 AND conversation = $2 ORDER BY ordinal");
        self.list("list a conversation's records", sql, params![account.0, conversation.0], record)
    }

    fn records_of(
        &mut self,
        account: AccountKey,
        after: Option<RecordId>,
        rows: usize,
    ) -> Stored<Vec<RecordRow>> {
        let sql = record!("WHERE account = $1 AND id > $2 ORDER BY id LIMIT $3");
        self.list("list records", sql, params![account.0, id_after(after, |id| id.0), limit(rows)], record)
    }

    fn messages(&mut self, account: AccountKey, record: RecordId) -> Stored<Vec<MessageRow>> {
        let sql = "SELECT ordinal, id, at, role, dead_branch, segment, derived_from FROM messages
            WHERE account = $1 AND record = $2 ORDER BY ordinal";
        self.list("list messages", sql, params![account.0, record.0], message)
    }

    fn segments(&mut self, account: AccountKey, record: RecordId) -> Stored<Vec<SegmentRow>> {
        let sql = "SELECT segment, pack, \"offset\", length FROM segments
            WHERE account = $1 AND record = $2 ORDER BY segment";
        self.list("list segments", sql, params![account.0, record.0], segment)
    }

    fn pack(&mut self, id: PackId) -> Stored<Option<PackRow>> {
        self.first("read a pack", pack!("WHERE id = $1"), params![id.0], pack)
    }

    fn packs(&mut self, after: Option<PackId>, rows: usize) -> Stored<Vec<PackRow>> {
        let sql = pack!("WHERE id > $1 ORDER BY id LIMIT $2");
        self.list("list packs", sql, params![id_after(after, |id| id.0), limit(rows)], pack)
    }

    fn idle_packs(&mut self, rows: usize) -> Stored<Vec<PackRow>> {
        let sql = pack!("WHERE segments = 0 AND removed_at IS NULL ORDER BY id LIMIT $1");
        self.list("list idle packs", sql, params![limit(rows)], pack)
    }

    fn sparse_packs(&mut self, below: u32, rows: usize) -> Stored<Vec<PackRow>> {
        let sql = pack!(
            "WHERE segments > 0 AND removed_at IS NULL
                AND live * 1000 / greatest(bytes, 1) < $1 ORDER BY live * 1000 / greatest(bytes, 1) LIMIT $2"
        );
        self.list("list sparse packs", sql, params![i64::from(below), limit(rows)], pack)
    }

    fn pack_bytes(&mut self) -> Stored<(u64, u64)> {
        let sql = "SELECT COALESCE(sum(bytes), 0)::BIGINT, COALESCE(sum(live), 0)::BIGINT FROM packs
            WHERE removed_at IS NULL";
        let found =
            self.first("add up packs", sql, params![], |row| Ok((row.count("bytes")?, row.count("live")?)))?;
        Ok(found.unwrap_or_default())
    }

    fn segments_of_pack(&mut self, id: PackId) -> Stored<Vec<(AccountKey, RecordId, SegmentRow)>> {
        let sql = "SELECT account, record, segment, pack, \"offset\", length FROM segments
            WHERE pack = $1 ORDER BY \"offset\"";
        self.list("list a pack's segments", sql, params![id.0], |row| {
            Ok((AccountKey(row.int("account")?), RecordId(row.bytes("record")?), segment(row)?))
        })
    }
}

impl PgTx<'_> {
    fn count_in(&mut self, pack: PackId, length: i64) -> Stored<()> {
        let sql = "UPDATE packs SET segments = segments + 1, live = live + $2 WHERE id = $1";
        self.change_one("count a segment", "packs", sql, params![pack.0, length])
    }

    fn count_out(&mut self, pack: PackId, length: i64) -> Stored<()> {
        let sql = "UPDATE packs SET segments = segments - 1, live = live - $2 WHERE id = $1";
        self.change_one("count a segment out", "packs", sql, params![pack.0, length])
    }
}

impl ConversationWrite for PgTx<'_> {
    fn insert_conversation(&mut self, new: &ConversationRow) -> Stored<()> {
        let sql = "INSERT INTO conversations (account, id, recognised, kind, created_at)
            VALUES ($1, $2, $3, $4, $5)";
        let values =
            params![new.account.0, new.id.0, new.recognised, new.kind.word(), new.created_at.micros()];
        self.change("add a conversation", sql, values).map(drop)
    }

    fn insert_record(&mut self, new: &RecordRow) -> Stored<()> {
        let sql = "INSERT INTO records (account, id, conversation, ordinal, surface, kind, mode, country,
                created_at, scanned, last_activity_at, deleted_at, flagged_at, feedback_at, messages, segments,
                unflagged_from, unflagged_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)";
        let values = params![
            new.account.0,
            new.id.0,
            new.conversation.0,
            i64::from(new.ordinal),
            new.surface,
            new.kind.word(),
            new.mode.word(),
            new.country,
            new.created_at.micros(),
            new.facts.scanned,
            new.facts.last_activity_at.micros(),
            new.facts.deleted_at.map(Instant::micros),
            new.facts.flagged_at.map(Instant::micros),
            new.facts.feedback_at.map(Instant::micros),
            i64::from(new.messages),
            i64::from(new.segments),
            new.facts.unflagged.map(|was| was.flagged_at.micros()),
            new.facts.unflagged.map(|was| was.cleared_at.micros())
        ];
        self.change("add a record", sql, values)?;
        let sql = "INSERT INTO record_names (account, record) VALUES ($1, $2)";
        self.change("name a record", sql, params![new.account.0, new.id.0]).map(drop)
    }

    fn set_record_facts(&mut self, account: AccountKey, record: RecordId, facts: &RecordFacts) -> Stored<()> {
        let sql = "UPDATE records SET scanned = $3, last_activity_at = $4, deleted_at = $5, flagged_at = $6,
                feedback_at = $7, unflagged_from = $8, unflagged_at = $9 WHERE account = $1 AND id = $2";
        let values = params![
            account.0,
            record.0,
            facts.scanned,
            facts.last_activity_at.micros(),
            facts.deleted_at.map(Instant::micros),
            facts.flagged_at.map(Instant::micros),
            facts.feedback_at.map(Instant::micros),
            facts.unflagged.map(|was| was.flagged_at.micros()),
            facts.unflagged.map(|was| was.cleared_at.micros())
        ];
        self.change_one("change a record", "records", sql, values)
    }

    fn delete_records(&mut self, account: AccountKey, at: Instant) -> Stored<u64> {
        let sql = "UPDATE records SET deleted_at = $2 WHERE account = $1 AND deleted_at IS NULL";
        self.change("delete an account's records", sql, params![account.0, at.micros()])
    }

    fn set_record_counts(
        &mut self,
        account: AccountKey,
        record: RecordId,
        messages: u32,
        segments: u32,
    ) -> Stored<()> {
        let sql = "UPDATE records SET messages = $3, segments = $4 WHERE account = $1 AND id = $2";
        self.change_one(
            "count a record",
            "records",
            sql,
            params![account.0, record.0, i64::from(messages), i64::from(segments)],
        )
    }

    fn insert_messages(
        &mut self,
        account: AccountKey,
        record: RecordId,
        messages: &[MessageRow],
    ) -> Stored<()> {
        let sql = "INSERT INTO messages (account, record, ordinal, id, at, role, dead_branch, segment, derived_from)
            SELECT $1, $2, * FROM unnest($3::BIGINT[], $4::TEXT[], $5::BIGINT[], $6::TEXT[], $7::BOOLEAN[],
                $8::BIGINT[], $9::TEXT[])";
        let parents = |new: &MessageRow| {
            (!new.derived_from.is_empty())
                .then(|| serde_json::Value::from(new.derived_from.as_slice()).to_string())
        };
        let values = params![
            account.0,
            record.0,
            messages.iter().map(|new| i64::from(new.ordinal)).collect::<Vec<_>>(),
            messages.iter().map(|new| new.id.as_str()).collect::<Vec<_>>(),
            messages.iter().map(|new| new.at.map(Instant::micros)).collect::<Vec<_>>(),
            messages.iter().map(|new| new.role.as_str()).collect::<Vec<_>>(),
            messages.iter().map(|new| new.dead_branch).collect::<Vec<_>>(),
            messages.iter().map(|new| i64::from(new.segment)).collect::<Vec<_>>(),
            messages.iter().map(parents).collect::<Vec<_>>(),
        ];
        self.change("add messages", sql, values).map(drop)
    }

    fn remove_messages(&mut self, account: AccountKey, record: RecordId) -> Stored<u64> {
        let sql = "UPDATE records SET messages = 0 WHERE account = $1 AND id = $2";
        self.change_one("count a record", "records", sql, params![account.0, record.0])?;
        let sql = "DELETE FROM messages WHERE account = $1 AND record = $2";
        self.change("forget messages", sql, params![account.0, record.0])
    }

    fn insert_pack(&mut self, new: &PackRow) -> Stored<()> {
        let sql =
            "INSERT INTO packs (id, bytes, segments, created_at, removed_at) VALUES ($1, $2, 0, $3, $4)";
        let bytes = number(new.bytes, "bytes")?;
        let values = params![new.id.0, bytes, new.created_at.micros(), new.removed_at.map(Instant::micros)];
        self.change("add a pack", sql, values).map(drop)
    }

    fn insert_segments(
        &mut self,
        account: AccountKey,
        record: RecordId,
        segments: &[SegmentRow],
    ) -> Stored<()> {
        let sql = "INSERT INTO segments (account, record, segment, pack, \"offset\", length)
            SELECT $1, $2, * FROM unnest($3::BIGINT[], $4::BYTEA[], $5::BIGINT[], $6::BIGINT[])";
        let numbers = |column: &'static str, of: fn(&SegmentRow) -> u64| -> Stored<Vec<i64>> {
            segments.iter().map(|new| number(of(new), column)).collect()
        };
        let lengths = numbers("length", |new| new.length)?;
        let values = params![
            account.0,
            record.0,
            segments.iter().map(|new| i64::from(new.segment)).collect::<Vec<_>>(),
            segments.iter().map(|new| new.pack.0).collect::<Vec<_>>(),
            numbers("offset", |new| new.offset)?,
            lengths,
        ];
        self.change("add segments", sql, values)?;
        for (new, length) in segments.iter().zip(lengths) {
            self.count_in(new.pack, length)?;
        }
        Ok(())
    }

    fn remove_segments(&mut self, account: AccountKey, record: RecordId) -> Stored<Vec<SegmentRow>> {
        let removed = self.segments(account, record)?;
        if removed.is_empty() {
            return Ok(removed);
        }
        for gone in &removed {
            self.count_out(gone.pack, number(gone.length, "length")?)?;
        }
        let sql = "DELETE FROM segments WHERE account = $1 AND record = $2";
        self.change("forget segments", sql, params![account.0, record.0])?;
        let sql = "UPDATE records SET segments = 0 WHERE account = $1 AND id = $2";
        self.change_one("count a record", "records", sql, params![account.0, record.0])?;
        Ok(removed)
    }

    fn move_segment(
        &mut self,
        account: AccountKey,
        record: RecordId,
        from: &SegmentRow,
        to: &SegmentRow,
    ) -> Stored<bool> {
        let sql = "UPDATE segments SET pack = $4, \"offset\" = $5, length = $6
            WHERE account = $1 AND record = $2 AND segment = $3 AND pack = $7 AND \"offset\" = $8";
        let (offset, length) = (number(to.offset, "offset")?, number(to.length, "length")?);
        let was = number(from.offset, "offset")?;
        let values = params![
            account.0,
            record.0,
            i64::from(from.segment),
            to.pack.0,
            offset,
            length,
            from.pack.0,
            was
        ];
        if self.change("move a segment", sql, values)? == 0 {
            return Ok(false);
        }
        self.count_out(from.pack, number(from.length, "length")?)?;
        self.count_in(to.pack, length)?;
        Ok(true)
    }

    fn set_pack_removed(&mut self, id: PackId, at: Instant) -> Stored<()> {
        let sql = "UPDATE packs SET removed_at = $2 WHERE id = $1";
        self.change_one("remove a pack", "packs", sql, params![id.0, at.micros()])
    }
}
