//! Doing again what a journal has.

use super::recorder::{HEADER_LEN, Header};
use super::{JournalError, Write};
use crate::{Stored, TreeHead, Tx};

/// Does a group again, and gives the head that the log must have afterwards.
///
/// # Errors
/// [`JournalError::Diverged`] if anything comes of it that did not come of it when it was written; the caller
/// then rolls back.
pub(crate) fn apply_group(tx: &mut dyn Tx, number: u64, group: &[u8]) -> Stored<TreeHead> {
    let damaged = || JournalError::Damaged { after: number.saturating_sub(1) };
    let (header, mut rest) = group.split_first_chunk::<HEADER_LEN>().ok_or_else(damaged)?;
    let header = Header::read(header).ok_or(JournalError::OtherVersion)?;
    while !rest.is_empty() {
        let (write, tail) = postcard::take_from_bytes::<Write<'_>>(rest).map_err(|_| damaged())?;
        if !write.again(tx)? {
            return Err(JournalError::Diverged { number }.into());
        }
        rest = tail;
    }
    Ok(header.head)
}
