//! The keys of the log: what they sign, what becomes of them, and what a crash or a thief finds.

use std::fs;
use std::path::PathBuf;

use age::x25519;
use tenure_model::Instant;
use tenure_tlog::checkpoint::{Checkpoint, SignedCheckpoint};
use tenure_tlog::cosignature::timestamp;
use tenure_tlog::note::{SignatureType, Verifier, VerifyError};
use tenure_vault::{KeyError, LogKeyError, LogKeys, Vault};

use crate::Place;

const ORIGIN: &str = "log.example.com/tenure";

fn at(seconds: i64) -> Instant {
    Instant::from_micros(seconds * 1_000_000 + 999_999).unwrap()
}

fn checkpoint(size: u64) -> Checkpoint {
    Checkpoint::new(ORIGIN.parse().unwrap(), size, [7; 32])
}

fn folder(place: &Place) -> PathBuf {
    place.folder.path().join("keys")
}

fn create(place: &Place) -> LogKeys {
    LogKeys::create(&folder(place), &ORIGIN.parse().unwrap(), at(100)).unwrap()
}

/// How many known keys have signed; fails if one of them has signed wrongly.
fn signed_by(signed: &SignedCheckpoint, known: &[Box<dyn Verifier + Send + Sync>]) -> usize {
    let known: Vec<&dyn Verifier> = known.iter().map(|one| &**one as &dyn Verifier).collect();
    match signed.verify(&ORIGIN.parse().unwrap(), &known) {
        Ok(signatures) => signatures.len(),
        Err(error) => {
            assert_eq!(error, VerifyError::NoKnownKey.into());
            0
        }
    }
}

#[test]
fn keys_are_shared_between_threads() {
    fn shared<T: Send + Sync + Clone>() {}
    shared::<LogKeys>();
}

#[test]
fn a_checkpoint_is_signed_by_both_keys_under_the_name_of_the_log_and_verifies_in_pure_rust() {
    let place = Place::new();
    let keys = create(&place);
    let signed = keys.sign(checkpoint(3), at(1_764_000_000)).unwrap();
    assert_eq!(signed_by(&signed, &keys.verifiers()), 2);
    let types: Vec<_> = keys.verifier_keys().iter().map(|key| key.signature_type().byte()).collect();
    assert_eq!(types, [0x01, 0x06]);
    for (key, signature) in keys.verifier_keys().iter().zip(signed.note().signatures()) {
        assert_eq!((key.name().as_str(), key.id()), (ORIGIN, signature.key().1));
        let time = timestamp(key, signature).map(tenure_tlog::cosignature::Timestamp::seconds);
        let timed = key.signature_type() == SignatureType::MlDsa44Cosignature;
        assert_eq!(time, timed.then_some(1_764_000_000), "in whole seconds, without what is over");
    }
    let read = SignedCheckpoint::parse(signed.to_string().as_bytes()).unwrap();
    assert_eq!(signed_by(&read, &keys.verifiers()), 2);
}

#[test]
fn another_size_or_another_logs_keys_do_not_pass() {
    let (place, other) = (Place::new(), Place::new());
    let keys = create(&place);
    let signed = keys.sign(checkpoint(3), at(200)).unwrap();
    assert_eq!(signed_by(&signed, &create(&other).verifiers()), 0);
    let altered = signed.to_string().replacen("\n3\n", "\n4\n", 1);
    let altered = SignedCheckpoint::parse(altered.as_bytes()).unwrap();
    let known = keys.verifiers();
    let known: Vec<&dyn Verifier> = known.iter().map(|one| &**one as &dyn Verifier).collect();
    assert!(altered.verify(&ORIGIN.parse().unwrap(), &known).is_err());
    for verifier in known {
        assert!(altered.verify(&ORIGIN.parse().unwrap(), &[verifier]).is_err());
    }
}

#[test]
fn only_checkpoints_of_the_log_are_signed_and_only_after_1970() {
    let place = Place::new();
    let keys = create(&place);
    let other = Checkpoint::new("other.example".parse().unwrap(), 3, [7; 32]);
    assert!(matches!(keys.sign(other, at(1)), Err(LogKeyError::OtherOrigin)));
    assert!(matches!(keys.sign(checkpoint(3), at(-2)), Err(LogKeyError::BeforeEpoch)));
}

#[test]
fn keys_are_the_same_after_opening_also_while_the_vault_is_open() {
    let mut place = Place::new();
    let keys = create(&place);
    let opened = LogKeys::open(&folder(&place)).unwrap();
    assert_eq!(opened.keys(), keys.keys());
    assert_eq!(opened.origin().as_str(), ORIGIN);
    place.reopen();
    let signed = LogKeys::open(&folder(&place)).unwrap().sign(checkpoint(1), at(200)).unwrap();
    assert_eq!(signed_by(&signed, &keys.verifiers()), 2);
}

#[test]
fn keys_are_made_once_and_only_where_a_vault_is() {
    let place = Place::new();
    assert!(matches!(LogKeys::open(&folder(&place)), Err(LogKeyError::Missing)));
    let keys = create(&place);
    let again = LogKeys::create(&folder(&place), &ORIGIN.parse().unwrap(), at(101));
    assert!(matches!(again, Err(LogKeyError::AlreadyThere)));
    assert_eq!(LogKeys::open(&folder(&place)).unwrap().keys(), keys.keys());
    let nowhere = place.folder.path().join("nowhere");
    let made = LogKeys::create(&nowhere, &ORIGIN.parse().unwrap(), at(1));
    assert!(matches!(made, Err(LogKeyError::Folder(KeyError::Missing("root.key")))));
    assert!(!nowhere.exists());
}

#[test]
fn after_a_rotation_both_generations_sign_and_after_retirement_only_the_newest() {
    let place = Place::new();
    let first = create(&place);
    let before = first.sign(checkpoint(1), at(200)).unwrap();
    let both = first.rotate(at(300)).unwrap();
    let during = both.sign(checkpoint(2), at(400)).unwrap();
    let second = both.retire(at(500)).unwrap();
    let after = second.sign(checkpoint(3), at(600)).unwrap();

    let count = |signed: &SignedCheckpoint| signed.note().signatures().len();
    assert_eq!([&before, &during, &after].map(count), [2, 4, 2]);
    let by = |keys: &LogKeys| [&before, &during, &after].map(|signed| signed_by(signed, &keys.verifiers()));
    assert_eq!(by(&first), [2, 2, 0]);
    assert_eq!(by(&both), [2, 4, 2]);
    assert_eq!(by(&second), [0, 2, 2]);

    let opened = LogKeys::open(&folder(&place)).unwrap();
    for keys in [&second, &opened] {
        let all = [&before, &during, &after].map(|signed| signed_by(signed, &keys.all_verifiers()));
        assert_eq!(all, [2, 4, 2]);
        let told: Vec<_> = keys.keys().iter().map(|key| (key.made_at, key.retired_at)).collect();
        let (earlier, newest) = ((at(100), Some(at(500))), (at(300), None));
        assert_eq!(told, [earlier, earlier, newest, newest]);
    }
    assert!(matches!(opened.retire(at(700)), Err(LogKeyError::NothingToRetire)));
}

#[test]
fn four_generations_sign_at_once_and_a_fifth_waits_until_the_earlier_ones_are_retired() {
    let place = Place::new();
    let mut keys = create(&place);
    for round in 0..3 {
        keys = keys.rotate(at(200 + round)).unwrap();
    }
    let signed = keys.sign(checkpoint(1), at(300)).unwrap();
    assert_eq!((signed.note().signatures().len(), signed_by(&signed, &keys.verifiers())), (8, 8));
    assert!(matches!(keys.rotate(at(400)), Err(LogKeyError::RetireFirst)));
    keys.retire(at(400)).unwrap().rotate(at(500)).unwrap();
}

#[test]
fn whoever_holds_keys_goes_on_signing_with_them_and_cannot_undo_what_came_after() {
    let place = Place::new();
    let held = create(&place);
    let rotated = held.rotate(at(300)).unwrap();
    assert_eq!(held.sign(checkpoint(1), at(400)).unwrap().note().signatures().len(), 2);
    assert!(matches!(held.rotate(at(500)), Err(LogKeyError::Changed)));
    assert_eq!(LogKeys::open(&folder(&place)).unwrap().keys(), rotated.keys());
}

#[test]
fn the_seeds_of_retired_keys_are_forgotten() {
    let place = Place::new();
    let rotated = create(&place).rotate(at(300)).unwrap();
    let words = |keys: &LogKeys| -> Vec<String> {
        let text = String::from_utf8(keys.export().to_vec()).unwrap();
        text.split_whitespace().filter(|word| word.len() == 64).map(str::to_owned).collect()
    };
    let before = words(&rotated);
    let after = words(&rotated.retire(at(400)).unwrap());
    assert_eq!((before.len(), after.as_slice()), (4, &before[2..]));
}

#[test]
fn the_file_is_the_owners_alone_and_holds_nothing_readable() {
    let place = Place::new();
    let keys = create(&place);
    let file = fs::read(folder(&place).join("log-keys")).unwrap();
    let holds = |part: &[u8]| file.windows(part.len()).any(|window| window == part);
    assert!(!holds(ORIGIN.as_bytes()) && !holds(keys.verifier_keys()[0].public_key()));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = |place: PathBuf| fs::metadata(place).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(folder(&place).join("log-keys")), 0o600);
        assert_eq!(mode(folder(&place)), 0o700);
        let data = place.folder.path().join("data");
        assert!(!data.join("log-keys").exists());

        fs::set_permissions(folder(&place).join("log-keys"), fs::Permissions::from_mode(0o640)).unwrap();
        let opened = LogKeys::open(&folder(&place));
        assert!(matches!(opened, Err(LogKeyError::Folder(KeyError::TooOpen("log-keys")))));
    }
}

#[test]
fn an_altered_or_cut_file_is_refused_with_what_to_do() {
    let place = Place::new();
    create(&place);
    let file = folder(&place).join("log-keys");
    let whole = fs::read(&file).unwrap();
    let mut wrong: Vec<Vec<u8>> = [0, 1, 8, 9, 40, whole.len() - 1].map(|end| whole[..end].to_vec()).into();
    for byte in [0, 7, 8, 9, 30, whole.len() / 2, whole.len() - 1] {
        let mut altered = whole.clone();
        altered[byte] ^= 1;
        wrong.push(altered);
    }
    for content in wrong {
        fs::write(&file, content).unwrap();
        let error = LogKeys::open(&folder(&place)).unwrap_err();
        assert!(matches!(error, LogKeyError::Damaged));
        assert!(error.to_string().contains("tenure ledger key restore"), "{error}");
    }
    fs::write(&file, whole).unwrap();
    LogKeys::open(&folder(&place)).unwrap();
}

#[test]
fn a_file_of_another_key_folder_is_refused() {
    let (place, other) = (Place::new(), Place::new());
    create(&place);
    fs::copy(folder(&place).join("log-keys"), folder(&other).join("log-keys")).unwrap();
    assert!(matches!(LogKeys::open(&folder(&other)), Err(LogKeyError::Damaged)));
}

#[test]
fn what_a_crash_left_before_the_rename_is_passed_over_and_cleared_later() {
    let mut place = Place::new();
    let keys = create(&place);
    let leftover = folder(&place).join("log-keys.tmp");
    // A crash while writing, and one between writing and renaming. The copy is as private as the file.
    let written = fs::copy(folder(&place).join("log-keys"), &leftover).unwrap();
    for length in [written, 10] {
        fs::File::options().write(true).open(&leftover).unwrap().set_len(length).unwrap();
        assert_eq!(LogKeys::open(&folder(&place)).unwrap().keys(), keys.keys());
    }
    let rotated = keys.rotate(at(300)).unwrap();
    assert!(!leftover.exists());
    assert_eq!(LogKeys::open(&folder(&place)).unwrap().keys(), rotated.keys());
    fs::write(&leftover, b"half").unwrap();
    place.reopen();
    assert!(!leftover.exists());
    assert_eq!(LogKeys::open(&folder(&place)).unwrap().keys(), rotated.keys());
}

#[test]
fn a_replacement_that_fails_leaves_the_old_keys_and_can_be_repeated() {
    let place = Place::new();
    let keys = create(&place);
    // A folder in the way of the temporary file: writing fails before anything is replaced.
    let in_the_way = folder(&place).join("log-keys.tmp");
    fs::create_dir(&in_the_way).unwrap();
    let failed = keys.rotate(at(300));
    assert!(matches!(failed, Err(LogKeyError::Folder(KeyError::Unreachable { .. }))));
    assert_eq!(LogKeys::open(&folder(&place)).unwrap().keys(), keys.keys());
    fs::remove_dir(&in_the_way).unwrap();
    let rotated = keys.rotate(at(300)).unwrap();
    assert_eq!(LogKeys::open(&folder(&place)).unwrap().keys(), rotated.keys());
}

#[test]
fn exported_keys_go_into_another_folder_but_never_over_others() {
    let (place, other, third) = (Place::new(), Place::new(), Place::new());
    let keys = create(&place).rotate(at(300)).unwrap();
    let imported = LogKeys::import(&folder(&other), &keys.export()).unwrap();
    assert_eq!(imported.keys(), keys.keys());
    let opened = LogKeys::open(&folder(&other)).unwrap();
    let signed = opened.sign(checkpoint(9), at(400)).unwrap();
    assert_eq!(signed_by(&signed, &keys.verifiers()), 4);
    LogKeys::import(&folder(&other), &keys.export()).unwrap();

    let present = create(&third);
    assert!(matches!(LogKeys::import(&folder(&third), &keys.export()), Err(LogKeyError::OtherKeys)));
    assert_eq!(LogKeys::open(&folder(&third)).unwrap().keys(), present.keys());
    let later = keys.retire(at(500)).unwrap();
    let refused = LogKeys::import(&folder(&place), &keys.export());
    assert!(matches!(refused, Err(LogKeyError::OtherKeys)), "an older backup would undo the retirement");
    assert_eq!(LogKeys::open(&folder(&place)).unwrap().keys(), later.keys());
}

fn secret(identity: &x25519::Identity) -> String {
    use age::secrecy::ExposeSecret as _;
    identity.to_string().expose_secret().to_owned()
}

#[test]
fn a_backup_is_opened_by_each_recipient_and_by_nobody_else() {
    let place = Place::new();
    let keys = create(&place);
    let [first, second, stranger] = [(); 3].map(|()| x25519::Identity::generate());
    let recipients = [&first, &second].map(|identity| identity.to_public().to_string());
    let backup = keys.backup_to(&recipients).unwrap();
    assert!(backup.starts_with(b"-----BEGIN AGE ENCRYPTED FILE-----"));
    for identity in [&first, &second] {
        let other = Place::new();
        let file = format!("# created: today\n# public key: …\n{}\n", secret(identity));
        let restored = LogKeys::restore(&folder(&other), &backup, &file).unwrap();
        assert_eq!(restored.keys(), keys.keys());
        let signed = LogKeys::open(&folder(&other)).unwrap().sign(checkpoint(5), at(9)).unwrap();
        assert_eq!(signed_by(&signed, &keys.verifiers()), 2);
    }
    let other = Place::new();
    let refused = LogKeys::restore(&folder(&other), &backup, &secret(&stranger));
    assert!(matches!(refused, Err(LogKeyError::NotForIdentity)));
    assert!(matches!(LogKeys::open(&folder(&other)), Err(LogKeyError::Missing)));
}

#[test]
fn a_backup_without_armour_is_read_too() {
    let (place, other) = (Place::new(), Place::new());
    let keys = create(&place);
    let identity = x25519::Identity::generate();
    let binary = age::encrypt(&identity.to_public(), &keys.export()).unwrap();
    let restored = LogKeys::restore(&folder(&other), &binary, &secret(&identity)).unwrap();
    assert_eq!(restored.keys(), keys.keys());
}

#[test]
fn a_cut_or_altered_backup_is_refused() {
    let (place, other) = (Place::new(), Place::new());
    let identity = x25519::Identity::generate();
    let keys = create(&place);
    let backup = keys.backup_to(&[identity.to_public().to_string()]).unwrap();
    let mut altered = backup.clone();
    let middle = altered.len() / 2;
    altered[middle] = if altered[middle] == b'A' { b'B' } else { b'A' };
    let of_another_kind = age::encrypt(&identity.to_public(), b"a letter").unwrap();
    for wrong in [&backup[..backup.len() / 2], &backup[..10], b"", &altered, &of_another_kind] {
        let refused = LogKeys::restore(&folder(&other), wrong, &secret(&identity));
        assert!(matches!(refused, Err(LogKeyError::BackupDamaged)), "{refused:?}");
    }
    assert!(matches!(LogKeys::open(&folder(&other)), Err(LogKeyError::Missing)));
}

#[test]
fn what_is_no_recipient_and_what_is_no_identity_are_refused_and_not_repeated() {
    let place = Place::new();
    let keys = create(&place);
    let identity = x25519::Identity::generate();
    assert!(matches!(keys.backup_to(&[]), Err(LogKeyError::NoRecipient)));
    let recipients = [identity.to_public().to_string(), secret(&identity)];
    let error = keys.backup_to(&recipients).unwrap_err();
    assert!(matches!(error, LogKeyError::Recipient { position: 2 }));
    assert!(!error.to_string().contains(&secret(&identity)));
    let backup = keys.backup_to(&recipients[..1]).unwrap();
    for wrong in ["", "# nothing\n", "AGE-SECRET-KEY-1NONSENSE", recipients[0].as_str()] {
        let refused = LogKeys::restore(&folder(&place), &backup, wrong);
        assert!(matches!(refused, Err(LogKeyError::Identity)), "{wrong}");
    }
}

#[test]
fn nothing_secret_is_printed() {
    let place = Place::new();
    let keys = create(&place);
    let text = String::from_utf8(keys.export().to_vec()).unwrap();
    let printed = format!("{keys:?}");
    for seed in text.split_whitespace().filter(|word| word.len() == 64) {
        assert!(!printed.contains(seed));
    }
}

#[test]
fn a_vault_opens_beside_the_keys_of_the_log() {
    let mut place = Place::new();
    create(&place);
    place.reopen();
    let again = Vault::create(&place.folder.path().join("data"), &folder(&place));
    assert!(again.is_err(), "it is still a key folder in use");
}
