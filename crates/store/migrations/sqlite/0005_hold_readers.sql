-- Who may read what a hold keeps, since when and until when, with the statement that gave the right.
CREATE TABLE hold_readers (
    hold TEXT NOT NULL,
    reader TEXT NOT NULL,
    given INTEGER NOT NULL REFERENCES statements (seq),
    since INTEGER NOT NULL,
    until INTEGER,
    PRIMARY KEY (hold, reader, given)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX hold_readers_in_force ON hold_readers (hold, reader) WHERE until IS NULL;
CREATE TRIGGER hold_readers_are_only_ended BEFORE UPDATE ON hold_readers
WHEN old.until IS NOT NULL OR new.until IS NULL
    OR (old.hold, old.reader, old.given, old.since) <> (new.hold, new.reader, new.given, new.since)
BEGIN SELECT RAISE(ABORT, 'append-only: hold_readers'); END;
CREATE TRIGGER hold_readers_never_go BEFORE DELETE ON hold_readers
BEGIN SELECT RAISE(ABORT, 'append-only: hold_readers'); END;

-- What each access under a hold names, in the order of the items of its statement.
CREATE TABLE hold_reads (
    statement INTEGER NOT NULL REFERENCES statements (seq),
    place INTEGER NOT NULL CHECK (place >= 0),
    account INTEGER NOT NULL,
    record BLOB NOT NULL CHECK (length(record) = 16),
    class INTEGER NOT NULL REFERENCES classes (id),
    PRIMARY KEY (statement, place),
    FOREIGN KEY (account, record) REFERENCES records (account, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX hold_reads_by_record ON hold_reads (account, record);
CREATE TRIGGER hold_reads_never_change BEFORE UPDATE ON hold_reads
BEGIN SELECT RAISE(ABORT, 'append-only: hold_reads'); END;
CREATE TRIGGER hold_reads_never_go BEFORE DELETE ON hold_reads
BEGIN SELECT RAISE(ABORT, 'append-only: hold_reads'); END;
