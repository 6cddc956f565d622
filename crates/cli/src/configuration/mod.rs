//! The settings of `tenure serve`: one table, read from flags, the environment and a file.
//!
//! A setting is a row of the table in [`table`]: its name, its type, what it is if nobody says, and what it is for.
//! Everything else follows from that row: the flag, the variable, the place in the file, the document, and the
//! field of [`Configuration`]. What is wrong is told with where it was said, and all of it at once.

#[cfg(test)]
mod document;
mod flags;
mod forms;
mod secrets;
mod sources;
mod table;

pub(crate) use flags::Flags;
pub(crate) use forms::{Level, LogForm, Told};
pub(crate) use secrets::Secrets;
pub(crate) use sources::{Complaint, Environment, Origin};
pub(crate) use table::Configuration;

use std::path::Path;

use sources::Sources;

/// A setting in force, and who said so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InForce {
    pub(crate) name: &'static str,
    pub(crate) value: String,
    pub(crate) origin: Origin,
}

impl Configuration {
    /// Reads the settings: a flag is stronger than the environment, that than the file, and that than the default.
    /// `file` is what the command line names; otherwise the variable `TENURE_CONFIG` may.
    pub(crate) fn read(
        file: Option<&Path>,
        flags: &Flags,
        environment: &Environment,
    ) -> Result<(Self, Vec<InForce>), Vec<Complaint>> {
        let mut sources = Sources::default();
        if let Some(file) = file.or(environment.file()) {
            sources.add_file(file);
        }
        sources.add_environment(environment);
        sources.add_flags(flags);
        let (read, in_force) = Self::of(&mut sources);
        let Some(configuration) = read.filter(|_| sources.complaints.is_empty()) else {
            return Err(sources.complaints);
        };
        configuration.check(&mut sources);
        if sources.complaints.is_empty() { Ok((configuration, in_force)) } else { Err(sources.complaints) }
    }
}

#[cfg(test)]
mod tests;
