//! What is destroyed is nowhere, for whoever looks into every file with every key that can still be had; and what is
//! kept is all there.

mod crypt;
mod needles;
mod people;
mod site;
mod thief;
mod wanted;

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::Instant as Clock;

use serde_json::Value;
use tenure_app::doctor::Thoroughness;
use tenure_app::{HeldTarget, Scan};
use tenure_store::RecordId;
use tenure_vault::Vault;
use tenure_vault::keylog::{self, Kind, Recording};

use crate::world::at;
use crypt::{Pair, Pick, Sealed};
use people::{Fate, Talk, named};
use site::{FINAL, Site};
use thief::{Bodies, CopyWrap, Keys, Loot, Secret};
use wanted::{Heard, Wanted};

/// Tells how long each part of a long test takes.
struct Stopwatch(Clock);

impl Stopwatch {
    fn lap(&mut self, what: &str) {
        println!("{:>6.1} s  {what}", self.0.elapsed().as_secs_f64());
        self.0 = Clock::now();
    }
}

/// Copies of both folders from before anything was erased, and every key that was then in use.
struct Then {
    data: PathBuf,
    keys: PathBuf,
    accounts: HashMap<String, Secret>,
    proofs: HashMap<String, Secret>,
    bodies: HashMap<RecordId, Secret>,
    pages: HashSet<Secret>,
}

impl Then {
    /// With the key folder of then everything opens, so what does not open later is not for want of trying.
    fn look(site: &Site, data: PathBuf, keys: PathBuf) -> Self {
        let (loot, of_then) = (Loot::of(&data), Keys::read(&keys));
        let owned = |kind| {
            let keys = loot.keys_of(kind, &of_then).into_iter();
            keys.map(|(account, key)| (account.to_owned(), key)).collect::<HashMap<_, _>>()
        };
        let (accounts, proofs, bodies) =
            (owned(Sealed::Account), owned(Sealed::Proof), loot.bodies(&of_then));
        for account in 0..people::ACCOUNTS {
            assert!(accounts.contains_key(&named(account)) && proofs.contains_key(&named(account)));
        }
        assert_eq!(bodies.len(), people::talks().count());
        // What is used for many tries opens what the vault opens.
        for wrap in loot.copies.iter().step_by(50) {
            let pair = Pair::new(&accounts[&wrap.account], &of_then.pages[&wrap.page]);
            assert_eq!(wrap.try_pair(&pair).as_ref(), Some(&bodies[&wrap.record]));
        }
        let text = Bodies::of(&data, &keys);
        for (talk, record) in site.records() {
            assert_eq!(text.said(*record, &bodies[record]), all_said(talk));
        }
        Self { data, keys, accounts, proofs, bodies, pages: of_then.pages.values().copied().collect() }
    }

    /// Whether the hook has told every key.
    fn assert_heard(&self, heard: &Heard) {
        assert!(self.accounts.values().all(|key| heard.of(Kind::Account).contains(key)));
        assert!(self.proofs.values().all(|key| heard.of(Kind::Proof).contains(key)));
        assert!(self.bodies.values().all(|key| heard.of(Kind::Body).contains(key)));
        assert!(self.pages.iter().all(|key| heard.of(Kind::Page).contains(key)));
    }
}

fn all_said(talk: &Talk) -> Vec<String> {
    std::iter::once(talk.title()).chain(talk.texts()).collect()
}

/// Everything that can still be had: from today's key folder, and from the wraps of all time that it opens.
struct Today {
    keys: Keys,
    accounts: HashMap<String, Secret>,
    proofs: HashMap<String, Secret>,
    bodies: HashMap<RecordId, Secret>,
}

impl Today {
    fn new(keys: &Path, of_all_time: &Loot) -> Self {
        let keys = Keys::read(keys);
        let owned = |kind| {
            let keys = of_all_time.keys_of(kind, &keys).into_iter();
            keys.map(|(account, key)| (account.to_owned(), key)).collect::<HashMap<_, _>>()
        };
        let (accounts, proofs) = (owned(Sealed::Account), owned(Sealed::Proof));
        let bodies = of_all_time.bodies(&keys);
        Self { keys, accounts, proofs, bodies }
    }

    fn secrets(&self) -> HashSet<Secret> {
        let opened = self.accounts.values().chain(self.proofs.values()).chain(self.bodies.values());
        self.keys.secrets().into_iter().chain(opened.copied()).collect()
    }
}

#[test]
fn of_a_thousand_accounts_the_erased_half_is_nowhere_and_the_other_half_is_all_there() {
    let mut watch = Stopwatch(Clock::now());
    let recording = Recording::start();
    let mut site = Site::new();
    let copies = tempfile::tempdir().unwrap();
    let copied = |from: &Path, name: &str| {
        let to = copies.path().join(name);
        thief::copy(from, &to);
        to
    };
    site.speak();
    let early = Loot::of(&site.data());
    site.speak_on();
    watch.lap("1,000 accounts with their conversations, marks, holds and a run");
    let then = Then::look(&site, copied(&site.data(), "data"), copied(&site.keys(), "keys"));
    watch.lap("control: with the keys of then everything opens");
    site.erase_at_first();
    let halfway = copied(&site.keys(), "halfway");
    site.erase_later();
    watch.lap("500 accounts erased over seven years");

    held_and_quarantined_are_read_by_whom_they_are_for(&site);
    let how = Thoroughness { full: true, repair: false };
    assert_eq!(site.world.tenure.examine(how, &mut |_, _, _| {}).unwrap().findings, [] as [String; 0]);
    assert!(site.world.tenure.verify_ledger(2, &|_, _, _| {}).unwrap().is_sound());
    watch.lap("what is kept examined");

    let heard = Heard::new(&recording);
    then.assert_heard(&heard);
    // The saved data folder with today's key folder and its journal.
    let (restored, keys_there) = (copied(&then.data, "restored"), copied(&site.keys(), "restored-keys"));
    let later = Loot::of_journal(&restored, &keys_there);
    let of_all_time = Loot::joined([early, Loot::of(&then.data), later]);
    let today = Today::new(&site.keys(), &of_all_time);
    watch.lap("the journal done again on the copy of then, and every wrap noted");
    let gone = what_must_be_gone(&site, &then, &heard, &today);
    counts_are_whole(&site, &heard, &today);
    let wanted = Wanted::new(&heard, &gone);
    wanted.lies_nowhere(&site.data(), &site.keys(), 3);
    wanted.is_found_where_it_lies(&site.world.folder.path().join("run"));
    watch.lap("every file searched while all is open");
    no_key_opens(&site, &then, &of_all_time, &today);
    let tried = no_key_opens_what_went_with_its_account(&Today::new(&halfway, &of_all_time), &of_all_time);
    assert!(tried >= 100);
    no_key_opens_what_went_with_its_account(&today, &of_all_time);
    watch.lap("every old wrap tried with every key");
    the_kept_are_read(&site, &then, &restored, &today);
    watch.lap("everything that is kept was read");

    let folder = site.stopped();
    let (data, keys) = (folder.path().join("data"), folder.path().join("keys"));
    a_new_root_closes_the_key_bundles_of_then(&then, &data, &keys);
    // The former root is one of the keys that lay by themselves.
    wanted.lies_nowhere(&data, &keys, 2);
    watch.lap("the root replaced, and every file searched after all was closed");
}

/// The keys that can't be had any more are those of what was erased, and all of those.
fn what_must_be_gone(site: &Site, then: &Then, heard: &Heard, today: &Today) -> HashSet<Secret> {
    let left = today.secrets();
    for (talk, record) in site.records() {
        assert_eq!(left.contains(&then.bodies[record]), !talk.goes(), "{talk:?}");
        assert_eq!(today.bodies.contains_key(record), !talk.goes(), "{talk:?}");
    }
    for account in 0..people::ACCOUNTS {
        let (fate, name) = (Fate::of(account), named(account));
        // That of an account which was closed otherwise goes with its copies' pages, if not before.
        assert!(fate != Fate::AtOnce || !left.contains(&then.accounts[&name]));
        assert_eq!(left.contains(&then.proofs[&name]), !fate.is_closed(), "{fate:?}");
    }
    assert!(then.pages.iter().any(|key| !left.contains(key)));
    heard.passing().filter(|key| !left.contains(key)).collect()
}

/// The hook told as many keys as there are things that have one. Where other tests run in the same process, it told
/// more.
fn counts_are_whole(site: &Site, heard: &Heard, today: &Today) {
    let pages: HashSet<[u8; 16]> = thief::with_database(&site.data(), |database| {
        let mut query = database.prepare("SELECT id FROM pages").unwrap();
        query.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    });
    // Some pages were made ahead, and lie on no shelf yet.
    let ahead = today.keys.pages.keys().filter(|page| !pages.contains(page.as_bytes())).count();
    let expected = [
        (Kind::Body, people::talks().count()),
        // The operator, who speaks in the ledger, has both too.
        (Kind::Account, people::ACCOUNTS + 1),
        (Kind::Proof, people::ACCOUNTS + 1),
        (Kind::Page, pages.len() + ahead),
        (Kind::Root, 1),
    ];
    for (kind, count) in expected {
        let told = heard.of(kind).len();
        println!("          {told} keys of kind {kind:?}, {count} expected");
        let alone = std::env::var_os("NEXTEST").is_some();
        assert!(if alone { told == count } else { told >= count }, "{kind:?}");
    }
}

/// No old wrap of what was destroyed opens, though whoever tries is given the account's key of then as well: unless
/// it is that key which was destroyed, since then the keys of its copies' pages may live on.
fn no_key_opens(site: &Site, then: &Then, of_all_time: &Loot, today: &Today) {
    let alive: HashSet<(RecordId, String)> =
        Loot::of(&site.data()).copies.into_iter().map(|wrap| (wrap.record, wrap.class)).collect();
    let at_once: HashSet<String> = people::with(&[Fate::AtOnce]).map(named).collect();
    let mut by_account: HashMap<&str, Vec<&CopyWrap>> = HashMap::new();
    for wrap in &of_all_time.copies {
        let by_page = !at_once.contains(&wrap.account);
        if by_page && !alive.contains(&(wrap.record, wrap.class.clone())) {
            by_account.entry(&wrap.account).or_default().push(wrap);
        }
    }
    let pages = today.keys.secrets();
    for (account, wraps) in &by_account {
        let key = &then.accounts[*account];
        for page in &pages {
            let pair = Pair::new(key, page);
            let opened = wraps.iter().find(|wrap| wrap.try_pair(&pair).is_some());
            assert!(opened.is_none(), "{account}: {:?}", opened.map(|wrap| &wrap.class));
        }
    }
    let dead: usize = by_account.values().map(Vec::len).sum();
    println!("          {dead} wraps of destroyed copies, {} keys", pages.len());
    assert!(dead >= 2 * 3 * 400);
    no_key_of_an_account_opens(of_all_time, today);
}

/// While the pages still lived on which its copies lay, for those of others, no key opened them without the account's.
fn no_key_opens_what_went_with_its_account(halfway: &Today, of_all_time: &Loot) -> usize {
    let accounts: HashSet<String> = people::with(&[Fate::AtOnce]).map(named).collect();
    assert!(accounts.iter().all(|account| !halfway.accounts.contains_key(account)));
    let secrets: Vec<Secret> =
        halfway.keys.secrets().into_iter().chain(halfway.accounts.values().copied()).collect();
    let mut tried = HashSet::new();
    for wrap in of_all_time.copies.iter().filter(|wrap| accounts.contains(&wrap.account)) {
        if let Some(page) = halfway.keys.pages.get(&wrap.page) {
            tried.insert(wrap.record);
            assert!(secrets.iter().all(|account| wrap.try_pair(&Pair::new(account, page)).is_none()));
        }
    }
    println!("          {} records on pages that lived, {} keys", tried.len(), secrets.len());
    tried.len()
}

/// No old wrap of an account's key or its proof key opens once that is destroyed.
fn no_key_of_an_account_opens(of_all_time: &Loot, today: &Today) {
    let secrets = today.keys.secrets();
    let mut tries = 0;
    for kind in [Sealed::Account, Sealed::Proof] {
        let picks: Vec<Pick> = secrets.iter().map(|key| Pick::new(key, kind)).collect();
        let destroyed = |account: &str| {
            let held = if kind == Sealed::Account { &today.accounts } else { &today.proofs };
            !held.contains_key(account)
        };
        for wrap in of_all_time.keys.iter().filter(|wrap| wrap.kind == kind && destroyed(&wrap.account)) {
            assert!(picks.iter().all(|pick| pick.open(&wrap.account, wrap.page, &wrap.wrap).is_none()));
            tries += picks.len();
        }
    }
    println!("          {} wraps of keys of accounts, {tries} tries", of_all_time.keys.len());
    assert!(tries > 0);
}

/// Everything that is kept is read as it was said: from the folder of today, and from the copy of then with the key
/// folder and the journal of today.
fn the_kept_are_read(site: &Site, then: &Then, restored: &Path, today: &Today) {
    let restored = Loot::of(restored).bodies(&today.keys);
    let live = Loot::of(&site.data()).bodies(&today.keys);
    let (now, saved) = (Bodies::of(&site.data(), &site.keys()), Bodies::of(&then.data, &site.keys()));
    for (talk, record) in site.records() {
        assert_eq!(live.contains_key(record), !talk.goes(), "{talk:?}");
        assert_eq!(restored.get(record), live.get(record), "{talk:?}");
        if let Some(key) = live.get(record) {
            assert_eq!(now.said(*record, key), all_said(talk));
            assert_eq!(saved.said(*record, key), all_said(talk));
        }
    }
}

/// A hold's reader reads what it holds; what is in quarantine may be used for nothing, and a basis brings it back.
fn held_and_quarantined_are_read_by_whom_they_are_for(site: &Site) {
    let (tenure, now) = (&site.world.tenure, at(FINAL));
    tenure.add_hold_reader("kept", "counsel", now).unwrap();
    let out = site.world.folder.path().join("read");
    tenure.read_held(("kept", "counsel"), &HeldTarget::All, &out, now, &mut |_| {}).unwrap();
    let index = std::fs::read_to_string(out.join("index.jsonl")).unwrap();
    let read: HashMap<String, String> = index
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter_map(|line| {
            let body = std::fs::read_to_string(out.join(line["file"].as_str()?)).unwrap();
            Some((line["record"].as_str()?.to_owned(), body))
        })
        .collect();
    let held: Vec<Talk> = people::with(&[Fate::Held]).flat_map(people::of_account).collect();
    assert_eq!((held.len(), read.len()), (150, 150));
    for talk in &held {
        let body = &read[&site.record(talk).to_string()];
        assert!(all_said(talk).iter().all(|said| body.contains(said)));
    }
    for account in people::with(&[Fate::Quarantined]) {
        let record = site.record(&Talk { account, place: 0 });
        let content = || {
            let told = tenure.explain(record, now).unwrap();
            assert!(told.uses.iter().all(|of| !of.allowed || of.purpose == "safety"));
            told.copies.into_iter().find(|copy| copy.class == "content").unwrap()
        };
        assert!(content().quarantine.is_some());
        if account % 40 == 2 {
            tenure.scan(record, Scan::Flagged, now).unwrap();
            assert!(content().quarantine.is_none());
        }
    }
}

/// Whoever also saved the bundles of page keys opens nothing of them with the root that is there now.
fn a_new_root_closes_the_key_bundles_of_then(then: &Then, data: &Path, keys: &Path) {
    let former = Keys::read(keys).others[0];
    Vault::open(data, keys).unwrap().pages().rotate_root().unwrap();
    let today = Keys::read(keys);
    assert_ne!(today.others[0], former);
    for (number, bundle) in thief::bundles(&then.keys) {
        assert!(keylog::open_bundle(number, &bundle, &former).is_some());
        assert!(today.secrets().iter().all(|key| keylog::open_bundle(number, &bundle, key).is_none()));
    }
}
