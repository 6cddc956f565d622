//! The matrix and the difference of two versions, as they are read.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use tenure_policy::language::{self, Version};
use tenure_policy::matrix::Column;
use tenure_policy::{Lineage, diff};

fn policies() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../policies")
}

fn parse(file: &Path) -> Version {
    language::parse("policy", &fs::read_to_string(file).unwrap()).unwrap()
}

fn name(column: &Column) -> String {
    match column {
        Column::Class(name) => name.clone(),
        Column::Also(name) => format!("{name} also"),
        Column::Purpose(name) => format!("use for {name}"),
    }
}

#[test]
fn the_matrix_of_the_example_reads_as_the_design_does() {
    let lineage = Lineage::compile(vec![parse(&policies().join("example.toml"))]).unwrap();
    let matrix = lineage.matrix(lineage.version("2025-10-08").unwrap());
    let mut text = String::new();
    for section in &matrix.sections {
        writeln!(text, "{:?} {:?}", section.regimes, section.surfaces).unwrap();
        for (column, entry) in &section.always {
            writeln!(text, "  always {}: {entry}", name(column)).unwrap();
        }
        for grid in &section.grids {
            writeln!(text, "  {}", grid.columns.iter().map(name).collect::<Vec<_>>().join(" | ")).unwrap();
            for row in &grid.rows {
                let entries: Vec<_> = row.entries.iter().map(ToString::to_string).collect();
                writeln!(text, "    {}: {}", row.situation, entries.join(" | ")).unwrap();
            }
        }
    }
    insta::assert_snapshot!(text, @r#"
    [Consumer] ["free", "pro", "code"]
      always feedback: not kept
      history | content | use for train
        normal, train on, not deleted, not flagged, adult: until deleted | 5 years from last activity | yes: content
        train undecided, off or unreached, not deleted: until deleted | 30 days from last activity | no
        train withdrawn, not deleted: until deleted | 30 days from the later of last activity and the choice about train | no
        normal, train on, not deleted, minor: until deleted | 5 years from last activity | no
        incognito, train on, not deleted: until deleted | 30 days from last activity | no
        deleted: not kept | 30 days from deletion | no
        normal, train on, not deleted, flagged, adult: until deleted | 5 years from last activity | no
      training_copy
        normal, train withdrawn, on or unreached: 5 years from last activity
        train undecided or off: not kept
        incognito, train withdrawn, on or unreached: not kept
      scores | content also | use for safety
        not flagged: not kept | not kept | no
        flagged: 7 years from the flag | 2 years from the flag | yes: content
    [Commercial, Zero] ["team", "api", "api-zdr"]
      always history: not kept
      always content: not kept
      always training_copy: not kept
      always feedback: not kept
      always scores: not kept
      always use for train: no
      always use for safety: no
    "#);
}

fn difference(from: &str, to: &str) -> diff::Diff {
    let versions: Vec<_> = fs::read_dir(policies().join("claude-consumer"))
        .unwrap()
        .map(|entry| parse(&entry.unwrap().path()))
        .collect();
    diff::between(&versions, from, to).unwrap()
}

#[test]
fn the_change_of_terms_says_who_is_asked_and_what_changes_when() {
    let found = difference("2025-05-01", "2025-09-28");
    let mut text = String::new();
    for asked in &found.regimes {
        writeln!(text, "{}: {} widenings", asked.regime, asked.widenings.len()).unwrap();
    }
    for change in &found.terms {
        let situations: Vec<_> = change.situations.iter().map(ToString::to_string).collect();
        writeln!(
            text,
            "{} {} {:?} [{}]: {} -> {}",
            name(&change.column),
            change.direction.word(),
            change.regimes,
            situations.join(" | "),
            change.before,
            change.after
        )
        .unwrap();
    }
    for (purpose, words) in &found.purposes {
        writeln!(text, "{purpose}: {words}").unwrap();
    }
    insta::assert_snapshot!(text, @r"
    consumer: 4 widenings
    commercial: 0 widenings
    zero: 0 widenings
    content longer [Consumer] [normal, train on, not deleted, account open]: 30 days from last activity -> 5 years from last activity
    content longer [Consumer] [train withdrawn, not deleted, account open]: 30 days from last activity -> 30 days from the later of last activity and the choice about train
    training_copy longer [Consumer] [normal, train withdrawn, on or unreached]: not kept -> 5 years from last activity
    feedback shorter [Consumer, Commercial] [with feedback]: 10 years from the feedback -> 5 years from the feedback
    use for train allowed [Consumer] [normal, train on, not deleted, not flagged, adult, account open]: no -> yes: content
    train: new, in consumer: only after a yes
    ");
}

#[test]
fn a_moved_deadline_changes_dates_only_and_asks_nobody() {
    let found = difference("2025-09-28", "2025-10-08");
    assert!(found.regimes.iter().all(|asked| asked.widenings.is_empty()));
    assert!(found.terms.is_empty() && found.purposes.is_empty() && found.surfaces.is_empty());
    let moved: Vec<_> = found.settings.iter().map(|setting| setting.name).collect();
    assert_eq!(moved, ["announced", "effective", "decide_by"]);
}

#[test]
fn a_version_compared_with_itself_does_not_change() {
    let found = difference("2025-10-08", "2025-10-08");
    assert!(found.terms.is_empty() && found.settings.is_empty());
}
