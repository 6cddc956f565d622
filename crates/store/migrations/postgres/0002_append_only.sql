-- What may only be added to, whoever writes. On a Citus cluster, triggers on distributed tables need
-- `citus.enable_unsafe_triggers`; each of these looks at its own row only, which is what makes that safe.
CREATE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'append-only' USING ERRCODE = 'TN001', TABLE = TG_TABLE_NAME;
END
$$;

-- A statement is given its place once, and nothing else of it changes.
CREATE TRIGGER statements_never_change BEFORE UPDATE ON statements FOR EACH ROW
WHEN (old.seq IS NOT NULL OR new.seq IS NULL
    OR (old.account, old.version, old.kind, old.at, old.commitment, old.sealed)
        IS DISTINCT FROM (new.account, new.version, new.kind, new.at, new.commitment, new.sealed))
EXECUTE FUNCTION append_only();
CREATE TRIGGER statements_never_go BEFORE DELETE ON statements FOR EACH ROW EXECUTE FUNCTION append_only();

CREATE TRIGGER log_only_grows BEFORE UPDATE ON log FOR EACH ROW
WHEN (new.id <> old.id OR new.size <= old.size) EXECUTE FUNCTION append_only();
CREATE TRIGGER log_never_goes BEFORE DELETE ON log FOR EACH ROW EXECUTE FUNCTION append_only();

CREATE TRIGGER tiles_only_grow BEFORE UPDATE ON tiles FOR EACH ROW
WHEN ((new.level, new.place) <> (old.level, old.place) OR length(new.hashes) <= length(old.hashes)
    OR substr(new.hashes, 1, length(old.hashes)) <> old.hashes)
EXECUTE FUNCTION append_only();
CREATE TRIGGER tiles_never_go BEFORE DELETE ON tiles FOR EACH ROW EXECUTE FUNCTION append_only();

CREATE TRIGGER holds_are_only_released BEFORE UPDATE ON holds FOR EACH ROW
WHEN (old.released_at IS NOT NULL OR new.released_at IS NULL
    OR (old.id, old.version, old.placed_at, old.may_tell, old.scope)
        <> (new.id, new.version, new.placed_at, new.may_tell, new.scope))
EXECUTE FUNCTION append_only();
CREATE TRIGGER holds_never_go BEFORE DELETE ON holds FOR EACH ROW EXECUTE FUNCTION append_only();

CREATE TRIGGER destroyed_never_change BEFORE UPDATE OR DELETE ON destroyed FOR EACH ROW
EXECUTE FUNCTION append_only();

CREATE TRIGGER hold_readers_are_only_ended BEFORE UPDATE ON hold_readers FOR EACH ROW
WHEN (old.until IS NOT NULL OR new.until IS NULL
    OR (old.hold, old.reader, old.given, old.since) <> (new.hold, new.reader, new.given, new.since))
EXECUTE FUNCTION append_only();
CREATE TRIGGER hold_readers_never_go BEFORE DELETE ON hold_readers FOR EACH ROW EXECUTE FUNCTION append_only();

CREATE TRIGGER hold_reads_never_change BEFORE UPDATE OR DELETE ON hold_reads FOR EACH ROW
EXECUTE FUNCTION append_only();
