//! What products ask while they work: where an account stands, what it has, and conversations sent one by one.

use tenure_app::explain::Sight;
use tenure_app::{Conversation, Error, Message, Refusal, Reply, Role};
use tenure_model::{Choice, Kind, Mode};
use tenure_receipts::{Stated, Statement};
use tenure_store::{ReadTx, StoreExt as _};

use crate::world::{World, at};

const NOW: &str = "2025-09-10T10:00:00Z";

fn conversation(account: &str, id: &str, messages: &[&str]) -> Conversation {
    let said = |name: &&str| Message {
        id: Some((*name).to_owned()),
        at: Some(at("2025-09-09T10:00:00Z")),
        ..Message::new(Role::Human, format!("the text of {name}"))
    };
    Conversation {
        external_id: Some(id.to_owned()),
        account: Some(account.to_owned()),
        title: None,
        kind: Kind::Chat,
        created_at: None,
        surface: Some("pro".to_owned()),
        mode: None,
        country: Some("US".to_owned()),
        scanned: Some(true),
        messages: messages.iter().map(said).collect(),
    }
}

#[test]
fn a_standing_is_what_the_summary_says_of_each_surface() {
    let world = World::new();
    world.open_account("a", at(NOW));
    world.tenure.take_in(&conversation("a", "c", &["m1"]), at(NOW)).unwrap();
    for choice in [None, Some(Choice::Off), Some(Choice::On)] {
        if let Some(choice) = choice {
            world.decide("a", choice, at(NOW));
        }
        let summary = world.tenure.summary("a", at(NOW)).unwrap();
        let standing = world.tenure.standing("a", Some("pro"), at(NOW)).unwrap();
        assert_eq!(standing.terms.len(), 1);
        assert_eq!(standing.terms[0].view, summary.terms[0]);
        assert_eq!(standing.head, summary.head);
    }
    let missing = world.tenure.standing("a", Some("moon"), at(NOW));
    assert!(matches!(missing, Err(Error::UnknownSurface(surface)) if surface == "moon"));
}

#[test]
fn a_closed_account_may_not_continue() {
    let world = World::new();
    world.open_account("a", at(NOW));
    assert!(world.tenure.standing("a", None, at(NOW)).unwrap().may_continue);
    world.tenure.erase_account("a", at(NOW)).unwrap();
    let standing = world.tenure.standing("a", None, at(NOW)).unwrap();
    assert!(!standing.may_continue && standing.closed_at == Some(at(NOW)));
}

#[test]
fn more_messages_are_as_the_conversation_was_last_where_they_do_not_say() {
    let world = World::new();
    let mut first = conversation("a", "c", &["m1"]);
    first.mode = Some(Mode::Incognito);
    let taken = world.tenure.take_in(&first, at(NOW)).unwrap();
    let more = Conversation { surface: None, country: None, ..conversation("", "", &["m2"]) };
    let on = world.tenure.take_in_more("a", "c", more.clone(), at(NOW)).unwrap();
    assert_eq!((on.records, on.ingested.messages), (taken.records, 1));
    let again = world.tenure.take_in_more("a", "c", more.clone(), at(NOW)).unwrap();
    assert_eq!((again.ingested.messages, again.ingested.known), (0, 1));
    let unknown = world.tenure.take_in_more("a", "other", more.clone(), at(NOW));
    assert!(matches!(unknown, Err(Error::UnknownConversation)));
    let by_id = world.tenure.take_in_more("a", &taken.conversation.to_string(), more, at(NOW));
    assert!(matches!(by_id, Err(Error::Refused(_))));
}

#[test]
fn what_may_not_be_kept_is_an_error_with_its_reason() {
    let world = World::new();
    let mut zero = conversation("a", "c", &["m1"]);
    zero.surface = Some("api-zdr".to_owned());
    let refused = world.tenure.take_in(&zero, at(NOW));
    assert!(matches!(refused, Err(Error::NotTaken(Refusal::ZeroRetention))));
    let empty = world.tenure.take_in(&conversation("a", "c", &[]), at(NOW));
    assert!(matches!(empty, Err(Error::NotTaken(Refusal::Empty))));
}

#[test]
fn one_conversation_that_many_write_to_at_once_ends_with_what_all_have_said() {
    let world = World::new();
    world.open_account("a", at(NOW));
    std::thread::scope(|scope| {
        for number in 0..4 {
            let tenure = &world.tenure;
            scope.spawn(move || {
                let sent = conversation("a", "c", &[&*format!("m{number}")]);
                while let Err(error) = tenure.take_in(&sent, at(NOW)) {
                    assert!(matches!(error, Error::ConversationMoved | Error::Store(_)), "{error}");
                }
            });
        }
    });
    let all = conversation("a", "c", &["m0", "m1", "m2", "m3"]);
    assert_eq!(world.tenure.take_in(&all, at(NOW)).unwrap().ingested.known, 4);
}

#[test]
fn a_list_of_records_goes_on_where_it_ended_and_each_comes_once() {
    let world = World::new();
    world.open_account("a", at(NOW));
    for number in 0..7 {
        world.tenure.take_in(&conversation("a", &format!("c{number}"), &["m1"]), at(NOW)).unwrap();
    }
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let slice = world.tenure.list_records("a", Sight::Whole, (after, 3), at(NOW)).unwrap();
        found.extend(slice.items.into_iter().map(|item| item.record));
        match slice.next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    let all = world.tenure.records("a", 100).unwrap();
    assert_eq!(found, all.iter().map(|row| row.id.to_string()).collect::<Vec<_>>());
}

#[test]
fn what_is_passed_on_names_its_evidence_and_is_as_long_whatever_was_said() {
    let world = World::new();
    for account in ["a", "b"] {
        world.open_account(account, at(NOW));
    }
    let on = world.tenure.answer("a", "train", Choice::On, None).unwrap();
    assert!(matches!(on.reply, Reply::On { .. }));
    let off = world.tenure.answer("b", "train", Choice::Off, None).unwrap();
    let evidence = Some([7; 32]);
    let on = world.tenure.decide_on_behalf("a", on, evidence, at(NOW)).unwrap();
    let off = world.tenure.decide_on_behalf("b", off, None, at(NOW)).unwrap();
    let named =
        |receipt: &tenure_receipts::Receipt| match Stated::read(receipt.statement()).unwrap().statement {
            Statement::Decision { evidence, .. } => evidence.unwrap().0,
            other => panic!("{other:?}"),
        };
    assert_eq!(named(&on[0]), [7; 32]);
    assert_eq!(named(&off[0])[..4], [0xe3, 0xb0, 0xc4, 0x42]);
    let sealed = |account: &str| {
        let key = world.tenure.account(account).unwrap().key;
        let rows = world.store.read(|tx: &mut dyn ReadTx| tx.statements_of(key, &["decision"])).unwrap();
        rows[0].statement.sealed.len()
    };
    assert_eq!(sealed("a"), sealed("b"));
}
