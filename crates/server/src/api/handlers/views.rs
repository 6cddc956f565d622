//! Things that several endpoints show.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tenure_app::{RecordId, parse_head};
use tenure_model::Instant;
use tenure_receipts::{Receipt, commit};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;
use utoipa::{PartialSchema, ToSchema};

use crate::api::ask::Trouble;
use crate::api::describe::{one_of, pattern};
use crate::api::fault::Code;
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

/// A country, as an assigned ISO 3166-1 code of two capitals.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Country(String);

/// Text that is not of its kind. It begins as the parser's own messages do, so that it is shown and what was sent is
/// not.
#[derive(Debug, thiserror::Error)]
#[error("expected {0}")]
pub(super) struct NotOfItsKind(&'static str);

impl TryFrom<String> for Country {
    type Error = NotOfItsKind;

    fn try_from(code: String) -> Result<Self, NotOfItsKind> {
        let is_one = tenure_model::is_iso_3166(&code);
        if is_one { Ok(Self(code)) } else { Err(NotOfItsKind("an assigned ISO 3166-1 code of two capitals")) }
    }
}

impl From<Country> for String {
    fn from(Country(code): Country) -> Self {
        code
    }
}

impl PartialSchema for Country {
    fn schema() -> RefOr<Schema> {
        let pairs = ('A'..='Z').flat_map(|first| ('A'..='Z').map(move |second| format!("{first}{second}")));
        let assigned: Vec<String> = pairs.filter(|code| tenure_model::is_iso_3166(code)).collect();
        let says = "An assigned ISO 3166-1 code of two capitals.";
        one_of(&assigned.iter().map(String::as_str).collect::<Vec<_>>()).description(Some(says)).into()
    }
}

impl ToSchema for Country {}

/// A record, as it is named.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct RecordName(pub(super) RecordId);

impl TryFrom<String> for RecordName {
    type Error = NotOfItsKind;

    fn try_from(name: String) -> Result<Self, NotOfItsKind> {
        name.parse().map(Self).map_err(|_| NotOfItsKind("a record, `r-` and 32 hexadecimal digits"))
    }
}

impl PartialSchema for RecordName {
    fn schema() -> RefOr<Schema> {
        pattern("^r-[0-9a-f]{32}$").description(Some("A record.")).into()
    }
}

impl ToSchema for RecordName {}

/// 32 bytes, as 64 hexadecimal digits in small letters.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Digits(pub(super) [u8; 32]);

impl TryFrom<String> for Digits {
    type Error = NotOfItsKind;

    fn try_from(digits: String) -> Result<Self, NotOfItsKind> {
        parse_head(&digits).map(Self).ok_or(NotOfItsKind("64 hexadecimal digits in small letters"))
    }
}

impl PartialSchema for Digits {
    fn schema() -> RefOr<Schema> {
        let says = "32 bytes, as 64 hexadecimal digits in small letters.";
        pattern("^[0-9a-f]{64}$").description(Some(says)).into()
    }
}

impl ToSchema for Digits {}

/// An instant that can't lie ahead.
pub(super) fn not_ahead(instant: Option<Instant>, now: Instant) -> Option<Instant> {
    instant.map(|instant| instant.min(now))
}
