//! `tenure policy`: check, show, diff, plan, publish, withdraw.

mod check;
mod diff;
mod load;
mod plan;
mod show;
mod view;
mod withdraw;

use std::path::PathBuf;

use clap::Subcommand;

use super::{At, Global};
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
    /// Say what publishing versions would do: to how many copies, whom they ask, in what they widen
    Plan(plan::Planned),
    /// Make versions the terms that records are judged by
    ///
    /// Exit code 1 if they are refused, also because too many copies would lose what they are kept by.
    Publish(super::publish::Publish),
    /// Withdraw a version that was a mistake, so that it counts as never published; it takes two people
    Withdraw(withdraw::Withdraw),
    /// Show what a version says, as a matrix: situations against classes and purposes
    ///
    /// Without a path it lists what is published in the data folder.
    Show {
        /// A policy file, or a folder of versions of one lineage
        path: Option<PathBuf>,
        /// The version to show; the newest unless said
        #[arg(long, requires = "path")]
        version: Option<String>,
        /// Write a self-contained page instead
        #[arg(long, value_name = "FILE", requires = "path")]
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
            Self::Plan(command) => command.run(global),
            Self::Publish(command) => command.run(global),
            Self::Withdraw(command) => command.run(global),
            Self::Show { path: None, .. } => withdraw::published(global, At { at: None }),
            Self::Show { path: Some(path), version, html } => {
                show::run(&path, version.as_deref(), html.as_deref(), global.json)
            }
            Self::Diff { a, b, from, to, html } => {
                let asked = diff::Asked { a: &a, b: b.as_deref(), from: from.as_deref(), to: to.as_deref() };
                diff::run(&asked, html.as_deref(), global.json)
            }
        }
    }
}
