//! The flags of `tenure serve`: one for each setting, from the table.

use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};

use super::sources::flag;
use super::table::KEYS;

/// The setting that every command has a flag for.
const DATA: &str = "data";

/// What the command line says of settings.
#[derive(Debug, Clone, Default)]
pub(crate) struct Flags(Vec<(&'static str, String)>);

impl Flags {
    pub(super) fn given(&self) -> &[(&'static str, String)] {
        &self.0
    }

    #[cfg(test)]
    pub(super) fn of(given: &[(&'static str, &str)]) -> Self {
        Self(given.iter().map(|(name, text)| (*name, (*text).to_owned())).collect())
    }
}

impl Args for Flags {
    fn augment_args(command: Command) -> Command {
        KEYS.iter().filter(|key| key.name != DATA).fold(command, |command, key| {
            command.arg(
                Arg::new(key.name)
                    .long(flag(key.name))
                    .value_name("VALUE")
                    .help(format!("{} [default: {}]", key.help, key.default))
                    .long_help(format!("{}. Write {} [default: {}]", key.help, key.write, key.default))
                    .hide_short_help(key.name.contains('.'))
                    .help_heading("Settings"),
            )
        })
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Flags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut given = Vec::new();
        for name in KEYS.iter().map(|key| key.name).filter(|name| *name != DATA) {
            if let Some(text) = matches.get_one::<String>(name) {
                given.push((name, text.clone()));
            }
        }
        if matches.try_contains_id(DATA).unwrap_or(false)
            && matches.value_source(DATA) == Some(ValueSource::CommandLine)
            && let Some(path) = matches.get_one::<PathBuf>(DATA)
        {
            given.push((DATA, path.display().to_string()));
        }
        Ok(Self(given))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
