//! What a version says, in the words that the terminal, the page and programs share.

use serde::Serialize;
use tenure_model::MonthLength;
use tenure_policy::diff::{condition_words, ground_words, nevers, standing_words};
use tenure_policy::language::{Reach, Standing, Undecided, Version};
use tenure_policy::matrix::{Column, Entry, Grid, Row, Section};
use tenure_policy::{Lineage, VersionIx};

use crate::speech::{and, capital, date};

/// Everything that is shown of a version.
#[derive(Debug, Serialize)]
pub(super) struct View {
    pub(super) policy: String,
    pub(super) version: String,
    pub(super) title: String,
    pub(super) settings: Vec<Named>,
    pub(super) surfaces: Vec<Named>,
    pub(super) regions: Vec<Named>,
    pub(super) purposes: Vec<PurposeView>,
    pub(super) sections: Vec<SectionView>,
    pub(super) rules: Vec<RuleView>,
    pub(super) uses: Vec<UseView>,
    pub(super) nevers: Vec<NeverView>,
    pub(super) standings: Vec<Named>,
    pub(super) notes: Vec<String>,
}

/// A name with what is said of it.
#[derive(Debug, Serialize)]
pub(super) struct Named {
    pub(super) name: String,
    pub(super) words: String,
}

#[derive(Debug, Serialize)]
pub(super) struct PurposeView {
    pub(super) name: String,
    pub(super) title: String,
    pub(super) ground: String,
    pub(super) words: String,
    pub(super) line: u32,
}

#[derive(Debug, Serialize)]
pub(super) struct SectionView {
    pub(super) heading: String,
    pub(super) regimes: Vec<String>,
    pub(super) surfaces: Vec<String>,
    /// What no situation keeps or allows, in a sentence; empty if there is nothing of the kind.
    pub(super) never: String,
    pub(super) always: Vec<AlwaysView>,
    pub(super) grids: Vec<GridView>,
}

#[derive(Debug, Serialize)]
pub(super) struct AlwaysView {
    pub(super) column: String,
    pub(super) entry: EntryView,
}

#[derive(Debug, Serialize)]
pub(super) struct GridView {
    pub(super) caption: String,
    pub(super) columns: Vec<ColumnView>,
    pub(super) rows: Vec<RowView>,
}

#[derive(Debug, Serialize)]
pub(super) struct ColumnView {
    pub(super) kind: &'static str,
    pub(super) name: String,
    pub(super) heading: String,
}

#[derive(Debug, Serialize)]
pub(super) struct RowView {
    pub(super) situation: String,
    pub(super) when: Vec<AspectView>,
    pub(super) entries: Vec<EntryView>,
}

#[derive(Debug, Serialize)]
pub(super) struct AspectView {
    pub(super) attribute: String,
    pub(super) values: Vec<String>,
}

/// One entry: yes or no, and the words for it.
#[derive(Debug, Serialize)]
pub(super) struct EntryView {
    /// Whether anything is kept or allowed.
    pub(super) yes: bool,
    pub(super) words: String,
    /// The keep rules behind it.
    pub(super) terms: Vec<TermView>,
}

#[derive(Debug, Serialize)]
pub(super) struct TermView {
    pub(super) words: String,
    pub(super) rule: usize,
    pub(super) why: String,
}

#[derive(Debug, Serialize)]
pub(super) struct RuleView {
    pub(super) rule: usize,
    pub(super) line: u32,
    pub(super) class: String,
    pub(super) term: String,
    pub(super) from: Vec<String>,
    pub(super) when: String,
    pub(super) why: String,
}

#[derive(Debug, Serialize)]
pub(super) struct UseView {
    pub(super) line: u32,
    pub(super) purpose: String,
    pub(super) class: String,
    pub(super) when: String,
}

#[derive(Debug, Serialize)]
pub(super) struct NeverView {
    pub(super) line: u32,
    pub(super) words: String,
}

impl View {
    pub(super) fn new(lineage: &Lineage, version: VersionIx) -> Self {
        let tree = lineage.tree(version);
        let matrix = lineage.matrix(version);
        Self {
            policy: tree.policy.clone(),
            version: tree.name.clone(),
            title: tree.title.clone(),
            settings: settings(tree),
            surfaces: surfaces(tree),
            regions: tree.regions.iter().map(|r| named(&r.name, r.countries.join(", "))).collect(),
            purposes: purposes(tree),
            sections: matrix.sections.iter().map(|section| section_view(tree, section)).collect(),
            rules: rules(tree),
            uses: uses(tree),
            nevers: tree
                .nevers
                .iter()
                .zip(nevers(tree))
                .map(|(never, words)| NeverView { line: never.at.line, words })
                .collect(),
            standings: Standing::ALL.iter().map(|s| named(s.word(), standing_words(*s).to_owned())).collect(),
            notes: notes(tree),
        }
    }
}

fn named(name: &str, words: String) -> Named {
    Named { name: name.to_owned(), words }
}

fn settings(tree: &Version) -> Vec<Named> {
    let mut settings =
        vec![named("Announced", date(tree.announced)), named("Effective", date(tree.effective))];
    if let Some(by) = tree.decide_by {
        let after = match tree.undecided {
            Undecided::Block => "after it, one must choose before going on",
            Undecided::Remind => "after it, one is reminded",
        };
        settings.push(named("Decide by", format!("{}; {after}", date(by))));
    }
    settings.push(named("Grace", format!("{}, for copies that a released hold had kept", tree.grace)));
    settings.push(named("Proof", format!("decisions of a closed account are kept for {}", tree.proof)));
    settings.push(named(
        "A month",
        match tree.months {
            MonthLength::Calendar => "runs by the calendar".to_owned(),
            MonthLength::ThirtyDays => "is 30 days".to_owned(),
        },
    ));
    settings
}

fn surfaces(tree: &Version) -> Vec<Named> {
    let mut regimes: Vec<_> = tree.surfaces.iter().map(|surface| surface.regime).collect();
    regimes.sort();
    regimes.dedup();
    let of_regime = |regime: tenure_model::Regime| {
        let names = tree.surfaces.iter().filter(|surface| surface.regime == regime).map(|surface| {
            match &surface.was {
                Some(was) => format!("{} (was {was})", surface.name),
                None => surface.name.clone(),
            }
        });
        named(regime.word(), names.collect::<Vec<_>>().join(", "))
    };
    regimes.into_iter().map(of_regime).collect()
}

fn purposes(tree: &Version) -> Vec<PurposeView> {
    let view = |purpose: &tenure_policy::language::Purpose| {
        let mut words = capital(&ground_words(purpose.ground));
        if let Some(regimes) = &purpose.regimes {
            let regimes: Vec<_> = regimes.iter().map(ToString::to_string).collect();
            words = format!("{words}; on {} surfaces", and(&regimes));
        }
        if purpose.is_chosen() {
            words.push_str(match purpose.reach {
                Reach::Message => "; a choice takes in single messages",
                Reach::Conversation => "; a choice takes in whole conversations",
            });
        }
        words.push('.');
        PurposeView {
            name: purpose.name.clone(),
            title: purpose.title.clone(),
            ground: purpose.ground.word().to_owned(),
            words,
            line: purpose.at.line,
        }
    };
    tree.purposes.iter().map(view).collect()
}

fn section_view(tree: &Version, section: &Section) -> SectionView {
    let regimes: Vec<_> = section.regimes.iter().map(ToString::to_string).collect();
    SectionView {
        heading: format!("{}: {}", capital(&and(&regimes)), section.surfaces.join(", ")),
        regimes,
        surfaces: section.surfaces.clone(),
        never: never(section),
        always: section
            .always
            .iter()
            .filter(|(_, entry)| !is_nothing(entry))
            .map(|(column, found)| AlwaysView { column: heading(column), entry: entry(tree, column, found) })
            .collect(),
        grids: section.grids.iter().map(|grid| grid_view(tree, grid)).collect(),
    }
}

fn is_nothing(entry: &Entry) -> bool {
    match entry {
        Entry::Kept(terms) => terms.is_empty(),
        Entry::Used(classes) => classes.is_empty(),
    }
}

fn never(section: &Section) -> String {
    let nothing = || section.always.iter().filter(|(_, entry)| is_nothing(entry)).map(|(column, _)| column);
    let kept: Vec<String> = nothing()
        .filter_map(|column| if let Column::Class(name) = column { Some(name.clone()) } else { None })
        .collect();
    let used: Vec<String> = nothing()
        .filter_map(|column| if let Column::Purpose(name) = column { Some(name.clone()) } else { None })
        .collect();
    let mut sentences = Vec::new();
    if !kept.is_empty() {
        sentences.push(format!("Never kept: {}.", kept.join(", ")));
    }
    if !used.is_empty() {
        sentences.push(format!("Never used for: {}.", used.join(", ")));
    }
    sentences.join(" ")
}

fn grid_view(tree: &Version, grid: &Grid) -> GridView {
    let of = |wanted: fn(&Column) -> Option<&String>| -> Vec<String> {
        grid.columns.iter().filter_map(wanted).cloned().collect()
    };
    let classes = of(|column| if let Column::Class(name) = column { Some(name) } else { None });
    let also = of(|column| if let Column::Also(name) = column { Some(name) } else { None });
    let purposes = of(|column| if let Column::Purpose(name) = column { Some(name) } else { None });
    let mut caption = Vec::new();
    if !classes.is_empty() {
        let are = if classes.len() == 1 { "is" } else { "are" };
        caption.push(format!("how long {} {are} kept", and(&classes)));
    }
    if !also.is_empty() {
        caption.push(format!("how much longer {} may be kept than the terms above", and(&also)));
    }
    if !purposes.is_empty() {
        caption.push(format!("whether it may be used for {}", and(&purposes)));
    }
    GridView {
        caption: capital(&caption.join(", and ")),
        columns: grid.columns.iter().map(column_view).collect(),
        rows: grid.rows.iter().map(|row| row_view(tree, &grid.columns, row)).collect(),
    }
}

fn heading(column: &Column) -> String {
    match column {
        Column::Class(class) => class.clone(),
        Column::Also(class) => format!("{class}, also"),
        Column::Purpose(purpose) => format!("use: {purpose}"),
    }
}

fn column_view(column: &Column) -> ColumnView {
    let (kind, name) = match column {
        Column::Class(name) => ("class", name),
        Column::Also(name) => ("also", name),
        Column::Purpose(name) => ("purpose", name),
    };
    ColumnView { kind, name: name.clone(), heading: heading(column) }
}

fn row_view(tree: &Version, columns: &[Column], row: &Row) -> RowView {
    let aspects = row.situation.0.iter();
    RowView {
        situation: capital(&row.situation.to_string()),
        when: aspects
            .map(|aspect| AspectView { attribute: aspect.attribute.clone(), values: aspect.values.clone() })
            .collect(),
        entries: columns.iter().zip(&row.entries).map(|(column, found)| entry(tree, column, found)).collect(),
    }
}

fn entry(tree: &Version, column: &Column, entry: &Entry) -> EntryView {
    match entry {
        Entry::Kept(terms) => EntryView {
            yes: !terms.is_empty(),
            words: match column {
                Column::Also(_) if terms.is_empty() => "nothing more".to_owned(),
                _ => entry.to_string(),
            },
            terms: terms
                .iter()
                .map(|term| TermView {
                    words: term.to_string(),
                    rule: term.rule,
                    why: tree.keeps.get(term.rule).map(|rule| rule.why.clone()).unwrap_or_default(),
                })
                .collect(),
        },
        Entry::Used(classes) => {
            let Column::Purpose(purpose) = column else {
                return EntryView { yes: false, words: String::new(), terms: Vec::new() };
            };
            let mut known: Vec<&str> = tree
                .uses
                .iter()
                .filter(|rule| rule.purpose == *purpose)
                .map(|rule| rule.class.as_str())
                .collect();
            known.sort_unstable();
            known.dedup();
            // Where a purpose only ever uses one class, naming it in every row says nothing.
            let words =
                if known.len() <= 1 && !classes.is_empty() { "yes".to_owned() } else { entry.to_string() };
            EntryView { yes: !classes.is_empty(), words, terms: Vec::new() }
        }
    }
}

fn rules(tree: &Version) -> Vec<RuleView> {
    let view = |(rule, keep): (usize, &tenure_policy::language::Keep)| RuleView {
        rule,
        line: keep.at.line,
        class: keep.class.clone(),
        term: keep.term.to_string(),
        from: keep.from.iter().map(ToString::to_string).collect(),
        when: condition_words(&keep.when),
        why: keep.why.clone(),
    };
    tree.keeps.iter().enumerate().map(view).collect()
}

fn uses(tree: &Version) -> Vec<UseView> {
    let view = |rule: &tenure_policy::language::Use| UseView {
        line: rule.at.line,
        purpose: rule.purpose.clone(),
        class: rule.class.clone(),
        when: condition_words(&rule.when),
    };
    tree.uses.iter().map(view).collect()
}

fn notes(tree: &Version) -> Vec<String> {
    let mut notes = vec![
        "A copy is kept until the latest of its terms. \"Not kept\" means that nothing in the policy keeps it: it is destroyed, unless a hold covers it.".to_owned(),
        "Where it is unknown whether a person is a minor, whether something is flagged, or which country it is from, every keep rule that could apply does, and no use rule that asks about it.".to_owned(),
        "Something may be used only while the copy it is used from is kept by one of these terms; a hold never allows a use.".to_owned(),
    ];
    if tree.uses.iter().any(|rule| rule.when.region.is_some()) {
        notes.push(
            "A use must be allowed in the country of the record and also in the account's present country."
                .to_owned(),
        );
    }
    notes
}
