//! Verifying a certificate: every receipt in it, offline, with the log's public key.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Args;
use serde_json::json;
use tenure_app::reports::{Certificate, FORM, Fated, Of, StageTold, ToldFate};
use tenure_verifier::Report;

use crate::Exit;
use crate::commands::Global;
use crate::commands::receipt::keys;
use crate::output::{paint, printable, say, say_json, wrapped};
use crate::speech::{date, some};

#[derive(Debug, Args)]
pub(super) struct Verify {
    /// The certificate
    file: PathBuf,
    /// A public key of the log, or a file with one a line; may be repeated
    #[arg(long, value_name = "KEY", required = true)]
    key: Vec<String>,
    /// A public key of a witness, or a file with one a line; may be repeated
    #[arg(long, value_name = "KEY")]
    witness: Vec<String>,
}

/// The longest certificate that is read, in bytes.
const MAX_BYTES: u64 = 256 << 20;

impl Verify {
    pub(super) fn run(self, global: &Global) -> anyhow::Result<Exit> {
        let name = || format!("can't read {}", self.file.display());
        if fs::metadata(&self.file).with_context(name)?.len() > MAX_BYTES {
            bail!("the certificate is longer than any that is read");
        }
        let bytes = fs::read(&self.file).with_context(name)?;
        let certificate: Certificate = serde_json::from_slice(&bytes)
            .map_err(|_| anyhow::anyhow!("this is not a certificate of erasure in the form `{FORM}`"))?;
        if certificate.form != FORM {
            bail!("the certificate has another form than `{FORM}`: read it with a newer version");
        }
        let (keys, witnesses) = (keys(&self.key)?, keys(&self.witness)?);
        let checked = Checked::of(&certificate, &keys, &witnesses);
        if global.json {
            say_json(&json!({
                "proved": checked.is_proved(),
                "destroyed": checked.destroyed,
                "receipts": checked.receipts,
                "not_destroyed": checked.others,
                "problems": checked.problems,
            }))?;
        } else {
            tell(&certificate, &checked)?;
        }
        Ok(if checked.is_proved() { Exit::Done } else { Exit::Refused })
    }
}

/// What came of checking.
#[derive(Default)]
struct Checked {
    /// Copies whose destruction is proved.
    destroyed: u64,
    /// Receipts that were verified.
    receipts: u64,
    /// Copies that are said not to be destroyed, which nothing proves.
    others: u64,
    problems: Vec<String>,
}

impl Checked {
    fn of(certificate: &Certificate, keys: &str, witnesses: &str) -> Self {
        let mut checked = Self::default();
        for copy in &certificate.copies {
            let Fated::Destroyed { stages, .. } = &copy.fate else {
                checked.others += 1;
                continue;
            };
            let about = matches!(&certificate.of, Of::Record(record) if *record != copy.record);
            let mut problem =
                about.then(|| "it is a copy of another record than the certificate's".to_owned());
            if !stages.iter().any(|stage| stage.stage == "shredded") {
                problem = Some("nothing says that its key was destroyed".to_owned());
            }
            for stage in stages {
                match check(certificate, copy, stage, keys, witnesses) {
                    Ok(verified) => checked.receipts += u64::from(verified),
                    Err(why) => problem = Some(why),
                }
            }
            match problem {
                None => checked.destroyed += 1,
                Some(why) => {
                    checked.problems.push(format!("`{}` of record {}: {why}", copy.class, copy.record));
                }
            }
        }
        checked
    }

    fn is_proved(&self) -> bool {
        self.problems.is_empty() && self.destroyed > 0
    }
}

/// Whether one stage of one copy is proved; `false` for an announcement that named other copies too.
fn check(
    certificate: &Certificate,
    copy: &ToldFate,
    stage: &StageTold,
    keys: &str,
    witnesses: &str,
) -> Result<bool, String> {
    let Some(leaf) = stage.leaf else {
        return if stage.stage == "sealed" {
            Ok(false)
        } else {
            Err(format!("nothing proves that it was {}", stage.stage))
        };
    };
    let receipt = certificate.receipt_of(copy, leaf).ok_or("a receipt is missing")?;
    let receipt = receipt.map_err(|error| error.to_string())?;
    let report = tenure_verifier::verify(receipt.to_string().as_bytes(), keys, witnesses);
    match &report {
        Report::NotProved(_) => Err(report.words().headline),
        Report::Proved(proved) => {
            let item = proved.item.as_ref();
            let same = proved.index == leaf
                && proved.account.is_none()
                && proved.stated.at == stage.at
                && proved.stated.statement.kind() == format!("copies_{}", stage.stage)
                && item.is_some_and(|item| item.record == copy.record && item.class == copy.class);
            if same {
                Ok(true)
            } else {
                Err("a receipt proves something else than the certificate says".to_owned())
            }
        }
    }
}

fn tell(certificate: &Certificate, checked: &Checked) -> anyhow::Result<()> {
    let of = match &certificate.of {
        Of::Record(record) => format!("record {}", printable(record)),
        Of::Account(account) => format!("account {}", printable(account)),
    };
    if checked.is_proved() {
        let copies = some(checked.destroyed, "copy");
        say(paint("1;32", &format!("Proved: the operator destroyed {copies} of {of}.")))?;
    } else if checked.problems.is_empty() {
        say(paint("1;31", &format!("Nothing is proved: no copy of {of} is said to be destroyed.")))?;
    } else {
        say(paint("1;31", "Not proved: the certificate does not hold."))?;
    }
    for problem in checked.problems.iter().take(20) {
        say(wrapped(problem, 2, 80))?;
    }
    say(format_args!("As of      {}", date(certificate.at)))?;
    say(format_args!("Verified   {}", some(checked.receipts, "receipt")))?;
    if checked.others > 0 {
        let others = some(checked.others, "copy");
        say(format_args!("Kept       {others}, by the operator's word: no receipt is about them"))?;
    }
    say("")?;
    say(wrapped(
        "That the copies are all there ever were, and what is said of backups and of the key store, is the operator's \
         word.",
        0,
        80,
    ))
}
