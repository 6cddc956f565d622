//! Training runs: opened, listed, and what of them may not be used any more.

use axum::http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use tenure_access::Operation;
use tenure_app::RunId;
use tenure_app::run::{Manifest, Revocations, Rows, RunStage, RunStatus, Verified};
use tenure_model::Instant;
use utoipa::ToSchema;

use super::house::part;
use crate::api::answer::{Answer, Json};
use crate::api::ask::{Ask, Trouble};
use crate::api::cursor::List;
use crate::api::endpoint::{Endpoint, operation};
use crate::api::fault::{Code, Fault};
use crate::api::input::{Body, Paging, PassedOn};

/// In which formats rows are written.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = RunFormat)]
enum FormatBody {
    /// JSON lines.
    Jsonl,
    /// Parquet.
    Parquet,
    /// Both, with the same rows.
    Both,
}

/// A run to open.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = OpenRunRequest)]
struct OpenBody {
    /// What the rows are for.
    purpose: String,
    /// The name of the folder for them, below the one that the service has for runs: a new one, or one in which the
    /// same run broke off.
    #[schema(pattern = "^[a-z0-9][a-z0-9._-]{0,63}$")]
    folder: String,
    /// How to write them; `jsonl` where it is left out.
    format: Option<FormatBody>,
}

/// A run that was opened.
#[derive(Serialize, ToSchema)]
#[schema(as = OpenedRun)]
struct OpenedView {
    /// The run.
    run: String,
    /// The SHA-256 of its manifest, as the ledger has it.
    digest: String,
    /// How many training copies were made.
    copies: u64,
    /// Whether it was sealed before, and only had to be finished.
    resumed: bool,
    /// Its manifest.
    #[schema(value_type = Object)]
    manifest: Manifest,
}

/// A part of the list of runs.
#[derive(Serialize, ToSchema)]
#[schema(as = Runs)]
struct RunsView {
    /// The runs, by when they were opened.
    items: Vec<RunView>,
    /// The cursor with which the list goes on; null at its end.
    next: Option<String>,
}

/// A run.
#[derive(Serialize, ToSchema)]
#[schema(as = Run)]
struct RunView {
    /// The run.
    run: String,
    /// The purpose.
    purpose: String,
    /// When it was opened.
    #[schema(value_type = String, format = DateTime)]
    opened_at: Instant,
    /// The position of the ledger that it froze.
    position: u64,
    /// `opening` while it is written, or since it broke off: nothing may rely on it. `sealed` once it stands.
    stage: &'static str,
    /// The SHA-256 of its manifest, once it is sealed.
    digest: Option<String>,
    /// Whether training copies are still to be made.
    copies_due: bool,
    /// Its manifest, once it is sealed; left out in a list.
    #[schema(value_type = Option<Object>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    manifest: Option<Box<Manifest>>,
}

/// What of a run may not be used any more.
#[derive(Serialize, ToSchema)]
#[schema(as = Revocations)]
struct RevocationsView {
    /// The rows that a loader must skip from now on, by record, with what took their permission away.
    #[schema(value_type = Object)]
    revocations: Revocations,
}

/// A folder to check.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = VerifyRunRequest)]
struct VerifyBody {
    /// The folder in which the run lies.
    #[schema(pattern = "^[a-z0-9][a-z0-9._-]{0,63}$")]
    folder: String,
}

/// What checking a folder gave.
#[derive(Serialize, ToSchema)]
#[schema(as = VerifiedRun)]
struct VerifiedView {
    /// Whether the folder holds exactly the run that the ledger knows.
    sound: bool,
    /// What was checked, and what is wrong.
    #[schema(value_type = Object)]
    verified: Verified,
}

impl PassedOn for OpenBody {}
impl PassedOn for VerifyBody {}

pub(super) fn endpoints() -> Vec<Endpoint> {
    use Code as C;
    vec![
        operation(Operation::OpenRun, Method::POST, "/v1/runs", open)
            .says(
                "Open a run",
                "Writes every row that the purpose may use now into a folder of the service, and seals it. The same \
                 request again takes a run over that broke off, and gives one that is sealed but not finished.",
            )
            .creates()
            .fails(&[C::FolderMissing, C::PurposeUnknown, C::Refused])
            .long(),
        operation(Operation::ListRuns, Method::GET, "/v1/runs", list)
            .says("List runs", "How every run stands, by when they were opened.")
            .fails(&[C::CursorUnknown]),
        operation(Operation::ListRuns, Method::GET, "/v1/runs/{run}", read)
            .named("read-run")
            .says("Read a run", "How a run stands, with its manifest.")
            .fails(&[C::RunUnknown]),
        operation(Operation::ReadRevocations, Method::GET, "/v1/runs/{run}/revocations", revocations)
            .says("Read revocations", "Judges every record of a sealed run again, and names what may not be used any more.")
            .fails(&[C::RunUnknown, C::Refused])
            .long(),
        operation(Operation::VerifyRun, Method::POST, "/v1/runs/{run}/verify", verify)
            .says("Verify a run", "Checks that a folder holds the run that the ledger knows, byte by byte.")
            .fails(&[C::RunUnknown, C::FolderMissing, C::Refused])
            .long(),
    ]
}

impl RunView {
    fn of(status: RunStatus) -> Self {
        let (stage, digest, copies_due, manifest) = match status.stage {
            RunStage::Opening => ("opening", None, false, None),
            RunStage::Sealed { digest, manifest, copies_due } => {
                ("sealed", Some(digest), copies_due, Some(manifest))
            }
        };
        let RunStatus { run, purpose, opened_at, position, .. } = status;
        Self { run, purpose, opened_at, position, stage, digest, copies_due, manifest }
    }
}

fn run(ask: &Ask<'_>) -> Result<RunId, Fault> {
    ask.raw.param("run")?.parse().map_err(|_| Code::PathInvalid.into())
}

fn open(ask: &Ask<'_>, Body(body): Body<OpenBody>) -> Result<Answer<Json<OpenedView>>, Trouble> {
    let folder = ask.api.run_folder(&body.folder)?;
    let rows = match body.format {
        None | Some(FormatBody::Jsonl) => Rows::Jsonl,
        Some(FormatBody::Parquet) => Rows::Parquet,
        Some(FormatBody::Both) => Rows::Both,
    };
    let report = ask.tenure().open_run(&body.purpose, &folder, rows, ask.now, &mut |_| {})?;
    let view = OpenedView {
        run: report.manifest.run.clone(),
        digest: report.digest,
        copies: report.copies,
        resumed: report.resumed,
        manifest: report.manifest,
    };
    Ok(Answer::ok(Json(view)).with_status(StatusCode::CREATED))
}

fn list(ask: &Ask<'_>, paging: Paging) -> Result<Answer<Json<RunsView>>, Trouble> {
    let runs = ask.tenure().runs()?;
    let (items, next) = part(runs, |status| status.run.clone(), &paging, List { name: "runs", of: "" })?;
    let brief = |status| RunView { manifest: None, ..RunView::of(status) };
    Ok(Answer::ok(Json(RunsView { items: items.into_iter().map(brief).collect(), next })))
}

fn read(ask: &Ask<'_>, (): ()) -> Result<Answer<Json<RunView>>, Trouble> {
    Ok(Answer::ok(Json(RunView::of(ask.tenure().run_status(run(ask)?)?))))
}

fn revocations(ask: &Ask<'_>, (): ()) -> Result<Answer<Json<RevocationsView>>, Trouble> {
    let revocations = ask.tenure().revocations(run(ask)?, ask.now)?;
    Ok(Answer::ok(Json(RevocationsView { revocations })))
}

fn verify(ask: &Ask<'_>, Body(body): Body<VerifyBody>) -> Result<Answer<Json<VerifiedView>>, Trouble> {
    let folder = ask.api.run_folder(&body.folder)?;
    let verified = ask.tenure().verify_this_run(run(ask)?, &folder)?;
    Ok(Answer::ok(Json(VerifiedView { sound: verified.problems.is_empty(), verified })))
}
