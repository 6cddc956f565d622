//! Everything that the API can be asked for.

use tenure_model::vocabulary;

vocabulary!(
    /// One operation of the API. Its word is also the operation's id in the OpenAPI document.
    Operation, "operation", {
        /// Opens an account.
        OpenAccount = "open-account",
        /// Reads what is known about an account.
        ReadAccount = "read-account",
        /// Corrects an account's facts, or closes it.
        ChangeAccount = "change-account",

        /// Writes the decision of the person who calls.
        Decide = "decide",
        /// Writes that the person who calls has acknowledged a version.
        Acknowledge = "acknowledge",
        /// Writes a decision or an acknowledgement that a person gave elsewhere.
        DecideOnBehalf = "decide-on-behalf",
        /// Reads which version binds an account, and its choices.
        ReadStanding = "read-standing",
        /// Reads whether an account must decide before it goes on.
        ReadMustDecide = "read-must-decide",

        /// Takes in one conversation.
        IngestConversation = "ingest-conversation",
        /// Takes in messages of one conversation.
        IngestMessages = "ingest-messages",
        /// Takes in a stream of conversations of many accounts.
        IngestBulk = "ingest-bulk",
        /// Records that a conversation was deleted.
        DeleteConversation = "delete-conversation",
        /// Closes an account and erases all that nothing else keeps.
        EraseAccount = "erase-account",
        /// Flags a record.
        Flag = "flag",
        /// Clears a flag.
        ClearFlag = "clear-flag",
        /// Records a thumb or a report, with a copy of what it speaks of.
        GiveFeedback = "give-feedback",

        /// Reads the verdict on one record.
        ReadVerdict = "read-verdict",
        /// Reads the verdicts on many records.
        ReadVerdicts = "read-verdicts",
        /// Explains the verdict on one record.
        Explain = "explain",
        /// Explains the verdicts on many records.
        ExplainBulk = "explain-bulk",

        /// Lists published versions.
        ListPolicies = "list-policies",
        /// Compares two versions.
        ComparePolicies = "compare-policies",
        /// Says what publishing a version would do to whom.
        PlanPolicy = "plan-policy",
        /// Publishes a version.
        PublishPolicy = "publish-policy",
        /// Withdraws a version that was a mistake.
        WithdrawPolicy = "withdraw-policy",

        /// Lists holds and their readers.
        ListHolds = "list-holds",
        /// Says what a hold would cover.
        PreviewHold = "preview-hold",
        /// Places a hold.
        PlaceHold = "place-hold",
        /// Gives a hold another scope.
        AmendHold = "amend-hold",
        /// Releases a hold.
        ReleaseHold = "release-hold",
        /// Gives someone the right to read what a hold keeps.
        GiveReader = "give-reader",
        /// Takes that right away.
        EndReader = "end-reader",
        /// Reads the bodies that a hold keeps.
        ReadHeld = "read-held",

        /// Destroys what is due.
        RunSweep = "run-sweep",
        /// Says what a sweep would destroy.
        DryRunSweep = "dry-run-sweep",
        /// Runs a sweep that the guard stopped.
        OverrideGuard = "override-guard",
        /// Stops all destruction.
        PauseDestruction = "pause-destruction",
        /// Lets destruction go on.
        ResumeDestruction = "resume-destruction",
        /// Turns observe mode on or off.
        SetObserve = "set-observe",
        /// Sets by when a store must have erased.
        SetEraseWithin = "set-erase-within",

        /// Opens a training run and writes its rows.
        OpenRun = "open-run",
        /// Lists training runs.
        ListRuns = "list-runs",
        /// Verifies a run against its manifest and the ledger.
        VerifyRun = "verify-run",
        /// Reads which rows of a run were revoked.
        ReadRevocations = "read-revocations",

        /// Reads reports on what was destroyed and what is overdue.
        ReadErasureReports = "read-erasure-reports",
        /// Reads the certificate of a destruction.
        ReadCertificate = "read-certificate",

        /// Reads the newest checkpoint of the ledger.
        ReadCheckpoint = "read-checkpoint",
        /// Reads a tile of the ledger.
        ReadTile = "read-tile",
        /// Reads a proof of inclusion or consistency.
        ReadProof = "read-proof",
        /// Reads the receipts of an account.
        ReadReceipts = "read-receipts",
        /// Exports everything that is held about a person.
        ExportPerson = "export-person",

        /// Mints an API key.
        MintKey = "mint-key",
        /// Gives an API key another secret.
        RotateKey = "rotate-key",
        /// Revokes an API key.
        RevokeKey = "revoke-key",
        /// Lists API keys, without their secrets.
        ListKeys = "list-keys",
        /// Mints a subject token that reads.
        MintReadToken = "mint-read-token",
        /// Mints a subject token that decides.
        MintDecideToken = "mint-decide-token",
        /// Mints a subject token that deletes.
        MintDeleteToken = "mint-delete-token",
        /// Mints a subject token that exports.
        MintExportToken = "mint-export-token",

        /// Proposes a change that needs two people.
        ProposeChange = "propose-change",
        /// Approves what someone else proposed.
        ApproveChange = "approve-change",
        /// Rejects what was proposed.
        RejectChange = "reject-change",
        /// Lists what was proposed.
        ListApprovals = "list-approvals",

        /// Takes a backup.
        TakeBackup = "take-backup",
    }
);
