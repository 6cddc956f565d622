//! Things that several endpoints show.

use serde::Serialize;
use serde_json::value::RawValue;
use tenure_access::Evidence;
use tenure_model::Instant;
use tenure_receipts::{Receipt, commit};
use utoipa::ToSchema;

use crate::api::ask::Trouble;
use crate::api::fault::{Code, Fault};
use crate::files::hex;

/// A receipt: what was stated, and the file that proves it offline.
#[derive(Serialize, ToSchema)]
#[schema(as = Receipt)]
pub(super) struct ReceiptView {
    /// The place of the statement in the account's chain, from 1.
    version: u64,
    /// The place of its leaf in the log, from 0.
    leaf: u64,
    /// What was stated, as it was canonically written.
    #[schema(value_type = Object)]
    statement: Box<RawValue>,
    /// The receipt, a file of c2sp.org/tlog-proof: keep it as it is.
    receipt: String,
}

impl ReceiptView {
    pub(super) fn of(receipt: &Receipt) -> Result<Self, Trouble> {
        let statement = String::from_utf8(receipt.statement().to_vec()).ok();
        let statement = statement.and_then(|statement| RawValue::from_string(statement).ok());
        Ok(Self {
            version: receipt.link().version,
            leaf: receipt.proof().index,
            statement: statement.ok_or(Code::Internal)?,
            receipt: receipt.to_string(),
        })
    }
}

/// The head that a chain has after a receipt's statement.
pub(super) fn head_after(receipt: &Receipt) -> String {
    hex(&commit(receipt.opening(), receipt.subject(), receipt.link(), receipt.statement()))
}

/// Evidence, from 64 hexadecimal digits.
pub(super) fn evidence(text: &str) -> Option<Evidence> {
    tenure_app::parse_head(text).map(Evidence)
}

/// Refuses a country that is none.
pub(super) fn check_country(country: Option<&str>) -> Result<(), Fault> {
    match country {
        Some(country) if !tenure_model::is_iso_3166(country) => {
            Err(Fault::body("`country` is not an assigned ISO 3166-1 code of two capitals"))
        }
        _ => Ok(()),
    }
}

/// An instant that can't lie ahead.
pub(super) fn not_ahead(instant: Option<Instant>, now: Instant) -> Option<Instant> {
    instant.map(|instant| instant.min(now))
}
