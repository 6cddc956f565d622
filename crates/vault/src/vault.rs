//! The vault: keys and packs behind one door.

use std::ops::Range;
use std::path::Path;

use bytes::Bytes;

use crate::bodies::{self, BodyStore, FolderBodies, Listing};
use crate::cipher::CipherError;
use crate::error::{BodyError, KeyError, OpenError, VaultError};
use crate::ids::{PackId, PageId};
use crate::keylog::Kind;
use crate::keys::{AccountKey, BodyKey, IdentityKey, ProofKey, Secret};
use crate::keystore::{FileKeyStore, KeyAccess, KeyFolder, NewRoot};
use crate::names::{AccountName, CopyName, SegmentName};
use crate::pack::{self, PackWriter, Place, Reading};
use crate::page::{KeyStore, PageKey, Tree};
use crate::wrap::{self, Wrap, Wrapper};

/// The folder of packs within the data folder.
const PACKS_FOLDER: &str = "packs";

/// Body keys, account keys and packs, joined with the key store that decides what can still be opened.
#[derive(Debug)]
pub struct Vault {
    keys: Box<dyn KeyStore>,
    bodies: Box<dyn BodyStore>,
    identity: IdentityKey,
}

impl Vault {
    /// Makes a vault: packs in the data folder, keys in a folder of their own beside it.
    ///
    /// Nothing that exists is written over, and a creation that broke off can be begun again.
    pub fn create(data_folder: &Path, key_folder: &Path) -> Result<Self, VaultError> {
        Self::create_with(data_folder, key_folder, &NewRoot::InFolder)
    }

    /// The same, with a root key that lies where said.
    pub fn create_with(data_folder: &Path, key_folder: &Path, root: &NewRoot) -> Result<Self, VaultError> {
        let folder = KeyFolder::claim_new(key_folder, root)?;
        let identity = folder.create_identity()?;
        let bodies = FolderBodies::create(&data_folder.join(PACKS_FOLDER), &identity)?;
        // The root key comes last: with it the vault exists.
        let keys = FileKeyStore::create(folder)?;
        Ok(Self::from_parts(Box::new(keys), Box::new(bodies), identity))
    }

    /// Opens a vault. Both folders must be those that were made together.
    pub fn open(data_folder: &Path, key_folder: &Path) -> Result<Self, VaultError> {
        Self::open_with(data_folder, key_folder, &KeyAccess::default())
    }

    /// The same, with a root key that is reached as said.
    pub fn open_with(data_folder: &Path, key_folder: &Path, access: &KeyAccess) -> Result<Self, VaultError> {
        let keys = FileKeyStore::open_with(key_folder, access)?;
        let identity = keys.identity()?;
        let bodies = FolderBodies::open(&data_folder.join(PACKS_FOLDER), &identity)?;
        Ok(Self::from_parts(Box::new(keys), Box::new(bodies), identity))
    }

    /// Joins a key store and a store of packs, whatever lies behind them.
    pub fn from_parts(keys: Box<dyn KeyStore>, bodies: Box<dyn BodyStore>, identity: IdentityKey) -> Self {
        Self { keys, bodies, identity }
    }

    /// Takes the vault apart, to put wrappers around its stores.
    #[cfg(any(test, feature = "faults"))]
    pub(crate) fn into_parts(self) -> (Box<dyn KeyStore>, Box<dyn BodyStore>, IdentityKey) {
        (self.keys, self.bodies, self.identity)
    }

    /// A new key for one record's body.
    pub fn body_key(&self) -> Result<BodyKey, CipherError> {
        Secret::random(Kind::Body).map(BodyKey::new)
    }

    /// A new key for one account.
    pub fn account_key(&self) -> Result<AccountKey, CipherError> {
        Secret::random(Kind::Account).map(AccountKey::new)
    }

    /// A new key for what proves an account's decisions.
    pub fn proof_key(&self) -> Result<ProofKey, CipherError> {
        Secret::random(Kind::Proof).map(ProofKey::new)
    }

    /// The store of page keys.
    pub fn pages(&self) -> &dyn KeyStore {
        self.keys.as_ref()
    }

    /// Joins an account's key and a page's, for wrapping and unwrapping several copies.
    pub fn wrapper(&self, account: &AccountKey, page: PageId) -> Result<Wrapper, OpenError> {
        let key = self.page_of(page, Tree::holds_copies)?;
        Ok(Wrapper::new(account, page, &key)?)
    }

    /// Wraps a body key for one copy, under the account's key and the page's.
    pub fn wrap(
        &self,
        copy: &CopyName<'_>,
        account: &AccountKey,
        page: PageId,
        key: &BodyKey,
    ) -> Result<Wrap, OpenError> {
        Ok(self.wrapper(account, page)?.wrap(copy, key)?)
    }

    /// The body key of one copy, if its page lives and every name is right.
    pub fn unwrap(
        &self,
        copy: &CopyName<'_>,
        account: &AccountKey,
        page: PageId,
        wrap: &Wrap,
    ) -> Result<BodyKey, OpenError> {
        self.wrapper(account, page)?.unwrap(copy, wrap)
    }

    /// Wraps an account's key under a page of the tree of accounts.
    pub fn wrap_account(
        &self,
        name: &AccountName<'_>,
        page: PageId,
        key: &AccountKey,
    ) -> Result<Wrap, OpenError> {
        let page_key = self.page_of(page, |tree| tree == Tree::Account)?;
        Ok(wrap::wrap_under_page(wrap::ACCOUNT, name, page, &page_key, key.secret())?)
    }

    /// The account's key, if its page lives.
    pub fn unwrap_account(
        &self,
        name: &AccountName<'_>,
        page: PageId,
        wrap: &Wrap,
    ) -> Result<AccountKey, OpenError> {
        let page_key = self.page_of(page, |tree| tree == Tree::Account)?;
        wrap::unwrap_under_page(wrap::ACCOUNT, name, page, &page_key, wrap).map(AccountKey::new)
    }

    /// Wraps an account's proof key under a page of the tree of proofs.
    pub fn wrap_proof(
        &self,
        name: &AccountName<'_>,
        page: PageId,
        key: &ProofKey,
    ) -> Result<Wrap, OpenError> {
        let page_key = self.page_of(page, |tree| tree == Tree::Proof)?;
        Ok(wrap::wrap_under_page(wrap::PROOF, name, page, &page_key, key.secret())?)
    }

    /// The account's proof key, if its page lives.
    pub fn unwrap_proof(
        &self,
        name: &AccountName<'_>,
        page: PageId,
        wrap: &Wrap,
    ) -> Result<ProofKey, OpenError> {
        let page_key = self.page_of(page, |tree| tree == Tree::Proof)?;
        wrap::unwrap_under_page(wrap::PROOF, name, page, &page_key, wrap).map(ProofKey::new)
    }

    /// Recognises content that was seen before, without keeping a hash that could be guessed at.
    pub fn identify(&self, parts: &[&[u8]]) -> [u8; 32] {
        self.identity.identify(parts)
    }

    /// Begins a pack.
    pub fn pack_writer(&self) -> Result<PackWriter, CipherError> {
        PackWriter::new()
    }

    /// Stores a pack durably. Only then may its places be committed to SQL.
    ///
    /// After an error the pack may lie in the store all the same; [`Vault::packs`] shows it.
    pub fn finish(&self, pack: PackWriter) -> Result<(), BodyError> {
        pack.finish(self.bodies.as_ref())
    }

    /// Reads one segment.
    pub fn read(&self, place: &Place, key: &BodyKey, name: &SegmentName<'_>) -> Result<Vec<u8>, OpenError> {
        let one = self.read_all(&[Reading { place: *place, key, name: *name }])?;
        one.into_iter().next().ok_or(OpenError::Malformed)
    }

    /// Reads segments in the order asked for, touching each pack once. The first failure ends it.
    pub fn read_all(&self, readings: &[Reading<'_>]) -> Result<Vec<Vec<u8>>, OpenError> {
        pack::read_all(self.bodies.as_ref(), readings)
    }

    /// Reads a range of one segment's text: only the chunks that it lies in are read and opened.
    ///
    /// A range that reaches beyond the end of the text is cut there, and then the end is proved too.
    pub fn read_range(
        &self,
        place: &Place,
        key: &BodyKey,
        name: &SegmentName<'_>,
        range: Range<u64>,
    ) -> Result<Vec<u8>, OpenError> {
        pack::read_range(self.bodies.as_ref(), &Reading { place: *place, key, name: *name }, &range)
    }

    /// Reads segments as they were sealed, in the order asked for, touching each pack once: to copy
    /// them into another pack with [`PackWriter::add_sealed`].
    pub fn read_sealed(&self, places: &[Place]) -> Result<Vec<Bytes>, BodyError> {
        pack::read_sealed(self.bodies.as_ref(), places)
    }

    /// Removes packs durably. Packs that are gone already are no error.
    pub fn remove_packs(&self, packs: &[PackId]) -> Result<(), BodyError> {
        self.bodies.remove(packs)
    }

    /// For each pack, whether it is proved absent: `Ok(false)` is a pack that is still there, and a
    /// store that could not be looked into is an error.
    pub fn verify_packs_absent(&self, packs: &[PackId]) -> Result<Vec<bool>, BodyError> {
        bodies::absent(self.bodies.as_ref(), packs)
    }

    /// For each page, whether its key is proved absent from where keys lie.
    pub fn verify_pages_absent(&self, pages: &[PageId]) -> Result<Vec<bool>, KeyError> {
        self.keys.absent(pages)
    }

    /// Every pack there is, also those that a crash left before SQL knew of them.
    pub fn packs(&self) -> Result<Listing, BodyError> {
        self.bodies.list()
    }

    /// The page's key, if the page hangs in a tree that may hold what is asked for.
    fn page_of(&self, page: PageId, fits: impl Fn(Tree) -> bool) -> Result<PageKey, OpenError> {
        let key = self.keys.key(page)?;
        if fits(key.tree()) { Ok(key) } else { Err(OpenError::WrongTree(page)) }
    }
}
