//! The generators make every shape that the language and the cases have.

use std::collections::BTreeMap;

use serde_json::Value;
use tenure_model::{Instant, MonthLength, Regime, Term};
use tenure_policy::language::{Anchor, Reach, Version};
use tenure_reference::{Lineage, Tally, generate};

use crate::policies::from_texts;

/// How often each shape was seen.
#[derive(Default)]
struct Seen(BTreeMap<&'static str, usize>);

impl Seen {
    fn note(&mut self, shape: &'static str, seen: bool) {
        *self.0.entry(shape).or_default() += usize::from(seen);
    }
}

fn note_version(seen: &mut Seen, version: &Version) {
    let keeps = || version.keeps.iter();
    seen.note("months of thirty days", version.months == MonthLength::ThirtyDays);
    seen.note("an indefinite term", keeps().any(|keep| keep.term == Term::Indefinite));
    let decided = |anchor: &Anchor| matches!(anchor, Anchor::Decided(_));
    seen.note(
        "a decision among several anchors",
        keeps().any(|k| k.from.len() > 1 && k.from.iter().any(decided)),
    );
    seen.note("a renamed surface", version.surfaces.iter().any(|surface| surface.was.is_some()));
    seen.note(
        "facts under zero",
        keeps().any(|keep| {
            version.facts.contains(&keep.class)
                && keep.when.regime.as_ref().is_some_and(|asked| asked.contains(&Regime::Zero))
        }),
    );
    let reaches = |name: &str, reach| version.purpose(name).is_some_and(|purpose| purpose.reach == reach);
    seen.note(
        "a use by message that asks for another standing",
        version.uses.iter().any(|used| {
            reaches(&used.purpose, Reach::Message)
                && used.when.standing.iter().any(|(name, _)| *name != used.purpose)
        }),
    );
    seen.note(
        "a keep rule that asks for a standing by message",
        keeps().any(|keep| keep.when.standing.iter().any(|(name, _)| reaches(name, Reach::Message))),
    );
}

fn list<'v>(value: &'v Value, name: &str) -> impl Iterator<Item = &'v Value> {
    value[name].as_array().into_iter().flatten()
}

fn note_case(seen: &mut Seen, lineage: &Lineage, case: &Value) {
    let surface = case["record"]["surface"].as_str().unwrap_or_default();
    let knows = |version: &Version| {
        version.surfaces.iter().any(|known| known.name == surface || known.was.as_deref() == Some(surface))
    };
    let strange =
        |name: &str| lineage.versions().iter().any(|version| version.name == name && !knows(version));
    let mut decisions = list(case, "decisions");
    seen.note(
        "a decision under a version that does not know the surface",
        decisions.any(|decision| strange(decision["version"].as_str().unwrap_or_default())),
    );
    let instants: Vec<&str> =
        list(case, "decisions").filter_map(|decision| decision["at"].as_str()).collect();
    let repeated =
        instants.iter().enumerate().any(|(index, at)| instants.iter().skip(index + 1).any(|b| b == at));
    seen.note("two decisions at one instant", repeated);
    let lists = ["regimes", "surfaces", "accounts", "countries", "not_countries", "kinds", "classes"];
    let is_empty = |value: &Value| value.as_array().is_some_and(Vec::is_empty);
    seen.note(
        "a hold with an empty list",
        list(case, "holds").any(|h| lists.iter().any(|name| is_empty(&h[name]))),
    );
    let window = |hold: &Value| hold["created_from"].is_string() && hold["created_to"].is_string();
    seen.note("a hold with a window", list(case, "holds").any(window));
    let text = case.to_string();
    seen.note("a leap day", text.contains("-02-29T"));
    seen.note("the end of the calendar", text.contains("\"999"));
    seen.note("the beginning of the calendar", text.contains(&Instant::MIN.to_string()));
    seen.note("a microsecond aside", text.contains(".999999Z") || text.contains(".000001Z"));
}

#[test]
fn every_shape_is_made_again_and_again() {
    let mut seen = Seen::default();
    for seed in 0..400 {
        let lineage = from_texts(&generate::lineage(seed)).unwrap();
        lineage.versions().iter().for_each(|version| note_version(&mut seen, version));
        for number in 0..20 {
            let line = generate::case(seed * 100 + number, &lineage);
            let answer = lineage.answer(&line, &mut Tally::new());
            if let (Ok(case), None) = (serde_json::from_str(&line), answer.get("error")) {
                note_case(&mut seen, &lineage, &case);
            }
        }
    }
    println!("{:#?}", seen.0);
    for (shape, count) in &seen.0 {
        assert!(*count >= 20, "only {count} times: {shape}");
    }
}
