//! `tenure policy diff`: what changes from one version to another, and for whom.

use std::path::Path;

use anyhow::{Context as _, bail};
use askama::Template;
use serde::Serialize;
use tenure_policy::diff::{self, Diff, SurfaceChange, TermChange, Value};
use tenure_policy::language::{Diagnostics, Undecided, Version};
use tenure_policy::matrix::Column;
use tenure_policy::{Lineage, diff::Direction};

use super::load::{Complaint, Sources, complaints, print_refusals};
use super::show::write_page;
use crate::output::{heading, width, wrapped};
use crate::speech::{and, capital, date};
use crate::{Exit, output};

/// What to compare.
pub(super) struct Asked<'a> {
    pub(super) a: &'a Path,
    pub(super) b: Option<&'a Path>,
    pub(super) from: Option<&'a str>,
    pub(super) to: Option<&'a str>,
}

/// A difference, in the words that the terminal, the page and programs share.
#[derive(Debug, Serialize)]
struct View {
    accepted: bool,
    policy: String,
    from: String,
    to: String,
    /// The most important thing, in one sentence.
    summary: String,
    people: Vec<PeopleView>,
    terms: Vec<TermView>,
    lists: Vec<ListView>,
}

#[derive(Debug, Serialize)]
struct PeopleView {
    regime: String,
    surfaces: Vec<String>,
    asked: bool,
    words: String,
    widenings: Vec<String>,
}

#[derive(Debug, Serialize)]
struct TermView {
    kind: &'static str,
    name: String,
    heading: String,
    direction: &'static str,
    regimes: Vec<String>,
    situations: Vec<String>,
    before: String,
    after: String,
}

/// A heading with what is said under it.
#[derive(Debug, Serialize)]
struct ListView {
    heading: &'static str,
    lines: Vec<String>,
}

#[derive(Debug, Template)]
#[template(path = "diff.html")]
struct Page<'v> {
    view: &'v View,
    refusals: Vec<Complaint<'v>>,
}

pub(super) fn run(asked: &Asked<'_>, html: Option<&Path>, json: bool) -> anyhow::Result<Exit> {
    let paths: Vec<&Path> = [asked.a].into_iter().chain(asked.b).collect();
    let sources = Sources::read(&paths)?;
    let versions = match sources.parse() {
        Ok(mut versions) => {
            versions.sort_by(|a, b| (a.announced, &a.name).cmp(&(b.announced, &b.name)));
            versions
        }
        Err(refusals) => {
            print_refusals(&sources, &refusals, json, &mut std::io::stdout().lock())?;
            return Ok(Exit::Refused);
        }
    };
    let (older, newer) = chosen(&versions, asked)?;
    let refusals = Lineage::compile(versions.clone()).err().unwrap_or(Diagnostics(Vec::new()));
    let Some(found) = diff::between(&versions, &older.name, &newer.name) else {
        print_refusals(&sources, &refusals, json, &mut std::io::stdout().lock())?;
        return Ok(Exit::Refused);
    };
    let view = view(&found, older, newer, refusals.0.is_empty());
    if let Some(file) = html {
        write_page(file, &Page { view: &view, refusals: complaints(&refusals.0) })?;
    }
    if json {
        let mut value = serde_json::to_value(&view)?;
        if let Some(object) = value.as_object_mut() {
            object.insert("refusals".to_owned(), serde_json::to_value(complaints(&refusals.0))?);
        }
        output::say_json(&value)?;
    } else {
        match html {
            Some(file) => output::say(format_args!("Wrote {}.", file.display()))?,
            None => print(&view)?,
        }
        if !refusals.0.is_empty() {
            print_refusals(&sources, &refusals, false, &mut std::io::stdout().lock())?;
        }
    }
    Ok(if refusals.0.is_empty() { Exit::Done } else { Exit::Refused })
}

/// The two versions: by name if given, else the one of each file.
fn chosen<'v>(versions: &'v [Version], asked: &Asked<'_>) -> anyhow::Result<(&'v Version, &'v Version)> {
    let named = |name: &str| {
        versions.iter().find(|version| version.name == name).with_context(|| {
            let known: Vec<_> = versions.iter().map(|version| version.name.as_str()).collect();
            format!("there is no version `{name}` here: use one of {}", known.join(", "))
        })
    };
    if let [a, b] = versions
        && asked.b.is_some()
        && a.name == b.name
    {
        bail!("both files are version `{}`: give the newer one a name of its own", a.name);
    }
    let of_file = |path: &Path, which: &str| {
        let inside = |version: &&Version| Path::new(&version.file).starts_with(path);
        let mut inside = versions.iter().filter(inside);
        match (inside.next(), inside.next()) {
            (Some(version), None) => Ok(version),
            _ => bail!("`{}` has several versions: say which with `--{which} VERSION`", path.display()),
        }
    };
    let older = match asked.from {
        Some(name) => named(name)?,
        None => of_file(asked.a, "from")?,
    };
    let newer = match (asked.to, asked.b) {
        (Some(name), _) => named(name)?,
        (None, Some(b)) => of_file(b, "to")?,
        (None, None) => bail!("say which version to compare with: a second file, or `--to VERSION`"),
    };
    if older.name == newer.name {
        bail!("both are version `{}`: name two versions", older.name);
    }
    Ok((older, newer))
}

fn view(found: &Diff, older: &Version, newer: &Version, accepted: bool) -> View {
    let people: Vec<_> = found.regimes.iter().map(|asked| people_view(asked, older, newer)).collect();
    let terms: Vec<_> = found.terms.iter().map(term_view).collect();
    View {
        accepted,
        policy: newer.policy.clone(),
        from: older.name.clone(),
        to: newer.name.clone(),
        summary: summary(found, &people, accepted),
        people,
        terms,
        lists: lists(found),
    }
}

fn summary(found: &Diff, people: &[PeopleView], accepted: bool) -> String {
    let asked: Vec<String> =
        people.iter().filter(|people| people.asked).flat_map(|people| people.surfaces.clone()).collect();
    let who = if !accepted {
        "This change is refused, so it can't bind anyone".to_owned()
    } else if asked.is_empty() {
        "Nobody has to be asked".to_owned()
    } else {
        format!("People on {} must be asked", and(&asked))
    };
    let count = |direction: Direction| found.terms.iter().filter(|term| term.direction == direction).count();
    let counts = [
        (count(Direction::Longer), "longer"),
        (count(Direction::Shorter), "shorter"),
        (count(Direction::Different), "by other dates"),
        (count(Direction::Allowed), "newly allowed"),
        (count(Direction::Stopped), "no longer allowed"),
    ];
    let counts: Vec<String> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{count} {word}"))
        .collect();
    if counts.is_empty() {
        format!("{who}. What is kept and what it may be used for stays as it was.")
    } else {
        format!("{who}. Changes in what is kept or allowed: {}.", and(&counts))
    }
}

fn people_view(asked: &diff::Asked, older: &Version, newer: &Version) -> PeopleView {
    let must = !asked.widenings.is_empty();
    let words = if !must {
        format!("nobody is asked. Nothing is wider there, so it moves by itself on {}", date(newer.effective))
    } else if !asked.has_question {
        "refused. It is wider there, but no purpose of it asks for consent".to_owned()
    } else {
        let by = match (newer.decide_by, newer.undecided) {
            (Some(by), Undecided::Block) => {
                format!("; from {} on they must choose before going on", date(by))
            }
            (Some(by), Undecided::Remind) => format!("; from {} on they are reminded", date(by)),
            (None, _) => String::new(),
        };
        format!("must be asked. Each person stays under {} until they answer or acknowledge{by}", older.name)
    };
    let mut widenings: Vec<String> =
        asked.widenings.iter().map(|(at, words)| format!("line {}: {words}", at.line)).collect();
    widenings.dedup();
    PeopleView {
        regime: asked.regime.to_string(),
        surfaces: asked.surfaces.clone(),
        asked: must && asked.has_question,
        words,
        widenings,
    }
}

fn term_view(change: &TermChange) -> TermView {
    let (kind, name) = match &change.column {
        Column::Class(name) | Column::Also(name) => ("class", name),
        Column::Purpose(name) => ("purpose", name),
    };
    let heading = match (&change.column, change.direction) {
        (Column::Class(_), Direction::Longer) => format!("{name}: kept longer"),
        (Column::Class(_), Direction::Shorter) => format!("{name}: kept shorter"),
        (Column::Class(_), _) => format!("{name}: kept by other dates"),
        (Column::Also(_), direction) => {
            format!("{name}: kept {} because of a flag or feedback", direction.word())
        }
        (Column::Purpose(_), Direction::Allowed) => format!("use for {name}: newly allowed"),
        (Column::Purpose(_), Direction::Stopped) => format!("use for {name}: no longer allowed"),
        (Column::Purpose(_), _) => format!("use for {name}: of other classes"),
    };
    TermView {
        kind,
        name: name.clone(),
        heading,
        direction: change.direction.word(),
        regimes: change.regimes.iter().map(ToString::to_string).collect(),
        situations: change.situations.iter().map(|situation| capital(&situation.to_string())).collect(),
        before: change.before.to_string(),
        after: change.after.to_string(),
    }
}

fn lists(found: &Diff) -> Vec<ListView> {
    let value = |value: &Value| match value {
        Value::Absent => "none".to_owned(),
        Value::Words(words) if words.is_empty() => "none".to_owned(),
        Value::Words(words) => words.clone(),
        Value::Instant(instant) => date(*instant),
    };
    let surface = |change: &SurfaceChange| match change {
        SurfaceChange::Added(name, regime) => format!("{name} ({regime}) is new"),
        SurfaceChange::Removed(name, regime) => format!("{name} ({regime}) is no longer a surface"),
        SurfaceChange::Renamed { from, to, regime } => format!("{from} ({regime}) is now called {to}"),
    };
    let all = [
        (
            "Dates and settings",
            found
                .settings
                .iter()
                .map(|setting| {
                    format!("{}: {} becomes {}", setting.name, value(&setting.before), value(&setting.after))
                })
                .collect::<Vec<_>>(),
        ),
        ("Purposes", found.purposes.iter().map(|(name, words)| format!("{name}: {words}")).collect()),
        ("Surfaces", found.surfaces.iter().map(surface).collect()),
        (
            "Regions",
            found
                .regions
                .iter()
                .map(|change| {
                    format!("from {} to {}: {}", change.from, change.to, change.countries.join(", "))
                })
                .collect(),
        ),
        (
            "What can never happen any more",
            found.nevers_added.iter().map(|never| format!("It is now always so that {never}")).collect(),
        ),
        (
            "What is no longer ruled out",
            found.nevers_removed.iter().map(|never| format!("It is no longer proved that {never}")).collect(),
        ),
    ];
    let named = all.into_iter().filter(|(_, lines)| !lines.is_empty());
    named.map(|(heading, lines)| ListView { heading, lines }).collect()
}

fn print(view: &View) -> anyhow::Result<()> {
    let width = width();
    output::say(heading(&format!("{}: from {} to {}", view.policy, view.from, view.to)))?;
    output::say(wrapped(&view.summary, 0, width))?;
    output::say(format_args!("\n{}", heading("Who is asked")))?;
    for people in &view.people {
        let words =
            format!("{} ({}): {}.", capital(&people.regime), people.surfaces.join(", "), people.words);
        output::say(wrapped(&words, 2, width))?;
        for widening in &people.widenings {
            output::say(wrapped(widening, 6, width))?;
        }
    }
    if !view.terms.is_empty() {
        output::say(format_args!("\n{}", heading("What changes for records")))?;
    }
    for term in &view.terms {
        let words = format!("{} ({})", term.heading, and(&term.regimes));
        output::say(wrapped(&words, 2, width))?;
        for situation in &term.situations {
            output::say(wrapped(&format!("when: {situation}"), 6, width))?;
        }
        output::say(wrapped(&format!("was:  {}", term.before), 6, width))?;
        output::say(wrapped(&format!("now:  {}", term.after), 6, width))?;
    }
    for list in &view.lists {
        output::say(format_args!("\n{}", heading(list.heading)))?;
        for line in &list.lines {
            output::say(wrapped(line, 2, width))?;
        }
    }
    output::say("")
}
