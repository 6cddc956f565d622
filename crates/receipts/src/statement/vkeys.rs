//! Verifier keys, each written as its `vkey`.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serializer, de};
use tenure_tlog::note::VerifierKey;

pub(super) fn serialize<S: Serializer>(keys: &[VerifierKey], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(keys.iter().map(ToString::to_string))
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<VerifierKey>, D::Error> {
    let keys = Vec::<Cow<'_, str>>::deserialize(deserializer)?;
    keys.iter().map(|key| key.parse().map_err(de::Error::custom)).collect()
}
