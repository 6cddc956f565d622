//! What the commands around the log are told: keys, witnesses, and how often to look.

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, bail};
use clap::Args;
use tenure_server::{KnownWitnesses, Patience, WitnessClient, Witnesses, parse_keys};
use tenure_tlog::note::VerifierKey;

/// The witnesses that a log asks to cosign.
#[derive(Debug, Args)]
pub(crate) struct Asking {
    /// The address of a witness to ask for its cosignature; may be repeated
    #[arg(long = "witness", value_name = "URL", requires = "witness_key")]
    witness: Vec<String>,
    /// A key of a witness, or a file with one a line; may be repeated
    #[arg(long = "witness-key", value_name = "KEY-OR-FILE", requires = "witness")]
    witness_key: Vec<String>,
}

impl Asking {
    pub(crate) fn witnesses(&self) -> anyhow::Result<Witnesses> {
        witnesses(&self.witness, &self.witness_key)
    }
}

/// The witnesses at these addresses, with these keys, each a key itself or a file of them.
pub(crate) fn witnesses(addresses: &[String], named: &[String]) -> anyhow::Result<Witnesses> {
    let known = KnownWitnesses::new(&keys(named)?)?;
    let clients = addresses.iter().map(|address| {
        WitnessClient::open(address, Patience::default())
            .with_context(|| format!("can't ask the witness at `{address}`"))
    });
    Ok(Witnesses::new(clients.collect::<anyhow::Result<_>>()?, known))
}

/// The keys that arguments name: each is a key itself, or a file with one a line.
pub(crate) fn keys(arguments: &[String]) -> anyhow::Result<Vec<VerifierKey>> {
    let mut keys: Vec<VerifierKey> = Vec::new();
    for argument in arguments {
        let named = match argument.parse::<VerifierKey>() {
            Ok(key) => vec![key],
            Err(error) if argument.contains('+') && !fs::exists(argument).unwrap_or(false) => {
                return Err(error).with_context(|| format!("`{argument}` is not a key"));
            }
            Err(_) => {
                let text = fs::read_to_string(argument).with_context(|| {
                    format!("can't read `{argument}`: name a key, or a file with one a line")
                })?;
                parse_keys(&text).with_context(|| format!("can't use the keys in {argument}"))?
            }
        };
        if named.is_empty() {
            bail!("there is no key in {argument}");
        }
        for key in named {
            // A key that is named twice is one key.
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
    }
    Ok(keys)
}

/// A time between two looks: `30s`, `5m`, `1h`.
pub(crate) fn interval(text: &str) -> Result<Duration, String> {
    let wrong = || "write a number with `s`, `m` or `h` behind it, such as `60s`".to_owned();
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(wrong)?;
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return Err(wrong()),
    };
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let seconds = number.checked_mul(unit).filter(|seconds| (1..=86_400).contains(seconds));
    seconds.map(Duration::from_secs).ok_or_else(|| "choose a time between one second and a day".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_has_a_unit_and_is_neither_nothing_nor_forever() {
        assert_eq!(interval("60s"), Ok(Duration::from_mins(1)));
        assert_eq!(interval("2h"), Ok(Duration::from_hours(2)));
        for wrong in ["", "s", "60", "-1s", "0s", "25h", "1.5m", "6ö"] {
            assert!(interval(wrong).is_err(), "{wrong}");
        }
    }
}
