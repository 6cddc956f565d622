//! The rules of the vault, with bodies in a bucket and a root key that a server wraps: the same tests, run over real
//! servers.

use std::cell::Cell;
use std::fs;
use std::rc::Rc;

use tempfile::TempDir;
use tenure_vault::openbao::OpenBao;
use tenure_vault::seaweed::{self, Keeps, Seaweed};
use tenure_vault::{
    BodyPlace, Journal, JournalFault, KeyAccess, NewRoot, PackId, S3Credentials, TransitServer,
};

use super::{Folders, HOME, Home, Place, chunked, copies, folders, packs};

macro_rules! rules {
    ($($module:ident: $($rule:ident)*;)*) => {
        const RULES: &[(&str, fn())] = &[$($((stringify!($rule), $module::$rule)),*),*];
    };
}

rules! {
    chunked:
        a_range_opens_under_no_name_and_no_key_but_its_own
        a_segment_takes_seventy_three_bytes_more_than_its_text_and_sixteen_for_each_full_chunk
        chunks_exchanged_within_a_pack_are_refused
        a_place_that_is_too_short_or_too_long_opens_nothing;
    copies:
        a_copy_opens_with_its_account_and_its_page
        a_copy_opens_neither_with_another_account_nor_with_another_page
        a_copy_opens_under_no_name_but_its_own
        altered_wraps_are_refused
        a_destroyed_page_takes_its_copies_with_it_and_no_others
        a_person_who_leaves_takes_every_copy_along_but_not_the_proof
        nothing_is_wrapped_under_a_page_of_another_tree;
    folders:
        no_file_of_either_folder_holds_what_was_said_or_whose_it_was
        the_same_content_is_recognised_after_reopening_and_in_no_other_vault
        folders_of_two_vaults_do_not_open_together
        a_second_process_is_refused_while_the_first_has_the_vault_open;
    packs:
        a_segment_opens_under_no_name_but_its_own
        an_empty_pack_is_not_stored_and_a_dropped_one_leaves_nothing
        a_removed_pack_is_not_found_and_is_proved_absent
        a_pack_says_when_it_is_full_and_a_large_segment_fits_all_the_same
        a_segment_that_was_copied_as_it_is_opens_where_it_lies_now_and_no_longer_where_it_lay
        nothing_is_copied_that_no_body_key_seals;
}

/// What these are about is the folders themselves, or they are the other half of a test.
const OF_FOLDERS_ALONE: [&str; 2] =
    ["a_creation_that_broke_off_can_be_begun_again_and_a_finished_one_cannot", "second_process"];

const BUCKET: &str = "bodies";

/// Servers, and what of a vault lies on them.
struct Servers {
    seaweed: Option<Seaweed>,
    openbao: Option<OpenBao>,
    vaults: Cell<u32>,
}

impl Servers {
    fn new(seaweed: Option<Seaweed>, openbao: Option<OpenBao>) -> Self {
        Self { seaweed, openbao, vaults: Cell::new(0) }
    }

    /// The name of an object of theirs.
    fn object(at: &BodyPlace, pack: PackId) -> Option<String> {
        match at {
            BodyPlace::S3(address) => Some(format!("{}/{pack}", address.prefix())),
            BodyPlace::Folder => None,
        }
    }
}

impl Home for Servers {
    fn root(&self) -> NewRoot {
        self.openbao.as_ref().map_or(NewRoot::InFolder, |openbao| NewRoot::InTransit {
            server: openbao.server().unwrap(),
            mount: OpenBao::MOUNT.to_owned(),
            key: None,
        })
    }

    fn access(&self) -> KeyAccess {
        let transit = |openbao: &OpenBao| KeyAccess::Transit(openbao.server().unwrap());
        self.openbao.as_ref().map_or_else(KeyAccess::default, transit)
    }

    fn credentials(&self) -> S3Credentials {
        seaweed::credentials()
    }

    fn bodies(&self) -> BodyPlace {
        self.vaults.set(self.vaults.get() + 1);
        let prefix = format!("vaults/{}", self.vaults.get());
        let place = |seaweed: &Seaweed| BodyPlace::S3(seaweed.address(BUCKET, &prefix));
        self.seaweed.as_ref().map_or(BodyPlace::Folder, place)
    }

    fn pack(&self, at: (&TempDir, &BodyPlace), pack: PackId) -> Vec<u8> {
        match (&self.seaweed, Self::object(at.1, pack)) {
            (Some(seaweed), Some(name)) => seaweed.object(BUCKET, &name, None).to_vec(),
            _ => Folders.pack(at, pack),
        }
    }

    fn alter(&self, at: (&TempDir, &BodyPlace), pack: PackId, content: Vec<u8>) {
        match (&self.seaweed, Self::object(at.1, pack)) {
            (Some(seaweed), Some(name)) => seaweed.put_object(BUCKET, &name, content),
            _ => Folders.alter(at, pack, content),
        }
    }
}

fn rules() -> impl Iterator<Item = (&'static str, fn())> {
    RULES.iter().copied().chain(chunked::PROPERTIES).chain(packs::PROPERTIES)
}

#[expect(clippy::print_stdout, reason = "a failing test tells which rule it was")]
fn every_rule_holds_on(servers: Servers) {
    let before = HOME.replace(Rc::new(servers));
    for (rule, holds) in rules() {
        println!("{rule}");
        holds();
    }
    HOME.set(before);
}

#[test]
fn every_rule_of_the_vault_holds_with_bodies_in_a_plain_bucket() {
    let Some(seaweed) = Seaweed::start() else { return };
    seaweed.make_bucket(BUCKET, Keeps::Nothing);
    every_rule_holds_on(Servers::new(Some(seaweed), None));
}

#[test]
fn every_rule_of_the_vault_holds_with_bodies_in_a_versioned_bucket_and_a_root_key_on_a_server() {
    let Some(seaweed) = Seaweed::start() else { return };
    seaweed.make_bucket(BUCKET, Keeps::Versions);
    every_rule_holds_on(Servers::new(Some(seaweed), Some(OpenBao::start().unwrap())));
}

#[test]
fn every_rule_of_the_vault_holds_with_a_root_key_on_a_server() {
    if std::env::var_os("TENURE_WITHOUT_SERVERS").is_none() {
        every_rule_holds_on(Servers::new(None, Some(OpenBao::start().unwrap())));
    }
}

#[test]
fn no_rule_of_the_vault_is_left_out_over_servers() {
    let sources = [
        include_str!("chunked.rs"),
        include_str!("copies.rs"),
        include_str!("folders.rs"),
        include_str!("packs.rs"),
    ];
    let tests = sources.iter().flat_map(|source| source.split("#[test]").skip(1));
    let names = tests.map(|test| test.split_once("fn ").unwrap().1.split_once('(').unwrap().0);
    let mut expected: Vec<&str> = names.filter(|name| !OF_FOLDERS_ALONE.contains(name)).collect();
    let mut run: Vec<&str> = rules().map(|(rule, _)| rule).collect();
    expected.sort_unstable();
    run.sort_unstable();
    assert_eq!(run, expected);
}

/// The key of a journal is sealed as the other keys are that live as long as the vault, and follows the root.
#[test]
fn the_journal_of_a_vault_whose_root_key_a_server_wraps_opens_only_with_it() {
    if std::env::var_os("TENURE_WITHOUT_SERVERS").is_some() {
        return;
    }
    let servers = Rc::new(Servers::new(None, Some(OpenBao::start().unwrap())));
    let access = servers.access();
    let before = HOME.replace(servers);
    let place = Place::new();
    let mut journal = Journal::create_with(&place.keys(), &access).unwrap();
    journal.append(1, b"entry").unwrap();
    let name = journal.name();
    drop(journal);
    let kept = || fs::read(place.keys().join("journal.key")).unwrap();
    let first = kept();
    assert!(first.starts_with(b"TNRSTND1"));
    place.vault().pages().rotate_root().unwrap();
    assert_ne!(kept(), first, "it is sealed anew under the next root");
    let open = || Journal::open_with(&place.keys(), &access).map(Option::unwrap);
    let journal = open().unwrap();
    assert_eq!((journal.name(), journal.newest().number), (name, 1));
    drop(journal);
    let nowhere = KeyAccess::Transit(TransitServer::new("http://127.0.0.1:1", OpenBao::TOKEN).unwrap());
    let refused = Journal::open_with(&place.keys(), &nowhere).unwrap_err();
    assert!(
        matches!(refused, JournalFault::Unreachable { operation: "unwrap the root key", .. }),
        "{refused}"
    );
    // Neither a saved key nor one of another name or length is one.
    let now = kept();
    let bent = [first, now[..40].to_vec(), [&now[..12], &[0; 60]].concat(), vec![7; 31]];
    for other in bent {
        fs::write(place.keys().join("journal.key"), other).unwrap();
        assert_eq!(open().unwrap_err(), JournalFault::Damaged { after: 0 });
    }
    fs::write(place.keys().join("journal.key"), now).unwrap();
    assert_eq!(open().unwrap().name(), name);
    HOME.set(before);
}
