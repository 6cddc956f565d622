//! The seeds of a witness's keys, in files that only their owner may read.

use std::io;
use std::path::Path;

use zeroize::Zeroizing;

use super::WitnessError;
use crate::files::{self, Readers};

/// The seed in a file, made on the first start. It survives a crash before anything is signed with it.
pub(super) fn seed(
    folder: &Path,
    file: &'static str,
    entropy: &mut dyn FnMut(&mut [u8; 32]) -> io::Result<()>,
) -> Result<Zeroizing<[u8; 32]>, WitnessError> {
    let path = folder.join(file);
    if let Some(bytes) = files::read(&path).map_err(WitnessError::Folder)?.map(Zeroizing::new) {
        let seed = <[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| WitnessError::Seed { file })?;
        return Ok(Zeroizing::new(seed));
    }
    let mut seed = Zeroizing::new([0; 32]);
    entropy(&mut seed).map_err(WitnessError::Folder)?;
    files::replace(&path, &*seed, Readers::Owner).map_err(WitnessError::Folder)?;
    Ok(seed)
}
