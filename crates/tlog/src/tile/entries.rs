//! Entry bundles: the entries below a tile of leaf hashes.

use super::{FULL_WIDTH, width_within};

/// Which bundle: its place, and how many entries it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Bundle {
    index: u64,
    width: u16,
}

/// An entry that the length before it cannot express.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an entry of {bytes} bytes is over the limit of 65535")]
pub struct EntryTooLong {
    /// How long it is.
    pub bytes: usize,
}

/// Bytes that are not the bundle that they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BundleError {
    /// The bytes end within an entry.
    #[error("the bundle ends within entry {position}")]
    Truncated {
        /// The entry, counted from the start of the bundle.
        position: u16,
    },
    /// There is more after the last entry.
    #[error("{bytes} bytes follow the last entry of the bundle")]
    Trailing {
        /// How much.
        bytes: usize,
    },
}

impl Bundle {
    /// A bundle, unless its width is not 1 to 256.
    pub fn new(index: u64, width: u16) -> Option<Self> {
        (1..=FULL_WIDTH).contains(&width).then_some(Self { index, width })
    }

    /// The bundle at this place as wide as a log of `size` entries makes it; none if it would be empty.
    pub fn in_log(index: u64, size: u64) -> Option<Self> {
        Some(Self { index, width: width_within(size, index)? })
    }

    /// The place, from the left.
    pub fn index(self) -> u64 {
        self.index
    }

    /// How many entries it holds.
    pub fn width(self) -> u16 {
        self.width
    }

    /// The entries within the bytes of this bundle: exactly as many as it is wide.
    pub fn entries(self, mut bytes: &[u8]) -> Result<Vec<&[u8]>, BundleError> {
        let mut entries = Vec::with_capacity(usize::from(self.width));
        for position in 0..self.width {
            let (entry, rest) = split_entry(bytes).ok_or(BundleError::Truncated { position })?;
            entries.push(entry);
            bytes = rest;
        }
        if bytes.is_empty() { Ok(entries) } else { Err(BundleError::Trailing { bytes: bytes.len() }) }
    }
}

/// Writes an entry at the end of a bundle: its length as two big-endian bytes, then itself.
pub fn push_entry(bundle: &mut Vec<u8>, entry: &[u8]) -> Result<(), EntryTooLong> {
    let length = u16::try_from(entry.len()).map_err(|_| EntryTooLong { bytes: entry.len() })?;
    bundle.extend_from_slice(&length.to_be_bytes());
    bundle.extend_from_slice(entry);
    Ok(())
}

fn split_entry(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_read_as_they_were_written() {
        let long = vec![7; 65_535];
        let mut bytes = Vec::new();
        for entry in [&b"one"[..], b"", &long] {
            push_entry(&mut bytes, entry).unwrap();
        }
        assert_eq!(bytes.get(..7), Some(&b"\x00\x03one\x00\x00"[..]));
        let bundle = Bundle::new(0, 3).unwrap();
        assert_eq!(bundle.entries(&bytes).unwrap(), [&b"one"[..], b"", &long]);
        assert_eq!(
            push_entry(&mut Vec::new(), &vec![0; 65_536]),
            Err(EntryTooLong { bytes: 65_536 }),
            "an entry longer than its length can say"
        );
    }

    #[test]
    fn a_bundle_holds_as_many_entries_as_it_is_wide() {
        let bytes = b"\x00\x01a\x00\x01b";
        let of = |width| Bundle::new(0, width).unwrap().entries(bytes);
        assert_eq!(of(1), Err(BundleError::Trailing { bytes: 3 }));
        assert_eq!(of(2).map(|entries| entries.len()), Ok(2));
        assert_eq!(of(3), Err(BundleError::Truncated { position: 2 }));
    }
}
