//! Holds: previewed, placed, amended, released.

use axum::http::{Method, StatusCode};
use serde::{Deserialize, Serialize};
use tenure_access::Operation;
use tenure_app::{Act, Done, Error, HoldPreview, HoldScope, HoldVersion, HoldView, Lost, Previewing};
use tenure_model::Instant;
use utoipa::ToSchema;
use utoipa::openapi::schema::{ObjectBuilder, Type};

use super::house::{TWO_PEOPLE, carry_out, part, version_seen};
use crate::api::answer::{Answer, Json, Nothing};
use crate::api::ask::{Ask, Raw, Trouble};
use crate::api::cursor::List;
use crate::api::describe::{Shapes, Takes};
use crate::api::endpoint::{Endpoint, operation};
use crate::api::fault::{Code, Fault};
use crate::api::input::{Body, Fields, Input, Paging, PassedOn};

/// How many copies that are gone are named unless it is said, and at most.
const NAMED: usize = 100;
const NAMED_MAX: usize = 10_000;

/// The longest name of a hold.
const NAME_MAX: usize = 255;

/// What a hold covers. A field that is left out or null means any.
#[derive(ToSchema)]
#[schema(as = HoldScope)]
#[expect(dead_code, reason = "it only describes what the scope of the use cases reads and writes")]
struct ScopeShape {
    /// The classes whose destruction it suspends.
    #[schema(min_items = 1)]
    classes: Vec<String>,
    /// `consumer` or `commercial`; zero retention is never covered.
    regimes: Option<Vec<String>>,
    /// Surfaces.
    surfaces: Option<Vec<String>>,
    /// Accounts.
    accounts: Option<Vec<String>>,
    /// Countries to include, by their ISO 3166-1 codes of two capitals.
    countries: Option<Vec<String>>,
    /// Countries to leave out.
    not_countries: Option<Vec<String>>,
    /// `chat` or `code`.
    kinds: Option<Vec<String>>,
    /// Records created at this instant or later.
    #[schema(value_type = Option<String>, format = DateTime)]
    created_from: Option<String>,
    /// Records created before this instant.
    #[schema(value_type = Option<String>, format = DateTime)]
    created_to: Option<String>,
    /// Only what people deleted; false where it is left out.
    #[schema(required = false)]
    deleted_only: bool,
}

/// A part of the list of holds.
#[derive(Serialize, ToSchema)]
#[schema(as = Holds)]
struct HoldsView {
    /// The holds by their names, released ones too.
    items: Vec<HoldShown>,
    /// The cursor with which the list goes on; null at its end.
    next: Option<String>,
}

/// A hold.
#[derive(Serialize, ToSchema)]
#[schema(as = Hold)]
pub(super) struct HoldShown {
    /// Its name.
    hold: String,
    /// The number of its newest version.
    version: u32,
    /// Since when it holds, in whatever scope.
    #[schema(value_type = String, format = DateTime)]
    placed_at: Instant,
    /// When it was released.
    #[schema(value_type = Option<String>, format = DateTime)]
    released_at: Option<Instant>,
    /// The date on the order that released it.
    #[schema(value_type = Option<String>, format = DateTime)]
    release_dated: Option<Instant>,
    /// Whether the people concerned may be told.
    may_tell: bool,
    /// What it covers, or covered last.
    #[schema(value_type = ScopeShape)]
    scope: HoldScope,
    /// Every version, the first one first.
    versions: Vec<VersionShown>,
}

/// A hold from its placement or an amendment to the next one, or to its release.
#[derive(Serialize, ToSchema)]
#[schema(as = HoldVersion)]
struct VersionShown {
    /// Its number, from 1.
    version: u32,
    /// When it began.
    #[schema(value_type = String, format = DateTime)]
    from: Instant,
    /// When it ended.
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Instant>,
    /// The date on the order that began it.
    #[schema(value_type = Option<String>, format = DateTime)]
    dated: Option<Instant>,
    /// Whether the people concerned might be told.
    may_tell: bool,
    /// What it covered.
    #[schema(value_type = ScopeShape)]
    scope: HoldScope,
}

/// A scope to preview.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = HoldPreviewRequest)]
struct PreviewBody {
    /// What the hold would cover.
    #[schema(value_type = ScopeShape)]
    scope: HoldScope,
}

/// What placing or amending a hold would come to.
#[derive(Serialize, ToSchema)]
#[schema(as = HoldPreview)]
struct PreviewView {
    /// What it would cover and what would otherwise become of that, what an amendment would leave out, and what it
    /// would come too late for.
    #[schema(value_type = Object)]
    preview: HoldPreview,
}

/// A hold to place.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PlaceHoldRequest)]
struct PlaceBody {
    /// What it covers.
    #[schema(value_type = ScopeShape)]
    scope: HoldScope,
    /// Whether the people concerned may be told.
    may_tell: bool,
    /// The date on the order, not later than now.
    #[schema(value_type = Option<String>, format = DateTime)]
    dated: Option<Instant>,
}

/// Another scope for a hold.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AmendHoldRequest)]
struct AmendBody {
    /// What it covers from now on.
    #[schema(value_type = ScopeShape)]
    scope: HoldScope,
    /// Whether the people concerned may be told from now on; as before where it is left out.
    may_tell: Option<bool>,
    /// The date on the order, not later than now.
    #[schema(value_type = Option<String>, format = DateTime)]
    dated: Option<Instant>,
    /// The change that was approved for exactly this, where it leaves anything out.
    #[serde(default)]
    approvals: Vec<String>,
}

/// A hold to release.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReleaseHoldRequest)]
struct ReleaseBody {
    /// The date on the order, not later than now.
    #[schema(value_type = Option<String>, format = DateTime)]
    dated: Option<Instant>,
    /// The change that was approved for exactly this.
    #[serde(default)]
    approvals: Vec<String>,
}

/// What a hold came too late for.
#[derive(Serialize, ToSchema)]
#[schema(as = LostToHold)]
struct LostView {
    /// Copies in its scope that were destroyed: how many, by class and day, and those that are named.
    #[schema(value_type = Object)]
    lost: Lost,
}

impl PassedOn for PreviewBody {}
impl PassedOn for PlaceBody {}
impl PassedOn for AmendBody {}
impl PassedOn for ReleaseBody {}

/// How many copies are named.
struct Named(usize);

impl Input for Named {
    fn read(raw: &mut Raw) -> Result<Self, Fault> {
        let mut fields = Fields::read(raw)?;
        let named = fields.take("named").map_or(Some(NAMED), |named| named.parse().ok());
        let named = named.filter(|named| *named <= NAMED_MAX);
        fields.end()?;
        let wrong = || Fault::with(Code::QueryInvalid, format!("`named` is a number up to {NAMED_MAX}"));
        named.map(Self).ok_or_else(wrong)
    }

    fn describe(takes: &mut Takes, _: &mut Shapes) {
        let schema = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0));
        let schema = schema.maximum(Some(NAMED_MAX)).default(Some(NAMED.into()));
        takes.query("named", "How many copies are named at most.", schema);
    }
}

pub(super) fn endpoints() -> Vec<Endpoint> {
    const HOLD: &str = "/v1/holds/{hold}";
    use Code as C;
    vec![
        operation(Operation::ListHolds, Method::GET, "/v1/holds", list)
            .says("List holds", "Every hold with its history, released ones too.")
            .fails(&[C::CursorUnknown]),
        operation(Operation::ListHolds, Method::GET, HOLD, read)
            .named("read-hold")
            .says("Read a hold", "A hold with its history. Its tag is the number of its version while it holds.")
            .fails(&[C::HoldUnknown]),
        operation(Operation::ListHolds, Method::GET, "/v1/holds/{hold}/destroyed", destroyed)
            .named("read-destroyed-before-hold")
            .says("Read what was destroyed before", "Copies in the scope of the hold for which it came too late.")
            .fails(&[C::HoldUnknown, C::Refused])
            .long(),
        operation(Operation::PreviewHold, Method::POST, "/v1/holds/{hold}/preview", preview)
            .says(
                "Preview a hold",
                "What a hold of this name would cover if it was placed now, or amended where there is one. Nothing is \
                 changed.",
            )
            .fails(&[C::SurfaceUnknown, C::AccountUnknown, C::HoldUnknown, C::Refused])
            .long(),
        operation(Operation::PlaceHold, Method::PUT, HOLD, place)
            .says("Place a hold", "It takes effect at once, also against destruction that is under way.")
            .creates()
            .fails(&[C::SurfaceUnknown, C::AccountUnknown, C::Refused]),
        operation(Operation::AmendHold, Method::PATCH, HOLD, amend)
            .says(
                "Amend a hold",
                "Gives a hold another scope from now on. `If-Match` names the version that it has. What leaves out \
                 anything that is covered needs somebody else's approval of `{\"act\":\"amend_hold\",\"hold\":…,\
                 \"version\":…,\"scope\":…}`, with `may_tell` and `dated` where they are given.",
            )
            .fails(&[C::PreconditionMissing, C::PreconditionFailed, C::HoldUnknown, C::SurfaceUnknown])
            .fails(&[C::AccountUnknown, C::ChangeUnknown, C::Refused])
            .refuses(TWO_PEOPLE),
        operation(Operation::ReleaseHold, Method::POST, "/v1/holds/{hold}/release", release)
            .says(
                "Release a hold",
                "What it alone kept has the grace of its terms left, from now. `If-Match` names the version that it has. \
                 It needs somebody else's approval of `{\"act\":\"release_hold\",\"hold\":…,\"version\":…}`, with \
                 `dated` where it is given.",
            )
            .fails(&[C::PreconditionMissing, C::PreconditionFailed, C::HoldUnknown, C::ChangeUnknown, C::Refused])
            .refuses(TWO_PEOPLE),
    ]
}

impl From<HoldView> for HoldShown {
    fn from(view: HoldView) -> Self {
        Self {
            hold: view.id,
            version: view.version,
            placed_at: view.placed_at,
            released_at: view.released_at,
            release_dated: view.release_dated,
            may_tell: view.may_tell,
            scope: view.scope,
            versions: view.versions.into_iter().map(VersionShown::from).collect(),
        }
    }
}

impl From<HoldVersion> for VersionShown {
    fn from(version: HoldVersion) -> Self {
        Self {
            version: version.version,
            from: version.from,
            until: version.until,
            dated: version.dated,
            may_tell: version.may_tell,
            scope: version.scope,
        }
    }
}

/// The hold that the path names, as it is now.
fn shown(ask: &Ask<'_>) -> Result<Answer<Json<HoldShown>>, Trouble> {
    let view = ask.tenure().hold(ask.raw.param("hold")?)?;
    let tag = match view.released_at {
        None => view.version.to_string(),
        Some(_) => format!("{}-released", view.version),
    };
    Ok(Answer::ok(Json(view.into())).tagged(&tag))
}

fn list(ask: &Ask<'_>, paging: Paging) -> Result<Answer<Json<HoldsView>>, Trouble> {
    let holds = ask.tenure().holds()?;
    let (items, next) = part(holds, |hold| hold.id.clone(), &paging, List { name: "holds", of: "" })?;
    Ok(Answer::ok(Json(HoldsView { items: items.into_iter().map(HoldShown::from).collect(), next })))
}

fn read(ask: &Ask<'_>, (): ()) -> Result<Answer<Json<HoldShown>>, Trouble> {
    shown(ask)
}

fn destroyed(ask: &Ask<'_>, Named(limit): Named) -> Result<Answer<Json<LostView>>, Trouble> {
    let lost = ask.tenure().lost_to_hold(ask.raw.param("hold")?, limit, ask.now, &mut |_| {})?;
    Ok(Answer::ok(Json(LostView { lost })))
}

fn preview(ask: &Ask<'_>, Body(body): Body<PreviewBody>) -> Result<Answer<Json<PreviewView>>, Trouble> {
    let (tenure, hold, now) = (ask.tenure(), ask.raw.param("hold")?, ask.now);
    let how = Previewing { limit: NAMED, progress: &mut |_| {} };
    let preview = match tenure.hold(hold) {
        Ok(_) => tenure.preview_amendment(hold, &body.scope, now, how)?,
        Err(Error::UnknownHold) => tenure.preview_hold(hold, &body.scope, now, how)?,
        Err(error) => return Err(error.into()),
    };
    Ok(Answer::ok(Json(PreviewView { preview })))
}

fn place(ask: &Ask<'_>, Body(body): Body<PlaceBody>) -> Result<Answer<Json<HoldShown>>, Trouble> {
    let hold = ask.raw.param("hold")?;
    if hold.len() > NAME_MAX || hold.chars().any(char::is_control) {
        return Err(Code::PathInvalid.into());
    }
    ask.tenure().place_hold_dated(hold, body.scope, body.may_tell, body.dated, ask.now)?;
    Ok(shown(ask)?.with_status(StatusCode::CREATED))
}

fn amend(ask: &Ask<'_>, Body(body): Body<AmendBody>) -> Result<Answer<Json<HoldShown>>, Trouble> {
    let act = Act::AmendHold {
        hold: ask.raw.param("hold")?.to_owned(),
        version: version_seen(ask)?,
        scope: Box::new(body.scope),
        may_tell: body.may_tell,
        dated: body.dated,
    };
    match carry_out(ask, act, &body.approvals)? {
        Done::Amended { .. } => shown(ask),
        _ => Err(Code::Internal.into()),
    }
}

fn release(ask: &Ask<'_>, Body(body): Body<ReleaseBody>) -> Result<Answer<Nothing>, Trouble> {
    let (hold, version) = (ask.raw.param("hold")?.to_owned(), version_seen(ask)?);
    match carry_out(ask, Act::ReleaseHold { hold, version, dated: body.dated }, &body.approvals)? {
        Done::Released => Ok(Answer::done()),
        _ => Err(Code::Internal.into()),
    }
}
