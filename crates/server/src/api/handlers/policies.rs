//! Policies: read, compared, planned, published, withdrawn.

use axum::http::Method;
use serde::{Deserialize, Serialize};
use tenure_access::{Change, Operation};
use tenure_app::{Act, Compared, Comparison, Done, Error, Plan, PublishedVersion, Withdrawal};
use tenure_model::Instant;
use utoipa::ToSchema;

use super::house::{TWO_PEOPLE, carry_out, part};
use crate::api::answer::{Answer, Json, Text};
use crate::api::ask::{Ask, Trouble};
use crate::api::cursor::List;
use crate::api::endpoint::{Endpoint, operation};
use crate::api::fault::{Code, Fault};
use crate::api::input::{Body, Paging, PassedOn};
use crate::files::hex;

/// A part of the list of versions.
#[derive(Serialize, ToSchema)]
#[schema(as = PolicyVersions)]
struct VersionsView {
    /// The versions, by policy and in order.
    items: Vec<VersionView>,
    /// The cursor with which the list goes on; null at its end.
    next: Option<String>,
}

/// A version as it was published.
#[derive(Serialize, ToSchema)]
#[schema(as = PolicyVersion)]
struct VersionView {
    /// The policy.
    policy: String,
    /// The version.
    version: String,
    /// A title for people.
    title: String,
    /// When it was made known.
    #[schema(value_type = String, format = DateTime)]
    announced: Instant,
    /// When it takes effect.
    #[schema(value_type = String, format = DateTime)]
    effective: Instant,
    /// When it was published here.
    #[schema(value_type = String, format = DateTime)]
    published: Instant,
    /// When it was withdrawn; from then on it counts as never published.
    #[schema(value_type = Option<String>, format = DateTime)]
    withdrawn: Option<Instant>,
    /// How many copies were to lose their basis by it at most, as it was planned.
    planned: Option<u64>,
    /// How many were said to be meant.
    expected: Option<u64>,
}

/// Two versions to compare.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CompareRequest)]
struct CompareBody {
    /// The older one.
    from: SideBody,
    /// The newer one.
    to: SideBody,
}

/// One of the two: exactly one of the fields.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ComparedVersion)]
struct SideBody {
    /// A version that was published, as `policy@version`.
    version: Option<String>,
    /// The text of a file.
    text: Option<String>,
}

/// A comparison.
#[derive(Serialize, ToSchema)]
#[schema(as = Comparison)]
struct ComparisonView {
    /// What changes for whom, in words: `asked` by regime, `terms` by class and purpose, each with its situations and
    /// what it says `before` and `after`, and what the files say once.
    #[schema(value_type = Object)]
    comparison: Comparison,
}

/// Files to plan.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PlanRequest)]
struct PlanBody {
    /// The text of each file.
    #[schema(min_items = 1)]
    texts: Vec<String>,
}

/// What publishing would do.
#[derive(Serialize, ToSchema)]
#[schema(as = Plan)]
struct PlanView {
    /// The plan: the versions, and what would become of the copies that there are, by class and surface.
    #[schema(value_type = Object)]
    plan: Plan,
    /// The changes that it is, for each of which it needs somebody else's approval.
    #[schema(value_type = Vec<String>)]
    needs: Vec<Change>,
}

/// Files to publish.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PublishRequest)]
struct PublishBody {
    /// The text of each file.
    #[schema(min_items = 1)]
    texts: Vec<String>,
    /// How many copies may lose their basis by it, where more do than may without being told.
    expect: Option<u64>,
    /// The changes that were approved for exactly this, one for each kind that it is.
    #[serde(default)]
    approvals: Vec<String>,
}

/// What was published.
#[derive(Serialize, ToSchema)]
#[schema(as = Published)]
struct PublishedView {
    /// The versions, as `policy@version`; none where they were published already with the same text.
    versions: Vec<String>,
}

/// A version to withdraw.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = WithdrawRequest)]
struct WithdrawBody {
    /// The change that was approved for it.
    #[serde(default)]
    approvals: Vec<String>,
}

/// A version that was withdrawn.
#[derive(Serialize, ToSchema)]
#[schema(as = WithdrawnVersion)]
struct WithdrawnView {
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    withdrawn: Instant,
    /// Who proposed it.
    proposed_by: String,
    /// Who approved it.
    approved_by: String,
}

impl PassedOn for CompareBody {}
impl PassedOn for PlanBody {}
impl PassedOn for PublishBody {}
impl PassedOn for WithdrawBody {}

pub(super) fn endpoints() -> Vec<Endpoint> {
    use Code as C;
    vec![
        operation(Operation::ListPolicies, Method::GET, "/v1/policies", list)
            .says("List versions", "Every version that was published, withdrawn ones too.")
            .fails(&[C::CursorUnknown]),
        operation(Operation::ListPolicies, Method::GET, "/v1/policies/{policy}/{version}", text)
            .named("read-policy")
            .says(
                "Read a version",
                "The text of a version, byte for byte as it was published. Its tag is the SHA-256 that the ledger states.",
            )
            .fails(&[C::PolicyUnknown]),
        operation(Operation::ComparePolicies, Method::POST, "/v1/policies/compare", compare)
            .says(
                "Compare two versions",
                "What changes from one to the other and for whom, in words. Each is a version that was published or the \
                 text of one; nothing is stored of a text.",
            )
            .fails(&[C::PolicyRefused, C::VersionUnknown, C::Refused]),
        operation(Operation::PlanPolicy, Method::POST, "/v1/policies/plan", plan)
            .says("Plan a publication", "What publishing versions would do to what is stored. Nothing is changed.")
            .fails(&[C::PolicyRefused, C::VersionPublished, C::VersionWithdrawn, C::SurfaceTaken, C::Refused])
            .long(),
        operation(Operation::PublishPolicy, Method::POST, "/v1/policies/publish", publish)
            .says(
                "Publish versions",
                "Publishes all of them, or none. What ends copies earlier or allows more needs somebody else's approval \
                 of exactly this; a plan says which. The act is `{\"act\":\"publish\",\"texts\":…}`, with `expect` where \
                 it is given.",
            )
            .fails(&[C::PolicyRefused, C::VersionPublished, C::VersionWithdrawn, C::SurfaceTaken])
            .fails(&[C::LosesTooMuch, C::ChangeUnknown, C::Refused])
            .refuses(TWO_PEOPLE)
            .long(),
        operation(Operation::WithdrawPolicy, Method::POST, "/v1/policies/{policy}/{version}/withdraw", withdraw)
            .says(
                "Withdraw a version",
                "Has a version count as never published. It needs somebody else's approval of \
                 `{\"act\":\"withdraw\",\"version\":\"policy@version\"}`.",
            )
            .fails(&[C::PolicyUnknown, C::PolicyRefused, C::ChangeUnknown, C::Refused])
            .refuses(TWO_PEOPLE)
            .long(),
    ]
}

impl From<PublishedVersion> for VersionView {
    fn from(version: PublishedVersion) -> Self {
        Self {
            policy: version.policy,
            version: version.version,
            title: version.title,
            announced: version.announced,
            effective: version.effective,
            published: version.published,
            withdrawn: version.withdrawn,
            planned: version.expected.map(|expected| expected.planned),
            expected: version.expected.and_then(|expected| expected.expected),
        }
    }
}

fn list(ask: &Ask<'_>, paging: Paging) -> Result<Answer<Json<VersionsView>>, Trouble> {
    let place = |version: &PublishedVersion| format!("{}@{}", version.policy, version.version);
    let versions = ask.tenure().published(ask.now)?;
    let (items, next) = part(versions, place, &paging, List { name: "policies", of: "" })?;
    let items = items.into_iter().map(VersionView::from).collect();
    Ok(Answer::ok(Json(VersionsView { items, next })))
}

fn text(ask: &Ask<'_>, (): ()) -> Result<Answer<Text>, Trouble> {
    let (policy, version) = (ask.raw.param("policy")?, ask.raw.param("version")?);
    match ask.tenure().published_text(policy, version) {
        Ok((text, digest)) => Ok(Answer::ok(Text(text)).tagged(&hex(&digest))),
        Err(Error::UnknownVersion(_)) => Err(Code::PolicyUnknown.into()),
        Err(error) => Err(error.into()),
    }
}

fn side(body: SideBody) -> Result<Compared, Fault> {
    match (body.version, body.text) {
        (Some(version), None) => Ok(Compared::Published(version)),
        (None, Some(text)) => Ok(Compared::Text(text)),
        _ => Err(Fault::body("each of `from` and `to` has either `version` or `text`")),
    }
}

fn compare(ask: &Ask<'_>, Body(body): Body<CompareBody>) -> Result<Answer<Json<ComparisonView>>, Trouble> {
    let comparison = ask.tenure().compare_versions(&side(body.from)?, &side(body.to)?)?;
    Ok(Answer::ok(Json(ComparisonView { comparison })))
}

fn plan(ask: &Ask<'_>, Body(body): Body<PlanBody>) -> Result<Answer<Json<PlanView>>, Trouble> {
    let files: Vec<(String, String)> =
        (1..).zip(&body.texts).map(|(number, text)| (format!("file {number}"), text.clone())).collect();
    let plan = ask.tenure().plan(&files, ask.now)?;
    let act = Act::Publish { texts: body.texts, expect: None };
    let needs = ask.tenure().changes_of(&act, ask.now)?.into_iter().collect();
    Ok(Answer::ok(Json(PlanView { plan, needs })))
}

fn publish(ask: &Ask<'_>, Body(body): Body<PublishBody>) -> Result<Answer<Json<PublishedView>>, Trouble> {
    match carry_out(ask, Act::Publish { texts: body.texts, expect: body.expect }, &body.approvals)? {
        Done::Published { versions } => Ok(Answer::ok(Json(PublishedView { versions }))),
        _ => Err(Code::Internal.into()),
    }
}

fn withdraw(ask: &Ask<'_>, Body(body): Body<WithdrawBody>) -> Result<Answer<Json<WithdrawnView>>, Trouble> {
    let version = format!("{}@{}", ask.raw.param("policy")?, ask.raw.param("version")?);
    match carry_out(ask, Act::Withdraw { version }, &body.approvals) {
        Ok(Done::Withdrawn(Withdrawal::Withdrawn { at, asked, confirmed })) => {
            let view = WithdrawnView { withdrawn: at, proposed_by: asked, approved_by: confirmed };
            Ok(Answer::ok(Json(view)))
        }
        Ok(_) => Err(Code::Internal.into()),
        Err(Trouble::App(Error::UnknownVersion(_))) => Err(Code::PolicyUnknown.into()),
        Err(trouble) => Err(trouble),
    }
}
