//! What was destroyed is in no version of any object, and no key to it can be had.

use std::collections::BTreeSet;

use rusqlite::Row;
use tenure_vault::seaweed::Keeps;
use tenure_vault::{FileKeyStore, KeyAccess, KeyStore as _};

use super::world::{PEOPLE, SWEEP, Servers, World, marker};

/// A body as it was sealed, by where it lay.
struct Sealed {
    pack: String,
    start: usize,
    length: usize,
}

/// Where the bodies of some people's records lie.
fn bodies_of(world: &World, people: &str) -> Vec<Sealed> {
    let sql = format!(
        "SELECT lower(hex(pack)), \"offset\", length FROM segments
         JOIN accounts ON accounts.key = segments.account WHERE accounts.id IN ({people})"
    );
    let number =
        |row: &Row<'_>, column| row.get::<_, i64>(column).map(|number| usize::try_from(number).unwrap());
    world.rows(&sql, |row| Ok(Sealed { pack: row.get(0)?, start: number(row, 1)?, length: number(row, 2)? }))
}

fn holds(content: &[u8], part: &[u8]) -> bool {
    content.windows(part.len()).any(|window| window == part)
}

fn what_was_erased_is_gone_from_both_servers(keeps: Keeps) {
    let Some(servers) = Servers::start(keeps) else { return };
    let world = World::erased(&servers);
    world.is_sound();
    let before: Vec<(String, Vec<u8>)> = world
        .objects(&servers)
        .into_iter()
        .map(|object| (object.0.clone(), world.object(&servers, &object)))
        .collect();
    let sealed = |people: &str| -> Vec<Vec<u8>> {
        let bodies = bodies_of(&world, people).into_iter();
        bodies
            .map(|body| {
                let (_, content) = before.iter().find(|(name, _)| *name == body.pack).unwrap();
                content[body.start..body.start + body.length].to_vec()
            })
            .collect()
    };
    let (erased, kept) = (sealed("'a0', 'a1'"), sealed("'a2', 'a4', 'a6'"));
    assert!(erased.len() >= 10 && kept.len() >= 15);
    let pages = "SELECT DISTINCT lower(hex(page)) FROM copies JOIN accounts ON accounts.key = copies.account
                 WHERE accounts.id IN ('a0', 'a1') AND wrap IS NOT NULL";
    let erased_pages: BTreeSet<String> = world.rows(pages, |row| row.get(0)).into_iter().collect();
    assert!(!erased_pages.is_empty());
    let saved = world.saved_keys();

    let swept = world.json(&SWEEP);
    assert!(swept["sweep"]["verified"].as_u64() > Some(0) && swept["sweep"]["compacted"].as_u64() > Some(0));
    world.is_sound();

    let after: Vec<Vec<u8>> =
        world.objects(&servers).iter().map(|object| world.object(&servers, object)).collect();
    for body in &erased {
        assert!(!after.iter().any(|content| holds(content, body)), "a body is in some version of an object");
    }
    for body in &kept {
        assert!(after.iter().any(|content| holds(content, body)), "a body of somebody else is lost");
    }
    for content in before.iter().map(|(_, content)| content).chain(&after) {
        assert!((0..PEOPLE).all(|account| !holds(content, marker(account).as_bytes())));
    }
    assert_eq!(world.packs_there(&servers), world.packs_known());

    let access = KeyAccess::Transit(servers.openbao.server().unwrap());
    let pages_in = |store: &FileKeyStore| -> BTreeSet<String> {
        store.pages().unwrap().iter().map(|found| found.page.to_string()).collect()
    };
    let store = FileKeyStore::open_with(&world.keys(), &access).unwrap();
    assert!(pages_in(&store).is_disjoint(&erased_pages), "a key of a destroyed page is still there");
    drop(store);
    let thief = FileKeyStore::open_with(&saved, &access).unwrap();
    assert!(pages_in(&thief).is_superset(&erased_pages), "what was saved opens until the root is replaced");
    drop(thief);
    assert_eq!(world.json(&["keys", "rotate"])["ageing_out"], serde_json::json!([]));
    FileKeyStore::open_with(&saved, &access).unwrap_err();
    world.is_sound();
}

#[test]
fn what_was_erased_is_in_no_object_and_no_key_to_it_can_be_had() {
    what_was_erased_is_gone_from_both_servers(Keeps::Nothing);
}

#[test]
fn what_was_erased_is_in_no_old_version_of_an_object_either() {
    what_was_erased_is_gone_from_both_servers(Keeps::Versions);
}
