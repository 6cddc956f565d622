//! That a token which is good for one request is used for one.

use tenure_model::Instant;

use super::{SubjectToken, TokenId};
use crate::{Refusal, time};

/// How long a claim is remembered after its token ended, for servers whose clocks disagree.
const REMEMBERED_HOURS: i64 = 1;

/// That a token was used for a request. The store keeps one for each token, and gives back the earlier one where a
/// second is to be kept; both in one step, so that of two requests at once only one is the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// The token.
    pub token: TokenId,
    /// The SHA-256 of the request: its operation, target and body.
    pub request: [u8; 32],
    /// When the token ends.
    pub until: Instant,
}

impl Claim {
    /// Whether the store may forget it: the token is refused as expired by now.
    pub fn is_forgettable(&self, now: Instant) -> bool {
        now >= time::hours_after(self.until, REMEMBERED_HOURS)
    }
}

/// How a token was used before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Used {
    /// Not at all.
    First,
    /// For this very request: its answer was lost, and it is asked again. Answering again changes nothing.
    Again,
    /// For another request.
    Spent,
}

/// How a token was used, by the claim that is made now and the one that the store had kept.
pub fn used(claim: &Claim, earlier: Option<&Claim>) -> Used {
    match earlier {
        None => Used::First,
        Some(earlier) if earlier == claim => Used::Again,
        Some(_) => Used::Spent,
    }
}

/// The bearer of a token that may be used for this request. Only [`SubjectToken::present`] makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bearer {
    token: SubjectToken,
    again: bool,
}

impl Bearer {
    /// The token.
    pub const fn token(&self) -> &SubjectToken {
        &self.token
    }

    /// Whether the same request came before: it may have been answered, or cut short.
    pub const fn is_again(&self) -> bool {
        self.again
    }
}

impl SubjectToken {
    /// What the store is to keep before the request is served, if the token is good for one request only.
    pub fn claim(&self, request: [u8; 32]) -> Option<Claim> {
        let once = self.purpose().is_once();
        once.then(|| Claim { token: self.id(), request, until: self.until() })
    }

    /// Uses the token for a request. `earlier` is the claim that the store had kept when it was given this
    /// request's.
    pub fn present(self, request: [u8; 32], earlier: Option<&Claim>) -> Result<Bearer, Refusal> {
        let used = self.claim(request).map_or(Used::First, |claim| used(&claim, earlier));
        match used {
            Used::First | Used::Again => Ok(Bearer { token: self, again: used == Used::Again }),
            Used::Spent => Err(Refusal::TokenSpent),
        }
    }
}
