//! `tenure restore`: brings a backup back, with all that was deleted, decided and held since.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use serde_json::json;
use tenure_app::{Restore as Restoring, Restored};
use tenure_model::Instant;

use super::Global;
use super::backup::{bar, show};
use crate::Exit;
use crate::output::{say, say_json};
use crate::session::{self, key_folder};
use crate::speech::some;

#[derive(Debug, Args)]
pub(crate) struct Restore {
    /// The folder of the backup. It goes into the folder that --data names, which must be empty or not exist
    #[arg(value_name = "BACKUP")]
    backup: PathBuf,
    /// The key folder, if it does not lie beside the data folder
    #[arg(long, value_name = "DIR")]
    keys: Option<PathBuf>,
    /// The instant of the restore, in a folder made with --simulated
    #[arg(long, value_name = "INSTANT")]
    at: Option<Instant>,
}

impl Restore {
    pub(crate) fn run(self, global: &Global) -> anyhow::Result<Exit> {
        let beside = key_folder(&global.data);
        let keys = self.keys.unwrap_or_else(|| beside.clone());
        let bar = bar()?;
        let begun = Restoring::begin(&self.backup, &global.data, &keys, &mut |step, done, all| {
            show(&bar, step, done, all);
        });
        bar.finish_and_clear();
        let begun = begun
            .with_context(|| format!("can't restore {}: nothing can be served", self.backup.display()))?;
        let restored = session::finish_restore(begun, &global.data, &keys, self.at).with_context(|| {
            format!("{} is not restored, and no command opens it as it is", global.data.display())
        })?;
        if global.json {
            say_json(&json!({"restored": restored}))?;
        } else {
            report(&restored)?;
            if keys != beside {
                say(format_args!(
                    "Keys        move them to {}, where every command looks for them",
                    beside.display()
                ))?;
            }
        }
        Ok(if restored.bodies_lost > 0 { Exit::Refused } else { Exit::Done })
    }
}

fn report(restored: &Restored) -> anyhow::Result<()> {
    say(format_args!("Backup of   {}", restored.taken_at))?;
    say(format_args!(
        "Since then  {}, done again from the journal",
        some(restored.replayed, "group of writes")
    ))?;
    say(format_args!(
        "Log         {}, continued from what was published",
        some(restored.statements, "statement")
    ))?;
    if restored.packs_made_again > 0 {
        say(format_args!("Packs       {} made again from older ones", restored.packs_made_again))?;
    }
    if restored.bodies_lost > 0 {
        say(format_args!(
            "Lost        what was said in {}, or a part of it: {} came after the backup and lie nowhere any more",
            some(restored.bodies_lost, "record"),
            some(restored.packs_lost, "pack")
        ))?;
        say("            Their copies stay listed, and `tenure doctor` names them")?;
    }
    Ok(())
}
