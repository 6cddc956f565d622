//! The examples of `docs/ledger-format.md` are what it says that they are.

use std::collections::BTreeSet;

use tenure_receipts::{Digest, Item, Opening, Receipt, Stated, commit, leaf, root_of};
use tenure_tlog::crypto::verifier;

const PAGE: &str = include_str!("../../../../docs/ledger-format.md");

/// The code blocks of the page.
fn blocks() -> impl Iterator<Item = &'static str> {
    PAGE.split("```").skip(1).step_by(2).filter_map(|block| block.split_once('\n')).map(|(_, block)| block)
}

fn block_with(start: &str) -> &'static str {
    blocks().find(|block| block.starts_with(start)).unwrap()
}

#[test]
fn every_statement_of_the_page_reads_and_no_kind_is_missing() {
    let mut shown = BTreeSet::new();
    for line in block_with(r#"{"at""#).lines() {
        let stated = Stated::read(line.as_bytes()).unwrap();
        assert!(PAGE.contains(&format!("| `{}` |", stated.statement.kind())), "{line}");
        shown.insert(stated.statement.kind());
    }
    assert_eq!(shown, crate::golden::kinds());
}

#[test]
fn the_receipt_of_the_page_verifies_with_its_key() {
    let receipt = Receipt::parse(block_with("c2sp.org/tlog-proof@v1").as_bytes()).unwrap();
    let key = verifier(&block_with("log.example/tenure+").trim_end().parse().unwrap()).unwrap();
    let proven = receipt.verify(&"log.example/tenure".parse().unwrap(), &[&*key]).unwrap();
    assert_eq!((proven.subject.account, proven.index, proven.size), ("alice", 1, 3));
    assert_eq!(receipt.proof().extra, block_with(r#"{"account""#).trim_end().as_bytes());
    let commitment = commit(receipt.opening(), receipt.subject(), receipt.link(), receipt.statement());
    assert!(PAGE.contains(&format!("`{}`", Digest(commitment))));
    assert!(PAGE.contains(&format!("`{}`", Digest(leaf(&commitment)))));
}

#[test]
fn the_item_of_the_page_has_its_root() {
    let item = Item { opening: Opening([9; 32]), record: "c1".to_owned(), class: "content".to_owned() };
    assert!(PAGE.contains(&format!("`{}`", Digest(item.blind()))));
    assert!(PAGE.contains(&format!("`{}`", Digest(root_of(&[item.blind()])))));
}
