-- A batch lets go of bodies and of slots on pages in steps of their own, after its keys are gone: whoever waits for
-- an erasure does not wait for rows here and there. Until then a copy without a wrap may still name its page.
ALTER TABLE batches ADD COLUMN released INTEGER NOT NULL DEFAULT 0 CHECK (released IN (0, 1));
UPDATE batches SET released = 1 WHERE stage >= 3;
CREATE INDEX batches_unreleased ON batches (id) WHERE stage = 3 AND released = 0;

CREATE TABLE copies_anew (
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
    due_at INTEGER,
    cause TEXT,
    PRIMARY KEY (account, record, class),
    FOREIGN KEY (account, record) REFERENCES records (account, id),
    CHECK (wrap IS NULL OR page IS NOT NULL),
    CHECK (page IS NULL OR wrap IS NOT NULL OR state BETWEEN 2 AND 3),
    CHECK ((state = 0) = (batch IS NULL)),
    CHECK (state < 3 OR wrap IS NULL)
) STRICT, WITHOUT ROWID;
INSERT INTO copies_anew (account, record, class, shard, state, place, page, wrap, created_at, situation, anchor, day,
    batch, sealed_at, shredded_at, removed_at, verified_at, due_at, cause)
SELECT account, record, class, shard, state, place, page, wrap, created_at, situation, anchor, day,
    batch, sealed_at, shredded_at, removed_at, verified_at, due_at, cause
FROM copies ORDER BY account, record, class;
DROP TABLE copies;
ALTER TABLE copies_anew RENAME TO copies;
CREATE INDEX copies_due ON copies (shard, class, situation, anchor, day, account, record) WHERE state = 0;
CREATE INDEX copies_by_page ON copies (page) WHERE page IS NOT NULL;
CREATE INDEX copies_by_batch ON copies (batch, account, record, class) WHERE batch IS NOT NULL;
