-- The layout of version 1. Epochs are text of 20 digits, so that all 64 bits are kept and sorted.

CREATE TABLE audit (
    migration TEXT NOT NULL,
    epoch TEXT NOT NULL CHECK (length(epoch) = 20 AND epoch NOT GLOB '*[^0-9]*'),
    op_id BLOB NOT NULL CHECK (length(op_id) = 16),
    entry TEXT NOT NULL CHECK (json_valid(entry)),
    PRIMARY KEY (migration, epoch),
    UNIQUE (migration, op_id)
) STRICT;

CREATE TRIGGER audit_is_never_changed BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit only grows: no entry is changed');
END;

CREATE TRIGGER audit_is_never_deleted BEFORE DELETE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit only grows: no entry is deleted');
END;

-- REPLACE deletes without asking the trigger above.
CREATE TRIGGER audit_only_grows BEFORE INSERT ON audit
WHEN NEW.epoch <= (SELECT max(epoch) FROM audit WHERE migration = NEW.migration)
    OR EXISTS (SELECT 1 FROM audit WHERE migration = NEW.migration AND op_id = NEW.op_id)
BEGIN
    SELECT RAISE(ABORT, 'the audit only grows: an entry follows all others and has its own operation');
END;

CREATE TABLE record (
    migration TEXT NOT NULL PRIMARY KEY,
    epoch TEXT NOT NULL,
    record TEXT NOT NULL CHECK (json_valid(record)),
    FOREIGN KEY (migration, epoch) REFERENCES audit (migration, epoch)
) STRICT;

CREATE TRIGGER record_is_never_deleted BEFORE DELETE ON record
BEGIN
    SELECT RAISE(ABORT, 'a record is replaced by a later one, and never deleted');
END;

-- Times are milliseconds since 1970 (UTC), by the clock of the machine.
CREATE TABLE claim (
    migration TEXT NOT NULL,
    item TEXT NOT NULL,
    side TEXT NOT NULL CHECK (side IN ('legacy', 'new')),
    epoch TEXT NOT NULL CHECK (length(epoch) = 20 AND epoch NOT GLOB '*[^0-9]*'),
    holder TEXT NOT NULL,
    op_id BLOB NOT NULL CHECK (length(op_id) = 16),
    token INTEGER NOT NULL CHECK (token > 0),
    state TEXT NOT NULL CHECK (state IN ('held', 'released', 'completed')),
    until_ms INTEGER NOT NULL,
    ended_ms INTEGER CHECK ((state = 'held') = (ended_ms IS NULL)),
    PRIMARY KEY (migration, item)
) STRICT, WITHOUT ROWID;

CREATE INDEX claim_by_lease ON claim (migration, until_ms, item) WHERE state = 'held';
CREATE INDEX claim_by_completion ON claim (migration, ended_ms) WHERE state = 'completed';

CREATE TRIGGER claim_tokens_only_grow BEFORE UPDATE ON claim
WHEN NEW.token < OLD.token OR OLD.state = 'completed'
BEGIN
    SELECT RAISE(ABORT, 'tokens only grow, and what is completed stays so');
END;

-- The largest token of what was purged: an item that comes back gets a larger one.
CREATE TABLE purged (
    migration TEXT NOT NULL PRIMARY KEY,
    token INTEGER NOT NULL CHECK (token > 0)
) STRICT;

CREATE TABLE discrepancy (
    migration TEXT NOT NULL,
    fingerprint TEXT NOT NULL CHECK (length(fingerprint) = 32),
    discrepancy TEXT NOT NULL CHECK (json_valid(discrepancy)),
    PRIMARY KEY (migration, fingerprint)
) STRICT;

-- For people.
CREATE VIEW history AS
SELECT
    migration,
    json_extract(entry, '$.epoch') AS epoch,
    strftime('%Y-%m-%d %H:%M:%f', json_extract(entry, '$.at') / 1000.0, 'unixepoch') AS at,
    json_extract(entry, '$.actor') AS actor,
    json_extract(entry, '$.kind') AS kind,
    json_extract(entry, '$.before.mode') AS mode_before,
    json_extract(entry, '$.after.mode') AS mode,
    json_extract(entry, '$.after.rollout') AS rollout,
    json_extract(entry, '$.reason') AS reason
FROM audit
ORDER BY audit.migration, audit.epoch;
