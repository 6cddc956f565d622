//! Which problem each error of a use case is. The match has no rest, so that a new error has to be given a code.

use tenure_app::{Error, StreamError};

use super::fault::{Code, Fault};
use crate::tiles::Reporter;

/// The problem that an error of a use case is; what the client is not told goes to the operator.
pub(crate) fn fault_of(error: &Error, reporter: &Reporter) -> Fault {
    if let Error::Access(refusal) = error {
        return (*refusal).into();
    }
    let code = code_of(error);
    match code {
        Code::Internal | Code::Unavailable => {
            reporter.report(error);
            code.into()
        }
        _ if is_said_by_its_code(error) => code.into(),
        _ => Fault::with(code, error.to_string()),
    }
}

/// The problem that the end of a stream is.
pub(crate) fn fault_of_stream(error: &StreamError, reporter: &Reporter) -> Fault {
    match error {
        StreamError::Store(error) => fault_of(error, reporter),
        // It names places and what was expected, never what was sent.
        StreamError::Read(error) => Fault::with(Code::StreamMalformed, error.to_string()),
    }
}

/// Whether a code says all that an error does. The others name a word of the request, a number or an instant.
const fn is_said_by_its_code(error: &Error) -> bool {
    matches!(
        error,
        Error::UnknownAccount
            | Error::UnknownRecord
            | Error::UnknownConversation
            | Error::UnknownHold
            | Error::UnknownRun
            | Error::UnknownLeaf
            | Error::UnknownKey
            | Error::UnknownChange
            // Their words are what was sent, and may be anything.
            | Error::UnknownSurface(_)
            | Error::UnknownVersion(_)
            | Error::UnknownPurpose(_)
            | Error::ChainMoved
            | Error::SaysOff
            | Error::AccountClosed
            | Error::AccountDiffers
            | Error::ConversationMoved
            | Error::ProofDestroyed
            | Error::Observes
            | Error::Stopping
    )
}

pub(super) fn code_of(error: &Error) -> Code {
    match error {
        Error::Store(_)
        | Error::Journal(_)
        | Error::Keys(_)
        | Error::Bodies(_)
        | Error::LeaseLapsed => {
            Code::Unavailable
        }
        Error::Open(_)
        | Error::Cipher(_)
        | Error::Wrap(_)
        | Error::Statement(_)
        | Error::Receipt(_)
        | Error::LogKeys(_)
        | Error::LogRolledBack(_)
        | Error::NotIntegrated
        | Error::PublicLog
        | Error::File(_)
        | Error::Gate(_)
        | Error::Json(_)
        | Error::Entropy
        | Error::AlreadyInitialised
        | Error::NotInitialised
        // It has a code of its own, and never comes here.
        | Error::Access(_)
        | Error::Backup(_) => Code::Internal,
        Error::ProofDestroyed => Code::ProofDestroyed,
        Error::Policy(_) => Code::PolicyRefused,
        Error::PublishedOtherwise(_) => Code::VersionPublished,
        Error::Withdrawn(_) => Code::VersionWithdrawn,
        Error::LosesTooMuch(_) => Code::LosesTooMuch,
        Error::SurfaceTaken { .. } => Code::SurfaceTaken,
        Error::UnknownSurface(_) => Code::SurfaceUnknown,
        Error::UnknownVersion(_) => Code::VersionUnknown,
        Error::UnknownPurpose(_) => Code::PurposeUnknown,
        Error::SeveralVersions(_) => Code::VersionAmbiguous,
        Error::SeveralPolicies(_) => Code::PurposeAmbiguous,
        Error::UnknownAccount => Code::AccountUnknown,
        Error::UnknownRecord => Code::RecordUnknown,
        Error::UnknownConversation => Code::ConversationUnknown,
        Error::UnknownHold => Code::HoldUnknown,
        Error::UnknownRun => Code::RunUnknown,
        Error::UnknownLeaf => Code::LeafUnknown,
        Error::UnknownKey => Code::KeyUnknown,
        Error::UnknownChange => Code::ChangeUnknown,
        Error::NotAnnounced(_) => Code::VersionNotAnnounced,
        Error::ChainMoved => Code::ChainMoved,
        Error::SaysOff => Code::SaysOff,
        Error::AccountClosed => Code::AccountClosed,
        Error::AccountDiffers | Error::HoldMoved { .. } => Code::PreconditionFailed,
        Error::ConversationMoved => Code::ConversationMoved,
        Error::NotTaken(_) => Code::ConversationRefused,
        Error::Guarded(_) => Code::Guarded,
        Error::Paused(_) => Code::DestructionPaused,
        Error::Observes => Code::ObservesOnly,
        Error::SweptElsewhere(_) => Code::SweptElsewhere,
        Error::Stopping => Code::Stopping,
        Error::Refused(_) => Code::Refused,
    }
}
