//! Where an account stands: what binds it, what it chose, what it is asked, and whether it may go on.

use axum::http::Method;
use serde::Serialize;
use tenure_access::Operation;
use tenure_app::explain::{AskedView as Asked, ChoiceView as Chosen};
use tenure_app::{Standing, StandingTerms};
use tenure_model::Instant;
use utoipa::ToSchema;

use crate::api::answer::{Answer, Json};
use crate::api::ask::{Ask, Trouble};
use crate::api::endpoint::{Endpoint, operation};
use crate::api::fault::Code;
use crate::api::input::OnSurface;

/// Where an account stands.
#[derive(Serialize, ToSchema)]
#[schema(as = Standing)]
struct StandingView {
    /// The account.
    account: String,
    /// The instant.
    #[schema(value_type = String, format = DateTime)]
    at: Instant,
    /// When the account was closed.
    #[schema(value_type = Option<String>, format = DateTime)]
    closed_at: Option<Instant>,
    /// Whether it must decide before it goes on, under any of the terms.
    must_decide: bool,
    /// Whether the product may let it go on.
    may_continue: bool,
    /// By when an answer is asked for, of several the first.
    #[schema(value_type = Option<String>, format = DateTime)]
    decide_by: Option<Instant>,
    /// The head of its chain, in hexadecimal: what an `on` must follow.
    head: String,
    /// The terms, for each group of surfaces on which they say the same.
    terms: Vec<TermsView>,
}

/// Where an account stands on surfaces of one policy and regime.
#[derive(Serialize, ToSchema)]
#[schema(as = Terms)]
struct TermsView {
    /// The policy.
    policy: String,
    /// The surfaces.
    surfaces: Vec<String>,
    /// The regime of these surfaces.
    regime: &'static str,
    /// The version that binds the account.
    bound: String,
    /// The title of that version.
    title: String,
    /// Whether the account must decide before it goes on.
    must_decide: bool,
    /// Its choices toward that version, each for a purpose.
    choices: Vec<ChoiceView>,
    /// What is asked and not answered.
    asked: Option<AskedView>,
}

/// A choice.
#[derive(Serialize, ToSchema)]
#[schema(as = Choice)]
struct ChoiceView {
    /// The purpose.
    purpose: String,
    /// Its title, for people.
    title: String,
    /// The choice, in the word of a standing: `on`, `off`, `unopposed` or `undecided`.
    choice: &'static str,
    /// Since when it has been given.
    #[schema(value_type = Option<String>, format = DateTime)]
    since: Option<Instant>,
}

/// A question that is not answered.
#[derive(Serialize, ToSchema)]
#[schema(as = Asked)]
struct AskedView {
    /// The version that asks.
    version: String,
    /// The purposes that it asks about.
    purposes: Vec<String>,
    /// By when.
    #[schema(value_type = Option<String>, format = DateTime)]
    by: Option<Instant>,
    /// Whether the account can't go on after that without an answer.
    blocks: bool,
}

/// Whether an account must decide.
#[derive(Serialize, ToSchema)]
#[schema(as = MustDecide)]
struct MustDecideView {
    /// Whether it must decide before it goes on.
    must_decide: bool,
    /// Whether the product may let it go on.
    may_continue: bool,
    /// By when an answer is asked for, of several the first.
    #[schema(value_type = Option<String>, format = DateTime)]
    decide_by: Option<Instant>,
}

impl From<Standing> for StandingView {
    fn from(standing: Standing) -> Self {
        Self {
            account: standing.account,
            at: standing.at,
            closed_at: standing.closed_at,
            must_decide: standing.must_decide,
            may_continue: standing.may_continue,
            decide_by: standing.decide_by,
            head: standing.head,
            terms: standing.terms.into_iter().map(TermsView::from).collect(),
        }
    }
}

impl From<StandingTerms> for TermsView {
    fn from(StandingTerms { surfaces, view }: StandingTerms) -> Self {
        Self {
            policy: view.policy,
            surfaces,
            regime: view.regime.word(),
            bound: view.bound,
            title: view.title,
            must_decide: view.must_decide,
            choices: view.choices.into_iter().map(ChoiceView::from).collect(),
            asked: view.asked.map(AskedView::from),
        }
    }
}

impl From<Chosen> for ChoiceView {
    fn from(Chosen { purpose, title, choice, since }: Chosen) -> Self {
        Self { purpose, title, choice, since }
    }
}

impl From<Asked> for AskedView {
    fn from(Asked { version, purposes, by, blocks }: Asked) -> Self {
        Self { version, purposes, by, blocks }
    }
}

pub(super) fn endpoints() -> Vec<Endpoint> {
    let both = |path, of_path| {
        [
            operation(Operation::ReadStanding, Method::GET, path, standing)
                .says(
                    "Read a standing",
                    "Which version binds the account on which surfaces, what it chose, what it is asked and by when, \
                     and whether it may go on.",
                )
                .fails(&[Code::SurfaceUnknown]),
            operation(Operation::ReadMustDecide, Method::GET, of_path, must_decide)
                .says("Read whether an account must decide", "What a product asks before it lets a person go on.")
                .fails(&[Code::SurfaceUnknown]),
        ]
    };
    let account = both("/v1/accounts/{account}/standing", "/v1/accounts/{account}/must-decide");
    account.into_iter().chain(both("/v1/me/standing", "/v1/me/must-decide")).collect()
}

fn standing(ask: &Ask<'_>, surface: OnSurface) -> Result<Answer<Json<StandingView>>, Trouble> {
    let standing = ask.tenure().standing(ask.account()?, surface.0.as_deref(), ask.now)?;
    Ok(Answer::ok(Json(standing.into())))
}

fn must_decide(ask: &Ask<'_>, surface: OnSurface) -> Result<Answer<Json<MustDecideView>>, Trouble> {
    let Standing { must_decide, may_continue, decide_by, .. } =
        ask.tenure().standing(ask.account()?, surface.0.as_deref(), ask.now)?;
    Ok(Answer::ok(Json(MustDecideView { must_decide, may_continue, decide_by })))
}
