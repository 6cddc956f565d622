-- Every per-account table is keyed by the account first. Instants are microseconds, UTC; days are days since the epoch.
-- Pages, packs and batches are shared by accounts, and policies, classes, situations and holds by all.

CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE policies (
    lineage TEXT NOT NULL,
    version TEXT NOT NULL,
    announced INTEGER NOT NULL,
    effective INTEGER NOT NULL,
    source TEXT NOT NULL,
    digest BLOB NOT NULL CHECK (length(digest) = 32),
    published_at INTEGER NOT NULL,
    withdrawn_at INTEGER,
    PRIMARY KEY (lineage, version)
) STRICT;

-- AUTOINCREMENT, so that the key of an account that went is never given to another.
CREATE TABLE accounts (
    key INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL,
    organisation TEXT CHECK (organisation <> ''),
    country TEXT,
    minor INTEGER CHECK (minor IN (0, 1)),
    opened_at INTEGER,
    closed_at INTEGER,
    account_page BLOB CHECK (length(account_page) = 16),
    account_wrap BLOB,
    proof_page BLOB CHECK (length(proof_page) = 16),
    proof_wrap BLOB,
    chain_version INTEGER NOT NULL DEFAULT 0,
    chain_head BLOB NOT NULL DEFAULT (zeroblob(32)) CHECK (length(chain_head) = 32),
    CHECK ((account_page IS NULL) = (account_wrap IS NULL)),
    CHECK ((proof_page IS NULL) = (proof_wrap IS NULL))
) STRICT;
CREATE UNIQUE INDEX accounts_by_id ON accounts (COALESCE(organisation, ''), id);
CREATE INDEX accounts_by_account_page ON accounts (account_page) WHERE account_page IS NOT NULL;
CREATE INDEX accounts_by_proof_page ON accounts (proof_page) WHERE proof_page IS NOT NULL;

CREATE TABLE statements (
    seq INTEGER PRIMARY KEY,
    account INTEGER REFERENCES accounts (key),
    version INTEGER NOT NULL,
    kind TEXT NOT NULL,
    at INTEGER NOT NULL,
    commitment BLOB NOT NULL CHECK (length(commitment) = 32),
    sealed BLOB NOT NULL,
    CHECK ((account IS NULL) = (version = 0))
) STRICT;
CREATE UNIQUE INDEX statements_by_account ON statements (account, version) WHERE account IS NOT NULL;
CREATE TRIGGER statements_never_change BEFORE UPDATE ON statements
BEGIN SELECT RAISE(ABORT, 'append-only: statements'); END;
CREATE TRIGGER statements_never_go BEFORE DELETE ON statements
BEGIN SELECT RAISE(ABORT, 'append-only: statements'); END;

CREATE TABLE conversations (
    account INTEGER NOT NULL REFERENCES accounts (key),
    id BLOB NOT NULL CHECK (length(id) = 16),
    recognised BLOB NOT NULL CHECK (length(recognised) = 32),
    kind TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (account, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX conversations_recognised ON conversations (account, recognised);

CREATE TABLE records (
    account INTEGER NOT NULL,
    id BLOB NOT NULL CHECK (length(id) = 16),
    conversation BLOB NOT NULL,
    ordinal INTEGER NOT NULL,
    surface TEXT NOT NULL,
    kind TEXT NOT NULL,
    mode TEXT NOT NULL,
    country TEXT,
    created_at INTEGER NOT NULL,
    scanned INTEGER CHECK (scanned IN (0, 1)),
    last_activity_at INTEGER NOT NULL,
    deleted_at INTEGER,
    flagged_at INTEGER,
    feedback_at INTEGER,
    messages INTEGER NOT NULL,
    segments INTEGER NOT NULL,
    PRIMARY KEY (account, id),
    FOREIGN KEY (account, conversation) REFERENCES conversations (account, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX records_by_id ON records (id);
CREATE UNIQUE INDEX records_by_conversation ON records (account, conversation, ordinal);

-- Messages and segments name their record without a foreign key: they are most of all rows, they are only
-- ever added beside their record, and the integrity check counts them.
CREATE TABLE messages (
    account INTEGER NOT NULL,
    record BLOB NOT NULL,
    ordinal INTEGER NOT NULL,
    id TEXT NOT NULL,
    at INTEGER,
    role TEXT NOT NULL,
    dead_branch INTEGER NOT NULL CHECK (dead_branch IN (0, 1)),
    segment INTEGER NOT NULL,
    derived_from TEXT,
    PRIMARY KEY (account, record, ordinal)
) STRICT, WITHOUT ROWID;

CREATE TABLE packs (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    bytes INTEGER NOT NULL,
    segments INTEGER NOT NULL CHECK (segments >= 0),
    created_at INTEGER NOT NULL,
    removed_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX packs_idle ON packs (id) WHERE segments = 0 AND removed_at IS NULL;

CREATE TABLE segments (
    account INTEGER NOT NULL,
    record BLOB NOT NULL,
    segment INTEGER NOT NULL,
    pack BLOB NOT NULL,
    "offset" INTEGER NOT NULL,
    length INTEGER NOT NULL,
    PRIMARY KEY (account, record, segment)
) STRICT, WITHOUT ROWID;

CREATE TABLE classes (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE situations (
    id INTEGER PRIMARY KEY,
    body BLOB NOT NULL UNIQUE
) STRICT;

CREATE TABLE batches (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    stage INTEGER NOT NULL CHECK (stage BETWEEN 0 AND 5),
    created_at INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    statement INTEGER REFERENCES statements (seq),
    old_pages BLOB NOT NULL CHECK (length(old_pages) % 16 = 0),
    sealed_at INTEGER,
    shredded_at INTEGER,
    removed_at INTEGER,
    verified_at INTEGER
) STRICT;
CREATE INDEX batches_unfinished ON batches (id) WHERE stage < 5;

-- Stages: 0 live, 1 sealed, 2 shredding, 3 shredded, 4 removed, 5 verified.
CREATE TABLE copies (
    account INTEGER NOT NULL,
    record BLOB NOT NULL,
    class INTEGER NOT NULL REFERENCES classes (id),
    shard INTEGER NOT NULL,
    state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 5),
    place TEXT,
    page BLOB CHECK (length(page) = 16),
    wrap BLOB,
    created_at INTEGER NOT NULL,
    situation INTEGER NOT NULL REFERENCES situations (id),
    anchor INTEGER NOT NULL,
    day INTEGER NOT NULL,
    batch INTEGER REFERENCES batches (id),
    sealed_at INTEGER,
    shredded_at INTEGER,
    removed_at INTEGER,
    verified_at INTEGER,
    PRIMARY KEY (account, record, class),
    FOREIGN KEY (account, record) REFERENCES records (account, id),
    CHECK ((page IS NULL) = (wrap IS NULL)),
    CHECK ((state = 0) = (batch IS NULL)),
    CHECK (state < 3 OR wrap IS NULL)
) STRICT, WITHOUT ROWID;
CREATE INDEX copies_due ON copies (shard, class, situation, anchor, day, account, record) WHERE state = 0;
CREATE INDEX copies_by_page ON copies (page) WHERE page IS NOT NULL;
CREATE INDEX copies_by_batch ON copies (batch, account, record, class) WHERE batch IS NOT NULL;

CREATE TABLE refile (
    account INTEGER PRIMARY KEY REFERENCES accounts (key),
    marks INTEGER NOT NULL
) STRICT;

-- States: 0 open, 1 full, 2 destroyed.
CREATE TABLE pages (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    tree TEXT NOT NULL,
    class INTEGER REFERENCES classes (id),
    day INTEGER,
    wraps INTEGER NOT NULL CHECK (wraps BETWEEN 0 AND 256),
    state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 2)
) STRICT, WITHOUT ROWID;
CREATE INDEX pages_by_shelf ON pages (tree, class, day, state);

CREATE TABLE holds (
    id TEXT NOT NULL,
    version INTEGER NOT NULL CHECK (version > 0),
    placed_at INTEGER NOT NULL,
    released_at INTEGER,
    may_tell INTEGER NOT NULL CHECK (may_tell IN (0, 1)),
    scope TEXT NOT NULL CHECK (json_valid(scope)),
    PRIMARY KEY (id, version)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER holds_are_only_released BEFORE UPDATE ON holds
WHEN old.released_at IS NOT NULL OR new.released_at IS NULL
    OR (old.id, old.version, old.placed_at, old.may_tell, old.scope)
        <> (new.id, new.version, new.placed_at, new.may_tell, new.scope)
BEGIN SELECT RAISE(ABORT, 'append-only: holds'); END;
CREATE TRIGGER holds_never_go BEFORE DELETE ON holds
BEGIN SELECT RAISE(ABORT, 'append-only: holds'); END;

CREATE TABLE runs (
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    purpose TEXT NOT NULL,
    opened_at INTEGER NOT NULL,
    position INTEGER NOT NULL,
    manifest TEXT,
    digest BLOB CHECK (length(digest) = 32),
    CHECK ((manifest IS NULL) = (digest IS NULL))
) STRICT, WITHOUT ROWID;

CREATE TABLE run_records (
    account INTEGER NOT NULL,
    record BLOB NOT NULL,
    run BLOB NOT NULL REFERENCES runs (id),
    policy TEXT NOT NULL,
    decision INTEGER REFERENCES statements (seq),
    messages INTEGER NOT NULL,
    first_row INTEGER NOT NULL,
    rows INTEGER NOT NULL,
    PRIMARY KEY (account, record, run),
    FOREIGN KEY (account, record) REFERENCES records (account, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX run_records_by_row ON run_records (run, first_row);
