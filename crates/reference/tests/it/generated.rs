//! What the generators make is worth comparing: mostly accepted, and reaching every clause.

use serde_json::Value;
use tenure_policy::language::parse;
use tenure_reference::{Clause, Tally, generate};

use crate::policies::{from_texts, shipped};

#[test]
fn most_drawn_versions_are_accepted_and_every_lineage_is() {
    let (mut tried, mut refused, mut several) = (0, 0, 0);
    for seed in 0..300 {
        let draw = generate::draw(seed);
        tried += draw.tried;
        refused += draw.refused;
        several += usize::from(draw.texts.len() > 1);
        let lineage = from_texts(&draw.texts).unwrap();
        assert_eq!(lineage.refusals(), [], "seed {seed}");
        assert_eq!(lineage.versions().len(), draw.texts.len());
    }
    println!("{refused} of {tried} drawn versions refused; {several} of 300 lineages have several versions");
    assert!(refused * 2 < tried, "{refused} of {tried} were refused");
    assert!(several > 150, "only {several} lineages have more than one version");
}

#[test]
fn the_same_seed_gives_the_same_lineage_and_case() {
    let texts = generate::lineage(7);
    assert_eq!(texts, generate::lineage(7));
    let lineage = from_texts(&texts).unwrap();
    assert_eq!(generate::case(3, &lineage), generate::case(3, &lineage));
    assert_ne!(generate::case(3, &lineage), generate::case(4, &lineage));
}

#[test]
fn twenty_thousand_cases_reach_every_clause() {
    let mut tally = Tally::new();
    let started = std::time::Instant::now();
    for seed in 0..400 {
        let lineage = from_texts(&generate::lineage(seed)).unwrap();
        for case in 0..50 {
            lineage.answer(&generate::case(seed * 1_000 + case, &lineage), &mut tally);
        }
    }
    println!("{:?}\n{tally}", started.elapsed());
    for clause in Clause::ALL {
        assert!(tally.count(*clause) > 0, "never: {}", clause.words());
    }
}

#[test]
fn some_spoiled_lineages_are_refused_and_some_are_not() {
    let refused = (0..200)
        .filter_map(|seed| from_texts(&generate::unchecked_lineage(seed)).ok())
        .filter(|lineage| !lineage.refusals().is_empty())
        .count();
    assert!((20..180).contains(&refused), "{refused} of 200 were refused");
}

#[test]
fn a_few_cases_of_a_hundred_are_answered_with_an_error() {
    let lineage = from_texts(&generate::lineage(1)).unwrap();
    let is_error = |answer: &Value| answer.get("error").is_some();
    let answers = (0..2_000).map(|seed| lineage.answer(&generate::case(seed, &lineage), &mut Tally::new()));
    let errors = answers.filter(is_error).count();
    assert!((40..200).contains(&errors), "{errors} of 2000");
}

#[test]
fn cases_for_the_shipped_policies_are_mostly_judged() {
    for (path, lineage) in shipped() {
        let mut tally = Tally::new();
        for seed in 0..2_000 {
            lineage.answer(&generate::case(seed, &lineage), &mut tally);
        }
        assert!(tally.count(Clause::Mistake) < 200, "{}", path.display());
        assert!(tally.count(Clause::UseAllowed) > 0, "{}", path.display());
    }
}

#[test]
fn a_version_is_written_as_it_is_read() {
    for text in (0..100).flat_map(generate::lineage) {
        assert_eq!(generate::render(&parse("generated.toml", &text).unwrap()), text);
    }
}
