//! `docs/configuration.md`, made of the table.

use super::sources::{flag, variable};
use super::table::KEYS;

const ABOUT: &str = "\
# Settings of `tenure serve`

This document is made of the table in `crates/cli/src/configuration/table.rs`, and a test holds it to that. To bring it up to date: `UPDATE=1 cargo nextest run -p tenure-cli configuration`.

Every setting can be said in four ways. The first that says something is in force:

1. a flag: `--sweep-every 30m`
2. a variable of the environment: `TENURE_SWEEP_EVERY=30m`
3. a file that `--config FILE` or the variable `TENURE_CONFIG` names:

   ```toml
   listen = \"0.0.0.0:8080\"

   [sweep]
   every = \"30m\"
   ```

4. the default.

A name that is not known is an error, in a file and in a variable that begins with `TENURE_`. So is a value that can't be read, and a setting that does not go with another. All that is wrong is told at once, each with its place; values are not repeated, since a secret could stand in the wrong place. Variables that a cluster makes for a service called `tenure` (`TENURE_SERVICE_…`, `TENURE_PORT…`) are left alone.

`tenure serve --check` reads all of it, starts nothing, and says what is in force and who said so; with `--json` for programs. It ends with code 2 if something is wrong.

**Secrets** are no settings. They come from the environment (`VAULT_TOKEN`, `AWS_SECRET_ACCESS_KEY`, …; see [operate.md](operate.md)) or from files that settings name, as a cluster or systemd provides them. There is no flag that takes one, since everybody on the machine can read the command line.

";

/// The document.
pub(super) fn document() -> String {
    let mut lines = vec![ABOUT.trim_end().to_owned()];
    let mut last = None;
    for key in KEYS {
        let group = key.name.split_once('.').map(|(group, _)| group);
        if last != Some(group) {
            last = Some(group);
            let heading = group.map_or_else(|| "General".to_owned(), |group| format!("`[{group}]`"));
            lines.push(format!("\n## {heading}\n\n| Setting | Default | What it is for |\n|---|---|---|"));
        }
        let default = if key.default.is_empty() { "–".to_owned() } else { format!("`{}`", key.default) };
        lines.push(format!("| `{}` | {default} | {}. Write {} |", key.name, key.help, key.write));
    }
    lines.push("\n## Names\n\n| In a file | Flag | Variable |\n|---|---|---|".to_owned());
    for key in KEYS {
        lines.push(format!("| `{}` | `--{}` | `{}` |", key.name, flag(key.name), variable(key.name)));
    }
    lines.join("\n") + "\n"
}
