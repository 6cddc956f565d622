//! Making the parts of a random version fit together.

use tenure_model::Regime;
use tenure_policy::language::{Anchor, Condition, Forbidden, Ground, Keep, Purpose, Standing, Version};

use super::mutate::conditions;
use super::rng::Rng;

/// Makes the parts of a version fit together: rules name only what there is, uses ask for the standing
/// and the regimes of their purpose, and no body is kept under `zero`.
pub(super) fn repair(rng: &mut Rng, version: &mut Version) {
    let whole = version.clone();
    let mut names: Vec<String> = Vec::new();
    version.surfaces.retain(|surface| {
        let new = !names.contains(&surface.name);
        names.push(surface.name.clone());
        new
    });
    version.regions.retain(|region| !region.countries.is_empty());
    version.uses.retain(|used| whole.purpose(&used.purpose).is_some());
    let regions: Vec<String> = version.regions.iter().map(|region| region.name.clone()).collect();
    for when in conditions(version) {
        mend(when, &whole, &names, &regions);
    }
    for keep in &mut version.keeps {
        mend_keep(rng, keep, &whole);
    }
    for used in &mut version.uses {
        if let Some(purpose) = whole.purpose(&used.purpose) {
            mend_use(rng, &mut used.when, purpose, &whole);
        }
    }
    let purposes = &whole.purposes;
    version.nevers.retain(|never| match &never.what {
        Forbidden::Use { purpose } => purposes.iter().any(|known| known.name == *purpose),
        Forbidden::Keep { .. } => true,
    });
}

/// Leaves out what the version does not know.
fn mend(when: &mut Condition, version: &Version, surfaces: &[String], regions: &[String]) {
    let offered = |regime: &Regime| version.surfaces.iter().any(|surface| surface.regime == *regime);
    if let Some(asked) = &mut when.surface {
        asked.retain(|name| surfaces.contains(name));
    }
    if let Some(asked) = &mut when.region {
        asked.retain(|name| regions.contains(name) || name == "other");
    }
    if let Some(asked) = &mut when.regime {
        asked.retain(offered);
    }
    when.surface = when.surface.take().filter(|asked| !asked.is_empty());
    when.region = when.region.take().filter(|asked| !asked.is_empty());
    when.regime = when.regime.take().filter(|asked| !asked.is_empty());
    when.standing.retain(|(name, _)| version.purpose(name).is_some_and(Purpose::is_chosen));
    for (name, asked) in &mut when.standing {
        let consent = version.purpose(name).is_some_and(|purpose| purpose.ground == Ground::Consent);
        if consent && asked.iter().all(|standing| *standing == Standing::Unopposed) {
            *asked = vec![Standing::On];
        }
    }
}

fn mend_keep(rng: &mut Rng, keep: &mut Keep, version: &Version) {
    keep.from.retain(|anchor| match anchor {
        Anchor::Decided(name) => version.purpose(name).is_some_and(Purpose::is_chosen),
        _ => true,
    });
    if keep.from.is_empty() {
        keep.from.push(Anchor::Created);
    }
    if version.bodies.contains(&keep.class) {
        restrict(rng, &mut keep.when, version, &[Regime::Consumer, Regime::Commercial]);
    }
}

fn mend_use(rng: &mut Rng, when: &mut Condition, purpose: &Purpose, version: &Version) {
    let enough: &[Standing] = match purpose.ground {
        Ground::Consent => &[Standing::On],
        Ground::Objection { .. } => &[Standing::On, Standing::Unopposed],
        Ground::None => &[],
    };
    if let Some(regimes) = &purpose.regimes {
        restrict(rng, when, version, regimes);
    }
    if enough.is_empty() {
        return;
    }
    match when.standing.iter_mut().find(|(name, _)| *name == purpose.name) {
        None => when.standing.push((purpose.name.clone(), enough.to_vec())),
        Some((_, asked)) => {
            asked.retain(|standing| enough.contains(standing));
            if asked.is_empty() {
                *asked = enough.to_vec();
            }
        }
    }
}

/// Lets the condition match in these regimes only, as far as the version offers them.
fn restrict(rng: &mut Rng, when: &mut Condition, version: &Version, regimes: &[Regime]) {
    let regime_of = |name: &str| version.surfaces.iter().find(|surface| surface.name == name);
    if let Some(asked) = &mut when.surface {
        asked.retain(|name| regime_of(name).is_some_and(|surface| regimes.contains(&surface.regime)));
        if !asked.is_empty() {
            return;
        }
        when.surface = None;
    }
    let offered: Vec<Regime> = regimes
        .iter()
        .copied()
        .filter(|regime| version.surfaces.iter().any(|surface| surface.regime == *regime))
        .collect();
    match &mut when.regime {
        Some(asked) => {
            asked.retain(|regime| regimes.contains(regime));
            if asked.is_empty() {
                *asked = rng.some(&offered);
            }
        }
        None if offered.len() < Regime::ALL.len() => when.regime = Some(offered.clone()),
        None => {}
    }
    if when.regime.as_ref().is_some_and(Vec::is_empty) {
        // No surface is offered where the rule may match: it is refused, and drawn again.
        when.regime = Some(regimes.to_vec());
    }
}
