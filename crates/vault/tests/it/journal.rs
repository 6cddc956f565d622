//! The journal in the key folder: what was appended is there, in order and unchanged, or is missed.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tenure_vault::{Journal, JournalFault, JournalPlace};

struct Keys(TempDir);

impl Keys {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn open(&self) -> Journal {
        Journal::open(self.path()).unwrap().unwrap()
    }

    fn segments(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.path().join("journal")).unwrap();
        let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
        paths.retain(|path| path.extension().is_some());
        paths.sort();
        paths
    }
}

fn content(number: u64) -> Vec<u8> {
    format!("entry {number}").into_bytes()
}

fn fill(journal: &mut Journal, numbers: std::ops::RangeInclusive<u64>) {
    for number in numbers {
        journal.append(number, &content(number)).unwrap();
    }
}

fn read(journal: &Journal, after: JournalPlace) -> Result<Vec<u64>, JournalFault> {
    let mut numbers = Vec::new();
    journal.replay(after, &mut |place, bytes| {
        assert!(bytes.starts_with(&content(place.number)));
        numbers.push(place.number);
        Ok::<_, JournalFault>(())
    })?;
    Ok(numbers)
}

#[test]
fn what_was_appended_is_read_back_in_order_after_any_entry() {
    let keys = Keys::new();
    assert!(Journal::open(keys.path()).unwrap().is_none());
    let mut journal = Journal::create(keys.path()).unwrap();
    fill(&mut journal, 1..=3);
    let third = journal.newest();
    fill(&mut journal, 4..=5);
    drop(journal);
    let journal = keys.open();
    assert_eq!(read(&journal, JournalPlace::default()).unwrap(), [1, 2, 3, 4, 5]);
    assert_eq!(read(&journal, third).unwrap(), [4, 5]);
    assert_eq!(read(&journal, journal.newest()).unwrap(), [] as [u64; 0]);
    let parted = JournalPlace { number: 3, tag: [7; 16] };
    assert_eq!(read(&journal, parted), Err(JournalFault::Parted { number: 3 }));
    assert_eq!(Journal::peek(keys.path()).unwrap(), Some(5));
}

#[test]
fn a_journal_is_its_owners_alone_and_is_never_written_over() {
    let keys = Keys::new();
    let journal = Journal::create(keys.path()).unwrap();
    assert_eq!(Journal::open(keys.path()).unwrap_err(), JournalFault::InUse);
    let name = journal.name();
    drop(journal);
    assert_eq!(Journal::create(keys.path()).unwrap_err(), JournalFault::AlreadyThere);
    assert_eq!(keys.open().name(), name);
    let key = keys.path().join("journal.key");
    for place in [key.clone(), keys.path().join("journal"), keys.segments()[0].clone()] {
        assert_eq!(fs::metadata(&place).unwrap().permissions().mode() & 0o077, 0);
    }
    fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).unwrap();
    assert_eq!(Journal::open(keys.path()).unwrap_err(), JournalFault::TooOpen("journal.key"));
    fs::remove_file(&key).unwrap();
    assert!(Journal::open(keys.path()).unwrap().is_none());
}

#[test]
fn nothing_of_what_was_appended_can_be_read_without_the_key() {
    let keys = Keys::new();
    let mut journal = Journal::create(keys.path()).unwrap();
    journal.append(1, b"a secret that nobody reads").unwrap();
    let bytes = fs::read(&keys.segments()[0]).unwrap();
    assert!(
        !bytes.windows(8).any(|window| b"a secret that nobody reads".windows(8).any(|part| part == window))
    );
}

#[test]
fn an_entry_that_a_crash_cut_short_is_dropped_wherever_it_was_cut() {
    let keys = Keys::new();
    let mut journal = Journal::create(keys.path()).unwrap();
    fill(&mut journal, 1..=2);
    let whole = fs::metadata(&keys.segments()[0]).unwrap().len();
    fill(&mut journal, 3..=3);
    drop(journal);
    let bytes = fs::read(&keys.segments()[0]).unwrap();
    for length in usize::try_from(whole).unwrap()..bytes.len() {
        for zeros in [0, bytes.len() - length] {
            let mut torn = bytes[..length].to_vec();
            torn.resize(length + zeros, 0);
            fs::write(&keys.segments()[0], &torn).unwrap();
            let mut journal = keys.open();
            journal.settle(journal.newest().number).unwrap();
            assert_eq!(read(&journal, JournalPlace::default()).unwrap(), [1, 2], "{length} and {zeros}");
            assert_eq!(fs::metadata(&keys.segments()[0]).unwrap().len(), whole);
            journal.append(3, &content(3)).unwrap();
            assert_eq!(read(&journal, JournalPlace::default()).unwrap(), [1, 2, 3]);
        }
    }
}

#[test]
fn a_byte_that_was_changed_is_noticed_wherever_it_lies() {
    let keys = Keys::new();
    let mut journal = Journal::create(keys.path()).unwrap();
    fill(&mut journal, 1..=3);
    drop(journal);
    let bytes = fs::read(&keys.segments()[0]).unwrap();
    for place in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[place] ^= 1;
        fs::write(&keys.segments()[0], &changed).unwrap();
        let Ok(journal) = Journal::open(keys.path()) else { continue };
        let mut journal = journal.unwrap();
        // Whoever knows that the third was acknowledged misses it.
        let acknowledged = 3;
        let noticed = journal.newest().number < acknowledged || journal.settle(acknowledged).is_err();
        assert!(noticed || read(&journal, JournalPlace::default()).is_err(), "byte {place}");
    }
}

#[test]
fn an_end_that_does_not_open_is_dropped_only_if_it_was_never_acknowledged() {
    let keys = Keys::new();
    let mut journal = Journal::create(keys.path()).unwrap();
    fill(&mut journal, 1..=3);
    drop(journal);
    let segment = keys.segments().remove(0);
    let mut bytes = fs::read(&segment).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&segment, &bytes).unwrap();
    let mut journal = keys.open();
    assert_eq!(journal.settle(1), Err(JournalFault::Damaged { after: 2 }));
    assert_eq!(journal.settle(3), Err(JournalFault::Damaged { after: 2 }));
    assert_eq!(journal.append(3, b"x"), Err(JournalFault::Stopped));
    journal.settle(2).unwrap();
    journal.append(3, &content(3)).unwrap();
    drop(journal);
    assert_eq!(read(&keys.open(), JournalPlace::default()).unwrap(), [1, 2, 3]);
}

/// A journal of several segments of a few entries each.
fn long(keys: &Keys) -> Journal {
    let mut journal = Journal::create(keys.path()).unwrap();
    for number in 1..=10 {
        let mut entry = content(number);
        entry.resize(1 << 20, 7);
        journal.append(number, &entry).unwrap();
    }
    assert_eq!(keys.segments().len(), 3);
    journal
}

#[test]
fn a_segment_that_is_missing_or_swapped_is_noticed() {
    let keys = Keys::new();
    drop(long(&keys));
    let paths = keys.segments();
    assert_eq!(read(&keys.open(), JournalPlace::default()).unwrap(), (1..=10).collect::<Vec<_>>());
    let middle = fs::read(&paths[1]).unwrap();
    fs::remove_file(&paths[1]).unwrap();
    assert!(matches!(read(&keys.open(), JournalPlace::default()), Err(JournalFault::Damaged { .. })));
    let first = fs::read(&paths[0]).unwrap();
    fs::write(&paths[1], &first).unwrap();
    assert!(matches!(read(&keys.open(), JournalPlace::default()), Err(JournalFault::Damaged { .. })));
    // An earlier, shorter form of the middle.
    fs::write(&paths[1], &middle[..middle.len() - (1 << 20)]).unwrap();
    assert!(matches!(read(&keys.open(), JournalPlace::default()), Err(JournalFault::Damaged { .. })));
    fs::write(&paths[1], middle).unwrap();
    assert_eq!(read(&keys.open(), JournalPlace::default()).unwrap().len(), 10);
}

#[test]
fn what_is_dropped_goes_from_the_front_and_the_rest_goes_on() {
    let keys = Keys::new();
    let mut journal = long(&keys);
    let newest = journal.newest();
    journal.drop_up_to(3).unwrap();
    assert_eq!((journal.begins_after(), keys.segments().len()), (0, 3));
    journal.drop_up_to(6).unwrap();
    let begins_after = journal.begins_after();
    assert!((1..=6).contains(&begins_after), "{begins_after}");
    assert_eq!(read(&journal, JournalPlace::default()), Err(JournalFault::Short { begins_after }));
    journal.drop_up_to(u64::MAX).unwrap();
    assert_eq!(keys.segments().len(), 1);
    fill(&mut journal, 11..=12);
    drop(journal);
    let journal = keys.open();
    assert_eq!(read(&journal, newest).unwrap(), [11, 12]);
    assert!(journal.begins_after() > 0);
}

#[test]
fn an_empty_segment_that_a_crash_left_goes_on() {
    let keys = Keys::new();
    let mut journal = long(&keys);
    fill(&mut journal, 11..=11);
    drop(journal);
    let last = keys.segments().pop().unwrap();
    let bytes = fs::read(&last).unwrap();
    fs::write(&last, &bytes[..48]).unwrap();
    let mut journal = keys.open();
    let after = journal.newest();
    assert!(after.number < 11);
    fill(&mut journal, after.number + 1..=after.number + 1);
    assert_eq!(read(&journal, after).unwrap(), [after.number + 1]);
}
