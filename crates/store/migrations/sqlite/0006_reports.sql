-- Reports ask for what was destroyed in a period, and certificates for the statements that speak of it.
CREATE INDEX batches_verified ON batches (verified_at, id) WHERE verified_at IS NOT NULL;
CREATE INDEX statements_of_copies ON statements (kind, seq)
WHERE kind IN ('copies_sealed', 'copies_removed', 'copies_verified');
