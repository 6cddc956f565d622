//! A transaction that writes down what is written through it.

use tenure_model::{Day, Instant};

use super::write::WRITES;
use super::{Outcome, Write};
use crate::{
    AccountKey, AccountRead, AccountRow, ApiKeyId, ApiKeyRow, BackupRead, BackupRow, BatchId, BatchRow,
    ChangeId, ChangeRead, ChangeRow, ClassId, ConversationId, ConversationRead, ConversationRow, CopyKey,
    CopyRead, CopyRow, DayCount, DestroyedCount, DestroyedRow, Digest, DueCopy, ErasureRead, Fate, Group,
    HoldRead, HoldReaderRead, HoldReaderRow, HoldRow, KeyRead, LeaseRead, LeaseRow, LogRead, MessageRow,
    MetaRead, OnceRead, OnceRow, PackId, PackRow, PageId, PageRead, PageRow, PolicyRead, PolicyRow, RecordId,
    RecordRow, RefileMark, ReportRead, RunId, RunRead, RunRecordRow, RunRow, SegmentRow, Seq, Shelf,
    SituationId, StageCount, StatementRead, StatementRow, StoreError, Stored, Totals, TreeHead, Tx,
};

/// Bytes before the writes of a group: their form, and what the log is once they are done.
pub(super) const HEADER_LEN: usize = 44;

/// What a group begins with.
pub(super) struct Header {
    pub(super) head: TreeHead,
}

impl Header {
    fn write(&self) -> [u8; HEADER_LEN] {
        let mut bytes = [0; HEADER_LEN];
        let parts =
            WRITES.to_le_bytes().into_iter().chain(self.head.size.to_le_bytes()).chain(self.head.root);
        bytes.iter_mut().zip(parts).for_each(|(to, from)| *to = from);
        bytes
    }

    /// Nothing, if the writes have another form than this program's.
    pub(super) fn read(bytes: &[u8; HEADER_LEN]) -> Option<Self> {
        let (form, rest) = bytes.split_first_chunk::<4>()?;
        let (size, root) = rest.split_first_chunk::<8>()?;
        let head = TreeHead { size: u64::from_le_bytes(*size), root: root.try_into().ok()? };
        (u32::from_le_bytes(*form) == WRITES).then_some(Self { head })
    }
}

/// What a group of jobs has written so far.
#[derive(Debug, Default)]
pub struct Redo {
    /// Room for the header, then the writes. Empty until there is one.
    bytes: Vec<u8>,
    /// Why what is here can't be relied on.
    broken: Option<StoreError>,
}

impl Redo {
    /// Where the next job's writes begin.
    pub(crate) const fn mark(&self) -> usize {
        self.bytes.len()
    }

    /// Forgets what was written since a mark, of a job that is rolled back.
    pub(crate) fn cut(&mut self, mark: usize) {
        self.bytes.truncate(mark);
        self.broken = None;
    }

    /// Why the job since the last mark must be rolled back although it took its failure lightly: what it did
    /// can't be done again the same way.
    pub(crate) fn fault(&mut self) -> Option<StoreError> {
        self.broken.take()
    }

    /// The group, if anything was written; begins the next.
    pub(crate) fn finish(&mut self, head: TreeHead) -> Option<Vec<u8>> {
        let mut bytes = std::mem::take(&mut self.bytes);
        let place = bytes.first_chunk_mut::<HEADER_LEN>()?;
        *place = Header { head }.write();
        Some(bytes)
    }

    pub(super) fn note<'w, T: Clone>(
        &mut self,
        result: &Stored<T>,
        write: impl FnOnce(Outcome<T>) -> Write<'w>,
    ) {
        let Some(outcome) = Outcome::of(result) else {
            self.broken = self.broken.take().or_else(|| result.as_ref().err().cloned());
            return;
        };
        if self.bytes.is_empty() {
            self.bytes.resize(HEADER_LEN, 0);
        }
        if postcard::to_io(&write(outcome), &mut self.bytes).is_err() {
            let reason = "the write has no form in the journal".to_owned();
            self.broken = Some(StoreError::Engine { operation: "record a write", reason });
        }
    }
}

/// A transaction that writes down what is written through it.
pub(crate) struct Recorder<'t> {
    pub(super) tx: &'t mut dyn Tx,
    pub(super) redo: &'t mut Redo,
}

impl<'t> Recorder<'t> {
    pub(crate) fn new(tx: &'t mut dyn Tx, redo: &'t mut Redo) -> Self {
        Self { tx, redo }
    }
}

/// Passes on what only reads.
macro_rules! reads {
    ($($port:ident { $(fn $method:ident($($arg:ident: $given:ty),*) -> $result:ty;)+ })+) => {
        $(impl $port for Recorder<'_> {
            $(fn $method(&mut self, $($arg: $given),*) -> Stored<$result> {
                self.tx.$method($($arg),*)
            })+
        })+
    };
}

reads! {
    MetaRead {
        fn meta(key: &str) -> Option<String>;
        fn totals() -> Totals;
    }
    PolicyRead {
        fn policies() -> Vec<PolicyRow>;
        fn policy(lineage: &str, version: &str) -> Option<PolicyRow>;
    }
    AccountRead {
        fn account(key: AccountKey) -> Option<AccountRow>;
        fn account_by_id(organisation: Option<&str>, id: &str) -> Option<AccountRow>;
        fn accounts(after: Option<AccountKey>, limit: usize) -> Vec<AccountRow>;
        fn last_account() -> Option<AccountKey>;
        fn closed_accounts(up_to: Instant, after: Option<(Instant, AccountKey)>, limit: usize) -> Vec<AccountRow>;
        fn accounts_of_page(page: PageId) -> Vec<AccountKey>;
    }
    StatementRead {
        fn statement(seq: Seq) -> Option<StatementRow>;
        fn statement_count() -> u64;
        fn statements(from: Seq, limit: usize) -> Vec<StatementRow>;
        fn statements_of(account: AccountKey, kinds: &[&str]) -> Vec<StatementRow>;
    }
    LogRead {
        fn tree_head() -> Option<TreeHead>;
        fn tile(level: u8, place: u64) -> Option<Vec<u8>>;
        fn commitments(from: Seq, limit: usize) -> Vec<Digest>;
    }
    ConversationRead {
        fn conversation(account: AccountKey, id: ConversationId) -> Option<ConversationRow>;
        fn conversation_recognised(account: AccountKey, recognised: &Digest) -> Option<ConversationRow>;
        fn conversations_of(account: AccountKey, after: Option<ConversationId>, limit: usize) -> Vec<ConversationRow>;
        fn record(id: RecordId) -> Option<RecordRow>;
        fn records_of_conversation(account: AccountKey, conversation: ConversationId) -> Vec<RecordRow>;
        fn records_of(account: AccountKey, after: Option<RecordId>, limit: usize) -> Vec<RecordRow>;
        fn messages(account: AccountKey, record: RecordId) -> Vec<MessageRow>;
        fn segments(account: AccountKey, record: RecordId) -> Vec<SegmentRow>;
        fn pack(id: PackId) -> Option<PackRow>;
        fn packs(after: Option<PackId>, limit: usize) -> Vec<PackRow>;
        fn idle_packs(limit: usize) -> Vec<PackRow>;
        fn sparse_packs(below: u32, limit: usize) -> Vec<PackRow>;
        fn pack_bytes() -> (u64, u64);
        fn segments_of_pack(pack: PackId) -> Vec<(AccountKey, RecordId, SegmentRow)>;
    }
    CopyRead {
        fn classes() -> Vec<(ClassId, String)>;
        fn situation(id: SituationId) -> Option<Vec<u8>>;
        fn copy(key: CopyKey) -> Option<CopyRow>;
        fn copies_of_record(account: AccountKey, record: RecordId) -> Vec<CopyRow>;
        fn copies_of(account: AccountKey, after: Option<CopyKey>, limit: usize) -> Vec<CopyRow>;
        fn copies_of_page(page: PageId) -> Vec<CopyRow>;
        fn shards() -> Vec<u16>;
        fn groups(shard: u16) -> Vec<Group>;
        fn due(shard: u16, group: Group, up_to: Day, after: Option<DueCopy>, limit: usize) -> Vec<DueCopy>;
        fn count_due(shard: u16, group: Group, from: Day, to: Day) -> Vec<DayCount>;
        fn count_live(up_to: u64) -> u64;
        fn stage_counts() -> Vec<StageCount>;
        fn destroyed_counts() -> Vec<DestroyedCount>;
        fn refile_slice(limit: usize) -> Vec<RefileMark>;
        fn refile_count() -> u64;
    }
    PageRead {
        fn page(id: PageId) -> Option<PageRow>;
        fn pages(after: Option<PageId>, limit: usize) -> Vec<PageRow>;
        fn pages_on(shelf: &Shelf) -> Vec<PageRow>;
        fn idle_pages(before: Day, limit: usize) -> Vec<PageId>;
    }
    HoldRead {
        fn holds() -> Vec<HoldRow>;
        fn hold_versions(id: &str) -> Vec<HoldRow>;
        fn holds_epoch() -> u64;
    }
    HoldReaderRead {
        fn hold_readers(hold: &str) -> Vec<HoldReaderRow>;
        fn hold_read(statement: Seq) -> Vec<CopyKey>;
    }
    ErasureRead {
        fn batch(id: BatchId) -> Option<BatchRow>;
        fn unfinished_batches() -> Vec<BatchRow>;
        fn batches(after: Option<BatchId>, limit: usize) -> Vec<BatchRow>;
        fn copies_of_batch(batch: BatchId, after: Option<CopyKey>, limit: usize) -> Vec<CopyRow>;
        fn destroyed_of(batch: BatchId, after: Option<u64>, limit: usize) -> Vec<DestroyedRow>;
        fn destructions_of(account: AccountKey, record: RecordId) -> Vec<DestroyedRow>;
        fn unreleased_batches() -> Vec<BatchId>;
        fn packs_of_batch(batch: BatchId) -> Vec<PackRow>;
    }
    LeaseRead {
        fn lease(name: &str) -> Option<LeaseRow>;
    }
    RunRead {
        fn run(id: RunId) -> Option<RunRow>;
        fn runs() -> Vec<RunRow>;
        fn records_of_run(run: RunId, from_row: u64, limit: usize) -> Vec<RunRecordRow>;
        fn runs_of_record(account: AccountKey, record: RecordId) -> Vec<RunRecordRow>;
    }
    ReportRead {
        fn batches_verified(from: Instant, to: Instant, after: Option<(Instant, BatchId)>, limit: usize) -> Vec<(Instant, BatchId)>;
        fn fates(batch: BatchId, after: Option<CopyKey>, limit: usize) -> Vec<Fate>;
        fn stated_after(kind: &str, after: Seq, limit: usize) -> Vec<StatementRow>;
        fn stated_before(kind: &str, before: Seq, limit: usize) -> Vec<StatementRow>;
    }
    BackupRead {
        fn backups() -> Vec<BackupRow>;
    }
    KeyRead {
        fn api_key(id: ApiKeyId) -> Option<ApiKeyRow>;
        fn api_keys(after: Option<ApiKeyId>, limit: usize) -> Vec<ApiKeyRow>;
    }
    ChangeRead {
        fn change(id: ChangeId) -> Option<ChangeRow>;
        fn changes(before: Option<(Instant, ChangeId)>, limit: usize) -> Vec<ChangeRow>;
    }
    OnceRead {
        fn once(key: &Digest) -> Option<OnceRow>;
    }
}
