//! Places for connections: there are so many, and when all are taken whoever has been idle the longest gives way.
//!
//! An idle connection costs a little memory and nothing else, so many may stay. What they may not do is keep
//! others out: a client that opens thousands and sends nothing loses one of them for each that somebody needs.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::followed::Follow;

const BUSY: u64 = 0;
const GONE: u64 = u64::MAX;
/// How long whoever was told to leave is waited for before another is told: a request may have begun meanwhile.
const LEAVING: Duration = Duration::from_secs(1);

/// All places of a listener.
#[derive(Debug)]
pub(crate) struct Seats {
    free: Arc<Semaphore>,
    idle: Mutex<Idle>,
    /// Tells whoever waits for a place that another connection became idle.
    became_idle: Notify,
}

/// The connections on which no request is under way, the longest idle first.
#[derive(Debug, Default)]
struct Idle {
    turn: u64,
    order: BTreeMap<u64, Arc<Sitter>>,
}

/// Whoever has a place.
#[derive(Debug, Default)]
pub(crate) struct Sitter {
    /// Its turn to give way; [`BUSY`] while a request is under way, [`GONE`] once it has no place any more.
    turn: AtomicU64,
    /// Whether the head of a request has begun to arrive.
    in_head: AtomicBool,
    /// Whether the request that is under way has arrived whole, so that it is for us to go on.
    is_whole: AtomicBool,
    leave: Notify,
}

impl Sitter {
    /// Whether a request is under way.
    pub(crate) fn is_busy(&self) -> bool {
        self.turn.load(Ordering::Acquire) == BUSY
    }

    /// Whether somebody would lose something if the connection ended now.
    pub(crate) fn is_needed(&self) -> bool {
        self.is_busy() || self.in_head.load(Ordering::Acquire)
    }

    pub(crate) fn set_in_head(&self, in_head: bool) {
        self.in_head.store(in_head, Ordering::Release);
    }

    /// Whether all of the request that is under way has arrived: nothing can be expected of its sender then.
    pub(crate) fn is_whole(&self) -> bool {
        self.is_whole.load(Ordering::Acquire)
    }

    /// Waits until somebody else needs the place.
    pub(crate) async fn told_to_leave(&self) {
        self.leave.notified().await;
    }
}

/// A place, for as long as this is kept.
#[derive(Debug)]
pub(crate) struct Seat {
    seats: Arc<Seats>,
    sitter: Arc<Sitter>,
    _place: OwnedSemaphorePermit,
}

/// A request that is under way on a connection.
#[derive(Debug)]
pub(crate) struct Busy {
    seats: Arc<Seats>,
    sitter: Arc<Sitter>,
}

impl Seats {
    pub(crate) fn new(count: usize) -> Arc<Self> {
        let free = Arc::new(Semaphore::new(count.clamp(1, Semaphore::MAX_PERMITS)));
        Arc::new(Self { free, idle: Mutex::default(), became_idle: Notify::new() })
    }

    /// A place. If none is free, whoever has been idle the longest is told to leave; if nobody is idle, this waits.
    pub(crate) async fn take(self: &Arc<Self>) -> Option<Seat> {
        let place = match Arc::clone(&self.free).try_acquire_owned() {
            Ok(place) => place,
            Err(_) => self.wait().await?,
        };
        let sitter = Arc::new(Sitter::default());
        self.sit_idle(&sitter);
        Some(Seat { seats: Arc::clone(self), sitter, _place: place })
    }

    async fn wait(&self) -> Option<OwnedSemaphorePermit> {
        let mut free = std::pin::pin!(Arc::clone(&self.free).acquire_owned());
        loop {
            if self.send_one_away() {
                if let Ok(place) = timeout(LEAVING, &mut free).await {
                    return place.ok();
                }
            } else {
                tokio::select! {
                    place = &mut free => return place.ok(),
                    () = self.became_idle.notified() => {}
                }
            }
        }
    }

    fn send_one_away(&self) -> bool {
        let mut idle = self.lock();
        let Some((_, longest)) = idle.order.pop_first() else { return false };
        longest.leave.notify_one();
        true
    }

    fn sit_idle(&self, sitter: &Arc<Sitter>) {
        let mut idle = self.lock();
        if sitter.turn.load(Ordering::Acquire) == GONE {
            return;
        }
        idle.turn += 1;
        let turn = idle.turn;
        sitter.turn.store(turn, Ordering::Release);
        idle.order.insert(turn, Arc::clone(sitter));
        drop(idle);
        self.became_idle.notify_one();
    }

    fn no_longer_idle(&self, sitter: &Sitter, becomes: u64) {
        let mut idle = self.lock();
        let turn = sitter.turn.swap(becomes, Ordering::AcqRel);
        idle.order.remove(&turn);
    }

    /// Nothing that is done while this is held can panic halfway.
    fn lock(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    pub(crate) const fn sitter(&self) -> &Arc<Sitter> {
        &self.sitter
    }

    /// Says that a request is under way, until what it gives is dropped.
    pub(crate) fn busy(&self) -> Busy {
        self.seats.no_longer_idle(&self.sitter, BUSY);
        self.sitter.set_in_head(false);
        self.sitter.is_whole.store(false, Ordering::Release);
        Busy { seats: Arc::clone(&self.seats), sitter: Arc::clone(&self.sitter) }
    }
}

/// Follows the body of a request to its end.
pub(crate) struct Arriving(pub(crate) Arc<Sitter>);

impl Follow for Arriving {
    fn ended(&mut self) {
        self.0.is_whole.store(true, Ordering::Release);
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.seats.no_longer_idle(&self.sitter, GONE);
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.seats.sit_idle(&self.sitter);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_millis(50);

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap()
    }

    #[test]
    fn whoever_has_been_idle_the_longest_gives_way() {
        runtime().block_on(async {
            let seats = Seats::new(2);
            let first = seats.take().await.unwrap();
            let second = seats.take().await.unwrap();
            // The first asks for something, and is idle for a shorter time from then on.
            drop(first.busy());
            let third = tokio::spawn({
                let seats = Arc::clone(&seats);
                async move { seats.take().await }
            });
            timeout(SOON, second.sitter().told_to_leave()).await.unwrap();
            assert!(timeout(SOON, first.sitter().told_to_leave()).await.is_err());
            drop(second);
            assert!(third.await.unwrap().is_some());
        });
    }

    #[test]
    fn where_one_does_not_leave_after_all_the_next_is_told() {
        runtime().block_on(async {
            let seats = Seats::new(2);
            let first = seats.take().await.unwrap();
            let second = seats.take().await.unwrap();
            let third = tokio::spawn({
                let seats = Arc::clone(&seats);
                async move { seats.take().await }
            });
            timeout(SOON, first.sitter().told_to_leave()).await.unwrap();
            let _busy = first.busy();
            timeout(LEAVING * 10, second.sitter().told_to_leave()).await.unwrap();
            drop(second);
            assert!(third.await.unwrap().is_some());
        });
    }

    #[test]
    fn nobody_leaves_while_a_request_is_under_way() {
        runtime().block_on(async {
            let seats = Seats::new(1);
            let only = seats.take().await.unwrap();
            let busy = only.busy();
            let next = tokio::spawn({
                let seats = Arc::clone(&seats);
                async move { seats.take().await }
            });
            assert!(timeout(SOON, only.sitter().told_to_leave()).await.is_err());
            assert!(only.sitter().is_needed());
            drop(busy);
            timeout(SOON, only.sitter().told_to_leave()).await.unwrap();
            drop(only);
            assert!(next.await.unwrap().is_some());
        });
    }
}
