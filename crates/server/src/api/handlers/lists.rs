//! What an account has, a part at a time: its records, and its receipts.

use axum::http::Method;
use serde::Serialize;
use tenure_access::Operation;
use tenure_app::{ListedRecord, Slice};
use tenure_model::Instant;
use utoipa::ToSchema;

use super::views::ReceiptView;
use crate::api::answer::{Answer, Json};
use crate::api::ask::{Ask, Trouble};
use crate::api::cursor::List;
use crate::api::endpoint::{Endpoint, operation};
use crate::api::fault::Code;
use crate::api::input::Paging;

/// A part of a list of records, by their ids. One that was made since the list was begun may be missing.
#[derive(Serialize, ToSchema)]
#[schema(as = Records)]
struct RecordsView {
    /// The records.
    items: Vec<RecordView>,
    /// The cursor with which the list goes on; null at its end.
    next: Option<String>,
}

/// A record.
#[derive(Serialize, ToSchema)]
#[schema(as = Record)]
struct RecordView {
    /// The record.
    record: String,
    /// The conversation that it is a part of.
    conversation: String,
    /// The surface.
    surface: String,
    /// `chat` or `code`.
    kind: &'static str,
    /// `normal` or `incognito`.
    mode: &'static str,
    /// When it was created.
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
    /// Its own last activity.
    #[schema(value_type = String, format = DateTime)]
    last_activity_at: Instant,
    /// When its person deleted it.
    #[schema(value_type = Option<String>, format = DateTime)]
    deleted_at: Option<Instant>,
    /// The classes of which a copy is kept.
    kept: Vec<String>,
}

/// A part of a list of receipts, in the order of the account's chain.
#[derive(Serialize, ToSchema)]
#[schema(as = Receipts)]
struct ReceiptsView {
    /// The receipts.
    items: Vec<ReceiptView>,
    /// The cursor with which the list goes on; null at its end.
    next: Option<String>,
}

pub(super) fn endpoints() -> Vec<Endpoint> {
    let records = |path, id| {
        operation(Operation::ReadAccount, Method::GET, path, records)
            .named(id)
            .says("List records", "The records of the account, with what is kept of each.")
            .fails(&[Code::CursorUnknown])
    };
    let receipts = |path| {
        operation(Operation::ReadReceipts, Method::GET, path, receipts)
            .says(
                "List receipts",
                "The receipts of the account's statements, each of which verifies offline.",
            )
            .fails(&[Code::CursorUnknown, Code::ProofDestroyed])
    };
    vec![
        records("/v1/accounts/{account}/records", "list-records"),
        records("/v1/me/records", "my-list-records"),
        receipts("/v1/accounts/{account}/receipts"),
        receipts("/v1/me/receipts"),
    ]
}

impl From<ListedRecord> for RecordView {
    fn from(listed: ListedRecord) -> Self {
        Self {
            record: listed.record,
            conversation: listed.conversation,
            surface: listed.surface,
            kind: listed.kind.word(),
            mode: listed.mode.word(),
            created_at: listed.created_at,
            last_activity_at: listed.last_activity_at,
            deleted_at: listed.deleted_at,
            kept: listed.kept,
        }
    }
}

fn records(ask: &Ask<'_>, paging: Paging) -> Result<Answer<Json<RecordsView>>, Trouble> {
    let account = ask.account()?;
    let list = List { name: "records", of: account };
    let part = (paging.after(list)?, paging.limit);
    let Slice { items, next } = ask.tenure().list_records(account, ask.sight(), part, ask.now)?;
    Ok(Answer::ok(Json(RecordsView {
        items: items.into_iter().map(RecordView::from).collect(),
        next: next.map(|record| list.after(&record.to_string())),
    })))
}

fn receipts(ask: &Ask<'_>, paging: Paging) -> Result<Answer<Json<ReceiptsView>>, Trouble> {
    let account = ask.account()?;
    let list = List { name: "receipts", of: account };
    let part = (paging.after(list)?.unwrap_or(0), paging.limit);
    let Slice { items, next } = ask.tenure().list_receipts(account, part, ask.now)?;
    let items = items.iter().map(|listed| ReceiptView::of(&listed.receipt)).collect::<Result<_, _>>()?;
    Ok(Answer::ok(Json(ReceiptsView { items, next: next.map(|version| list.after(&version.to_string())) })))
}
