//! Erasure: what is destroyed, what was, and what proves it.

use std::collections::BTreeMap;

use axum::http::Method;
use serde::{Deserialize, Serialize};
use tenure_access::Operation;
use tenure_app::reports::{Certificate, ErasureReport, Of};
use tenure_app::{Act, Allowance, Done, Excess, RecordId, SweepOptions, Swept};
use tenure_model::{Instant, MonthLength, Span};
use utoipa::ToSchema;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};

use super::house::{TWO_PEOPLE, carry_out};
use crate::api::answer::{Answer, Json};
use crate::api::ask::{Ask, Raw, Trouble};
use crate::api::describe::{Shapes, Takes, text};
use crate::api::endpoint::{Endpoint, operation};
use crate::api::fault::{Code, Fault};
use crate::api::input::{Body, Fields, Input, PassedOn};

/// How far a sweep works ahead unless it is said.
const LEAD: &str = "1 hour";
/// How long the period of a report is unless it is said.
const PERIOD_MICROS: i64 = 30 * 24 * 3_600 * 1_000_000;

/// A sweep to run.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SweepRequest)]
struct SweepBody {
    /// Destroy what is due within this time too, such as `1 hour`, which is the default; seven days at most.
    #[schema(pattern = "^[0-9]{1,3} (hour|day|week|month|year)s?$")]
    lead: Option<String>,
    /// Destroy at most so many copies a second, to spare what else the service does.
    #[schema(minimum = 1)]
    rate: Option<u32>,
}

/// A sweep to try.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DryRunRequest)]
struct DryRunBody {
    /// Count what is due within this time too, such as `30 days`; `1 hour` where it is left out.
    #[schema(pattern = "^[0-9]{1,3} (hour|day|week|month|year)s?$")]
    lead: Option<String>,
}

/// What a sweep did.
#[derive(Serialize, ToSchema)]
#[schema(as = Swept)]
struct SweptView {
    /// Copies that were destroyed by class and by cause, and what else was done.
    #[schema(value_type = Object)]
    swept: Swept,
}

/// What a sweep would do.
#[derive(Serialize, ToSchema)]
#[schema(as = DryRun)]
struct DryRunView {
    /// Copies that would be destroyed by class and by cause, and what is kept all the same.
    #[schema(value_type = Object)]
    swept: Swept,
    /// Where the guard would stop it: how many copies it would destroy, how many it may, and how many live.
    #[schema(value_type = Option<Object>)]
    guard: Option<Box<Excess>>,
    /// The act that would override the guard now, to be proposed as `overrides-guard`.
    #[schema(value_type = Option<Object>)]
    act: Option<Act>,
}

/// A sweep beyond the guard.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = OverrideRequest)]
struct OverrideBody {
    /// The most copies that it may destroy of each class.
    copies: BTreeMap<String, u64>,
    /// The change that was approved for exactly this.
    #[serde(default)]
    approvals: Vec<String>,
}

/// A report on erasure.
#[derive(Serialize, ToSchema)]
#[schema(as = ErasureReport)]
struct ReportView {
    /// What was destroyed in the period and in which time, and what is due, late, on its way or held now.
    #[schema(value_type = Object)]
    report: ErasureReport,
}

/// A certificate of erasure.
#[derive(Serialize, ToSchema)]
#[schema(as = ErasureCertificate)]
struct CertificateView {
    /// What became of each copy, with the receipts that prove it. Kept as a file it verifies offline.
    #[schema(value_type = Object)]
    certificate: Certificate,
}

impl PassedOn for SweepBody {}
impl PassedOn for DryRunBody {}
impl PassedOn for OverrideBody {}

/// The period of a report.
struct Period {
    from: Option<Instant>,
    to: Option<Instant>,
}

impl Input for Period {
    fn read(raw: &mut Raw) -> Result<Self, Fault> {
        let mut fields = Fields::read(raw)?;
        let mut instant = |name: &str| {
            let wrong = |_| Fault::with(Code::QueryInvalid, format!("`{name}` is an instant of RFC 3339"));
            fields.take(name).map(|text| text.parse().map_err(wrong)).transpose()
        };
        let (from, to) = (instant("from")?, instant("to")?);
        fields.end()?;
        Ok(Self { from, to })
    }

    fn describe(takes: &mut Takes, _: &mut Shapes) {
        let instant = || {
            let format = SchemaFormat::KnownFormat(KnownFormat::DateTime);
            ObjectBuilder::new().schema_type(Type::String).format(Some(format))
        };
        takes.query(
            "from",
            "The first instant of the period; 30 days before its end where it is left out.",
            instant(),
        );
        takes.query("to", "The first instant after it; now where it is left out.", instant());
    }
}

/// The class that is asked about.
struct OfClass(Option<String>);

impl Input for OfClass {
    fn read(raw: &mut Raw) -> Result<Self, Fault> {
        let mut fields = Fields::read(raw)?;
        let class = fields.take("class");
        fields.end()?;
        Ok(Self(class))
    }

    fn describe(takes: &mut Takes, _: &mut Shapes) {
        takes.query("class", "The one class that is asked about; all, where it is left out.", text(200));
    }
}

pub(super) fn endpoints() -> Vec<Endpoint> {
    const CERTIFY: &str = "What became of the copies and what proves it, as the person may be told it.";
    use Code as C;
    vec![
        operation(Operation::ReadErasureReports, Method::GET, "/v1/erasure/report", report)
            .says("Read a report", "How erasure went in a period, and how it stands now.")
            .fails(&[C::Refused])
            .long(),
        operation(Operation::ReadCertificate, Method::GET, "/v1/erasure/accounts/{account}/certificate", of_account)
            .named("read-account-certificate")
            .says("Certify an account", CERTIFY)
            .fails(&[C::AccountUnknown])
            .long(),
        operation(Operation::ReadCertificate, Method::GET, "/v1/erasure/records/{record}/certificate", of_record)
            .named("read-record-certificate")
            .says("Certify a record", CERTIFY)
            .fails(&[C::RecordUnknown])
            .long(),
        operation(Operation::DryRunSweep, Method::POST, "/v1/erasure/dry-run", dry_run)
            .says("Try a sweep", "What a sweep would destroy, and whether the guard would stop it. Nothing is changed.")
            .long(),
        operation(Operation::RunSweep, Method::POST, "/v1/erasure/sweep", sweep)
            .says(
                "Run a sweep",
                "Destroys what is due. Where that is more than a fifth of all copies, and more than a hundred, it is \
                 `guarded`: nothing is destroyed, and it takes two people to override that. Where Tenure only observes, \
                 `observed` says so.",
            )
            .fails(&[C::Guarded, C::DestructionPaused, C::ObservesOnly, C::SweptElsewhere, C::Stopping, C::Refused])
            .long(),
        operation(Operation::OverrideGuard, Method::POST, "/v1/erasure/override", override_guard)
            .says(
                "Override the guard",
                "Runs a sweep that destroys no more of any class than was approved. It needs somebody else's approval of \
                 `{\"act\":\"override_guard\",\"copies\":…}`, which trying a sweep gives.",
            )
            .fails(&[C::Guarded, C::DestructionPaused, C::ObservesOnly, C::SweptElsewhere, C::Stopping, C::ChangeUnknown])
            .fails(&[C::Refused])
            .refuses(TWO_PEOPLE)
            .long(),
    ]
}

/// A span of a body.
pub(super) fn span(text: &str, name: &str) -> Result<Span, Fault> {
    let wrong = |_| Fault::body(format!("`{name}` is a number and a unit, such as `1 hour` or `30 days`"));
    text.parse().map_err(wrong)
}

fn lead(text: Option<&str>) -> Result<Span, Fault> {
    span(text.unwrap_or(LEAD), "lead")
}

fn report(ask: &Ask<'_>, period: Period) -> Result<Answer<Json<ReportView>>, Trouble> {
    let to = period.to.unwrap_or(ask.now);
    let before = || Instant::saturating_from_micros(to.micros().saturating_sub(PERIOD_MICROS));
    let from = period.from.unwrap_or_else(before);
    if from > to {
        return Err(Fault::with(Code::QueryInvalid, "`from` is not later than `to`").into());
    }
    let report = ask.tenure().erasure_report(from, to, ask.now)?;
    Ok(Answer::ok(Json(ReportView { report })))
}

fn of_account(ask: &Ask<'_>, class: OfClass) -> Result<Answer<Json<CertificateView>>, Trouble> {
    certify(ask, &Of::Account(ask.raw.param("account")?.to_owned()), &class)
}

fn of_record(ask: &Ask<'_>, class: OfClass) -> Result<Answer<Json<CertificateView>>, Trouble> {
    let record: RecordId = ask.raw.param("record")?.parse().map_err(|_| Code::PathInvalid)?;
    certify(ask, &Of::Record(record.to_string()), &class)
}

fn certify(ask: &Ask<'_>, of: &Of, class: &OfClass) -> Result<Answer<Json<CertificateView>>, Trouble> {
    let certificate = ask.tenure().certificate(of, class.0.as_deref(), ask.now)?;
    Ok(Answer::ok(Json(CertificateView { certificate })))
}

fn dry_run(ask: &Ask<'_>, Body(body): Body<DryRunBody>) -> Result<Answer<Json<DryRunView>>, Trouble> {
    let (tenure, now) = (ask.tenure(), ask.now);
    let by = now.plus(lead(body.lead.as_deref())?, MonthLength::Calendar);
    let options = SweepOptions { allow: Allowance::default(), ..SweepOptions::everything(by) };
    let swept = tenure.sweep_dry_run(now, options)?;
    let guard = tenure.guarded(now, options)?;
    let act = guard.as_ref().map(|_| tenure.guard_override(now)).transpose()?;
    Ok(Answer::ok(Json(DryRunView { swept, guard, act })))
}

fn sweep(ask: &Ask<'_>, Body(body): Body<SweepBody>) -> Result<Answer<Json<SweptView>>, Trouble> {
    if body.rate == Some(0) {
        return Err(Fault::body("`rate` is at least 1").into());
    }
    let options = SweepOptions::ahead(ask.now, lead(body.lead.as_deref())?, body.rate)?;
    let swept = ask.tenure().sweep(ask.now, options, &mut |_| {})?;
    Ok(Answer::ok(Json(SweptView { swept })))
}

fn override_guard(ask: &Ask<'_>, Body(body): Body<OverrideBody>) -> Result<Answer<Json<SweptView>>, Trouble> {
    match carry_out(ask, Act::OverrideGuard { copies: body.copies }, &body.approvals)? {
        Done::Swept(swept) => Ok(Answer::ok(Json(SweptView { swept: *swept }))),
        _ => Err(Code::Internal.into()),
    }
}
