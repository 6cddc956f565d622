//! Subject tokens: what the operator's back end gives to one person's browser.

mod bearer;
mod form;
mod ring;

use tenure_model::vocabulary;

pub use bearer::{Bearer, Claim, Used, used};
pub use ring::{Grant, SubjectToken, TokenId, TokenKey, TokenRing};

use crate::Operation;

vocabulary!(
    /// The one thing that a subject token is for.
    TokenPurpose, "token purpose", {
        /// Reading what the person chose, and what is held. Good for any number of requests.
        Read = "read",
        /// Deciding and acknowledging. Good for one request.
        Decide = "decide",
        /// Deleting a conversation or everything. Good for one request.
        Delete = "delete",
        /// Exporting everything. Good for one request.
        Export = "export",
    }
);

impl TokenPurpose {
    /// Whether a token of this purpose is good for one request only.
    pub const fn is_once(self) -> bool {
        match self {
            Self::Read => false,
            Self::Decide | Self::Delete | Self::Export => true,
        }
    }

    /// What it takes to mint one. Each is an operation of its own, so that a key can be kept from the rest.
    pub const fn minting(self) -> Operation {
        match self {
            Self::Read => Operation::MintReadToken,
            Self::Decide => Operation::MintDecideToken,
            Self::Delete => Operation::MintDeleteToken,
            Self::Export => Operation::MintExportToken,
        }
    }
}
