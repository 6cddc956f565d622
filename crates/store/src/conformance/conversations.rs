//! Conversations, records, messages and packs.

use super::{Instance, Outcome, sample};
use crate::{MessageRow, PackId, RecordFacts, RecordRow, SegmentRow, StoreError, StoreExt, Unflagged};
use tenure_model::{Kind, Mode};

pub(super) fn a_conversation_comes_back_as_it_was_stored(instance: &Instance) -> Outcome {
    instance.store.write(|tx| {
        let account = tx.insert_account(&sample::new_account("a"))?;
        let mut conversation = sample::conversation(account, 1);
        conversation.kind = Kind::Code;
        tx.insert_conversation(&conversation)?;
        let first =
            RecordRow { messages: 2, segments: 1, kind: Kind::Code, ..sample::record(account, 1, 12) };
        let second = RecordRow {
            ordinal: 1,
            mode: Mode::Incognito,
            country: None,
            facts: RecordFacts {
                scanned: Some(false),
                last_activity_at: sample::at(3),
                deleted_at: Some(sample::at(4)),
                flagged_at: Some(sample::at(5)),
                feedback_at: Some(sample::at(6)),
                unflagged: None,
            },
            ..sample::record(account, 1, 11)
        };
        tx.insert_record(&second)?;
        tx.insert_record(&first)?;
        let derived = MessageRow {
            at: None,
            dead_branch: true,
            derived_from: vec!["m0".into(), "\"".into()],
            ..sample::message(1)
        };
        let messages = [sample::message(0), derived];
        tx.insert_messages(account, first.id, &messages)?;
        tx.insert_pack(&sample::pack(1))?;
        tx.insert_segments(account, first.id, &[sample::segment(0, 1)])?;

        assert_eq!(tx.conversation(account, conversation.id)?.as_ref(), Some(&conversation));
        assert_eq!(tx.messages(account, first.id)?, messages);
        assert_eq!(tx.segments(account, first.id)?, [sample::segment(0, 1)]);
        assert_eq!(tx.records_of_conversation(account, conversation.id)?, [first, second]);
        Ok(())
    })
}

pub(super) fn a_conversation_is_recognised_by_its_mac_within_its_account(instance: &Instance) -> Outcome {
    let (one, other) = instance.store.write(|tx| -> Result<_, StoreError> {
        let (one, other) =
            (tx.insert_account(&sample::new_account("a"))?, tx.insert_account(&sample::new_account("b"))?);
        tx.insert_conversation(&sample::conversation(one, 1))?;
        Ok((one, other))
    })?;
    let mac = sample::conversation(one, 1).recognised;
    instance.store.read(|tx| {
        assert_eq!(tx.conversation_recognised(one, &mac)?, Some(sample::conversation(one, 1)));
        assert_eq!(tx.conversation_recognised(other, &mac)?, None);
        Ok::<_, StoreError>(())
    })?;
    let again: Outcome = instance.store.write(move |tx| {
        let mut again = sample::conversation(one, 2);
        again.recognised = mac;
        tx.insert_conversation(&again)
    });
    assert!(matches!(again, Err(StoreError::Conflict { .. })));
    Ok(())
}

pub(super) fn a_record_is_found_by_its_id_alone(instance: &Instance) -> Outcome {
    instance.store.write(|tx| {
        let records = [sample::open_record(tx, 1)?, sample::open_record(tx, 2)?];
        for record in records {
            assert_eq!(tx.record(record.id)?, Some(record));
        }
        assert_eq!(tx.record(crate::RecordId(sample::id(3)))?, None);
        Ok::<_, StoreError>(())
    })?;
    let stolen: Outcome = instance.store.write(|tx| {
        let account = tx.insert_account(&sample::new_account("third"))?;
        tx.insert_conversation(&sample::conversation(account, 1))?;
        tx.insert_record(&sample::record(account, 1, 1))
    });
    assert!(matches!(stolen, Err(StoreError::Conflict { .. })), "an id names one record in the whole store");
    Ok(())
}

pub(super) fn a_records_facts_change_and_the_rest_stays(instance: &Instance) -> Outcome {
    instance.store.write(|tx| {
        let record = sample::open_record(tx, 1)?;
        let facts = RecordFacts {
            scanned: Some(true),
            last_activity_at: sample::at(70),
            deleted_at: Some(sample::at(80)),
            flagged_at: None,
            feedback_at: Some(sample::at(90)),
            unflagged: Some(Unflagged { flagged_at: sample::at(3), cleared_at: sample::at(4) }),
        };
        tx.set_record_facts(record.account, record.id, &facts)?;
        assert_eq!(tx.record(record.id)?, Some(RecordRow { facts, ..record }));
        Ok(())
    })
}

pub(super) fn records_of_an_account_are_deleted_once(instance: &Instance) -> Outcome {
    instance.store.write(|tx| {
        let copies = sample::filed_copies(tx, "a", 1..4, |_| 1)?;
        let other = sample::filed_copies(tx, "b", 4..5, |_| 1)?;
        let [first, second, ..] = copies.as_slice() else { return Ok(()) };
        let Some(mut record) = tx.record(first.key.record)? else { return Ok(()) };
        record.facts.deleted_at = Some(sample::at(80));
        tx.set_record_facts(record.account, record.id, &record.facts)?;
        assert_eq!(tx.delete_records(record.account, sample::at(90))?, 2);
        assert_eq!(tx.delete_records(record.account, sample::at(95))?, 0);
        let deleted = |tx: &mut dyn crate::Tx, copy: &crate::CopyRow| -> Result<_, StoreError> {
            Ok(tx.record(copy.key.record)?.and_then(|record| record.facts.deleted_at))
        };
        assert_eq!(deleted(tx, first)?, Some(sample::at(80)), "what was deleted before stays so");
        assert_eq!(deleted(tx, second)?, Some(sample::at(90)));
        for copy in &other {
            assert_eq!(deleted(tx, copy)?, None);
        }
        Ok(())
    })
}

pub(super) fn packs_count_the_segments_that_refer_to_them(instance: &Instance) -> Outcome {
    instance.store.write(|tx| {
        let (one, two) = (sample::open_record(tx, 1)?, sample::open_record(tx, 2)?);
        tx.insert_pack(&sample::pack(1))?;
        tx.insert_pack(&sample::pack(2))?;
        tx.insert_segments(one.account, one.id, &[sample::segment(0, 1), sample::segment(1, 1)])?;
        tx.insert_segments(two.account, two.id, &[sample::segment(0, 1)])?;
        let pack = PackId(sample::id(1));
        assert_eq!(tx.pack(pack)?.map(|pack| pack.segments), Some(3));
        assert_eq!(tx.idle_packs(10)?, [sample::pack(2)]);
        assert_eq!(tx.remove_segments(one.account, one.id)?, [sample::segment(0, 1), sample::segment(1, 1)]);
        assert_eq!(tx.pack(pack)?.map(|pack| pack.segments), Some(1));
        tx.remove_segments(two.account, two.id)?;
        assert_eq!(tx.idle_packs(10)?.len(), 2);
        tx.set_pack_removed(pack, sample::at(8))?;
        assert_eq!(tx.idle_packs(10)?, [sample::pack(2)]);
        assert_eq!(tx.packs(None, 10)?.first().and_then(|pack| pack.removed_at), Some(sample::at(8)));
        Ok(())
    })
}

pub(super) fn packs_that_are_mostly_dead_are_found_and_emptied(instance: &Instance) -> Outcome {
    instance.store.write(|tx| {
        let (one, two) = (sample::open_record(tx, 1)?, sample::open_record(tx, 2)?);
        let [old, new] = [1, 2].map(|number| PackId(sample::id(number)));
        tx.insert_pack(&sample::pack(1))?;
        tx.insert_segments(one.account, one.id, &[sample::segment(0, 1), sample::segment(1, 1)])?;
        tx.insert_segments(two.account, two.id, &[sample::segment(2, 1)])?;
        assert_eq!(tx.pack(old)?.map(|pack| pack.live), Some(300));
        assert_eq!(tx.pack_bytes()?, (1000, 300));
        assert_eq!(tx.sparse_packs(300, 10)?.len(), 0, "three tenths of it live");
        tx.remove_segments(one.account, one.id)?;
        assert_eq!(tx.sparse_packs(300, 10)?.first().map(|pack| (pack.id, pack.live)), Some((old, 100)));

        let from = sample::segment(2, 1);
        assert_eq!(tx.segments_of_pack(old)?, [(two.account, two.id, from)]);
        tx.insert_pack(&sample::pack(2))?;
        let to = SegmentRow { pack: new, offset: 8, ..from };
        assert!(tx.move_segment(two.account, two.id, &from, &to)?);
        assert!(!tx.move_segment(two.account, two.id, &from, &to)?, "it lies there no longer");
        assert_eq!(tx.segments(two.account, two.id)?, [to]);
        assert_eq!(tx.idle_packs(10)?.iter().map(|pack| pack.id).collect::<Vec<_>>(), [old]);
        Ok(())
    })
}

pub(super) fn messages_can_be_forgotten(instance: &Instance) -> Outcome {
    instance.store.write(|tx| {
        let record = sample::open_record(tx, 1)?;
        tx.insert_messages(record.account, record.id, &[sample::message(0), sample::message(1)])?;
        tx.set_record_counts(record.account, record.id, 2, 0)?;
        assert_eq!(tx.remove_messages(record.account, record.id)?, 2);
        assert_eq!(tx.messages(record.account, record.id)?, []);
        assert_eq!(tx.record(record.id)?, Some(record));
        Ok(())
    })
}

pub(super) fn lists_go_on_after_their_cursor(instance: &Instance) -> Outcome {
    instance.store.write(|tx| {
        let copies = sample::filed_copies(tx, "a", 1..6, |_| 1)?;
        sample::filed_copies(tx, "b", 6..9, |_| 1)?;
        let Some(account) = copies.first().map(|copy| copy.key.account) else { return Ok(()) };
        let (mut records, mut conversations, mut found) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..4 {
            let slice = tx.records_of(account, records.last().map(|record: &RecordRow| record.id), 2)?;
            records.extend(slice);
            conversations.extend(tx.conversations_of(
                account,
                conversations.last().map(|conversation: &crate::ConversationRow| conversation.id),
                2,
            )?);
            found.extend(tx.copies_of(account, found.last().map(|copy: &crate::CopyRow| copy.key), 2)?);
        }
        assert_eq!((records.len(), conversations.len()), (5, 5));
        assert_eq!(found, copies);
        Ok(())
    })
}
