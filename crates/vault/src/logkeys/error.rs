//! What can go wrong with the keys of the log.

use tenure_tlog::note::SigningError;

use crate::cipher::CipherError;
use crate::error::KeyError;

/// Why the keys of the log did not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogKeyError {
    /// The log's origin is no name for a key.
    #[error(
        "the origin of the log can't name its keys; choose one of at most 255 bytes without spaces and `+`, such as `log.example.com/tenure`"
    )]
    Origin,
    /// The key folder has no keys of a log.
    #[error(
        "the key folder has no `log-keys`; check its mount, or restore them with `tenure ledger key restore`"
    )]
    Missing,
    /// New keys would have taken the place of those that are there.
    #[error("the key folder already holds keys of a log; nothing was changed")]
    AlreadyThere,
    /// Restored keys would have taken the place of others.
    #[error(
        "the key folder holds other keys of a log than the backup; if the backup is to hold, move `log-keys` away first and restore again"
    )]
    OtherKeys,
    /// The file is not what was written.
    #[error(
        "`log-keys` in the key folder is damaged or belongs to another root key; move it away, and restore it with `tenure ledger key restore`"
    )]
    Damaged,
    /// The mark is no checkpoint.
    #[error("`log-mark` in the key folder is damaged, so nobody knows what was shown of the log; restore it")]
    MarkDamaged,
    /// A later version of the program wrote the keys.
    #[error("the keys of the log were written by a later version of tenure; use that one")]
    LaterVersion,
    /// Another process replaced the keys after these were opened.
    #[error("the keys of the log were changed by another process meanwhile; open them again")]
    Changed,
    /// All keys but the newest are retired already.
    #[error("only the newest keys sign already; make new ones with `tenure ledger key rotate` first")]
    NothingToRetire,
    /// More generations sign than verifiers may accept.
    #[error(
        "four generations of keys sign already; retire the earlier ones with `tenure ledger key retire` first"
    )]
    RetireFirst,
    /// The checkpoint is of another log.
    #[error("the checkpoint is of another log than these keys; give the origin that the keys were made for")]
    OtherOrigin,
    /// The instant can't be written into a signature.
    #[error("a checkpoint can't be signed as of an instant before 1970; check the clock")]
    BeforeEpoch,
    /// A key did not sign.
    #[error("the checkpoint could not be signed")]
    Signing(#[from] SigningError),
    /// The checkpoint's origin, or its signatures, do not make a checkpoint.
    #[error("the checkpoint could not be put together")]
    Checkpoint(#[from] tenure_tlog::checkpoint::CheckpointError),
    /// A backup for nobody.
    #[error("a backup needs someone to open it; name at least one age recipient")]
    NoRecipient,
    /// A recipient of a backup is none.
    #[error("recipient {position} is no age recipient; one begins with `age1`, and `age-keygen` makes one")]
    Recipient {
        /// Which one, counted from 1.
        position: usize,
    },
    /// The file of identities holds none, or something else.
    #[error(
        "the identity file holds no age identity, or something else besides; one begins with `AGE-SECRET-KEY-1`"
    )]
    Identity,
    /// The backup was made for others.
    #[error("none of the identities opens the backup; give the identity of one of its recipients")]
    NotForIdentity,
    /// The backup is not what was written.
    #[error("the backup is damaged or was not made by `tenure ledger key backup`; use another copy of it")]
    BackupDamaged,
    /// The key folder failed.
    #[error(transparent)]
    Folder(#[from] KeyError),
    /// The cryptographic library refused.
    #[error(transparent)]
    Cipher(#[from] CipherError),
}
