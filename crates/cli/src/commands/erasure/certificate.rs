//! A certificate of erasure in plain words, for the person whose copies it is about.

use std::collections::BTreeMap;

use tenure_app::reports::{Certificate, Fated, Of, StageTold, ToldFate};
use tenure_model::Instant;

use crate::output::{heading, printable, say, wrapped};
use crate::speech::{and, date, dated, grouped, some};

/// How wide text for people is.
const WIDTH: usize = 76;
/// How many copies are told one by one.
const LISTED: usize = 40;

/// Shows a certificate.
pub(super) fn show(certificate: &Certificate) -> anyhow::Result<()> {
    let of = match &certificate.of {
        Of::Record(record) => format!("the conversation record {record}"),
        Of::Account(account) => format!("account {}", printable(account)),
    };
    say(heading("Certificate of erasure"))?;
    text(0, &format!("for {of}, as of {}", date(certificate.at)))?;
    say("")?;
    text(0, &summed_up(&certificate.copies))?;
    if certificate.evidence_destroyed {
        text(
            0,
            "What the account decided, and what proves it, is destroyed too, after its term. Nobody can show it any \
             more. What is said of copies below does not depend on it.",
        )?;
    }
    for copy in certificate.copies.iter().take(LISTED) {
        one(copy, certificate.at)?;
    }
    if certificate.copies.len() > LISTED {
        let more = certificate.copies.len() - LISTED;
        say("")?;
        text(0, &format!("{} more: `--out FILE` or `--json` has them all.", some(more as u64, "copy")))?;
    }
    ageing(certificate)?;
    proof(certificate)
}

/// How many copies came to what.
fn summed_up(copies: &[ToldFate]) -> String {
    if copies.is_empty() {
        return "There are no copies, and never were.".to_owned();
    }
    let mut counts: BTreeMap<(u8, &str), u64> = BTreeMap::new();
    for copy in copies {
        *counts.entry(kind(&copy.fate)).or_default() += 1;
    }
    let parts: Vec<String> =
        counts.iter().map(|((_, words), count)| format!("{} {words}", grouped(*count))).collect();
    format!("Of {}: {}.", some(copies.len() as u64, "copy"), and(&parts))
}

fn kind(fate: &Fated) -> (u8, &'static str) {
    let has = |stages: &[StageTold], stage| stages.iter().any(|told| told.stage == stage);
    match fate {
        Fated::Destroyed { stages, .. } if has(stages, "verified") => (0, "destroyed and verified absent"),
        Fated::Destroyed { .. } => (1, "destroyed, not yet verified absent"),
        Fated::UnderWay { .. } => (2, "about to be destroyed"),
        Fated::Due => (3, "waiting to be destroyed"),
        Fated::Waits { .. } => (4, "waiting for a time to pass"),
        Fated::Quarantined { .. } => (5, "in quarantine"),
        Fated::Kept { .. } => (6, "kept"),
        Fated::UnderOrder { .. } => (7, "kept under an order"),
    }
}

fn one(copy: &ToldFate, now: Instant) -> anyhow::Result<()> {
    say(format_args!("\n{} on {}, record {}", copy.class, copy.surface, copy.record))?;
    match &copy.fate {
        Fated::Kept { because, until, under_order_since } => {
            let end = until.map_or("without an end".to_owned(), |end| format!("until {}", dated(end, now)));
            let why =
                if because.is_empty() { String::new() } else { format!(", because: {}", because.join("; ")) };
            text(2, &format!("kept {end}{why}"))?;
            under_order_since.map_or(Ok(()), |since| {
                text(2, &format!("an order keeps it too, since {}", dated(since, now)))
            })
        }
        Fated::UnderOrder { since } => {
            text(2, &format!("kept only under an order, since {}: it is not used", dated(*since, now)))
        }
        Fated::Quarantined { until } => text(
            2,
            &format!(
                "in quarantine until {}: nothing uses it, and it is destroyed then unless it gets a basis again",
                dated(*until, now)
            ),
        ),
        Fated::Waits { until } => {
            text(2, &format!("nothing uses it; it is destroyed from {} on", dated(*until, now)))
        }
        Fated::Due => text(2, "nothing uses it; it waits to be destroyed"),
        Fated::UnderWay { why, due_at, sealed_at } => {
            text(2, &because(why))?;
            stage("had to be gone by", *due_at, None)?;
            stage("end decided", *sealed_at, None)
        }
        Fated::Destroyed { why, due_at, stages, .. } => {
            text(2, &because(why))?;
            stage("had to be gone by", *due_at, None)?;
            stages.iter().try_for_each(|told| stage(words(&told.stage), told.at, told.leaf))?;
            if stages.iter().any(|told| told.stage == "verified") {
                return Ok(());
            }
            text(2, "Nothing opens it. Its encrypted bytes are still there, or it was not looked for yet.")
        }
    }
}

/// Why a copy goes, as its person is told.
fn because(why: &str) -> String {
    let why = match why {
        "choice" => "a choice was changed",
        "flag" => "a flag was set or cleared",
        "facts" => "a fact was corrected",
        "closing" => "the account was closed",
        "terms" => "the terms changed",
        "time" => "its term ended",
        "deletion" => "you deleted it",
        "release" => "an order to keep it ended",
        "no_term" => "no rule keeps it",
        _ => return "goes; nobody recorded why".to_owned(),
    };
    format!("goes because {why}")
}

fn words(stage: &str) -> &'static str {
    match stage {
        "sealed" => "end decided",
        "shredded" => "key destroyed",
        "removed" => "bytes removed",
        "verified" => "verified absent",
        _ => "stated",
    }
}

fn stage(label: &str, at: Instant, leaf: Option<u64>) -> anyhow::Result<()> {
    let leaf = leaf.map_or(String::new(), |leaf| format!(", log entry {leaf}"));
    say(format_args!("  {label:<18} {}{leaf}", date(at)))
}

fn ageing(certificate: &Certificate) -> anyhow::Result<()> {
    let ageing = &certificate.ageing_out;
    if ageing.backups.is_empty() && ageing.keys.is_empty() {
        return Ok(());
    }
    say(format_args!("\n{}", heading("Still ageing out")))?;
    for backup in &ageing.backups {
        let until = backup.until.map_or("nobody has said until when".to_owned(), |end| {
            format!("until {}", dated(end, certificate.at))
        });
        text(
            2,
            &format!(
                "a backup taken {}, {until}: it holds encrypted bytes, and no key to them",
                date(backup.taken_at)
            ),
        )?;
    }
    for keys in &ageing.keys {
        let until = keys.until.map_or("until the root key is replaced".to_owned(), |end| {
            format!("until {}", dated(end, certificate.at))
        });
        text(2, &format!("{}, if anybody has them: {until}", keys.what))?;
    }
    Ok(())
}

fn proof(certificate: &Certificate) -> anyhow::Result<()> {
    if certificate.statements.is_empty() {
        return Ok(());
    }
    say(format_args!("\n{}", heading("Proof")))?;
    let entries = some(certificate.statements.len() as u64, "entry").replace("entrys", "entries");
    text(
        2,
        &format!(
            "{entries} of the log {}, each with its receipt, in the file that `--out FILE` writes",
            printable(&certificate.log)
        ),
    )?;
    text(2, "tenure erasure certificate verify FILE --key KEY checks it without anyone's help")
}

fn text(indent: usize, text: &str) -> anyhow::Result<()> {
    say(wrapped(text, indent, WIDTH))
}
