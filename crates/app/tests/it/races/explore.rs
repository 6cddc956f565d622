//! Schedules: every one with few preemptions, and some that are drawn.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::thread;

use tenure_app::Error;

use super::stage::{Ground, Stage};
use super::turns::{Step, Turns, drawn, rest};

/// What one thread does.
pub(crate) type Act = Box<dyn FnOnce() -> Result<(), Error> + Send>;

/// What came of a schedule.
#[derive(Debug, Default)]
pub(crate) struct Played {
    /// Who did what, in order.
    pub(crate) steps: Vec<(usize, Step)>,
    /// How each thread ended.
    pub(crate) ended: Vec<Result<(), Error>>,
    /// Who could have gone on at each step.
    options: Vec<Vec<usize>>,
}

impl Played {
    fn schedule(&self) -> String {
        let runs = self.steps.chunk_by(|one, next| one.0 == next.0);
        let say = |run: &[(usize, Step)]| match run {
            [(actor, _), ..] => {
                format!("{actor}: {}", run.iter().map(|(_, step)| *step).collect::<Vec<_>>().join(", "))
            }
            [] => String::new(),
        };
        runs.map(say).collect::<Vec<_>>().join("\n  ")
    }

    /// How often somebody was stopped who could have gone on, up to a step.
    fn preemptions(&self, up_to: usize) -> usize {
        (1..up_to)
            .filter(|step| {
                let (before, now) = (self.steps[step - 1].0, self.steps[*step].0);
                before != now && self.options[*step].contains(&before)
            })
            .count()
    }
}

/// Plays one schedule: at each step, one of those who can go on is chosen.
fn play(acts: Vec<Act>, mut choose: impl FnMut(&[usize], Option<usize>, usize) -> usize) -> Played {
    let turns = Turns::of(acts.len());
    let mut played = Played::default();
    let ended = Arc::new(Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for (actor, act) in acts.into_iter().enumerate() {
            let (turns, ended) = (&turns, Arc::clone(&ended));
            scope.spawn(move || {
                let end = turns.take(actor, act);
                ended.lock().unwrap().push((actor, end));
            });
        }
        loop {
            let standing = turns.standing();
            let options: Vec<usize> = standing.iter().map(|(actor, _)| *actor).collect();
            if options.is_empty() {
                return;
            }
            let last = played.steps.last().map(|(actor, _)| *actor).filter(|last| options.contains(last));
            let chosen = choose(&options, last, played.steps.len());
            let step = standing.iter().find(|(actor, _)| *actor == chosen).map_or("", |(_, step)| *step);
            played.steps.push((chosen, step));
            played.options.push(options);
            turns.let_go(chosen);
        }
    });
    let mut ended = std::mem::take(&mut *ended.lock().unwrap());
    ended.sort_by_key(|(actor, _)| *actor);
    played.ended = ended.into_iter().map(|(_, end)| end).collect();
    played
}

/// Use cases that meet.
pub(crate) struct Race<'a> {
    /// Where they meet.
    pub(crate) ground: &'a Ground,
    /// What they do.
    pub(crate) acts: &'a (dyn Fn(&Stage) -> Vec<Act> + Sync),
    /// What must hold afterwards, whatever the schedule was.
    pub(crate) check: &'a (dyn Fn(&Stage, &Played) + Sync),
}

/// How many schedules were played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) exhaustive: usize,
    pub(crate) drawn: usize,
}

impl Race<'_> {
    fn once(&self, which: &str, choose: impl FnMut(&[usize], Option<usize>, usize) -> usize) -> Played {
        let stage = self.ground.stage();
        let played = play((self.acts)(&stage), choose);
        let checked = catch_unwind(AssertUnwindSafe(|| {
            let wrong = stage.watch.wrong();
            assert!(wrong.is_empty(), "{wrong:?}");
            (self.check)(&stage, &played);
            let wrong = stage.watch.wrong();
            assert!(wrong.is_empty(), "{wrong:?}");
        }));
        if let Err(panicked) = checked {
            let text = panicked.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panicked.downcast_ref::<&str>().copied()).unwrap_or("it panicked");
            panic!("{text}\nin {which}, which ended {:?}:\n  {}", played.ended, played.schedule());
        }
        played
    }

    /// Plays every schedule with at most so many preemptions: a thread that could go on has to wait that often.
    fn bounded(&self, preemptions: usize) -> usize {
        let mut pending: Vec<Vec<usize>> = vec![Vec::new()];
        let mut count = 0;
        while let Some(prefix) = pending.pop() {
            let played = self.once("a bounded schedule", |options, last, step| {
                let forced = prefix.get(step).copied().filter(|actor| options.contains(actor));
                forced.or(last).unwrap_or(options[0])
            });
            count += 1;
            for step in prefix.len()..played.steps.len() {
                let chosen = played.steps[step].0;
                let before = step.checked_sub(1).map(|before| played.steps[before].0);
                for other in played.options[step].iter().filter(|other| **other != chosen) {
                    let preempts =
                        before.is_some_and(|last| last != *other && played.options[step].contains(&last));
                    if played.preemptions(step) + usize::from(preempts) <= preemptions {
                        let forced = played.steps[..step].iter().map(|(actor, _)| *actor);
                        pending.push(forced.chain([*other]).collect());
                    }
                }
            }
        }
        count
    }

    /// Plays schedules in which each step is drawn. `TENURE_RACES=SEED:COUNT` draws others.
    fn drawn(&self, count: usize) -> usize {
        let asked = std::env::var("TENURE_RACES").ok();
        let asked = asked.as_deref().and_then(|asked| asked.split_once(':'));
        let (seed, count) = asked
            .and_then(|(seed, count)| Some((seed.parse().ok()?, count.parse().ok()?)))
            .unwrap_or((1, count));
        for round in 0..count {
            let seed = seed + round as u64;
            let mut state = seed;
            self.once(&format!("the schedule of seed {seed}"), |options, _, _| {
                options[usize::try_from(drawn(&mut state) % options.len() as u64).unwrap()]
            });
        }
        count
    }

    /// Plays the race in every schedule with one preemption, and in some that are drawn.
    pub(crate) fn explore(&self, drawn: usize) -> Count {
        self.explore_bounded(1, drawn)
    }

    pub(crate) fn explore_bounded(&self, preemptions: usize, drawn: usize) -> Count {
        Count { exhaustive: self.bounded(preemptions), drawn: self.drawn(drawn) }
    }

    /// Lets threads run into each other at their own pace, with rests that are drawn.
    pub(crate) fn run_into(&self, rounds: u64) {
        for round in 0..rounds {
            let stage = self.ground.stage();
            let acts = (self.acts)(&stage);
            let ended = thread::scope(|scope| {
                let threads: Vec<_> = (0..)
                    .zip(acts)
                    .map(|(actor, act)| {
                        scope.spawn(move || {
                            rest(round * 64 + actor);
                            act()
                        })
                    })
                    .collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            let played = Played { ended, ..Played::default() };
            (self.check)(&stage, &played);
            let wrong = stage.watch.wrong();
            assert!(wrong.is_empty(), "round {round}: {wrong:?}");
        }
    }
}
