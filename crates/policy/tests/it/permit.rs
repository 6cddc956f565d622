//! Permissions and reasons, held to the verdict on random policies and cases.

use std::collections::BTreeMap;

use tenure_policy::case::Case;
use tenure_policy::language::parse;
use tenure_policy::{Exclusion, Lineage, Resolved};
use tenure_reference::{Lineage as Reference, generate};

const LINEAGES: u64 = 300;
const CASES: u64 = 60;

#[test]
fn something_has_a_reason_exactly_where_the_verdict_denies_it_and_a_permission_where_it_allows_it() {
    let mut reasons: BTreeMap<Exclusion, u64> = BTreeMap::new();
    let mut permitted = 0;
    for seed in 0..LINEAGES {
        let texts = generate::lineage(seed);
        let versions: Vec<_> = texts.iter().map(|text| parse("generated.toml", text).unwrap()).collect();
        let reference = Reference::new(versions.clone()).unwrap();
        let lineage = Lineage::compile(versions).unwrap();
        for number in 0..CASES {
            let line = generate::case(seed * CASES + number, &reference);
            let Ok(case) = Case::from_json(line.as_bytes()) else { continue };
            let Ok(resolved) = Resolved::new(&lineage, &case) else { continue };
            let facts = resolved.facts(&case);
            let verdict = lineage.judge(&facts);
            let terms = lineage.tree(verdict.judged);
            for purpose in lineage.versions().flat_map(|(_, version)| &version.purposes) {
                if terms.purpose(&purpose.name).is_none() {
                    assert_eq!(lineage.rule(&facts, &purpose.name).record, Some(Exclusion::Terms), "{line}");
                    *reasons.entry(Exclusion::Terms).or_default() += 1;
                }
            }
            for (place, purpose) in terms.purposes.iter().enumerate() {
                let ruling = lineage.rule(&facts, &purpose.name);
                assert_eq!(ruling.record.is_none(), verdict.allowed[place], "{line}");
                for (index, message) in facts.messages.iter().enumerate() {
                    let allowed = verdict.messages.contains(&(place, index));
                    let holders = ruling.permitted.iter().filter(|token| token.allows(message.id)).count();
                    assert_eq!(ruling.messages[index].is_none(), allowed, "{line}");
                    assert_eq!(holders > 0, allowed, "{}: {line}", purpose.name);
                    permitted += u64::from(allowed);
                    // A reason that no attribute gives is only believed where there are ancestors.
                    let derived = ruling.messages[index] == Some(Exclusion::Derived);
                    assert!(!derived || !message.derived_from.is_empty(), "{line}");
                }
                for reason in ruling.record.into_iter().chain(ruling.messages.into_iter().flatten()) {
                    *reasons.entry(reason).or_default() += 1;
                }
            }
        }
    }
    assert!(permitted > 0);
    for reason in Exclusion::ALL {
        assert!(reasons.contains_key(&reason), "`{}` never came up: {reasons:?}", reason.word());
    }
}
