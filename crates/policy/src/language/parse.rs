//! From TOML to a [`Version`].

use std::collections::BTreeMap;

use tenure_model::{MonthLength, Regime, Span, Term, is_iso_3166};
use toml::de::DeTable;

use super::fields::{Fields, Source, Value};
use super::{
    Anchor, Condition, Diagnostics, Flag, Forbidden, Ground, Keep, Never, Position, Purpose, Reach, Region,
    Surface, Undecided, Use, Version,
};

/// Reads one policy file.
///
/// `file` is only named in complaints. Every complaint is reported, with its line and column, not
/// just the first.
pub fn parse(file: &str, text: &str) -> Result<Version, Diagnostics> {
    let source = Source::new(file, text);
    let document = match DeTable::parse(text) {
        Ok(document) => document,
        Err(error) => {
            let span = error.span().unwrap_or(0..0);
            source.complain(span, format!("this is not TOML: {}", error.message()));
            return Err(Diagnostics(source.into_complaints()));
        }
    };
    let version = version(Fields::new(&source, document.get_ref(), 0..0));
    let complaints = source.into_complaints();
    match version {
        Some(version) if complaints.is_empty() => Ok(version),
        _ => Err(Diagnostics(complaints)),
    }
}

/// The names that rules may use.
struct Names<'v> {
    classes: Vec<&'v str>,
    regions: &'v [Region],
    surfaces: &'v [Surface],
    purposes: &'v [Purpose],
}

fn version(mut fields: Fields<'_, '_>) -> Option<Version> {
    let policy = fields.required("policy").and_then(Value::name);
    let name = fields.required("version").and_then(Value::name);
    let title = fields.required("title").and_then(Value::text).map(str::to_owned);
    let announced = fields.required("announced").and_then(Value::instant);
    let effective = fields.required("effective").and_then(Value::instant);
    let decide_by = fields.optional("decide_by").and_then(Value::instant);
    let undecided = fields.optional("undecided").and_then(undecided).unwrap_or(Undecided::Remind);
    let grace = fields.required("grace").and_then(Value::word::<Span>);
    let proof = fields.optional("proof").and_then(Value::word::<Span>).unwrap_or(Span::years(6));
    let months = fields.optional("months").and_then(months).unwrap_or_default();
    let (bodies, facts) = classes(&mut fields);
    let regions = fields.optional("regions").and_then(regions).unwrap_or_default();
    let surfaces = fields.required("surfaces").and_then(surfaces).unwrap_or_default();
    let purposes = fields.optional("purposes").and_then(purposes).unwrap_or_default();

    let names = Names {
        classes: bodies.iter().chain(&facts).map(String::as_str).collect(),
        regions: &regions,
        surfaces: &surfaces,
        purposes: &purposes,
    };
    let keeps = rules(&mut fields, "keep", |fields| keep(fields, &names));
    let uses = rules(&mut fields, "use", |fields| use_rule(fields, &names));
    let nevers = rules(&mut fields, "never", |fields| never(fields, &names));
    let file = fields.file().to_owned();
    fields.finish();
    Some(Version {
        file,
        policy: policy?,
        name: name?,
        title: title?,
        announced: announced?,
        effective: effective?,
        decide_by,
        undecided,
        grace: grace?,
        proof,
        months,
        bodies,
        facts,
        regions,
        surfaces,
        purposes,
        keeps,
        uses,
        nevers,
    })
}

fn undecided(value: Value<'_, '_>) -> Option<Undecided> {
    match value.text()? {
        "block" => Some(Undecided::Block),
        "remind" => Some(Undecided::Remind),
        word => {
            value.complain(format!("unknown value `{word}`: use block or remind"));
            None
        }
    }
}

fn months(value: Value<'_, '_>) -> Option<MonthLength> {
    match value.text()? {
        "calendar" => Some(MonthLength::Calendar),
        "30 days" => Some(MonthLength::ThirtyDays),
        word => {
            value.complain(format!("unknown value `{word}`: use `calendar` or `30 days`"));
            None
        }
    }
}

fn classes(fields: &mut Fields<'_, '_>) -> (Vec<String>, Vec<String>) {
    let (bodies, facts) = (fields.optional("bodies"), fields.optional("facts"));
    if bodies.is_none() && facts.is_none() {
        fields.complain("`bodies` or `facts` is missing: name the classes of copies");
    }
    let mut seen: Vec<String> = Vec::new();
    let mut read = |value: Option<Value<'_, '_>>| -> Vec<String> {
        let values = value.and_then(Value::list).unwrap_or_default();
        let mut names = Vec::new();
        for value in values {
            let Some(name) = value.name() else { continue };
            if seen.contains(&name) {
                value.complain(format!("class `{name}` is named twice"));
                continue;
            }
            seen.push(name.clone());
            names.push(name);
        }
        names
    };
    let bodies = read(bodies);
    (bodies, read(facts))
}

fn regions(value: Value<'_, '_>) -> Option<Vec<Region>> {
    let mut owners: BTreeMap<String, String> = BTreeMap::new();
    let mut regions = Vec::new();
    for (name, at, value) in value.table()?.entries() {
        if name == "other" {
            value.complain("`other` is every country that no region names: choose another name");
            continue;
        }
        let mut countries = Vec::new();
        for value in value.list().unwrap_or_default() {
            let Some(code) = value.text() else { continue };
            if !is_iso_3166(code) {
                value.complain(format!("`{code}` is not an ISO 3166 country code such as `DE` or `GB`"));
            } else if let Some(owner) = owners.insert(code.to_owned(), name.to_owned()) {
                value.complain(if owner == name {
                    format!("country `{code}` is named twice")
                } else {
                    format!(
                        "country `{code}` is in two regions, `{owner}` and `{name}`: it can be in one at most"
                    )
                });
            } else {
                countries.push(code.to_owned());
            }
        }
        regions.push(Region { name: name.to_owned(), countries, at });
    }
    Some(regions)
}

fn surfaces(value: Value<'_, '_>) -> Option<Vec<Surface>> {
    let mut surfaces: Vec<Surface> = Vec::new();
    let table = value.table()?;
    for (name, at, value) in table.entries() {
        let Some(mut fields) = value.table() else { continue };
        let regime = fields.required("regime").and_then(Value::word);
        let was = fields.optional("was").and_then(Value::name);
        fields.finish();
        // A surface that is wrong in itself still has its name, so that no rule is blamed for using it.
        let regime = regime.unwrap_or(Regime::Zero);
        surfaces.push(Surface { name: name.to_owned(), regime, was, at });
    }
    if surfaces.is_empty() {
        value.complain("a policy needs at least one surface");
    }
    for surface in &surfaces {
        let Some(was) = &surface.was else { continue };
        let taken = |other: &&Surface| {
            other.name == *was || (other.name != surface.name && other.was.as_ref() == Some(was))
        };
        if let Some(other) = surfaces.iter().find(taken) {
            let message = format!(
                "surface `{}` says that it was `{was}`, but `{}` is that surface too: one name has one successor",
                surface.name, other.name
            );
            value.source.complain_at(surface.at, message);
        }
    }
    Some(surfaces)
}

fn purposes(value: Value<'_, '_>) -> Option<Vec<Purpose>> {
    let entries = value.table()?.entries();
    Some(entries.into_iter().filter_map(|(name, at, value)| purpose(name, at, value)).collect())
}

fn purpose(name: &str, at: Position, value: Value<'_, '_>) -> Option<Purpose> {
    let mut fields = value.table()?;
    let title = fields.required("title").and_then(Value::text).map(str::to_owned);
    let ground_word = fields.required("ground");
    let wait_value = fields.optional("wait");
    let wait = wait_value.and_then(Value::word::<Span>);
    let ground = ground_word.and_then(|value| match (value.text()?, wait) {
        ("consent", _) => Some(Ground::Consent),
        ("none", _) => Some(Ground::None),
        ("objection", Some(wait)) => Some(Ground::Objection { wait }),
        ("objection", None) => {
            if wait_value.is_none() {
                value.complain("ground `objection` needs a `wait`, such as wait = \"30 days\"");
            }
            None
        }
        (word, _) => {
            value.complain(format!("unknown value `{word}`: use consent, objection or none"));
            None
        }
    });
    if let (Some(value), Some(Ground::Consent | Ground::None)) = (wait_value, ground) {
        value.complain("`wait` belongs to ground `objection` only");
    }
    let regimes_value = fields.optional("regimes");
    if regimes_value.is_none() && !matches!(ground, Some(Ground::None) | None) {
        fields.complain(format!("purpose `{name}` needs `regimes`: say in which regimes people are asked"));
    }
    let regimes = regimes_value.and_then(words);
    let reach = match fields.optional("reach") {
        None => Some(Reach::Conversation),
        Some(value) => match value.text() {
            Some("conversation") => Some(Reach::Conversation),
            Some("message") => Some(Reach::Message),
            Some(word) => {
                value.complain(format!("unknown value `{word}`: use conversation or message"));
                None
            }
            None => None,
        },
    };
    fields.finish();
    // A purpose that is wrong in itself still has its name, so that no rule is blamed for using it.
    Some(Purpose {
        name: name.to_owned(),
        title: title.unwrap_or_default(),
        ground: ground.unwrap_or(Ground::Consent),
        regimes,
        reach: reach.unwrap_or(Reach::Conversation),
        at,
    })
}

/// Reads an array of tables, each with its own position.
fn rules<T>(
    fields: &mut Fields<'_, '_>,
    name: &'static str,
    mut read: impl FnMut(&mut Fields<'_, '_>) -> Option<T>,
) -> Vec<T> {
    let Some(value) = fields.optional(name) else { return Vec::new() };
    let rules = value.list().unwrap_or_default();
    rules
        .into_iter()
        .filter_map(|rule| {
            let mut fields = rule.table()?;
            let rule = read(&mut fields);
            fields.finish();
            rule
        })
        .collect()
}

fn keep(fields: &mut Fields<'_, '_>, names: &Names<'_>) -> Option<Keep> {
    let class = fields.required("class").and_then(|value| class(value, names));
    let when = condition(fields, names);
    let term = fields.required("for").and_then(Value::word::<Term>);
    let from = fields.required("from").and_then(|value| anchors(value, names));
    let why = fields.required("why").and_then(Value::text).map(str::to_owned);
    Some(Keep { class: class?, when: when?, term: term?, from: from?, why: why?, at: fields.at() })
}

fn use_rule(fields: &mut Fields<'_, '_>, names: &Names<'_>) -> Option<Use> {
    let purpose = fields.required("purpose").and_then(|value| purpose_name(value, names));
    let class = match fields.optional("class") {
        Some(value) => class(value, names),
        None if names.classes.contains(&"content") => Some("content".to_owned()),
        None => {
            fields.complain(
                "unknown class `content`, which a use rule means unless it names another: add a `class`",
            );
            None
        }
    };
    let when = condition(fields, names);
    Some(Use { purpose: purpose?, class: class?, when: when?, at: fields.at() })
}

fn never(fields: &mut Fields<'_, '_>, names: &Names<'_>) -> Option<Never> {
    let (used, kept) = (fields.optional("use"), fields.optional("keep"));
    let longer_than_value = fields.optional("longer_than");
    let longer_than = longer_than_value.and_then(Value::word::<Span>);
    let what = match (used, kept) {
        (Some(value), None) => {
            if let Some(value) = longer_than_value {
                value.complain("`longer_than` belongs to a `never` about `keep`");
            }
            purpose_name(value, names).map(|purpose| Forbidden::Use { purpose })
        }
        (None, Some(value)) => class(value, names).map(|class| Forbidden::Keep { class, longer_than }),
        _ => {
            fields.complain("a `never` names either `use` or `keep`");
            None
        }
    };
    let when = condition(fields, names);
    Some(Never { what: what?, when: when?, at: fields.at() })
}

fn class(value: Value<'_, '_>, names: &Names<'_>) -> Option<String> {
    known(value, "class", names.classes.iter().copied())
}

fn purpose_name(value: Value<'_, '_>, names: &Names<'_>) -> Option<String> {
    known(value, "purpose", names.purposes.iter().map(|purpose| purpose.name.as_str()))
}

/// A name out of those that the file declares.
fn known<'n>(
    value: Value<'_, '_>,
    what: &str,
    names: impl Iterator<Item = &'n str> + Clone,
) -> Option<String> {
    let name = value.text()?;
    if names.clone().any(|known| known == name) {
        return Some(name.to_owned());
    }
    let names: Vec<_> = names.collect();
    let hint = if names.is_empty() {
        "this file declares none".to_owned()
    } else {
        format!("use one of {}", names.join(", "))
    };
    value.complain(format!("unknown {what} `{}`: {hint}", name.escape_debug()));
    None
}

fn anchors(value: Value<'_, '_>, names: &Names<'_>) -> Option<Vec<Anchor>> {
    value.one_or_more()?.into_iter().map(|value| anchor(value, names)).collect()
}

fn anchor(value: Value<'_, '_>, names: &Names<'_>) -> Option<Anchor> {
    let word = value.text()?;
    if let Some(purpose) = word.strip_prefix("decided.") {
        return chosen(value, purpose, names).then(|| Anchor::Decided(purpose.to_owned()));
    }
    Some(match word {
        "created" => Anchor::Created,
        "last_activity" => Anchor::LastActivity,
        "deleted" => Anchor::Deleted,
        "flagged" => Anchor::Flagged,
        "feedback" => Anchor::Feedback,
        "closed" => Anchor::Closed,
        _ => {
            let known = "created, last_activity, deleted, flagged, feedback, closed or decided.PURPOSE";
            value.complain(format!("unknown anchor `{}`: use {known}", word.escape_debug()));
            return None;
        }
    })
}

/// Whether the name is that of a purpose on which people decide.
fn chosen(value: Value<'_, '_>, name: &str, names: &Names<'_>) -> bool {
    match names.purposes.iter().find(|purpose| purpose.name == name) {
        Some(purpose) if purpose.is_chosen() => return true,
        Some(_) => value.complain(format!("purpose `{name}` is of ground `none`: nobody decides on it")),
        None => value.complain(format!("unknown purpose `{}`", name.escape_debug())),
    }
    false
}

/// The `when` of a rule; without one it matches everything.
fn condition(fields: &mut Fields<'_, '_>, names: &Names<'_>) -> Option<Condition> {
    let Some(value) = fields.optional("when") else { return Some(Condition::default()) };
    let mut when = value.table()?;
    // Every attribute is read before any is given up on, so that all complaints are seen at once.
    let regime = attribute(&mut when, "regime", words);
    let surface = attribute(&mut when, "surface", |value| {
        each(value, |value| {
            known(value, "surface", names.surfaces.iter().map(|surface| surface.name.as_str()))
        })
    });
    let kind = attribute(&mut when, "kind", words);
    let mode = attribute(&mut when, "mode", words);
    let region = attribute(&mut when, "region", |value| {
        let regions = names.regions.iter().map(|region| region.name.as_str());
        each(value, |value| known(value, "region", regions.clone().chain(["other"])))
    });
    let standing = match when.optional("standing") {
        Some(value) => standings(value, names),
        None => Some(Vec::new()),
    };
    let mut flags = Vec::new();
    for flag in Flag::ALL {
        if let Some(value) = when.optional(flag.word()) {
            flags.push((*flag, each(value, Value::boolean)?));
        }
    }
    when.finish();
    Some(Condition {
        regime: regime?,
        surface: surface?,
        kind: kind?,
        mode: mode?,
        region: region?,
        standing: standing?,
        flags,
    })
}

/// Reads an attribute that may be missing: the outer `None` means that it was wrong.
#[expect(clippy::option_option, reason = "missing is one thing and wrong another; both end inside this file")]
fn attribute<'s, 't, T>(
    when: &mut Fields<'s, 't>,
    name: &'static str,
    read: impl FnOnce(Value<'s, 't>) -> Option<T>,
) -> Option<Option<T>> {
    when.optional(name).map_or(Some(None), |value| read(value).map(Some))
}

fn standings(value: Value<'_, '_>, names: &Names<'_>) -> Option<Vec<(String, Vec<super::Standing>)>> {
    let mut standings = Vec::new();
    for (purpose, _, value) in value.table()?.entries() {
        if !chosen(value, purpose, names) {
            return None;
        }
        standings.push((purpose.to_owned(), words(value)?));
    }
    Some(standings)
}

/// A value or a list of values, each read the same way.
fn each<'s, 't, T>(value: Value<'s, 't>, read: impl Fn(Value<'s, 't>) -> Option<T>) -> Option<Vec<T>> {
    value.one_or_more()?.into_iter().map(read).collect()
}

fn words<T: std::str::FromStr<Err: std::fmt::Display>>(value: Value<'_, '_>) -> Option<Vec<T>> {
    each(value, Value::word)
}
