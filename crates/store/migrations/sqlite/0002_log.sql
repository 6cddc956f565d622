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
