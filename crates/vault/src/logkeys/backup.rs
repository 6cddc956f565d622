//! Backups of the log's keys, encrypted with age to people who can open them without this machine.

use std::io::{self, Read as _, Write as _};
use std::path::Path;

use age::armor::{ArmoredReader, ArmoredWriter, Format};
use age::x25519::Recipient;
use age::{DecryptError, Decryptor, Encryptor, IdentityFile};
use zeroize::Zeroizing;

use super::LogKeys;
use super::error::LogKeyError;
use crate::cipher::CipherError;

impl LogKeys {
    /// An age file with these keys, as text, which each of the recipients (`age1…`) can open alone.
    ///
    /// `age --decrypt` opens it too.
    pub fn backup_to(&self, recipients: &[String]) -> Result<Vec<u8>, LogKeyError> {
        let recipients = recipients
            .iter()
            .zip(1..)
            .map(|(text, position)| text.trim().parse().map_err(|_| LogKeyError::Recipient { position }))
            .collect::<Result<Vec<Recipient>, _>>()?;
        if recipients.is_empty() {
            return Err(LogKeyError::NoRecipient);
        }
        // Neither memory nor plain recipients can fail.
        let encryptor = Encryptor::with_recipients(recipients.iter().map(|one| one as _));
        encrypted(encryptor.map_err(|_| CipherError)?, &self.export()).map_err(|_| CipherError.into())
    }

    /// Puts the keys of a backup into a key folder that has none. The identities are those of a file that
    /// `age-keygen` makes.
    pub fn restore(key_folder: &Path, backup: &[u8], identity_file: &str) -> Result<Self, LogKeyError> {
        let identities = IdentityFile::from_buffer(identity_file.as_bytes())
            .ok()
            .and_then(|file| file.into_identities().ok())
            .filter(|identities| !identities.is_empty())
            .ok_or(LogKeyError::Identity)?;
        let decryptor = Decryptor::new_buffered(ArmoredReader::new(backup));
        let decryptor = decryptor.map_err(|_| LogKeyError::BackupDamaged)?;
        let opened = decryptor.decrypt(identities.iter().map(|one| one.as_ref() as _));
        let mut reader = opened.map_err(|error| match error {
            DecryptError::NoMatchingKeys | DecryptError::KeyDecryptionFailed => LogKeyError::NotForIdentity,
            _ => LogKeyError::BackupDamaged,
        })?;
        // What is read is at most as long as the backup, so the text is never moved while it grows.
        let mut text = Zeroizing::new(Vec::with_capacity(backup.len()));
        reader.read_to_end(&mut text).map_err(|_| LogKeyError::BackupDamaged)?;
        Self::import(key_folder, &text)
    }
}

fn encrypted(encryptor: Encryptor, plaintext: &[u8]) -> io::Result<Vec<u8>> {
    let armor = ArmoredWriter::wrap_output(Vec::new(), Format::AsciiArmor)?;
    let mut writer = encryptor.wrap_output(armor)?;
    writer.write_all(plaintext)?;
    writer.finish()?.finish()
}
