//! Integration: what a group of jobs appended becomes leaves, in the transaction that commits it.

use std::cell::RefCell;

use tenure_tlog::incremental::{Frontier, TileEdge};
use tenure_tlog::merkle::Node;
use tenure_tlog::tile::{Tile, TileError, TileReader, new_tiles};

use super::{lowest, missing};
use crate::{Digest, LogRead, LogWrite, Seq, StoreError, Stored, TreeHead, Unsound};

/// How many leaves are read at once. A group appends fewer, unless the log is far behind.
const SLICE: usize = 4096;

/// What integrating a group added to the log.
#[derive(Debug)]
pub(crate) struct Growth {
    /// The right edge of the tree as it was.
    pub(crate) before: Frontier,
    /// What the log is once the group is committed.
    pub(crate) head: TreeHead,
    /// Every node that the new leaves complete.
    pub(crate) nodes: Vec<(Node, Digest)>,
    edge: TileEdge,
}

/// Appends statements to the log. There is one for each store, on its writer.
#[derive(Debug)]
pub(crate) struct Sequencer {
    /// The right edge of the tree as it is stored; unknown after anything went wrong, and then read anew.
    edge: Option<TileEdge>,
}

impl Sequencer {
    /// Reads the log's right edge, and refuses one that the statements do not give.
    pub(crate) fn load(tx: &mut dyn LogRead) -> Stored<Self> {
        let head = tx.tree_head()?.ok_or(Unsound::NoHead)?;
        Ok(Self { edge: Some(read_edge(tx, &head)?) })
    }

    /// The right edge of the tree, if nothing went wrong since it was read.
    pub(crate) fn frontier(&self) -> Option<&Frontier> {
        self.edge.as_ref().map(TileEdge::frontier)
    }

    /// Integrates the statements that are not leaves yet; `None` if there are none.
    ///
    /// Whoever calls commits, and then says so with [`Sequencer::committed`]. Otherwise the edge is read anew
    /// the next time, so it never matters whether the commit happened.
    pub(crate) fn integrate(&mut self, tx: &mut dyn LogWrite) -> Stored<Option<Growth>> {
        let stored = tx.tree_head()?.ok_or(Unsound::NoHead)?;
        let known = self.edge.take().filter(|edge| edge.size() == stored.size && edge.root() == stored.root);
        let mut edge = known.map_or_else(|| read_edge(tx, &stored), Ok)?;
        let before = edge.frontier().clone();
        let mut nodes = Vec::new();
        loop {
            let next = i64::try_from(edge.size()).map_err(|_| StoreError::OutOfRange { column: "seq" })?;
            let commitments = tx.commitments(Seq(next), SLICE)?;
            for commitment in &commitments {
                let leaf = tenure_receipts::leaf(commitment);
                let full = edge.append_telling(leaf, |node, hash| nodes.push((node, *hash)));
                for (tile, hashes) in full {
                    tx.put_tile(tile.level(), tile.index(), &hashes)?;
                }
            }
            if commitments.len() < SLICE {
                break;
            }
        }
        if edge.size() == stored.size {
            self.edge = Some(edge);
            return Ok(None);
        }
        put_partial(tx, &edge, stored.size)?;
        let head = TreeHead { size: edge.size(), root: edge.root() };
        if !tx.move_head(&stored, &head)? {
            return Err(Unsound::Moved { size: stored.size }.into());
        }
        Ok(Some(Growth { before, head, nodes, edge }))
    }

    /// Takes over what was integrated, once it is durable.
    pub(crate) fn committed(&mut self, growth: &mut Growth) {
        self.edge = Some(std::mem::take(&mut growth.edge));
    }
}

/// Stores the partial tiles above the lowest level that the growth from `old` leaves has changed.
fn put_partial(tx: &mut dyn LogWrite, edge: &TileEdge, old: u64) -> Stored<()> {
    let changed: Vec<Tile> = new_tiles(old, edge.size()).filter(|tile| tile.level() > 0).collect();
    for (tile, hashes) in edge.partial_tiles() {
        if changed.contains(&tile) {
            tx.put_tile(tile.level(), tile.index(), hashes)?;
        }
    }
    Ok(())
}

/// Reads the right edge, the lowest tile of it from the statements, and checks that it is the head's.
fn read_edge(tx: &mut (impl LogRead + ?Sized), head: &TreeHead) -> Stored<TileEdge> {
    let edge = TileEdge::load(head.size, &Edge(RefCell::new(tx))).map_err(|error| match error {
        TileError::Read(error) => error,
        TileError::Length { tile, .. } => missing(tile),
        _ => Unsound::Root { size: head.size }.into(),
    })?;
    if edge.root() == head.root { Ok(edge) } else { Err(Unsound::Root { size: head.size }.into()) }
}

/// The partial tiles of the log as it is now.
struct Edge<'t, T: ?Sized>(RefCell<&'t mut T>);

impl<T: LogRead + ?Sized> TileReader for Edge<'_, T> {
    type Error = StoreError;

    fn read_tiles(&self, tiles: &[Tile]) -> Result<Vec<Vec<u8>>, StoreError> {
        let mut tx = self.0.borrow_mut();
        let mut read = |tile: &Tile| match tile.level() {
            0 => lowest(&mut **tx, *tile),
            level => Ok(tx.tile(level, tile.index())?.unwrap_or_default()),
        };
        tiles.iter().map(&mut read).collect()
    }
}
