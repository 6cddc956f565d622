//! C2SP chunked encryption as Cobblestone-256: HKDF-SHA-512 and AES-256-GCM, in chunks of 16 KiB.
//!
//! A sealed message is `salt (24) ‖ commitment (32) ‖ chunk ‖ chunk …`. A key of the message's own is
//! derived from key, salt and context, and the commitment with it, so that a message opens under one
//! key only. Each chunk is encrypted under its number. Every chunk is full but the last, which never
//! is and may be empty: a message cut off between two chunks has no last one, and a range can be read
//! without the rest. The specification is <https://c2sp.org/chunked-encryption>.

use std::iter;
use std::mem;
use std::ops::Range;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hkdf::{self, HKDF_SHA512, Prk};
use aws_lc_rs::rand;
use zeroize::{Zeroize, Zeroizing};

use crate::cipher::CipherError;
use crate::error::OpenError;
use crate::keys::Secret;

/// The salt and the commitment, which stand before the first chunk.
pub(crate) const HEADER_LEN: usize = SALT_LEN + COMMITMENT_LEN;

const SALT_LEN: usize = 24;
const COMMITMENT_LEN: usize = 32;
const CHUNK_LEN: usize = 16 << 10;
const TAG_LEN: usize = 16;
const SEALED_CHUNK_LEN: usize = CHUNK_LEN + TAG_LEN;
const CHUNKS_MAX: u64 = 1 << 38;

const LABEL: &[u8] = b"c2sp.org/chunked-encryption@v1+AEAD_AES_256_GCM\0";

/// What makes the keys of two messages under one key differ. It must never be used twice.
#[derive(Debug)]
pub(crate) struct Salt([u8; SALT_LEN]);

/// Random salts, many drawn at once: for a short message a draw of its own would be a good part of the cost.
#[derive(Debug, Default)]
pub(crate) struct Salts(Vec<[u8; SALT_LEN]>);

impl Salts {
    const DRAWN: usize = 64;

    /// A salt that nobody had.
    pub(crate) fn next(&mut self) -> Result<Salt, CipherError> {
        if self.0.is_empty() {
            let mut drawn = [0; SALT_LEN * Self::DRAWN];
            rand::fill(&mut drawn).map_err(|_| CipherError)?;
            self.0.extend(drawn.as_chunks().0);
        }
        self.0.pop().map(Salt).ok_or(CipherError)
    }
}

/// The length of a message that is `plaintext` bytes long, sealed; nothing if it is too long to seal.
pub(crate) fn sealed_len(plaintext: usize) -> Option<usize> {
    let full = plaintext / CHUNK_LEN;
    if u64::try_from(full).ok()? >= CHUNKS_MAX {
        return None;
    }
    plaintext.checked_add(full.checked_add(1)?.checked_mul(TAG_LEN)?)?.checked_add(HEADER_LEN)
}

/// Appends the sealed message to `out`. Each chunk is encrypted from where the plaintext lies, so that
/// none of it ever enters `out`; on failure `out` is as it was.
pub(crate) fn seal_into(
    key: &Secret,
    context: &[u8],
    Salt(salt): Salt,
    plaintext: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), CipherError> {
    let length = sealed_len(plaintext.len()).ok_or(CipherError)?;
    let message = Message::derive(key, context, &salt)?;
    let start = out.len();
    out.reserve(length);
    out.extend_from_slice(&salt);
    out.extend_from_slice(&message.commitment);
    let sealed = message.seal_chunks(plaintext, out);
    if sealed.is_err() {
        if let Some(tail) = out.get_mut(start..) {
            tail.zeroize();
        }
        out.truncate(start);
    }
    sealed
}

/// The plaintext, if key, context and every byte are those of the sealing.
pub(crate) fn open(key: &Secret, context: &[u8], sealed: &[u8]) -> Result<Vec<u8>, OpenError> {
    let layout = Layout::of(sealed.len() as u64).ok_or(OpenError::Malformed)?;
    let (header, chunks) = sealed.split_at_checked(HEADER_LEN).ok_or(OpenError::Malformed)?;
    open_part(key, context, header, &layout.part(&(0..u64::MAX)), chunks)
}

/// The bytes of the range that `part` was made for, from the message's header and the chunks that
/// `part` names.
pub(crate) fn open_part(
    key: &Secret,
    context: &[u8],
    header: &[u8],
    part: &Part,
    chunks: &[u8],
) -> Result<Vec<u8>, OpenError> {
    let (salt, commitment) = header.split_first_chunk().ok_or(OpenError::Malformed)?;
    if chunks.len() as u64 != part.sealed.end - part.sealed.start {
        return Err(OpenError::Malformed);
    }
    let message = Message::derive(key, context, salt)?;
    verify_slices_are_equal(&message.commitment, commitment).map_err(|_| OpenError::Refused)?;
    let length = chunks.len() - chunks.len().div_ceil(SEALED_CHUNK_LEN) * TAG_LEN;
    let mut plaintext = vec![0; length];
    if let Err(error) = message.open_chunks(part.first, chunks, &mut plaintext) {
        // The chunks before the one that was refused have been opened.
        plaintext.zeroize();
        return Err(error);
    }
    keep(&mut plaintext, &part.cut);
    Ok(plaintext)
}

/// Where the chunks lie of a message of known length.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Layout {
    plaintext: u64,
    sealed: u64,
}

impl Layout {
    /// The layout of a message of this sealed length; nothing if no message has such a length, as when
    /// one was cut off between two chunks.
    pub(crate) fn of(sealed: u64) -> Option<Self> {
        let chunks = sealed.checked_sub(HEADER_LEN as u64)?;
        let full = chunks / SEALED_CHUNK_LEN as u64;
        let last = (chunks % SEALED_CHUNK_LEN as u64).checked_sub(TAG_LEN as u64)?;
        (full < CHUNKS_MAX).then_some(Self { plaintext: full * CHUNK_LEN as u64 + last, sealed })
    }

    /// The chunks to read for a range of the plaintext, at least one.
    ///
    /// A range that reaches beyond the end is cut there, and the last chunk is read, which proves that
    /// the end is where it seems. A range that begins beyond its own end is empty.
    pub(crate) fn part(self, range: &Range<u64>) -> Part {
        let start = range.start.min(self.plaintext);
        let end = range.end.clamp(start, self.plaintext);
        let first = start / CHUNK_LEN as u64;
        let last = if range.end > self.plaintext {
            self.plaintext / CHUNK_LEN as u64
        } else {
            end.saturating_sub(1).max(start) / CHUNK_LEN as u64
        };
        let chunk_at = |number: u64| HEADER_LEN as u64 + number * SEALED_CHUNK_LEN as u64;
        let skipped = first * CHUNK_LEN as u64;
        Part {
            sealed: chunk_at(first)..chunk_at(last + 1).min(self.sealed),
            first,
            cut: start - skipped..end - skipped,
        }
    }
}

/// The chunks that a range lies in.
#[derive(Debug)]
pub(crate) struct Part {
    /// Which bytes of the sealed message they are.
    pub(crate) sealed: Range<u64>,
    /// The number of the first.
    first: u64,
    /// Which bytes of what they hold were asked for.
    cut: Range<u64>,
}

/// Keeps what there is of a range, and wipes the rest, which would stay behind in the allocation.
pub(crate) fn keep(plaintext: &mut Vec<u8>, range: &Range<u64>) {
    let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
    let start = place(range.start).min(plaintext.len());
    let end = place(range.end).clamp(start, plaintext.len());
    plaintext.copy_within(start..end, 0);
    if let Some(rest) = plaintext.get_mut(end - start..) {
        rest.zeroize();
    }
    plaintext.truncate(end - start);
}

/// What is derived for one message.
struct Message {
    key: LessSafeKey,
    base_nonce: [u8; NONCE_LEN],
    commitment: [u8; COMMITMENT_LEN],
}

impl Message {
    fn derive(key: &Secret, context: &[u8], salt: &[u8; SALT_LEN]) -> Result<Self, CipherError> {
        struct Length;
        impl hkdf::KeyType for Length {
            fn len(&self) -> usize {
                Secret::LEN + NONCE_LEN + COMMITMENT_LEN
            }
        }
        let mut derived = Zeroizing::new([0; Secret::LEN + NONCE_LEN + COMMITMENT_LEN]);
        Prk::new_less_safe(HKDF_SHA512, key.as_bytes())
            .expand(&[LABEL, salt, context], Length)
            .and_then(|output| output.fill(derived.as_mut_slice()))
            .map_err(|_| CipherError)?;
        let (key, rest) = derived.split_first_chunk::<{ Secret::LEN }>().ok_or(CipherError)?;
        let (base_nonce, commitment) = rest.split_first_chunk().ok_or(CipherError)?;
        Ok(Self {
            key: UnboundKey::new(&AES_256_GCM, key).map(LessSafeKey::new).map_err(|_| CipherError)?,
            base_nonce: *base_nonce,
            commitment: commitment.try_into().map_err(|_| CipherError)?,
        })
    }

    /// The base nonce with the chunk's number added without carry at its end.
    fn nonce(&self, number: u64) -> Nonce {
        let mut nonce = self.base_nonce;
        for (byte, of_number) in nonce.iter_mut().rev().zip(number.to_le_bytes()) {
            *byte ^= of_number;
        }
        Nonce::assume_unique_for_key(nonce)
    }

    fn seal_chunks(&self, plaintext: &[u8], out: &mut Vec<u8>) -> Result<(), CipherError> {
        let (full, last) = plaintext.as_chunks::<CHUNK_LEN>();
        let chunks = full.iter().map(<[u8; CHUNK_LEN]>::as_slice).chain(iter::once(last));
        for (number, chunk) in (0..).zip(chunks) {
            let at = out.len();
            out.resize(at + chunk.len() + TAG_LEN, 0);
            let (text, tag) = out
                .get_mut(at..)
                .and_then(|place| place.split_last_chunk_mut::<TAG_LEN>())
                .ok_or(CipherError)?;
            self.key
                .seal_out_of_place_scatter(self.nonce(number), Aad::empty(), chunk, text, &[], tag)
                .map_err(|_| CipherError)?;
        }
        Ok(())
    }

    /// Opens chunks that follow one another into a place of exactly their length.
    fn open_chunks(&self, first: u64, chunks: &[u8], mut out: &mut [u8]) -> Result<(), OpenError> {
        for (number, chunk) in (first..).zip(chunks.chunks(SEALED_CHUNK_LEN)) {
            let (text, tag) = chunk.split_last_chunk::<TAG_LEN>().ok_or(OpenError::Malformed)?;
            let (place, after) =
                mem::take(&mut out).split_at_mut_checked(text.len()).ok_or(OpenError::Malformed)?;
            self.key
                .open_separate_gather(self.nonce(number), Aad::empty(), text, tag, place)
                .map_err(|_| OpenError::Refused)?;
            out = after;
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "chunked_tests.rs"]
mod tests;
