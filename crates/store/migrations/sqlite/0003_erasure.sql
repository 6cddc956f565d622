-- Why and since when a copy must go is kept beside when it went, so that reports can say what was late.
ALTER TABLE copies ADD COLUMN due_at INTEGER;
ALTER TABLE copies ADD COLUMN cause TEXT;
UPDATE copies SET due_at = sealed_at, cause = 'unknown' WHERE state > 0;
ALTER TABLE batches ADD COLUMN due_at INTEGER;
UPDATE batches SET due_at = sealed_at;

-- How the past was: what corrections replaced, and the flag that was cleared last.
ALTER TABLE accounts ADD COLUMN former TEXT CHECK (former IS NULL OR json_valid(former));
ALTER TABLE records ADD COLUMN unflagged_from INTEGER;
ALTER TABLE records ADD COLUMN unflagged_at INTEGER;

-- How many bytes of a pack are still referred to.
ALTER TABLE packs ADD COLUMN live INTEGER NOT NULL DEFAULT 0 CHECK (live >= 0);
CREATE INDEX segments_by_pack ON segments (pack);
UPDATE packs SET live = (SELECT COALESCE(sum(length), 0) FROM segments WHERE pack = id);
CREATE INDEX packs_there ON packs (bytes, live) WHERE removed_at IS NULL;
CREATE INDEX packs_sparse ON packs (live * 1000 / max(bytes, 1)) WHERE segments > 0 AND removed_at IS NULL;

-- The packs that must be gone before the bytes of a batch are.
CREATE TABLE batch_packs (
    batch INTEGER NOT NULL REFERENCES batches (id),
    pack BLOB NOT NULL REFERENCES packs (id),
    PRIMARY KEY (batch, pack)
) STRICT, WITHOUT ROWID;

-- Who may do what only one may do at a time. The token grows with each holder.
CREATE TABLE leases (
    name TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    token INTEGER NOT NULL CHECK (token > 0),
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Pages on which nothing lies any more, since everything on them went another way.
CREATE INDEX pages_idle ON pages (day) WHERE wraps = 0 AND state < 2 AND day IS NOT NULL;
