//! Secrets: never on a command line, which everybody on the machine can read, and never in a file of settings,
//! which is copied about. They lie in files of their own or in the environment.

use std::fmt;
use std::fs;
use std::path::PathBuf;

use super::InForce;
use super::sources::{Complaint, Origin};
use super::table::Configuration;

/// Secrets that were read from files, each by the name of the variable that it stands for.
#[derive(Default)]
pub(crate) struct Secrets(Vec<(&'static str, String)>);

impl fmt::Debug for Secrets {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

impl Secrets {
    /// Whether a file says the value of a variable.
    #[cfg_attr(not(feature = "transit"), expect(dead_code, reason = "only a server has a token"))]
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| *known == name)
    }

    /// The value of a variable: what a file says, or the environment.
    #[cfg_attr(not(any(test, feature = "transit")), expect(dead_code, reason = "only a server has a token"))]
    pub(crate) fn variable(&self, name: &str) -> Option<String> {
        let filed = self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| value.clone());
        filed.or_else(|| std::env::var(name).ok())
    }

    /// Every variable that there is, those of files first.
    pub(crate) fn variables(&self) -> impl Iterator<Item = (String, String)> {
        let filed = self.0.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        let others = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        let others = others.filter(|(name, _)| !self.0.iter().any(|(filed, _)| filed == name));
        filed.chain(others)
    }
}

impl Configuration {
    /// Reads the files that hold secrets.
    pub(crate) fn secrets(&self, in_force: &[InForce]) -> Result<Secrets, Vec<Complaint>> {
        let files: [(&str, &'static str, &Option<PathBuf>); 4] = [
            ("transit.token-file", "VAULT_TOKEN", &self.transit_token_file),
            ("s3.access-key-id-file", "AWS_ACCESS_KEY_ID", &self.s3_access_key_id_file),
            ("s3.secret-access-key-file", "AWS_SECRET_ACCESS_KEY", &self.s3_secret_access_key_file),
            ("s3.session-token-file", "AWS_SESSION_TOKEN", &self.s3_session_token_file),
        ];
        let (mut secrets, mut complaints) = (Vec::new(), Vec::new());
        for (setting, name, path) in files {
            let Some(path) = path else { continue };
            match fs::read_to_string(path).map(|text| text.trim().to_owned()) {
                Ok(secret) if !secret.is_empty() => secrets.push((name, secret)),
                // Neither the path nor what is in it is repeated: one may have been written for the other.
                Ok(_) => complaints.push((setting, "the file is empty".to_owned())),
                Err(error) => complaints.push((setting, format!("the file can't be read: {}", error.kind()))),
            }
        }
        let told = |(setting, message): (&str, String)| {
            let origin = in_force.iter().find(|one| one.name == setting).map(|one| one.origin.clone());
            Complaint {
                origin: origin.unwrap_or(Origin::Default),
                message: format!("`{setting}`: {message}"),
            }
        };
        if complaints.is_empty() {
            Ok(Secrets(secrets))
        } else {
            Err(complaints.into_iter().map(told).collect())
        }
    }
}
