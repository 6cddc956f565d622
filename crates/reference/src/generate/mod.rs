//! Random lineages and cases, each the same for the same seed.

mod cases;
mod draft;
mod mistakes;
mod moments;
mod mutate;
mod render;
mod repair;
mod rng;
mod stories;

use tenure_model::{Instant, Regime};
use tenure_policy::language::{Surface, Version, parse};

use crate::lineage::Lineage;
use mutate::Past;
use rng::Rng;
use stories::Story;

pub use cases::case;
pub use render::render;

/// A lineage that was drawn, with what it took.
#[derive(Debug, Clone)]
pub struct Draw {
    /// The files, oldest first.
    pub texts: Vec<String>,
    /// How many versions were tried.
    pub tried: usize,
    /// How many of them a compiler must refuse.
    pub refused: usize,
}

/// The files of a random lineage that a compiler must accept.
pub fn lineage(seed: u64) -> Vec<String> {
    draw(seed).texts
}

/// The files of a random lineage, or of one that a compiler may well have to refuse.
///
/// The same as [`lineage`] but for the last version, which is as it was drawn first.
pub fn unchecked_lineage(seed: u64) -> Vec<String> {
    let mut texts = draw(seed).texts;
    let mut versions: Vec<Version> =
        texts.iter().filter_map(|text| parse("generated.toml", text).ok()).collect();
    let mut rng = Rng::new(seed ^ 0x5eed);
    if let Some(last) = versions.pop() {
        let mut past = Past::default();
        past.remember(&last);
        let mut next = last;
        mutate::mutate(&mut rng, &mut next, &past);
        if rng.percent(50) {
            mutate::spoil(&mut rng, &mut next);
        }
        texts.pop();
        texts.push(render(&next));
    }
    texts
}

/// Draws a lineage, version by version; one that must be refused is drawn again, a few times.
pub fn draw(seed: u64) -> Draw {
    const ATTEMPTS: usize = 12;
    let mut rng = Rng::new(seed);
    let mut drawn = Draw { texts: Vec::new(), tried: 0, refused: 0 };
    let mut versions: Vec<Version> = Vec::new();
    let mut past = Past::default();
    let length = rng.pick_or(&[1, 2, 3, 3, 4, 4], 1);
    let story = Story::draw(&mut rng);
    while versions.len() < length {
        let mut next = None;
        for _ in 0..ATTEMPTS {
            drawn.tried += 1;
            let draft = match versions.last() {
                None => draft::first(&mut rng),
                Some(_) => story.next(&mut rng, &versions, &past),
            };
            if let Some(version) = accepted(&versions, &draft) {
                next = Some(version);
                break;
            }
            drawn.refused += 1;
        }
        let Some(version) = next else {
            // A first version that is refused again and again is a mistake of the generator, so it
            // falls back to one that says almost nothing; a later one is simply left out.
            if versions.is_empty() {
                versions.push(smallest());
            }
            break;
        };
        past.remember(&version);
        versions.push(version);
    }
    drawn.texts = versions.iter().map(render).collect();
    drawn
}

/// The version as it is read back from its file, if the lineage with it is to be accepted.
fn accepted(earlier: &[Version], draft: &Version) -> Option<Version> {
    let version = parse("generated.toml", &render(draft)).ok()?;
    let mut versions = earlier.to_vec();
    versions.push(version.clone());
    Lineage::new(versions).ok()?.refusals().is_empty().then_some(version)
}

fn smallest() -> Version {
    let mut version = draft::empty(Instant::MIN);
    let at = tenure_policy::language::Position::default();
    version.surfaces = vec![Surface { name: "free".to_owned(), regime: Regime::Consumer, was: None, at }];
    version.bodies = vec!["content".to_owned()];
    version
}
