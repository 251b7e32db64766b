-- The tables of cutover-postgres, for PostgreSQL 14 and later. It can be run again at any time: it only adds what is missing.
--
-- Numbers up to 2^64 - 1 are numeric(20). Records and audit entries are the JSON texts that the library wrote, so that the
-- hashes of the audit hold; read them with, for example, SELECT epoch, entry::json ->> 'actor' FROM cutover_audit.
BEGIN;

-- Two processes that run this at once would trip over each other.
SELECT pg_advisory_xact_lock(7310027634851263);

-- One row per migration. Epoch 0 stands for "no record yet".
CREATE TABLE IF NOT EXISTS cutover_state (
    migration text COLLATE "C" PRIMARY KEY,
    epoch numeric(20) NOT NULL CHECK (epoch >= 0),
    etag text COLLATE "C" NOT NULL,
    record text,
    CHECK ((epoch = 0) = (record IS NULL))
);

-- What a claim locks in place of the record: four rows per migration, so that claims seldom wait for each other. Each has the
-- epoch and the etag of the record and is replaced together with it. Whoever edits cutover_state by hand edits these too:
-- while they differ, nothing is claimed.
CREATE TABLE IF NOT EXISTS cutover_gates (
    migration text COLLATE "C" NOT NULL,
    gate bigint NOT NULL,
    epoch numeric(20) NOT NULL,
    etag text COLLATE "C" NOT NULL,
    PRIMARY KEY (migration, gate)
);

-- One row per change of a record, written in the same statement as the record.
CREATE TABLE IF NOT EXISTS cutover_audit (
    migration text COLLATE "C" NOT NULL,
    epoch numeric(20) NOT NULL CHECK (epoch > 0),
    op_id text COLLATE "C" NOT NULL,
    entry text NOT NULL,
    written_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (migration, epoch),
    UNIQUE (migration, op_id)
);

-- One row per claimed item. Deleting one forgets that the item was completed, and starts its tokens anew.
CREATE TABLE IF NOT EXISTS cutover_claims (
    migration text COLLATE "C" NOT NULL,
    item text COLLATE "C" NOT NULL,
    side text NOT NULL,
    epoch numeric(20) NOT NULL,
    holder text NOT NULL,
    op_id text COLLATE "C" NOT NULL,
    token numeric(20) NOT NULL CHECK (token > 0),
    state text NOT NULL CHECK (state IN ('held', 'released', 'completed')),
    expires_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (migration, item)
);
CREATE INDEX IF NOT EXISTS cutover_claims_by_expiry ON cutover_claims (migration, expires_at, item) WHERE state = 'held';
CREATE INDEX IF NOT EXISTS cutover_claims_completed ON cutover_claims (migration, changed_at) WHERE state = 'completed';

-- One row per distinct discrepancy: its first sample, and what was counted since.
CREATE TABLE IF NOT EXISTS cutover_discrepancies (
    migration text COLLATE "C" NOT NULL,
    fingerprint text COLLATE "C" NOT NULL,
    sample text NOT NULL,
    occurrences numeric(20) NOT NULL,
    first_seen numeric(20) NOT NULL,
    last_seen numeric(20) NOT NULL,
    PRIMARY KEY (migration, fingerprint)
);
-- How many places of a migration are taken, and how many the last batch got.
CREATE TABLE IF NOT EXISTS cutover_discrepancy_room (
    migration text COLLATE "C" PRIMARY KEY,
    taken bigint NOT NULL,
    granted bigint NOT NULL
);

-- The audit only grows, whoever asks. Its owner can still disable these triggers.
CREATE OR REPLACE FUNCTION cutover_refuse_change() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'the audit only grows' USING ERRCODE = 'insufficient_privilege'; END $$;
CREATE OR REPLACE TRIGGER cutover_audit_rows_stay BEFORE UPDATE OR DELETE ON cutover_audit
    FOR EACH ROW EXECUTE FUNCTION cutover_refuse_change();
CREATE OR REPLACE TRIGGER cutover_audit_stays BEFORE TRUNCATE ON cutover_audit
    FOR EACH STATEMENT EXECUTE FUNCTION cutover_refuse_change();

COMMIT;

-- The least that an application's role needs; name yours instead of `app`:
--
-- GRANT SELECT, INSERT, UPDATE ON cutover_state, cutover_gates, cutover_claims, cutover_discrepancy_room TO app;
-- GRANT SELECT, INSERT ON cutover_audit TO app;
-- GRANT SELECT, INSERT, UPDATE, DELETE ON cutover_discrepancies TO app;
