//! Copying the WAL back into the database beside the writer, so that nobody who writes waits for all of it.
//!
//! A thread with a connection of its own copies what has gathered, while the writer goes on; the writer copies the few
//! pages that came meanwhile, after which SQLite begins the WAL anew. What fails is tried again later: until then the
//! WAL grows, and nothing is lost.

use super::failure::failed;
use super::open;
use crate::{StoreError, Stored};
use rusqlite::Connection;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

/// After how many more pages the WAL is copied back: 16 MiB.
const PAGES: i32 = 4_096;
/// With how many pages it is to begin anew, which keeps it bounded: 64 MiB. The writer has to wait for the disk then,
/// so it is not done more often.
const PAGES_MOST: i32 = 4 * PAGES;
/// How many pages are few enough for the writer to copy.
const FEW: i32 = 64;
const PASSES: usize = 8;

/// Watches the WAL of the writer's connection.
#[derive(Debug)]
pub(super) struct Checkpoints {
    /// How many pages the WAL has, as of the last commit.
    pages: Arc<AtomicI32>,
    before: i32,
    /// With how many pages it is copied back next.
    next: i32,
    /// Whether the thread has copied what there was when it was asked.
    copied: Arc<AtomicBool>,
    /// Taken when the store is closed, which ends the thread.
    ask: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpoints {
    /// Takes over what the connection would do by itself within a commit.
    pub(super) fn beside(writer: &mut Connection, path: &Path) -> Stored<Self> {
        let (pages, copied) = (Arc::new(AtomicI32::new(0)), Arc::new(AtomicBool::new(false)));
        let seen = Arc::clone(&pages);
        let hook = move |_: &mut _, pages| {
            seen.store(pages, Ordering::Relaxed);
            Ok(())
        };
        writer.wal_hook(Some(hook)).map_err(failed("watch the WAL"))?;
        let connection = open::for_reading(path)?;
        let (ask, asked) = sync_channel(1);
        let done = Arc::clone(&copied);
        let thread = std::thread::Builder::new()
            .name("tenure-checkpoint".to_owned())
            .spawn(move || serve(&connection, &asked, &done))
            .map_err(|error| StoreError::Engine {
                operation: "start the thread that copies the WAL back",
                reason: error.to_string(),
            })?;
        Ok(Self { pages, before: 0, next: PAGES, copied, ask: Some(ask), thread: Some(thread) })
    }

    /// Looks at the WAL after a commit, and has it copied back if there is enough of it.
    pub(super) fn after_commit(&mut self, writer: &Connection) {
        let pages = self.pages.load(Ordering::Relaxed);
        if pages < self.before {
            // It was begun anew.
            self.next = PAGES;
        }
        self.before = pages;
        if pages < self.next {
            return;
        }
        if self.copied.swap(false, Ordering::AcqRel) {
            if pages >= PAGES_MOST {
                // Whether it begins anew then is up to those who read.
                checkpoint(writer).ok();
            }
            self.next = pages.saturating_add(PAGES);
        } else if let Some(ask) = &self.ask {
            // If it was asked already, that is enough.
            ask.try_send(()).ok();
        }
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        drop(self.ask.take());
        if let Some(thread) = self.thread.take() {
            // Whether or not it ended well, nothing is lost.
            drop(thread.join());
        }
    }
}

fn serve(connection: &Connection, asked: &Receiver<()>, copied: &AtomicBool) {
    while asked.recv().is_ok() {
        beside_the_writer(connection);
        copied.store(true, Ordering::Release);
    }
}

/// Copies nearly all of the WAL while the writer goes on: each pass copies what came during the one before, so that in
/// the end little is left.
pub(super) fn beside_the_writer(connection: &Connection) {
    let mut before = 0;
    for _ in 0..PASSES {
        let all = checkpoint(connection).unwrap_or(before);
        if all.saturating_sub(before) < FEW {
            return;
        }
        before = all;
    }
}

/// Copies what can be copied without waiting for anyone, and says how many of the WAL's pages are copied.
fn checkpoint(connection: &Connection) -> rusqlite::Result<i32> {
    connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| row.get(2))
}
