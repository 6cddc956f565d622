//! What is accepted, and yet probably not meant.

use tenure_policy::Lineage;
use tenure_policy::language::parse;

/// A version that knows a surface or not, and keeps for so many days.
fn version(name: &str, announced: &str, surfaces: &str, days: u32) -> String {
    format!(
        r#"
        policy = "house"
        version = "{name}"
        title = "House"
        announced = {announced}
        effective = {announced}
        grace = "30 days"
        bodies = ["content"]

        [surfaces]
        free = {{ regime = "consumer" }}
        {surfaces}

        [purposes.train]
        title = "Train"
        ground = "consent"
        regimes = ["consumer"]

        [[keep]]
        class = "content"
        when = {{ surface = "free" }}
        for = "30 days"
        from = "created"
        why = "Stored"

        [[keep]]
        class = "content"
        for = "{days} days"
        from = "created"
        why = "Stored too"
        "#
    )
}

fn warnings(texts: &[String]) -> Vec<String> {
    let versions = texts.iter().map(|text| parse("house.toml", text).unwrap());
    let lineage = Lineage::compile(versions.collect()).unwrap();
    lineage.warnings().iter().map(|warning| warning.message.clone()).collect()
}

#[test]
fn a_surface_that_comes_back_under_wider_terms_is_warned_about() {
    let pro = "pro = { regime = \"consumer\" }";
    let first = version("v1", "2025-01-01T00:00:00Z", pro, 10);
    let without = version("v2", "2025-02-01T00:00:00Z", "", 20);
    let back = version("v3", "2025-03-01T00:00:00Z", pro, 20);
    let warned = warnings(&[first.clone(), without.clone(), back]);
    assert_eq!(warned.len(), 1, "{warned:?}");
    assert!(warned[0].contains("`pro` comes back"), "{warned:?}");
    let same = version("v3", "2025-03-01T00:00:00Z", pro, 10);
    assert!(warnings(&[first, without, same]).is_empty());
}
