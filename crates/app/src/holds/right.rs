//! The right to read one copy under a hold, and the only check that gives it.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use tenure_model::Instant;
use tenure_receipts::{Digest, Item, Opening, Statement, root_of};
use tenure_store::{
    AccountKey, AccountRow, ClassId, CopyKey, CopyRow, CopyState, ReadTx, RecordId, RecordRow, SegmentRow,
    Seq, Tx, Wrap,
};

use super::cover::Versions;
use super::history::house;
use super::lost::gone_at;
use super::readers::know_reader;
use crate::filing::class_name;
use crate::person::Person;
use crate::policies::Policies;
use crate::record::{Loaded, Reader, With};
use crate::{Error, Tenure};

/// That a reader of a hold may read one copy that it covers, through the key of that copy and no other, and that
/// the ledger says so already.
///
/// Its fields are private, and nothing makes one but the check, in the transaction that states the access. What
/// opens a copy under a hold asks for it.
///
/// ```compile_fail,E0451
/// fn forge(right: tenure_app::HeldReading) -> tenure_app::HeldReading {
///     tenure_app::HeldReading { class: "history".to_owned(), ..right }
/// }
/// ```
#[must_use = "the ledger says that this copy is read"]
pub struct HeldReading {
    account: Arc<AccountRow>,
    record: RecordRow,
    class: String,
    wrap: Wrap,
    segments: Vec<SegmentRow>,
    versions: Vec<u32>,
    opening: Opening,
}

impl fmt::Debug for HeldReading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HeldReading")
    }
}

impl HeldReading {
    /// Whose it is.
    pub(super) fn account(&self) -> &AccountRow {
        &self.account
    }

    /// Of which record.
    pub(super) const fn record(&self) -> &RecordRow {
        &self.record
    }

    /// The class of the copy.
    pub(super) fn class(&self) -> &str {
        &self.class
    }

    /// The copy's key.
    pub(super) const fn wrap(&self) -> &Wrap {
        &self.wrap
    }

    /// Where its body lies.
    pub(super) fn segments(&self) -> &[SegmentRow] {
        &self.segments
    }

    /// The versions of the hold that cover it.
    pub(super) fn versions(&self) -> &[u32] {
        &self.versions
    }

    /// What opens its item in the statement.
    pub(super) const fn opening(&self) -> &Opening {
        &self.opening
    }
}

/// A record that the hold covers and of which nothing can be read.
pub(super) struct Unreadable {
    pub(super) account: Arc<AccountRow>,
    pub(super) record: RecordRow,
    pub(super) class: String,
    pub(super) versions: Vec<u32>,
    /// How far its destruction has come, or `no_body`.
    pub(super) state: &'static str,
    pub(super) gone_at: Option<Instant>,
}

/// What the check gave for some records.
pub(super) struct Granted {
    /// The leaf that states the access; none if nothing is covered.
    pub(super) leaf: Option<Seq>,
    pub(super) readings: Vec<HeldReading>,
    pub(super) unreadable: Vec<Unreadable>,
}

/// A covered copy of a record.
struct Covered {
    copy: CopyRow,
    class: String,
    versions: Vec<u32>,
}

impl Tenure {
    /// Checks that a reader may read under a hold and which of these records it covers, and states the access. It
    /// is durable once the transaction is, and only then does anyone have what it gives.
    pub(super) fn grant_reading(
        &self,
        tx: &mut dyn Tx,
        policies: &Policies,
        (hold, reader): (&str, &str),
        records: &[(AccountKey, RecordId)],
        now: Instant,
    ) -> Result<Granted, Error> {
        know_reader(tx, hold, reader)?;
        let versions = Versions::of(&tx.hold_versions(hold)?)?;
        let classes = tx.classes()?;
        let mut granted = Granted { leaf: None, readings: Vec::new(), unreadable: Vec::new() };
        let (mut keys, mut people) = (Vec::new(), HashMap::new());
        // The openings bind the place that the statement has in the operator's chain.
        let version = house(tx)?.chain.version + 1;
        for (account, record) in records {
            if !people.contains_key(account) {
                people.insert(*account, self.person_of(tx, *account)?);
            }
            let Some(person) = people.get(account) else { continue };
            let row = tx.record(*record)?.filter(|row| row.account == *account);
            let loaded =
                Reader::new(policies, person).load(tx, row.ok_or(Error::UnknownRecord)?, With::Nothing)?;
            let found = covered_copies(tx, &versions, &classes, person, &loaded, now)?;
            let whose = Arc::new(person.row.clone());
            match readable(found) {
                Found::Nothing => {}
                Found::Gone(covered) => granted.unreadable.push(unreadable(whose, loaded.row, covered)),
                Found::Live(covered, wrap) => {
                    let segments = tx.segments(loaded.row.account, loaded.row.id)?;
                    let opening = self.opening_of_read(version, covered.copy.key);
                    keys.push(covered.copy.key);
                    granted.readings.push(HeldReading {
                        account: whose,
                        record: loaded.row,
                        class: covered.class,
                        wrap,
                        segments,
                        versions: covered.versions,
                        opening,
                    });
                }
            }
        }
        if granted.readings.is_empty() && granted.unreadable.is_empty() {
            return Ok(granted);
        }
        let root = self.root_of_read(&classes, version, &keys);
        let statement = Statement::HoldRead {
            hold: hold.to_owned(),
            reader: reader.to_owned(),
            count: keys.len() as u64,
            root,
        };
        let leaf = self.state_by_house(tx, statement, now)?;
        tx.insert_hold_read(leaf, &keys)?;
        granted.leaf = Some(leaf);
        Ok(granted)
    }

    /// The root over the items of an access, which stands at this place in the operator's chain.
    pub(crate) fn root_of_read(
        &self,
        classes: &[(ClassId, String)],
        version: u64,
        copies: &[CopyKey],
    ) -> Digest {
        let blind = |copy: &CopyKey| {
            let item = Item {
                opening: self.opening_of_read(version, *copy),
                record: copy.record.to_string(),
                class: class_name(classes, copy.class).to_owned(),
            };
            item.blind()
        };
        Digest(root_of(&copies.iter().map(blind).collect::<Vec<_>>()))
    }

    /// What opens an item is a MAC whose key lies in the key folder, so that it need not be stored and nobody else
    /// can make it.
    fn opening_of_read(&self, version: u64, copy: CopyKey) -> Opening {
        let CopyKey { account, record, class } = copy;
        let parts: [&[u8]; 5] = [
            b"hold-read",
            &version.to_be_bytes(),
            &account.0.to_be_bytes(),
            &record.0,
            &class.0.to_be_bytes(),
        ];
        Opening(self.vault.identify(&parts))
    }
}

/// The copies of a record that a version of a hold covers.
fn covered_copies(
    tx: &mut dyn ReadTx,
    versions: &Versions,
    classes: &[(ClassId, String)],
    person: &Person,
    loaded: &Loaded,
    now: Instant,
) -> Result<Vec<Covered>, Error> {
    let mut found = Vec::new();
    for copy in tx.copies_of_record(loaded.row.account, loaded.row.id)? {
        let class = class_name(classes, copy.key.class).to_owned();
        let covering = versions.covering(person, loaded, &class, (&copy, now));
        if !covering.is_empty() {
            found.push(Covered { copy, class, versions: covering });
        }
    }
    Ok(found)
}

/// What there is to read of a record.
enum Found {
    Nothing,
    Gone(Covered),
    Live(Covered, Wrap),
}

/// The first copy that lives and has a key. Copies in other places are not ours to read, and other classes' keys
/// are not looked at.
fn readable(mut covered: Vec<Covered>) -> Found {
    let wrap = |covered: &Covered| match &covered.copy.state {
        CopyState::Live { wrap } if covered.copy.place.is_none() => wrap.clone(),
        _ => None,
    };
    let live = covered.iter().enumerate().find_map(|(place, covered)| Some((place, wrap(covered)?)));
    if let Some((place, wrap)) = live {
        return Found::Live(covered.swap_remove(place), wrap);
    }
    // A fact without a body says less than that a body is gone.
    covered.sort_by_key(|covered| covered.copy.state.stage());
    covered.pop().map_or(Found::Nothing, Found::Gone)
}

fn unreadable(account: Arc<AccountRow>, record: RecordRow, covered: Covered) -> Unreadable {
    let state = match &covered.copy.state {
        CopyState::Live { .. } => "no_body",
        other => other.stage().word(),
    };
    Unreadable {
        account,
        record,
        state,
        gone_at: gone_at(&covered.copy.state),
        class: covered.class,
        versions: covered.versions,
    }
}
