-- API keys. Only hashes of secrets; a revoked key has none, and stays revoked.
CREATE TABLE api_keys (
    id BLOB PRIMARY KEY CHECK (length(id) = 8),
    environment TEXT NOT NULL,
    owner TEXT NOT NULL,
    role TEXT NOT NULL,
    operations TEXT,
    organisation TEXT,
    minted_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    hash BLOB CHECK (length(hash) = 32),
    old_hash BLOB CHECK (length(old_hash) = 32),
    old_until INTEGER,
    revoked_at INTEGER,
    CHECK ((hash IS NULL) = (revoked_at IS NOT NULL)),
    CHECK ((old_hash IS NULL) = (old_until IS NULL)),
    CHECK (old_hash IS NULL OR hash IS NOT NULL)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER api_keys_stay_revoked BEFORE UPDATE ON api_keys
WHEN old.revoked_at IS NOT NULL
    OR (old.id, old.environment, old.owner, old.role, old.operations, old.organisation, old.minted_at, old.expires_at)
        IS NOT (new.id, new.environment, new.owner, new.role, new.operations, new.organisation, new.minted_at, new.expires_at)
BEGIN SELECT RAISE(ABORT, 'append-only: api_keys'); END;
CREATE TRIGGER api_keys_never_go BEFORE DELETE ON api_keys
BEGIN SELECT RAISE(ABORT, 'append-only: api_keys'); END;

-- Changes that need two people. State: 0 proposed, 1 approved, 2 rejected, 3 lapsed, 4 executed.
CREATE TABLE changes (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    change TEXT NOT NULL,
    what BLOB NOT NULL CHECK (length(what) = 32),
    about TEXT NOT NULL,
    proposed_by TEXT NOT NULL,
    proposed_at INTEGER NOT NULL,
    state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 4),
    step_by TEXT,
    step_at INTEGER,
    CHECK ((step_at IS NULL) = (state = 0)),
    CHECK ((step_by IS NULL) = (state IN (0, 3)))
) STRICT, WITHOUT ROWID;
CREATE INDEX changes_by_time ON changes (proposed_at, id);
CREATE TRIGGER changes_only_go_on BEFORE UPDATE ON changes
WHEN old.state > 1
    OR (old.id, old.change, old.what, old.about, old.proposed_by, old.proposed_at)
        IS NOT (new.id, new.change, new.what, new.about, new.proposed_by, new.proposed_at)
BEGIN SELECT RAISE(ABORT, 'append-only: changes'); END;
CREATE TRIGGER changes_never_go BEFORE DELETE ON changes
BEGIN SELECT RAISE(ABORT, 'append-only: changes'); END;

-- For which request a subject token was used.
CREATE TABLE claims (
    token BLOB PRIMARY KEY CHECK (length(token) = 16),
    request BLOB NOT NULL CHECK (length(request) = 32),
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX claims_by_end ON claims (until);

-- Requests that may be sent again and are done once. What is under way has no answer; an answer is sealed.
CREATE TABLE once (
    key BLOB PRIMARY KEY CHECK (length(key) = 32),
    request BLOB NOT NULL CHECK (length(request) = 32),
    since INTEGER,
    status INTEGER CHECK (status BETWEEN 100 AND 599),
    account INTEGER REFERENCES accounts (key),
    answer BLOB,
    expires_at INTEGER NOT NULL,
    CHECK ((since IS NULL) = (status IS NOT NULL)),
    CHECK ((status IS NULL) = (account IS NULL)),
    CHECK ((status IS NULL) = (answer IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX once_by_end ON once (expires_at);
