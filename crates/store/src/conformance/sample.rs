//! Rows to test with. Ids are made from small numbers.

use crate::{
    AccountFacts, AccountKey, AccountKeys, BatchId, ClassId, ConversationId, ConversationRow, CopyKey,
    CopyRow, CopyState, Filing, MessageRow, NewAccount, NewStatement, PackId, PackRow, PageId, RecordFacts,
    RecordId, RecordRow, Sealing, SegmentRow, Shelf, SituationId, StoreError, Tx, Wrap,
};
use tenure_model::{Day, Instant, Kind, Mode};

/// Sixteen bytes in the order of `number`.
pub(super) fn id(number: u64) -> [u8; 16] {
    u128::from(number).to_be_bytes()
}

pub(super) fn at(seconds: i64) -> Instant {
    Instant::saturating_from_micros(seconds * 1_000_000)
}

/// Noon of a day.
pub(super) fn noon(day: i32) -> Instant {
    at(i64::from(day) * 86_400 + 43_200)
}

pub(super) fn new_account(id: &str) -> NewAccount {
    NewAccount {
        id: id.to_owned(),
        organisation: None,
        facts: AccountFacts::default(),
        keys: AccountKeys::default(),
    }
}

pub(super) fn conversation(account: AccountKey, number: u64) -> ConversationRow {
    let mut recognised = [7; 32];
    recognised.iter_mut().zip(id(number)).for_each(|(to, from)| *to = from);
    ConversationRow {
        account,
        id: ConversationId(id(number)),
        recognised,
        kind: Kind::Chat,
        created_at: at(1),
    }
}

pub(super) fn record(account: AccountKey, conversation: u64, number: u64) -> RecordRow {
    RecordRow {
        account,
        id: RecordId(id(number)),
        conversation: ConversationId(id(conversation)),
        ordinal: 0,
        surface: "pro".to_owned(),
        kind: Kind::Chat,
        mode: Mode::Normal,
        country: Some("DE".to_owned()),
        created_at: at(1),
        facts: RecordFacts {
            scanned: None,
            last_activity_at: at(2),
            deleted_at: None,
            flagged_at: None,
            feedback_at: None,
            unflagged: None,
        },
        messages: 0,
        segments: 0,
    }
}

pub(super) fn message(ordinal: u32) -> MessageRow {
    MessageRow {
        ordinal,
        id: format!("m{ordinal}"),
        at: Some(at(i64::from(ordinal))),
        role: "user".to_owned(),
        dead_branch: false,
        segment: 0,
        derived_from: Vec::new(),
    }
}

pub(super) fn pack(number: u64) -> PackRow {
    PackRow { id: PackId(id(number)), bytes: 1000, segments: 0, live: 0, created_at: at(1), removed_at: None }
}

pub(super) fn segment(segment: u32, pack: u64) -> SegmentRow {
    SegmentRow { segment, pack: PackId(id(pack)), offset: u64::from(segment) * 100, length: 100 }
}

pub(super) fn shelf(tree: &str) -> Shelf {
    Shelf { tree: tree.to_owned(), class: None, day: None }
}

pub(super) fn wrap(page: u64) -> Wrap {
    Wrap { page: PageId(id(page)), sealed: vec![9; 60] }
}

pub(super) fn statement(account: Option<AccountKey>, version: u64, kind: &str) -> NewStatement {
    NewStatement {
        account,
        version,
        kind: kind.to_owned(),
        at: at(5),
        commitment: [u8::try_from(version).unwrap_or(u8::MAX); 32],
        sealed: vec![1, 2, 3],
    }
}

/// An account with one conversation of one record, whose ids are `number`.
pub(super) fn open_record(tx: &mut dyn Tx, number: u64) -> Result<RecordRow, StoreError> {
    let account = tx.insert_account(&new_account(&format!("a{number}")))?;
    tx.insert_conversation(&conversation(account, number))?;
    let record = record(account, number, number);
    tx.insert_record(&record)?;
    Ok(record)
}

/// The end of a copy in a batch.
pub(super) fn sealing(batch: BatchId) -> Sealing {
    Sealing { batch, due_at: noon(2), cause: "time".to_owned(), sealed_at: noon(3) }
}

/// A live copy without a key.
pub(super) fn fact_copy(record: &RecordRow, class: ClassId, situation: SituationId, day: i32) -> CopyRow {
    CopyRow {
        key: CopyKey { account: record.account, record: record.id, class },
        shard: 0,
        place: None,
        created_at: at(1),
        filing: Filing { situation, anchor: 0, day: Day(day) },
        state: CopyState::Live { wrap: None },
    }
}

/// `records` records of one new account, each with a live copy of class `content` filed under `day(number)`.
pub(super) fn filed_copies(
    tx: &mut dyn Tx,
    account: &str,
    numbers: std::ops::Range<u64>,
    day: impl Fn(u64) -> i32,
) -> Result<Vec<CopyRow>, StoreError> {
    let key = tx.insert_account(&new_account(account))?;
    let class = tx.intern_class("content")?;
    let situation = tx.intern_situation(b"plain")?;
    let mut copies = Vec::new();
    for number in numbers {
        tx.insert_conversation(&conversation(key, number))?;
        let record = record(key, number, number);
        tx.insert_record(&record)?;
        let copy = fact_copy(&record, class, situation, day(number));
        tx.insert_copy(&copy)?;
        copies.push(copy);
    }
    Ok(copies)
}
