//! One value for each call of a write method: what was given, and what came of it.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tenure_model::Instant;

use super::Recorder;
use crate::{
    AccountFacts, AccountKey, AccountKeys, AccountWrite, ApiKeyId, ApiKeyRow, ApiKeySecrets, BackupId,
    BackupWrite, BatchId, BatchStage, ChangeId, ChangeRow, ChangeState, ChangeWrite, ClaimRow, ClaimWrite,
    ClassId, ConversationRow, ConversationWrite, CopyKey, CopyRow, CopyStage, CopyState, CopyWrite, Digest,
    ErasureWrite, Filing, HoldReaderRow, HoldReaderWrite, HoldRow, HoldWrite, KeyWrite, LeaseWrite,
    MessageRow, MetaWrite, NewAccount, NewBackup, NewStatement, OnceBegun, OnceRow, OnceState, OnceWrite,
    PackId, PackRow, PageId, PageState, PageWrite, PolicyRow, PolicyWrite, RecordFacts, RecordId, RecordRow,
    RefileMark, RunId, RunRecordRow, RunRow, RunWrite, Sealing, SegmentRow, Seq, Shelf, SituationId, Slots,
    StatementWrite, StoreError, Stored, Tx, Wrap,
};

/// What came of a write.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome<T> {
    /// It was done, with this result.
    Done(T),
    /// It was refused, by what the store holds. What it did before it was refused counts too.
    Refused,
}

impl<T: Clone> Outcome<T> {
    /// What came of a write, or nothing if it failed for a reason that does not lie in what the store holds.
    pub(super) fn of(result: &Stored<T>) -> Option<Self> {
        match result {
            Ok(value) => Some(Self::Done(value.clone())),
            Err(
                StoreError::Conflict { .. }
                | StoreError::Dangling
                | StoreError::AppendOnly { .. }
                | StoreError::Missing { .. }
                | StoreError::Unreadable { .. }
                | StoreError::OutOfRange { .. },
            ) => Some(Self::Refused),
            Err(_) => None,
        }
    }
}

/// An argument that a write was given by reference: borrowed while it is recorded, owned once it is read.
pub struct Held<'w, T: ToOwned + ?Sized>(Cow<'w, T>);

/// It may be about a person, so it is never printed.
impl<T: ToOwned + ?Sized> fmt::Debug for Held<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Held(..)")
    }
}

impl<'w, T: ToOwned + ?Sized> From<&'w T> for Held<'w, T> {
    fn from(given: &'w T) -> Self {
        Self(Cow::Borrowed(given))
    }
}

impl<T: ToOwned + Serialize + ?Sized> Serialize for Held<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.as_ref().serialize(serializer)
    }
}

impl<'de, T: ToOwned<Owned: Deserialize<'de>> + ?Sized> Deserialize<'de> for Held<'_, T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::Owned::deserialize(deserializer).map(|owned| Self(Cow::Owned(owned)))
    }
}

/// How a recorded argument is given again.
trait Kept {
    type Given<'g>
    where
        Self: 'g;

    fn given(&self) -> Self::Given<'_>;
}

impl<T: ToOwned + ?Sized> Kept for Held<'_, T> {
    type Given<'g>
        = &'g T
    where
        Self: 'g;

    fn given(&self) -> &T {
        &self.0
    }
}

macro_rules! given_by_value {
    ($($kept:ty),+) => {
        $(impl Kept for $kept {
            type Given<'g> = Self;

            fn given(&self) -> Self {
                *self
            }
        })+
    };
}
given_by_value!(
    u32,
    u64,
    usize,
    AccountKey,
    ApiKeyId,
    BackupId,
    BatchId,
    BatchStage,
    ChangeId,
    CopyKey,
    Option<CopyKey>,
    CopyStage,
    Filing,
    Instant,
    PackId,
    PageId,
    PageState,
    RecordId,
    RefileMark,
    RunId,
    Seq
);

/// Defines [`Write`], the traits of [`Recorder`] that make such values, and what does them again, all from one
/// line for each write method: how it takes each argument, and as what the argument is kept.
macro_rules! writes {
    ($w:lifetime; $($port:ident { $($variant:ident = $method:ident($($arg:ident: $given:ty as $kept:ty),*) -> $result:ty;)* $(+ { $($also:tt)* })? })+) => {
        /// One call of a write method.
        #[derive(Debug, Serialize, Deserialize)]
        pub enum Write<$w> {
            /// See [`PageWrite::take_slots`].
            TakeSlots {
                /// The shelf.
                on: Held<$w, Shelf>,
                /// How many.
                count: u32,
                /// The names of new pages that were drawn for it.
                fresh: Vec<PageId>,
                /// What came of it.
                outcome: Outcome<Vec<Slots>>,
            },
            $($(
                #[doc = concat!("See [`", stringify!($port), "::", stringify!($method), "`].")]
                #[expect(missing_docs, reason = "the arguments are those of the method")]
                $variant { $($arg: $kept,)* outcome: Outcome<$result> },
            )*)+
        }

        /// A fingerprint of all that is above: another list of writes reads nothing of this one's.
        pub(super) const WRITES: u32 = FORM ^ fingerprint(concat!($($(stringify!($variant($($arg: $kept),*) -> $result),)*)+));

        $(impl $port for Recorder<'_> {
            $(fn $method(&mut self, $($arg: $given),*) -> Stored<$result> {
                let result = self.tx.$method($($arg),*);
                self.redo.note(&result, |outcome| Write::$variant { $($arg: $arg.into(),)* outcome });
                result
            })*
            $($($also)*)?
        })+

        impl Write<'_> {
            /// Does it again. `false` if something else came of it than when it was recorded.
            pub(super) fn again(&self, tx: &mut dyn Tx) -> Stored<bool> {
                match self {
                    Self::TakeSlots { on, count, fresh, outcome } => {
                        let mut fresh = fresh.iter();
                        // A page too many shows in the outcome.
                        let mut draw = || fresh.next().copied().unwrap_or(PageId([0; 16]));
                        agrees(outcome, tx.take_slots(on.given(), *count, &mut draw))
                    }
                    $($(Self::$variant { $($arg,)* outcome } => agrees(outcome, tx.$method($($arg.given()),*)),)*)+
                }
            }
        }
    };
}

/// Whether the same came of a write again. A failure that says nothing about what the store holds is passed on.
fn agrees<T: Clone + PartialEq>(recorded: &Outcome<T>, result: Stored<T>) -> Stored<bool> {
    match Outcome::of(&result) {
        Some(outcome) => Ok(outcome == *recorded),
        None => result.map(|_| false),
    }
}

/// Advanced when a row that a write takes gets another form, as the list of writes does not show that.
const FORM: u32 = 1;

/// FNV-1a.
const fn fingerprint(text: &str) -> u32 {
    let mut rest = text.as_bytes();
    let mut hash = 0x811c_9dc5_u32;
    while let Some((byte, tail)) = rest.split_first() {
        hash = (hash ^ *byte as u32).wrapping_mul(0x0100_0193);
        rest = tail;
    }
    hash
}

writes! { 'w;
    MetaWrite {
        SetMeta = set_meta(key: &str as Held<'w, str>, value: &str as Held<'w, str>) -> ();
    }
    PolicyWrite {
        InsertPolicy = insert_policy(policy: &PolicyRow as Held<'w, PolicyRow>) -> ();
        WithdrawPolicy = withdraw_policy(lineage: &str as Held<'w, str>, version: &str as Held<'w, str>, at: Instant as Instant) -> ();
    }
    AccountWrite {
        InsertAccount = insert_account(account: &NewAccount as Held<'w, NewAccount>) -> AccountKey;
        SetAccountFacts = set_account_facts(key: AccountKey as AccountKey, facts: &AccountFacts as Held<'w, AccountFacts>) -> ();
        SetAccountKeys = set_account_keys(key: AccountKey as AccountKey, keys: &AccountKeys as Held<'w, AccountKeys>) -> ();
    }
    StatementWrite {
        AppendStatement = append_statement(statement: &NewStatement as Held<'w, NewStatement>) -> Seq;
    }
    ConversationWrite {
        InsertConversation = insert_conversation(conversation: &ConversationRow as Held<'w, ConversationRow>) -> ();
        InsertRecord = insert_record(record: &RecordRow as Held<'w, RecordRow>) -> ();
        DeleteRecords = delete_records(account: AccountKey as AccountKey, at: Instant as Instant) -> u64;
        SetRecordFacts = set_record_facts(account: AccountKey as AccountKey, record: RecordId as RecordId, facts: &RecordFacts as Held<'w, RecordFacts>) -> ();
        SetRecordCounts = set_record_counts(account: AccountKey as AccountKey, record: RecordId as RecordId, messages: u32 as u32, segments: u32 as u32) -> ();
        InsertMessages = insert_messages(account: AccountKey as AccountKey, record: RecordId as RecordId, messages: &[MessageRow] as Held<'w, [MessageRow]>) -> ();
        RemoveMessages = remove_messages(account: AccountKey as AccountKey, record: RecordId as RecordId) -> u64;
        InsertPack = insert_pack(pack: &PackRow as Held<'w, PackRow>) -> ();
        InsertSegments = insert_segments(account: AccountKey as AccountKey, record: RecordId as RecordId, segments: &[SegmentRow] as Held<'w, [SegmentRow]>) -> ();
        RemoveSegments = remove_segments(account: AccountKey as AccountKey, record: RecordId as RecordId) -> Vec<SegmentRow>;
        MoveSegment = move_segment(account: AccountKey as AccountKey, record: RecordId as RecordId, from: &SegmentRow as Held<'w, SegmentRow>, to: &SegmentRow as Held<'w, SegmentRow>) -> bool;
        SetPackRemoved = set_pack_removed(id: PackId as PackId, at: Instant as Instant) -> ();
    }
    CopyWrite {
        InternClass = intern_class(name: &str as Held<'w, str>) -> ClassId;
        InternSituation = intern_situation(body: &[u8] as Held<'w, [u8]>) -> SituationId;
        InsertCopy = insert_copy(copy: &CopyRow as Held<'w, CopyRow>) -> ();
        File = file(key: CopyKey as CopyKey, filing: Filing as Filing) -> ();
        MoveCopy = move_copy(key: CopyKey as CopyKey, from: CopyStage as CopyStage, to: &CopyState as Held<'w, CopyState>) -> bool;
        RewrapCopy = rewrap_copy(key: CopyKey as CopyKey, wrap: &Wrap as Held<'w, Wrap>) -> ();
        MarkRefile = mark_refile(account: AccountKey as AccountKey) -> ();
        RefileDone = refile_done(mark: RefileMark as RefileMark) -> ();
    }
    PageWrite {
        OpenPage = open_page(id: PageId as PageId, shelf: &Shelf as Held<'w, Shelf>) -> ();
        TakeSlotsOn = take_slots_on(page: PageId as PageId, count: u32 as u32) -> bool;
        GiveBackSlots = give_back_slots(page: PageId as PageId, count: u32 as u32) -> ();
        SetPageState = set_page_state(page: PageId as PageId, state: PageState as PageState) -> ();
        + {
            fn take_slots(
                &mut self,
                shelf: &Shelf,
                count: u32,
                fresh: &mut dyn FnMut() -> PageId,
            ) -> Stored<Vec<Slots>> {
                let mut drawn = Vec::new();
                let result = self.tx.take_slots(shelf, count, &mut || {
                    let page = fresh();
                    drawn.push(page);
                    page
                });
                self.redo.note(&result, |outcome| Write::TakeSlots { on: shelf.into(), count, fresh: drawn, outcome });
                result
            }
        }
    }
    HoldWrite {
        InsertHold = insert_hold(hold: &HoldRow as Held<'w, HoldRow>) -> ();
        AmendHold = amend_hold(next: &HoldRow as Held<'w, HoldRow>) -> ();
        ReleaseHold = release_hold(id: &str as Held<'w, str>, at: Instant as Instant) -> ();
    }
    HoldReaderWrite {
        AddHoldReader = add_hold_reader(reader: &HoldReaderRow as Held<'w, HoldReaderRow>) -> ();
        EndHoldReader = end_hold_reader(hold: &str as Held<'w, str>, reader: &str as Held<'w, str>, at: Instant as Instant) -> ();
        InsertHoldRead = insert_hold_read(statement: Seq as Seq, copies: &[CopyKey] as Held<'w, [CopyKey]>) -> ();
    }
    ErasureWrite {
        OpenBatch = open_batch(created_at: Instant as Instant, epoch: u64 as u64) -> BatchId;
        SetBatchStage = set_batch_stage(id: BatchId as BatchId, stage: BatchStage as BatchStage) -> ();
        SetBatchStatement = set_batch_statement(id: BatchId as BatchId, statement: Seq as Seq) -> ();
        SetBatchPages = set_batch_pages(id: BatchId as BatchId, epoch: u64 as u64, old_pages: &[PageId] as Held<'w, [PageId]>) -> ();
        SealCopies = seal_copies(copies: &[(CopyKey, Sealing)] as Held<'w, [(CopyKey, Sealing)]>) -> u64;
        ShredCopies = shred_copies(copies: &[(CopyKey, Sealing)] as Held<'w, [(CopyKey, Sealing)]>) -> u64;
        Release = release(batch: BatchId as BatchId, after: Option<CopyKey> as Option<CopyKey>, limit: usize as usize) -> Option<CopyKey>;
        InsertDestroyed = insert_destroyed(batch: BatchId as BatchId, copies: &[CopyKey] as Held<'w, [CopyKey]>) -> ();
    }
    LeaseWrite {
        TakeLease = take_lease(name: &str as Held<'w, str>, holder: &str as Held<'w, str>, now: Instant as Instant, until: Instant as Instant) -> Option<u64>;
        EndLease = end_lease(name: &str as Held<'w, str>, token: u64 as u64, at: Instant as Instant) -> ();
    }
    RunWrite {
        InsertRun = insert_run(run: &RunRow as Held<'w, RunRow>) -> ();
        InsertRunRecords = insert_run_records(rows: &[RunRecordRow] as Held<'w, [RunRecordRow]>) -> ();
        SealRun = seal_run(id: RunId as RunId, manifest: &str as Held<'w, str>, digest: &Digest as Held<'w, Digest>) -> ();
        DropRun = drop_run(id: RunId as RunId) -> ();
    }
    BackupWrite {
        InsertBackup = insert_backup(backup: &NewBackup as Held<'w, NewBackup>) -> BackupId;
        SetBackupEnd = set_backup_end(id: BackupId as BackupId, ages_out_at: Instant as Instant) -> ();
    }
    KeyWrite {
        InsertApiKey = insert_api_key(key: &ApiKeyRow as Held<'w, ApiKeyRow>) -> ();
        SetApiKeySecrets = set_api_key_secrets(id: ApiKeyId as ApiKeyId, secrets: &ApiKeySecrets as Held<'w, ApiKeySecrets>) -> ();
    }
    ChangeWrite {
        InsertChange = insert_change(change: &ChangeRow as Held<'w, ChangeRow>) -> ();
        SetChangeState = set_change_state(id: ChangeId as ChangeId, state: &ChangeState as Held<'w, ChangeState>) -> ();
    }
    ClaimWrite {
        Claim = claim(claim: &ClaimRow as Held<'w, ClaimRow>) -> Option<ClaimRow>;
        ForgetClaims = forget_claims(before: Instant as Instant, limit: usize as usize) -> u64;
    }
    OnceWrite {
        BeginOnce = begin_once(begun: &OnceBegun as Held<'w, OnceBegun>) -> Option<OnceRow>;
        FinishOnce = finish_once(key: &Digest as Held<'w, Digest>, since: Instant as Instant, done: &OnceState as Held<'w, OnceState>) -> bool;
        AbandonOnce = abandon_once(key: &Digest as Held<'w, Digest>, since: Instant as Instant) -> ();
        ForgetOnce = forget_once(by: Instant as Instant, limit: usize as usize) -> u64;
    }
}
