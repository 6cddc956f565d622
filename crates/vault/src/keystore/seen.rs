//! What was read of the folder, so that a file which has not changed since is not read again.

use std::collections::{BTreeMap, HashSet};
use std::fs::{self, Metadata};

use super::folder::{KeyFolder, bundle_name};
use super::root::Roots;
use crate::bundle;
use crate::error::KeyError;
use crate::ids::PageId;

/// What tells a file from one that was put in its place: bundles are replaced and never written into, so that
/// another content is another file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    file: (u64, u64),
    len: u64,
    changed: (i64, i64),
}

/// Nothing where the system has no such stamp: then every file is read.
#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "other systems have none")]
fn stamp(found: &Metadata) -> Option<Stamp> {
    use std::os::unix::fs::MetadataExt as _;
    Some(Stamp {
        file: (found.dev(), found.ino()),
        len: found.len(),
        changed: (found.ctime(), found.ctime_nsec()),
    })
}

#[cfg(not(unix))]
const fn stamp(_: &Metadata) -> Option<Stamp> {
    None
}

/// The pages that each bundle held when it was last read from where it lies.
#[derive(Debug, Default)]
pub(super) struct Seen(BTreeMap<u64, (Option<Stamp>, HashSet<PageId>)>);

impl Seen {
    /// Looks at every bundle, reads those that are not what was read before, and forgets those that are gone.
    pub(super) fn refresh(&mut self, folder: &KeyFolder, roots: &Roots) -> Result<(), KeyError> {
        let numbers = folder.bundle_numbers()?;
        let there: HashSet<u64> = numbers.iter().copied().collect();
        self.0.retain(|number, _| there.contains(number));
        for number in numbers {
            let path = folder.path.join(bundle_name(number));
            let found = fs::metadata(&path).map_err(KeyError::from_io("look at a key bundle"))?;
            let stamp = stamp(&found);
            if stamp.is_some() && self.0.get(&number).is_some_and(|(seen, _)| *seen == stamp) {
                continue;
            }
            let file = fs::read(&path).map_err(KeyError::from_io("read a key bundle"))?;
            let pages = bundle::open(roots, number, &file)?.keys.keys().copied().collect();
            self.0.insert(number, (stamp, pages));
        }
        Ok(())
    }

    pub(super) fn holds(&self, page: &PageId) -> bool {
        self.0.values().any(|(_, pages)| pages.contains(page))
    }
}
