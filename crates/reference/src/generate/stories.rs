//! The course of a random lineage: how each version follows from those before it.

use tenure_model::{Instant, Regime};
use tenure_policy::language::{Ground, Purpose, Reach, Version};

use super::draft::{self, DAY};
use super::mutate::{Past, mutate, narrow, remove_one};
use super::repair::repair;
use super::rng::Rng;

/// What a lineage is about, beside chance: some turns of events are too rare to wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Story {
    /// Each version is the one before it, changed.
    Plain,
    /// A version goes back to the one before the last.
    Return,
    /// A purpose and a surface go, and come back on looser terms.
    Detour,
}

impl Story {
    pub(super) fn draw(rng: &mut Rng) -> Self {
        rng.pick_or(&[Self::Plain, Self::Plain, Self::Return, Self::Return, Self::Detour], Self::Plain)
    }

    /// The version after those that there are, of which there is at least one.
    pub(super) fn next(self, rng: &mut Rng, versions: &[Version], past: &Past) -> Version {
        let number = versions.len();
        let (Some(last), before) = (versions.last(), versions.iter().rev().nth(1)) else {
            return super::smallest();
        };
        match (self, before) {
            (Self::Return, None) => narrower(rng, last, number),
            (Self::Return, Some(before)) => returning(rng, last, before, number),
            (Self::Detour, None) => leaving_out(rng, last, number),
            (Self::Detour, Some(before)) if number == 2 => taking_up(rng, last, before, number),
            _ => successor(rng, last, number, past),
        }
    }
}

/// The version that comes `number`th after the first.
fn successor(rng: &mut Rng, last: &Version, number: usize, past: &Past) -> Version {
    let mut version = following(rng, last, last, number);
    mutate(rng, &mut version, past);
    version
}

/// A version that says what `content` says, announced after `last`.
fn following(rng: &mut Rng, content: &Version, last: &Version, number: usize) -> Version {
    let mut version = content.clone();
    version.name = format!("v{number}");
    let days = rng.pick_or(&[0, 1, 20, 90, 90, 300], 0);
    version.announced = Instant::saturating_from_micros(last.announced.micros() + days * DAY);
    let months = version.months;
    draft::dates(rng, &mut version);
    if rng.percent(60) {
        version.months = months;
    }
    for surface in &mut version.surfaces {
        if rng.percent(50) {
            surface.was = None;
        }
    }
    version
}

/// A version that allows less, but takes effect only after a long time.
fn narrower(rng: &mut Rng, last: &Version, number: usize) -> Version {
    let mut version = following(rng, last, last, number);
    for _ in 0..rng.between(1, 3) {
        narrow(rng, &mut version);
    }
    version.months = last.months;
    if rng.percent(70) {
        version.effective = Instant::saturating_from_micros(version.announced.micros() + 400 * DAY);
    }
    repair(rng, &mut version);
    version
}

/// A version that goes back to the one before the last, perhaps sooner than the last takes effect.
fn returning(rng: &mut Rng, last: &Version, before: &Version, number: usize) -> Version {
    let mut version = following(rng, before, last, number);
    if rng.percent(60) {
        version.effective = version.announced;
    }
    version.months = before.months;
    ask_everywhere(&mut version);
    for surface in &mut version.surfaces {
        // The last version may have renamed it.
        let renamed = last.surfaces.iter().find(|known| known.was.as_ref() == Some(&surface.name));
        surface.was = renamed.map(|known| known.name.clone());
    }
    repair(rng, &mut version);
    version
}

/// A version without one of the purposes that are a matter of choice, and without one of the surfaces.
fn leaving_out(rng: &mut Rng, last: &Version, number: usize) -> Version {
    let mut version = following(rng, last, last, number);
    if version.purposes.len() > 1 {
        drop(remove_one(rng, &mut version.purposes));
    }
    if version.surfaces.len() > 1 && rng.percent(60) {
        drop(remove_one(rng, &mut version.surfaces));
    }
    if rng.percent(50) {
        narrow(rng, &mut version);
    }
    repair(rng, &mut version);
    version
}

/// A version that takes up again what the last one left out, on looser terms.
fn taking_up(rng: &mut Rng, last: &Version, before: &Version, number: usize) -> Version {
    let mut version = following(rng, last, last, number);
    for purpose in before.purposes.iter().filter(|purpose| last.purpose(&purpose.name).is_none()) {
        let mut purpose = purpose.clone();
        loosen(rng, &mut purpose);
        if rng.percent(60) {
            let used = before.uses.iter().filter(|used| used.purpose == purpose.name);
            version.uses.extend(used.cloned());
        }
        version.purposes.push(purpose);
    }
    for surface in &before.surfaces {
        if !last.surfaces.iter().any(|known| known.name == surface.name) {
            version.surfaces.push(surface.clone());
        }
    }
    if rng.percent(60) {
        ask_everywhere(&mut version);
    }
    repair(rng, &mut version);
    version
}

pub(super) fn loosen(rng: &mut Rng, purpose: &mut Purpose) {
    if rng.percent(50) {
        purpose.reach = Reach::Conversation;
    }
    if rng.percent(70) {
        purpose.ground = match purpose.ground {
            Ground::Consent => Ground::Objection { wait: draft::span(rng) },
            Ground::Objection { .. } | Ground::None => Ground::None,
        };
    }
}

/// What is wider must ask for consent: a purpose that does, does so in every regime.
pub(super) fn ask_everywhere(version: &mut Version) {
    let asks = |purpose: &&mut Purpose| purpose.ground == Ground::Consent;
    if let Some(purpose) = version.purposes.iter_mut().find(asks) {
        purpose.regimes = Some(Regime::ALL.to_vec());
    }
}
