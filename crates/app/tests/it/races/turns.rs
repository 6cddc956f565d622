//! Turns: threads that stop before every call of a port until a driver lets one of them go on.

use std::cell::{Cell, RefCell};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What a thread is about to do.
pub(crate) type Step = &'static str;

/// After this long, who neither stops nor ends is taken to wait for a lock of another.
const WAITS: Duration = Duration::from_millis(100);
/// For so long the others are given time to get a lock that may just have been released.
const WAKES: Duration = Duration::from_millis(2);
/// After this long a schedule hangs.
const HANGS: Duration = Duration::from_mins(1);
/// The longest rest of a thread that goes at its own pace, in microseconds.
const REST_MICROS: u64 = 400;

/// How a thread goes through its steps.
enum Pace {
    /// When the driver lets it.
    InTurn(usize, Arc<Turns>),
    /// By itself, with rests that are drawn.
    Resting(Cell<u64>),
}

thread_local! {
    static PACE: RefCell<Option<Pace>> = const { RefCell::new(None) };
}

/// The next number of a sequence.
pub(crate) fn drawn(state: &mut u64) -> u64 {
    // SplitMix64.
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mixed = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// Stops the thread before a step, if it is one of those that are driven. The writer's thread is not: what it does is
/// one step of whoever submitted the job.
pub(crate) fn stop(step: Step) {
    let turns = PACE.with_borrow(|pace| match pace {
        Some(Pace::InTurn(actor, turns)) => Some((*actor, Arc::clone(turns))),
        Some(Pace::Resting(state)) => {
            let mut next = state.get();
            let rest = drawn(&mut next);
            state.set(next);
            if rest.is_multiple_of(3) {
                std::thread::sleep(Duration::from_micros(rest / 3 % REST_MICROS));
            }
            None
        }
        None => None,
    });
    if let Some((actor, turns)) = turns {
        turns.stop(actor, step);
    }
}

/// Lets this thread go at its own pace from now on.
pub(crate) fn rest(seed: u64) {
    PACE.set(Some(Pace::Resting(seed.into())));
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Going,
    Stopped(Step),
    /// It went on and did not come to its next step: another has a lock that it needs.
    Waiting,
    Done,
}

/// Where every thread is.
#[derive(Debug)]
pub(crate) struct Turns {
    places: Mutex<Vec<Place>>,
    moved: Condvar,
}

impl Turns {
    pub(crate) fn of(actors: usize) -> Arc<Self> {
        Arc::new(Self { places: Mutex::new(vec![Place::Going; actors]), moved: Condvar::new() })
    }

    fn places(&self) -> MutexGuard<'_, Vec<Place>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has this thread take its turns from here, until what it does is done.
    pub(crate) fn take<T>(self: &Arc<Self>, actor: usize, act: impl FnOnce() -> T) -> T {
        /// Says that the thread is done, also when it panics.
        struct End<'a>(&'a Turns, usize);
        impl Drop for End<'_> {
            fn drop(&mut self) {
                self.0.places()[self.1] = Place::Done;
                self.0.moved.notify_all();
            }
        }
        PACE.set(Some(Pace::InTurn(actor, Arc::clone(self))));
        let _end = End(self, actor);
        stop("begin");
        act()
    }

    fn stop(&self, actor: usize, step: Step) {
        let mut places = self.places();
        places[actor] = Place::Stopped(step);
        self.moved.notify_all();
        while places[actor] != Place::Going {
            places = self.moved.wait(places).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Who can go on, once everybody stands still or waits for a lock; nobody if all are done.
    pub(crate) fn standing(&self) -> Vec<(usize, Step)> {
        let since = Instant::now();
        let mut places = self.places();
        loop {
            let stopped = |(actor, place): (usize, &Place)| match place {
                Place::Stopped(step) => Some((actor, *step)),
                _ => None,
            };
            let standing: Vec<_> = places.iter().enumerate().filter_map(stopped).collect();
            let (goes, waits) = (places.contains(&Place::Going), places.contains(&Place::Waiting));
            let woken = !waits || (!standing.is_empty() && since.elapsed() > WAKES);
            if !goes && woken {
                return standing;
            }
            if goes && !standing.is_empty() && since.elapsed() > WAITS {
                places
                    .iter_mut()
                    .filter(|place| **place == Place::Going)
                    .for_each(|place| *place = Place::Waiting);
                return standing;
            }
            assert!(since.elapsed() < HANGS, "the threads wait for each other: {places:?}");
            let pause = if goes { WAITS } else { WAKES };
            places = self.moved.wait_timeout(places, pause).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Lets one go on to its next step.
    pub(crate) fn let_go(&self, actor: usize) {
        self.places()[actor] = Place::Going;
        self.moved.notify_all();
    }
}
