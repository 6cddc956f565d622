//! `tenure hold`: places, releases and lists orders to preserve.

use clap::{Args, Subcommand};
use serde_json::json;
use tenure_app::HoldScope;
use tenure_model::{Instant, Kind, Regime};

use super::{At, Global};
use crate::Exit;
use crate::output::{say, say_json, table};
use crate::session::Intent;

#[derive(Debug, Subcommand)]
pub(crate) enum Hold {
    /// Preserve what an order covers, at once
    Place(Box<Place>),
    /// End a hold; what it alone kept has the grace of its terms left
    Release(Release),
    /// List holds, released ones too
    List(List),
}

#[derive(Debug, Args)]
pub(crate) struct Place {
    /// A name for the hold
    id: String,
    /// A class to preserve; may be repeated
    #[arg(long = "class", required = true)]
    classes: Vec<String>,
    /// Only this regime; may be repeated, as may all that follow
    #[arg(long = "regime")]
    regimes: Vec<Regime>,
    /// Only this surface
    #[arg(long = "surface")]
    surfaces: Vec<String>,
    /// Only this account
    #[arg(long = "account")]
    accounts: Vec<String>,
    /// Only this country
    #[arg(long = "country")]
    countries: Vec<String>,
    /// Not this country
    #[arg(long = "not-country")]
    not_countries: Vec<String>,
    /// Only this kind
    #[arg(long = "kind")]
    kinds: Vec<Kind>,
    /// Only records created at this instant or later
    #[arg(long, value_name = "INSTANT")]
    created_from: Option<Instant>,
    /// Only records created before this instant
    #[arg(long, value_name = "INSTANT")]
    created_to: Option<Instant>,
    /// Only what people deleted
    #[arg(long)]
    deleted_only: bool,
    /// The people concerned may not be told
    #[arg(long)]
    secret: bool,
    #[command(flatten)]
    at: At,
}

#[derive(Debug, Args)]
pub(crate) struct Release {
    /// The hold
    id: String,
    #[command(flatten)]
    at: At,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    at: At,
}

impl Hold {
    pub(crate) fn run(self, global: &Global) -> anyhow::Result<Exit> {
        match self {
            Self::Place(place) => place.run(global),
            Self::Release(release) => release.run(global),
            Self::List(list) => list.run(global),
        }
    }
}

impl Place {
    fn run(self, global: &Global) -> anyhow::Result<Exit> {
        fn any<T>(list: Vec<T>) -> Option<Vec<T>> {
            (!list.is_empty()).then_some(list)
        }
        let session = global.open(self.at, Intent::Change)?;
        let scope = HoldScope {
            classes: self.classes,
            regimes: any(self.regimes),
            surfaces: any(self.surfaces),
            accounts: any(self.accounts),
            countries: any(self.countries),
            not_countries: any(self.not_countries),
            kinds: any(self.kinds),
            created_from: self.created_from,
            created_to: self.created_to,
            deleted_only: self.deleted_only,
        };
        session.tenure.place_hold(&self.id, scope, !self.secret, session.now)?;
        if global.json {
            say_json(&json!({"placed": self.id, "at": session.now}))?;
        } else {
            say(format_args!(
                "Hold {} is in force since {}. What it covers is not destroyed.",
                self.id, session.now
            ))?;
        }
        Ok(Exit::Done)
    }
}

impl Release {
    fn run(self, global: &Global) -> anyhow::Result<Exit> {
        let session = global.open(self.at, Intent::Change)?;
        session.tenure.release_hold(&self.id, session.now)?;
        if global.json {
            say_json(&json!({"released": self.id, "at": session.now}))?;
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
            return Ok(Exit::Done);
        }
        if holds.is_empty() {
            say("No hold was ever placed. `tenure hold place` places one.")?;
            return Ok(Exit::Done);
        }
        let mut rows = table(["Hold", "Placed", "Released", "Classes", "People may be told"]);
        for hold in holds {
            let released = hold.released_at.map_or_else(|| "in force".to_owned(), |at| at.to_string());
            let told = if hold.may_tell { "yes" } else { "no" };
            rows.add_row([
                hold.id,
                hold.placed_at.to_string(),
                released,
                hold.scope.classes.join(", "),
                told.to_owned(),
            ]);
        }
        say(rows)?;
        Ok(Exit::Done)
    }
}
