//! A version as the text of its file.

use std::fmt::{Display, Write};

use tenure_model::MonthLength;
use tenure_policy::language::{Condition, Flag, Forbidden, Ground, Reach, Undecided, Version};

/// The policy file that says what the version says.
pub fn render(version: &Version) -> String {
    let mut out = String::new();
    // Writing to a string can't fail.
    write(version, &mut out).unwrap_or_default();
    out
}

fn write(version: &Version, out: &mut String) -> std::fmt::Result {
    header(version, out)?;
    if !version.regions.is_empty() {
        writeln!(out, "\n[regions]")?;
        for region in &version.regions {
            writeln!(out, "{} = [{}]", quoted(&region.name), all(&region.countries))?;
        }
    }
    writeln!(out, "\n[surfaces]")?;
    for surface in &version.surfaces {
        write!(out, "{} = {{ regime = {}", quoted(&surface.name), quoted(surface.regime))?;
        if let Some(was) = &surface.was {
            write!(out, ", was = {}", quoted(was))?;
        }
        writeln!(out, " }}")?;
    }
    for purpose in &version.purposes {
        writeln!(out, "\n[purposes.{}]\ntitle = {}", quoted(&purpose.name), quoted(&purpose.title))?;
        writeln!(out, "ground = {}", quoted(purpose.ground.word()))?;
        if let Ground::Objection { wait } = purpose.ground {
            writeln!(out, "wait = {}", quoted(wait))?;
        }
        if let Some(regimes) = &purpose.regimes {
            writeln!(out, "regimes = [{}]", all(regimes))?;
        }
        if purpose.reach == Reach::Message {
            writeln!(out, "reach = \"message\"")?;
        }
    }
    rules(version, out)
}

fn header(version: &Version, out: &mut String) -> std::fmt::Result {
    writeln!(out, "policy = {}\nversion = {}", quoted(&version.policy), quoted(&version.name))?;
    writeln!(out, "title = {}", quoted(&version.title))?;
    writeln!(out, "announced = {}\neffective = {}", version.announced, version.effective)?;
    if let Some(decide_by) = version.decide_by {
        writeln!(out, "decide_by = {decide_by}")?;
    }
    if version.undecided == Undecided::Block {
        writeln!(out, "undecided = \"block\"")?;
    }
    writeln!(out, "grace = {}\nproof = {}", quoted(version.grace), quoted(version.proof))?;
    if version.months == MonthLength::ThirtyDays {
        writeln!(out, "months = \"30 days\"")?;
    }
    writeln!(out, "bodies = [{}]\nfacts = [{}]", all(&version.bodies), all(&version.facts))
}

fn rules(version: &Version, out: &mut String) -> std::fmt::Result {
    for keep in &version.keeps {
        writeln!(out, "\n[[keep]]\nclass = {}", quoted(&keep.class))?;
        when(&keep.when, out)?;
        writeln!(out, "for = {}\nfrom = {}", quoted(keep.term), one_or_more(&keep.from))?;
        writeln!(out, "why = {}", quoted(&keep.why))?;
    }
    for used in &version.uses {
        writeln!(out, "\n[[use]]\npurpose = {}\nclass = {}", quoted(&used.purpose), quoted(&used.class))?;
        when(&used.when, out)?;
    }
    for never in &version.nevers {
        writeln!(out, "\n[[never]]")?;
        match &never.what {
            Forbidden::Use { purpose } => writeln!(out, "use = {}", quoted(purpose))?,
            Forbidden::Keep { class, longer_than } => {
                writeln!(out, "keep = {}", quoted(class))?;
                if let Some(longest) = longer_than {
                    writeln!(out, "longer_than = {}", quoted(longest))?;
                }
            }
        }
        when(&never.when, out)?;
    }
    Ok(())
}

fn when(when: &Condition, out: &mut String) -> std::fmt::Result {
    let mut parts = Vec::new();
    let mut part = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            parts.push(format!("{name} = {value}"));
        }
    };
    part("regime", when.regime.as_deref().map(one_or_more));
    part("surface", when.surface.as_deref().map(one_or_more));
    part("kind", when.kind.as_deref().map(one_or_more));
    part("mode", when.mode.as_deref().map(one_or_more));
    part("region", when.region.as_deref().map(one_or_more));
    for (purpose, standings) in &when.standing {
        part(&format!("standing.{}", quoted(purpose)), Some(one_or_more(standings)));
    }
    for flag in Flag::ALL {
        let values = when.flags.iter().find(|(name, _)| name == flag).map(|(_, values)| values);
        part(flag.word(), values.map(|values| booleans(values)));
    }
    if parts.is_empty() { Ok(()) } else { writeln!(out, "when = {{ {} }}", parts.join(", ")) }
}

fn booleans(values: &[bool]) -> String {
    match values {
        [value] => value.to_string(),
        values => format!("{values:?}"),
    }
}

fn one_or_more<T: Display>(values: &[T]) -> String {
    match values {
        [value] => quoted(value),
        values => format!("[{}]", all(values)),
    }
}

fn all<T: Display>(values: &[T]) -> String {
    values.iter().map(quoted).collect::<Vec<_>>().join(", ")
}

/// The generator's names and words have nothing in them that TOML would have to escape.
fn quoted(value: impl Display) -> String {
    format!("\"{value}\"")
}
