//! `tenure keys`: the root key that everything else is sealed under.

use clap::Subcommand;
use serde_json::json;
use tenure_vault::{KeyStore, RootHome, RootInForce};

use super::Global;
use crate::Exit;
use crate::output::{say, say_json};
use crate::session;

#[derive(Debug, Subcommand)]
pub(crate) enum Keys {
    /// Say where the root key lies, which one it is, and what would still open what was destroyed
    Show,
    /// Replace the root key and destroy the one before
    ///
    /// Saved copies of the key folder open nothing then, unless they hold the root key that they were made under.
    Rotate,
}

impl Keys {
    pub(crate) fn run(self, global: &Global) -> anyhow::Result<Exit> {
        let vault = session::open_vault(&global.data, &session::key_folder(&global.data))?;
        let keys = vault.pages();
        let root = match self {
            Self::Show => keys.root()?,
            Self::Rotate => keys.rotate_root()?,
        };
        show(keys, &root, global.json)?;
        Ok(Exit::Done)
    }
}

fn show(keys: &dyn KeyStore, root: &RootInForce, as_json: bool) -> anyhow::Result<()> {
    let pages = keys.pages()?.len();
    let ageing: Vec<_> =
        keys.ageing_out()?.into_iter().map(|ageing| (ageing.what.words(), ageing.until)).collect();
    let home = match &root.home {
        RootHome::Folder => "in the key folder".to_owned(),
        RootHome::Transit { mount, key } => format!("wrapped by the Transit key {mount}/{key}"),
        _ => "elsewhere".to_owned(),
    };
    if as_json {
        let ageing: Vec<_> = ageing
            .iter()
            .map(|(what, until)| json!({"what": what, "until": until.map(|at| at.to_string())}))
            .collect();
        return say_json(&json!({"root": root.version, "home": home, "pages": pages, "ageing_out": ageing}));
    }
    say(format_args!("Root    {}, {home}", root.version))?;
    say(format_args!("Pages   {pages}"))?;
    for (what, until) in &ageing {
        let until = until.map_or("`tenure keys rotate` ends that".to_owned(), |at| format!("until {at}"));
        say(format_args!("Ageing  {what}: {until}"))?;
    }
    Ok(())
}
