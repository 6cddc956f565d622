//! A root key that a real server wraps: the same rules, and what only a server can do.

use serde_json::json;

use super::*;
use crate::error::TransitError;
use crate::keystore::openbao::OpenBao;

impl Home {
    fn on(server: &OpenBao) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (server, mount) = (server.server().unwrap(), OpenBao::MOUNT.to_owned());
        let root = NewRoot::InTransit { server: server.clone(), mount, key: None };
        Self { folder, root, access: KeyAccess::Transit(server) }
    }

    fn key(&self, store: &FileKeyStore) -> String {
        let RootHome::Transit { mount, key } = store.root().unwrap().home else { panic!("elsewhere") };
        assert!(self.folder.path().exists() && mount == OpenBao::MOUNT);
        key
    }
}

fn refused(error: &KeyError) -> bool {
    matches!(error, KeyError::Transit(TransitError::Refused { .. }))
}

fn unreachable(error: &KeyError) -> bool {
    matches!(error, KeyError::Transit(TransitError::Unreachable { .. }))
}

#[test]
fn every_rule_of_a_key_store_holds() {
    let server = OpenBao::start().unwrap();
    for (rule, holds) in rules::ALL {
        println!("{rule}");
        holds(&Home::on(&server));
    }
}

#[test]
fn a_crash_at_any_step_leaves_everything_readable_and_the_next_opening_goes_on() {
    let server = OpenBao::start().unwrap();
    replaced::a_crash_at_any_step_leaves_everything_readable_and_the_next_opening_goes_on(|| {
        Home::on(&server)
    });
}

#[test]
fn a_saved_copy_of_the_whole_folder_opens_until_the_root_is_replaced_and_never_again() {
    let server = OpenBao::start().unwrap();
    let home = Home::on(&server);
    let store = home.create();
    let pages = store.create(Tree::Ordinary, 2).unwrap();
    home.create_log_keys();
    let saved = home.save("saved");
    store.destroy(&pages[..1]).unwrap();
    let thief = FileKeyStore::open_with(&saved, &home.access).unwrap();
    thief.key(pages[0]).unwrap();
    drop(thief);
    assert_eq!(store.ageing_out().unwrap().len(), 1);
    store.rotate_root().unwrap();
    assert_eq!(store.ageing_out().unwrap(), []);
    assert!(refused(&FileKeyStore::open_with(&saved, &home.access).unwrap_err()));
    assert!(LogKeys::open_with(&saved, &home.access).is_err());
    // Not even who may do everything brings a trimmed version back.
    let config = format!("{}/keys/{}/config", OpenBao::MOUNT, home.key(&store));
    let back = json!({"min_decryption_version": 1, "min_encryption_version": 1});
    server.server().unwrap().post("go back", &config, &back).unwrap_err();
    assert!(refused(&FileKeyStore::open_with(&saved, &home.access).unwrap_err()));
    bytes(&home.reopen(store), pages[1]);
}

#[test]
fn a_deleted_key_opens_nothing_and_what_it_opened_is_not_taken_for_destroyed() {
    let server = OpenBao::start().unwrap();
    let home = Home::on(&server);
    let store = home.create();
    let page = store.create(Tree::Ordinary, 1).unwrap()[0];
    server
        .server()
        .unwrap()
        .delete_for_test(&format!("{}/keys/{}", OpenBao::MOUNT, home.key(&store)))
        .unwrap();
    // What is open stays open until the process ends.
    bytes(&store, page);
    assert_eq!(store.rotate_root().unwrap_err(), KeyError::Transit(TransitError::KeyGone));
    bytes(&store, page);
    drop(store);
    assert!(refused(&home.try_open().unwrap_err()));
}

#[test]
fn a_wrong_token_is_denied_and_no_error_shows_it() {
    let server = OpenBao::start().unwrap();
    let home = Home::on(&server);
    drop(home.create());
    let wrong = KeyAccess::Transit(server.server_with("a-wrong-token").unwrap());
    let error = FileKeyStore::open_with(&home.keys(), &wrong).unwrap_err();
    assert!(matches!(error, KeyError::Transit(TransitError::Denied(_))));
    let printed = format!("{error} {error:?} {wrong:?}");
    assert!(!printed.contains("a-wrong-token") && !printed.contains("127.0.0.1"), "{printed}");
    home.try_open().unwrap();
}

#[test]
fn no_two_vaults_share_a_key_and_one_that_could_be_taken_away_is_refused() {
    let server = OpenBao::start().unwrap();
    let api = server.server().unwrap();
    let claim = |name: &str| {
        let folder = tempfile::tempdir().unwrap();
        let (server, mount) = (api.clone(), OpenBao::MOUNT.to_owned());
        let root = NewRoot::InTransit { server, mount, key: Some(name.to_owned()) };
        KeyFolder::claim_new(&folder.path().join("keys"), &root).map(drop)
    };
    claim("mine").unwrap();
    assert_eq!(claim("mine"), Err(KeyError::Transit(TransitError::KeyExists)));
    assert_eq!(claim("a/../b"), Err(KeyError::Transit(TransitError::Name)));
    let home = Home::on(&server);
    let store = home.create();
    let config = format!("{}/keys/{}/config", OpenBao::MOUNT, home.key(&store));
    api.post("let it be exported", &config, &json!({"exportable": true})).unwrap();
    assert_eq!(store.rotate_root().unwrap_err(), KeyError::Transit(TransitError::Unfit));
}

#[test]
fn a_server_that_is_killed_in_the_middle_is_an_error_and_nothing_is_lost_or_taken_for_gone() {
    let mut server = OpenBao::start().unwrap();
    let home = Home::on(&server);
    let store = home.create();
    let pages = store.create(Tree::Ordinary, 3).unwrap();
    let key = bytes(&store, pages[0]);
    std::thread::scope(|scope| {
        let rotates = scope.spawn(|| {
            loop {
                if let Err(error) = store.rotate_root() {
                    return error;
                }
            }
        });
        std::thread::sleep(std::time::Duration::from_millis(300));
        server.kill().unwrap();
        assert!(unreachable(&rotates.join().unwrap()));
    });
    // Pages are served, made and destroyed without it.
    assert_eq!(bytes(&store, pages[0]), key);
    store.create(Tree::Held, 1).unwrap();
    store.destroy(&pages[1..2]).unwrap();
    assert_eq!(store.pages().unwrap().len(), 3);
    assert!(unreachable(&store.rotate_root().unwrap_err()));
    drop(store);
    assert!(unreachable(&home.try_open().unwrap_err()));
}
