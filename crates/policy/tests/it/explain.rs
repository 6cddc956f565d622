//! Explanations, held to the verdicts that they explain: over every case of the corpora.

use std::fs;

use serde_json::Value;
use tenure_policy::case::Case;
use tenure_policy::explain::{Change, Effect, verdict_value, what_if};
use tenure_policy::{Answerer, Facts, Lineage, Resolved, Verdict};

use super::cases::{policy_of, root};

/// Calls with every case of the corpora that can be judged; gives how many there were.
fn for_every_case(mut check: impl FnMut(&Lineage, (&str, &Case<'_>), &Facts<'_>, &Verdict)) -> usize {
    let mut count = 0;
    for entry in fs::read_dir(root().join("corpora/cases")).unwrap() {
        let path = entry.unwrap().path();
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        let Some(name) = file.strip_suffix(".jsonl").filter(|name| !name.ends_with(".expected")) else {
            continue;
        };
        let lineage = policy_of(name);
        let text = fs::read_to_string(&path).unwrap();
        for line in text.lines() {
            let Ok(case) = Case::from_json(line.as_bytes()) else { continue };
            let Ok(resolved) = Resolved::new(&lineage, &case) else { continue };
            let facts = resolved.facts(&case);
            check(&lineage, (line, &case), &facts, &lineage.judge(&facts));
            count += 1;
        }
    }
    count
}

#[test]
fn the_verdict_as_a_value_is_the_verdict_as_it_is_written() {
    let count = for_every_case(|lineage, (line, case), facts, verdict| {
        let mut out = Vec::new();
        let _ = Answerer::new(lineage).answer(line.as_bytes(), &mut out);
        let mut written: Value = serde_json::from_slice(&out).unwrap();
        written["case"] = Value::Null;
        assert_eq!(verdict_value(lineage, &case.record.id, facts, verdict), written);
    });
    assert!(count >= 40, "only {count} cases");
}

#[test]
fn the_bases_end_when_the_verdict_says_and_every_no_has_a_reason() {
    let (mut bases, mut denials) = (0, 0);
    for_every_case(|lineage, _, facts, verdict| {
        for (place, class) in verdict.classes.iter().enumerate() {
            let found = lineage.bases(facts, verdict, place);
            assert_eq!(found.first().map(|basis| basis.until), class.until);
            assert_eq!(found.len(), verdict.bases.iter().filter(|(of, _)| *of == place).count());
            bases += found.len();
        }
        for (place, allowed) in verdict.allowed.iter().enumerate() {
            let reasons = lineage.obstacles(facts, verdict, place);
            assert!(*allowed || !reasons.is_empty(), "a no without a reason");
            denials += usize::from(!allowed);
        }
    });
    assert!(bases >= 40 && denials >= 20, "{bases} bases, {denials} denials");
}

#[test]
fn what_would_change_a_verdict_is_told_only_where_it_does() {
    let (mut opened, mut ended) = (0, 0);
    for_every_case(|lineage, _, facts, verdict| {
        let tree = lineage.tree(verdict.judged);
        let classes: Vec<&str> = tree.classes().collect();
        for found in what_if(lineage, facts, verdict, &classes) {
            assert!(!found.changes.is_empty() && !found.effects.is_empty());
            for effect in &found.effects {
                match effect {
                    Effect::Kept { before, after, .. } => assert_ne!(before, after),
                    Effect::Used { allowed: true, purpose, .. } => {
                        opened += 1;
                        let place = tree.purposes.iter().position(|known| known.name == *purpose);
                        let was = place.and_then(|place| verdict.allowed.get(place)) == Some(&true);
                        // What takes several changes is told only for what is not allowed.
                        assert!(found.changes.len() == 1 || !was || found.effects.len() > 1);
                    }
                    Effect::Used { allowed: false, .. } => ended += 1,
                    _ => {}
                }
            }
            if found.changes == [Change::Delete] {
                assert!(facts.deleted_at.is_none());
            }
        }
    });
    assert!(opened > 0 && ended > 0, "{opened} opened, {ended} ended");
}
