-- Instants are microseconds, UTC; days are days since the epoch. Every number is a BIGINT, every text sorts by its
-- bytes, as in the embedded store.
--
-- The comment on each table says how it is spread over several servers, and a test holds the schema to it:
--   account    led by the account in its primary key, in all unique keys and in every foreign key between such tables;
--   house      the same for everyone: read from anywhere, written by house jobs only, which take their turn;
--   directory  names that are unique in the whole store, led by the name itself, written once and looked up.

CREATE TABLE turn (
    id BIGINT PRIMARY KEY CHECK (id = 0)
);
COMMENT ON TABLE turn IS 'house: whoever writes what is not one account''s locks its row, so that such writers come one after another';
INSERT INTO turn (id) VALUES (0);

CREATE TABLE counters (
    name TEXT COLLATE "C" PRIMARY KEY,
    value BIGINT NOT NULL
);
COMMENT ON TABLE counters IS 'house: the last number that was given out of each kind';
INSERT INTO counters (name, value) VALUES ('accounts', 0), ('statements', 0);

CREATE TABLE meta (
    key TEXT COLLATE "C" PRIMARY KEY,
    value TEXT COLLATE "C" NOT NULL
);
COMMENT ON TABLE meta IS 'house';

CREATE TABLE policies (
    lineage TEXT COLLATE "C" NOT NULL,
    version TEXT COLLATE "C" NOT NULL,
    announced BIGINT NOT NULL,
    effective BIGINT NOT NULL,
    source TEXT COLLATE "C" NOT NULL,
    digest BYTEA NOT NULL CHECK (length(digest) = 32),
    published_at BIGINT NOT NULL,
    withdrawn_at BIGINT,
    PRIMARY KEY (lineage, version)
);
COMMENT ON TABLE policies IS 'house';

-- Room on each page, so that a chain that moves stays on it and touches no index.
CREATE TABLE accounts (
    key BIGINT PRIMARY KEY,
    id TEXT COLLATE "C" NOT NULL,
    organisation TEXT COLLATE "C" CHECK (organisation <> ''),
    country TEXT COLLATE "C",
    minor BOOLEAN,
    opened_at BIGINT,
    closed_at BIGINT,
    former TEXT COLLATE "C",
    account_page BYTEA CHECK (length(account_page) = 16),
    account_wrap BYTEA,
    proof_page BYTEA CHECK (length(proof_page) = 16),
    proof_wrap BYTEA,
    chain_version BIGINT NOT NULL DEFAULT 0,
    chain_head BYTEA NOT NULL DEFAULT decode(repeat('00', 32), 'hex') CHECK (length(chain_head) = 32),
    chain_at BIGINT,
    CHECK ((account_page IS NULL) = (account_wrap IS NULL)),
    CHECK ((proof_page IS NULL) = (proof_wrap IS NULL))
) WITH (fillfactor = 70);
COMMENT ON TABLE accounts IS 'account: led by key';
CREATE INDEX accounts_by_account_page ON accounts (account_page) WHERE account_page IS NOT NULL;
CREATE INDEX accounts_by_proof_page ON accounts (proof_page) WHERE proof_page IS NOT NULL;
-- The evidence of closed accounts is destroyed in its turn.
CREATE INDEX accounts_closed ON accounts (closed_at, key) WHERE closed_at IS NOT NULL AND proof_page IS NOT NULL;

CREATE TABLE account_names (
    id TEXT COLLATE "C" NOT NULL,
    organisation TEXT COLLATE "C" NOT NULL,
    account BIGINT NOT NULL,
    PRIMARY KEY (id, organisation)
);
COMMENT ON TABLE account_names IS 'directory: led by id; no organisation is an empty one';

-- A statement commits with the state that it describes and has no place in the log yet. Its place is given once, under
-- the lock of the log's head. Statements of nobody are filed under the account 0, numbered in the order in which they
-- come.
CREATE TABLE statements (
    account BIGINT NOT NULL,
    version BIGINT NOT NULL CHECK (version > 0),
    seq BIGINT CHECK (seq >= 0),
    kind TEXT COLLATE "C" NOT NULL,
    at BIGINT NOT NULL,
    commitment BYTEA NOT NULL CHECK (length(commitment) = 32),
    sealed BYTEA NOT NULL,
    PRIMARY KEY (account, version)
);
COMMENT ON TABLE statements IS 'account: led by account';
CREATE INDEX statements_by_seq ON statements (seq) WHERE seq IS NOT NULL;
CREATE INDEX statements_without_place ON statements (account, version) WHERE seq IS NULL;
-- Certificates ask for the statements that speak of copies.
CREATE INDEX statements_of_copies ON statements (kind, seq)
WHERE kind IN ('copies_sealed', 'copies_removed', 'copies_verified');

CREATE TABLE conversations (
    account BIGINT NOT NULL REFERENCES accounts (key),
    id BYTEA NOT NULL CHECK (length(id) = 16),
    recognised BYTEA NOT NULL CHECK (length(recognised) = 32),
    kind TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (account, id)
);
COMMENT ON TABLE conversations IS 'account: led by account';
CREATE UNIQUE INDEX conversations_recognised ON conversations (account, recognised);

CREATE TABLE records (
    account BIGINT NOT NULL,
    id BYTEA NOT NULL CHECK (length(id) = 16),
    conversation BYTEA NOT NULL,
    ordinal BIGINT NOT NULL,
    surface TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    mode TEXT COLLATE "C" NOT NULL,
    country TEXT COLLATE "C",
    created_at BIGINT NOT NULL,
    scanned BOOLEAN,
    last_activity_at BIGINT NOT NULL,
    deleted_at BIGINT,
    flagged_at BIGINT,
    feedback_at BIGINT,
    unflagged_from BIGINT,
    unflagged_at BIGINT,
    messages BIGINT NOT NULL,
    segments BIGINT NOT NULL,
    FOREIGN KEY (account, conversation) REFERENCES conversations (account, id)
) WITH (fillfactor = 85);
COMMENT ON TABLE records IS 'account: led by account';
CREATE UNIQUE INDEX records_by_conversation ON records (account, conversation, ordinal);
-- After the other, so that it is taken where the planner knows nothing of the rows yet and holds both for as good: the
-- checks of foreign keys look a record up by its id, and would read all of the account's by the other one.
ALTER TABLE records ADD PRIMARY KEY (account, id);

CREATE TABLE record_names (
    record BYTEA PRIMARY KEY CHECK (length(record) = 16),
    account BIGINT NOT NULL
);
COMMENT ON TABLE record_names IS 'directory: led by record';

-- Messages and segments name their record without a foreign key: they are most of all rows, they are only ever added
-- beside their record, and the integrity check counts them.
CREATE TABLE messages (
    account BIGINT NOT NULL,
    record BYTEA NOT NULL,
    ordinal BIGINT NOT NULL,
    id TEXT COLLATE "C" NOT NULL,
    at BIGINT,
    role TEXT COLLATE "C" NOT NULL,
    dead_branch BOOLEAN NOT NULL,
    segment BIGINT NOT NULL,
    derived_from TEXT COLLATE "C",
    PRIMARY KEY (account, record, ordinal)
);
COMMENT ON TABLE messages IS 'account: led by account';

CREATE TABLE packs (
    id BYTEA PRIMARY KEY CHECK (length(id) = 16),
    bytes BIGINT NOT NULL,
    segments BIGINT NOT NULL CHECK (segments >= 0),
    live BIGINT NOT NULL DEFAULT 0 CHECK (live >= 0),
    created_at BIGINT NOT NULL,
    removed_at BIGINT
);
COMMENT ON TABLE packs IS 'house';
CREATE INDEX packs_idle ON packs (id) WHERE segments = 0 AND removed_at IS NULL;
CREATE INDEX packs_there ON packs (bytes, live) WHERE removed_at IS NULL;
CREATE INDEX packs_sparse ON packs ((live * 1000 / greatest(bytes, 1))) WHERE segments > 0 AND removed_at IS NULL;

CREATE TABLE segments (
    account BIGINT NOT NULL,
    record BYTEA NOT NULL,
    segment BIGINT NOT NULL,
    pack BYTEA NOT NULL,
    "offset" BIGINT NOT NULL,
    length BIGINT NOT NULL,
    PRIMARY KEY (account, record, segment)
);
COMMENT ON TABLE segments IS 'account: led by account';
CREATE INDEX segments_by_pack ON segments (pack);

CREATE TABLE classes (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL UNIQUE
);
COMMENT ON TABLE classes IS 'house';

CREATE TABLE situations (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    body BYTEA NOT NULL UNIQUE
);
COMMENT ON TABLE situations IS 'house';

CREATE TABLE batches (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    stage BIGINT NOT NULL CHECK (stage BETWEEN 0 AND 5),
    created_at BIGINT NOT NULL,
    due_at BIGINT,
    epoch BIGINT NOT NULL,
    statement BIGINT,
    old_pages BYTEA NOT NULL CHECK (length(old_pages) % 16 = 0),
    sealed_at BIGINT,
    shredded_at BIGINT,
    removed_at BIGINT,
    verified_at BIGINT,
    released BOOLEAN NOT NULL DEFAULT FALSE
);
COMMENT ON TABLE batches IS 'house';
CREATE INDEX batches_unfinished ON batches (id) WHERE stage < 5;
CREATE INDEX batches_unreleased ON batches (id) WHERE stage = 3 AND NOT released;
-- Reports ask for what was destroyed in a period.
CREATE INDEX batches_verified ON batches (verified_at, id) WHERE verified_at IS NOT NULL;

-- Stages: 0 live, 1 sealed, 2 shredding, 3 shredded, 4 removed, 5 verified.
CREATE TABLE copies (
    account BIGINT NOT NULL,
    record BYTEA NOT NULL,
    class BIGINT NOT NULL REFERENCES classes (id),
    shard BIGINT NOT NULL,
    state BIGINT NOT NULL CHECK (state BETWEEN 0 AND 5),
    place TEXT COLLATE "C",
    page BYTEA CHECK (length(page) = 16),
    wrap BYTEA,
    created_at BIGINT NOT NULL,
    situation BIGINT NOT NULL REFERENCES situations (id),
    anchor BIGINT NOT NULL,
    day BIGINT NOT NULL,
    batch BIGINT REFERENCES batches (id),
    sealed_at BIGINT,
    shredded_at BIGINT,
    removed_at BIGINT,
    verified_at BIGINT,
    due_at BIGINT,
    cause TEXT COLLATE "C",
    PRIMARY KEY (account, record, class),
    FOREIGN KEY (account, record) REFERENCES records (account, id),
    CHECK (wrap IS NULL OR page IS NOT NULL),
    CHECK (page IS NULL OR wrap IS NOT NULL OR state BETWEEN 2 AND 3),
    CHECK ((state = 0) = (batch IS NULL)),
    CHECK (state < 3 OR wrap IS NULL)
);
COMMENT ON TABLE copies IS 'account: led by account';
CREATE INDEX copies_due ON copies (shard, class, situation, anchor, day, account, record) WHERE state = 0;
CREATE INDEX copies_by_page ON copies (page) WHERE page IS NOT NULL;
CREATE INDEX copies_by_batch ON copies (batch, account, record, class) WHERE batch IS NOT NULL;

CREATE TABLE refile (
    account BIGINT PRIMARY KEY REFERENCES accounts (key),
    marks BIGINT NOT NULL
) WITH (fillfactor = 70);
COMMENT ON TABLE refile IS 'account: led by account';

-- States: 0 open, 1 full, 2 destroyed.
CREATE TABLE pages (
    id BYTEA PRIMARY KEY CHECK (length(id) = 16),
    tree TEXT COLLATE "C" NOT NULL,
    class BIGINT REFERENCES classes (id),
    day BIGINT,
    wraps BIGINT NOT NULL CHECK (wraps BETWEEN 0 AND 256),
    state BIGINT NOT NULL CHECK (state BETWEEN 0 AND 2)
);
COMMENT ON TABLE pages IS 'house';
CREATE INDEX pages_by_shelf ON pages (tree, (COALESCE(class, -1)), (COALESCE(day, -9999999999)), state);
-- Pages on which nothing lies any more, since everything on them went another way.
CREATE INDEX pages_idle ON pages (day) WHERE wraps = 0 AND state < 2 AND day IS NOT NULL;

CREATE TABLE holds (
    id TEXT COLLATE "C" NOT NULL,
    version BIGINT NOT NULL CHECK (version > 0),
    placed_at BIGINT NOT NULL,
    released_at BIGINT,
    may_tell BOOLEAN NOT NULL,
    scope TEXT COLLATE "C" NOT NULL CHECK (scope::jsonb IS NOT NULL),
    PRIMARY KEY (id, version)
);
COMMENT ON TABLE holds IS 'house';

CREATE TABLE runs (
    id BYTEA PRIMARY KEY CHECK (length(id) = 16),
    purpose TEXT COLLATE "C" NOT NULL,
    opened_at BIGINT NOT NULL,
    position BIGINT NOT NULL,
    manifest TEXT COLLATE "C",
    digest BYTEA CHECK (length(digest) = 32),
    CHECK ((manifest IS NULL) = (digest IS NULL))
);
COMMENT ON TABLE runs IS 'house';

CREATE TABLE run_records (
    account BIGINT NOT NULL,
    record BYTEA NOT NULL,
    run BYTEA NOT NULL REFERENCES runs (id),
    policy TEXT COLLATE "C" NOT NULL,
    decision BIGINT,
    messages BIGINT NOT NULL,
    first_row BIGINT NOT NULL,
    rows BIGINT NOT NULL,
    PRIMARY KEY (account, record, run),
    FOREIGN KEY (account, record) REFERENCES records (account, id)
);
COMMENT ON TABLE run_records IS 'account: led by account';
CREATE INDEX run_records_by_row ON run_records (run, first_row);

-- What the log is: one row, moved by compare-and-swap in the transaction that gives statements their places. The first
-- root is that of no leaves.
CREATE TABLE log (
    id BIGINT PRIMARY KEY CHECK (id = 0),
    size BIGINT NOT NULL CHECK (size >= 0),
    root BYTEA NOT NULL CHECK (length(root) = 32)
);
COMMENT ON TABLE log IS 'house: whoever gives places locks its row';
INSERT INTO log (id, size, root)
VALUES (0, 0, decode('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855', 'hex'));

-- Tiles of hashes: full ones, and the partial ones above the lowest level, which are replaced as they grow. The lowest
-- partial tile is not kept, as the statements give it.
CREATE TABLE tiles (
    level BIGINT NOT NULL CHECK (level BETWEEN 0 AND 7),
    place BIGINT NOT NULL CHECK (place >= 0),
    hashes BYTEA NOT NULL CHECK (length(hashes) BETWEEN 32 AND 8192 AND length(hashes) % 32 = 0),
    PRIMARY KEY (level, place)
);
COMMENT ON TABLE tiles IS 'house';

-- What each destruction stated, copy by copy, in the order of its items: facts may return and leave their batch, and
-- the evidence stays.
CREATE TABLE destroyed (
    account BIGINT NOT NULL,
    record BYTEA NOT NULL,
    batch BIGINT NOT NULL REFERENCES batches (id),
    class BIGINT NOT NULL REFERENCES classes (id),
    place BIGINT NOT NULL CHECK (place >= 0),
    PRIMARY KEY (account, record, batch, class),
    FOREIGN KEY (account, record) REFERENCES records (account, id)
);
COMMENT ON TABLE destroyed IS 'account: led by account';
CREATE INDEX destroyed_by_place ON destroyed (batch, place);

-- The packs that must be gone before the bytes of a batch are.
CREATE TABLE batch_packs (
    batch BIGINT NOT NULL REFERENCES batches (id),
    pack BYTEA NOT NULL REFERENCES packs (id),
    PRIMARY KEY (batch, pack)
);
COMMENT ON TABLE batch_packs IS 'house';

-- Who may do what only one may do at a time. The token grows with each holder.
CREATE TABLE leases (
    name TEXT COLLATE "C" PRIMARY KEY,
    holder TEXT COLLATE "C" NOT NULL,
    token BIGINT NOT NULL CHECK (token > 0),
    until BIGINT NOT NULL
);
COMMENT ON TABLE leases IS 'house';

-- Backups hold ciphertext until they are thrown away.
CREATE TABLE backups (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    taken_at BIGINT NOT NULL,
    number BIGINT NOT NULL CHECK (number >= 0),
    ages_out_at BIGINT,
    note TEXT COLLATE "C"
);
COMMENT ON TABLE backups IS 'house';

-- Who may read what a hold keeps, since when and until when, with the statement that gave the right.
CREATE TABLE hold_readers (
    hold TEXT COLLATE "C" NOT NULL,
    reader TEXT COLLATE "C" NOT NULL,
    given BIGINT NOT NULL,
    since BIGINT NOT NULL,
    until BIGINT,
    PRIMARY KEY (hold, reader, given)
);
COMMENT ON TABLE hold_readers IS 'house';
CREATE UNIQUE INDEX hold_readers_in_force ON hold_readers (hold, reader) WHERE until IS NULL;

-- What each access under a hold names, in the order of the items of its statement.
CREATE TABLE hold_reads (
    account BIGINT NOT NULL,
    statement BIGINT NOT NULL,
    place BIGINT NOT NULL CHECK (place >= 0),
    record BYTEA NOT NULL CHECK (length(record) = 16),
    class BIGINT NOT NULL REFERENCES classes (id),
    PRIMARY KEY (account, statement, place),
    FOREIGN KEY (account, record) REFERENCES records (account, id)
);
COMMENT ON TABLE hold_reads IS 'account: led by account';
CREATE INDEX hold_reads_by_statement ON hold_reads (statement, place);
CREATE INDEX hold_reads_by_record ON hold_reads (account, record);
