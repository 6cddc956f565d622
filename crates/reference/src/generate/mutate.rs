//! Random changes to a version.

use tenure_model::{MonthLength, Regime, Term};
use tenure_policy::language::{Condition, Ground, Position, Purpose, Reach, Surface, Version};

use super::draft::{self, SURFACES};
use super::repair::repair;
use super::rng::Rng;
use super::stories::{ask_everywhere, loosen};

/// What earlier versions had, so that a later one can take it up again.
#[derive(Debug, Clone, Default)]
pub(super) struct Past {
    surfaces: Vec<Surface>,
    purposes: Vec<Purpose>,
}

impl Past {
    pub(super) fn remember(&mut self, version: &Version) {
        self.surfaces.extend(version.surfaces.iter().cloned());
        self.purposes.extend(version.purposes.iter().cloned());
    }
}

/// Changes a few things, then makes the whole fit together again.
pub(super) fn mutate(rng: &mut Rng, version: &mut Version, past: &Past) {
    for _ in 0..rng.between(0, 4) {
        match rng.below(10) {
            0..=2 => narrow(rng, version),
            3..=5 => change_rules(rng, version),
            6..=7 => change_surfaces(rng, version, past),
            _ => change_purposes(rng, version, past),
        }
    }
    if rng.percent(70) {
        ask_everywhere(version);
    }
    repair(rng, version);
}

pub(super) fn remove_one<T>(rng: &mut Rng, items: &mut Vec<T>) -> Option<T> {
    if items.is_empty() { None } else { Some(items.swap_remove(rng.below(items.len()))) }
}

fn pick_mut<'a, T>(rng: &mut Rng, items: &'a mut [T]) -> Option<&'a mut T> {
    let index = rng.below(items.len());
    items.get_mut(index)
}

/// Changes that allow less, mostly.
pub(super) fn narrow(rng: &mut Rng, version: &mut Version) {
    let extra = draft::condition(rng, version, 10);
    match rng.below(5) {
        0 => drop(remove_one(rng, &mut version.keeps)),
        1 => drop(remove_one(rng, &mut version.uses)),
        2 => {
            if let Some(keep) = pick_mut(rng, &mut version.keeps) {
                keep.term = Term::For(draft::span(rng));
            }
        }
        3 => {
            if let Some(keep) = pick_mut(rng, &mut version.keeps) {
                add_to(&mut keep.when, extra);
            }
        }
        _ => {
            if let Some(used) = pick_mut(rng, &mut version.uses) {
                add_to(&mut used.when, extra);
            }
        }
    }
}

/// Asks for what the condition left open.
fn add_to(when: &mut Condition, extra: Condition) {
    if when.surface.is_none() && when.regime.is_none() {
        when.regime = extra.regime;
    }
    when.kind = when.kind.take().or(extra.kind);
    when.mode = when.mode.take().or(extra.mode);
    when.region = when.region.take().or(extra.region);
    for (purpose, standings) in extra.standing {
        if !when.standing.iter().any(|(known, _)| *known == purpose) {
            when.standing.push((purpose, standings));
        }
    }
    for (flag, values) in extra.flags {
        if !when.flags.iter().any(|(known, _)| *known == flag) {
            when.flags.push((flag, values));
        }
    }
}

fn change_rules(rng: &mut Rng, version: &mut Version) {
    let keep = draft::keep(rng, version);
    let name = rng.pick(&version.purposes).map(|purpose| purpose.name.clone());
    match rng.below(6) {
        0 => version.keeps.push(keep),
        1 => {
            if let Some(name) = name {
                let used = draft::used(rng, version, &name);
                version.uses.push(used);
            }
        }
        2 => {
            let anchors = draft::anchors(rng, version);
            if let Some(keep) = pick_mut(rng, &mut version.keeps) {
                keep.from = anchors;
            }
        }
        3 => {
            if let Some(keep) = pick_mut(rng, &mut version.keeps) {
                keep.when.flags.pop();
                keep.when.region = None;
            }
        }
        4 => {
            version.months = match version.months {
                MonthLength::Calendar => MonthLength::ThirtyDays,
                MonthLength::ThirtyDays => MonthLength::Calendar,
            };
        }
        _ => version.keeps.reverse(),
    }
}

fn change_surfaces(rng: &mut Rng, version: &mut Version, past: &Past) {
    match rng.below(5) {
        0 => {
            if version.surfaces.len() > 1 {
                drop(remove_one(rng, &mut version.surfaces));
            }
        }
        1 => {
            let renamed = pick_mut(rng, &mut version.surfaces).map(|surface| {
                let was = surface.name.clone();
                surface.name = format!("{was}x");
                surface.was = Some(was.clone());
                (was, surface.name.clone())
            });
            if let Some((was, name)) = renamed {
                rename(version, &was, &name);
            }
        }
        2 => {
            if let Some((name, regime)) = rng.pick(SURFACES) {
                let at = Position::default();
                version.surfaces.push(Surface { name: (*name).to_owned(), regime: *regime, was: None, at });
            }
        }
        3 => version.surfaces.extend(rng.pick(&past.surfaces).cloned()),
        _ => {
            if rng.percent(40) {
                draft::regions(rng, version);
            } else if let Some(country) =
                pick_mut(rng, &mut version.regions).and_then(|region| region.countries.pop())
                && let Some(region) = pick_mut(rng, &mut version.regions)
            {
                region.countries.push(country);
            }
        }
    }
}

pub(super) fn conditions(version: &mut Version) -> impl Iterator<Item = &mut Condition> {
    let keeps = version.keeps.iter_mut().map(|rule| &mut rule.when);
    let uses = version.uses.iter_mut().map(|rule| &mut rule.when);
    keeps.chain(uses).chain(version.nevers.iter_mut().map(|rule| &mut rule.when))
}

fn rename(version: &mut Version, was: &str, name: &str) {
    for surface in conditions(version).filter_map(|when| when.surface.as_mut()).flatten() {
        if surface == was {
            name.clone_into(surface);
        }
    }
}

fn change_purposes(rng: &mut Rng, version: &mut Version, past: &Past) {
    match rng.below(6) {
        0 => {
            if version.purposes.len() > 1 {
                drop(remove_one(rng, &mut version.purposes));
            }
        }
        1 => take_up_again(rng, version, past),
        2 => {
            if let Some(purpose) = pick_mut(rng, &mut version.purposes) {
                purpose.reach = match purpose.reach {
                    Reach::Message => Reach::Conversation,
                    Reach::Conversation => Reach::Message,
                };
            }
        }
        3 => {
            if let Some(purpose) = pick_mut(rng, &mut version.purposes) {
                purpose.ground = Ground::Consent;
                purpose.regimes.get_or_insert_with(|| Regime::ALL.to_vec());
            }
        }
        4 => {
            if let Some(purpose) = pick_mut(rng, &mut version.purposes)
                && purpose.is_chosen()
            {
                purpose.regimes = Some(Regime::ALL.to_vec());
            }
        }
        _ => draft::dates(rng, version),
    }
}

/// A purpose of an earlier version that this one lacks comes back, often on looser terms: against
/// the version before it that is no loosening, against an older one it is.
fn take_up_again(rng: &mut Rng, version: &mut Version, past: &Past) {
    let missing: Vec<&Purpose> =
        past.purposes.iter().filter(|purpose| version.purpose(&purpose.name).is_none()).collect();
    let Some(purpose) = rng.pick(&missing) else { return };
    let mut purpose = (*purpose).clone();
    loosen(rng, &mut purpose);
    let name = purpose.name.clone();
    version.purposes.push(purpose);
    if rng.percent(60) {
        let used = draft::used(rng, version, &name);
        version.uses.push(used);
    }
}

/// Breaks one thing that a compiler must find.
pub(super) fn spoil(rng: &mut Rng, version: &mut Version) {
    match rng.below(9) {
        0 => {
            if let Some(used) = pick_mut(rng, &mut version.uses) {
                used.when.standing.clear();
            }
        }
        1 => {
            if let Some(used) = pick_mut(rng, &mut version.uses) {
                used.when.regime = None;
                used.when.surface = None;
            }
        }
        2 => {
            if let Some(keep) = pick_mut(rng, &mut version.keeps) {
                keep.when.regime = Some(vec![Regime::Zero]);
            }
        }
        3 => {
            let never = draft::never(rng, version);
            version.nevers.push(never);
        }
        4 => {
            if let Some(purpose) = pick_mut(rng, &mut version.purposes) {
                purpose.ground = draft::ground(rng, &purpose.name);
            }
        }
        5 => {
            if let Some(surface) = pick_mut(rng, &mut version.surfaces) {
                surface.regime = rng.pick_or(Regime::ALL, surface.regime);
            }
        }
        6 => rename_from(rng, version),
        7 => {
            if let Some(purpose) = pick_mut(rng, &mut version.purposes) {
                purpose.regimes = Some(rng.some(Regime::ALL));
            }
        }
        _ => {
            let extra = draft::condition(rng, version, 60);
            if let Some(keep) = pick_mut(rng, &mut version.keeps) {
                add_to(&mut keep.when, extra);
            }
        }
    }
}

/// Says of a surface that it was another one, or one that nobody ever had.
fn rename_from(rng: &mut Rng, version: &mut Version) {
    let mut names: Vec<String> = version.surfaces.iter().map(|surface| surface.name.clone()).collect();
    names.extend(SURFACES.iter().flat_map(|(name, _)| [(*name).to_owned(), format!("old-{name}")]));
    names.push("nowhere".to_owned());
    let was = rng.pick(&names).cloned();
    let fresh = rng.percent(50);
    if let Some(surface) = pick_mut(rng, &mut version.surfaces) {
        surface.was = was.filter(|was| *was != surface.name);
        if fresh {
            let (old, new) = (surface.name.clone(), format!("{}y", surface.name));
            surface.name.clone_from(&new);
            rename(version, &old, &new);
        }
    }
}
