-- Where the journal stands in this state of the database: its name, its last group here, and that group's link.
CREATE TABLE journal (
    id INTEGER PRIMARY KEY CHECK (id = 0),
    name BLOB CHECK (length(name) = 16),
    number INTEGER NOT NULL CHECK (number >= 0),
    link BLOB NOT NULL CHECK (length(link) = 16)
) STRICT;
INSERT INTO journal (id, name, number, link) VALUES (0, NULL, 0, zeroblob(16));

-- Backups hold ciphertext until they are thrown away, and need what the journal has since.
CREATE TABLE backups (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    taken_at INTEGER NOT NULL,
    number INTEGER NOT NULL CHECK (number >= 0),
    ages_out_at INTEGER,
    note TEXT
) STRICT;
