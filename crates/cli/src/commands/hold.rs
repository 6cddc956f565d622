//! `tenure hold`: places, amends, releases, shows and reads under orders to preserve.

mod reading;
mod scope;
mod show;

use clap::{Args, Subcommand};
use serde_json::json;
use tenure_app::{HoldScope, Lost, Previewing};
use tenure_model::Instant;

use self::reading::{Read, Reader};
use self::scope::Scope;
use super::{At, Global};
use crate::Exit;
use crate::output::{say, say_json};
use crate::session::{Intent, Session};

#[derive(Debug, Subcommand)]
pub(crate) enum Hold {
    /// Preserve what an order covers, at once
    Place(Box<Place>),
    /// Give a hold another scope, named as a whole, from now on; what that leaves out is released
    Amend(Box<Amend>),
    /// End a hold; what it alone kept has the grace of its terms left
    Release(Release),
    /// List holds, released ones too
    List(List),
    /// Show a hold with its versions
    Show(Show),
    /// Give and take the right to read what a hold keeps
    #[command(subcommand)]
    Reader(Reader),
    /// Read what a hold keeps into a folder, as one of its readers; the ledger says so first
    Read(Read),
}

/// How many of the copies that an order came too late for `--json` names.
const NAMED: usize = 1_000;

/// The date on an order: a day, which is taken as its beginning in UTC, or an instant.
fn order_date(text: &str) -> Result<Instant, String> {
    let day = format!("{text}T00:00:00Z");
    let (text, day) = (text.parse::<Instant>(), day.parse::<Instant>());
    text.or(day).map_err(|_| "name a day such as 2025-09-26, or an instant".to_owned())
}

#[derive(Debug, Args)]
pub(crate) struct Place {
    /// A name for the hold
    id: String,
    #[command(flatten)]
    scope: Scope,
    /// The people concerned may not be told
    #[arg(long)]
    secret: bool,
    /// The date on the order; effects start now all the same, when it is recorded
    #[arg(long, value_name = "DATE", value_parser = order_date)]
    dated: Option<Instant>,
    /// Only say what it would cover, and what would otherwise be destroyed and when
    #[arg(long)]
    preview: bool,
    #[command(flatten)]
    at: At,
}

#[derive(Debug, Args)]
pub(crate) struct Amend {
    /// The hold
    id: String,
    #[command(flatten)]
    scope: Scope,
    /// The people concerned may not be told from now on
    #[arg(long, conflicts_with = "told")]
    secret: bool,
    /// The people concerned may be told from now on
    #[arg(long)]
    told: bool,
    /// The date on the order; effects start now all the same, when it is recorded
    #[arg(long, value_name = "DATE", value_parser = order_date)]
    dated: Option<Instant>,
    /// Only say what it would cover and leave out, and what would then be destroyed and when
    #[arg(long)]
    preview: bool,
    #[command(flatten)]
    at: At,
}

#[derive(Debug, Args)]
pub(crate) struct Release {
    /// The hold
    id: String,
    /// The date on the order; effects start now all the same, when it is recorded
    #[arg(long, value_name = "DATE", value_parser = order_date)]
    dated: Option<Instant>,
    #[command(flatten)]
    at: At,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    at: At,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The hold
    id: String,
    #[command(flatten)]
    at: At,
}

impl Hold {
    pub(crate) fn run(self, global: &Global) -> anyhow::Result<Exit> {
        match self {
            Self::Place(place) => place.run(global),
            Self::Amend(amend) => amend.run(global),
            Self::Release(release) => release.run(global),
            Self::List(list) => list.run(global),
            Self::Show(show) => show.run(global),
            Self::Reader(reader) => reader.run(global),
            Self::Read(read) => read.run(global),
        }
    }
}

/// What a command does that may be asked for a preview.
const fn intent(preview: bool) -> Intent {
    if preview { Intent::Look } else { Intent::Change }
}

/// What a hold that is in force came too late for. It is looked for once the hold holds.
fn too_late(session: &Session, id: &str) -> anyhow::Result<Lost> {
    let bar = show::bar("records looked at")?;
    let lost = session.tenure.lost_to_hold(id, NAMED, session.now, &mut |done| bar.set_position(done))?;
    bar.finish_and_clear();
    Ok(lost)
}

impl Place {
    fn run(self, global: &Global) -> anyhow::Result<Exit> {
        let session = global.open(self.at, intent(self.preview))?;
        let scope = HoldScope::from(self.scope);
        if self.preview {
            let bar = show::bar("records looked at")?;
            let how = Previewing { limit: NAMED, progress: &mut |done| bar.set_position(done) };
            let preview = session.tenure.preview_hold(&self.id, &scope, session.now, how)?;
            bar.finish_and_clear();
            if global.json {
                say_json(&preview)?;
            } else {
                show::preview(&self.id, &preview)?;
            }
            return Ok(Exit::Done);
        }
        session.tenure.place_hold_dated(&self.id, scope, !self.secret, self.dated, session.now)?;
        if !global.json {
            say(format_args!(
                "Hold {} is in force since {}. What it covers is not destroyed.",
                self.id, session.now
            ))?;
        }
        let lost = too_late(&session, &self.id)?;
        if global.json {
            say_json(&json!({"placed": self.id, "at": session.now, "dated": self.dated, "lost": lost}))?;
        } else {
            show::lost(&lost)?;
        }
        Ok(Exit::Done)
    }
}

impl Amend {
    fn run(self, global: &Global) -> anyhow::Result<Exit> {
        let session = global.open(self.at, intent(self.preview))?;
        let scope = HoldScope::from(self.scope);
        if self.preview {
            let bar = show::bar("records looked at")?;
            let how = Previewing { limit: NAMED, progress: &mut |done| bar.set_position(done) };
            let preview = session.tenure.preview_amendment(&self.id, &scope, session.now, how)?;
            bar.finish_and_clear();
            if global.json {
                say_json(&preview)?;
            } else {
                show::preview(&self.id, &preview)?;
            }
            return Ok(Exit::Done);
        }
        let may_tell = (self.secret || self.told).then_some(self.told);
        session.tenure.amend_hold_dated(&self.id, scope, may_tell, self.dated, session.now)?;
        if !global.json {
            say(format_args!(
                "Hold {} has this scope since {}. What it no longer covers has the grace of its terms left.",
                self.id, session.now
            ))?;
        }
        let lost = too_late(&session, &self.id)?;
        if global.json {
            let version = session.tenure.hold(&self.id)?.version;
            say_json(&json!({
                "amended": self.id, "version": version, "at": session.now, "dated": self.dated, "lost": lost,
            }))?;
        } else {
            show::lost(&lost)?;
        }
        Ok(Exit::Done)
    }
}

impl Release {
    fn run(self, global: &Global) -> anyhow::Result<Exit> {
        let session = global.open(self.at, Intent::Change)?;
        session.tenure.release_hold_dated(&self.id, self.dated, session.now)?;
        if global.json {
            say_json(&json!({"released": self.id, "at": session.now, "dated": self.dated}))?;
        } else {
            say(format_args!(
                "Hold {} is released. What it alone kept has the grace of its terms left.",
                self.id
            ))?;
        }
        Ok(Exit::Done)
    }
}

impl List {
    fn run(self, global: &Global) -> anyhow::Result<Exit> {
        let session = global.open(self.at, Intent::Look)?;
        let holds = session.tenure.holds()?;
        if global.json {
            say_json(&holds)?;
        } else {
            show::list(holds)?;
        }
        Ok(Exit::Done)
    }
}

impl Show {
    fn run(self, global: &Global) -> anyhow::Result<Exit> {
        let session = global.open(self.at, Intent::Look)?;
        let hold = session.tenure.hold(&self.id)?;
        let readers = session.tenure.hold_readers(&self.id)?;
        if global.json {
            let mut hold = serde_json::to_value(&hold)?;
            if let Some(fields) = hold.as_object_mut() {
                fields.insert("readers".to_owned(), serde_json::to_value(&readers)?);
            }
            say_json(&hold)?;
        } else {
            show::history(&hold)?;
            say("")?;
            show::readers(&self.id, readers)?;
        }
        Ok(Exit::Done)
    }
}
