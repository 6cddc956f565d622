//! Every key that was ever made and everything that was said, looked for in every file.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use tenure_vault::keylog::{Kind, Recorded, Recording};

use super::needles::Needles;
use super::people::{self, Fate};
use super::thief::{self, Secret};

/// Every raw key that was ever made, by what it is for.
pub(crate) struct Heard(HashMap<Kind, HashSet<Secret>>);

impl Heard {
    pub(crate) fn new(recording: &Recording) -> Self {
        let mut by_kind: HashMap<Kind, HashSet<Secret>> = HashMap::new();
        for Recorded { kind, bytes } in recording.keys() {
            by_kind.entry(kind).or_default().insert(bytes);
        }
        Self(by_kind)
    }

    pub(crate) fn of(&self, kind: Kind) -> &HashSet<Secret> {
        &self.0[&kind]
    }

    /// The keys that come and go with pages, accounts and bodies.
    pub(crate) fn passing(&self) -> impl Iterator<Item = Secret> {
        [Kind::Body, Kind::Account, Kind::Page, Kind::Proof]
            .into_iter()
            .flat_map(|kind| self.of(kind))
            .copied()
    }

    fn all(&self) -> impl Iterator<Item = Secret> {
        self.0.values().flatten().copied()
    }
}

/// What must lie nowhere, or not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    /// Something that somebody said.
    Said,
    /// A key that can't be had any more.
    Gone,
    /// A key that is in use.
    InUse,
}

/// What is looked for in every file.
pub(crate) struct Wanted(Needles<What>);

impl Wanted {
    pub(crate) fn new(heard: &Heard, gone: &HashSet<Secret>) -> Self {
        let markers = people::talks().flat_map(|talk| talk.markers());
        let said = markers.map(|marker| (marker.into_bytes(), What::Said));
        let kind = |key: &Secret| if gone.contains(key) { What::Gone } else { What::InUse };
        Self(Needles::new(said.chain(heard.all().map(|key| (key.to_vec(), kind(&key))))))
    }

    /// Nothing that anybody said and no key that can't be had any more is in any file; and no key at all is in the
    /// data folder. In the key folder so many lie by themselves, which shows that what lies there is found.
    pub(crate) fn lies_nowhere(&self, data: &Path, keys: &Path, by_themselves: usize) {
        assert_eq!(self.0.found_below(data), []);
        let there = self.0.found_below(keys).into_iter().map(|(_, what)| what);
        assert_eq!(there.collect::<Vec<_>>(), vec![What::InUse; by_themselves]);
        // What is sealed in the key folder holds nothing either, nor what lies in the database in pieces.
        for content in [thief::journal(keys), every_value(data)] {
            assert!(content.len() > 100_000);
            assert_eq!(self.0.found_in(&content), []);
        }
    }

    /// The rows of a run are in the clear.
    pub(crate) fn is_found_where_it_lies(&self, run: &Path) {
        assert!(self.0.found_below(run).len() >= 2 * people::with(&[Fate::Trained]).count());
    }
}

/// Every value of every row of the database, whole.
fn every_value(data: &Path) -> Vec<u8> {
    thief::with_database(data, |database| {
        let mut names = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").unwrap();
        let names: Vec<String> = names.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        let mut content = Vec::new();
        for name in names {
            let mut query = database.prepare(&format!("SELECT * FROM \"{name}\"")).unwrap();
            let columns = query.column_count();
            let mut rows = query.query([]).unwrap();
            while let Some(row) = rows.next().unwrap() {
                for column in 0..columns {
                    // Numbers are too short to hold anything.
                    let value = row.get_ref(column).unwrap().as_bytes_or_null().unwrap_or_default();
                    content.extend_from_slice(value.unwrap_or_default());
                    content.push(0);
                }
            }
        }
        content
    })
}
