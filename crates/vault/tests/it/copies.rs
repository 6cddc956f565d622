//! A copy opens with both its keys and all its names, and dies with its page.

use tenure_vault::{AccountName, BodyKey, CopyName, OpenError, SegmentName, Tree, Vault, Wrap};

use crate::Place;

const COPY: CopyName<'static> =
    CopyName { organisation: Some("organisation"), account: "account", record: "record", class: "history" };
const SEGMENT: SegmentName<'static> =
    SegmentName { organisation: None, account: "account", record: "record", number: 0 };

/// Whether two keys are the same, seen by whether one opens what the other sealed.
fn same(vault: &Vault, one: &BodyKey, other: &BodyKey) -> bool {
    let mut writer = vault.pack_writer().unwrap();
    let place = writer.add(one, &SEGMENT, b"text").unwrap();
    vault.finish(writer).unwrap();
    vault.read(&place, other, &SEGMENT).is_ok_and(|text| text == b"text")
}

#[test]
pub(crate) fn a_copy_opens_with_its_account_and_its_page() {
    let place = Place::new();
    let vault = place.vault();
    let (account, page) = (place.account(), place.page(Tree::Ordinary));
    let key = vault.body_key().unwrap();
    let wrap = vault.wrap(&COPY, &account, page, &key).unwrap();
    let opened = vault.unwrap(&COPY, &account, page, &wrap).unwrap();
    assert!(same(vault, &key, &opened));
    assert!(!same(vault, &key, &vault.body_key().unwrap()));
}

#[test]
pub(crate) fn a_copy_opens_neither_with_another_account_nor_with_another_page() {
    let place = Place::new();
    let vault = place.vault();
    let (account, page) = (place.account(), place.page(Tree::Ordinary));
    let wrap = vault.wrap(&COPY, &account, page, &vault.body_key().unwrap()).unwrap();
    let other_account = vault.unwrap(&COPY, &place.account(), page, &wrap);
    assert!(matches!(other_account, Err(OpenError::Refused)));
    let other_page = vault.unwrap(&COPY, &account, place.page(Tree::Ordinary), &wrap);
    assert!(matches!(other_page, Err(OpenError::Refused)));
}

#[test]
pub(crate) fn a_copy_opens_under_no_name_but_its_own() {
    let place = Place::new();
    let vault = place.vault();
    let (account, page) = (place.account(), place.page(Tree::Ordinary));
    let wrap = vault.wrap(&COPY, &account, page, &vault.body_key().unwrap()).unwrap();
    let others = [
        CopyName { organisation: Some("other"), ..COPY },
        CopyName { organisation: None, ..COPY },
        CopyName { account: "other", ..COPY },
        CopyName { record: "other", ..COPY },
        CopyName { class: "training_copy", ..COPY },
        CopyName { account: "accountr", record: "ecord", ..COPY },
    ];
    for other in others {
        let opened = vault.unwrap(&other, &account, page, &wrap);
        assert!(matches!(opened, Err(OpenError::Refused)), "{other:?}");
    }
}

#[test]
pub(crate) fn altered_wraps_are_refused() {
    let place = Place::new();
    let vault = place.vault();
    let (account, page) = (place.account(), place.page(Tree::Ordinary));
    let wrap = vault.wrap(&COPY, &account, page, &vault.body_key().unwrap()).unwrap();
    for byte in 0..Wrap::LEN {
        let mut altered = wrap.as_bytes().to_vec();
        altered[byte] ^= 0x80;
        let altered = Wrap::try_from(&altered[..]).unwrap();
        assert!(vault.unwrap(&COPY, &account, page, &altered).is_err(), "byte {byte}");
    }
    Wrap::try_from(&wrap.as_bytes()[1..]).unwrap_err();
}

#[test]
pub(crate) fn a_destroyed_page_takes_its_copies_with_it_and_no_others() {
    let mut place = Place::new();
    let account = place.account();
    let pages = place.vault().pages().create(Tree::Ordinary, 2).unwrap();
    let key = place.vault().body_key().unwrap();
    let wraps = [0, 1].map(|i| place.vault().wrap(&COPY, &account, pages[i], &key).unwrap());
    place.vault().pages().destroy(&pages[..1]).unwrap();
    for _ in 0..2 {
        let vault = place.vault();
        let gone = vault.unwrap(&COPY, &account, pages[0], &wraps[0]);
        assert!(matches!(gone, Err(OpenError::Destroyed(page)) if page == pages[0]));
        vault.unwrap(&COPY, &account, pages[1], &wraps[1]).unwrap();
        assert_eq!(vault.verify_pages_absent(&pages).unwrap(), [true, false]);
        vault.pages().destroy(&pages[..1]).unwrap();
        place.reopen();
    }
}

#[test]
pub(crate) fn a_person_who_leaves_takes_every_copy_along_but_not_the_proof() {
    let mut place = Place::new();
    let name = AccountName { organisation: None, account: "account" };
    let (of_accounts, of_proofs) = (place.page(Tree::Account), place.page(Tree::Proof));
    let account = place.account();
    let proof = place.vault().proof_key().unwrap();
    let account_wrap = place.vault().wrap_account(&name, of_accounts, &account).unwrap();
    let proof_wrap = place.vault().wrap_proof(&name, of_proofs, &proof).unwrap();
    let sealed = proof.seal(&[b"decision", b"1"], b"off").unwrap();

    let read = place.vault().unwrap_account(&name, of_accounts, &account_wrap).unwrap();
    let page = place.page(Tree::Ordinary);
    let wrap = place.vault().wrap(&COPY, &account, page, &place.vault().body_key().unwrap()).unwrap();
    place.vault().unwrap(&COPY, &read, page, &wrap).unwrap();

    place.vault().pages().destroy(&[of_accounts]).unwrap();
    place.reopen();
    let gone = place.vault().unwrap_account(&name, of_accounts, &account_wrap);
    assert!(matches!(gone, Err(OpenError::Destroyed(_))));
    let proof = place.vault().unwrap_proof(&name, of_proofs, &proof_wrap).unwrap();
    assert_eq!(proof.open(&[b"decision", b"1"], &sealed).unwrap(), b"off");
    let other = AccountName { organisation: Some(""), account: "account" };
    let refused = place.vault().unwrap_proof(&other, of_proofs, &proof_wrap);
    assert!(matches!(refused, Err(OpenError::Refused)));
}

#[test]
pub(crate) fn nothing_is_wrapped_under_a_page_of_another_tree() {
    let place = Place::new();
    let vault = place.vault();
    let name = AccountName { organisation: None, account: "account" };
    let account = place.account();
    for tree in [Tree::Ordinary, Tree::Held, Tree::Flagged, Tree::Feedback] {
        let page = place.page(tree);
        vault.wrapper(&account, page).unwrap();
        assert_eq!(vault.wrap_account(&name, page, &account).unwrap_err(), OpenError::WrongTree(page));
    }
    for tree in [Tree::Account, Tree::Proof] {
        let page = place.page(tree);
        assert_eq!(vault.wrapper(&account, page).unwrap_err(), OpenError::WrongTree(page));
    }
    let page = place.page(Tree::Account);
    let proof = vault.proof_key().unwrap();
    assert_eq!(vault.wrap_proof(&name, page, &proof).unwrap_err(), OpenError::WrongTree(page));
}
