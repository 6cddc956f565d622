//! `tenure key`: mints, rotates, revokes and lists the keys of the API.

use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde_json::json;
use tenure_access::{
    ApiKey, Environment, KeyId, KeyTerms, Operation, OrganisationId, Principal, Role, Scope, Target,
};
use tenure_app::{KeyStateView, KeyView, parse_key_id};
use tenure_model::{Instant, MonthLength, Span};

use super::shell::Who;
use super::{At, Global};
use crate::Exit;
use crate::output::{printable, say, say_at, say_json, table};
use crate::session::Intent;
use crate::speech::{date, dated};

/// How many keys are read at once.
const SLICE: usize = 500;

#[derive(Debug, Subcommand)]
pub(crate) enum Key {
    /// Mint a key of the API; it is shown once, now
    Mint(Mint),
    /// Give a key another secret; it is shown once, now, and the one before opens for a while
    Rotate(Rotate),
    /// End a key at once and for good
    Revoke(Revoke),
    /// List keys without their secrets, those that are over too
    List(List),
    /// Mint subject tokens with a new key from now on; the ones before still open what they minted
    RotateTokens(RotateTokens),
}

fn key_id(text: &str) -> Result<KeyId, String> {
    parse_key_id(text)
        .ok_or_else(|| "name a key by its 16 hexadecimal digits, as `tenure key list` shows it".to_owned())
}

#[derive(Debug, Args)]
pub(crate) struct Mint {
    /// What its holder is: app, ml, legal, privacy, auditor or admin
    #[arg(long)]
    role: Role,
    /// Who answers for it: a role or a pseudonym, never a person's name
    #[arg(long, value_name = "NAME")]
    owner: Principal,
    /// For how many days it opens, up to 366
    #[arg(long, value_name = "DAYS", default_value_t = 90)]
    days: u16,
    /// Only for this operation of its role; may be given several times
    #[arg(long, value_name = "OPERATION")]
    only: Vec<Operation>,
    /// Only for this organisation
    #[arg(long, value_name = "NAME")]
    organisation: Option<OrganisationId>,
    /// The key is for trying out, and says so
    #[arg(long)]
    test: bool,
    #[command(flatten)]
    who: Who,
    #[command(flatten)]
    at: At,
}

#[derive(Debug, Args)]
pub(crate) struct Rotate {
    /// The key
    #[arg(value_parser = key_id)]
    id: KeyId,
    /// For how many hours the secret before still opens, up to 168; with 0 it ends at once
    #[arg(long, value_name = "HOURS", default_value_t = 24)]
    overlap: u16,
    #[command(flatten)]
    who: Who,
    #[command(flatten)]
    at: At,
}

#[derive(Debug, Args)]
pub(crate) struct Revoke {
    /// The key
    #[arg(value_parser = key_id)]
    id: KeyId,
    #[command(flatten)]
    who: Who,
    #[command(flatten)]
    at: At,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    who: Who,
    #[command(flatten)]
    at: At,
}

#[derive(Debug, Args)]
pub(crate) struct RotateTokens {
    /// The keys before have leaked: all their tokens end now
    #[arg(long)]
    at_once: bool,
    #[command(flatten)]
    at: At,
}

impl Key {
    pub(crate) fn run(self, global: &Global) -> anyhow::Result<Exit> {
        match self {
            Self::Mint(mint) => mint.run(global),
            Self::Rotate(rotate) => rotate.run(global),
            Self::Revoke(revoke) => revoke.run(global),
            Self::List(list) => list.run(global),
            Self::RotateTokens(rotate) => rotate.run(global),
        }
    }
}

/// Shows a secret, this once.
fn show(global: &Global, key: &ApiKey, until: (&str, Instant)) -> anyhow::Result<()> {
    let (what, instant) = until;
    if global.json {
        return say_json(&json!({"id": key.id().to_string(), "key": *key.text(), (what): instant}));
    }
    say(key.text().as_str())?;
    say_at(0, "This is shown once and kept nowhere: put it where its holder reads it, and nowhere else.")
}

impl Mint {
    fn run(self, global: &Global) -> anyhow::Result<Exit> {
        let session = global.open(self.at, Intent::Change)?;
        let permit = self.who.may(Operation::MintKey, &Target::House)?;
        let operations = (!self.only.is_empty()).then(|| self.only.into_iter().collect());
        let expires = session.now.plus(Span::days(u32::from(self.days)), MonthLength::Calendar);
        let terms = KeyTerms {
            environment: if self.test { Environment::Test } else { Environment::Live },
            owner: self.owner,
            role: self.role,
            scope: Scope { operations, organisation: self.organisation },
            expires,
        };
        let key = session.tenure.mint_key(&permit, terms, session.now)?;
        show(global, &key, ("expires_at", expires))?;
        Ok(Exit::Done)
    }
}

impl Rotate {
    fn run(self, global: &Global) -> anyhow::Result<Exit> {
        let session = global.open(self.at, Intent::Change)?;
        let permit = self.who.may(Operation::RotateKey, &Target::House)?;
        let micros = i64::from(self.overlap) * 3_600_000_000;
        let until = Instant::saturating_from_micros(session.now.micros().saturating_add(micros));
        let key = session.tenure.rotate_key(&permit, self.id, until, session.now)?;
        show(global, &key, ("old_until", until))?;
        if !global.json {
            say_at(0, format_args!("The secret before it opens until {}.", dated(until, session.now)))?;
        }
        Ok(Exit::Done)
    }
}

impl Revoke {
    fn run(self, global: &Global) -> anyhow::Result<Exit> {
        let session = global.open(self.at, Intent::Change)?;
        let permit = self.who.may(Operation::RevokeKey, &Target::House)?;
        session.tenure.revoke_key(&permit, self.id, session.now)?;
        if global.json {
            say_json(&json!({"revoked": self.id.to_string(), "at": session.now}))?;
        } else {
            say_at(
                0,
                format_args!(
                    "Key {} is revoked, for good. A service that runs knows within a second.",
                    self.id
                ),
            )?;
        }
        Ok(Exit::Done)
    }
}

impl List {
    fn run(self, global: &Global) -> anyhow::Result<Exit> {
        let session = global.open(self.at, Intent::Look)?;
        let permit = self.who.may(Operation::ListKeys, &Target::House)?;
        let mut keys: Vec<KeyView> = Vec::new();
        loop {
            let after = keys.last().and_then(|key| parse_key_id(&key.id));
            let slice = session.tenure.keys(&permit, after, SLICE, session.now)?;
            let whole = slice.len() < SLICE;
            keys.extend(slice);
            if whole {
                break;
            }
        }
        if global.json {
            say_json(&keys)?;
        } else if keys.is_empty() {
            say("There are no keys: `tenure key mint` makes one.")?;
        } else {
            let mut rows = table(["Key", "Role", "Owner", "For", "Expires", "State"]);
            for key in keys {
                rows.add_row(row(key));
            }
            say(rows.trim_fmt())?;
        }
        Ok(Exit::Done)
    }
}

fn row(key: KeyView) -> [String; 6] {
    let state = match key.state {
        KeyStateView::Live => "live".to_owned(),
        KeyStateView::Rotating { until } => format!("live, and the secret before until {}", date(until)),
        KeyStateView::Expired => "expired".to_owned(),
        KeyStateView::Revoked { at } => format!("revoked {}", date(at)),
    };
    let operations = key.operations.map(|operations| operations.join(", "));
    let organisation =
        key.organisation.map(|organisation| format!("organisation {}", printable(&organisation)));
    let scope: Vec<String> = operations.into_iter().chain(organisation).collect();
    let scope = if scope.is_empty() { "all of its role".to_owned() } else { scope.join("; ") };
    [format!("{} ({})", key.id, key.environment), key.role, key.owner, scope, date(key.expires_at), state]
}

impl RotateTokens {
    fn run(self, global: &Global) -> anyhow::Result<Exit> {
        let session = global.open(self.at, Intent::Change)?;
        let rotated = session.tenure.rotate_token_keys(self.at_once, session.now);
        rotated.context("the keys of subject tokens were not rotated")?;
        if global.json {
            say_json(&json!({"rotated": "token-keys", "at_once": self.at_once, "at": session.now}))?;
        } else if self.at_once {
            say("Every subject token has ended. New ones are minted with a new key.")?;
        } else {
            say("Subject tokens are minted with a new key. Those that are out still open.")?;
        }
        Ok(Exit::Done)
    }
}
