-- API keys. Only hashes of secrets; a revoked key has none, and stays revoked.
CREATE TABLE api_keys (
    id BYTEA PRIMARY KEY CHECK (length(id) = 8),
    environment TEXT COLLATE "C" NOT NULL,
    owner TEXT COLLATE "C" NOT NULL,
    role TEXT COLLATE "C" NOT NULL,
    operations TEXT COLLATE "C",
    organisation TEXT COLLATE "C",
    minted_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    hash BYTEA CHECK (length(hash) = 32),
    old_hash BYTEA CHECK (length(old_hash) = 32),
    old_until BIGINT,
    revoked_at BIGINT,
    CHECK ((hash IS NULL) = (revoked_at IS NOT NULL)),
    CHECK ((old_hash IS NULL) = (old_until IS NULL)),
    CHECK (old_hash IS NULL OR hash IS NOT NULL)
);
COMMENT ON TABLE api_keys IS 'house';
CREATE TRIGGER api_keys_stay_revoked BEFORE UPDATE ON api_keys FOR EACH ROW
WHEN (old.revoked_at IS NOT NULL
    OR (old.id, old.environment, old.owner, old.role, old.operations, old.organisation, old.minted_at, old.expires_at)
        IS DISTINCT FROM
        (new.id, new.environment, new.owner, new.role, new.operations, new.organisation, new.minted_at, new.expires_at))
EXECUTE FUNCTION append_only();
CREATE TRIGGER api_keys_never_go BEFORE DELETE ON api_keys FOR EACH ROW EXECUTE FUNCTION append_only();

-- Changes that need two people. State: 0 proposed, 1 approved, 2 rejected, 3 lapsed, 4 executed.
CREATE TABLE changes (
    id BYTEA PRIMARY KEY CHECK (length(id) = 16),
    change TEXT COLLATE "C" NOT NULL,
    what BYTEA NOT NULL CHECK (length(what) = 32),
    about TEXT COLLATE "C" NOT NULL,
    proposed_by TEXT COLLATE "C" NOT NULL,
    proposed_at BIGINT NOT NULL,
    state BIGINT NOT NULL CHECK (state BETWEEN 0 AND 4),
    step_by TEXT COLLATE "C",
    step_at BIGINT,
    CHECK ((step_at IS NULL) = (state = 0)),
    CHECK ((step_by IS NULL) = (state IN (0, 3)))
);
COMMENT ON TABLE changes IS 'house';
CREATE INDEX changes_by_time ON changes (proposed_at, id);
CREATE TRIGGER changes_only_go_on BEFORE UPDATE ON changes FOR EACH ROW
WHEN (old.state > 1
    OR (old.id, old.change, old.what, old.about, old.proposed_by, old.proposed_at)
        IS DISTINCT FROM (new.id, new.change, new.what, new.about, new.proposed_by, new.proposed_at))
EXECUTE FUNCTION append_only();
CREATE TRIGGER changes_never_go BEFORE DELETE ON changes FOR EACH ROW EXECUTE FUNCTION append_only();

-- For which request a subject token was used.
CREATE TABLE claims (
    token BYTEA PRIMARY KEY CHECK (length(token) = 16),
    request BYTEA NOT NULL CHECK (length(request) = 32),
    until BIGINT NOT NULL
);
COMMENT ON TABLE claims IS 'directory: led by token';
CREATE INDEX claims_by_end ON claims (until);

-- Requests that may be sent again and are done once. What is under way has no answer; an answer is sealed. The account
-- under whose key it is lies elsewhere, so nothing refers to it.
CREATE TABLE once (
    key BYTEA PRIMARY KEY CHECK (length(key) = 32),
    request BYTEA NOT NULL CHECK (length(request) = 32),
    since BIGINT,
    status BIGINT CHECK (status BETWEEN 100 AND 599),
    account BIGINT,
    answer BYTEA,
    expires_at BIGINT NOT NULL,
    CHECK ((since IS NULL) = (status IS NOT NULL)),
    CHECK ((status IS NULL) = (account IS NULL)),
    CHECK ((status IS NULL) = (answer IS NULL))
);
COMMENT ON TABLE once IS 'directory: led by key';
CREATE INDEX once_by_end ON once (expires_at);
