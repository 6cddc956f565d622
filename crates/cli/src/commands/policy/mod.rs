//! `tenure policy`: check, show, diff.

mod check;
mod diff;
mod load;
mod show;
mod view;

use std::path::PathBuf;

use clap::Subcommand;

use super::Global;
use crate::Exit;

pub(crate) use load::{Sources, print_refusals};

#[derive(Debug, Subcommand)]
pub(crate) enum Policy {
    /// Compile a version, or a folder of versions of one lineage
    ///
    /// Exit code 1 if it is refused, 2 if it can't be read.
    Check {
        /// A policy file, or a folder of them
        path: PathBuf,
        /// The version before, as a file or a folder; PATH is judged as what follows it
        #[arg(long, value_name = "PATH")]
        against: Option<PathBuf>,
    },
    /// Make versions the terms that records are judged by
    Publish(super::publish::Publish),
    /// Show what a version says, as a matrix: situations against classes and purposes
    Show {
        /// A policy file, or a folder of versions of one lineage
        path: PathBuf,
        /// The version to show; the newest unless said
        #[arg(long)]
        version: Option<String>,
        /// Write a self-contained page instead
        #[arg(long, value_name = "FILE")]
        html: Option<PathBuf>,
    },
    /// Say what changes from one version to another, and for whom
    Diff {
        /// The older version, or a folder of versions
        a: PathBuf,
        /// The newer version
        #[arg(required_unless_present_all = ["from", "to"])]
        b: Option<PathBuf>,
        /// The name of the older version
        #[arg(long, value_name = "VERSION")]
        from: Option<String>,
        /// The name of the newer version
        #[arg(long, value_name = "VERSION")]
        to: Option<String>,
        /// Write a self-contained page instead
        #[arg(long, value_name = "FILE")]
        html: Option<PathBuf>,
    },
}

impl Policy {
    pub(crate) fn run(self, global: &Global) -> anyhow::Result<Exit> {
        match self {
            Self::Check { path, against } => check::run(&path, against.as_deref(), global.json),
            Self::Publish(command) => command.run(global),
            Self::Show { path, version, html } => {
                show::run(&path, version.as_deref(), html.as_deref(), global.json)
            }
            Self::Diff { a, b, from, to, html } => {
                let asked = diff::Asked { a: &a, b: b.as_deref(), from: from.as_deref(), to: to.as_deref() };
                diff::run(&asked, html.as_deref(), global.json)
            }
        }
    }
}
