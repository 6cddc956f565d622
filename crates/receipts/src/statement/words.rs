//! Statements in plain words, the same on every face.

use std::fmt::{self, Display, Write as _};

use tenure_model::Instant;

use super::Statement;

/// Whether the operator says that a person said it.
const fn passed_on(passed_on: bool) -> &'static str {
    if passed_on { ", as the operator passed it on" } else { "" }
}

impl Statement {
    /// What happened, in words that follow `the account` or, in the operator's own chain, `the operator`:
    /// "decided `on` for purpose `train` under policy `consumer`, version `2025-10-08`".
    ///
    /// It repeats what the statement holds and nothing else. Whatever could change how a screen shows it is
    /// escaped, since a statement in a file may have been written by anyone.
    pub fn describe(&self) -> String {
        match self {
            Self::AccountOpened => "was opened".to_owned(),
            Self::AccountChanged => "had its facts changed".to_owned(),
            Self::AccountClosed => "was closed".to_owned(),
            Self::Informed { policy, version } => format!("was told of {}", Terms(policy, version)),
            Self::Acknowledged { policy, version, evidence } => {
                format!("acknowledged {}{}", Terms(policy, version), passed_on(evidence.is_some()))
            }
            Self::Decision { policy, version, purpose, choice, evidence } => {
                let (terms, passed_on) = (Terms(policy, version), passed_on(evidence.is_some()));
                format!("decided `{choice}` for purpose {} under {terms}{passed_on}", Name(purpose))
            }
            Self::Flagged { record, flagged: true } => format!("had record {} flagged", Name(record)),
            Self::Flagged { record, flagged: false } => {
                format!("had the flag of record {} cleared", Name(record))
            }
            Self::Feedback { record } => format!("gave feedback on record {}", Name(record)),
            Self::DeletionAsked { records } => {
                format!("asked for the deletion of {}", Names("record", records))
            }
            Self::PolicyPublished { policy, version, digest } => {
                format!("published {}, as the file of SHA-256 {digest}", Terms(policy, version))
            }
            Self::PolicyWithdrawn { policy, version } => format!("withdrew {}", Terms(policy, version)),
            Self::NoticePublished { .. } | Self::Campaign { .. } => self.describe_asking(),
            Self::HoldPlaced { .. }
            | Self::HoldAmended { .. }
            | Self::HoldReleased { .. }
            | Self::HoldReader { .. }
            | Self::HoldRead { .. } => self.describe_hold(),
            Self::ChangeApproved { .. } => self.describe_change(),
            Self::CopiesDue { count, .. } => {
                format!("found {} due to be destroyed", Count(*count, "copy"))
            }
            Self::CopiesSealed { count, .. } => format!("announced to destroy {}", Count(*count, "copy")),
            Self::CopiesShredded { count, .. } => {
                format!("destroyed the keys of {}", Count(*count, "copy"))
            }
            Self::CopiesRemoved { count, .. } => format!("removed the bytes of {}", Count(*count, "copy")),
            Self::CopiesVerified { count, .. } => {
                format!("verified that {} can be found no more", Count(*count, "copy"))
            }
            Self::ProofsDestroyed { count, .. } => {
                format!("destroyed what opens {} of the log", Count(*count, "leaf"))
            }
            Self::RunSealed { run, manifest } => {
                format!("sealed training run {}, with the manifest of SHA-256 {manifest}", Name(run))
            }
            Self::RowsRevoked { run, count, .. } => {
                format!("revoked {} of training run {}", Count(*count, "row"), Name(run))
            }
            Self::SigningKeysChanged { added, retired } => {
                let ids = |keys: &[tenure_tlog::note::VerifierKey]| -> Vec<String> {
                    keys.iter().map(|key| key.id().to_string()).collect()
                };
                let (added, retired) = (ids(added), ids(retired));
                format!(
                    "changed the keys that sign the log: added {}, retired {}",
                    Names("key", &added),
                    Names("key", &retired)
                )
            }
        }
    }

    /// The words of what is held, and of who reads it.
    fn describe_hold(&self) -> String {
        let order = |verb: &str, hold: &str, may_tell: Option<bool>, dated: Option<Instant>| {
            let dated = dated.map(|dated| format!(", by an order dated {dated}")).unwrap_or_default();
            let told = match may_tell {
                None => "",
                Some(true) => ", of which people may be told",
                Some(false) => ", of which people may not be told",
            };
            format!("{verb} hold {}{dated}{told}", Name(hold))
        };
        match self {
            Self::HoldPlaced { hold, may_tell, dated, .. } => order("placed", hold, *may_tell, *dated),
            Self::HoldAmended { hold, may_tell, dated, .. } => order("amended", hold, *may_tell, *dated),
            Self::HoldReleased { hold, dated } => order("released", hold, None, *dated),
            Self::HoldReader { hold, reader, may_read: true } => {
                format!("gave {} the right to read what hold {} keeps", Name(reader), Name(hold))
            }
            Self::HoldReader { hold, reader, may_read: false } => {
                format!("took from {} the right to read what hold {} keeps", Name(reader), Name(hold))
            }
            Self::HoldRead { hold, reader, count, .. } => {
                format!("let {} read {} under hold {}", Name(reader), Count(*count, "record"), Name(hold))
            }
            _ => String::new(),
        }
    }

    /// The words of what two people wanted.
    fn describe_change(&self) -> String {
        let Self::ChangeApproved { change, what, proposed_by, approved_by } = self else {
            return String::new();
        };
        format!(
            "made a change of kind {} and digest {what}, which {} proposed and {} approved",
            Name(change),
            Name(proposed_by),
            Name(approved_by)
        )
    }

    /// The words of what people are asked and shown.
    fn describe_asking(&self) -> String {
        match self {
            Self::NoticePublished { policy, version, notice, language, text, layout, defaults, code } => {
                let mut words = format!(
                    "published notice {} of {} in language {}, with text {text}, layout {layout} and code {code}",
                    Name(notice),
                    Terms(policy, version),
                    Name(language)
                );
                for (control, choice) in defaults {
                    // Writing to a string does not fail.
                    let _written = write!(words, ", {} set to `{choice}` at first", Name(control));
                }
                words
            }
            Self::Campaign { campaign, policy, version, decide_by, count, .. } => format!(
                "opened campaign {} about {} to {}, to decide by {decide_by}",
                Name(campaign),
                Terms(policy, version),
                Count(*count, "account")
            ),
            _ => String::new(),
        }
    }
}

/// A name between backticks.
struct Name<'a>(&'a str);

impl Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('`')?;
        for letter in self.0.chars() {
            if letter == '`' || is_unseen(letter) {
                write!(f, "{}", letter.escape_unicode())?;
            } else {
                f.write_char(letter)?;
            }
        }
        f.write_char('`')
    }
}

/// Whether a character moves the cursor, or changes the direction or the look of what follows.
fn is_unseen(letter: char) -> bool {
    letter.is_control()
        || matches!(
            letter,
            '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
                | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}'
        )
}

/// A version of a policy.
struct Terms<'a>(&'a str, &'a str);

impl Display for Terms<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "policy {}, version {}", Name(self.0), Name(self.1))
    }
}

/// So many of something, in its singular.
struct Count(u64, &'static str);

impl Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(count, one) = self;
        let many = match *one {
            "copy" => "copies",
            "leaf" => "leaves",
            _ if *count == 1 => one,
            _ => return write!(f, "{count} {one}s"),
        };
        write!(f, "{count} {}", if *count == 1 { one } else { many })
    }
}

/// Things that are called by name, as long as they are few.
struct Names<'a>(&'static str, &'a [String]);

impl Display for Names<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const FEW: usize = 5;
        let Self(one, names) = self;
        match *names {
            [] => write!(f, "no {one}"),
            [name] => write!(f, "{one} {}", Name(name)),
            [first, rest @ ..] if rest.len() < FEW => {
                write!(f, "{one}s {}", Name(first))?;
                rest.iter().try_for_each(|name| write!(f, ", {}", Name(name)))
            }
            many => write!(f, "{} {one}s", many.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_change_how_the_screen_shows_it() {
        let words = Statement::Feedback { record: "a\u{1b}[2J`\u{202e}ü".to_owned() }.describe();
        assert_eq!(words, r"gave feedback on record `a\u{1b}[2J\u{60}\u{202e}ü`");
    }

    #[test]
    fn one_is_told_from_many() {
        assert_eq!(Count(1, "copy").to_string(), "1 copy");
        assert_eq!(Count(2, "copy").to_string(), "2 copies");
        assert_eq!(Count(1, "row").to_string(), "1 row");
        assert_eq!(Count(0, "row").to_string(), "0 rows");
        let names: Vec<String> = (0..6).map(|name| format!("r{name}")).collect();
        assert_eq!(Names("record", &names[..0]).to_string(), "no record");
        assert_eq!(Names("record", &names[..1]).to_string(), "record `r0`");
        assert_eq!(Names("record", &names[..2]).to_string(), "records `r0`, `r1`");
        assert_eq!(Names("record", &names).to_string(), "6 records");
    }
}
