//! Which store a vault's packs lie in. The data folder remembers it.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use zeroize::Zeroizing;

use super::{BodyStore, FolderBodies, S3Address, S3Credentials, from_io};
use crate::error::{BodyError, VaultError};
use crate::files::{self, Change};
use crate::keys::IdentityKey;
use crate::keystore::{FileKeyStore, KeyAccess, KeyFolder, NewRoot};
use crate::vault::Vault;

/// The folder of packs within the data folder.
const PACKS_FOLDER: &str = "packs";

/// The file that says where packs lie, if that is not in the data folder.
const PLACE_FILE: &str = "packs-place";

/// The first line of that file.
const PLACE_HEADER: &str = "tenure packs v1";

/// Where packs lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BodyPlace {
    /// In a folder within the data folder.
    Folder,
    /// In a bucket of an S3-compatible store.
    S3(S3Address),
}

impl BodyPlace {
    /// What the data folder says.
    pub fn saved(data_folder: &Path) -> Result<Self, BodyError> {
        let text = match fs::read_to_string(data_folder.join(PLACE_FILE)) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::Folder),
            Err(error) => return Err(from_io("read where the packs lie")(error)),
        };
        let mut lines = text.lines();
        let mut next = || lines.next().unwrap_or_default();
        if next() != PLACE_HEADER {
            return Err(BodyError::Address("the file `packs-place` as `tenure init` wrote it"));
        }
        let (place, endpoint, region) = (next(), next(), next());
        S3Address::parse(place, Some(endpoint), Some(region)).map(Self::S3)
    }

    /// Makes the place ready for the packs of a new vault, and lets the data folder remember it.
    pub fn create(
        &self,
        data_folder: &Path,
        identity: &IdentityKey,
        credentials: &S3Credentials,
    ) -> Result<Box<dyn BodyStore>, BodyError> {
        match self {
            Self::Folder => {
                let bodies = FolderBodies::create(&data_folder.join(PACKS_FOLDER), identity)?;
                // A creation that broke off may have chosen another place.
                forget(data_folder)?;
                Ok(Box::new(bodies))
            }
            Self::S3(address) => {
                let bodies = on_s3(address, identity, credentials, Opening::New)?;
                save(data_folder, address)?;
                Ok(bodies)
            }
        }
    }

    /// Opens the place of a vault that was made there.
    pub fn open(
        &self,
        data_folder: &Path,
        identity: &IdentityKey,
        credentials: &S3Credentials,
    ) -> Result<Box<dyn BodyStore>, BodyError> {
        match self {
            Self::Folder => Ok(Box::new(FolderBodies::open(&data_folder.join(PACKS_FOLDER), identity)?)),
            Self::S3(address) => on_s3(address, identity, credentials, Opening::Known),
        }
    }
}

/// Whether a place is to be made or was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Opening {
    New,
    Known,
}

#[cfg(feature = "s3")]
fn on_s3(
    address: &S3Address,
    identity: &IdentityKey,
    credentials: &S3Credentials,
    opening: Opening,
) -> Result<Box<dyn BodyStore>, BodyError> {
    Ok(Box::new(match opening {
        Opening::New => super::S3Bodies::create(address, credentials, identity)?,
        Opening::Known => super::S3Bodies::open(address, credentials, identity)?,
    }))
}

#[cfg(not(feature = "s3"))]
fn on_s3(
    _: &S3Address,
    _: &IdentityKey,
    _: &S3Credentials,
    _: Opening,
) -> Result<Box<dyn BodyStore>, BodyError> {
    Err(BodyError::NotBuilt)
}

fn save(data_folder: &Path, address: &S3Address) -> Result<(), BodyError> {
    let text =
        format!("{PLACE_HEADER}\n{address}\n{}\n{}\n", address.endpoint(), address.region()).into_bytes();
    let change = Change::Write { name: PLACE_FILE.to_owned(), content: Zeroizing::new(text) };
    files::apply(data_folder, &[change]).map_err(from_io("write down where the packs lie"))
}

fn forget(data_folder: &Path) -> Result<(), BodyError> {
    let change = Change::Remove { name: PLACE_FILE.to_owned() };
    files::apply(data_folder, &[change]).map_err(from_io("forget where packs were to lie"))
}

impl Vault {
    /// Makes a vault as [`Vault::create_with`] does, with its packs in a place of one's choice. The data
    /// folder must be there.
    pub fn create_at(
        data_folder: &Path,
        key_folder: &Path,
        root: &NewRoot,
        place: &BodyPlace,
        credentials: &S3Credentials,
    ) -> Result<Self, VaultError> {
        let folder = KeyFolder::claim_new(key_folder, root)?;
        let identity = folder.create_identity()?;
        let bodies = place.create(data_folder, &identity, credentials)?;
        // The root key comes last: with it the vault exists.
        let keys = FileKeyStore::create(folder)?;
        Ok(Self::from_parts(Box::new(keys), bodies, identity))
    }

    /// Opens a vault as [`Vault::open_with`] does, with its packs wherever the data folder says.
    pub fn open_at(
        data_folder: &Path,
        key_folder: &Path,
        access: &KeyAccess,
        credentials: &S3Credentials,
    ) -> Result<Self, VaultError> {
        let keys = FileKeyStore::open_with(key_folder, access)?;
        let identity = keys.identity()?;
        let bodies = BodyPlace::saved(data_folder)?.open(data_folder, &identity, credentials)?;
        Ok(Self::from_parts(Box::new(keys), bodies, identity))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_data_folder_remembers_where_packs_lie_and_no_secret() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(BodyPlace::saved(folder.path()), Ok(BodyPlace::Folder));
        let address = S3Address::parse("s3://bucket/a/b", Some("http://127.0.0.1:1"), None).unwrap();
        save(folder.path(), &address).unwrap();
        assert_eq!(BodyPlace::saved(folder.path()), Ok(BodyPlace::S3(address)));
        fs::write(folder.path().join(PLACE_FILE), "something else\n").unwrap();
        assert!(matches!(BodyPlace::saved(folder.path()), Err(BodyError::Address(_))));
    }

    #[test]
    fn a_vault_of_a_folder_opens_wherever_the_data_folder_says() {
        let folder = tempfile::tempdir().unwrap();
        let (data, keys) = (folder.path().join("data"), folder.path().join("keys"));
        let credentials = S3Credentials::default();
        fs::create_dir(&data).unwrap();
        let broke_off = S3Address::parse("s3://bucket/a", Some("http://127.0.0.1:1"), None).unwrap();
        save(&data, &broke_off).unwrap();
        drop(Vault::create_at(&data, &keys, &NewRoot::InFolder, &BodyPlace::Folder, &credentials).unwrap());
        drop(Vault::open_at(&data, &keys, &KeyAccess::default(), &credentials).unwrap());
        drop(Vault::open(&data, &keys).unwrap());
    }
}
