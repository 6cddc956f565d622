//! Why somebody may not, each with a stable code and a sentence that says what to do.

use std::fmt;

/// What sort of refusal it is, from which a face derives its own number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// The credential does not say who calls. Over HTTP, 401.
    Unidentified,
    /// Whoever calls is known and may not. Over HTTP, 403.
    Forbidden,
    /// It could have been done, in another state of things. Over HTTP, 409.
    Conflict,
    /// What was asked for can't be. Over HTTP, 422.
    Unacceptable,
}

macro_rules! refusals {
    ($($variant:ident: $kind:ident, $code:literal, $text:literal;)+) => {
        /// Why something was refused. None of it says anything about a person.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
        pub enum Refusal { $(#[doc = $text] $variant),+ }

        impl Refusal {
            /// Every refusal there is.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word by which a program knows it. It never changes.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code),+ }
            }

            /// What sort of refusal it is.
            pub const fn kind(self) -> Kind {
                match self { $(Self::$variant => Kind::$kind),+ }
            }
        }

        impl fmt::Display for Refusal {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$variant => $text),+ })
            }
        }
    };
}

refusals! {
    CredentialMissing: Unidentified, "credential-missing",
        "this needs a credential: send an API key or a subject token as `Authorization: Bearer`";
    KeyMalformed: Unidentified, "key-malformed",
        "this is no API key: it was cut, mistyped or altered, so copy it again from where it is kept";
    KeyUnknown: Unidentified, "key-unknown",
        "no key has this id and secret: it is of another deployment, or was rotated, so use the newest one";
    KeyExpired: Unidentified, "key-expired", "the key has expired: ask an admin to mint another";
    KeyRevoked: Unidentified, "key-revoked", "the key was revoked: ask an admin to mint another";
    TokenMalformed: Unidentified, "token-malformed",
        "this is no subject token: it was cut or altered, so have the back end mint another";
    TokenKeyUnknown: Unidentified, "token-key-unknown",
        "no key here has minted this token: have the back end of this deployment mint another";
    TokenForged: Unidentified, "token-forged",
        "the token is not what was minted: somebody altered it, so have the back end mint another";
    TokenAudience: Unidentified, "token-audience",
        "the token was minted for another service: have the back end mint one for this audience";
    TokenNotYet: Unidentified, "token-not-yet",
        "the token is not valid yet: wait until it is, and compare the clocks of the servers";
    TokenExpired: Unidentified, "token-expired", "the token has expired: have the back end mint another";
    RoleInsufficient: Forbidden, "role-insufficient",
        "this role may not do that: use a key of a role that may, as the table of roles says";
    ScopeInsufficient: Forbidden, "scope-insufficient",
        "the key's scope leaves this operation out: use a key whose scope has it";
    OrganisationOther: Forbidden, "organisation-other",
        "the key is for one organisation, and this reaches beyond it: use a key for all, or that one's";
    PurposeOther: Forbidden, "purpose-other",
        "the token was minted for another purpose: have the back end mint one for this purpose";
    AccountOther: Forbidden, "account-other",
        "the token is for another account: it can do nothing here, so have the back end mint one for this account";
    StaffOnly: Forbidden, "staff-only", "no subject token may do that: it takes an API key or a log-in";
    PersonOnly: Forbidden, "person-only",
        "only the person may do that: mint a subject token for them, or send what they said with its evidence";
    EvidenceMissing: Forbidden, "evidence-missing",
        "somebody else's yes needs evidence: send the digest of what shows how they gave it, or let them decide";
    ReaderOnly: Forbidden, "reader-only",
        "only a reader of this hold may read what it keeps: have somebody in legal give that right";
    ReaderSelf: Forbidden, "reader-self",
        "nobody gives themselves the right to read: ask somebody else in legal";
    TargetMismatch: Forbidden, "target-mismatch",
        "this operation is not about such a thing: name what it is about, as the table of operations says";
    PermitOther: Forbidden, "permit-other",
        "the permission is for another operation or another change: ask for the one that is meant";
    ApproverSame: Forbidden, "approver-same",
        "two people are needed, and this is who proposed it: ask somebody else to approve";
    ApprovalOther: Conflict, "approval-other",
        "what is to be done is not exactly what was proposed: propose it anew as it is now";
    ApprovalMissing: Conflict, "approval-missing", "nobody has approved this yet: ask a second person to";
    ApprovalLapsed: Conflict, "approval-lapsed", "the proposal or its approval has lapsed: propose it anew";
    ApprovalClosed: Conflict, "approval-closed",
        "this was approved, rejected or done before: look at its state, and propose it anew if it is still wanted";
    TokenSpent: Conflict, "token-spent",
        "the token was used for another request: have the back end mint one for each";
    KeyOver: Conflict, "key-over", "the key was revoked or has expired, and stays so: mint another";
    RotationRunning: Conflict, "rotation-running",
        "the secret before is still valid: wait until the overlap ends, or revoke the key";
    KeyLifetime: Unacceptable, "key-lifetime",
        "a key expires after now and within 366 days: name such an instant";
    KeyOverlap: Unacceptable, "key-overlap",
        "the old secret stays valid for 7 days at most after a rotation: name an earlier instant";
    ScopeBeyondRole: Unacceptable, "scope-beyond-role",
        "the scope names an operation that the role may not do: a scope only narrows, so leave it out";
    TokenLifetime: Unacceptable, "token-lifetime",
        "a subject token ends after it begins and within an hour: name such instants";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_refusal_has_a_code_of_its_own_in_small_letters() {
        let codes: BTreeSet<_> = Refusal::ALL.iter().map(|refusal| refusal.code()).collect();
        assert_eq!(codes.len(), Refusal::ALL.len());
        assert!(codes.iter().all(|code| code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')));
    }
}
