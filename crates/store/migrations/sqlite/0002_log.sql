-- Each statement names the one before it in its chain, and each account its newest. An index by account would
-- cost a page of its own for every statement of every account.
DROP TRIGGER statements_never_change;
ALTER TABLE statements ADD COLUMN previous INTEGER;
UPDATE statements SET previous =
    (SELECT before.seq FROM statements before
     WHERE before.account = statements.account AND before.version = statements.version - 1);
CREATE TRIGGER statements_never_change BEFORE UPDATE ON statements
BEGIN SELECT RAISE(ABORT, 'append-only: statements'); END;
ALTER TABLE accounts ADD COLUMN chain_seq INTEGER;
ALTER TABLE accounts ADD COLUMN chain_at INTEGER;
UPDATE accounts SET (chain_seq, chain_at) =
    (SELECT seq, at FROM statements WHERE account = key AND version = chain_version);
DROP INDEX statements_by_account;

-- What the log is: one row, moved by compare-and-swap in the transaction that appends statements. The first
-- root is that of no leaves.
CREATE TABLE log (
    id INTEGER PRIMARY KEY CHECK (id = 0),
    size INTEGER NOT NULL CHECK (size >= 0),
    root BLOB NOT NULL CHECK (length(root) = 32)
) STRICT;
INSERT INTO log (id, size, root)
VALUES (0, 0, x'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
CREATE TRIGGER log_only_grows BEFORE UPDATE ON log
WHEN new.id <> old.id OR new.size <= old.size
BEGIN SELECT RAISE(ABORT, 'append-only: log'); END;
CREATE TRIGGER log_never_goes BEFORE DELETE ON log
BEGIN SELECT RAISE(ABORT, 'append-only: log'); END;

-- Tiles of hashes: full ones, and the partial ones above the lowest level, which are replaced as they grow.
-- The lowest partial tile is not kept, as the statements give it.
CREATE TABLE tiles (
    level INTEGER NOT NULL CHECK (level BETWEEN 0 AND 7),
    place INTEGER NOT NULL CHECK (place >= 0),
    hashes BLOB NOT NULL CHECK (length(hashes) BETWEEN 32 AND 8192 AND length(hashes) % 32 = 0),
    PRIMARY KEY (level, place)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER tiles_only_grow BEFORE UPDATE ON tiles
WHEN (new.level, new.place) <> (old.level, old.place) OR length(new.hashes) <= length(old.hashes)
    OR substr(new.hashes, 1, length(old.hashes)) <> old.hashes
BEGIN SELECT RAISE(ABORT, 'append-only: tiles'); END;
CREATE TRIGGER tiles_never_go BEFORE DELETE ON tiles
BEGIN SELECT RAISE(ABORT, 'append-only: tiles'); END;

-- The evidence of closed accounts is destroyed in its turn.
CREATE INDEX accounts_closed ON accounts (closed_at, key)
WHERE closed_at IS NOT NULL AND proof_page IS NOT NULL;

-- What each destruction stated, copy by copy, in the order of its items: facts may return and leave their batch,
-- and the evidence stays.
CREATE TABLE destroyed (
    batch INTEGER NOT NULL REFERENCES batches (id),
    place INTEGER NOT NULL CHECK (place >= 0),
    account INTEGER NOT NULL,
    record BLOB NOT NULL,
    class INTEGER NOT NULL REFERENCES classes (id),
    PRIMARY KEY (batch, place),
    FOREIGN KEY (account, record) REFERENCES records (account, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX destroyed_by_record ON destroyed (account, record, batch, class);
CREATE TRIGGER destroyed_never_change BEFORE UPDATE ON destroyed
BEGIN SELECT RAISE(ABORT, 'append-only: destroyed'); END;
CREATE TRIGGER destroyed_never_go BEFORE DELETE ON destroyed
BEGIN SELECT RAISE(ABORT, 'append-only: destroyed'); END;
