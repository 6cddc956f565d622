//! Reading under a hold: who may, and what they read.

use std::io::Write as _;

use axum::http::Method;
use serde::{Deserialize, Serialize};
use tenure_access::{Operation, Refusal};
use tenure_app::{HeldAccess, HeldEntry, HeldTarget, HoldReaderView};
use tenure_model::Instant;
use utoipa::ToSchema;

use crate::api::answer::{Answer, Json, Nothing};
use crate::api::ask::{Ask, Trouble, gone};
use crate::api::endpoint::{Endpoint, Outlet, operation, streamed};
use crate::api::fault::{Code, Fault};
use crate::api::input::{Body, PassedOn};
use crate::api::stream::Outgoing;

/// Who may read what a hold keeps.
#[derive(Serialize, ToSchema)]
#[schema(as = HoldReaders)]
struct ReadersView {
    /// Everybody who may, or might once.
    readers: Vec<ReaderView>,
}

/// Somebody who may read what a hold keeps, or might once.
#[derive(Serialize, ToSchema)]
#[schema(as = HoldReader)]
struct ReaderView {
    /// Who: a role or a pseudonym.
    reader: String,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    since: Instant,
    /// Until when, if they may no longer.
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Instant>,
    /// How often they read, as the ledger says.
    accesses: u64,
    /// How many records that were, each counted as often as it was read.
    records: u64,
    /// When they read last.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_read_at: Option<Instant>,
}

/// What is to be read: exactly one of the fields.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReadHeldRequest)]
struct ReadBody {
    /// One record.
    #[schema(pattern = "^r-[0-9a-f]{32}$")]
    record: Option<String>,
    /// What the hold covers of an account.
    account: Option<String>,
    /// `true` for everything that the hold covers.
    all: Option<bool>,
}

impl PassedOn for ReadBody {}

/// A record that was read: what is said of it, and what was said in it.
#[derive(Serialize)]
struct Line<'l> {
    #[serde(flatten)]
    entry: HeldEntry<'l>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<&'l str>,
}

/// The last line.
#[derive(Serialize)]
struct LastLine {
    access: HeldAccess,
}

pub(super) fn endpoints() -> Vec<Endpoint> {
    const READER: &str = "/v1/holds/{hold}/readers/{reader}";
    vec![
        operation(Operation::ListHolds, Method::GET, "/v1/holds/{hold}/readers", list)
            .named("list-readers")
            .says("List readers", "Who may read what the hold keeps, or might once, and what they read.")
            .fails(&[Code::HoldUnknown]),
        operation(Operation::GiveReader, Method::PUT, READER, give)
            .says("Give the right to read", "Lets somebody else in legal read what the hold keeps. The ledger says so.")
            .fails(&[Code::HoldUnknown, Code::Refused])
            .refuses(&[Refusal::ReaderSelf]),
        operation(Operation::EndReader, Method::DELETE, READER, end)
            .says("End the right to read", "Also after the hold was released. The ledger says so.")
            .fails(&[Code::HoldUnknown, Code::Refused]),
        streamed(Operation::ReadHeld, Method::POST, "/v1/holds/{hold}/read", "application/x-ndjson", read)
            .says(
                "Read what a hold keeps",
                "A line for each record that the hold covers: what is known of it, the leaf of the ledger that says that \
                 it is read, and in `content` what was said, as the lines in which it is stored; `sha256` is of that. The \
                 ledger says so before anything is opened. The last line has `access`, and an answer without it is not \
                 whole.",
            )
            .fails(&[Code::AccountUnknown, Code::RecordUnknown, Code::Refused])
            .refuses(&[Refusal::ReaderOnly]),
    ]
}

impl From<HoldReaderView> for ReaderView {
    fn from(view: HoldReaderView) -> Self {
        Self {
            reader: view.reader,
            since: view.since,
            until: view.until,
            accesses: view.accesses,
            records: view.records,
            last_read_at: view.last_read_at,
        }
    }
}

fn list(ask: &Ask<'_>, (): ()) -> Result<Answer<Json<ReadersView>>, Trouble> {
    let readers = ask.tenure().hold_readers(ask.raw.param("hold")?)?;
    Ok(Answer::ok(Json(ReadersView { readers: readers.into_iter().map(ReaderView::from).collect() })))
}

fn give(ask: &Ask<'_>, (): ()) -> Result<Answer<Nothing>, Trouble> {
    ask.tenure().add_hold_reader(ask.raw.param("hold")?, ask.raw.param("reader")?, ask.now)?;
    Ok(Answer::done())
}

fn end(ask: &Ask<'_>, (): ()) -> Result<Answer<Nothing>, Trouble> {
    ask.tenure().remove_hold_reader(ask.raw.param("hold")?, ask.raw.param("reader")?, ask.now)?;
    Ok(Answer::done())
}

fn target(body: ReadBody) -> Result<HeldTarget, Fault> {
    match (body.record, body.account, body.all) {
        (Some(record), None, None) => {
            let wrong = "`record` is none: `r-` and 32 hexadecimal digits";
            record.parse().map(HeldTarget::Record).map_err(|_| Fault::body(wrong))
        }
        (None, Some(account), None) => Ok(HeldTarget::Account(account)),
        (None, None, Some(true)) => Ok(HeldTarget::All),
        _ => Err(Fault::body("give one of `record`, `account` and `\"all\": true`")),
    }
}

fn read(ask: &Ask<'_>, Body(body): Body<ReadBody>, outlet: &mut Outlet) -> Result<(), Trouble> {
    let (hold, what) = (ask.raw.param("hold")?, target(body)?);
    let access = ask.tenure().hand_over_held(&ask.permit, (hold, &what), ask.now, &mut |entry, body| {
        let content = body.map(std::str::from_utf8).transpose().map_err(|_| Code::Internal)?;
        write(outlet.begin()?, &Line { entry, content })
    })?;
    write(outlet.begin()?, &LastLine { access })
}

fn write(out: &mut Outgoing, line: &impl Serialize) -> Result<(), Trouble> {
    serde_json::to_writer(&mut *out, line).map_err(|_| Code::Internal)?;
    out.write_all(b"\n").map_err(gone)
}
