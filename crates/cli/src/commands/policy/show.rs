//! `tenure policy show`: the matrix of a version, for the terminal or as a page.

use std::fs;
use std::path::Path;

use anyhow::Context as _;
use askama::Template;

use super::load::{Sources, print_refusals};
use super::view::{EntryView, GridView, SectionView, TermView, View};
use crate::output::{heading, width, wrapped};
use crate::{Exit, output};

#[derive(Debug, Template)]
#[template(path = "policy.html")]
struct Page<'v> {
    view: &'v View,
}

pub(super) fn run(
    path: &Path,
    version: Option<&str>,
    html: Option<&Path>,
    json: bool,
) -> anyhow::Result<Exit> {
    let sources = Sources::read(&[path])?;
    let lineage = match sources.compile() {
        Ok(lineage) => lineage,
        Err(refusals) => {
            print_refusals(&sources, &refusals, json, &mut std::io::stdout().lock())?;
            return Ok(Exit::Refused);
        }
    };
    let shown = match version {
        Some(name) => lineage.version(name).with_context(|| {
            let known: Vec<_> = lineage.versions().map(|(_, tree)| tree.name.as_str()).collect();
            format!("there is no version `{name}` here: use one of {}", known.join(", "))
        })?,
        None => lineage.versions().last().map(|(newest, _)| newest).context("there is no version to show")?,
    };
    let view = View::new(&lineage, shown);
    if let Some(file) = html {
        write_page(file, &Page { view: &view })?;
    }
    match html {
        _ if json => output::say_json(&view)?,
        Some(file) => output::say(format_args!("Wrote {}.", file.display()))?,
        None => print(&view)?,
    }
    Ok(Exit::Done)
}

/// Renders a page into a file.
pub(super) fn write_page(file: &Path, page: &impl Template) -> anyhow::Result<()> {
    let page = page.render().context("the page could not be written")?;
    fs::write(file, page)
        .with_context(|| format!("`{}` can't be written: check that its folder exists", file.display()))
}

fn print(view: &View) -> anyhow::Result<()> {
    let width = width();
    output::say(heading(&format!("{} {}", view.policy, view.version)))?;
    output::say(wrapped(&view.title, 0, width))?;
    for named in view.settings.iter().chain(&view.regions) {
        output::say(wrapped(&format!("{}: {}", named.name, named.words), 2, width))?;
    }
    if !view.purposes.is_empty() {
        output::say(format_args!("\n{}", heading("Purposes")))?;
        for purpose in &view.purposes {
            let words = format!("{}: {}. {}", purpose.name, purpose.title, purpose.words);
            output::say(wrapped(&words, 2, width))?;
        }
    }
    for section in &view.sections {
        print_section(section, width)?;
    }
    print_rules(view, width)?;
    if !view.nevers.is_empty() {
        output::say(format_args!("\n{}", heading("What can never happen")))?;
        output::say(wrapped(
            "Proved over every case when the file is compiled: it is always so that",
            2,
            width,
        ))?;
        for never in &view.nevers {
            output::say(wrapped(&format!("line {}: {}", never.line, never.words), 4, width))?;
        }
    }
    output::say(format_args!("\n{}", heading("How to read this")))?;
    for standing in &view.standings {
        output::say(wrapped(&format!("{}: {}", standing.name, standing.words), 2, width))?;
    }
    for note in &view.notes {
        output::say(wrapped(note, 2, width))?;
    }
    Ok(())
}

fn print_section(section: &SectionView, width: usize) -> anyhow::Result<()> {
    output::say(format_args!("\n{}", heading(&section.heading)))?;
    if !section.never.is_empty() {
        output::say(wrapped(&section.never, 2, width))?;
    }
    for always in &section.always {
        let words = format!("Always: {}: {}.", always.column, numbered(&[&always.entry]));
        output::say(wrapped(&words, 2, width))?;
    }
    for grid in &section.grids {
        output::say(format_args!("\n{}", wrapped(&grid.caption, 2, width)))?;
        print_grid(grid, width)?;
    }
    Ok(())
}

fn print_grid(grid: &GridView, width: usize) -> anyhow::Result<()> {
    let mut table = output::table([]);
    table.set_width(u16::try_from(width).unwrap_or(u16::MAX));
    let columns = alike(grid);
    let heading = |columns: &Vec<usize>| {
        let headings = columns.iter().filter_map(|place| grid.columns.get(*place));
        headings.map(|column| column.heading.as_str()).collect::<Vec<_>>().join(", ")
    };
    table.set_header(["When".to_owned()].into_iter().chain(columns.iter().map(heading)));
    for (index, row) in grid.rows.iter().enumerate() {
        // Rows run over several lines, so white space tells them apart.
        if index > 0 {
            table.add_row(vec![String::new(); columns.len() + 1]);
        }
        let entry = |columns: &Vec<usize>| {
            numbered(&columns.iter().filter_map(|place| row.entries.get(*place)).collect::<Vec<_>>())
        };
        table.add_row([row.situation.clone()].into_iter().chain(columns.iter().map(entry)));
    }
    output::say(table.trim_fmt())
}

/// The columns, gathered where they say the same in every row: a terminal has no room to repeat it.
fn alike(grid: &GridView) -> Vec<Vec<usize>> {
    let same = |a: usize, b: usize| {
        let kinds = grid.columns.get(a).zip(grid.columns.get(b));
        kinds.is_some_and(|(a, b)| a.kind == b.kind)
            && grid.rows.iter().all(|row| {
                row.entries.get(a).zip(row.entries.get(b)).is_some_and(|(a, b)| a.words == b.words)
            })
    };
    let mut gathered: Vec<Vec<usize>> = Vec::new();
    for place in 0..grid.columns.len() {
        match gathered.iter_mut().find(|known| known.first().is_some_and(|first| same(*first, place))) {
            Some(known) => known.push(place),
            None => gathered.push(vec![place]),
        }
    }
    gathered
}

/// Entries that say the same, with the numbers of their rules, which are explained below the tables.
fn numbered(entries: &[&EntryView]) -> String {
    let Some(first) = entries.first() else { return String::new() };
    if first.terms.is_empty() {
        return first.words.clone();
    }
    let of_term = |(place, term): (usize, &TermView)| {
        let rules = entries.iter().filter_map(|entry| entry.terms.get(place));
        let rules: Vec<_> = rules.map(|term| term.rule.to_string()).collect();
        format!("{} [{}]", term.words, rules.join(", "))
    };
    first.terms.iter().enumerate().map(of_term).collect::<Vec<_>>().join(" or, if later, ")
}

fn print_rules(view: &View, width: usize) -> anyhow::Result<()> {
    output::say(format_args!("\n{}", heading("Rules")))?;
    for rule in &view.rules {
        let when = if rule.when.is_empty() { String::new() } else { format!(", where {}", rule.when) };
        let words = format!(
            "[{}] line {}: {}. Keeps {} {} from {}{when}.",
            rule.rule,
            rule.line,
            rule.why,
            rule.class,
            if rule.term == "indefinite" { "indefinitely".to_owned() } else { format!("for {}", rule.term) },
            rule.from.join(", "),
        );
        output::say(wrapped(&words, 2, width))?;
    }
    for rule in &view.uses {
        let when = if rule.when.is_empty() { String::new() } else { format!(", where {}", rule.when) };
        let words = format!("line {}: {} may use {}{when}.", rule.line, rule.purpose, rule.class);
        output::say(wrapped(&words, 2, width))?;
    }
    Ok(())
}
