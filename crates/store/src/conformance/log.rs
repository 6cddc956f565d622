//! The log: its head, its tiles and its proofs, beside a tree that is kept in memory.

use super::{Instance, Outcome, sample};
use crate::log::Tiles;
use crate::{NewStatement, Seq, Store, StoreError, StoreExt, TreeHead};
use std::collections::BTreeMap;
use tenure_tlog::incremental::TileEdge;
use tenure_tlog::merkle::prove_consistency;
use tenure_tlog::tile::{Tile, TileHashReader, new_tiles};
use tenure_tlog::{Hash, root, verify_consistency, verify_inclusion};

/// Around a full tile, and several tiles at once.
const GROUPS: [u64; 5] = [1, 255, 256, 257, 600];

/// The statement of a leaf; no two leaves are the same.
fn statement(leaf: u64) -> NewStatement {
    let mut commitment = [0xa5; 32];
    commitment.iter_mut().zip(leaf.to_be_bytes()).for_each(|(to, from)| *to = from);
    NewStatement { commitment, ..sample::statement(None, 0, "policy") }
}

/// What the log is to be: the leaves of a tree, its edge, and the heads that it had on the way.
#[derive(Default)]
struct Model {
    leaves: Vec<Hash>,
    edge: TileEdge,
    full: BTreeMap<(u8, u64), Vec<u8>>,
    heads: Vec<TreeHead>,
}

impl Model {
    fn size(&self) -> u64 {
        self.edge.size()
    }

    fn head(&self) -> TreeHead {
        TreeHead { size: self.size(), root: self.edge.root() }
    }

    fn grow(&mut self, leaves: impl IntoIterator<Item = NewStatement>) {
        for statement in leaves {
            let leaf = tenure_receipts::leaf(&statement.commitment);
            self.leaves.push(leaf);
            let full = self.edge.append(leaf);
            self.full.extend(full.into_iter().map(|(tile, hashes)| ((tile.level(), tile.index()), hashes)));
        }
        self.heads.push(self.head());
    }

    /// Appends so many statements to the store in one job, and to the model.
    fn append(&mut self, store: &dyn Store, statements: u64) -> Outcome {
        let group = self.size()..self.size() + statements;
        let appended = group.clone();
        store.write(move |tx| -> Outcome {
            for leaf in appended {
                let seq = tx.append_statement(&statement(leaf))?;
                assert_eq!(u64::try_from(seq.0), Ok(leaf));
            }
            Ok(())
        })?;
        self.grow(group.map(statement));
        Ok(())
    }

    /// That the store says of its head what it is.
    fn check_head(&self, store: &dyn Store) -> Outcome {
        assert_eq!(store.head(), self.head());
        assert_eq!(store.read(|tx| tx.tree_head())?, Some(self.head()));
        Ok(())
    }

    /// That a leaf's path leads to each head that the log had since the leaf came.
    fn check_paths(&self, store: &dyn Store, leaves: impl IntoIterator<Item = u64>) -> Outcome {
        for leaf in leaves {
            let Some((at, hash)) = place(leaf).zip(self.leaf(leaf)) else { continue };
            for head in self.heads.iter().filter(|head| head.size > leaf) {
                let path = store.prove_inclusion(at, head.size)?;
                assert!(verify_inclusion(leaf, head.size, &hash, &path, &head.root), "{leaf} in {head:?}");
                // From the tiles too, whatever is kept at hand.
                let read = store.read(|tx| Tiles::new(tx).prove_inclusion(at, head.size))?;
                assert_eq!(read, path, "{leaf} in {head:?}");
            }
        }
        Ok(())
    }

    /// That every tile is there, and nothing beyond the tree.
    fn check_tiles(&self, store: &dyn Store) -> Outcome {
        let partial: BTreeMap<Tile, Vec<u8>> =
            self.edge.partial_tiles().map(|(tile, hashes)| (tile, hashes.to_vec())).collect();
        store.read(|tx| {
            for tile in new_tiles(0, self.size()) {
                let known = self.full.get(&(tile.level(), tile.index())).or_else(|| partial.get(&tile));
                assert_eq!(Tiles::new(tx).tile(tile)?.as_ref(), known, "{tile}");
                let stored = tx.tile(tile.level(), tile.index())?;
                // The statements give the lowest partial tile, so that it need not be written at each commit.
                assert!(stored.as_ref() == known || (tile.level() == 0 && !tile.is_full()), "{tile}");
                if let Some(wider) = Tile::new(tile.level(), tile.index(), tile.width() + 1) {
                    assert_eq!(Tiles::new(tx).tile(wider)?, None, "{wider} of {} leaves", self.size());
                }
            }
            Ok(())
        })
    }

    /// That each head the log had is a beginning of what it is now.
    fn check_consistency(&self, store: &dyn Store) -> Outcome {
        store.read(|tx| {
            let (tiles, now) = (Tiles::new(tx), self.head());
            for old in &self.heads {
                let proof = prove_consistency(old.size, now.size, &TileHashReader::new(now.size, &tiles));
                let holds =
                    |proof: Vec<Hash>| verify_consistency(old.size, now.size, &proof, &old.root, &now.root);
                assert!(proof.is_ok_and(holds), "{old:?} in {now:?}");
            }
            Ok(())
        })
    }

    fn leaf(&self, leaf: u64) -> Option<Hash> {
        self.leaves.get(usize::try_from(leaf).ok()?).copied()
    }

    fn check(&self, store: &dyn Store) -> Outcome {
        self.check_head(store)?;
        self.check_tiles(store)?;
        self.check_consistency(store)?;
        let size = self.size();
        let leaves = [0, 1, size / 3, size / 2, 254, 255, 256, 65_535, 65_536].into_iter();
        self.check_paths(store, leaves.chain(size.saturating_sub(3)..size))
    }
}

fn place(leaf: u64) -> Option<Seq> {
    i64::try_from(leaf).ok().map(Seq)
}

pub(super) fn a_log_without_statements_has_the_root_of_no_leaves(instance: &Instance) -> Outcome {
    let nothing = TreeHead { size: 0, root: root(&[]) };
    assert_eq!(instance.store.head(), nothing);
    // What is no statement does not move it.
    instance.store.write(|tx| tx.set_meta("a", "1"))?;
    assert_eq!((instance.store.head(), instance.store.read(|tx| tx.tree_head())?), (nothing, Some(nothing)));
    assert!(instance.store.prove_inclusion(Seq(0), 0).is_err());
    Ok(())
}

pub(super) fn the_head_is_that_of_the_statements_whatever_a_group_appends(instance: &Instance) -> Outcome {
    let mut model = Model::default();
    for group in GROUPS {
        model.append(&*instance.store, group)?;
        model.check_head(&*instance.store)?;
        // By the definition, from all leaves.
        assert_eq!(instance.store.head().root, root(&model.leaves));
        assert_eq!(instance.store.read(|tx| tx.statement_count())?, model.size());
    }
    Ok(())
}

pub(super) fn tiles_and_proofs_are_those_of_the_tree_also_after_a_power_loss(instance: &Instance) -> Outcome {
    let mut model = Model::default();
    for group in GROUPS {
        model.append(&*instance.store, group)?;
        model.check(&*instance.store)?;
        // Nothing is at hand there: all of it comes from tiles and statements.
        model.check(&*(instance.after_power_loss)())?;
    }
    // What was opened after a power loss goes on with the same tree.
    let later = (instance.after_power_loss)();
    model.append(&*later, 300)?;
    model.check(&*later)
}

pub(super) fn a_log_of_three_levels_of_tiles_has_the_tree_of_its_statements(instance: &Instance) -> Outcome {
    let mut model = Model::default();
    // The second job makes the first tile of the second level full, and starts the next ones on all three.
    for group in [65_300, 4_700] {
        model.append(&*instance.store, group)?;
    }
    assert_eq!(instance.store.head().root, root(&model.leaves));
    model.check(&*instance.store)?;
    model.check(&*(instance.after_power_loss)())
}

pub(super) fn a_job_that_is_rolled_back_leaves_no_leaf(instance: &Instance) -> Outcome {
    let (store, mut model) = (&instance.store, Model::default());
    model.append(&**store, 255)?;
    let append = |leaf: u64| move |tx: &mut dyn crate::Tx| tx.append_statement(&statement(leaf)).map(drop);
    let before = store.write_later(append(255))?;
    let refused = store.write_later(move |tx| -> Outcome {
        append(1_000)(tx)?;
        append(1_001)(tx)?;
        Err(StoreError::Aborted)
    })?;
    let panicking = store.write_later(move |tx| -> Outcome {
        append(1_002)(tx)?;
        std::panic::resume_unwind(Box::new("on purpose"))
    })?;
    let after = store.write_later(append(256))?;
    before.wait()?;
    assert_eq!(refused.wait(), Err(StoreError::Aborted));
    assert_eq!(panicking.wait(), Err(StoreError::Panicked));
    after.wait()?;
    model.grow([statement(255), statement(256)]);
    model.check(&**store)?;
    model.check(&*(instance.after_power_loss)())
}

pub(super) fn what_is_not_in_the_tree_has_no_proof(instance: &Instance) -> Outcome {
    let mut model = Model::default();
    model.append(&*instance.store, 300)?;
    for (leaf, size) in [(300, 300), (5, 5), (0, 301), (400, 500), (0, 0), (-1, 300)] {
        let proof = instance.store.prove_inclusion(Seq(leaf), size);
        assert!(proof.is_err(), "leaf {leaf} in a tree of {size}");
    }
    Ok(())
}

pub(super) fn sixteen_threads_append_and_each_answer_is_in_the_head(instance: &Instance) -> Outcome {
    let store = &*instance.store;
    let outcomes: Vec<Outcome> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..16_u64)
            .map(|thread| {
                scope.spawn(move || -> Outcome {
                    for number in 0..40 {
                        let new = statement(thread << 32 | number);
                        let leaf = tenure_receipts::leaf(&new.commitment);
                        let seq = store.write(move |tx| tx.append_statement(&new))?;
                        // Whoever hears of a commit finds its leaf in the head at once.
                        let head = store.head();
                        let index = u64::try_from(seq.0).unwrap_or(u64::MAX);
                        let path = store.prove_inclusion(seq, head.size)?;
                        assert!(verify_inclusion(index, head.size, &leaf, &path, &head.root), "leaf {index}");
                    }
                    Ok(())
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap_or(Err(StoreError::Panicked))).collect()
    });
    outcomes.into_iter().collect::<Outcome>()?;
    let commitments = store.read(|tx| tx.commitments(Seq(0), 1_000))?;
    let leaves: Vec<Hash> = commitments.iter().map(tenure_receipts::leaf).collect();
    assert_eq!(store.head(), TreeHead { size: 640, root: root(&leaves) });
    Ok(())
}
