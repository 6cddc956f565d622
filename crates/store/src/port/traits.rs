//! The repositories. What reads is in every transaction, what writes in a [`Tx`] only.
//!
//! Lists are given in slices, by a cursor (the last row of the slice before) and a limit, in the order of
//! their key, so that nobody holds a whole table in memory.

use crate::{
    AccountFacts, AccountKey, AccountKeys, AccountRow, BackupRead, BackupWrite, BatchId, BatchRow,
    BatchStage, ChangeRead, ChangeWrite, ClaimWrite, ClassId, ConversationId, ConversationRow, CopyKey,
    CopyRow, CopyStage, CopyState, DayCount, DestroyedCount, DestroyedRow, Digest, DueCopy, Filing, Group,
    HoldReaderRead, HoldReaderWrite, HoldRow, KeyRead, KeyWrite, LeaseRow, LogRead, MessageRow, NewAccount,
    NewStatement, OnceRead, OnceWrite, PackId, PackRow, PageId, PageRow, PolicyRow, RecordFacts, RecordId,
    RecordRow, RefileMark, ReportRead, RunId, RunRecordRow, RunRow, Sealing, SegmentRow, Seq, Shelf,
    SituationId, Slots, StageCount, StatementRow, StoreError, Totals, Wrap,
};
use tenure_model::{Day, Instant};

/// What every repository answers with.
pub type Stored<T> = Result<T, StoreError>;

/// Reads small facts about the store itself, such as whether its time is simulated.
pub trait MetaRead {
    /// The value of a key.
    fn meta(&mut self, key: &str) -> Stored<Option<String>>;
    /// Counts for reports. They may scan.
    fn totals(&mut self) -> Stored<Totals>;
}

/// Writes small facts about the store itself.
pub trait MetaWrite {
    /// Sets the value of a key.
    fn set_meta(&mut self, key: &str, value: &str) -> Stored<()>;
}

/// Reads policies.
pub trait PolicyRead {
    /// Every version, withdrawn ones too, by lineage, then `announced`, then name.
    fn policies(&mut self) -> Stored<Vec<PolicyRow>>;
    /// One version.
    fn policy(&mut self, lineage: &str, version: &str) -> Stored<Option<PolicyRow>>;
}

/// Writes policies.
pub trait PolicyWrite {
    /// Publishes a version.
    fn insert_policy(&mut self, policy: &PolicyRow) -> Stored<()>;
    /// Marks a version as withdrawn.
    fn withdraw_policy(&mut self, lineage: &str, version: &str, at: Instant) -> Stored<()>;
}

/// Reads accounts.
pub trait AccountRead {
    /// The account of a key.
    fn account(&mut self, key: AccountKey) -> Stored<Option<AccountRow>>;
    /// The account of an id within an organisation.
    fn account_by_id(&mut self, organisation: Option<&str>, id: &str) -> Stored<Option<AccountRow>>;
    /// Accounts by key, after one.
    fn accounts(&mut self, after: Option<AccountKey>, limit: usize) -> Stored<Vec<AccountRow>>;
    /// The newest account.
    fn last_account(&mut self) -> Stored<Option<AccountKey>>;
    /// Closed accounts that still have a proof key, by when they were closed, after one and up to an instant.
    /// Costs by those, not by accounts.
    fn closed_accounts(
        &mut self,
        up_to: Instant,
        after: Option<(Instant, AccountKey)>,
        limit: usize,
    ) -> Stored<Vec<AccountRow>>;
    /// The accounts that have one of their keys on a page.
    fn accounts_of_page(&mut self, page: PageId) -> Stored<Vec<AccountKey>>;
}

/// Writes accounts.
pub trait AccountWrite {
    /// Opens an account. Its keys' slots must have been taken.
    fn insert_account(&mut self, account: &NewAccount) -> Stored<AccountKey>;
    /// Replaces what is known about an account.
    fn set_account_facts(&mut self, key: AccountKey, facts: &AccountFacts) -> Stored<()>;
    /// Replaces an account's keys. A wrap that stays on its page keeps its slot. The slot of one that leaves
    /// is given back; that of one that comes must have been taken.
    fn set_account_keys(&mut self, key: AccountKey, keys: &AccountKeys) -> Stored<()>;
}

/// Reads statements. What they say is sealed, so the store can't read it.
pub trait StatementRead {
    /// One statement.
    fn statement(&mut self, seq: Seq) -> Stored<Option<StatementRow>>;
    /// How many there are; the next one's [`Seq`] is not below this.
    fn statement_count(&mut self) -> Stored<u64>;
    /// Statements from one on, in order.
    fn statements(&mut self, from: Seq, limit: usize) -> Stored<Vec<StatementRow>>;
    /// An account's statements that have a place, of some kinds (of all, if none is named), in the order of its chain.
    fn statements_of(&mut self, account: AccountKey, kinds: &[&str]) -> Stored<Vec<StatementRow>>;
    /// An account's statements that are committed and have no place yet, in the order of its chain: they come after all
    /// that have one. There are none where places are given with the commit, and none in a job that may write anything.
    fn unplaced_of(&mut self, account: AccountKey, kinds: &[&str]) -> Stored<Vec<NewStatement>> {
        let _: (AccountKey, &[&str]) = (account, kinds);
        Ok(Vec::new())
    }
}

/// Appends statements. Nothing changes or deletes one.
pub trait StatementWrite {
    /// Appends a statement and moves its account's chain to it. The version must be the chain's next.
    fn append_statement(&mut self, statement: &NewStatement) -> Stored<Seq>;
    /// The same, without having others wait who append at the same time: in a job of one account
    /// ([`crate::Store::submit_of`]) the statement gets its place only after the commit, and [`crate::Store::place_of`]
    /// waits for that.
    fn append_unplaced(&mut self, statement: &NewStatement) -> Stored<Option<Seq>> {
        self.append_statement(statement).map(Some)
    }
}

/// Reads conversations and what they are made of.
pub trait ConversationRead {
    /// One conversation.
    fn conversation(&mut self, account: AccountKey, id: ConversationId) -> Stored<Option<ConversationRow>>;
    /// The conversation that was imported under this MAC.
    fn conversation_recognised(
        &mut self,
        account: AccountKey,
        recognised: &Digest,
    ) -> Stored<Option<ConversationRow>>;
    /// An account's conversations by id, after one.
    fn conversations_of(
        &mut self,
        account: AccountKey,
        after: Option<ConversationId>,
        limit: usize,
    ) -> Stored<Vec<ConversationRow>>;
    /// The record of an id, whoever's it is.
    fn record(&mut self, id: RecordId) -> Stored<Option<RecordRow>>;
    /// A conversation's records in their order.
    fn records_of_conversation(
        &mut self,
        account: AccountKey,
        conversation: ConversationId,
    ) -> Stored<Vec<RecordRow>>;
    /// An account's records by id, after one.
    fn records_of(
        &mut self,
        account: AccountKey,
        after: Option<RecordId>,
        limit: usize,
    ) -> Stored<Vec<RecordRow>>;
    /// A record's messages in order.
    fn messages(&mut self, account: AccountKey, record: RecordId) -> Stored<Vec<MessageRow>>;
    /// Where a record's body lies, in order.
    fn segments(&mut self, account: AccountKey, record: RecordId) -> Stored<Vec<SegmentRow>>;
    /// One pack.
    fn pack(&mut self, id: PackId) -> Stored<Option<PackRow>>;
    /// Packs by id, after one, removed ones too.
    fn packs(&mut self, after: Option<PackId>, limit: usize) -> Stored<Vec<PackRow>>;
    /// Packs to which no segment refers and that are not removed yet.
    fn idle_packs(&mut self, limit: usize) -> Stored<Vec<PackRow>>;
    /// Packs that something still refers to, but to fewer bytes than this share of theirs in thousandths, the
    /// emptiest first. Costs by those.
    fn sparse_packs(&mut self, below: u32, limit: usize) -> Stored<Vec<PackRow>>;
    /// How many bytes all packs have that are not removed, and how many of those are referred to.
    fn pack_bytes(&mut self) -> Stored<(u64, u64)>;
    /// The segments that lie in a pack, with whose they are.
    fn segments_of_pack(&mut self, pack: PackId) -> Stored<Vec<(AccountKey, RecordId, SegmentRow)>>;
}

/// Writes conversations and what they are made of.
pub trait ConversationWrite {
    /// Adds a conversation.
    fn insert_conversation(&mut self, conversation: &ConversationRow) -> Stored<()>;
    /// Adds a record; its counts must be those of the rows that are added with it.
    fn insert_record(&mut self, record: &RecordRow) -> Stored<()>;
    /// Replaces what may change about a record.
    fn set_record_facts(&mut self, account: AccountKey, record: RecordId, facts: &RecordFacts) -> Stored<()>;
    /// Sets when the records of an account were deleted, where they were not, and says how many they are.
    fn delete_records(&mut self, account: AccountKey, at: Instant) -> Stored<u64>;
    /// Replaces a record's counts.
    fn set_record_counts(
        &mut self,
        account: AccountKey,
        record: RecordId,
        messages: u32,
        segments: u32,
    ) -> Stored<()>;
    /// Adds messages to a record.
    fn insert_messages(
        &mut self,
        account: AccountKey,
        record: RecordId,
        messages: &[MessageRow],
    ) -> Stored<()>;
    /// Forgets a record's messages and sets its count to none.
    fn remove_messages(&mut self, account: AccountKey, record: RecordId) -> Stored<u64>;
    /// Adds a pack. Its count of segments is taken as 0, whatever the row says.
    fn insert_pack(&mut self, pack: &PackRow) -> Stored<()>;
    /// Adds segments to a record and counts them in their packs.
    fn insert_segments(
        &mut self,
        account: AccountKey,
        record: RecordId,
        segments: &[SegmentRow],
    ) -> Stored<()>;
    /// Forgets where a record's body lies, counts it out of its packs and sets its count to none.
    fn remove_segments(&mut self, account: AccountKey, record: RecordId) -> Stored<Vec<SegmentRow>>;
    /// Says that a segment lies elsewhere from now on; `false`, and nothing happens, if it does not lie where it
    /// is thought to.
    fn move_segment(
        &mut self,
        account: AccountKey,
        record: RecordId,
        from: &SegmentRow,
        to: &SegmentRow,
    ) -> Stored<bool>;
    /// Marks a pack's bytes as removed.
    fn set_pack_removed(&mut self, id: PackId, at: Instant) -> Stored<()>;
}

/// Reads copies, the due index and the names that copies are filed under.
pub trait CopyRead {
    /// Every class, by id.
    fn classes(&mut self) -> Stored<Vec<(ClassId, String)>>;
    /// The body of a situation.
    fn situation(&mut self, id: SituationId) -> Stored<Option<Vec<u8>>>;
    /// One copy.
    fn copy(&mut self, key: CopyKey) -> Stored<Option<CopyRow>>;
    /// A record's copies, by class.
    fn copies_of_record(&mut self, account: AccountKey, record: RecordId) -> Stored<Vec<CopyRow>>;
    /// An account's copies by record and class, after one.
    fn copies_of(
        &mut self,
        account: AccountKey,
        after: Option<CopyKey>,
        limit: usize,
    ) -> Stored<Vec<CopyRow>>;
    /// The copies whose wraps lie on a page.
    fn copies_of_page(&mut self, page: PageId) -> Stored<Vec<CopyRow>>;
    /// The shards that have live copies. Costs by shards, not by copies.
    fn shards(&mut self) -> Stored<Vec<u16>>;
    /// The groups that a shard's live copies are filed under. Costs by groups, not by copies.
    fn groups(&mut self, shard: u16) -> Stored<Vec<Group>>;
    /// A group's live copies whose day is `up_to` or before, by day, account and record, after one.
    fn due(
        &mut self,
        shard: u16,
        group: Group,
        up_to: Day,
        after: Option<DueCopy>,
        limit: usize,
    ) -> Stored<Vec<DueCopy>>;
    /// How many live copies of a group have their day in `from..=to`, for each such day.
    fn count_due(&mut self, shard: u16, group: Group, from: Day, to: Day) -> Stored<Vec<DayCount>>;
    /// How many live copies there are, but no more than `up_to` are counted, and it costs by that.
    fn count_live(&mut self, up_to: u64) -> Stored<u64>;
    /// How many copies there are by class and stage. Scans.
    fn stage_counts(&mut self) -> Stored<Vec<StageCount>>;
    /// How many copies were shredded, by day and class. Scans.
    fn destroyed_counts(&mut self) -> Stored<Vec<DestroyedCount>>;
    /// Accounts whose copies must be re-filed, by key.
    fn refile_slice(&mut self, limit: usize) -> Stored<Vec<RefileMark>>;
    /// How many accounts wait to be re-filed.
    fn refile_count(&mut self) -> Stored<u64>;
}

/// Writes copies and the names that they are filed under.
pub trait CopyWrite {
    /// The id of a class, which is made if it is new.
    fn intern_class(&mut self, name: &str) -> Stored<ClassId>;
    /// The id of a situation, which is made if it is new.
    fn intern_situation(&mut self, body: &[u8]) -> Stored<SituationId>;
    /// Adds a copy. The slot of its wrap must have been taken.
    fn insert_copy(&mut self, copy: &CopyRow) -> Stored<()>;
    /// Re-files a copy.
    fn file(&mut self, key: CopyKey, filing: Filing) -> Stored<()>;
    /// Moves a copy from one stage to a state; `false`, and nothing happens, if it is in another stage.
    ///
    /// A wrap that stays on its page keeps its slot. The slot of one that leaves is given back; that of one
    /// that comes must have been taken.
    fn move_copy(&mut self, key: CopyKey, from: CopyStage, to: &CopyState) -> Stored<bool>;
    /// Replaces the wrap of a copy that has one. The new one's slot must have been taken and the old one's is
    /// given back, also where both are on one page.
    fn rewrap_copy(&mut self, key: CopyKey, wrap: &Wrap) -> Stored<()>;
    /// Marks an account as one whose copies must be re-filed.
    fn mark_refile(&mut self, account: AccountKey) -> Stored<()>;
    /// Unmarks it, unless it was marked again since.
    fn refile_done(&mut self, mark: RefileMark) -> Stored<()>;
}

/// Reads pages.
pub trait PageRead {
    /// One page.
    fn page(&mut self, id: PageId) -> Stored<Option<PageRow>>;
    /// Pages by id, after one, destroyed ones too.
    fn pages(&mut self, after: Option<PageId>, limit: usize) -> Stored<Vec<PageRow>>;
    /// Pages whose day has passed by then, on which nothing lies, and whose keys are not destroyed. Costs by those.
    fn idle_pages(&mut self, before: Day, limit: usize) -> Stored<Vec<PageId>>;
    /// The pages of a shelf that are not destroyed.
    fn pages_on(&mut self, shelf: &Shelf) -> Stored<Vec<PageRow>>;
}

/// Writes pages.
pub trait PageWrite {
    /// Adds an open page without wraps.
    fn open_page(&mut self, id: PageId, shelf: &Shelf) -> Stored<()>;
    /// Takes slots on the open pages of a shelf, and on new ones, named by `fresh`, when those are full.
    fn take_slots(
        &mut self,
        shelf: &Shelf,
        count: u32,
        fresh: &mut dyn FnMut() -> PageId,
    ) -> Stored<Vec<Slots>>;
    /// Takes slots on one page; `false`, and nothing happens, if it is not open or has not that many.
    fn take_slots_on(&mut self, page: PageId, count: u32) -> Stored<bool>;
    /// Gives back slots that were taken and not used.
    fn give_back_slots(&mut self, page: PageId, count: u32) -> Stored<()>;
    /// Sets what a page is.
    fn set_page_state(&mut self, page: PageId, state: crate::PageState) -> Stored<()>;
}

/// Reads holds.
pub trait HoldRead {
    /// Every version of every hold, released ones too, by id and version.
    fn holds(&mut self) -> Stored<Vec<HoldRow>>;
    /// Every version of a hold.
    fn hold_versions(&mut self, id: &str) -> Stored<Vec<HoldRow>>;
    /// A number that every change of a hold advances.
    fn holds_epoch(&mut self) -> Stored<u64>;
}

/// Writes holds. Each change advances the epoch.
pub trait HoldWrite {
    /// Adds a hold's first version.
    fn insert_hold(&mut self, hold: &HoldRow) -> Stored<()>;
    /// Ends a hold's newest version at the instant at which the next one begins, and adds that: no instant lies
    /// between them. A hold that was released stays so.
    fn amend_hold(&mut self, next: &HoldRow) -> Stored<()>;
    /// Releases a hold's newest version.
    fn release_hold(&mut self, id: &str, at: Instant) -> Stored<()>;
}

/// Reads batches of copies that are being destroyed.
pub trait ErasureRead {
    /// One batch.
    fn batch(&mut self, id: BatchId) -> Stored<Option<BatchRow>>;
    /// The batches that are not verified, oldest first.
    fn unfinished_batches(&mut self) -> Stored<Vec<BatchRow>>;
    /// Batches by id, after one.
    fn batches(&mut self, after: Option<BatchId>, limit: usize) -> Stored<Vec<BatchRow>>;
    /// A batch's copies by account, record and class, after one.
    fn copies_of_batch(
        &mut self,
        batch: BatchId,
        after: Option<CopyKey>,
        limit: usize,
    ) -> Stored<Vec<CopyRow>>;
    /// The copies that a batch's destruction names, by place, after one. A copy that returned since is among
    /// them.
    fn destroyed_of(&mut self, batch: BatchId, after: Option<u64>, limit: usize)
    -> Stored<Vec<DestroyedRow>>;
    /// The destructions that name copies of a record, oldest first.
    fn destructions_of(&mut self, account: AccountKey, record: RecordId) -> Stored<Vec<DestroyedRow>>;
    /// The batches that are shredded and not released, oldest first.
    fn unreleased_batches(&mut self) -> Stored<Vec<BatchId>>;
    /// The packs from which a batch freed bytes, removed ones too.
    fn packs_of_batch(&mut self, batch: BatchId) -> Stored<Vec<PackRow>>;
}

/// Writes batches.
pub trait ErasureWrite {
    /// Begins a batch that checked the holds of `epoch`.
    fn open_batch(&mut self, created_at: Instant, epoch: u64) -> Stored<BatchId>;
    /// Ends live copies: each is sealed into its batch and keeps its key. Those that are not live stay as they are;
    /// says how many were sealed.
    fn seal_copies(&mut self, copies: &[(CopyKey, Sealing)]) -> Stored<u64>;
    /// Takes the keys of live and of sealed copies away, when a key above them is about to be destroyed. Those that are
    /// neither stay as they are; says how many are shredding. Their slots on pages stay taken until they are released.
    fn shred_copies(&mut self, copies: &[(CopyKey, Sealing)]) -> Stored<u64>;
    /// Lets go of what so many copies of a batch took up, from after one on: their slots on pages, and where the
    /// bodies lie that no copy opens any more, whose packs the batch waits for from now on. Gives the copy that it came
    /// to; where there is none, all of the batch is released, and it says so.
    fn release(&mut self, batch: BatchId, after: Option<CopyKey>, limit: usize) -> Stored<Option<CopyKey>>;
    /// Sets how far a batch has come. Where it is shredded, removed or verified, its copies are so too.
    fn set_batch_stage(&mut self, id: BatchId, stage: BatchStage) -> Stored<()>;
    /// Sets the statement that speaks of a batch.
    fn set_batch_statement(&mut self, id: BatchId, statement: Seq) -> Stored<()>;
    /// Sets the pages whose keys must be destroyed, and the epoch of holds under which that was decided.
    fn set_batch_pages(&mut self, id: BatchId, epoch: u64, old_pages: &[PageId]) -> Stored<()>;
    /// Keeps which copies a batch's destruction names, in the order of its items: once for each batch, and
    /// for good.
    fn insert_destroyed(&mut self, batch: BatchId, copies: &[CopyKey]) -> Stored<()>;
}

/// Reads leases: who may do what only one may do at a time.
pub trait LeaseRead {
    /// The lease of a name, lapsed or not.
    fn lease(&mut self, name: &str) -> Stored<Option<LeaseRow>>;
}

/// Writes leases.
pub trait LeaseWrite {
    /// Takes the lease of a name for a holder until an instant, or prolongs the holder's own; nothing while another
    /// holder's has not lapsed. The token is the same for as long as the holder is.
    fn take_lease(&mut self, name: &str, holder: &str, now: Instant, until: Instant) -> Stored<Option<u64>>;
    /// Ends a lease at an instant, if the token still holds it.
    fn end_lease(&mut self, name: &str, token: u64, at: Instant) -> Stored<()>;
}

/// Reads runs.
pub trait RunRead {
    /// One run.
    fn run(&mut self, id: RunId) -> Stored<Option<RunRow>>;
    /// Every run, by when it was opened.
    fn runs(&mut self) -> Stored<Vec<RunRow>>;
    /// A run's records in the order of their rows, from a row on.
    fn records_of_run(&mut self, run: RunId, from_row: u64, limit: usize) -> Stored<Vec<RunRecordRow>>;
    /// The runs that a record is in.
    fn runs_of_record(&mut self, account: AccountKey, record: RecordId) -> Stored<Vec<RunRecordRow>>;
}

/// Writes runs.
pub trait RunWrite {
    /// Opens a run.
    fn insert_run(&mut self, run: &RunRow) -> Stored<()>;
    /// Adds records to a run.
    fn insert_run_records(&mut self, rows: &[RunRecordRow]) -> Stored<()>;
    /// Seals a run that is opening.
    fn seal_run(&mut self, id: RunId, manifest: &str, digest: &Digest) -> Stored<()>;
    /// Forgets a run that is opening, and its records.
    fn drop_run(&mut self, id: RunId) -> Stored<()>;
}

/// Everything that reads, on one state of the store.
pub trait ReadTx:
    MetaRead
    + PolicyRead
    + AccountRead
    + StatementRead
    + LogRead
    + ConversationRead
    + CopyRead
    + PageRead
    + HoldRead
    + HoldReaderRead
    + ErasureRead
    + LeaseRead
    + RunRead
    + BackupRead
    + ReportRead
    + KeyRead
    + ChangeRead
    + OnceRead
{
}

/// A transaction: everything that reads, and everything that writes.
pub trait Tx:
    ReadTx
    + MetaWrite
    + PolicyWrite
    + AccountWrite
    + StatementWrite
    + ConversationWrite
    + CopyWrite
    + PageWrite
    + HoldWrite
    + HoldReaderWrite
    + ErasureWrite
    + LeaseWrite
    + RunWrite
    + BackupWrite
    + KeyWrite
    + ChangeWrite
    + ClaimWrite
    + OnceWrite
{
}

impl<T> ReadTx for T where
    T: MetaRead
        + PolicyRead
        + AccountRead
        + StatementRead
        + LogRead
        + ConversationRead
        + CopyRead
        + PageRead
        + HoldRead
        + HoldReaderRead
        + ErasureRead
        + LeaseRead
        + RunRead
        + BackupRead
        + ReportRead
        + KeyRead
        + ChangeRead
        + OnceRead
{
}

impl<T> Tx for T where
    T: ReadTx
        + MetaWrite
        + PolicyWrite
        + AccountWrite
        + StatementWrite
        + ConversationWrite
        + CopyWrite
        + PageWrite
        + HoldWrite
        + HoldReaderWrite
        + ErasureWrite
        + LeaseWrite
        + RunWrite
        + BackupWrite
        + KeyWrite
        + ChangeWrite
        + ClaimWrite
        + OnceWrite
{
}
