//! Who may do what, as one table.

use tenure_model::vocabulary;

use crate::{Operation, TokenPurpose};

vocabulary!(
    /// What a key or a user of the console is for.
    Role, "role", {
        /// The back end of a product.
        App = "app",
        /// Those who train.
        Ml = "ml",
        /// Those who answer to courts and authorities.
        Legal = "legal",
        /// Those who answer to the people concerned.
        Privacy = "privacy",
        /// Those who check, and change nothing.
        Auditor = "auditor",
        /// Those who run the service.
        Admin = "admin",
    }
);

vocabulary!(
    /// What an operation is asked about. A target of another sort is refused.
    About, "target", {
        /// All of the store, or all of one organisation.
        House = "house",
        /// One account.
        Account = "account",
        /// One account, by someone else in its name.
        OnBehalf = "on-behalf",
        /// What one hold keeps.
        Held = "held",
        /// Somebody who is to read what a hold keeps.
        Reader = "reader",
        /// A change that needs two people.
        Change = "change",
    }
);

/// One row of the table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    pub(crate) about: About,
    pub(crate) roles: &'static [Role],
    pub(crate) subject: Option<TokenPurpose>,
    pub(crate) public: bool,
}

impl Row {
    /// Open to everybody, without a credential.
    const PUBLIC: Self = Self { about: About::House, roles: &[], subject: None, public: true };

    const fn staff(about: About, roles: &'static [Role]) -> Self {
        Self { about, roles, subject: None, public: false }
    }

    /// About one account: open to these roles, and to that account's own token of this purpose.
    const fn person(purpose: TokenPurpose, roles: &'static [Role]) -> Self {
        Self { about: About::Account, roles, subject: Some(purpose), public: false }
    }
}

/// The table. `docs/access.md` shows it and says why; a test compares the two.
#[expect(clippy::match_same_arms, reason = "a table is read by what it is about, not by who may")]
pub(crate) const fn row(operation: Operation) -> Row {
    use About::{Account, Change, Held, House, OnBehalf, Reader};
    use Operation as O;
    use Role::{Admin, App, Auditor, Legal, Ml, Privacy};
    match operation {
        O::OpenAccount | O::ChangeAccount => Row::staff(Account, &[App]),
        O::ReadAccount => Row::person(TokenPurpose::Read, &[App, Privacy, Auditor]),

        O::Decide | O::Acknowledge => Row::person(TokenPurpose::Decide, &[]),
        O::DecideOnBehalf => Row::staff(OnBehalf, &[App]),
        O::ReadStanding | O::ReadMustDecide => Row::person(TokenPurpose::Read, &[App, Privacy, Auditor]),

        O::IngestConversation | O::IngestMessages => Row::staff(Account, &[App]),
        O::IngestBulk => Row::staff(House, &[App]),
        O::DeleteConversation => Row::person(TokenPurpose::Delete, &[App, Privacy]),
        O::EraseAccount => Row::person(TokenPurpose::Delete, &[Privacy]),
        O::Flag | O::GiveFeedback => Row::staff(Account, &[App]),
        O::ClearFlag => Row::staff(Account, &[Privacy]),

        O::ReadVerdict | O::Explain => Row::person(TokenPurpose::Read, &[App, Ml, Legal, Privacy, Auditor]),
        O::ReadVerdicts | O::ExplainBulk => Row::staff(House, &[Ml, Legal, Privacy, Auditor]),

        O::ListPolicies => Row::staff(House, &[App, Ml, Legal, Privacy, Auditor, Admin]),
        O::ComparePolicies | O::PlanPolicy => Row::staff(House, &[Legal, Privacy, Auditor]),
        O::PublishPolicy | O::WithdrawPolicy => Row::staff(House, &[Privacy]),

        O::ListHolds => Row::staff(House, &[Legal, Privacy, Auditor]),
        O::PreviewHold | O::PlaceHold | O::AmendHold | O::ReleaseHold => Row::staff(House, &[Legal]),
        O::GiveReader => Row::staff(Reader, &[Legal]),
        O::EndReader => Row::staff(House, &[Legal, Privacy]),
        O::ReadHeld => Row::staff(Held, &[Legal]),

        O::DryRunSweep => Row::staff(House, &[Legal, Privacy, Auditor]),
        O::PauseDestruction => Row::staff(House, &[Legal, Privacy, Admin]),
        O::RunSweep | O::OverrideGuard | O::ResumeDestruction => Row::staff(House, &[Privacy]),
        O::SetObserve | O::SetEraseWithin => Row::staff(House, &[Privacy]),

        O::OpenRun => Row::staff(House, &[Ml]),
        O::ListRuns | O::VerifyRun | O::ReadRevocations => Row::staff(House, &[Ml, Privacy, Auditor]),

        O::ReadErasureReports | O::ReadCertificate => Row::staff(House, &[Legal, Privacy, Auditor]),
        O::ReadCheckpoint | O::ReadTile | O::ReadProof => Row::PUBLIC,
        O::ReadReceipts => Row::person(TokenPurpose::Read, &[App, Privacy, Auditor]),
        O::ExportPerson => Row::person(TokenPurpose::Export, &[Privacy]),

        O::MintKey | O::RotateKey | O::RevokeKey | O::TakeBackup => Row::staff(House, &[Admin]),
        O::ListKeys => Row::staff(House, &[Auditor, Admin]),
        O::MintReadToken | O::MintDecideToken | O::MintDeleteToken | O::MintExportToken => {
            Row::staff(Account, &[App])
        }

        O::ProposeChange | O::ApproveChange | O::RejectChange => Row::staff(Change, &[Legal, Privacy]),
        O::ListApprovals => Row::staff(House, &[Legal, Privacy, Auditor]),
    }
}

/// Whether a role may ask for an operation at all. A scope, an organisation or the target may still forbid it.
pub fn allows(role: Role, operation: Operation) -> bool {
    row(operation).roles.contains(&role)
}

impl Operation {
    /// What it is asked about.
    pub const fn about(self) -> About {
        row(self).about
    }

    /// The roles that may ask for it.
    pub const fn roles(self) -> &'static [Role] {
        row(self).roles
    }

    /// The purpose of the subject tokens that may ask for it, for their own account.
    pub const fn purpose(self) -> Option<TokenPurpose> {
        row(self).subject
    }

    /// Whether it needs no credential.
    pub const fn is_public(self) -> bool {
        row(self).public
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(role: Role) -> Vec<Operation> {
        Operation::ALL.iter().copied().filter(|operation| allows(role, *operation)).collect()
    }

    #[test]
    fn somebody_may_ask_for_every_operation() {
        for operation in Operation::ALL {
            let row = row(*operation);
            assert!(row.public || row.subject.is_some() || !row.roles.is_empty(), "{operation}");
        }
    }

    #[test]
    fn what_is_public_names_nobody_and_is_only_the_log() {
        let public: Vec<_> = Operation::ALL.iter().filter(|operation| operation.is_public()).collect();
        assert_eq!(public, [&Operation::ReadCheckpoint, &Operation::ReadTile, &Operation::ReadProof]);
        assert!(public.iter().all(|operation| operation.roles().is_empty() && operation.purpose().is_none()));
    }

    #[test]
    fn an_auditor_only_reads() {
        for operation in of(Role::Auditor) {
            let reads = ["read-", "list-", "compare-", "plan-", "dry-run-", "verify-", "explain"];
            assert!(reads.iter().any(|verb| operation.word().starts_with(verb)), "{operation}");
        }
    }

    #[test]
    fn nobody_decides_with_a_key_as_if_they_were_the_person() {
        assert!(Operation::Decide.roles().is_empty() && Operation::Acknowledge.roles().is_empty());
    }

    #[test]
    fn who_runs_the_service_reads_nothing_about_anybody() {
        for operation in of(Role::Admin) {
            assert_eq!(operation.about(), About::House, "{operation}");
        }
        for operation in [Operation::ReadHeld, Operation::ExportPerson, Operation::OpenRun] {
            assert!(!allows(Role::Admin, operation));
        }
    }

    #[test]
    fn who_trains_changes_nothing_but_runs() {
        for operation in of(Role::Ml) {
            let run = operation == Operation::OpenRun;
            assert!(
                run || ["read-", "list-", "verify-", "explain"]
                    .iter()
                    .any(|verb| operation.word().starts_with(verb))
            );
        }
    }

    #[test]
    fn a_subject_token_reaches_only_what_is_about_one_account() {
        for operation in Operation::ALL.iter().filter(|operation| operation.purpose().is_some()) {
            assert_eq!(operation.about(), About::Account, "{operation}");
        }
    }

    #[test]
    fn the_roles_of_a_row_stand_in_one_order_and_once() {
        for operation in Operation::ALL {
            assert!(operation.roles().is_sorted_by(|a, b| a < b), "{operation}");
        }
    }
}
