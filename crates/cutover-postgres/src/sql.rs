//! The statements, on the tables of the default names. Each is sent alone, and is a transaction of its own.
//!
//! `READ COMMITTED` is what they are written for: a statement reads as of its start, but what it locks or updates it takes as
//! of the moment in which it has the lock.

use crate::Names;

macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $sql:expr;)*) => {
        /// All statements, on the tables of one [`Names`].
        pub(crate) struct Statements {
            $($(#[$doc])* pub(crate) $name: String,)*
        }

        impl Statements {
            pub(crate) fn of(names: &Names) -> Self {
                Self { $($name: names.apply($sql),)* }
            }
        }
    };
}

statements! {
    /// The record of a migration.
    load = "SELECT epoch::text, etag, record FROM cutover_state WHERE migration = $1 AND epoch > 0";

    /// Makes what stands for "no record yet", and the gates that claims lock. Whoever stores a record or claims needs both to
    /// be there when the statement begins, so they are made by one of their own.
    stand_in = "
        WITH made AS (
            INSERT INTO cutover_state (migration, epoch, etag) VALUES ($1, 0, '') ON CONFLICT DO NOTHING RETURNING migration
        )
        INSERT INTO cutover_gates (migration, gate, epoch, etag)
        SELECT migration, gate, 0, '' FROM made, generate_series(0, $2 - 1) AS gate
        ON CONFLICT (migration, gate) DO UPDATE SET epoch = 0, etag = ''";

    /// Stores the next record and its audit entry, and wakes watchers. A known operation is not stored again. Updating the
    /// gates waits for the claims that are being granted by the record before, in their order of arrival.
    replace = "
        WITH stored AS (
            UPDATE cutover_state SET epoch = $2::numeric, etag = $3, record = $4
            WHERE migration = $1 AND epoch = $8::numeric AND etag = $9
                AND NOT EXISTS (SELECT FROM cutover_audit WHERE migration = $1 AND op_id = $5)
            RETURNING migration
        ), closed AS (
            UPDATE cutover_gates AS gates SET epoch = $2::numeric, etag = $3
            FROM stored WHERE gates.migration = stored.migration
        ), logged AS (
            INSERT INTO cutover_audit (migration, epoch, op_id, entry)
            SELECT migration, $2::numeric, $5, $6 FROM stored RETURNING migration
        )
        SELECT pg_notify($7, migration)::text FROM logged";

    /// The entry of an operation, and the present record.
    operation = "
        SELECT (SELECT entry FROM cutover_audit WHERE migration = $1 AND op_id = $2),
            present.epoch::text, present.etag, present.record
        FROM (SELECT) AS one LEFT JOIN cutover_state AS present ON migration = $1 AND epoch > 0";

    /// A page of the audit.
    history = "
        SELECT entry FROM cutover_audit WHERE migration = $1 AND epoch > $2::numeric ORDER BY epoch LIMIT $3";

    /// Grants an item that is free, if the record is the expected one. The item is locked first, because somebody's own
    /// transaction may hold it for long; then a gate, which keeps the record from being replaced until the grant is committed.
    claim = "
        WITH free AS MATERIALIZED (
            SELECT item FROM cutover_claims
            WHERE migration = $1 AND item = $2
                AND (state = 'released' OR state = 'held' AND expires_at <= clock_timestamp())
            FOR UPDATE
        ), expected AS MATERIALIZED (
            SELECT migration FROM cutover_gates
            WHERE migration = $1 AND gate = $9 AND epoch = $3::numeric AND etag = $4
                AND (EXISTS (SELECT FROM free)
                    OR NOT EXISTS (SELECT FROM cutover_claims WHERE migration = $1 AND item = $2))
            FOR NO KEY UPDATE
        ), again AS (
            UPDATE cutover_claims AS claim
            SET token = claim.token + 1, side = $5, epoch = $3::numeric, holder = $6, op_id = $7, state = 'held',
                expires_at = clock_timestamp() + $8 * interval '1 millisecond', changed_at = clock_timestamp()
            FROM expected, free
            WHERE claim.migration = $1 AND claim.item = $2
            RETURNING claim.token
        ), first AS (
            INSERT INTO cutover_claims (migration, item, token, side, epoch, holder, op_id, state, expires_at)
            SELECT $1, $2, 1, $5, $3::numeric, $6, $7, 'held', clock_timestamp() + $8 * interval '1 millisecond'
            FROM expected WHERE NOT EXISTS (SELECT FROM free)
            ON CONFLICT DO NOTHING
            RETURNING token
        )
        SELECT token::text FROM again UNION ALL SELECT token::text FROM first";

    /// The present record, whether a row of it is there to lock, and an item.
    look = "
        SELECT present.epoch::text, present.etag, present.record, claim.side, claim.epoch::text, claim.holder, claim.op_id,
            claim.token::text, claim.state,
            (extract(epoch FROM claim.expires_at - clock_timestamp()) * 1000000)::bigint
        FROM (SELECT) AS one
        LEFT JOIN cutover_state AS present ON present.migration = $1
        LEFT JOIN cutover_claims AS claim ON claim.migration = $1 AND claim.item = $2";

    /// Lets a lease last longer.
    renew = "
        UPDATE cutover_claims
        SET expires_at = clock_timestamp() + $4 * interval '1 millisecond', changed_at = clock_timestamp()
        WHERE migration = $1 AND item = $2 AND token = $3::numeric AND state = 'held' AND expires_at > clock_timestamp()
        RETURNING token::text";

    /// Ends a claim as `$4`.
    end = "
        UPDATE cutover_claims SET state = $4, changed_at = clock_timestamp()
        WHERE migration = $1 AND item = $2 AND token = $3::numeric AND state = 'held' AND expires_at > clock_timestamp()
        RETURNING token::text";

    /// Claims whose lease has run out.
    expired = "
        SELECT item, side, epoch::text, holder, op_id, token::text, state,
            (extract(epoch FROM expires_at - clock_timestamp()) * 1000000)::bigint
        FROM cutover_claims
        WHERE migration = $1 AND state = 'held' AND expires_at <= (SELECT clock_timestamp())
        ORDER BY expires_at, item LIMIT $2";

    /// Merges a batch into what is kept. The row of the room is locked first, so batches of a migration follow one another.
    add = "
        WITH batch AS MATERIALIZED (
            SELECT given.*, kept.fingerprint IS NULL AS fresh,
                row_number() OVER (PARTITION BY kept.fingerprint IS NULL ORDER BY given.fingerprint) AS place
            FROM unnest($2::text[], $3::text[], $4::numeric[], $5::numeric[], $6::numeric[])
                AS given (fingerprint, sample, occurrences, first_seen, last_seen)
            LEFT JOIN cutover_discrepancies AS kept ON kept.migration = $1 AND kept.fingerprint = given.fingerprint
        ), room AS (
            INSERT INTO cutover_discrepancy_room AS room (migration, taken, granted)
            SELECT $1, least(count(*), $7), least(count(*), $7) FROM batch WHERE fresh
            ON CONFLICT (migration) DO UPDATE SET
                granted = least(excluded.granted, greatest($7 - room.taken, 0)),
                taken = room.taken + least(excluded.granted, greatest($7 - room.taken, 0))
            RETURNING granted
        ), kept AS (
            INSERT INTO cutover_discrepancies AS kept (migration, fingerprint, sample, occurrences, first_seen, last_seen)
            SELECT $1, fingerprint, sample, occurrences, first_seen, last_seen FROM batch, room
            WHERE NOT fresh OR place <= granted
            ORDER BY fingerprint
            ON CONFLICT (migration, fingerprint) DO UPDATE SET
                occurrences = least(kept.occurrences + excluded.occurrences, 18446744073709551615),
                first_seen = least(kept.first_seen, excluded.first_seen),
                last_seen = greatest(kept.last_seen, excluded.last_seen)
            RETURNING fingerprint, kept.xmax = 0 AS added
        )
        SELECT fingerprint, added, (SELECT granted FROM room) FROM kept
        UNION ALL SELECT NULL, NULL, granted FROM room";

    /// Gives places back that were taken and not used, or takes those that were used and not taken.
    adjust = "UPDATE cutover_discrepancy_room SET taken = taken - $2 WHERE migration = $1";

    /// A page of discrepancies.
    page = "
        SELECT sample, occurrences::text, first_seen::text, last_seen::text FROM cutover_discrepancies
        WHERE migration = $1 AND fingerprint > $2 ORDER BY fingerprint LIMIT $3";

    /// Forgets the discrepancies of a migration.
    clear = "
        WITH room AS MATERIALIZED (
            SELECT migration FROM cutover_discrepancy_room WHERE migration = $1 FOR UPDATE
        ), gone AS (
            DELETE FROM cutover_discrepancies AS kept USING room WHERE kept.migration = room.migration RETURNING 1
        )
        UPDATE cutover_discrepancy_room SET taken = taken - (SELECT count(*) FROM gone) WHERE migration = $1";
}
